"""Where the cells lie that a department can repair: the first rows of every column and reason, in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from pipeline.contracts.dataset import FieldSpec
from pipeline.contracts.delivered import BLANK, KEPT_PLACES, UNREAD, Place
from pipeline.intake import values
from pipeline.intake.columns_read import Coded
from pipeline.intake.counts import FieldCounts


def repair_places(
    cells: pl.Series | Coded,
    read: pl.Series,
    counts: FieldCounts,
    spec: FieldSpec,
    rows: pl.Series,
    sheet: str,
) -> dict[str, tuple[Place, ...]]:
    """By reason (a kind of damaged identifier, UNREAD, BLANK of a required column) the first places.

    `read` is the column as it was understood; of an identifier, what is wrong with each (its problem column).
    """
    if not counts.damaged and not (spec.required and counts.blank):
        return {}
    found = {}
    for reason, mask in _masks(cells, read, spec):
        if reason != BLANK or spec.required:
            first = rows.gather(mask.fill_null(False).arg_true().head(KEPT_PLACES))
            if len(first):
                found[reason] = tuple((sheet, row) for row in first)
    return found


def _masks(cells: pl.Series | Coded, read: pl.Series, spec: FieldSpec) -> Iterator[tuple[str, pl.Series]]:
    if spec.type in ("id", "certificate"):
        for kind in sorted(read.drop_nulls().unique()):
            yield (BLANK if kind == "missing" else kind), read == kind
        return
    empty = read.is_null()
    if not isinstance(cells, Coded):
        yield BLANK, empty
        return
    written = [at for at in cells.index.filter(empty).unique() if values.visible(cells.distinct[at])]
    unread = empty & cells.index.is_in(written)
    yield UNREAD, unread
    yield BLANK, empty & ~unread
