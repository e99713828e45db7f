"""The worked cases of the visit signs, run by the night's own SQL: facts that are not given are unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.visit_signs import SignCase, VisitSigns
from pipeline.entitlement.cases import DEFAULTS, UNKNOWN, fact_literal
from pipeline.entitlement.fact import Fact
from pipeline.entitlement.visit_earlier import no_earlier
from pipeline.entitlement.visit_signs import build_visit_parameters, compile_signs, sign_statements

_DEFAULTS = {name: DEFAULTS[name] for name in ("证件状态", "死亡")}
_WORDS = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True)
class SignCaseResult:
    """What a case expected and what came out. `monitored` is None where the person has no sign, so nobody asked."""

    case: SignCase
    signs: tuple[str, ...]
    monitored: str | None

    @property
    def passed(self) -> bool:
        as_said = self.case.monitored is None or self.case.monitored == self.monitored
        return set(self.signs) == set(self.case.expect) and as_said


def run_sign_cases(
    con: duckdb.DuckDBPyConnection, signs: VisitSigns, facts: Mapping[str, Fact]
) -> list[SignCaseResult]:
    """Every case, in order. `con` is an empty database. Raises ReconcileError E304, E305, E307, E308, E310."""
    results: dict[int, SignCaseResult] = {}
    for case in signs.cases:
        _check_given(case, facts)
    for day in sorted({case.as_of for case in signs.cases}):
        numbered = {n: case for n, case in enumerate(signs.cases) if case.as_of == day}
        results |= _run_day(con, signs, day, numbered, facts)
    return [results[n] for n in range(len(signs.cases))]


def _check_given(case: SignCase, facts: Mapping[str, Fact]) -> None:
    for name in (*_DEFAULTS, *case.given, *case.before):
        if name not in facts:
            what = f"走访迹象的用例用到了没有的事实“{name}”"
            raise ReconcileError(Problem("E308", "error", what, "schemas/ 没有声明它", "改成已声明的事实名"))


def _run_day(
    con: duckdb.DuckDBPyConnection,
    signs: VisitSigns,
    day: date,
    cases: Mapping[int, SignCase],
    facts: Mapping[str, Fact],
) -> dict[int, SignCaseResult]:
    compiled = compile_signs(signs, facts, day)
    rows = ",\n".join(_row(n, case, facts) for n, case in cases.items())
    names = ", ".join(f'"{name}"' for name in facts)
    con.execute(
        f"create or replace table facts as select * from (values\n{rows}) as given(person, county_code, {names})"
    ).fetchall()
    build_visit_parameters(con, signs, [case.region for case in cases.values()], day)
    no_earlier(con, signs.lost)
    for n, case in cases.items():
        if case.before:
            values = [_given(facts[name], case.before) for name in signs.lost]
            con.execute(f"insert into visit_earlier values ({', '.join([str(n), *values])})").fetchall()
    for statement in sign_statements(compiled, facts):
        con.execute(statement).fetchall()
    found = con.execute("select person, sign from visit_signs order by person, weight desc, sign").fetchall()
    watched = dict(con.execute("select person, monitored from visit_monitored").fetchall())
    return {
        n: SignCaseResult(
            case,
            tuple(sign for person, sign in found if person == n),
            _WORDS[watched[n]] if n in watched else None,
        )
        for n, case in cases.items()
    }


def _row(person: int, case: SignCase, facts: Mapping[str, Fact]) -> str:
    given = {**_DEFAULTS, **case.given}
    values = [_given(fact, given) for fact in facts.values()]
    return f"({person}, '{case.region}', {', '.join(values)})"


def _given(fact: Fact, given: Mapping[str, str]) -> str:
    return fact_literal(fact, given.get(fact.name, UNKNOWN[0]))
