"""How header texts are compared and shown: one spelling for comparing, a harmless one for messages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from pipeline.identity.mask import mask_text

_UNSEEN = re.compile("[\\s\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u00ad\x00-\x1f\x7f-\x9f]+")
_NUMBER = re.compile(r"[0-9*]{14}|[0-9]{6}\*{4}")
# What forms add to a header: (必填), (选填项) and the like; the number of the column in front of its name.
_MARK = re.compile(r"[(\[【]\**(?:必填|必录|必选|非必填|选填|选录|可选|可不填)(?:项|列|字段)?\**[)\]】]")
_COLUMN_NUMBER = re.compile(r"^[0-9]{1,2}[.、](?=[^\W0-9])")
# Words of which headers are made: what consists of them only is no name and no number, and may be shown.
_WORDS = (
    "备注|说明|编号|编码|代码|号码|姓名|性别|民族|年龄|出生|日期|时间|年月|月份|年度|年份|身份证|残疾|证件|证号|"
    "类别|类型|种类|类|等级|级别|状态|状况|情况|金额|标准|补贴|补助|救助|保障金?|低保|特困|资助|项目|名称|单位|部门|"
    "机构|学校|班级|年级|医院|电话|手机|联系|方式|地址|住址|户籍|户口|家庭|户主|成员|人口|人数|户数|关系|监护人|"
    "申请人?|代理人|经办人?|填报人?|审核人?|负责人|银行|账号|账户|开户行?|卡号|社保卡?|乡镇|街道|社区|居委会|所在|"
    "所属|是否|有无|原因|来源|结果|意见|签字|签名|盖章|录入|更新|修改|审批|批准|发放|停发|起始|开始|终止|结束|享受|"
    "参保|缴费|医疗|养老|保险|就业|培训|需求|康复|服务|教育|住房|房屋|危房|改造|验收|健康|死亡|火化|本人|对象|人员|"
    "信息|系统|操作|登记|办理|办证|发证|有效期|其他|其它|合计|小计|城乡|序号|[A-Z0-9]{1,2}[类级档]"
)
_MADE_OF_WORDS = re.compile(
    rf"(?=.*(?:{_WORDS}))(?:{_WORDS}|[人户号数额率级县乡镇村组月年日至及与的()_·:.、-])+"
)


def plain(text: str) -> str:
    """A header as it is compared: NFKC, without white space, invisible characters, marks of required columns."""
    if text.isalnum() and unicodedata.is_normalized("NFKC", text):
        return text
    bare = _MARK.sub("", _UNSEEN.sub("", unicodedata.normalize("NFKC", text))).strip("*:")
    return _COLUMN_NUMBER.sub("", bare).strip("*:")


@lru_cache(maxsize=1024)
def plain_headers(headers: tuple[str, ...]) -> frozenset[str]:
    """Declared headers as they are compared (kept, because they are looked up row by row)."""
    return frozenset(map(plain, headers))


def holds_number(row: Sequence[str]) -> bool:
    """Whether a cell looks like an ID, certificate or account number, masked and damaged ones too."""
    return any(
        len(cell) >= 10
        and _NUMBER.search(_UNSEEN.sub("", unicodedata.normalize("NFKC", cell)).replace("-", ""))
        for cell in row
    )


def shown(text: str) -> str:
    """A header as it may stand in a message: short, and without long digits, should it be no header at all."""
    return re.sub(r"[0-9][0-9-]{4,}[0-9]", "…", mask_text(text))[:40]


def made_of_words(text: str) -> bool:
    """Whether the text (as compared) is made of the words of headers only, so that nobody's name can be in it."""
    return bool(_MADE_OF_WORDS.fullmatch(text))


def letter(column: int) -> str:
    """Column index from 0 as spreadsheets name it: 0 -> A, 26 -> AA."""
    name, rest = "", column + 1
    while rest:
        rest, at = divmod(rest - 1, 26)
        name = chr(65 + at) + name
    return name
