"""A second engine works every rule out again: polars for the conditions, plain Python for the outcomes.

The conditions are the rules' own expression strings run as `pl.sql_expr` (Kleene, as DuckDB); `due`, `standing` and the
outcome are written here anew from the entitlement specification. They must agree with the night's SQL on every verdict
of thousands of random people, unknowns in every fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import reduce
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_people import COUNTIES, FACTS, RULES, random_people

from pipeline.contracts.rule import Rule
from pipeline.entitlement import build_parameters
from pipeline.entitlement.compile import CompiledRule, compile_rule, outcome_sql, verdict_sql
from pipeline.entitlement.dates import add_months
from pipeline.entitlement.expression import half_width

DAYS = [date(2026, 10, 31), date(2024, 2, 29), date(2017, 12, 31)]
STATES = list(FACTS["证件状态"].dataset.fields["state"].codes)
OWN = ("证件状态", "证件有效期至", "死亡", "残疾类别", "残疾等级")


# ---- the night's engine ----


def by_duckdb(rule: Rule, people: pl.DataFrame, day: date) -> tuple[CompiledRule, pl.DataFrame]:
    con = duckdb.connect()
    con.register("given_people", people.to_arrow())
    con.execute("create table facts as select * from given_people").fetchall()
    build_parameters(con, {rule.code: rule}, COUNTIES, day)
    compiled = compile_rule(rule, FACTS, day)
    verdict = verdict_sql(compiled, day)
    outcome = outcome_sql(compiled) if rule.benefit else "due"
    found = con.sql(f"select w.*, {outcome} as outcome from ({verdict}) as w order by person").pl()
    con.close()
    return compiled, found


# ---- the second engine ----


def _parameter(rule: Rule, name: str, county: str, day: date) -> str | None:
    parameter = rule.parameters[name]
    regions = [parameter.regions.get(prefix) for prefix in (county, county[:4], county[:2])]
    for table in (*(region for region in regions if region), parameter):
        started = [start for start in table.values if start <= day]
        if started:
            return None if rule.only_confirmed and not table.confirmed else table.values[max(started)]
    return None


def _words(day: date) -> dict[str, Any]:
    school = date(day.year, 8, 31)
    return {
        "本日": day,
        "本年": day.year,
        "本月初": day.replace(day=1),
        "上月初": (day.replace(day=1) - timedelta(days=1)).replace(day=1),
        "三个月前": add_months(day.replace(day=1), -3),
        "六个月前": add_months(day, -6),
        "一年前": add_months(day, -12),
        "两年前": add_months(day, -24),
        "三年前": add_months(day, -36),
        "一个月后": add_months(day, 1),
        "六个月后": add_months(day, 6),
        "学年基准日": school if school <= day else school.replace(year=day.year - 1),
    }


def _typed(value: str | None) -> Any:
    if value in ("yes", "是", "no", "否"):
        return value in ("yes", "是")
    try:
        return None if value is None else float(value)
    except ValueError:
        return value


def second_verdicts(rule: Rule, people: pl.DataFrame, day: date) -> pl.DataFrame:
    """Every condition of the rule as a column named by its id, by polars."""
    frame = people.with_columns(pl.lit(value).alias(word) for word, value in _words(day).items())
    for name in rule.parameters:
        table = {county: _typed(_parameter(rule, name, county, day)) for county in COUNTIES}
        written = [rule.parameters[name].values, *(r.values for r in rule.parameters[name].regions.values())]
        kinds = {type(_typed(value)) for values in written for value in values.values()}
        assert len(kinds) <= 1
        kinds |= set() if kinds else {bool}  # no office has said any value yet
        kind = {bool: pl.Boolean, float: pl.Float64, str: pl.String}[kinds.pop()]
        parameter = pl.DataFrame(
            {"county_code": list(table), name: list(table.values())},
            schema={"county_code": pl.String, name: kind},
        )
        frame = frame.join(parameter, on="county_code", how="left", maintain_order="left")
    conditions = [(c.id, c.when, c.certain) for c in (*rule.who, *rule.excluded)]
    if rule.received:
        conditions.append(("received", rule.received, False))
    verdicts = [(name, pl.sql_expr(half_width(text)), certain) for name, text, certain in conditions]
    return frame.select(
        (verdict.fill_null(value=False) if certain else verdict).alias(name)
        for name, verdict, certain in verdicts
    )


def kleene_and(verdicts: list[bool | None]) -> bool | None:
    return False if False in verdicts else None if None in verdicts else True


def negated(verdict: bool | None) -> bool | None:
    return None if verdict is None else not verdict


def standing(person: Mapping[str, Any], day: date) -> str:
    """What every way of filling the gaps agrees on: valid, expired (to be renewed) or none; else unknown."""
    states = STATES if person["证件状态"] is None else [person["证件状态"]]
    untils = [day, day - timedelta(days=1)] if person["证件有效期至"] is None else [person["证件有效期至"]]
    found = {_standing(state, until, person["死亡"], day) for state in states for until in untils}
    return found.pop() if len(found) == 1 else "unknown"


def _standing(state: str, until: date, dead: bool, day: date) -> str:
    """Holds a valid certificate: state 正常, valid until the day or later, on no death list."""
    if dead or state not in ("正常", "过期"):
        return "none"
    return "valid" if state == "正常" and until >= day else "expired"


def outcome_of(rule: Rule, standing_: str, due: bool | None, received: bool | None) -> str:
    """The table of outcomes, the earlier first: undetermined, verify, renew_first, then the rest."""
    nothing_due = "receiving_not_due" if rule.question_if_not_due and received else "not_due"
    if standing_ == "none" or due is False:
        return nothing_due
    if due is None or standing_ == "unknown":
        return "undetermined"
    if standing_ == "expired":
        return "renew_first"
    return {None: "undetermined", True: "receiving", False: "missing"}[received]


def compared(rule: Rule, day: date, seed: int, unknown: float = 0.2) -> set[str]:
    """Compares both engines on random people; the outcomes that occurred."""
    names = list(dict.fromkeys([*OWN, *compile_rule(rule, FACTS, day).facts]))
    people = random_people(names, day, seed, unknown, rule if 0 < unknown < 1 else None)
    compiled, first = by_duckdb(rule, people, day)
    second = second_verdicts(rule, people, day)
    for clause in compiled.clauses:
        assert first[clause.column].equals(second[clause.id].alias(clause.column)), f"{rule.code} {clause.id}"
    seen: set[str] = set()
    who, excluded = [c.id for c in rule.who], [c.id for c in rule.excluded]
    for person, verdicts, night in zip(
        people.iter_rows(named=True), second.iter_rows(named=True), first.iter_rows(named=True), strict=True
    ):
        due = kleene_and([*(verdicts[i] for i in who), *(negated(verdicts[i]) for i in excluded)])
        assert night["due"] is due
        if rule.benefit:
            held = standing(person, day)
            assert night["standing"] == held
            assert night["outcome"] == outcome_of(rule, held, due, verdicts["received"])
        seen.add(str(night["outcome"]))
    return seen


@pytest.mark.parametrize("code", sorted(RULES))
def test_both_engines_agree_on_every_verdict_and_outcome(code: str) -> None:
    rule = RULES[code]
    if rule.only_confirmed:  # as the cases that assume it
        rule = rule.model_copy(update={"only_confirmed": False})
    seen = reduce(set.union, (compared(rule, day, seed) for seed, day in enumerate(DAYS)))
    wanted = {"undetermined", "renew_first", "receiving", "missing", "not_due"}
    assert seen >= (wanted if rule.benefit else {"True", "False"})
    assert ("receiving_not_due" in seen) == rule.question_if_not_due


@pytest.mark.parametrize("unknown", [0.0, 1.0])
def test_both_engines_agree_where_all_or_nothing_is_known(unknown: float) -> None:
    for rule in RULES.values():
        seen = compared(rule, DAYS[0], 7, unknown)
        if rule.benefit:
            assert ("undetermined" in seen) == bool(unknown)


@given(
    state=st.sampled_from([None, "正常", "过期", "冻结", "注销", "迁出"]),
    until=st.sampled_from([None, -1, 0, 1]),
    dead=st.booleans(),
    due=st.sampled_from([None, True, False]),
    received=st.sampled_from([None, True, False]),
)
@settings(derandomize=True, deadline=None)
def test_what_a_missing_list_can_and_cannot_do(
    state: str | None, until: int | None, dead: bool, due: bool | None, received: bool | None
) -> None:
    """An answer given with a gap is the answer whatever fills the gap."""
    rule, day = RULES["nursing_subsidy"], DAYS[0]
    end = None if until is None else day + timedelta(days=until)
    answer = outcome_of(
        rule, standing({"证件状态": state, "证件有效期至": end, "死亡": dead}, day), due, received
    )
    if answer == "undetermined":
        return
    for filled in [due] if due is not None else [True, False]:
        for told in [received] if received is not None else [True, False]:
            person = {"证件状态": state, "证件有效期至": end, "死亡": dead}
            full = outcome_of(rule, standing(person, day), filled, told)
            assert full == answer or {full, answer} <= {"not_due", "receiving_not_due"}
