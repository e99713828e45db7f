"""Files that Excel opens but that are none of its own: HTML tables and SpreadsheetML 2003, often named `.xls`.

Web systems export them. Every HTML table is a sheet; its rows are the `<tr>` from 1. All cells are text, so IDs keep
their digits; only SpreadsheetML tells numbers, which are treated as in a workbook. A file without its closing tag is
cut short. Document types and entities of XML are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from xml.parsers import expat

from pipeline.contracts.problem import Problem
from pipeline.intake.sniff import Unreadable, open_plain
from pipeline.intake.workbook import Sheet, fill_merges, number_text
from pipeline.intake.workbook_guard import unreadable

__all__ = ["Unreadable", "read_html"]

_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?([A-Za-z0-9_-]+)""", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f]+")  # what HTML joins; a no-break space stays
_MOST_CELLS = 50_000_000  # places a file may span with its colspans and indices
_MOST_COLUMNS = 16_384
_MOST_ROWS = 1_048_576
_SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"
_OFFICE = "urn:schemas-microsoft-com:office:excel"


def read_html(path: Path) -> list[Sheet]:
    """The file's tables or worksheets as sheets of text.

    Raises Unreadable: E202 cut short or not well formed; E203 spans too large; E205 no table; E231 encoding.
    """
    with open_plain(path) as file:
        text = _decoded(file.read())
    if _SPREADSHEET in text[:4096] or "progid=" in text[:4096].lower():
        grids = _spreadsheet(text)
    else:
        grids = _tables(text)
    if not any(grid.rows for grid in grids):
        raise unreadable("E205")
    return [grid.sheet() for grid in grids]


def _decoded(raw: bytes) -> str:
    """Strictly, by the mark; else UTF-8 if it is that throughout; else what the file names, GB18030 if nothing."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _strictly(raw[len(mark) :], encoding)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    named = _CHARSET.search(raw[:4096])
    if named and not named[1].lower().startswith(
        (b"gb", b"x-gbk", b"cp936", b"windows-936", b"utf-8", b"utf8")
    ):
        raise _undecodable()
    return _strictly(raw, "gb18030")


def _strictly(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        raise _undecodable() from None


def _undecodable() -> Unreadable:
    why = "网页表格只收 UTF-8、UTF-16 和 GB18030，且整个文件须是一种编码"
    return Unreadable(Problem("E231", "error", "文字编码有误", why, "用 Excel 或 WPS 另存为 xlsx 后重报"))


@dataclass
class _Grid:
    """A table being filled: cells go to the next place that no span from above covers."""

    name: str
    visible: bool = True
    rows: list[list[str]] = field(default_factory=list)
    merges: list[tuple[tuple[int, int], tuple[int, int]]] = field(default_factory=list)
    _covered: dict[int, int] = field(default_factory=dict)  # column -> last row that a span from above covers
    _places: int = 0

    def new_row(self, at: int | None = None) -> None:
        """Begins the next row, or row `at` (from 0) after empty ones."""
        for _ in range(max(1, (len(self.rows) if at is None else at) - len(self.rows) + 1)):
            if len(self.rows) >= _MOST_ROWS:
                raise unreadable("E203")
            self.rows.append([])

    def put(self, text: str, across: int, down: int, at: int | None = None) -> None:
        """Writes a cell of `across` columns and `down` rows at the next free column, or at column `at` (from 0)."""
        top = len(self.rows) - 1
        row = self.rows[top]
        column = len(row) if at is None else max(at, len(row))
        while at is None and self._covered.get(column, -1) >= top:
            column += 1
        self._places += column + across - len(row)
        if column + across > _MOST_COLUMNS or self._places > _MOST_CELLS:
            raise unreadable("E203")
        row += [""] * (column - len(row)) + [text] + [""] * (across - 1)
        if across > 1 or down > 1:
            self.merges.append(((top, column), (top + down - 1, column + across - 1)))
        if down > 1:
            self._covered.update(dict.fromkeys(range(column, column + across), top + down - 1))

    def sheet(self) -> Sheet:
        """The finished sheet: rows of one width, merged cells filled."""
        width = max(map(len, self.rows), default=0)
        if width * len(self.rows) > _MOST_CELLS:
            raise unreadable("E203")
        rows = [row + [""] * (width - len(row)) for row in self.rows]
        fill_merges(rows, self.merges)
        return Sheet(self.name, rows, self.visible)


def _span(text: str | None, most: int) -> int:
    """A colspan or rowspan as browsers read it."""
    return min(max(int(text), 1), most) if text and text.isascii() and text.isdigit() else 1


class _Tables(HTMLParser):
    """Collects every table; a table inside a cell is a table of its own."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.grids: list[_Grid] = []
        self.open: list[_Grid] = []
        self._cells: list[tuple[list[str], int, int] | None] = []  # the open cell of each open table

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            grid = _Grid(f"表{len(self.grids) + 1}")
            self.grids.append(grid)
            self.open.append(grid)
            self._cells.append(None)
        elif self.open and tag == "tr":
            self._end_cell()
            self.open[-1].new_row()
        elif self.open and tag in ("td", "th"):
            self._end_cell()
            if not self.open[-1].rows:
                self.open[-1].new_row()
            given = dict(attrs)
            spans = _span(given.get("colspan"), 1000), _span(given.get("rowspan"), 65_534)
            self._cells[-1] = ([], *spans)
        elif tag in ("br", "p", "div"):
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if self.open and tag in ("td", "th", "tr", "table"):
            self._end_cell()
        if self.open and tag == "table":
            self.open.pop()
            self._cells.pop()

    def handle_data(self, data: str) -> None:
        if self._cells and self._cells[-1] is not None:
            self._cells[-1][0].append(data)

    def _end_cell(self) -> None:
        cell, self._cells[-1] = self._cells[-1], None
        if cell is not None:
            pieces, across, down = cell
            self.open[-1].put(_SPACE.sub(" ", "".join(pieces)).strip(" "), across, down)


def _tables(text: str) -> list[_Grid]:
    parser = _Tables()
    parser.feed(text)
    page = text.lower()
    if parser.rawdata.lstrip().startswith("<") or parser.open or ("<html" in page and "</html" not in page):
        raise unreadable("E202")  # the file ends inside a tag, a table or the page
    parser.close()
    return parser.grids


class _Spreadsheet:
    """Handlers for expat: Workbook / Worksheet / Table / Row / Cell / Data of SpreadsheetML 2003."""

    def __init__(self) -> None:
        self.grids: list[_Grid] = []
        self._text: list[str] | None = None
        self._kind = ""
        self._cell: tuple[int | None, int, int] = (None, 1, 1)
        self._content = ""
        self._in_comment = False

    def start(self, name: str, given: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        attributes = {key.rpartition(" ")[2]: value for key, value in given.items()}
        index = attributes.get("Index")
        at = _span(index, _MOST_ROWS) - 1 if index else None
        if tag == "Worksheet":
            self.grids.append(_Grid(attributes.get("Name", f"表{len(self.grids) + 1}")))
        elif tag == "Row":
            self.grids[-1].new_row(at)
        elif tag == "Cell":
            across, down = (int(attributes.get(key) or 0) + 1 for key in ("MergeAcross", "MergeDown"))
            self._cell, self._content = (at, max(across, 1), max(down, 1)), ""
        elif tag == "Comment":
            self._in_comment = True
        elif tag in ("Data", "Visible") and not self._in_comment:
            self._text, self._kind = [], attributes.get("Type", "String")

    def characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def end(self, name: str) -> None:
        space, _, tag = name.rpartition(" ")
        if tag == "Data" and self._text is not None:
            self._content, self._text = _typed("".join(self._text), self._kind), None
        elif tag == "Cell":
            at, across, down = self._cell
            self.grids[-1].put(self._content, across, down, at)
        elif tag == "Comment":
            self._in_comment = False
        elif tag == "Visible" and self._text is not None:
            if space == _OFFICE and "".join(self._text).strip() in ("SheetHidden", "SheetVeryHidden"):
                self.grids[-1].visible = False
            self._text = None


def _typed(text: str, kind: str) -> str:
    """A cell of SpreadsheetML as a workbook's would read."""
    if kind == "Number":
        try:
            return number_text(float(text))
        except ValueError:
            return text
    if kind == "DateTime":
        day, _, clock = text.partition("T")
        return f"{day} {clock[:8]}" if clock.strip("0:.Z") else day
    if kind == "Boolean":
        return "TRUE" if text.strip() == "1" else "FALSE"
    return "" if kind == "Error" else text


def _spreadsheet(text: str) -> list[_Grid]:
    parser, content = expat.ParserCreate(namespace_separator=" "), _Spreadsheet()
    parser.StartElementHandler = content.start
    parser.EndElementHandler = content.end
    parser.CharacterDataHandler = content.characters
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError, IndexError):
        raise unreadable("E202") from None
    return content.grids


def _refuse(*_: object) -> None:
    """Document types and entities: no spreadsheet program writes them, and they can grow without end."""
    raise unreadable("E205")
