"""`rules show`: everything a lawyer asks of a rule stands on the page, in words, the values of the right day."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from desk_files import ROOT
from typer.testing import CliRunner

from pipeline.cli_rules import rules_app
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.rule import load_rule, load_rules
from pipeline.desk.check_rules import rule_files
from pipeline.desk.rule_page import rule_page
from pipeline.desk.rule_words import answer_words, region_words, value_words
from pipeline.desk.show_rule import page_text, show_rule
from pipeline.desk.yaml_text import screen_width

RULES, SCHEMAS = ROOT / "rules", ROOT / "schemas"
DAY = date(2026, 10, 31)

RULE = """benefit: made_up
title: 试验补贴
owner: 民政
law: 试发〔2020〕1号（待核）
since: 2020-01-01
until: 2027-12-31
strength: quota
who:
  - id: 重度
    say: 残疾等级在规定的级别以内
    when: 残疾等级 <= 级别上限
except:
  - id: 特困
    say: 已纳入特困人员供养
    when: 特困供养
    law: 特困办法第五条
received: 在领护理补贴
amount: {per: month, value: {残疾等级: {1: 一级标准, 2: 二级标准}}}
parameters:
  级别上限: {unit: 级, values: {2020-01-01: 2}}
  一级标准:
    unit: 元/月
    values: {2020-01-01: 70}
    regions:
      "53": {values: {2021-01-01: 80, 2026-01-01: 110}, law: 云试发〔2026〕2号}
      "5334": {values: {2027-01-01: 150}, law: 迪试发〔2027〕1号}
  二级标准: {unit: 元/月, values: {}, regions: {"51": {values: {2022-01-01: 60}, law: 川试发〔2022〕3号, confirmed: yes}}}
not_checked: [是否本人领取，由乡镇核实。]
cases:
  - name: 三级的不在范围内
    region: "533401"
    as_of: 2026-03-31
    given: {残疾等级: 3, 特困供养: no}
    expect: not_due
    because: [重度]
"""


def the_page(tmp_path: Path, day: date = DAY, text: str = RULE) -> str:
    (tmp_path / "made_up.yaml").write_text(text, encoding="utf-8")
    return show_rule(tmp_path, SCHEMAS, "made_up", day)


@pytest.mark.parametrize(
    "said",
    [
        "试验补贴（made_up）",
        "主管    民政",
        "性质    名额：按名额安排，没有轮到是在排队，不是差错",
        "依据    试发〔2020〕1号（待核）",
        "期间    2020年1月1日至2027年12月31日",
        "1 处写明“待核”",
        "0. 持有有效的残疾人证",
        "1. 残疾等级在规定的级别以内。〔重度〕",
        "1. 已纳入特困人员供养。（依据：特困办法第五条）〔特困〕",
        "看到“在领护理补贴（正常发放的重度残疾人护理补贴）”就算已经享受",
        "每月，按残疾等级分档",
        "全国  残疾等级 1：70元/月；残疾等级 2：未知",
        "云南省（53）  残疾等级 1：110元/月；残疾等级 2：未知",
        "四川省（51）  残疾等级 1：70元/月；残疾等级 2：60元/月",
        "依据：川试发〔2022〕3号（已核）",
        "· 是否本人领取，由乡镇核实。",
        "残疾等级  ←  残联《持证残疾人名册》  名册上没有写明：未知",
        "特困供养  ←  民政《特困人员救助供养名册》",
        "死亡  ←  民政《死亡人员信息》  没有死亡名单：按未死亡处理",
        "三级的不在范围内。〔香格里拉市（533401），2026年3月31日〕",
        "残疾等级 3，特困供养 否；其余未知",
        "→ 不享受（因为：重度）",
    ],
)
def test_the_page_says(said: str, tmp_path: Path) -> None:
    lines = the_page(tmp_path).splitlines()
    assert re.sub(r"\s", "", said) in re.sub(r"\s", "", "".join(lines))


def test_a_value_counts_from_its_day_on(tmp_path: Path) -> None:
    before, after = the_page(tmp_path, date(2026, 12, 31)), the_page(tmp_path, date(2027, 1, 1))
    assert "迪庆藏族自治州（5334）  残疾等级 1：110元/月" in before
    assert "迪庆藏族自治州（5334）  残疾等级 1：150元/月" in after
    marked = [line.split() for line in before.splitlines() if line.startswith("    * 云南")]
    assert marked == [["*", "云南省（53）", "2026-01-01", "110元/月"]]


def test_a_rule_without_standards_says_that_the_amount_is_not_known(tmp_path: Path) -> None:
    text = RULE.replace("values: {2020-01-01: 70}\n", "values: {}\n")
    assert "该日各地都没有写明标准，金额不明" in the_page(tmp_path, date(2020, 6, 30), text)


@pytest.mark.parametrize("path", rule_files(RULES), ids=lambda path: path.stem)
def test_every_shipped_rule_has_its_page(path: Path) -> None:
    rule = load_rule(path)
    from pipeline.contracts.dataset import load_datasets
    from pipeline.entitlement import declared_facts

    text = page_text(rule_page(rule, declared_facts(load_datasets(SCHEMAS)), DAY))
    joined = re.sub(r"\s", "", text)
    for condition in (*rule.who, *rule.excluded):
        assert re.sub(r"\s", "", condition.say) in joined
    for case in rule.cases:
        assert re.sub(r"\s", "", case.name) in joined
    for parameter in rule.parameters.values():
        assert all(region_words(prefix) in text for prefix in parameter.regions)
    assert max(map(screen_width, text.splitlines())) <= 130
    assert "None" not in text


def test_the_html_page_stands_alone_and_tells_the_same(tmp_path: Path) -> None:
    out = tmp_path / "page" / "rule.html"
    said = show_rule(RULES, SCHEMAS, "nursing_subsidy", DAY, out)
    assert str(out) in said
    html = out.read_text(encoding="utf-8")
    rule = load_rules(RULES)["nursing_subsidy"]
    assert all(case.name in html for case in rule.cases)
    assert all(words in html for words in rule.not_checked)
    assert "<mark>待核</mark>" in html
    assert not re.search(r"<script|<link|https?://|src=", html)


def test_what_stands_in_a_rule_is_never_markup(tmp_path: Path) -> None:
    (tmp_path / "made_up.yaml").write_text(RULE.replace("试验补贴", "<b>试验</b>"), encoding="utf-8")
    show_rule(tmp_path, SCHEMAS, "made_up", DAY, tmp_path / "x.html")
    html = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "<b>试验" not in html
    assert "&lt;b&gt;试验" in html


def test_a_rule_is_found_by_title_and_an_unknown_one_names_the_nearest() -> None:
    assert show_rule(RULES, SCHEMAS, "重度残疾人护理补贴", DAY).startswith(
        "重度残疾人护理补贴（nursing_subsidy）"
    )
    with pytest.raises(ReconcileError) as caught:
        show_rule(RULES, SCHEMAS, "nursing_subsidi", DAY)
    assert caught.value.problem.code == "E314"
    assert "nursing_subsidy" in caught.value.problem.cure


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("", "全国"),
        ("53", "云南省（53）"),
        ("530000", "云南省（530000）"),
        ("5334", "迪庆藏族自治州（5334）"),
        ("533400", "迪庆藏族自治州（533400）"),
        ("533401", "香格里拉市（533401）"),
        ("539901", "示例市（539901）"),
        ("999999", "999999"),
        ("99", "99"),
    ],
)
def test_regions_in_words(prefix: str, words: str) -> None:
    assert region_words(prefix) == words


def test_values_and_answers_in_words() -> None:
    assert [value_words(v, u) for v, u in (("yes", "是否"), ("110", "元/月"), (None, "元/月"))] == [
        "是",
        "110元/月",
        "未知",
    ]
    case = load_rules(RULES)["living_subsidy"].cases[-1]
    assert answer_words(case) == "不能判断（未知的是：是否已享受）"


def test_the_command_shows_and_refuses_a_bad_date() -> None:
    shown = CliRunner().invoke(rules_app, ["show", "day_care", "--as-of", "2026-10-31"])
    assert shown.exit_code == 0
    assert "托养照护（day_care）" in shown.stdout
    assert CliRunner().invoke(rules_app, ["show", "day_care", "--as-of", "2026-13-01"]).exit_code == 1
