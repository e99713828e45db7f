"""A rule's own cases, run as tests: facts that are not given are unknown, so every case also tests the third answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import Case, Rule
from pipeline.entitlement.compile import CompiledRule, compile_rule, outcome_sql, verdict_sql
from pipeline.entitlement.facts import Fact
from pipeline.entitlement.parameters import build_parameters
from pipeline.locked_database import in_memory

# What a case need not say: a living holder of a certificate in force.
DEFAULTS = {"证件状态": "正常", "证件有效期至": "9999-12-31", "死亡": "no"}
UNKNOWN = ("unknown", "未知")
_YES_NO = {"yes": "true", "是": "true", "no": "false", "否": "false"}


@dataclass(frozen=True)
class CaseResult:
    """What a case expected and what came out."""

    rule: str
    case: Case
    outcome: str
    because: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """The outcome, and where the case names the deciding conditions exactly those."""
        return self.outcome == self.case.expect and (
            not self.case.because or set(self.case.because) == set(self.because)
        )


def fact_literal(fact: Fact, value: str) -> str:
    """A given value as SQL of the fact's type; `unknown` is NULL, but a death list that says nothing means not dead.

    Raises ReconcileError E307 where the value is none of that type.
    """
    if value in UNKNOWN:
        return (
            "false" if fact.dataset.role == "deaths" and fact.is_yes_no else f"cast(null as {fact.sql_type})"
        )
    if fact.sql_type == "BOOLEAN":
        if value not in _YES_NO:
            raise _bad_value(fact, "yes 或 no", "它是是非事实")
        return _YES_NO[value]
    if fact.sql_type == "DATE" and not _is_date(value):
        raise _bad_value(fact, "日期，如 2026-10-31", "它是日期")
    if fact.sql_type == "BIGINT" and not (value.isascii() and value.removeprefix("-").isdigit()):
        raise _bad_value(fact, "整数", "它是数")
    return f"cast('{value.replace(chr(39), chr(39) * 2)}' as {fact.sql_type})"


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _bad_value(fact: Fact, form: str, why: str) -> ReconcileError:
    return ReconcileError(
        Problem(
            "E307", "error", f"用例里“{fact.name}”应写{form}", why, "改成这种写法；不知道就不写，或写 unknown"
        )
    )


def given_sql(person: int, case: Case, columns: Mapping[str, Fact]) -> str:
    """One row of the cases' facts table. `columns` are all its facts; those not given are unknown."""
    given = {**DEFAULTS, **case.given}
    values = [fact_literal(fact, given.get(name, UNKNOWN[0])) for name, fact in columns.items()]
    return f"({person}, '{case.region}', {', '.join(values)})"


def check_given(rule: Rule, case: Case, facts: Mapping[str, Fact]) -> None:
    """Raises ReconcileError E308 where a case (or a default) gives a fact that nobody declares."""
    for name in (*DEFAULTS, *case.given):
        if name not in facts:
            raise ReconcileError(
                Problem(
                    "E308",
                    "error",
                    f"规则 {rule.code} 的用例用到了没有的事实“{name}”",
                    "schemas/ 没有声明它",
                    "改成已声明的事实名",
                )
            )


def run_rule_cases(con: duckdb.DuckDBPyConnection, rule: Rule, facts: Mapping[str, Fact]) -> list[CaseResult]:
    """Every case of one rule, in order, by the night's own SQL: one query for all cases of one as-of date."""
    for case in rule.cases:
        check_given(rule, case, facts)
    results: dict[int, CaseResult] = {}
    for day, confirmed in sorted({(case.as_of, case.confirmed) for case in rule.cases}):
        numbered = {
            n: case for n, case in enumerate(rule.cases) if (case.as_of, case.confirmed) == (day, confirmed)
        }
        assumed = rule.model_copy(update={"only_confirmed": False}) if confirmed else rule
        results.update(_run_day(con, assumed, day, numbered, facts))
    return [results[n] for n in range(len(rule.cases))]


def _run_day(
    con: duckdb.DuckDBPyConnection,
    rule: Rule,
    day: date,
    cases: Mapping[int, Case],
    facts: Mapping[str, Fact],
) -> dict[int, CaseResult]:
    compiled = compile_rule(rule, facts, day)
    asked = dict.fromkeys(
        [*DEFAULTS, *compiled.facts, *(name for case in cases.values() for name in case.given)]
    )
    columns = {name: facts[name] for name in asked}
    names = ", ".join(f'"{name}"' for name in columns)
    rows = ",\n".join(given_sql(n, case, columns) for n, case in cases.items())
    con.execute(
        f"create or replace table facts as select * from (values\n{rows}) as given(person, county_code, {names})"
    ).fetchall()
    build_parameters(con, {rule.code: rule}, [case.region for case in cases.values()], day)
    verdict = verdict_sql(compiled, day)
    outcome = _finding_outcome() if rule.finding else outcome_sql(compiled)
    found = con.sql(f"select w.*, {outcome} as outcome from ({verdict}) as w").pl()
    return {
        row["person"]: CaseResult(rule.code, cases[row["person"]], row["outcome"], _because(compiled, row))
        for row in found.iter_rows(named=True)
    }


def _finding_outcome() -> str:
    return "case when due is null then 'undetermined' when due then 'found' else 'not_found' end"


def _because(compiled: CompiledRule, verdicts: Mapping[str, object]) -> tuple[str, ...]:
    """The conditions that decide: failing or holding ones where nothing is due, unknown ones where it is open."""
    due = verdicts["due"]
    if due is None:
        return tuple(c.id for c in (*compiled.who, *compiled.excluded) if verdicts[c.column] is None)
    if not due:
        failed = [c.id for c in compiled.who if verdicts[c.column] is False]
        return (*failed, *(c.id for c in compiled.excluded if verdicts[c.column]))
    return ("received",) if compiled.received and verdicts["received"] is None else ()


def run_cases(rules: Mapping[str, Rule], facts: Mapping[str, Fact]) -> list[CaseResult]:
    """Every case of every rule, in order. Raises ReconcileError E304, E305, E307, E308."""
    con = in_memory()
    try:
        return [result for rule in rules.values() for result in run_rule_cases(con, rule, facts)]
    finally:
        con.close()
