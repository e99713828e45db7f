"""Both sides of a changed rule evaluated over the kept facts, by the night's own SQL.

`parameters`, `outcomes` and `person_findings` are those of one side of one rule at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.entitlement.amounts import MONEY, amount_sql, once_sql
from pipeline.entitlement.compile import CompiledRule, verdict_sql
from pipeline.entitlement.decide import decide_people
from pipeline.entitlement.fact import Fact
from pipeline.entitlement.parameters import build_parameters
from pipeline.entitlement.reasons import denied, joined

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
        _decide(con, side, side.rule, facts)
        query = _answers_sql(side.rule, facts, side.as_of)
    _run(con, side, f"create or replace table {side.table} as\n{query}")


def reasons(
    con: duckdb.DuckDBPyConnection, side: Side, people: Sequence[int], facts: Mapping[str, Fact]
) -> dict[int, str]:
    """The side's reason for each of these people, also why nothing is due."""
    if side.rule is None or not people:
        return dict.fromkeys(people, _NO_RULE)
    these = f"(select * from facts where person in ({', '.join(str(person) for person in sorted(people))}))"
    _decide(con, side, side.rule, facts, these)
    rows = con.execute(_reasons_sql(side.rule, side.as_of, these)).fetchall()
    return {person: reason or "" for person, reason in rows}


def _decide(
    con: duckdb.DuckDBPyConnection,
    side: Side,
    compiled: CompiledRule,
    facts: Mapping[str, Fact],
    source: str = "facts",
) -> None:
    """Creates `parameters`, `outcomes` and `person_findings` of this side."""
    with _told(side):
        build_parameters(con, {compiled.rule.code: compiled.rule}, side.counties, side.day)
        decide_people(con, [compiled], facts, side.as_of, source)


def _run(con: duckdb.DuckDBPyConnection, side: Side, statement: str) -> None:
    with _told(side):
        con.execute(statement).fetchall()


@contextmanager
def _told(side: Side) -> Iterator[None]:
    try:
        yield
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
    month, once = (sql(compiled, facts, person="w", parameters="q") for sql in (amount_sql, once_sql))
    return f"""select w.person, coalesce(b.outcome, 'not_due') as outcome{verdicts},
  case when b.outcome in {DUE} then {month} end as yuan, case when b.outcome in {DUE} then {once} end as once
from {own}
join parameters as q on q.county_code = w.county_code
left join outcomes as b on b.person = w.person"""


def _reasons_sql(compiled: CompiledRule, as_of: date, source: str) -> str:
    against = denied(compiled)
    if compiled.rule.finding:
        against = against[1:]  # the first is about the certificate, which findings ask for themselves
    said = "person_findings" if compiled.rule.finding else "outcomes"
    return f"""select v.person, coalesce(b.reason, {joined(against, "；")})
from ({verdict_sql(compiled, as_of, source=source)}) as v left join {said} as b on b.person = v.person order by v.person"""
