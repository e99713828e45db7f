"""The register becomes `people` and the numbers by which other lists may name them become `keys`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

import duckdb
import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.identity.person_name import fold
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
    run_sql(con, sql_text("people.sql"))
    run_sql(con, sql_text("numbers.sql"))
    names: pl.DataFrame = con.sql(_NAMES_OF_SHARED_NUMBERS).pl().sort("name")
    keep(con, "folded_names", names.with_columns(folded=fold(names["name"])))
    run_sql(con, sql_text("keys.sql"))


_NAMES_OF_SHARED_NUMBERS = """
select distinct p.name
from shared_numbers as s
join every_key as k on k.number = s.number and k.kind = s.kind
join people as p on p.person = k.person
where p.name is not null"""
