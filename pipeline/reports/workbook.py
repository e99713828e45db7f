"""Writes a county's workbook: text cells, one table a sheet, dropdowns, printable; nothing hidden, no macro, no formula.

The same rows give the same bytes: the creation time is the as-of date's midnight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import ceil
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from pipeline.contracts.answer_lists import MEASURES, REASONS, RESULTS
from pipeline.reports.guide import Guide
from pipeline.reports.listing import Listing
from pipeline.reports.rows import ANSWERS, COLUMNS

# Character widths. Together they decide how small the print gets on one A4 page's width: keep the sum under 305.
_WIDTHS = {
    "序号": 5.5, "疑点编号": 10.5, "进展": 7, "首次发现": 6.5, "比对月份": 6.5, "县(市、区)": 8.5, "乡镇": 9, "村(社区)": 8.5, "姓名": 8, "身份证号": 19.5,
    "残疾人证号": 12, "残疾类别": 4.8, "残疾等级": 4.8, "证件有效期至": 6.5, "证件状态": 4.8, "年龄": 4.8, "监护人": 8,
    "疑点类型": 7, "涉及政策": 12, "疑点描述": 34, "匹配方式与置信度": 15, "依据文号": 13, "预计金额": 9, "责任部门": 6, "性质": 6.5, "下发次数": 5, "反馈截止日": 6.5, "核查结果": 8.5,
    "情况说明": 12, "处理措施": 8.5, "办结日期": 8.5, "核查人": 7, "核查日期": 8.5,
}  # fmt: skip
_CENTRED = {
    "进展",
    "下发次数",
    "预计金额",
    "序号",
    "残疾类别",
    "残疾等级",
    "证件状态",
    "年龄",
    "性质",
    "责任部门",
    "疑点类型",
}
_FROZEN = COLUMNS.index("姓名") + 1
_WRAPPED = tuple(
    (i, _WIDTHS[name]) for i, name in enumerate(COLUMNS) if name not in ("序号", "身份证号", *ANSWERS)
)
_LINE = 14.5  # points
_LONGEST = 16_000  # a cell holds 32,767 UTF-16 units; a longer string would silently not be written


@dataclass(frozen=True)
class Sheet:
    """A table sheet: its name and the printed rows (COLUMNS, all String)."""

    name: str
    rows: pl.DataFrame


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
    look = _Look(book)
    _write_guide(book.add_worksheet("填写说明"), look, guide)
    for sheet in sheets:
        _write_table(book.add_worksheet(sheet.name), look, sheet, guide.title)
    for listing in listings:
        if listing.rows.height:
            _write_listing(book.add_worksheet(listing.name), look, listing, guide.title)
    if townships.height:
        _write_townships(book.add_worksheet("乡镇汇总"), look, townships, guide.title)
    if guide.unchecked:
        _write_unchecked(book.add_worksheet("入户核实要点"), look, guide)
    book.close()


class _Look:
    """The workbook's formats: one font, three colours, borders light enough to print."""

    def __init__(self, book: Any) -> None:
        base = {"font_name": "等线", "font_size": 10.5, "valign": "vcenter", "num_format": "@"}
        cell = {**base, "text_wrap": True, "border": 1, "border_color": "#BFC5CC"}
        head = {**cell, "bold": True, "align": "center", "bg_color": "#DCE6F0"}
        self.text = book.add_format(cell)
        self.centre = book.add_format({**cell, "align": "center"})
        self.head = book.add_format(head)
        self.answer_head = book.add_format({**head, "bg_color": "#FFE699"})
        self.answer = book.add_format({**cell, "bg_color": "#FFFBE6"})
        self.number = book.add_format({**cell, "num_format": "#,##0"})
        self.total = book.add_format({**cell, "num_format": "#,##0", "bold": True, "bg_color": "#F2F4F7"})
        self.title = book.add_format({**base, "font_size": 16, "bold": True})
        self.label = book.add_format({**cell, "bold": True, "bg_color": "#DCE6F0", "valign": "top"})
        self.line = book.add_format({**cell, "valign": "top", "font_size": 11})


def _text(sheet: Any, row: int, column: int, text: str, form: Any) -> None:
    # xlsxwriter takes a string between <r> and </r> for ready-made XML: a name must not be.
    sheet.write_string(row, column, f"'{text}" if text.startswith("<r>") else text[:_LONGEST], form)


def _page(sheet: Any, title: str) -> None:
    """A4 landscape, one page wide, with the title above and the page number below."""
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.3, right=0.3, top=0.6, bottom=0.5)
    sheet.set_header(f"&L&10{title.replace('&', '&&')}&R&10&A")
    sheet.set_footer("&C&9第 &P 页，共 &N 页")


def _write_table(sheet: Any, look: _Look, table: Sheet, title: str) -> None:
    last = table.rows.height
    for column, name in enumerate(COLUMNS):
        sheet.set_column(column, column, _WIDTHS[name])
    sheet.set_row(0, 32)
    for column, name in enumerate(COLUMNS):
        _text(sheet, 0, column, name, look.answer_head if name in ANSWERS else look.head)
    forms = [
        look.answer if name in ANSWERS else look.centre if name in _CENTRED else look.text for name in COLUMNS
    ]
    for number, row in enumerate(table.rows.iter_rows(), start=1):
        # Not every spreadsheet program heightens a row for wrapped text when it opens the file.
        sheet.set_row(number, _LINE * max(1, *(_lines(row[i], wide) for i, wide in _WRAPPED)) + 4)
        for column, text in enumerate(row):
            if text:
                _text(sheet, number, column, text, forms[column])
            else:
                sheet.write_blank(number, column, None, forms[column])
    sheet.freeze_panes(1, _FROZEN)
    sheet.autofilter(0, 0, last, len(COLUMNS) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:{xl_col_to_name(len(COLUMNS) - 1)}{last + 1}"})
    _page(sheet, title)
    sheet.repeat_rows(0)
    if last:
        _dropdowns(sheet, last)


def _dropdowns(sheet: Any, last: int) -> None:
    def choose(column: str, choices: tuple[str, ...], **how: Any) -> None:
        at = COLUMNS.index(column)
        sheet.data_validation(1, at, last, at, {"validate": "list", "source": list(choices), **how})

    choose("核查结果", RESULTS, error_title="核查结果", error_message=f"请从下拉框选择：{'、'.join(RESULTS)}")
    choose(
        "处理措施",
        MEASURES,
        error_type="warning",
        error_title="处理措施",
        error_message="不在常用措施中，确定这样写吗？",
    )
    choose(
        "情况说明",
        REASONS,
        show_error=False,
        input_title="情况说明",
        input_message="可选常见原因，也可自己写一句",
    )


def _write_guide(sheet: Any, look: _Look, guide: Guide) -> None:
    for column, width in enumerate((26, 100, 10)):
        sheet.set_column(column, column, width)
    sheet.hide_gridlines(2)
    sheet.set_row(0, 36)
    _text(sheet, 0, 0, guide.title, look.title)
    row = 1
    for label, words in guide.lines:
        row = _guide_row(sheet, row, ((label, look.label), (words, look.line)))
    if guide.undecided:
        heads = ("暂不能判断的政策", "要补的名册（到齐后再比对）", "人数")
        row = _guide_row(sheet, row + 1, tuple((head, look.head) for head in heads))
        for title, people, lists in guide.undecided:
            sheet.write_number(row, 2, people, look.number)
            row = _guide_row(sheet, row, ((title, look.text), (lists, look.text)))
    _page(sheet, guide.title)


def _write_unchecked(sheet: Any, look: _Look, guide: Guide) -> None:
    """What no list shows, by policy: for the visit at home."""
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 110)
    row = _guide_row(sheet, 0, (("政策", look.head), ("系统查不到、请入户时一并核实", look.head)))
    for title, words in guide.unchecked:
        row = _guide_row(sheet, row, ((title, look.text), (words, look.text)))
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    _page(sheet, guide.title)


def _guide_row(sheet: Any, row: int, cells: tuple[tuple[str, Any], ...]) -> int:
    """One row of text cells, high enough for the longest in column B; returns the next row."""
    sheet.set_row(row, 18 * max(_lines(cells[0][0], 26), _lines(cells[1][0], 100)) + 4)
    for column, (text, form) in enumerate(cells):
        _text(sheet, row, column, text, form)
    return row + 1


def _write_listing(sheet: Any, look: _Look, listing: Listing, title: str) -> None:
    """Notes across the width where there are any, the head, the rows."""
    columns, widths = list(listing.widths), list(listing.widths.values())
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    head = 0
    if listing.notes:
        notes, head = "\n".join(listing.notes), 1
        sheet.set_row(0, 17 * _lines_of(notes, sum(widths)) + 8)  # its letters are larger than the table's
        sheet.merge_range(0, 0, 0, len(columns) - 1, "", look.line)
        _text(sheet, 0, 0, notes, look.line)
    sheet.set_row(head, 32)
    for column, name in enumerate(columns):
        _text(sheet, head, column, name, look.head)
    forms = [look.centre if name in listing.centred else look.text for name in columns]
    for number, row in enumerate(listing.rows.iter_rows(), start=head + 1):
        high = max(_lines_of(text, wide) for text, wide in zip(row, widths, strict=True))
        sheet.set_row(number, _LINE * high + 4)
        for column, text in enumerate(row):
            marked = (columns[column], text) == listing.bold
            _text(sheet, number, column, text, look.head if marked else forms[column])
    bottom = head + listing.rows.height
    sheet.freeze_panes(head + 1, columns.index("姓名") + 1)
    sheet.autofilter(head, 0, bottom, len(columns) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:Z{bottom + 1}"})
    _page(sheet, title)
    sheet.repeat_rows(head)


def _write_townships(sheet: Any, look: _Look, counts: pl.DataFrame, title: str) -> None:
    """The counts per township: first column text, the others numbers; the last row is the total."""
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, counts.width - 1, 12)
    sheet.set_row(0, 24)
    for column, name in enumerate(counts.columns):
        _text(sheet, 0, column, name, look.head)
    for number, row in enumerate(counts.iter_rows(), start=1):
        sheet.set_row(number, 20)
        last = number == counts.height
        _text(sheet, number, 0, row[0], look.total if last else look.text)
        for column, count in enumerate(row[1:], start=1):
            sheet.write_number(number, column, count, look.total if last else look.number)
    sheet.freeze_panes(1, 1)
    sheet.repeat_rows(0)
    _page(sheet, title)


def _lines(text: str, wide: float) -> int:
    """Lines the text takes in a column. A Chinese character takes two columns: 3 bytes and 1 character, halved."""
    return ceil((len(text.encode()) + len(text)) / 2 * 1.06 / wide)


def _lines_of(text: str, wide: float) -> int:
    """Lines of a text that has line breaks of its own."""
    return sum(max(1, _lines(line, wide)) for line in text.split("\n"))
