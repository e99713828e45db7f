"""The register becomes `people` and the numbers by which other lists may name them become `keys`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import duckdb
import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.identity import id_repair
from pipeline.identity.person_name import fold, load_tables
from pipeline.matching.store import keep


def sql_text(name: str) -> str:
    """The whole text of a `.sql` file of this room."""
    return files("pipeline.matching").joinpath(name).read_text(encoding="utf-8")


def run_sql(con: duckdb.DuckDBPyConnection, text: str) -> None:
    """Runs every statement of a text to its end (an unfinished one would block the next)."""
    for statement in con.extract_statements(text):
        con.execute(statement).fetchall()


def load_people(con: duckdb.DuckDBPyConnection, register: Dataset, successor: Callable[[str], str]) -> None:
    """Creates `people`, `keys` and `matchable`. `successor` turns an abolished county code into today's."""
    con.execute(f"create or replace view register as select * from list_{register.table}").fetchall()
    con.execute(f"create or replace table register_name as select '{register.dataset}' as dataset").fetchall()
    codes = [
        row[0]
        for row in con.execute(
            "select distinct substr(area, 1, 6) from register where area is not null"
        ).fetchall()
    ]
    mapping = pl.DataFrame(
        {"delivered_code": sorted(codes), "county_code": [successor(code) for code in sorted(codes)]},
        schema={"delivered_code": pl.String, "county_code": pl.String},
    )
    keep(con, "county_codes", mapping)
    with ThreadPoolExecutor(1) as beside:  # DuckDB sorts the people and leaves a processor free
        loading = beside.submit(load_tables)
        run_sql(con, sql_text("people.sql"))
        run_sql(con, sql_text("numbers.sql"))
        loading.result()
    names: pl.DataFrame = con.sql(_NAMES_OF_SHARED_NUMBERS).pl().sort("name")
    keep(con, "folded_names", names.with_columns(folded=fold(names["name"])))
    ask_about(con, register)
    run_sql(con, sql_text("keys.sql"))


def ask_about(con: duckdb.DuckDBPyConnection, register: Dataset) -> None:
    """Creates `asked_numbers` (number, name), `repaired_numbers` (person, number) and `numberless` (name, born: YYYYMMDD).

    A row with a sound number may still be a register person's: where the number is his guardian's (`name` is then the
    guardian's own, whose rows are not meant), or one slip away from what the register holds of a person without one.
    """
    damaged: pl.DataFrame = con.sql(_DAMAGED).pl()
    near = id_repair.neighbours(damaged["typed"].str.slice(0, 18))
    repaired = near.select(damaged["person"].gather(near["at"]).alias("person"), "number").unique()
    keep(con, "repaired_numbers", repaired.sort("person", "number"))
    guardian = register.person.guardian_id
    guardians = (
        f"union select g.{guardian} as number, coalesce(g.gname, '') as name from register as g"
        f" where g.{guardian} is not null and coalesce(g.{guardian} <> g.id, true)"
        if guardian
        else ""
    )
    run_sql(
        con,
        f"create or replace table asked_numbers as select number, '' as name from repaired_numbers {guardians};"
        f"create or replace table numberless as {_NUMBERLESS}",
    )


_NUMBERLESS = """
select distinct
  p.name,
  concat(
    substr(cast(p.birth_date as varchar), 1, 4), substr(cast(p.birth_date as varchar), 6, 2),
    substr(cast(p.birth_date as varchar), 9, 2)
  ) as born
from people as p where p.id_number is null and p.name is not null and p.birth_date is not null"""

_DAMAGED = """
select p.person, coalesce(g.id_typed, g.cert_typed, g.cert) as typed
from people as p
join register as g on g.source_file = p.source_file and g.sheet = p.sheet and g.source_row = p.source_row
where p.id_number is null and coalesce(g.id_typed, g.cert_typed, g.cert) is not null
order by p.person"""

_NAMES_OF_SHARED_NUMBERS = """
select distinct p.name
from shared_numbers as s
join every_key as k on k.number = s.number and k.kind = s.kind
join people as p on p.person = k.person
where p.name is not null"""
