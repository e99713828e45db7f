"""How a row was matched, in words: one place for the codes that `pipeline/matching` writes and what people read.

Codes of `links.method`, `unlinked.reason`, and of `pairs.parquet` (comparison fields and levels, blocking keys,
decisions). A code that is not here is shown as it is: nothing is hidden because its word is missing.
"""

from __future__ import annotations

# links.method and pairs.method
METHODS: dict[str, str] = {
    "id": "身份证一致",
    "certificate_in_id_column": "身份证栏填的残疾人证号一致",
    "certificate_id": "证号前18位一致",
    "certificate_number": "残疾人证号一致",
    "head_id": "户主本人，户主身份证一致",
    "id_repaired": "身份证一字之差",
    "id_prefix": "身份证前15位一致",
    "id_prefix_14": "身份证前14位一致",
    "id_masked": "身份证打码，可见各位一致",
    "id_denied": "身份证一致，该行其他项目有出入",
    "account": "银行账号一致",
    "phone": "电话一致",
    "guardian": "监护人或户主一致",
    "name_birth": "姓名+出生日期",
    "name_place": "姓名+住地",
    "name": "姓名（住地不详或不符）",
    "reviewed": "人工复核认定",
}

# Kinds of blocking keys (pairs.keys, blocking.kind): what brought a row and a person together
KEYS: dict[str, str] = {
    "number": "号码",
    "id_repaired": "身份证一字之差",
    "id_digits": "身份证前14位",
    "id_float": "身份证变成数字后剩下的位数",
    "id_masked": "打码身份证的可见各位",
    "certificate_digits": "残疾人证号的前几位",
    "name_birth": "姓名+出生日期",
    "sound_birth": "姓名读音+出生日期",
    "birth_sex_county": "出生日期+性别+县",
    "head": "户主或监护人身份证",
    "account": "银行账号",
    "phone": "电话",
    "name_place": "姓名+县",
    "sound_place": "姓名读音+县",
    "head_name": "户主或监护人姓名+县",
}

# unlinked.reason: the person's number stands in the row, and the row denies it
DENIALS: dict[str, str] = {
    "birth_date": "该行写的出生日期与号码不符",
    "sex": "该行写的性别与号码不符",
    "name": "该行的姓名明显是别人",
    "several_people": "该行的号码指向名册上两个人",
    "unreadable": "该行读不全，但其中有此人的号码",
    "head_id": "号码是户主的，该行是家庭成员",
}

# pairs.decision and links.decision
DECISIONS: dict[str, str] = {"linked": "已连接", "review": "存疑待复核", "none": "未连接"}

# The comparison fields of pairs.parquet, in the order in which they are shown
FIELDS: dict[str, str] = {
    "identity": "号码与生日",
    "name": "姓名",
    "place": "住址",
    "relation": "亲属、账户、电话",
    "disability": "残疾类别等级",
}


# Comparison levels by field; those under "" may stand in any field
LEVELS: dict[str, dict[str, str]] = {
    "": {"unknown": "无从比较", "differs": "不一致"},
    "identity": {
        "slip": "号码一字之差",
        "slip_birth_differs": "号码一字之差，出生日期不同",
        "number": "号码相同",
        "number_sex_differs": "号码相同，性别不同",
        "number_birth_near": "号码相同，出生日期只差一项",
        "number_birth_differs": "号码相同，出生日期不同",
        "digits_15": "号码前15位相同",
        "digits_14": "号码前14位相同",
        "masked_birth": "打码号码与出生日期都相符",
        "masked": "打码号码可见各位相符",
        "masked_few": "打码号码可见的少数几位相符",
        "birth_sex": "出生日期、性别相同",
        "birth": "出生日期相同",
        "birth_sex_differs": "出生日期相同，性别不同",
        "birth_number_differs": "出生日期相同，残缺号码对不上",
        "birth_near": "出生日期只差一项",
        "other_birth": "出生日期或性别明明不同",
        "other_number": "另一个完好的号码",
    },
    "name": {
        "exact": "相同",
        "near": "音近、形近、异译或缺一字",
        "slip": "有一字不同",
        "part": "部分相同",
        "contradicts": "明显不同",
    },
    "place": {
        "township": "同乡镇",
        "county": "同县",
        "other_township": "另一个乡镇",
        "other_county": "不同县",
    },
    "relation": {
        "account": "银行账号相同",
        "phone": "电话相同",
        "guardian_number": "填的是监护人号码",
        "guardian": "监护人或户主号码相同",
        "guardian_name": "监护人或户主姓名相同",
        "other_account": "另一个银行账号",
    },
    "disability": {"both": "类别等级都相同", "one": "类别或等级相同"},
}


def level_words(field: str, level: str) -> str:
    """A comparison level of a field."""
    return LEVELS.get(field, {}).get(level) or LEVELS[""].get(level, level)


def key_words(keys: str) -> str:
    """By what a pair was found: kinds of blocking keys, joined by `+` in the table."""
    return "、".join(KEYS.get(key, key) for key in keys.split("+") if key)


def method_words(code: str) -> str:
    """How it was matched, e.g. 身份证一致."""
    return METHODS.get(code, code)


def denial_words(code: str) -> str:
    """Why a row with the person's number was not linked."""
    return DENIALS.get(code, code)


def decision_words(code: str) -> str:
    """What was decided of a pair."""
    return DECISIONS.get(code, code)
