"""What an earlier night saw of today's people, so far as it can be compared: `visit_earlier`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from pipeline.entitlement.fact import Fact
from pipeline.entitlement.kept_night import KeptNight, declaration_hash


@dataclass(frozen=True)
class Compared:
    """The as-of date of the earlier night (None: there is none to compare with), and the facts it cannot be asked for."""

    earlier: date | None
    left_out: tuple[str, ...] = ()


def no_earlier(con: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    """Creates `visit_earlier` without a row: person and a yes/no column for every name."""
    columns = "".join(f', "{name}" boolean' for name in names)
    con.execute(f"create or replace table visit_earlier (person bigint{columns})").fetchall()


def load_earlier(
    con: duckdb.DuckDBPyConnection, night: KeptNight | None, names: Sequence[str], facts: Mapping[str, Fact]
) -> Compared:
    """Creates `visit_earlier`: which of the facts were certainly true then, by today's person numbers.

    A person is known again by the certificate number or the identity number: the former changes with the level. A fact
    that was declared otherwise then is left out. A night that cannot be read is none: it must not stop this one.
    """
    no_earlier(con, names)
    if night is None:
        return Compared(None)
    same = [n for n in names if night.facts.get(n) == declaration_hash(facts[n])]
    left_out = tuple(n for n in names if n not in same)
    if not same:
        return Compared(night.as_of, left_out)
    try:
        con.execute(_earlier_sql(night, same)).fetchall()
    except duckdb.Error:
        no_earlier(con, names)
        return Compared(None)
    return Compared(night.as_of, left_out)


def _earlier_sql(night: KeptNight, names: Sequence[str]) -> str:
    people, held = (_source(night, name) for name in ("people", "facts"))
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(f'coalesce(bool_or(k."{name}"), false)' for name in names)
    some = " or ".join(f'"{name}"' for name in names)
    return f"""insert into visit_earlier (person, {columns})
with kept as (
  select e.certificate_number, e.id_number, h.*
  from (select * from {held} where {some}) as h join {people} as e on e.person = h.person
),
again as (
  select p.person, k.person as then_person from people as p join kept as k on k.certificate_number = p.certificate_number
  where p.certificate_number <> ''
  union
  select p.person, k.person as then_person from people as p join kept as k on k.id_number = p.id_number
)
select a.person, {values}
from again as a join kept as k on k.person = a.then_person
group by a.person"""


def _source(night: KeptNight, name: str) -> str:
    path = str(night.folder / f"{name}.parquet").replace("'", "''")
    return f"read_parquet('{path}')"
