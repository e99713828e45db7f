"""What every sheet of a workbook is made of: formats, text cells, the printed page, and how high a row must be."""

from __future__ import annotations

from math import ceil
from typing import Any

LINE = 14.5  # points
_LONGEST = 16_000  # a cell holds 32,767 UTF-16 units; a longer string would silently not be written
_LONGEST_HEAD = 120  # a page's header holds 255 characters with its codes, else it is left out
# How a row that stands out begins in 进展, and the colour besides: bold letters, a strong border and 【】 say it without one.
_MARKS = {
    "【超期": "#F8CBAD",
    "【复核": "#FFE08A",
    "【再次": "#FFE08A",
    "【新增": "#D9EAD3",
    "【待批": "#E1E1E1",
}


class Look:
    """The workbook's formats: one font, few colours, borders light enough to print."""

    def __init__(self, book: Any) -> None:
        base = {"font_name": "等线", "font_size": 10.5, "valign": "vcenter", "num_format": "@"}
        cell = {**base, "text_wrap": True, "border": 1, "border_color": "#BFC5CC"}
        head = {**cell, "bold": True, "align": "center", "bg_color": "#DCE6F0"}
        marked = {**cell, "bold": True, "align": "center", "border": 2, "border_color": "#404040"}
        self.text = book.add_format(cell)
        self.bold = book.add_format({**cell, "bold": True})
        self.centre = book.add_format({**cell, "align": "center"})
        self.head = book.add_format(head)
        self.answer_head = book.add_format({**head, "bg_color": "#FFE699"})
        self.answer = book.add_format({**cell, "bg_color": "#FFFBE6"})
        self.number = book.add_format({**cell, "num_format": "#,##0"})
        self.total = book.add_format({**cell, "num_format": "#,##0", "bold": True, "bg_color": "#F2F4F7"})
        self.title = book.add_format({**base, "font_size": 16, "bold": True})
        self.label = book.add_format({**cell, "bold": True, "bg_color": "#DCE6F0", "valign": "top"})
        self.line = book.add_format({**cell, "valign": "top", "font_size": 11})
        self._marks = {
            begin: book.add_format({**marked, "bg_color": colour}) for begin, colour in _MARKS.items()
        }

    def mark(self, progress: str) -> Any | None:
        """The format of 进展 of a row that stands out, None of any other."""
        return self._marks.get(progress[:3])


def put_text(sheet: Any, row: int, column: int, text: str, form: Any) -> None:
    """A text cell, whatever the text looks like."""
    # xlsxwriter takes a string between <r> and </r> for ready-made XML: a name must not be.
    sheet.write_string(row, column, f"'{text}" if text.startswith("<r>") else text[:_LONGEST], form)


def page(sheet: Any, title: str, *, pages_wide: int = 1) -> None:
    """A4 landscape with the title above and the page number below."""
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(pages_wide, 0)
    sheet.set_margins(left=0.3, right=0.3, top=0.6, bottom=0.5)
    sheet.set_header(f"&L&10{title[:_LONGEST_HEAD].replace('&', '&&')}&R&10&A")
    sheet.set_footer("&C&9第 &P 页，共 &N 页")


def lines(text: str, wide: float) -> int:
    """Lines the text takes in a column. A Chinese character takes two columns: 3 bytes and 1 character, halved."""
    return ceil((len(text.encode()) + len(text)) / 2 * 1.06 / wide)


def lines_of(text: str, wide: float) -> int:
    """Lines of a text that has line breaks of its own."""
    return sum(max(1, lines(line, wide)) for line in text.split("\n"))
