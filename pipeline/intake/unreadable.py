"""Who stands in a row that cannot be used: the sound ID numbers in its cells, so that nobody is called absent for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from pipeline.contracts.tables import UNREADABLE
from pipeline.identity import id_number

Number = tuple[str, int, str]  # sheet, physical row, sound ID number

_DIGITS = "[0-9０-９]"  # full-width ones too
_FEWEST = 15  # digits of an old ID
_BETWEEN = "[^0-9０-９A-Za-zＡ-Ｚａ-ｚ*]+"  # a cell may have swallowed its neighbours


def numbers_in(columns: Sequence[pl.Series], rows: pl.Series, sheet: str) -> tuple[Number, ...]:
    """The numbers in some rows' cells (`columns`: their texts), each once a row, sorted. A certificate gives its ID part."""
    cells = [
        pl.DataFrame([rows.alias("row"), column.cast(pl.String).alias("text")]).filter(
            pl.col("text").str.count_matches(_DIGITS) >= _FEWEST
        )
        for column in columns
    ]
    whole = pl.concat(cells) if cells else pl.DataFrame(schema={"row": pl.Int64, "text": pl.String})
    pieces = whole.with_columns(pl.col("text").str.replace_all(_BETWEEN, "\n").str.split("\n")).explode(
        "text", empty_as_null=False
    )
    both = pl.concat([whole, pieces]).filter(pl.col("text").str.count_matches(_DIGITS) >= _FEWEST)
    found = both.select("row", number=id_number.normalise(both["text"])["id"]).drop_nulls()
    return tuple((sheet, row, number) for row, number in found.unique().sort("row", "number").iter_rows())


def unreadable_table(dataset: str, file: str, numbers: Iterable[Number]) -> pl.DataFrame:
    """The numbers as the table that matching takes (contracts/tables.py), sorted."""
    rows = [(dataset, file, *number) for number in sorted(set(numbers))]
    return pl.DataFrame(rows, schema=UNREADABLE, orient="row")
