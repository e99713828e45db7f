"""The benefits and findings as files: complete and worked through by cases.

The cases are worked here by SQLite, which knows the same three-valued logic and shares no code with the engine.
"""

from __future__ import annotations

import calendar
import re
import sqlite3
from datetime import date
from pathlib import Path

import pytest

from pipeline.contracts.rule import (
    OUTCOMES,
    Case,
    Condition,
    Parameter,
    RegionValues,
    Rule,
    load_rules,
)

FOLDER = Path(__file__).parents[2] / "rules"
RULES = load_rules(FOLDER)
BENEFITS = [rule for rule in RULES.values() if rule.benefit]
FINDINGS = [rule for rule in RULES.values() if rule.finding]
CASES = [(rule, case) for rule in RULES.values() for case in rule.cases]
# The first fifteen and eight: offices quote these codes and keep cases under them, so none is ever renamed or dropped.
BENEFIT_CODES = [
    "living_subsidy",
    "nursing_subsidy",
    "single_person_dibao",
    "medical_insurance",
    "medical_premium_aid",
    "pension_enrolment",
    "pension_premium_aid",
    "pension_payment",
    "child_rehabilitation",
    "compulsory_education",
    "student_aid",
    "accessibility_renovation",
    "day_care",
    "family_doctor",
    "housing_renovation",
]
FINDING_CODES = [
    "certificate_expires_6_months",
    "certificate_expires_1_month",
    "certificate_expired",
    "certificate_not_issued",
    "payment_failed",
    "subsidy_with_tekun",
    "subsidy_without_valid_certificate",
    "subsidy_after_death",
]
OUTSIDE_REGISTER = {"certificate_not_issued", "subsidy_not_on_register"}
QUESTIONS = {"living_subsidy", "nursing_subsidy", "medical_premium_aid", "pension_premium_aid"}

Value = str | int | None
Verdicts = dict[str, bool | None]


# ---- the independent check: one condition at a time, by SQLite ----


def _months_on(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _value(text: str) -> Value:
    words: dict[str, Value] = {"yes": 1, "no": 0, "unknown": None}
    return words[text] if text in words else int(text) if re.fullmatch("[0-9]+", text) else text


def _parameter(parameter: Parameter, region: str, as_of: date, *, only_confirmed: bool = False) -> Value:
    own = [parameter.regions[region[:n]] for n in (6, 4, 2) if region[:n] in parameter.regions]
    tables: list[Parameter | RegionValues] = [*own, parameter]
    for table in tables:
        if held := [day for day in table.values if day <= as_of]:
            return None if only_confirmed and not table.confirmed else _value(table.values[max(held)])
    return None


def _date_words(day: date) -> dict[str, Value]:
    """Every date word of the language; months are stored as their first day, the school year turns on 31 August."""
    first = date(day.year, day.month, 1)
    august = date(day.year, 8, 31)
    words = {
        "本日": day,
        "本月初": first,
        "上月初": _months_on(first, -1),
        "三个月前": _months_on(first, -3),
        "六个月前": _months_on(day, -6),
        "一年前": _months_on(day, -12),
        "两年前": _months_on(day, -24),
        "三年前": _months_on(day, -36),
        "一个月后": _months_on(day, 1),
        "六个月后": _months_on(day, 6),
        "学年基准日": august if august <= day else date(day.year - 1, 8, 31),
    }
    return {word: at.isoformat() for word, at in words.items()} | {"本年": day.year}


def _known(rule: Rule, case: Case) -> dict[str, Value]:
    """What the case's expressions may see; a death list that says nothing counts as not dead."""
    strict = rule.only_confirmed and not case.confirmed
    parameters = {
        name: _parameter(p, case.region, case.as_of, only_confirmed=strict)
        for name, p in rule.parameters.items()
    }
    facts: dict[str, Value] = {"证件状态": "正常", "证件有效期至": "9999-12-31", "死亡": 0}
    facts |= {name: _value(text) for name, text in case.given.items()}
    return _date_words(case.as_of) | parameters | facts | {"死亡": facts["死亡"] or 0}


def _names(expression: str) -> list[str]:
    return sorted(set(re.findall("[\u4e00-\u9fff]+", re.sub("'[^']*'", "", expression))))


def _holds(expression: str, known: dict[str, Value]) -> bool | None:
    names = _names(expression)
    row = ", ".join(["0 as unused", *(f"? as {name}" for name in names)])
    connection = sqlite3.connect(":memory:")
    try:
        sql = f"select ({expression}) from (select {row})"
        answer = connection.execute(sql, [known.get(name) for name in names]).fetchone()[0]
    finally:
        connection.close()
    return None if answer is None else bool(answer)


def _verdicts(rule: Rule, case: Case) -> Verdicts:
    """True where the condition lets the person through: a `who` that holds, an `except` that does not."""
    known = _known(rule, case)
    passes = {condition.id: _holds(condition.when, known) for condition in rule.who}
    for condition in rule.excluded:
        holds = _holds(condition.when, known)
        passes[condition.id] = None if holds is None and not condition.certain else not holds
    return passes


def _worked(rule: Rule, case: Case) -> tuple[str, list[str]]:
    """The outcome and the ids that decide it."""
    verdicts = _verdicts(rule, case)
    failed = [name for name, passes in verdicts.items() if passes is False]
    unknown = [name for name, passes in verdicts.items() if passes is None]
    if rule.finding:
        outcome = "not_found" if failed else "undetermined" if unknown else "found"
        return outcome, failed or unknown
    known = _known(rule, case)
    without = bool(known["死亡"]) or known["证件状态"] not in ("正常", "过期")
    received = _holds(rule.received, known)
    if without or failed:
        return ("receiving_not_due" if rule.question_if_not_due and received else "not_due"), failed
    if unknown:
        return "undetermined", unknown
    if known["证件状态"] == "过期" or str(known["证件有效期至"]) < case.as_of.isoformat():
        return "renew_first", []
    if received is None:
        return "undetermined", ["received"]
    return ("receiving" if received else "missing"), []


# ---- the files ----


def test_the_first_benefits_and_findings_keep_their_codes() -> None:
    assert set(BENEFIT_CODES) <= {rule.code for rule in BENEFITS}
    assert set(FINDING_CODES) <= {rule.code for rule in FINDINGS}


def test_the_files_are_the_rules_and_no_other_file_lies_between_them() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.*")) == sorted(rule.code for rule in BENEFITS)
    assert sorted(path.stem for path in FOLDER.glob("findings/*")) == sorted(rule.code for rule in FINDINGS)


@pytest.mark.parametrize(("rule", "case"), CASES, ids=[f"{rule.code}: {case.name}" for rule, case in CASES])
def test_every_case_holds(rule: Rule, case: Case) -> None:
    assert _worked(rule, case) == (case.expect, list(case.because))


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_every_condition_has_a_case_where_it_alone_decides_and_one_where_it_is_unknown(rule: Rule) -> None:
    for condition in (*rule.who, *rule.excluded):
        if condition.when == "true":  # 基本医保：人人都应参保
            continue
        assert any(_alone(rule, case, condition, decided=False) for case in rule.cases), condition.id
        if condition.certain:  # where it is unknown it does not hold: some case says that nothing changes
            assert any(_unknown_and_passed(rule, case, condition) for case in rule.cases), condition.id
        elif condition.id != "死亡":  # no death list counts as not dead, so that it is never unknown
            assert any(_alone(rule, case, condition, decided=None) for case in rule.cases), condition.id


def _unknown_and_passed(rule: Rule, case: Case, condition: Condition) -> bool:
    """Only this condition is unknown, and the case is answered all the same."""
    unknown = _holds(condition.when, _known(rule, case)) is None
    return unknown and all(_verdicts(rule, case).values()) and case.expect != "undetermined"


def _alone(rule: Rule, case: Case, condition: Condition, *, decided: bool | None) -> bool:
    """The case names this condition only, and every other one lets the person through."""
    verdicts = _verdicts(rule, case)
    mine = verdicts.pop(condition.id)
    return case.because == (condition.id,) and mine is decided and all(verdicts.values())


@pytest.mark.parametrize("rule", BENEFITS, ids=[rule.code for rule in BENEFITS])
def test_a_benefit_has_a_case_for_every_outcome(rule: Rule) -> None:
    expected = {case.expect for case in rule.cases}
    assert expected >= {"missing", "receiving", "undetermined", "not_due", "renew_first"}
    assert expected <= set(OUTCOMES)
    assert ("receiving_not_due" in expected) == rule.question_if_not_due == (rule.code in QUESTIONS)
    assert any(case.because == ("received",) for case in rule.cases)


@pytest.mark.parametrize("rule", FINDINGS, ids=[rule.code for rule in FINDINGS])
def test_a_finding_has_a_case_for_every_answer(rule: Rule) -> None:
    assert {case.expect for case in rule.cases} == {"found", "not_found", "undetermined"}
    assert (rule.subject == "outside_register") == bool(rule.list) == (rule.code in OUTSIDE_REGISTER)


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_says_its_law_its_limits_and_cites_every_regional_override(rule: Rule) -> None:
    assert rule.law
    assert rule.pairs
    assert rule.not_checked
    assert len({case.name for case in rule.cases}) == len(rule.cases)
    used = " ".join([c.when for c in (*rule.who, *rule.excluded)] + [str(rule.amount)])
    for name, parameter in rule.parameters.items():
        assert name in used, f"{name} 没有用到"
        assert all(region.law for region in parameter.regions.values()), name


@pytest.mark.parametrize(
    ("code", "region", "as_of", "parameter", "value"),
    [
        ("living_subsidy", "533401", date(2025, 12, 31), "生活补贴标准", 90),
        ("living_subsidy", "533401", date(2026, 1, 1), "生活补贴标准", 100),
        ("living_subsidy", "361102", date(2024, 12, 31), "生活补贴标准", 100),
        ("living_subsidy", "361102", date(2025, 1, 1), "生活补贴标准", 110),
        ("living_subsidy", "513322", date(2026, 10, 31), "生活补贴标准", 100),
        ("nursing_subsidy", "533401", date(2025, 12, 31), "一级护理补贴标准", 100),
        ("nursing_subsidy", "533401", date(2026, 1, 1), "一级护理补贴标准", 110),
        ("nursing_subsidy", "533401", date(2025, 12, 31), "二级护理补贴标准", 90),
        ("nursing_subsidy", "533401", date(2026, 1, 1), "二级护理补贴标准", 100),
        ("nursing_subsidy", "513322", date(2026, 10, 31), "一级护理补贴标准", 110),
        ("nursing_subsidy", "513322", date(2026, 10, 31), "二级护理补贴标准", 80),
        ("nursing_subsidy", "110101", date(2026, 10, 31), "一级护理补贴标准", None),
        ("nursing_subsidy", "513322", date(2026, 10, 31), "智力精神扩大到", 3),
        ("nursing_subsidy", "361102", date(2026, 10, 31), "智力精神扩大到", 4),
        ("nursing_subsidy", "533401", date(2026, 10, 31), "智力精神扩大到", 2),
        ("medical_premium_aid", "533401", date(2026, 10, 31), "重度残疾人纳入资助", 0),
        ("medical_premium_aid", "513322", date(2026, 10, 31), "重度残疾人纳入资助", 1),
    ],
)
def test_parameters_by_region_and_date(
    code: str, region: str, as_of: date, parameter: str, value: Value
) -> None:
    assert _parameter(RULES[code].parameters[parameter], region, as_of) == value


@pytest.mark.parametrize("rule", [r for r in RULES.values() if r.only_confirmed], ids=lambda rule: rule.code)
def test_where_only_confirmed_values_count_nothing_is_asked_until_somebody_confirmed(rule: Rule) -> None:
    """Every case that is found says `confirmed`; without it the same person is undetermined."""
    found = [case for case in rule.cases if case.expect == "found"]
    assert found
    assert any(_worked(rule, case)[0] == "undetermined" for case in rule.cases if not case.confirmed)
    for case in found:
        assert case.confirmed
        assert _worked(rule, case.model_copy(update={"confirmed": False}))[0] == "undetermined"
