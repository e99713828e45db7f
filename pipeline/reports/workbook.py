"""Writes a county's workbook: text cells, one table a sheet, dropdowns, printable; nothing hidden, no macro, no formula.

The same rows give the same bytes: the creation time is the as-of date's midnight.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from pipeline.reports.guide import Guide
from pipeline.reports.listing import Listing
from pipeline.reports.sheet_parts import LINE, Look, lines, lines_of, page, put_text
from pipeline.reports.table_sheet import Sheet, write_table

__all__ = ["Sheet", "write_workbook"]


def write_workbook(
    path: Path,
    as_of: date,
    guide: Guide,
    sheets: Sequence[Sheet],
    townships: pl.DataFrame,
    scratch: Path,
    listings: Sequence[Listing] = (),
) -> None:
    """The workbook with the sheets 填写说明, `sheets`, `listings`, 乡镇汇总 and 入户核实要点 (if they have rows).

    `scratch` takes temporary files.
    """
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": str(scratch)})
    midnight = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC).replace(tzinfo=None)
    book.set_properties({"title": guide.title, "created": midnight})
    look = Look(book)
    _write_guide(book.add_worksheet("填写说明"), look, guide)
    for sheet in sheets:
        write_table(book.add_worksheet(sheet.name), look, sheet, guide.title)
    for listing in listings:
        if listing.rows.height:
            _write_listing(book.add_worksheet(listing.name), look, listing, guide.title)
    if townships.height:
        _write_townships(book.add_worksheet("乡镇汇总"), look, townships, guide.title)
    if guide.unchecked:
        _write_unchecked(book.add_worksheet("入户核实要点"), look, guide)
    book.close()


def _write_guide(sheet: Any, look: Look, guide: Guide) -> None:
    for column, width in enumerate((26, 100, 10)):
        sheet.set_column(column, column, width)
    sheet.hide_gridlines(2)
    sheet.set_row(0, 36)
    put_text(sheet, 0, 0, guide.title, look.title)
    row = 1
    for label, words in guide.lines:
        row = _guide_row(sheet, row, ((label, look.label), (words, look.line)))
    if guide.undecided:
        heads = ("暂不能判断的政策", "要补的名册（到齐后再比对）", "人数")
        row = _guide_row(sheet, row + 1, tuple((head, look.head) for head in heads))
        for title, people, lists in guide.undecided:
            sheet.write_number(row, 2, people, look.number)
            row = _guide_row(sheet, row, ((title, look.text), (lists, look.text)))
    page(sheet, guide.title)


def _write_unchecked(sheet: Any, look: Look, guide: Guide) -> None:
    """What no list shows, by policy: for the visit at home."""
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 110)
    row = _guide_row(sheet, 0, (("政策", look.head), ("系统查不到、请入户时一并核实", look.head)))
    for title, words in guide.unchecked:
        row = _guide_row(sheet, row, ((title, look.text), (words, look.text)))
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    page(sheet, guide.title)


def _guide_row(sheet: Any, row: int, cells: tuple[tuple[str, Any], ...]) -> int:
    """One row of text cells, high enough for the longest in column B; returns the next row."""
    sheet.set_row(row, 18 * max(lines(cells[0][0], 26), lines(cells[1][0], 100)) + 4)
    for column, (text, form) in enumerate(cells):
        put_text(sheet, row, column, text, form)
    return row + 1


def _write_listing(sheet: Any, look: Look, listing: Listing, title: str) -> None:
    """Notes across the width where there are any, the head, the rows."""
    columns, widths = list(listing.widths), list(listing.widths.values())
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    head = 0
    if listing.notes:
        notes, head = "\n".join(listing.notes), 1
        sheet.set_row(0, 17 * lines_of(notes, sum(widths)) + 8)  # its letters are larger than the table's
        sheet.merge_range(0, 0, 0, len(columns) - 1, "", look.line)
        put_text(sheet, 0, 0, notes, look.line)
    sheet.set_row(head, 32)
    for column, name in enumerate(columns):
        put_text(sheet, head, column, name, look.head)
    forms = [look.centre if name in listing.centred else look.text for name in columns]
    for number, row in enumerate(listing.rows.iter_rows(), start=head + 1):
        high = max(lines_of(text, wide) for text, wide in zip(row, widths, strict=True))
        sheet.set_row(number, LINE * high + 4)
        for column, text in enumerate(row):
            marked = (columns[column], text) == listing.bold
            put_text(sheet, number, column, text, look.head if marked else forms[column])
    bottom = head + listing.rows.height
    sheet.freeze_panes(head + 1, columns.index("姓名") + 1)
    sheet.autofilter(head, 0, bottom, len(columns) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:Z{bottom + 1}"})
    page(sheet, title)
    sheet.repeat_rows(head)


def _write_townships(sheet: Any, look: Look, counts: pl.DataFrame, title: str) -> None:
    """The counts per township: first column text, the others numbers; the last row is the total."""
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, counts.width - 1, 12)
    sheet.set_row(0, 24)
    for column, name in enumerate(counts.columns):
        put_text(sheet, 0, column, name, look.head)
    for number, row in enumerate(counts.iter_rows(), start=1):
        sheet.set_row(number, 20)
        last = number == counts.height
        put_text(sheet, number, 0, row[0], look.total if last else look.text)
        for column, count in enumerate(row[1:], start=1):
            sheet.write_number(number, column, count, look.total if last else look.number)
    sheet.freeze_panes(1, 1)
    sheet.repeat_rows(0)
    page(sheet, title)
