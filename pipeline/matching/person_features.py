"""What the register says of a person, and what exact links have taught: the other side of every compared pair."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.identity.person_name import fold, sound_key
from pipeline.matching.former_names import former_names
from pipeline.matching.people import run_sql
from pipeline.matching.townships import townships

# A person's line of the register. `typed` is what stands where a sound number should: only of people who have none.
_PEOPLE = """
select
  p.person,
  p.certificate_number,
  p.id_number as p_number,
  case when p.id_number is null then coalesce(g.{id}_typed, g.{cert}_typed, g.{cert}) end as p_typed,
  p.name as p_name,
  p.birth_date as p_birth_date,
  g.{dob} as p_stated_birth_date,
  case
    when p.id_number is null then cast(g.{sex} as varchar)
    when cast(substr(p.id_number, 17, 1) as integer) % 2 = 1 then '男'
    else '女'
  end as p_sex,
  p.county_code as p_county,
  p.address as p_address,
  {phone} as p_phone,
  g.gname as p_guardian_name,
  {guardian} as p_guardian_id,
  p.category as p_category,
  cast(p.level as varchar) as p_level
from people as p
join register as g on g.source_file = p.source_file and g.sheet = p.sheet and g.source_row = p.source_row
order by p.person"""


def person_features(con: duckdb.DuckDBPyConnection, register: Dataset) -> pl.DataFrame:
    """One row a register person, in the order of `person`: the columns above and the name's keys."""
    roles = register.person
    query = _PEOPLE.format(
        id=roles.id,
        cert=roles.certificate,
        dob=roles.birth_date or "dob",
        sex=roles.sex or "sex",
        phone=f"g.{roles.phone}" if roles.phone else "cast(null as varchar)",
        guardian=f"g.{roles.guardian_id}" if roles.guardian_id else "cast(null as varchar)",
    )
    return with_name_keys(con.sql(query).pl())


def with_name_keys(people: pl.DataFrame) -> pl.DataFrame:
    """Adds the names' match keys: `p_folded`, `p_sound`, `p_former`, `p_guardian_folded`."""
    folded = fold(people["p_name"])
    return people.with_columns(
        folded.alias("p_folded"),
        sound_key(folded).alias("p_sound"),
        former_names(people["p_name"]).alias("p_former"),
        fold(people["p_guardian_name"]).alias("p_guardian_folded"),
    )


def with_comparison_fields(people: pl.DataFrame) -> pl.DataFrame:
    """Adds what only a comparison looks at, of those who have a pair: `p_township` (of the address)."""
    return people.with_columns(townships(people["p_address"], people["p_county"]).alias("p_township"))


def learn(con: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset]) -> None:
    """Creates `learned_accounts` (person, number) and `learned_heads` (person, number) from the exact links.

    A list that pays a person into an account, or names the head of his family, makes a damaged row of another list
    recognisable by the same account or head.
    """
    accounts, heads = [_NOTHING], [_NOTHING]
    for dataset in datasets.values():
        if dataset.role == "register":
            continue
        source = f"from linked_{dataset.table} as l where"
        account, house = dataset.person.account, dataset.household
        if account:
            accounts.append(f"select l.person, l.{account} as number {source} l.{account} is not null")
        if house and house.head_id and dataset.person.id:
            heads.append(
                f"select l.person, l.{house.head_id} as number {source} l.{house.head_id} is not null"
            )
    run_sql(con, "create or replace table learned_accounts as\n" + "\nunion\n".join(accounts))
    run_sql(con, "create or replace table learned_heads as\n" + "\nunion\n".join(heads))


_NOTHING = "select cast(null as bigint) as person, cast(null as varchar) as number where false"
