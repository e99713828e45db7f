"""One field of a block: cells as read become the snapshot's column or columns, and are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import polars as pl

from pipeline.contracts.dataset import FieldSpec
from pipeline.intake import values
from pipeline.intake.columns_read import Coded
from pipeline.intake.counts import FieldCounts

# The cell holds digits of an identifier, so the row is a person's.
HOLDS_DIGITS = ("checksum", "date", "masked", "scientific", "excel_zeros", "numeric_cell", "several")
_LIKE_ID = r"^\W*[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])[0-9]{3}[0-9Xx]"
_LOOKED_AT = 1000  # rows of a block in which other columns are searched for IDs
_PARSERS: dict[str, Callable[[str], Any]] = {
    "date": values.day,
    "month": values.month,
    "year": values.year,
    "amount": values.fen,
    "integer": values.whole,
    "region": values.region,
}


def clean(texts: pl.Series) -> pl.Series:
    """Without characters nobody sees and outer spaces; null where nothing is left."""
    at = texts.str.contains(r"^$|[\p{Cc}\p{Cf}\p{Z}]").arg_true()
    if not len(at):
        return texts
    plain = texts.gather(at).str.replace_all(r"[\p{Cc}\p{Cf}]+", "").str.strip_chars()
    return texts.clone().scatter(at, plain.set(plain == "", None))


def parsed(column: Coded, spec: FieldSpec) -> tuple[pl.Series, FieldCounts]:
    """A typed column through its distinct texts, and its counts. A blank is null, or the code that declares the blank as its spelling."""
    parse = _PARSERS.get(spec.type) or values.code_parser(spec.codes)
    numbers = spec.type in ("year", "amount", "integer") or spec.whole_number
    dtype = pl.Int64 if numbers else pl.Date if spec.type in ("date", "month") else pl.String
    read = [parse(text) for text in column.distinct]
    if spec.whole_number:
        read = [None if code is None else int(code) for code in read]
    return pl.Series(read, dtype=dtype).gather(column.index), _parsed_counts(column, read, spec)


def _parsed_counts(column: Coded, read: list[Any], spec: FieldSpec) -> FieldCounts:
    blank = damaged = 0
    kinds: Counter[str] = Counter()
    times = column.times() if None in read else []
    for text, value, seen in zip(column.distinct, read, times, strict=False):
        if seen and value is None:
            shown = values.visible(text)
            blank += 0 if shown else seen
            damaged += seen if shown else 0
            if shown and spec.type == "code":
                kinds[shown] += seen
    looked = pl.Series([column.distinct[at] for at in column.index.head(_LOOKED_AT)], dtype=pl.String)
    return FieldCounts(blank, damaged, kinds, _alike(looked), len(looked))


def identifier(name: str, spec: FieldSpec, cells: pl.Series, found: pl.DataFrame) -> dict[str, pl.Series]:
    """The four columns of an identifier field."""
    own, other = ("id", "certificate") if spec.type == "id" else ("certificate", "id")
    at = (found[own].is_null() & found["problem"].ne_missing("missing")).arg_true()
    typed = pl.Series([None], dtype=pl.String).new_from_index(0, len(cells))
    if len(at):
        typed = typed.scatter(at, clean(cells.gather(at)))
    return {
        name: found[own],
        f"{name}_{other}": found[other],
        f"{name}_problem": found["problem"],
        f"{name}_typed": typed,
    }


def identifier_counts(problem: pl.Series) -> FieldCounts:
    kinds = Counter(dict(problem.drop_nulls().value_counts(sort=True).iter_rows()))
    blank = kinds.pop("missing", 0)
    alike = len(problem) - blank - sum(n for kind, n in kinds.items() if kind not in HOLDS_DIGITS)
    return FieldCounts(blank, sum(kinds.values()), kinds, alike, len(problem))


def text_counts(cells: pl.Series, cleaned: pl.Series) -> FieldCounts:
    looked = cells.head(_LOOKED_AT)
    return FieldCounts(
        cleaned.null_count(), alike=int(looked.str.contains(_LIKE_ID).sum()), looked=len(looked)
    )


def _alike(texts: pl.Series) -> int:
    return int(texts.str.contains(_LIKE_ID).sum())
