"""Rows of a file in words that no program takes for anything else: 3、5、8至10.

Not 8-10: a spreadsheet that opens the CSV makes the tenth of August of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from pipeline.contracts.delivered import Place

_MOST_DIGITS = 7  # no sheet has more rows, and eight digits in a row may be somebody's number


def shown_places(places: Iterable[Place]) -> tuple[Place, ...]:
    """Each once, by sheet in the order in which they come, the rows ascending."""
    told = dict.fromkeys((sheet, row) for sheet, row in places if row_number(row))
    sheets = list(dict.fromkeys(sheet for sheet, _ in told))
    return tuple(sorted(told, key=lambda place: (sheets.index(place[0]), place[1])))


def row_number(row: int) -> str:
    """ "" for no row, and for one that no sheet has."""
    return str(row) if row and len(str(row)) <= _MOST_DIGITS else ""


def row_words(rows: Sequence[int]) -> str:
    """Ascending rows, three and more in a row as one word; two stand for themselves."""
    parts: list[str] = []
    for _, run in groupby(enumerate(rows), key=lambda pair: pair[1] - pair[0]):
        own = [row for _, row in run]
        parts += [f"{own[0]}至{own[-1]}"] if len(own) > 2 else map(str, own)
    return "、".join(parts)


def place_words(places: Sequence[Place], of: int) -> str:
    """The places of one file; `of` is how many there are in all. The sheet is named where there are several."""
    sheets = {
        sheet: [row for one, row in places if one == sheet] for sheet in dict.fromkeys(s for s, _ in places)
    }
    named = len(sheets) > 1
    parts = [f"{sheet}：{row_words(rows)}" if named else row_words(rows) for sheet, rows in sheets.items()]
    return "；".join(parts) + (f" 等{of}行" if parts and of > len(places) else "")
