"""The 23 dataset files understand everything that the departments were seen to write (exports_table.json)."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts.dataset import Dataset, FieldSpec, load_dataset, load_datasets
from pipeline.contracts.problem import ReconcileError

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"
TABLE: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "exports_table.json").read_text(encoding="utf-8")
)
DATASETS = load_datasets(SCHEMAS)
FIELDS = [(key, field) for key, seen in TABLE.items() for field in seen["fields"]]
CODED = [
    (key, name) for key, dataset in DATASETS.items() for name, f in dataset.fields.items() if f.type == "code"
]
FACTS = [(key, name) for key, dataset in DATASETS.items() for name in dataset.facts]

_DATE_WORDS = "本日 本年 本月初 上月初 三个月前 六个月前 一年前 两年前 三年前 一个月后 六个月后 学年基准日"
DATE_WORDS = set(_DATE_WORDS.split())
FORMS = {"any", "count", "first", "sum", "latest", "earliest", "sharing", "counties", "age"}
MEMBER_FORMS = {"members", "others_any", "others_all"}  # in rosters only
MEMBER_WORDS = {"成员持证", "成员年龄"}  # in these forms only
LANGUAGE = {"where", "and", "or", "not", "in", "between", "blank", "live"}
# what a condition compares a field with: one text, or several in brackets
_COMPARED = re.compile(r"([a-z_]+)\"?\s*(?:=|<>|not in|in)\s*('[^']*'|\([^()]*\))")
# Fields that no export seen so far has, but that some places are known to report: read where they come, never required.
LATER_FIELDS = {"civil_affairs/dibao": ["stop"], "federation/needs_survey": ["able", "rehab", "device"]}
# The names that rules use; a rule file must never have to know a dataset.
_FACT_NAMES = """
    残疾类别 残疾等级 农业户口 证件状态 证件有效期至 年龄 学龄 近一年康复服务 近一年托养服务
    就业意愿 就业状况 培训需求 无障碍需求 托养需求 低保 低保边缘 特困供养 集中供养 分散供养 孤儿保障
    近一年临时救助 死亡 在领生活补贴 在领护理补贴 在领两项补贴 补贴未停发 生活补贴近三月到账
    护理补贴近三月到账 医保参保 居民医保 资助参保 本年自付金额 养老参保 居民养老 养老代缴 领取养老待遇
    工伤护理费 在业 在读 义务教育在读 可资助学段在读 学生资助 家庭危房 家庭危房已竣工 无障碍改造已验收
    公租房保障 监测对象 有评定等级 家庭医生已签约
    死亡日期 低保满三月 低保停保 低保户人数 低保户持证人数 低保户其他人均老或残 低保户无健全成年人
    低保停保年月 边缘户人数 边缘户持证人数 边缘户其他人均老或残 边缘户无健全成年人 特困满三月
    生活补贴行数 护理补贴行数 领取补贴县数 补贴账户共用人数 生活补贴登记等级 生活补贴登记类别
    护理补贴登记等级 护理补贴登记类别 生活补贴登记标准 护理补贴登记标准 有生活补贴登记 有护理补贴登记
    生活补贴停发年月 护理补贴停发年月 学前高中在读 学前高中资助 小学初中在读 小学初中资助 小学初中学段
    送教上门 到校就读 送教未入籍 劳动能力 登记无劳动能力 登记有康复需求 登记有辅具需求 同监护人持证人数
    发证日期 近三年残联培训 盲人按摩已培训 近一年辅助性就业服务 近两年辅具适配 生活补贴最近到账月份
    护理补贴最近到账月份 补贴最近到账月份 生活补贴上月到账笔数 护理补贴上月到账笔数 到账账户共用人数
    有评定记录 评定等级 评定类别 首次评定日期 无障碍改造有记录 危房改造未完工 危房未列入改造
    公益性岗位在岗 辅助性就业在岗 失业或就业困难登记 近三年人社培训 领取任一养老金 职工养老在缴 职工医保
    医保资助标识 监测户人数 监测户持证人数 监测户其他人均老或残 在领同类护理补贴 同类护理补贴月额
"""
FACT_NAMES = set(_FACT_NAMES.split())


def spelling(text: str) -> str:
    """The least that any reader of cells makes alike: width, spaces, kinds of dashes, case."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    return re.sub("[‐‑‒–—―−─-]+", "-", plain).upper()


def code_of(spec: FieldSpec, text: str) -> str | None:
    return next((code for code, many in spec.codes.items() if text in many), None)


def understood(spec: FieldSpec, text: str) -> bool:
    if spec.type == "code":
        return code_of(spec, text) is not None
    if spec.type in ("year", "integer"):
        return text == "" or text.isdecimal()
    return spec.type == "text"


def conditions(dataset: Dataset) -> list[str]:
    return [*filter(None, [dataset.live]), *(fact.of for fact in dataset.facts.values())]


def test_there_is_a_file_for_every_dataset_and_no_other() -> None:
    assert list(DATASETS) == sorted(TABLE)
    assert len(TABLE) == 23


@pytest.mark.parametrize("key", TABLE)
def test_title_delivery_and_fields_are_those_of_the_export(key: str) -> None:
    dataset, seen = DATASETS[key], TABLE[key]
    assert dataset.title == seen["title"]
    assert dataset.delivery.by == seen["delivered"].removeprefix("per ")
    later = LATER_FIELDS.get(key, [])
    assert not set(later) & set(seen["fields"])
    assert list(dataset.fields) == [*seen["fields"], *later]
    assert not any(dataset.fields[name].required for name in later)


@pytest.mark.parametrize(("key", "field"), FIELDS)
def test_every_header_and_value_seen_is_understood(key: str, field: str) -> None:
    spec, seen = DATASETS[key].fields[field], TABLE[key]["fields"][field]
    assert spec.required == seen["required"]
    assert list(spec.headers[: len(seen["headers"])]) == seen["headers"]
    assert [value for value in seen["values"] if not understood(spec, value)] == []


@pytest.mark.parametrize("key", TABLE)
def test_no_header_of_one_field_reads_like_another_fields(key: str) -> None:
    owner: dict[str, str] = {}
    for name, spec in DATASETS[key].fields.items():
        for header in spec.headers:
            assert owner.setdefault(spelling(header), name) == name, header


@pytest.mark.parametrize(("key", "field"), CODED)
def test_spellings_of_two_codes_stay_apart_however_they_are_typed(key: str, field: str) -> None:
    owner: dict[str, str] = {}
    spec = DATASETS[key].fields[field]
    for code, many in spec.codes.items():
        assert code in many, "a canonical code is a spelling of itself"
        for text in many:
            assert owner.setdefault(spelling(text), code) == code, text


def test_every_empty_value_that_was_seen_in_a_code_list_says_something() -> None:
    empty = {
        (key, field): code_of(DATASETS[key].fields[field], "")
        for key, field in FIELDS
        if "" in TABLE[key]["fields"][field]["values"] and (key, field) in CODED
    }
    assert empty == {
        ("federation/register", "grel"): "无",
        ("medical_insurance/insured", "aid"): "无",
        ("hr_social_security/pension", "aidkind"): "无",
        ("housing/dangerous_housing", "state"): "未改造",
    }


@pytest.mark.parametrize(("key", "field"), CODED)
def test_an_empty_cell_means_a_code_only_where_empty_cells_were_seen(key: str, field: str) -> None:
    if code_of(DATASETS[key].fields[field], "") is not None:
        assert "" in TABLE[key]["fields"][field]["values"]


@pytest.mark.parametrize(("key", "field"), CODED)
def test_levels_are_numbers_and_nothing_else_is(key: str, field: str) -> None:
    spec = DATASETS[key].fields[field]
    assert spec.whole_number == all(code.isdecimal() for code in spec.codes)


@pytest.mark.parametrize(
    ("key", "field", "text", "code"),
    [
        ("federation/register", "level", "壹级", "1"),
        ("federation/register", "level", "03", "3"),
        ("federation/register", "level", "重度", None),  # one or two: not said
        ("federation/register", "cat", "肢体、智力", "多重"),
        ("federation/register", "cat", "孤独症", "精神"),
        ("federation/register", "hukou", "居民户口", None),  # neither farming nor not
        ("civil_affairs/dibao", "rel", "女/媳", "子女"),
        ("civil_affairs/dibao", "state", "暂停", "停保"),
        ("civil_affairs/two_subsidies", "kind", "1", "生活补贴"),
        ("civil_affairs/two_subsidies", "kind", "生活、护理", "生活补贴和护理补贴"),
        ("civil_affairs/two_subsidies", "kind", "两项补贴", None),  # which of the two?
        ("civil_affairs/two_subsidies", "state", "续发", "正常"),
        ("civil_affairs/two_subsidies", "state", "退回", "停发"),
        ("finance/payments", "item", "重残护理", "护理补贴"),
        ("finance/payments", "item", "耕地地力保护补贴", "其他"),
        ("finance/payments", "state", "退票", "失败"),
        ("medical_insurance/insured", "aid", "脱贫不稳定户", "监测对象"),
        ("hr_social_security/pension", "state", "正常待遇", "待遇领取"),
        ("hr_social_security/pension", "state", "正常", None),  # paying or being paid?
        ("hr_social_security/pension", "aidkind", "残二级", "其他残疾人"),  # there: levels three and four
        ("health/assessments", "level", "未评定", "9"),
        ("housing/dangerous_housing", "grade", "局部危险", "C"),
    ],
)
def test_spellings_of_other_places(key: str, field: str, text: str, code: str | None) -> None:
    assert code_of(DATASETS[key].fields[field], text) == code


def test_facts_have_the_agreed_names_each_in_one_dataset_and_a_phrase() -> None:
    names = [name for _, name in FACTS]
    assert len(names) == len(set(names))
    assert set(names) == FACT_NAMES
    assert all(DATASETS[key].facts[name].say for key, name in FACTS)


@pytest.mark.parametrize("key", TABLE)
def test_conditions_name_only_fields_words_and_codes_that_exist(key: str) -> None:
    dataset = DATASETS[key]
    for text in conditions(dataset):
        names = set(re.findall(r"[^\W\d]\w*", re.sub(r"'[^']*'", " ", text)))
        of_members = text.split("(")[0] in MEMBER_FORMS
        assert not of_members or (dataset.household and dataset.household.family), text
        known = LANGUAGE | DATE_WORDS | FORMS | (MEMBER_FORMS | MEMBER_WORDS if of_members else set())
        assert names - known <= dataset.fields.keys(), text
        literals = set()
        for name, values in _COMPARED.findall(text):
            compared, spec = set(re.findall(r"'([^']*)'", values)), dataset.fields[name]
            assert spec.type == "text" or compared <= spec.codes.keys(), text
            literals |= compared
        assert literals == set(re.findall(r"'([^']*)'", text)), text
        assert text.isascii() or not set(text) & set("，（）“”‘’＝＜＞"), text


def test_roles() -> None:
    by_role = {dataset.role: key for key, dataset in DATASETS.items() if dataset.role != "list"}
    assert by_role == {"register": "federation/register", "deaths": "civil_affairs/deaths"}
    rosters = [k for k, d in DATASETS.items() if d.household and d.household.family]
    assert rosters == [
        "civil_affairs/dibao",
        "civil_affairs/dibao_margin",
        "rural_revitalization/monitored",
    ]
    houses = {k for k, d in DATASETS.items() for fact in d.facts.values() if fact.of_household}
    assert houses == {"housing/dangerous_housing"}
    assert all(d.person.name for k, d in DATASETS.items() if k not in houses)


def test_the_registers_facts_are_attributes() -> None:
    """Who leaves a field blank is unknown, not `no`; only a number of other people is none where nobody else is meant."""
    facts = DATASETS["federation/register"].facts
    counted = {name for name, fact in facts.items() if fact.of.startswith("sharing(")}
    assert counted == {"同监护人持证人数"}
    assert {name for name, fact in facts.items() if fact.absent != "unknown"} == counted


@pytest.mark.parametrize(
    ("change", "line", "word"),
    [
        (("    required: true", "    requird: true"), 13, "requird"),
        (("headers: [死亡日期,", "headers: [姓名, 死亡日期,"), 0, "姓名"),
        (("person: {name: name,", "person: {name: nobody,"), 0, "nobody"),
        (("    type: date\n", "    type: code\n"), 0, "codes"),
    ],
)
def test_a_mistake_in_a_dataset_file_is_told_with_its_line(
    tmp_path: Path, change: tuple[str, str], line: int, word: str
) -> None:
    text = (SCHEMAS / "civil_affairs" / "deaths.yaml").read_text(encoding="utf-8")
    assert change[0] in text
    path = tmp_path / "deaths.yaml"
    path.write_text(text.replace(change[0], change[1], 1), encoding="utf-8")
    with pytest.raises(ReconcileError) as caught:
        load_dataset(path)
    problem = caught.value.problem
    assert problem.code == "E102"
    assert word in problem.line()
    if line:
        assert problem.row == text.split(change[0])[0].count("\n") + 1


def overview() -> list[str]:
    """The table of docs/datasets.md, as the files say it."""
    lines = [
        "| dataset | department | delivered | stale after | live rows | facts |",
        "|---|---|---|---|---|---|",
    ]
    for key, d in DATASETS.items():
        facts = " · ".join(d.facts)
        live = f"`{d.live}`" if d.live else "all"
        lines.append(
            f"| `{key}` {d.title} | {d.department} | {d.delivery.by} | {d.delivery.stale_after_days} days | {live} | {facts} |"
        )
    return lines


def test_the_overview_in_the_docs_is_what_the_files_say() -> None:
    text = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in text if line.startswith("|")] == overview()
