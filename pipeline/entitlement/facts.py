"""Facts: what the accepted lists say of a register person, three-valued, one column a fact.

A fact is unknown (NULL) where its list was not accepted for the person's county, where a row says something no code
list knows, where a link is doubtful, or where the person has no sound number by which any list could name him.
What was seen somewhere stays seen: a positive row in another county's list is true whatever is missing at home.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import duckdb

from pipeline.contracts.dataset import Dataset
from pipeline.entitlement.dates import date_words
from pipeline.entitlement.fact import Fact as Fact
from pipeline.entitlement.fact import declared_facts as declared_facts
from pipeline.entitlement.fact import read_fact as read_fact
from pipeline.entitlement.fact_values import condition_sql as condition_sql
from pipeline.entitlement.fact_values import (
    fields_used,
    register_sharers_join_sql,
    sharers_join_sql,
    sharers_of,
    value_sql,
)
from pipeline.entitlement.family_rows import family_rows_sql


def list_facts_sql(
    dataset: Dataset, facts: list[Fact], as_of: date, rows: str = "", *, sure: bool = False
) -> str:
    """One row a person of whom the list has a row (or a house, for facts of the household): person and the facts.

    `rows` is the table of rows with `person` and `decision`, the list's own where none is given. With `sure` only
    linked rows count, and only people of whom some row is in doubt are asked about.
    """
    words = date_words(as_of)
    live = (
        condition_sql(dataset.live, dataset, words, f"{dataset.dataset} 的 live") if dataset.live else "true"
    )
    values = ",\n  ".join(f'{value_sql(fact, words)} as "{fact.name}"' for fact in facts)
    rows = rows or _rows_sql(dataset, facts, as_of, sure)
    joins = "".join(sharers_join_sql(fact, words, live) for fact in facts if fact.kind == "sharing")
    return (
        f"select r.person,\n  {values}\n"
        f"from (select r.*, ({live}) as live from {rows} as r) as r{joins}\ngroup by r.person"
    )


def _rows_sql(dataset: Dataset, facts: list[Fact], as_of: date, sure: bool) -> str:
    """Which rows the facts are made of: the person's own, his family's, or those of the house his family heads."""
    if any(fact.of_members for fact in facts):
        return family_rows_sql(dataset, as_of, sure)
    if any(fact.spec.of_household for fact in facts):
        return house_rows_sql(dataset, sure)
    rows = person_rows_sql(dataset, sure)
    if not any(fact.kind == "counties" for fact in facts):
        return rows
    return (
        f"(select o.*, s.county_code as delivered_by from {rows} as o"
        f" left join delivered_files as s on s.dataset = '{dataset.dataset}' and s.source_file = o.source_file)"
    )


def person_rows_sql(dataset: Dataset, sure: bool) -> str:
    """The rows of a list by person: the linked ones and, unless only the sure are wanted, the doubtful ones."""
    if sure:
        return f"(select l.* from linked_{dataset.table} as l join doubted as d on d.person = l.person)"
    columns = ", ".join(
        [*(f'"{name}"' for name in fields_used(dataset)), "source_file", "person", "decision"]
    )
    return " union all ".join(
        [f"(select {columns} from linked_{dataset.table}", f"select {columns} from doubtful_{dataset.table})"]
    )


def house_rows_sql(dataset: Dataset, sure: bool) -> str:
    """The rows of a house list by the people of the family that the house's head belongs to."""
    only = " and f.decision = 'linked'" if sure else ""
    carried = ", ".join(f'h."{name}"' for name in fields_used(dataset))
    return (
        f"(select distinct f.person, f.source_file, f.sheet, f.source_row, f.decision, {carried} from family_links as f"
        f" join list_{dataset.table} as h"
        " on h.source_file = f.source_file and h.sheet = f.sheet and h.source_row = f.source_row"
        f" where f.dataset = '{dataset.dataset}'{only})"
    )


def register_fact_sql(fact: Fact, as_of: date) -> str:
    """A fact of the register's own row (alias p), where every person has exactly one row."""
    words = date_words(as_of)
    if fact.kind == "age":
        day = words[fact.condition]
        number = f"(year({day}) * 10000 + month({day}) * 100 + day({day}))"
        birth = "(year(p.birth_date) * 10000 + month(p.birth_date) * 100 + day(p.birth_date))"
        return f"cast(floor(({number} - {birth}) / 10000.0) as bigint)"
    if fact.kind == "any":
        return f"({condition_sql(fact.condition, fact.dataset, words, fact.name, alias='g')})"
    if fact.kind == "sharing":
        return f"coalesce({sharers_of(fact)}.others, 0)"
    return f'g."{fact.field}"'


def fact_column_sql(fact: Fact, as_of: date, rosters: list[Dataset]) -> str:
    """One column of `facts`: the value, or unknown by the rule of where unknown comes from."""
    if fact.dataset.role == "register":
        return f'{register_fact_sql(fact, as_of)} as "{fact.name}"'
    alias = f"x_{fact.table}"
    value = f'{alias}."{fact.name}"'
    absent = (
        {"BOOLEAN": "false", "BIGINT": "0"}.get(fact.sql_type, "null") if fact.spec.absent == "no" else "null"
    )
    if fact.dataset.role == "deaths":
        # entitlements.md: without any death list the outcomes stand, and say so
        said = f"coalesce({value}, false)" if fact.is_yes_no else value
        return f'{said} as "{fact.name}"'
    needed = [f'c."{fact.dataset.table}"']
    if fact.spec.of_household:
        needed += [f'c."{roster.table}"' for roster in rosters]
    # what was seen anywhere stands; a count or a sum is only whole where the home list is there
    seen = {"any": f"when {value} then true", "first": f"when {value} is not null then {value}"}.get(
        fact.kind, ""
    )
    return (
        f"case {seen} when not ({' and '.join(needed)}) then null when m.person is null then null"
        f' when {alias}.person is null then {absent} else {value} end as "{fact.name}"'
    )


def build_facts(
    con: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset], facts: Mapping[str, Fact], as_of: date
) -> None:
    """Creates `facts`: person, county_code and one column for every fact in `facts`, unknown as NULL; and `unmatchable`.

    Also `facts_sure`, the same for the people of whom some row is in doubt, as if there were no such row. Reads
    `people`, `register`, `matchable`, `superseded`, `linked_<list>`, `doubtful_<list>`, `doubted`, `family_links` and
    `covered` (county_code and one Boolean column a list). Only the facts given are computed: pass those that rules use.
    """
    doubted = con.execute("select count(*) from doubted").fetchall() != [(0,)]
    again = facts_sql(datasets, facts, as_of, sure=True) if doubted else [_NOBODY_DOUBTED]
    for statement in (*facts_sql(datasets, facts, as_of, sure=False), *again, UNMATCHABLE):
        con.execute(statement).fetchall()


_NOBODY_DOUBTED = "create or replace table facts_sure as select * from facts where false"


# Nearly everybody can be matched: the few others are the smaller table to look up.
UNMATCHABLE = """
create or replace table unmatchable as
select f.person from facts as f left join matchable as m on m.person = f.person where m.person is null"""


def facts_sql(
    datasets: Mapping[str, Dataset], facts: Mapping[str, Fact], as_of: date, *, sure: bool
) -> list[str]:
    """The statements that make `facts` or `facts_sure`: one aggregate a list, then the table of all people."""
    by_table: dict[str, list[Fact]] = {}
    for fact in facts.values():
        if fact.dataset.role != "register":
            by_table.setdefault(fact.table, []).append(fact)
    kind = "facts_sure" if sure else "facts"
    statements = []
    words = date_words(as_of)
    joins = [
        register_sharers_join_sql(fact, words)
        for fact in facts.values()
        if fact.dataset.role == "register" and fact.kind == "sharing"
    ]
    for table, some in by_table.items():
        query = list_facts_sql(some[0].dataset, some, as_of, sure=sure)
        statements.append(f"create or replace table {kind}_{table} as\n{query}")
        joins.append(f"left join {kind}_{table} as x_{table} on x_{table}.person = p.person")
    rosters = [d for d in datasets.values() if d.household is not None and d.household.family is not None]
    columns = ",\n  ".join(fact_column_sql(fact, as_of, rosters) for fact in facts.values())
    only = "join doubted as d on d.person = p.person\n" if sure else ""
    statements.append(
        f"create or replace table {kind} as\nselect p.person, p.county_code,\n  {columns}\nfrom people as p\n{only}"
        "join register as g on g.source_file = p.source_file and g.sheet = p.sheet and g.source_row = p.source_row\n"
        "left join superseded as o on o.person = p.person\n"
        "left join covered as c on c.county_code = p.county_code\n"
        "left join matchable as m on m.person = p.person\n" + "\n".join(joins) + "\nwhere o.person is null"
    )
    return statements
