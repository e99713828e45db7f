"""A snapshot's rows as the history compares them: whose, in which county, at which place. Numbers and names only as hashes.

Large lists stay small here: two 64-bit hashes, a county and a place a row. Hashes are of one process and never kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.own_number import RowPerson
from pipeline.identity import region
from pipeline.intake.normalise import county_field

NOWHERE = 0  # the county of a row that no county is known of
_TELLING = frozenset({"code", "date", "month", "year", "amount", "integer"})
HOMES = {"number": pl.UInt64, "home": pl.Int32}


def rows_of(files: Sequence[Path], dataset: Dataset, homes: pl.DataFrame | None = None) -> pl.DataFrame:
    """`number` and `name` (hashes; null where there is none that is sound), `county`, `sheet`, `row`; one row a row.

    A row's county is what the list says itself; else the county of the register person whose number it has (that is the
    county whose people would be wronged; `homes`); else the one in the number, which most people were born in or near.
    """
    who, area = RowPerson.of(dataset), county_field(dataset)
    numbers = [name for name in (who.id, who.certificate and f"{who.certificate}_id") if name]
    nothing = pl.lit(None, dtype=pl.String)
    number = pl.coalesce(*numbers) if numbers else nothing
    frame = pl.concat(
        pl.read_parquet(
            file,
            columns=[*{*numbers, *filter(None, (who.name, area))}, "sheet", "source_row"],
        ).select(
            number.hash().alias("number") if numbers else nothing.cast(pl.UInt64).alias("number"),
            (pl.when(pl.col(who.name).is_not_null()).then(pl.col(who.name).hash()) if who.name else nothing)
            .cast(pl.UInt64)
            .alias("name"),
            (pl.col(area).str.head(6) if area else nothing).cast(pl.Int32, strict=False).alias("area"),
            number.str.head(6).cast(pl.Int32, strict=False).alias("born"),
            pl.when(number.is_not_null()).then(True).otherwise(False).alias("sound"),
            "sheet",
            pl.col("source_row").alias("row"),
        )
        for file in files
    )
    frame = frame.with_columns(number=pl.when("sound").then("number"))
    if homes is None:
        homes = pl.DataFrame(schema=HOMES)
    placed = frame.join(homes, on="number", how="left", maintain_order="left")
    county = pl.coalesce(_today(placed["area"]), "home", _today(placed["born"]), pl.lit(NOWHERE, pl.Int32))
    return placed.select("number", "name", county.alias("county"), "sheet", "row")


def homes_of(register: pl.DataFrame) -> pl.DataFrame:
    """Number and county of the register's people, each number once."""
    known = register.filter(pl.col("number").is_not_null() & (pl.col("county") != NOWHERE))
    return known.select("number", pl.col("county").alias("home")).unique(
        "number", keep="first", maintain_order=True
    )


def by_county(rows: pl.DataFrame, counties: Sequence[str]) -> dict[str, int]:
    """Rows by the code of the county, of these counties only, in order."""
    counted = dict(rows["county"].value_counts().iter_rows())
    return {code: counted[int(code)] for code in counties if int(code) in counted}


def repeats(files: Sequence[Path], dataset: Dataset) -> int:
    """Rows that say about a person what another row says, by what a person may have once, or by all dates, codes and amounts."""
    who = RowPerson.of(dataset)
    numbers = [name for name in (who.id, who.certificate) if name]
    telling = [name for name, spec in dataset.fields.items() if spec.type in _TELLING]
    same = telling if dataset.unique_by is None else list(dataset.unique_by)
    columns = list(dict.fromkeys([*numbers, *same]))
    named = pl.any_horizontal(pl.col(numbers).is_not_null())
    hashes = [pl.read_parquet(file, columns=columns).filter(named).hash_rows() for file in files]
    whole = pl.concat(hashes)
    return whole.len() - whole.n_unique()


def _today(codes: pl.Series) -> pl.Series:
    """Today's code of each county."""
    heirs = {code: int(region.successor(f"{code:06d}")) for code in codes.drop_nulls().unique()}
    return codes.replace_strict(heirs, default=None, return_dtype=pl.Int32) if heirs else codes
