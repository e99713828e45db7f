"""docs/coverage-of-policy.md is true of the rules: every code, strength, pair and worked case, and no row missing."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from typer.main import get_command

from pipeline.cli import app
from pipeline.contracts import tables
from pipeline.contracts.register_findings import REGISTER_FINDINGS
from pipeline.contracts.rule import OUTCOMES, Rule, load_rules

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs/coverage-of-policy.md").read_text(encoding="utf-8")
RULES = load_rules(ROOT / "rules")
QUOTED = re.findall(r"`([^`\n]+)`", TEXT)
CODE = re.compile(r"[a-z]+(?:_[a-z0-9]+)+")  # every code of a rule, finding or outcome has an underscore
PAIRS = tuple(f"P{number}" for number in range(9))


def part(number: int) -> str:
    """The text of one numbered part."""
    return re.split(r"^## ", TEXT, flags=re.M)[number].partition("\n")[2]


def rows(number: int) -> list[list[str]]:
    """The cells of a part's table rows, without heads and rules."""
    lines = [line for line in part(number).splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[0].strip() not in ("#", "pair", "where", "duty (where)", "short")]


def codes(text: str) -> list[str]:
    return [code for code in re.findall(r"`([^`\n]+)`", text) if CODE.fullmatch(code)]


def test_the_parts_are_numbered_as_they_are_read() -> None:
    assert re.findall(r"^## (\d)\. ", TEXT, re.M) == [str(number) for number in range(1, 9)]


@pytest.mark.parametrize("code", RULES)
def test_every_rule_and_finding_is_named(code: str) -> None:
    assert f"`{code}`" in TEXT


def test_every_code_that_is_named_exists() -> None:
    keys = {field.alias or name for name, field in Rule.model_fields.items()}
    known = {*RULES, *REGISTER_FINDINGS, *OUTCOMES, *keys}
    assert {code for code in QUOTED if CODE.fullmatch(code)} - known == set()


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_has_exactly_the_rules_that_say_so(pair: str) -> None:
    (row,) = [row for row in rows(2) if row[0] == pair]
    assert Counter(codes(row[2])) == Counter(c for c, r in RULES.items() if pair in r.pairs and r.benefit)
    assert Counter(codes(row[3])) == Counter(c for c, r in RULES.items() if pair in r.pairs and r.finding)


def test_the_thirty_nine_entitlements_stand_in_order() -> None:
    assert [row[0] for row in rows(5)] == [str(number) for number in range(1, 40)]


def test_every_benefit_stands_once_with_its_strength() -> None:
    said = Counter(re.findall(r"`([a-z0-9_]+)` \((entitlement|quota|lead)\)", part(5)))
    assert said == Counter((code, rule.strength) for code, rule in RULES.items() if rule.benefit)


def test_an_entitlement_without_a_code_says_none() -> None:
    for row in rows(5):
        assert codes(row[2]) or row[2].startswith("none"), row[0]


def test_the_twelve_opposite_checks_stand_in_order() -> None:
    assert [row[0] for row in rows(6)] == [str(number) for number in range(1, 13)]
    for row in rows(6):
        assert codes(row[2]) or row[2].startswith("none"), row[0]


def test_the_worked_cases_are_in_the_rule_files() -> None:
    assert [row[0] for row in rows(7)] == [str(number) for number in range(1, 18)]
    named = re.findall(r"`([a-z0-9_]+)`((?: 「[^」]+」)+)", part(7))
    assert len(named) > 20
    for code, names in named:
        there = {case.name for case in RULES[code].cases}
        assert {*re.findall(r"「([^」]+)」", names)} <= there, code


def test_every_item_of_the_implementing_opinion_has_a_row() -> None:
    said = {mark for row in rows(4) for mark in re.findall(r"^（([一二三四五六七八九十]+)）", row[0])}
    assert said == {*"一二三四五六七八九十", "十一", "十二", "十三", "十四"}
    assert {row[0][:1] for row in rows(4)} > {"四", "总"}


def test_no_row_is_left_without_an_answer() -> None:
    widths = {2: 4, 3: 2, 4: 3, 5: 4, 6: 4, 7: 4, 8: 3}
    for number, width in widths.items():
        for row in rows(number):
            assert [bool(cell) for cell in row] == [True] * width, (number, row)


def test_the_datasets_that_are_named_exist() -> None:
    for name in (
        name for name in QUOTED if re.fullmatch(r"[a-z_]+/[a-z_]+", name) and name != "pipeline/identity"
    ):
        assert (ROOT / "schemas" / f"{name}.yaml").is_file(), name


def test_the_commands_that_are_named_exist() -> None:
    for said in (name.split() for name in QUOTED if name.startswith("reconcile ")):
        command = get_command(app)
        for word in (word for word in said[1:] if not word.startswith("-")):
            inner = getattr(command, "commands", {})
            assert word in inner, " ".join(said)
            command = inner[word]


def test_no_path_of_a_machine_is_named() -> None:
    assert re.findall(r"(?<![\w.>])/(?:work|home|root|tmp)\b", TEXT) == []


@pytest.mark.parametrize(
    "name", ["疑点清单", "项目类（排队）", "线索（走访参考）", "入户核实要点", "走访名单", "needs.csv"]
)
def test_the_sheets_and_files_that_are_named_are_written(name: str) -> None:
    assert name in TEXT
    assert any(name in path.read_text("utf-8") for path in (ROOT / "pipeline").rglob("*.py"))


@pytest.mark.parametrize("table", re.findall(r"results/([a-z]+)\.parquet", TEXT))
def test_the_result_tables_that_are_named_have_a_contract(table: str) -> None:
    assert hasattr(tables, table.upper())
