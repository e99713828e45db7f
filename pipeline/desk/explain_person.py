"""The register person who is explained: what his row says, and whether lists can name him at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb


@dataclass(frozen=True)
class Person:
    """One line of `people`. `replaced_by` are the certificate numbers that count instead of a superseded one."""

    number: int  # of `people`
    certificate_number: str
    id_number: str | None
    name: str | None
    county_code: str
    birth_date: date | None
    category: str | None
    level: int | None
    state: str | None
    valid_until: date | None
    source_file: str
    sheet: str
    source_row: int
    id_problem: str | None  # of the register's ID column; null where it is sound
    matchable: bool
    superseded: bool
    numbers: tuple[str, ...]  # every number that names him in a list, sound IDs and certificate numbers
    replaced_by: tuple[str, ...]
    others: tuple[str, ...]  # certificates of other register rows that bear one of these numbers


_PERSON = """
select p.person as number, p.certificate_number, p.id_number, p.name, p.county_code, p.birth_date, p.category, p.level, p.state,
  p.valid_until, p.source_file, p.sheet, p.source_row, r.id_problem,
  m.person is not null as matchable, o.person is not null as superseded
from people as p
join register as r on r.source_file = p.source_file and r.sheet = p.sheet and r.source_row = p.source_row
left join matchable as m on m.person = p.person
left join superseded as o on o.person = p.person
where p.person = $person"""

_NUMBERS = "select distinct number from every_key where person = $person order by number"

_OTHERS = """
select distinct o.person, p.certificate_number, k.person is not null as counts
from every_key as e
join every_key as o on o.number = e.number and o.kind = e.kind
join people as p on p.person = o.person
left join keys as k on k.person = o.person and k.number = o.number and k.kind = o.kind
where e.person = $person and o.person <> $person
order by o.person"""


def read_person(con: duckdb.DuckDBPyConnection, number: int) -> Person:
    """The person of this number in `people`."""
    asked = {"person": number}
    found = con.execute(_PERSON, asked)
    names = [column[0] for column in found.description or ()]
    row = dict(zip(names, found.fetchall()[0], strict=True))
    numbers = tuple(n for (n,) in con.execute(_NUMBERS, asked).fetchall())
    others = con.execute(_OTHERS, asked).fetchall()
    counting = tuple(certificate for _, certificate, counts in others if counts) if row["superseded"] else ()
    every = tuple(certificate for _, certificate, _ in others)
    return Person(**row, numbers=numbers, replaced_by=counting, others=every)
