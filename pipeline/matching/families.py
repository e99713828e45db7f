"""Family connections: a house list names only its head; the rosters say whose family he heads or belongs to.

Kept in a table of its own (`family_links`), never among the links of a row's own person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb
import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.identity import id_number
from pipeline.matching import blocking
from pipeline.matching.exact import contradictions
from pipeline.matching.open_rows import all_open_sql
from pipeline.matching.pair_matching import Matcher, matched
from pipeline.matching.people import run_sql
from pipeline.matching.person_features import with_name_keys
from pipeline.matching.store import keep


def is_roster(dataset: Dataset) -> bool:
    """A list that names a family and has its members as rows."""
    return dataset.household is not None and dataset.household.family is not None


def is_house_list(dataset: Dataset) -> bool:
    """A list whose rows are houses (or families) known by their head only."""
    return (
        dataset.household is not None
        and dataset.household.family is None
        and dataset.household.head_id is not None
    )


def family_numbers_sql(rosters: list[Dataset]) -> str:
    """`register_families` (families with a register person) and `family_numbers` (the numbers of their members and heads).

    A register person whose row in the roster is in doubt puts the whole connection in doubt.
    """
    families: list[str] = []
    numbers: list[str] = []
    for roster in rosters:
        roles = roster.household
        assert roles is not None  # noqa: S101 is_roster says so
        family = f'l."{roles.family}"'
        families.extend(
            f"select distinct '{roster.dataset}' as roster, l.source_file, {family} as family, l.person, l.decision"
            f" from {kind}_{roster.table} as l where {family} is not null"
            for kind in ("linked", "doubtful")
        )
        people = [(roster.person.id, roster.person.name), (roles.head_id, roles.head_name)]
        numbers.extend(
            f"select f.roster, f.source_file, f.family, l.{number} as number, l.{name} as name"
            f" from list_{roster.table} as l"
            f" join distinct_families as f on f.source_file = l.source_file and f.family = {family}"
            f" where f.roster = '{roster.dataset}' and l.{number} is not null"
            for number, name in people
            if number and name
        )
    return (
        "create or replace table register_families as\n"
        + "\nunion all\n".join(families)
        + ";\ncreate or replace table distinct_families as select distinct roster, source_file, family from register_families"
        + ";\ncreate or replace table family_numbers as\n"
        + "\nunion\n".join(numbers)
        + ";\n"
    )


def heads_sql(house: Dataset) -> str:
    """House rows by the family in which the head's number stands, with both names."""
    roles = house.household
    assert roles is not None  # noqa: S101 is_house_list says so
    head_name = f"l.{roles.head_name}" if roles.head_name else "cast(null as varchar)"
    return (
        f"select '{house.dataset}' as dataset, l.source_file, l.sheet, l.source_row, {head_name} as head_name,"
        " n.roster, n.source_file as roster_file, n.family, n.name"
        f" from list_{house.table} as l join family_numbers as n on n.number = l.{roles.head_id}"
    )


# The people of the register's families, by their numbers: a head with a damaged number is compared with them.
_MEMBERS = """
select n.number as p_number, min(n.name) as p_name, min(p.county_code) as p_county, min(p.address) as p_address
from family_numbers as n
join register_families as f on f.roster = n.roster and f.source_file = n.source_file and f.family = n.family
join people as p on p.person = f.person
group by n.number
order by n.number"""

# House rows to the families of the person whom the fuzzy comparison found in their head.
_FOUND_HEADS = """
insert into house_heads
select '{dataset}' as dataset, o.source_file, o.sheet, o.source_row, cast(null as varchar) as head_name,
  n.roster, n.source_file as roster_file, n.family, cast(null as varchar) as name, d.decision
from open_{table} as o
join decided as d on d."row" = o."row"
join family_people as m on m.person = d.person
join family_numbers as n on n.number = m.p_number
where d.decision <> 'none'"""


def family_links_sql(houses: list[Dataset]) -> str:
    """`family_links`: house row × register person, through the roster that knows the family or the head himself."""
    through_roster = (
        "select h.dataset, h.source_file, h.sheet, h.source_row, f.person, h.roster as through, h.family,"
        " case when h.decision = 'linked' and f.decision = 'linked' then 'linked' else 'review' end as decision"
        " from house_heads as h"
        " join register_families as f"
        " on f.roster = h.roster and f.source_file = h.roster_file and f.family = h.family"
        " left join head_contradictions as n on n.register_name = h.name and n.row_name = h.head_name"
        " where n.register_name is null"
    )
    return (
        "create or replace table family_links as\n"
        + "\nunion\n".join([through_roster, *heads_themselves(houses)])
        + ";\n"
    )


def heads_themselves(houses: list[Dataset]) -> list[str]:
    """The house rows whose head is a register person."""
    return [
        f"select '{house.dataset}' as dataset, source_file, sheet, source_row, person, 'self' as through,"
        f" cast(null as varchar) as family, decision from {kind}_{house.table}"
        for house in houses
        for kind in ("linked", "doubtful")
    ]


def link_families(
    con: duckdb.DuckDBPyConnection,
    datasets: Mapping[str, Dataset],
    matcher: Matcher,
    successor: Callable[[str], str],
) -> None:
    """Creates `family_links` for every house list. A head's number under another's name connects nobody; a head
    without a sound number is compared with the members of the register's families. Reads `open_<list>`."""
    rosters = [d for d in datasets.values() if is_roster(d)]
    houses = [d for d in datasets.values() if is_house_list(d)]
    if not rosters or not houses:  # an office that follows few lists: heads stand for themselves
        run_sql(con, _NO_FAMILY_LINKS)
        for statement in heads_themselves(houses):
            run_sql(con, f"insert into family_links {statement}")
        return
    run_sql(con, family_numbers_sql(rosters))
    by_number = "\nunion\n".join(heads_sql(h) for h in houses)
    run_sql(
        con,
        f"create or replace table house_heads as select h.*, 'linked' as decision from ({by_number}) as h",
    )
    members = people_of_families(con)
    keep(con, "family_people", members.select("person", "p_number"))
    keep(con, "family_keys", blocking.person_keys(members, _NONE, {"accounts": _NONE, "heads": _NONE}))
    run_sql(con, all_open_sql(houses, "open_houses"))
    numbers = members["p_number"]
    decided = matched(con, "open_houses", lambda: members, numbers, "family_keys", matcher, successor)[1]
    keep(con, "decided", decided.select("row", "person", "decision"))
    for house in houses:
        run_sql(con, _FOUND_HEADS.format(dataset=house.dataset, table=house.table))
    names = (
        "select distinct name as register_name, head_name as row_name, false as confirmed"
        " from house_heads where name <> head_name"
    )
    keep(con, "head_contradictions", contradictions(con, [names]))
    run_sql(con, family_links_sql(houses))
    run_sql(con, _MORE_DOUBTED)


_NO_FAMILY_LINKS = """
create or replace table family_links (dataset varchar, source_file varchar, sheet varchar, source_row bigint, person bigint,
  through varchar, family varchar, decision varchar)"""

_MORE_DOUBTED = """
insert into doubted
select distinct f.person from family_links as f
left join doubted as d on d.person = f.person
where f.decision = 'review' and d.person is null"""

_NONE = pl.DataFrame(schema={"person": pl.Int64, "number": pl.String})


def people_of_families(con: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """The members and heads of the register's families as people to compare with; `person` is negative."""
    members: pl.DataFrame = con.sql(_MEMBERS).pl()
    number = pl.col("p_number")
    return with_name_keys(
        members.with_columns(
            person=-pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
            p_birth_date=id_number.birth_date(number),
            p_sex=id_number.sex(number),
            **{name: pl.lit(None, dtype=kind) for name, kind in _UNSAID.items()},
        )
    )


_UNSAID = {
    "certificate_number": pl.String,
    "p_typed": pl.String,
    "p_stated_birth_date": pl.Date,
    "p_phone": pl.String,
    "p_guardian_name": pl.String,
    "p_guardian_id": pl.String,
    "p_category": pl.String,
    "p_level": pl.String,
}
