"""Both sides of a changed rule evaluated over the kept facts, by the night's own SQL.

`parameters` and `sure_outcomes` are those of one side of one rule at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.entitlement.amounts import MONEY, amount_sql, once_sql
from pipeline.entitlement.compile import CompiledRule, verdict_sql
from pipeline.entitlement.decide import benefit_sql, sure_sql
from pipeline.entitlement.fact import Fact
from pipeline.entitlement.parameters import build_parameters
from pipeline.entitlement.reasons import denied, finding_reason_sql, joined

DUE = "('missing', 'receiving')"  # to whom the benefit's money belongs
_NO_MONEY = f"cast(null as {MONEY}) as yuan, cast(null as {MONEY}) as once"
_NOBODY = f"select cast(null as bigint) as person, '' as outcome, {_NO_MONEY} where false"
_NO_RULE = "（没有这条规则，或当天未生效）"


@dataclass(frozen=True)
class Side:
    """A changed rule as one folder has it (None: not there, or not in force); `name` is `old` or `new`."""

    name: str
    rule: CompiledRule | None
    counties: Sequence[str]
    day: date  # of the parameters
    as_of: date  # of the facts and of the date words in the conditions

    @property
    def table(self) -> str:
        """The table of the side's answers."""
        return f"{self.name}_answers"


def evaluate(con: duckdb.DuckDBPyConnection, side: Side, facts: Mapping[str, Fact]) -> None:
    """Creates the side's answers: person, outcome, every condition's verdict, yuan a month, yuan once.

    Money only for those to whom it belongs (`DUE`). Raises ReconcileError E310 naming the rule that cannot run.
    """
    query = _NOBODY
    if side.rule:
        _prepare(con, side, side.rule)
        query = _answers_sql(side.rule, facts, side.as_of)
    _run(con, side, f"create or replace table {side.table} as\n{query}")


def reasons(
    con: duckdb.DuckDBPyConnection, side: Side, people: Sequence[int], facts: Mapping[str, Fact]
) -> dict[int, str]:
    """The side's reason for each of these people, also why nothing is due."""
    if side.rule is None or not people:
        return dict.fromkeys(people, _NO_RULE)
    _prepare(con, side, side.rule)
    rows = con.execute(_reasons_sql(side.rule, facts, side.as_of, people)).fetchall()
    return {person: reason or "" for person, reason in rows}


def _prepare(con: duckdb.DuckDBPyConnection, side: Side, compiled: CompiledRule) -> None:
    """Creates `parameters` and `sure_outcomes` of this side."""
    build_parameters(con, {compiled.rule.code: compiled.rule}, side.counties, side.day)
    if compiled.rule.benefit:
        _run(con, side, f"create or replace table sure_outcomes as\n{sure_sql(compiled, side.as_of)}")


def _run(con: duckdb.DuckDBPyConnection, side: Side, statement: str) -> None:
    try:
        con.execute(statement).fetchall()
    except duckdb.Error as error:  # its text could quote a person's values
        code = side.rule.rule.code if side.rule else ""
        cure = "运行 `reconcile rules check --rules …`，它会指出文件和行"
        problem = Problem("E310", "error", f"规则 {code} 的条件运行不了", type(error).__name__, cure)
        raise ReconcileError(problem) from None


def _answers_sql(compiled: CompiledRule, facts: Mapping[str, Fact], as_of: date) -> str:
    verdicts = "".join(f", w.{clause.column}" for clause in compiled.clauses)
    own = f"({verdict_sql(compiled, as_of)}) as w"
    if compiled.rule.finding:
        outcome = "case when w.due then 'found' else 'not_found' end"
        return f"select w.person, {outcome} as outcome{verdicts}, {_NO_MONEY} from {own}"
    lines = f"(select person, outcome from ({benefit_sql(compiled, facts, as_of)}) as b) as b"
    month, once = (sql(compiled, facts, person="w", parameters="q") for sql in (amount_sql, once_sql))
    return f"""select w.person, coalesce(b.outcome, 'not_due') as outcome{verdicts},
  case when b.outcome in {DUE} then {month} end as yuan, case when b.outcome in {DUE} then {once} end as once
from {own}
join parameters as q on q.county_code = w.county_code
left join {lines} on b.person = w.person"""


def _reasons_sql(
    compiled: CompiledRule, facts: Mapping[str, Fact], as_of: date, people: Sequence[int]
) -> str:
    these = f"({', '.join(str(person) for person in sorted(people))})"
    verdicts = verdict_sql(compiled, as_of, source=f"(select * from facts where person in {these})")
    around = "left join covered as c on c.county_code = v.county_code left join unmatchable as m on m.person = v.person"
    if compiled.rule.finding:
        against = joined(
            denied(compiled)[1:], "；"
        )  # the first is about the certificate, which findings ask for themselves
        said = f"case when v.due then {finding_reason_sql(compiled, facts)} else {against} end"
        return f"select v.person, {said} from ({verdicts}) as v {around} order by v.person"
    lines = f"(select person, reason from ({benefit_sql(compiled, facts, as_of)}) as b where person in {these}) as b"
    return f"""select v.person, coalesce(b.reason, {joined(denied(compiled), "；")})
from ({verdicts}) as v left join {lines} on b.person = v.person order by v.person"""
