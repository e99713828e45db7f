"""What became of the answers of one changed rule: people and yuan by county, conditions, samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from pipeline.desk.plan_answers import DUE, Side
from pipeline.entitlement.compile import Clause, CompiledRule

NOBODY = ("not_due", "not_found")
_GONE = {"who": True, "except": False, "received": None}  # what a condition that is not there amounts to


@dataclass(frozen=True)
class Group:
    """People of one county with the same two outcomes; yuan are a month's, `once` is paid once, `unknown` people's is not known."""

    county: str
    was: str
    becomes: str
    people: int
    yuan: tuple[Decimal, Decimal]
    once: tuple[Decimal, Decimal]
    unknown: tuple[int, int]

    @property
    def differs(self) -> bool:
        """Whether outcome or money are others than before."""
        money = (self.yuan, self.once, self.unknown)
        return self.was != self.becomes or any(before != after for before, after in money)

    @property
    def kind(self) -> str:
        """新增, 消失, 改变 or 不变."""
        if self.was == self.becomes:
            return "不变"
        return "新增" if self.was in NOBODY else "消失" if self.becomes in NOBODY else "改变"


@dataclass(frozen=True)
class Shift:
    """A condition whose verdict differs: None of `was` or `becomes` is unknown, "" says that the side lacks the condition."""

    kind: str  # who | except | received
    clause: Clause
    was: bool | str | None
    becomes: bool | str | None
    people: int
    decided: int  # of these, people whose outcome changed


@dataclass(frozen=True)
class Sample:
    """One person whose outcome changed; the numbers are still whole here."""

    person: int
    certificate: str
    name: str
    county: str
    was: str
    becomes: str


def compare(con: duckdb.DuckDBPyConnection, old: Side, new: Side, finding: bool) -> list[Group]:
    """All people in groups, also those of whom nothing changed; creates `change` (person, was, becomes)."""
    nothing = "not_found" if finding else "not_due"
    con.execute(f"""create or replace table change as
select f.person, f.county_code, coalesce(o.outcome, '{nothing}') as was, coalesce(n.outcome, '{nothing}') as becomes,
  o.yuan as yuan_was, n.yuan as yuan_becomes, o.once as once_was, n.once as once_becomes
from facts as f
left join {old.table} as o on o.person = f.person
left join {new.table} as n on n.person = f.person""").fetchall()
    sums = ", ".join(
        f"coalesce(sum({kind}_{side}), 0)" for kind in ("yuan", "once") for side in ("was", "becomes")
    )
    unknown = ", ".join(
        f"count(*) filter (where {side} in {DUE} and yuan_{side} is null and once_{side} is null)"
        for side in ("was", "becomes")
    )
    rows = con.execute(
        f"select county_code, was, becomes, count(*), {sums}, {unknown} from change"
        " group by county_code, was, becomes order by county_code, was, becomes"
    ).fetchall()
    return [
        Group(county, was, becomes, people, (yuan, then), (once, once_then), (unknown, unknown_then))
        for county, was, becomes, people, yuan, then, once, once_then, unknown, unknown_then in rows
    ]


def shifts(con: duckdb.DuckDBPyConnection, old: Side, new: Side) -> list[Shift]:
    """Conditions whose verdict differs (after `compare`), those that decided for most people first."""
    before, after = _conditions(old.rule), _conditions(new.rule)
    if not before or not after:
        return []  # a rule that one side lacks has no conditions to compare
    found = []
    for key in dict.fromkeys([*before, *after]):
        kind, _ = key
        was = f"o.{before[key].column}" if key in before else _literal(_GONE[kind])
        becomes = f"n.{after[key].column}" if key in after else _literal(_GONE[kind])
        for left, right, people, decided in con.execute(_shift_sql(old, new, was, becomes)).fetchall():
            sides = (left if key in before else "", right if key in after else "")
            found.append(Shift(kind, after.get(key) or before[key], *sides, people, decided))
    return sorted(found, key=lambda s: (-s.decided, -s.people))


def samples(con: duckdb.DuckDBPyConnection, limit: int) -> list[Sample]:
    """Up to `limit` people whose outcome changed, of every kind of change in turn, in the register's order."""
    rows = con.execute(f"""
select p.person, coalesce(nullif(p.certificate_number, ''), p.id_number, ''), coalesce(p.name, ''), c.county_code, c.was, c.becomes
from (
  select *, row_number() over (partition by was, becomes order by person) as turn
  from change where was <> becomes
) as c
join people as p on p.person = c.person
order by c.turn, c.was, c.becomes
limit {limit}""").fetchall()
    return [Sample(*row) for row in rows]


def _shift_sql(old: Side, new: Side, was: str, becomes: str) -> str:
    return f"""
select {was} as was, {becomes} as becomes, count(*), count(*) filter (where c.was <> c.becomes)
from change as c
join {old.table} as o on o.person = c.person
join {new.table} as n on n.person = c.person
where ({was}) is distinct from ({becomes})
group by 1, 2
order by 1 nulls last, 2 nulls last"""


def _conditions(compiled: CompiledRule | None) -> dict[tuple[str, str], Clause]:
    if compiled is None:
        return {}
    kinds: Sequence[tuple[str, tuple[Clause, ...]]] = (
        ("who", compiled.who),
        ("except", compiled.excluded),
        ("received", (compiled.received,) if compiled.received else ()),
    )
    return {(kind, clause.id): clause for kind, clauses in kinds for clause in clauses}


def _literal(verdict: bool | None) -> str:
    return "cast(null as boolean)" if verdict is None else "true" if verdict else "false"
