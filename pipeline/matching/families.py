"""Family connections: a house list names only its head; the rosters say whose family he heads or belongs to.

Kept in a table of its own (`family_links`), never among the links of a row's own person.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from pipeline.contracts.dataset import Dataset
from pipeline.matching.exact import contradictions
from pipeline.matching.people import run_sql
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
    """`register_families` (families with a register person) and `family_numbers` (the numbers of their members and heads)."""
    families: list[str] = []
    numbers: list[str] = []
    for roster in rosters:
        roles = roster.household
        assert roles is not None  # noqa: S101 is_roster says so
        family = f'l."{roles.family}"'
        families.append(
            f"select distinct '{roster.dataset}' as roster, l.source_file, {family} as family, l.person"
            f" from linked_{roster.table} as l where {family} is not null"
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


def family_links_sql(houses: list[Dataset]) -> str:
    """`family_links`: house row × register person, through the roster that knows the family or the head himself."""
    through_roster = (
        "select h.dataset, h.source_file, h.sheet, h.source_row, f.person, h.roster as through, h.family, 'linked' as decision"
        " from house_heads as h"
        " join register_families as f"
        " on f.roster = h.roster and f.source_file = h.roster_file and f.family = h.family"
        " left join head_contradictions as n on n.register_name = h.name and n.row_name = h.head_name"
        " where n.register_name is null"
    )
    himself = [
        f"select '{house.dataset}' as dataset, source_file, sheet, source_row, person, 'self' as through,"
        f" cast(null as varchar) as family, decision from linked_{house.table}"
        for house in houses
    ]
    return "create or replace table family_links as\n" + "\nunion\n".join([through_roster, *himself]) + ";\n"


def link_families(con: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset]) -> None:
    """Creates `family_links` for every house list. A head's number under another's name connects nobody."""
    rosters = [d for d in datasets.values() if is_roster(d)]
    houses = [d for d in datasets.values() if is_house_list(d)]
    run_sql(con, family_numbers_sql(rosters))
    run_sql(con, "create or replace table house_heads as\n" + "\nunion\n".join(heads_sql(h) for h in houses))
    names = (
        "select distinct name as register_name, head_name as row_name, false as confirmed"
        " from house_heads where name <> head_name"
    )
    keep(con, "head_contradictions", contradictions(con, [names]))
    run_sql(con, family_links_sql(houses))
