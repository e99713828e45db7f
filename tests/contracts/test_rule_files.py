"""The 15 benefits and 8 findings as files: complete, worked through by cases, and refused when they are miswritten.

The cases are worked here by SQLite, which knows the same three-valued logic and shares no code with the engine.
"""

from __future__ import annotations

import calendar
import re
import sqlite3
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.rule import OUTCOMES, Case, Condition, Parameter, Rule, load_rule, load_rules

FOLDER = Path(__file__).parents[2] / "rules"
RULES = load_rules(FOLDER)
BENEFITS = [rule for rule in RULES.values() if rule.benefit]
FINDINGS = [rule for rule in RULES.values() if rule.finding]
CASES = [(rule, case) for rule in RULES.values() for case in rule.cases]
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


def _parameter(parameter: Parameter, region: str, as_of: date) -> Value:
    own = [parameter.regions[region[:n]].values for n in (6, 4, 2) if region[:n] in parameter.regions]
    for values in (*own, parameter.values):
        if held := [day for day in values if day <= as_of]:
            return _value(values[max(held)])
    return None


def _known(rule: Rule, case: Case) -> dict[str, Value]:
    """What the case's expressions may see; a death list that says nothing counts as not dead."""
    words: dict[str, Value] = {
        "本日": case.as_of.isoformat(),
        "一个月后": _months_on(case.as_of, 1).isoformat(),
        "六个月后": _months_on(case.as_of, 6).isoformat(),
    }
    parameters = {name: _parameter(p, case.region, case.as_of) for name, p in rule.parameters.items()}
    facts: dict[str, Value] = {"证件状态": "正常", "证件有效期至": "9999-12-31", "死亡": 0}
    facts |= {name: _value(text) for name, text in case.given.items()}
    return words | parameters | facts | {"死亡": facts["死亡"] or 0}


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
        passes[condition.id] = None if holds is None else not holds
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


def test_exactly_the_benefits_and_findings_of_the_specification() -> None:
    assert sorted(rule.code for rule in BENEFITS) == sorted(BENEFIT_CODES)
    assert sorted(rule.code for rule in FINDINGS) == sorted(FINDING_CODES)


@pytest.mark.parametrize(("rule", "case"), CASES, ids=[f"{rule.code}: {case.name}" for rule, case in CASES])
def test_every_case_holds(rule: Rule, case: Case) -> None:
    assert _worked(rule, case) == (case.expect, list(case.because))


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_every_condition_has_a_case_where_it_alone_decides_and_one_where_it_is_unknown(rule: Rule) -> None:
    for condition in (*rule.who, *rule.excluded):
        if condition.when == "true":  # 基本医保：人人都应参保
            continue
        assert any(_alone(rule, case, condition, decided=False) for case in rule.cases), condition.id
        if condition.id != "死亡":  # no death list counts as not dead, so that it is never unknown
            assert any(_alone(rule, case, condition, decided=None) for case in rule.cases), condition.id


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
    assert not rule.needs_valid_certificate
    assert (rule.subject == "outside_register") == bool(rule.list) == (rule.code == "certificate_not_issued")


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_says_its_law_its_limits_and_cites_every_regional_override(rule: Rule) -> None:
    assert rule.law
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


# ---- miswritten files ----

NURSING = (FOLDER / "nursing_subsidy.yaml").read_text(encoding="utf-8")


def _line(text: str) -> int:
    return NURSING[: NURSING.index(text)].count("\n") + 1


def _refusal(text: str, folder: Path, name: str = "nursing_subsidy.yaml") -> tuple[str, int]:
    """Code and line of the refusal."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReconcileError) as caught:
        load_rule(path)
    assert caught.value.exit_code == 1
    assert caught.value.problem.cure
    return caught.value.problem.code, caught.value.problem.row


@pytest.mark.parametrize(
    ("found", "replaced", "code", "row"),
    [
        ("title: 重度", "title: 甲\ntitle: 重度", "E101", 3),
        ("owner: 民政", "\towner: 民政", "E101", 3),
        ("owner: 民政", "ower: 民政", "E301", 3),
        ("owner: 民政", "owner: 民政\nremark: 说明", "E301", 4),
        ("    say: 残疾等级为", "    sayy: 甲\n    say: 残疾等级为", "E301", 11),
        ("since: 2016-01-01", "since: 2016-13-01", "E301", 5),
        ("urgency: 2", "urgency: 0", "E301", 6),
        ("urgency: 2", "strength: maybe", "E301", 6),
        ("question_if_not_due: true", "question_if_not_due: 有时", "E301", 7),
        ("received: 在领护理补贴\n", "", "E301", 1),
        ("per: month", "per: week", "E301", None),
        ("    expect: missing", "    expects: missing", "E301", None),
        ('      "36":', "      330:", "E301", None),
        ('      "36":', "      ５３:", "E301", None),
        ('      "36":', "      江西:", "E301", None),
        ('      "36":', "      0512:", "E301", _line('      "36":')),
        ('      "36":', '      "51":', "E101", None),
        ("- id: 工伤", "- id: 特困", "E301", _line("- id: 工伤")),
        ("benefit: nursing_subsidy", "benefit: nursing", "E302", 1),
        ("benefit: nursing_subsidy", "benefit: nursing_subsidy\nfinding: nursing_subsidy", "E301", 2),
    ],
)
def test_a_miswritten_rule_is_refused(
    found: str, replaced: str, code: str, row: int | None, tmp_path: Path
) -> None:
    assert found in NURSING
    got = _refusal(NURSING.replace(found, replaced, 1), tmp_path)
    assert got == (code, row) if row is not None else (got[0] == code and got[1] > 0)


def test_an_unquoted_region_stays_text_and_never_becomes_a_number(tmp_path: Path) -> None:
    """YAML's own typing would make a number of it; here every scalar is text, quoted or not."""
    path = tmp_path / "nursing_subsidy.yaml"
    path.write_text(NURSING.replace('"36":', "3611:"), encoding="utf-8")
    assert set(load_rule(path).parameters["智力精神扩大到"].regions) == {"3611", "51"}


@settings(max_examples=40, derandomize=True, deadline=None)
@given(path=st.sampled_from(sorted(FOLDER.glob("**/*.yaml"))), data=st.data())
def test_any_key_given_twice_or_misspelt_is_refused(
    tmp_path_factory: pytest.TempPathFactory, path: Path, data: st.DataObject
) -> None:
    text = path.read_text(encoding="utf-8")
    key = data.draw(st.sampled_from(re.findall("^([a-z_]+):", text, flags=re.MULTILINE)))
    folder = tmp_path_factory.mktemp("rules")
    assert _refusal(f"{text}\n{key}: 甲\n", folder, path.name)[0] == "E101"
    misspelt = re.sub(f"^{key}:", f"{key}x:", text, count=1, flags=re.MULTILINE)
    assert _refusal(misspelt, folder, path.name)[0] == "E301"
