"""Workbooks (xlsx, xlsb, xls) as rows of text, physical row by physical row.

calamine tells numbers from text, which is why it is used: a number of 1e15 and more has lost digits and is marked
(`NUMERIC_CELL`), never shown as if it were an ID. Its own error texts never pass through: they may quote cells.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from pipeline.identity.id_number import NUMERIC_CELL
from pipeline.intake.sniff import Kind, Unreadable, open_plain, sniff_open
from pipeline.intake.workbook_guard import check_xls, check_zip, unreadable

__all__ = ["Sheet", "Unreadable", "fill_merges", "number_text", "read_workbook"]

_ROW_LIMITS = {Kind.XLS: 65_536, Kind.XLSX: 1_048_576, Kind.XLSB: 1_048_576}
_HEADER_ROWS = 20
_ID_LIKE = re.compile(r"[0-9]{14}")


@dataclass(frozen=True)
class Sheet:
    """`rows[0]` is physical row 1 and its first cell column A, whatever is empty in front. Cells are text, "" if empty."""

    name: str
    rows: list[list[str]]
    visible: bool


def read_workbook(path: Path, *, unpacked_limit_mb: int) -> list[Sheet]:
    """All worksheets, hidden ones too, in the workbook's order. `unpacked_limit_mb`: MiB it may take in memory.

    Raises Unreadable: E201 password, E202 damaged or cut short, E203 too large when unpacked, E204 a visible sheet
    that is full to the format's last row, E205 not a workbook.
    """
    limit = unpacked_limit_mb << 20
    with open_plain(path) as file:
        kind = sniff_open(file)
        if kind is Kind.PROTECTED:
            raise unreadable("E201")
        if kind not in _ROW_LIMITS:
            raise unreadable("E205")
        if kind is Kind.XLS:
            check_xls(file)
        else:
            check_zip(file, limit)
        file.seek(0)
        sheets = _sheets(file)
    for sheet in sheets:
        if sheet.visible and len(sheet.rows) == _ROW_LIMITS[kind]:
            raise unreadable("E204", sheet.name, len(sheet.rows))
    return sheets


def _sheets(file: BinaryIO) -> list[Sheet]:
    try:
        book = CalamineWorkbook.from_filelike(file)
        return [
            Sheet(about.name, _rows(book.get_sheet_by_index(at)), about.visible is SheetVisibleEnum.Visible)
            for at, about in enumerate(book.sheets_metadata)
            if about.typ is SheetTypeEnum.WorkSheet
        ]
    except PasswordError:
        raise unreadable("E201") from None
    except (CalamineError, ValueError, OverflowError, OSError):
        raise unreadable("E202") from None
    except BaseException as panic:  # a Rust panic is no Exception
        if type(panic).__name__ != "PanicException":
            raise
        raise unreadable("E202") from None


def _rows(sheet: CalamineSheet) -> list[list[str]]:
    front = [""] * (sheet.start[1] if sheet.start else 0)  # calamine leaves out empty columns in front
    rows = [front + [v if v.__class__ is str else _text(v) for v in row] for row in sheet.iter_rows()]
    fill_merges(rows, sheet.merged_cell_ranges or ())
    return rows


def _text(value: object) -> str:
    """A cell that is not text, as the text a clerk sees; error cells come as "" from calamine."""
    if value.__class__ is float or value.__class__ is int:
        return number_text(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    return str(value)


def number_text(number: float) -> str:
    """A numeric cell: no ".0", no exponent, 15 significant digits as Excel shows; 1e15 and more are
    marked as digits lost."""
    if -1e15 < number < 1e15:
        whole = int(number)
        if whole == number:
            return str(whole)
        text = f"{number:.15g}"
        return format(Decimal(text), "f") if "e" in text else text
    if not math.isfinite(number):
        return ""
    # Excel keeps 15 significant digits, so a typed number is the nearest of those; a script's float keeps all it has.
    shown = Decimal(f"{number:.15g}")
    whole = int(shown) if float(shown) == number else int(number)
    return f"{NUMERIC_CELL}{whole}"


def fill_merges(rows: list[list[str]], merges: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    """Writes a merged cell's text into its empty cells: downwards everywhere, to the right only above the data.

    A 户主 merged over the rows of a family belongs to each of them, a heading merged over columns to each column; a
    合计 merged over columns does not. Ranges are ((top, left), (bottom, right)) from 0, inclusive.
    """
    data_from = next((at for at, row in enumerate(rows[:_HEADER_ROWS]) if _has_number(row)), _HEADER_ROWS)
    for (top, left), (bottom, right) in merges:
        if top >= len(rows) or left >= len(rows[top]) or not rows[top][left]:
            continue
        text, last = rows[top][left], right if top < data_from else left
        for row in rows[top : bottom + 1]:
            for column in range(left, min(last + 1, len(row))):
                row[column] = row[column] or text


def _has_number(row: list[str]) -> bool:
    return any(_ID_LIKE.search(cell) for cell in row)
