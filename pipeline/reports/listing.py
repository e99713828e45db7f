"""A list in a county's workbook that nobody fills in: it is read, sorted and printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl


@dataclass(frozen=True)
class Listing:
    """One sheet: `rows` have the columns of `widths` (all String, no null), `notes` stand above the head.

    `widths` are characters, together under 270, so that the list prints on one A4 page's width. `bold` is a column and the
    text that stands out in it.
    """

    name: str
    widths: Mapping[str, float]
    centred: tuple[str, ...]
    rows: pl.DataFrame
    notes: tuple[str, ...] = ()
    bold: tuple[str, str] = ("", "")

    def part(self, start: int, rows: int) -> Listing:
        """The same list with these rows only."""
        return replace(self, rows=self.rows.slice(start, rows))
