"""`rules new`: a draft that can be read, says what is missing line by line, and never overwrites."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from desk_files import ROOT

from pipeline import desk
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.rule import load_rule
from pipeline.desk.json_schema import write_json_schemas
from pipeline.desk.new_rule import new_rule

SCHEMAS = ROOT / "schemas"
DAY = date(2026, 10, 31)


@pytest.mark.parametrize("finding", [False, True])
def test_the_draft_can_be_read_and_the_check_tells_what_to_fill_in(finding: bool, tmp_path: Path) -> None:
    said = new_rule(tmp_path, SCHEMAS, "transport_subsidy", "交通补贴", "残联", DAY, finding=finding)
    path = tmp_path / ("findings" if finding else "") / "transport_subsidy.yaml"
    assert str(path) in said
    rule = load_rule(path)
    assert (rule.code, rule.title, rule.owner, rule.since) == ("transport_subsidy", "交通补贴", "残联", DAY)
    assert bool(rule.finding) is finding
    lines, failed = desk.check_rules(tmp_path, SCHEMAS)
    assert failed
    text = path.read_text(encoding="utf-8").splitlines()
    for line in lines[:-1]:
        if not line.startswith("提醒"):
            assert "请" in text[int(line.split("第")[1].split("行")[0]) - 1], line


def test_a_draft_filled_in_passes_the_check_and_its_cases(tmp_path: Path) -> None:
    new_rule(tmp_path, SCHEMAS, "transport_subsidy", "交通补贴", "残联", DAY)
    path = tmp_path / "transport_subsidy.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("when: 请写条件  #", "when: 残疾等级 <= 2  #").replace(
        "received: 请写事实名", "received: 在领护理补贴"
    )
    text = text.replace("given: {请写事实名: no}", "given: {残疾等级: 1, 在领护理补贴: no}")
    path.write_text(text, encoding="utf-8")
    assert not desk.check_rules(tmp_path, SCHEMAS)[1]
    assert not desk.test_rules(tmp_path, SCHEMAS)[1]


@pytest.mark.parametrize("where", ["", "findings"])
def test_an_existing_rule_is_never_overwritten(where: str, tmp_path: Path) -> None:
    path = tmp_path / where / "transport_subsidy.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(ReconcileError) as caught:
        new_rule(tmp_path, SCHEMAS, "transport_subsidy", "交通补贴", "残联", DAY)
    assert caught.value.problem.code == "E315"
    assert [p.read_text(encoding="utf-8") for p in tmp_path.rglob("*.yaml")] == ["mine"]


@pytest.mark.parametrize("code", ["", "Transport", "交通", "a-b", "../a", "a/b", "1a", "a__b", "a_", "a b"])
def test_a_bad_code_is_refused(code: str, tmp_path: Path) -> None:
    with pytest.raises(ReconcileError) as caught:
        new_rule(tmp_path, SCHEMAS, code, "交通补贴", "残联", DAY)
    assert caught.value.problem.code == "E316"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("title", "owner", "cure"),
    [(" ", "残联", "中文名称"), ("甲\n乙", "残联", "一行"), ("甲", "民政局", "民政")],
)
def test_a_bad_title_or_owner_is_refused(title: str, owner: str, cure: str, tmp_path: Path) -> None:
    with pytest.raises(ReconcileError) as caught:
        new_rule(tmp_path, SCHEMAS, "a", title, owner, DAY)
    assert caught.value.problem.code == "E316"
    assert cure in caught.value.problem.cure


@pytest.mark.parametrize("title", ["是: 否", "#1", "'", '"双引号"', "yes", "- 甲", "{甲}"])
def test_any_title_is_written_so_that_it_is_read_back(title: str, tmp_path: Path) -> None:
    new_rule(tmp_path, SCHEMAS, "a", title, "残联", DAY)
    assert load_rule(tmp_path / "a.yaml").title == title


def test_the_editors_line_stands_where_its_schema_is(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    new_rule(rules, SCHEMAS, "without", "甲", "残联", DAY)
    assert "$schema" not in (rules / "without.yaml").read_text(encoding="utf-8")
    write_json_schemas(SCHEMAS, tmp_path / "editor")
    for finding in (False, True):
        new_rule(rules, SCHEMAS, f"with_{str(finding).lower()}", "甲", "残联", DAY, finding=finding)
    for path in rules.rglob("with_*.yaml"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema=")
        assert (path.parent / first.split("=")[1]).is_file()
