"""The night's tables in the form in which cases look at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl

from pipeline.cases.fact_marks import answer_marks, finding_marks, outside_marks
from pipeline.cases.people import Somebody
from pipeline.cases.person_key import PersonKey
from pipeline.cases.tonight import Flag, Tonight
from pipeline.contracts.register_findings import REGISTER_FINDINGS
from pipeline.entitlement.compile import CompiledRule, verdict_sql
from pipeline.entitlement.fact import Fact

# Whom a case can be about: who is judged tonight. (A certificate that another one supersedes is not; what is found about it is
# the case of the one who holds both.)
_PEOPLE = """
select p.person, p.certificate_number, coalesce(p.id_number, '') as id_number, coalesce(p.name, '') as name,
  coalesce(p.county_code, '') as county_code, p.birth_date
from people as p join facts as f on f.person = p.person order by p.person"""

_NO_FLAGS = """
select l.person, l.code, l.outcome
from answer_lines as l where not list_contains($flags, l.outcome) order by l.person, l.code"""

_OUTSIDE = """
select distinct id_number, coalesce(name, '') as name, county_code, finding
from other_findings where person is null and id_number is not null and county_code is not null
order by id_number, county_code, finding, name"""

_NOT_DUE = "receiving_not_due"
_FLAGS = ("missing", "renew_first", _NOT_DUE, "verify", "found")


@dataclass(frozen=True)
class JudgedNight:
    """What `read_tonight` needs of a night besides its tables."""

    con: duckdb.DuckDBPyConnection
    rules: Sequence[CompiledRule]
    facts: Mapping[str, Fact]
    coverage: pl.DataFrame
    counties: Mapping[str, str]
    as_of: date


def read_tonight(night: JudgedNight, key: PersonKey) -> Tonight:
    """Reads people, facts, answer_lines, other_findings, what the latter rest on, and the coverage."""
    rows = night.con.execute(_PEOPLE).fetchall()
    people = {row[0]: Somebody(*row) for row in rows}
    marked = answer_marks(night.con, night.rules, night.facts, _FLAGS, night.as_of, key)
    flags = {(person, code): Flag(outcome, mark) for person, code, outcome, mark in marked}
    nothing = night.con.execute(_NO_FLAGS, {"flags": list(_FLAGS)}).fetchall()
    unsettled = {(person, code): outcome for person, code, outcome in nothing}
    for person, finding, mark in finding_marks(night.con, key):
        flags[person, finding] = Flag("found", mark)
    outside = outside_marks(night.con, night.rules, night.facts, night.as_of, key)
    outsiders: dict[str, int] = {}
    for number, name, county, finding in night.con.execute(_OUTSIDE).fetchall():
        row = outsiders.setdefault(number, -1 - len(outsiders))
        people.setdefault(row, Somebody(row, "", number, name, county))
        flags[row, finding] = Flag("found", outside.get((number, finding), ""))
    register: dict[str, int] = {}
    for one in people.values():
        if one.row > 0:
            register[one.county] = register.get(one.county, 0) + 1
    return Tonight(
        night.as_of,
        people,
        flags,
        unsettled,
        night.counties,
        frozenset({*(c.rule.code for c in night.rules), *REGISTER_FINDINGS}),
        _still_open(night),
        _absent_open(night),
        register,
    )


def _still_open(night: JudgedNight) -> Callable[[list[tuple[int, str, str]]], set[tuple[int, str]]]:
    rules = {c.rule.code: c for c in night.rules if c.rule.subject == "register"}

    def still_open(asked: list[tuple[int, str, str]]) -> set[tuple[int, str]]:
        """Of a finding the conditions are asked again. A benefit of which the night has no line is certainly not due; whether it is
        received all the same cannot be said without the list of those who receive it."""
        found: set[tuple[int, str]] = set()
        for code, compiled in rules.items():
            finding = compiled.rule.finding
            people = sorted(
                r for r, subject, kind in asked if subject == code and (finding or kind == _NOT_DUE)
            )
            if people:
                column = "due" if finding else "received"
                found |= {(row, code) for row in _unknown(night, compiled, people, column)}
        incomplete = _incomplete(night)
        for row, subject, _ in asked:
            if subject == "id_name_conflict" and _county_of(night, row) in incomplete:
                found.add((row, subject))
        return found

    return still_open


def _unknown(night: JudgedNight, compiled: CompiledRule, people: list[int], column: str) -> list[int]:
    """Of these people those of whom nobody can say whether the finding holds, or the benefit is received."""
    source = f"(select * from facts where person in ({', '.join(map(str, people))}))"
    query = (
        f"select v.person from ({verdict_sql(compiled, night.as_of, source)}) as v where v.{column} is null"
    )
    return [row[0] for row in night.con.execute(query).fetchall()]


def _county_of(night: JudgedNight, row: int) -> str:
    found = night.con.execute("select county_code from people where person = $row", {"row": row}).fetchall()
    return str(found[0][0]) if found else ""


def _incomplete(night: JudgedNight) -> set[str]:
    """Counties of which some list is not accepted: the row that was wrong may stand in it."""
    return set(night.coverage.filter(pl.col("status") != "accepted")["county_code"].to_list())


def _absent_open(night: JudgedNight) -> Callable[[str, str], bool]:
    rules = {c.rule.code: c for c in night.rules}
    accepted = set(
        night.coverage.filter(pl.col("status") == "accepted").select("dataset", "county_code").iter_rows()
    )
    register = {f.dataset.dataset for f in night.facts.values() if f.dataset.role == "register"}

    def absent_open(county: str, subject: str) -> bool:
        compiled = rules.get(subject)
        needed = register
        if compiled is not None and compiled.rule.subject == "outside_register":
            needed = register | {
                compiled.rule.list,
                *(night.facts[name].dataset.dataset for name in compiled.facts),
            }
        return any((dataset, county) not in accepted for dataset in needed)

    return absent_open
