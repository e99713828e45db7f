"""The night's outcomes are made of explanation bits; the verdicts of the conditions themselves must say the same of everybody."""

from __future__ import annotations

import importlib
from datetime import date

import duckdb
import polars as pl
import pytest
from random_people import COUNTIES, FACTS, RULES, random_people

from pipeline.contracts.rule import Rule
from pipeline.entitlement import build_parameters, compile_rules, decide_people
from pipeline.entitlement.compile import CompiledRule, outcome_sql, verdict_sql

DAY = date(2026, 10, 31)
OF_PEOPLE = {code: rule for code, rule in RULES.items() if rule.subject == "register"}
DOUBTED = 300  # of the thousand: their facts without the doubtful rows are known and of somebody else
decide_module = importlib.import_module("pipeline.entitlement.decide")


def night(rules: dict[str, Rule], seed: int) -> tuple[duckdb.DuckDBPyConnection, list[CompiledRule]]:
    """A thousand people with random facts, judged as a night judges them."""
    compiled = compile_rules(rules, FACTS, DAY)
    names = list(FACTS)
    con = duckdb.connect()
    people = random_people(names, DAY, seed).with_columns(pl.col("person") + 1)
    sure = random_people(names, DAY, seed + 1, unknown=0.0).head(DOUBTED).with_columns(pl.col("person") + 1)
    sure = (
        sure.drop("county_code")
        .join(people.select("person", "county_code"), on="person")
        .select(people.columns)
    )
    for table, rows in {"facts": people, "facts_sure": sure}.items():
        con.register("given", rows.to_arrow())
        con.execute(f"create table {table} as select * from given").fetchall()
    con.execute("create table unmatchable as select person from facts where person % 17 = 0").fetchall()
    con.execute(
        "create table people as select person, county_code, '' as certificate_number, '' as id_number, '' as name from facts"
    ).fetchall()
    lists = {fact.dataset.table for fact in FACTS.values()}
    columns = "".join(
        f", county_code <> '533401' as \"{table}\", '2026-10-31' as \"{table}__date\""
        for table in sorted(lists)
    )
    con.execute(
        f"create table covered as select distinct county_code, '' as note{columns} from facts"
    ).fetchall()
    build_parameters(con, rules, COUNTIES, DAY)
    decide_people(con, compiled, FACTS, DAY)
    return con, compiled


def by_conditions(con: duckdb.DuckDBPyConnection, compiled: CompiledRule) -> dict[int, str]:
    """What the rule says of each person, worked out from the verdicts of its conditions."""
    outcome = (
        outcome_sql(compiled) if compiled.rule.benefit else "case when due then 'found' else 'not_due' end"
    )
    said, sure = (
        dict(
            con.execute(
                f"select person, {outcome} from ({verdict_sql(compiled, DAY, source)}) as v"
            ).fetchall()
        )
        for source in ("facts", "facts_sure")
    )
    for person, answer in sure.items():
        if said[person] == "undetermined" and answer != "undetermined":
            said[person] = "verify"
    return {person: answer for person, answer in said.items() if answer != "not_due"}


def by_night(con: duckdb.DuckDBPyConnection, compiled: CompiledRule) -> dict[int, str]:
    query = "select person, outcome from outcomes where benefit = $code union all select person, 'found' from person_findings where finding = $code"
    rows = con.execute(query, {"code": compiled.rule.code}).fetchall()
    assert len(rows) == len(dict(rows))
    return dict(rows)


@pytest.mark.parametrize("portion", [1_000_000, 190])
def test_bits_and_conditions_say_the_same(portion: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide_module, "PORTION", portion)
    con, compiled = night(OF_PEOPLE, seed=5)
    seen = set()
    for one in compiled:
        expected = by_conditions(con, one)
        assert by_night(con, one) == expected, one.rule.code
        seen |= set(expected.values())
    assert {"missing", "receiving", "renew_first", "undetermined", "verify", "found"} <= seen


def test_a_rule_that_asks_more_than_a_bigint_holds() -> None:
    """Forty facts: its bits are a wider number."""
    yes_no = [name for name, fact in FACTS.items() if fact.is_yes_no and name != "死亡"][:40]
    assert len(yes_no) == 40
    who = [
        {"id": f"c{n}", "say": name, "when": f"{name} or {yes_no[n - 1]}"} for n, name in enumerate(yes_no)
    ]
    rule = OF_PEOPLE["medical_insurance"].model_dump(by_alias=True) | {
        "who": who[:14],
        "except": [],
        "received": " or ".join(yes_no),
    }
    long = Rule.model_validate(rule)
    con, (compiled,) = night({"medical_insurance": long}, seed=9)
    expected = by_conditions(con, compiled)
    assert by_night(con, compiled) == expected
    assert len(set(expected.values())) > 1


def test_the_sentence_is_the_same_whatever_the_portion(monkeypatch: pytest.MonkeyPatch) -> None:
    query = "select person, benefit, outcome, reason, yuan_a_month, yuan_once from outcomes order by person, benefit"
    whole, _ = night(OF_PEOPLE, seed=7)
    monkeypatch.setattr(decide_module, "PORTION", 333)
    parts, _ = night(OF_PEOPLE, seed=7)
    assert whole.execute(query).fetchall() == parts.execute(query).fetchall()
