"""Rules' own cases: unknown facts, wrong values, and the same answers one by one as all at once."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.rule import Case, Rule, load_rules
from pipeline.entitlement import declared_facts, run_cases
from pipeline.entitlement.cases import CaseResult, fact_literal, run_rule_cases

ROOT = Path(__file__).parents[2]
FACTS = declared_facts(load_datasets(ROOT / "schemas"))
RULES = load_rules(ROOT / "rules")
NURSING = RULES["nursing_subsidy"]
DUE = {"残疾等级": "1", "特困供养": "no", "工伤护理费": "no", "在领护理补贴": "no"}


def run(rule: Rule, **given: str) -> CaseResult:
    case = Case(name="甲", given={**DUE, **given}, expect="missing")
    return run_rule_cases(duckdb.connect(), rule.model_copy(update={"cases": (case,)}), FACTS)[0]


def test_all_cases_at_once_are_answered_as_one_by_one() -> None:
    together = run_cases(RULES, FACTS)
    con = duckdb.connect()
    alone = [
        run_rule_cases(con, rule.model_copy(update={"cases": (case,)}), FACTS)[0]
        for rule in (NURSING, RULES["certificate_expires_1_month"])
        for case in rule.cases
    ]
    chosen = [r for r in together if r.rule in ("nursing_subsidy", "certificate_expires_1_month")]
    assert sorted(map(repr, alone)) == sorted(map(repr, chosen))
    assert [r.case for r in together] == [case for rule in RULES.values() for case in rule.cases]
    assert all(result.passed for result in together)


@pytest.mark.parametrize("word", ["unknown", "未知"])
def test_a_fact_may_be_given_as_unknown(word: str) -> None:
    assert run(NURSING).outcome == "missing"
    assert (run(NURSING, 特困供养=word).outcome, run(NURSING, 特困供养=word).because) == (
        "undetermined",
        ("特困",),
    )
    assert run(NURSING, 证件有效期至=word).outcome == "undetermined"
    assert run(NURSING, 死亡=word).outcome == "missing"  # a missing death list counts as not dead


def test_an_expired_certificate_of_unknown_state_is_no_answer() -> None:
    """Whether it is to be renewed or was cancelled is not known: nothing may be said of what is received."""
    result = run(NURSING, 证件状态="unknown", 证件有效期至="2026-01-31", 在领护理补贴="yes")
    assert result.outcome == "undetermined"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("残疾等级", "一级"),
        ("残疾等级", "1.5"),
        ("残疾等级", "１"),
        ("特困供养", "true"),
        ("特困供养", "1"),
        ("证件有效期至", "2026年1月31日"),
        ("证件有效期至", "2026-02-30"),
        ("证件有效期至", "20260131"),
    ],
)
def test_a_value_of_another_kind_is_refused_before_it_reaches_the_database(name: str, value: str) -> None:
    with pytest.raises(ReconcileError) as caught:
        run(NURSING, **{name: value})
    assert caught.value.problem.code == "E307"


def test_text_values_are_quoted() -> None:
    assert fact_literal(FACTS["残疾类别"], "a'b") == "cast('a''b' as VARCHAR)"


def test_a_fact_nobody_declares_is_refused() -> None:
    with pytest.raises(ReconcileError) as caught:
        run(NURSING, 没有这个="yes")
    assert caught.value.problem.code == "E308"


def test_reasons_are_compared_only_where_the_case_names_them() -> None:
    result = run(NURSING, 特困供养="yes")
    assert result.because == ("特困",)
    for because, passed in (((), True), (("特困",), True), (("工伤",), False), (("特困", "工伤"), False)):
        case = result.case.model_copy(update={"expect": "not_due", "because": because})
        assert CaseResult(result.rule, case, result.outcome, result.because).passed is passed
