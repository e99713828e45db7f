"""`certain: yes` on an exclusion: it counts where it certainly holds, and what is unknown leaves the answer as it is (择高)."""

from __future__ import annotations

from datetime import date

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_people import COUNTIES, FACTS, RULES, random_people

from pipeline.contracts.rule import Rule
from pipeline.entitlement import build_parameters, compile_rules, decide_people
from pipeline.entitlement.compile import compile_rule, outcome_sql, verdict_sql

DAY = date(2026, 3, 31)
NURSING = RULES["nursing_subsidy"]
HIGHER = NURSING.excluded[-1]
EXCLUDING = sorted(code for code, rule in RULES.items() if rule.benefit and rule.excluded)
DRAWN, AMOUNT = "在领同类护理补贴", "同类护理补贴月额"


def with_exceptions(rule: Rule, *, certain: bool, kept: bool = True) -> Rule:
    """The rule with its exclusions all certain, all plain, or without those that are certain as it stands."""
    some = [c.model_copy(update={"certain": certain}) for c in rule.excluded if kept or not c.certain]
    return rule.model_copy(update={"excluded": tuple(some)})


def judged(rule: Rule, people: pl.DataFrame, day: date = DAY) -> list[dict[str, object]]:
    """Verdicts and outcome of each person."""
    con = duckdb.connect()
    con.register("given_people", people.to_arrow())
    con.execute("create table facts as select * from given_people").fetchall()
    build_parameters(con, {rule.code: rule}, COUNTIES, day)
    compiled = compile_rule(rule, FACTS, day)
    columns = ", ".join(f"w.{clause.column}" for clause in compiled.clauses)
    query = f"select w.person, {columns}, w.due, {outcome_sql(compiled)} as outcome from ({verdict_sql(compiled, day)}) as w order by 1"
    found = con.sql(query).pl().to_dicts()
    con.close()
    return found


def people_for(rule: Rule, seed: int, unknown: float = 0.3) -> pl.DataFrame:
    names = dict.fromkeys([*compile_rule(rule, FACTS, DAY).facts, "证件状态", "证件有效期至", "死亡"])
    return random_people([*names], DAY, seed, unknown, rule)


# ---- what it can and cannot do ----


@pytest.mark.parametrize("code", EXCLUDING)
@given(seed=st.integers(0, 10_000), unknown=st.floats(0.0, 0.9))
@settings(derandomize=True, deadline=None, max_examples=4)
def test_a_certain_condition_never_makes_an_answer_undetermined(code: str, seed: int, unknown: float) -> None:
    """Beside the same rule without its exclusions: an open answer was open there, and only what certainly holds changes one."""
    rule = with_exceptions(RULES[code], certain=True)
    people = people_for(rule, seed, unknown)
    bare = judged(rule.model_copy(update={"excluded": ()}), people)
    for night, without in zip(judged(rule, people), bare, strict=True):
        verdicts = [night[f"except_{n}"] for n in range(len(rule.excluded))]
        assert None not in verdicts
        if night["outcome"] == "undetermined":
            assert without["outcome"] == "undetermined"
        if not any(verdicts):
            assert (night["due"], night["outcome"]) == (without["due"], without["outcome"])


@pytest.mark.parametrize("code", EXCLUDING)
def test_what_certainly_holds_excludes_as_before(code: str) -> None:
    """Certain or plain: the same verdict where it is known, and where it is not, `does not hold`."""
    certain, plain = (with_exceptions(RULES[code], certain=kind) for kind in (True, False))
    people = people_for(certain, seed=3)
    unknown = 0
    for one, other in zip(judged(certain, people), judged(plain, people), strict=True):
        for n in range(len(certain.excluded)):
            asked = other[f"except_{n}"]
            unknown += asked is None
            assert one[f"except_{n}"] is (asked is True)
        if None not in [other[f"except_{n}"] for n in range(len(certain.excluded))]:
            assert one["outcome"] == other["outcome"]
    assert unknown


def test_without_the_payments_the_nursing_subsidy_is_answered_as_if_nobody_compared() -> None:
    rule = with_exceptions(NURSING, certain=False, kept=False)
    assert HIGHER not in rule.excluded
    people = people_for(NURSING, seed=11)
    people = people.with_columns(
        pl.lit(None, people.schema[DRAWN]).alias(DRAWN), pl.lit(None, people.schema[AMOUNT]).alias(AMOUNT)
    )
    whole = [(row["person"], row["outcome"]) for row in judged(NURSING, people)]
    assert whole == [(row["person"], row["outcome"]) for row in judged(rule, people)]


# ---- the sentence ----


def said(
    drawn: bool | None, fen: int | None, *, county: str = "533401", tekun: bool | None = False
) -> tuple[str, str]:
    """Outcome and sentence of somebody of level 1 who does not receive the nursing subsidy."""
    names = [*compile_rule(NURSING, FACTS, DAY).facts, "证件状态", "证件有效期至", "死亡", "残疾类别"]
    known: dict[str, object] = {
        "证件状态": "正常",
        "证件有效期至": date(2030, 1, 1),
        "死亡": False,
        "残疾类别": "肢体",
        "残疾等级": 1,
        "特困供养": tekun,
        "工伤护理费": False,
        "在领护理补贴": False,
        DRAWN: drawn,
        AMOUNT: fen,
    }
    con = duckdb.connect()
    columns = "".join(f', "{name}" {FACTS[name].sql_type}' for name in dict.fromkeys(names))
    for table in ("facts", "facts_sure"):
        con.execute(f"create table {table} (person bigint, county_code varchar{columns})").fetchall()
    values = [known[name] for name in dict.fromkeys(names)]
    marks = ", ".join("?" for _ in values)
    con.execute(f"insert into facts values (1, '{county}', {marks})", values).fetchall()
    con.execute("create table unmatchable (person bigint)").fetchall()
    con.execute(
        "create table people as select person, county_code, '' as certificate_number, '' as id_number, '' as name from facts"
    ).fetchall()
    lists = sorted({fact.dataset.table for fact in FACTS.values()})
    payments = FACTS[DRAWN].dataset.table
    there = "".join(
        f', {drawn is not None or name != payments} as "{name}", \'2026-03-28\' as "{name}__date"'
        for name in lists
    )
    con.execute(f"create table covered as select '{county}' as county_code, '' as note{there}").fetchall()
    build_parameters(con, {NURSING.code: NURSING}, [county], DAY)
    decide_people(con, compile_rules({NURSING.code: NURSING}, FACTS, DAY), FACTS, DAY)
    rows = con.execute("select outcome, reason from outcomes").fetchall()
    con.close()
    return rows[0] if rows else ("not_due", "")


def test_who_draws_the_lower_one_is_told_with_what_and_how_much() -> None:
    outcome, reason = said(drawn=True, fen=8000)
    assert outcome == "missing"
    payments = FACTS[DRAWN].dataset.title
    assert f"《{payments}》（2026-03-28）中有近三个月发放成功的老年人护理补贴或残疾军人护理费" in reason
    assert f"《{payments}》（2026-03-28）中老年人护理补贴、残疾军人护理费的月额为80元" in reason


def test_who_draws_none_is_told_nothing_of_it() -> None:
    for drawn in (False, None):
        outcome, reason = said(drawn=drawn, fen=None)
        assert outcome == "missing"
        assert FACTS[DRAWN].dataset.title not in reason


def test_an_unknown_amount_leaves_the_person_told_with_what_is_drawn() -> None:
    outcome, reason = said(drawn=True, fen=None)
    assert outcome == "missing"
    assert "中有近三个月发放成功的老年人护理补贴" in reason
    assert "月额" not in reason


def test_an_open_answer_never_names_the_payments_or_the_standard() -> None:
    """It is open by another list: what only a certain condition asks for is not what it waits for."""
    for county in ("533401", "110101"):
        for drawn, fen in ((None, None), (True, None), (True, 15000)):
            outcome, reason = said(drawn, fen, county=county, tekun=None)
            if county == "533401" and fen:
                assert outcome == "not_due"  # certainly excluded, whatever the other list says
                continue
            assert outcome == "undetermined"
            assert FACTS["特困供养"].dataset.title in reason
            assert FACTS[DRAWN].dataset.title not in reason
            assert "标准" not in reason


@pytest.mark.parametrize(("fen", "outcome"), [(10999, "missing"), (11000, "not_due"), (11001, "not_due")])
def test_the_higher_of_the_two_is_told_to_a_fen(fen: int, outcome: str) -> None:
    assert said(drawn=True, fen=fen)[0] == outcome
