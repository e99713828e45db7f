"""Writers of the file kinds that offices send. Each takes rows as they come and keeps count of physical rows."""

from __future__ import annotations

import csv
import html
import importlib
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import xlsxwriter

from pipeline.sample.plan import FilePlan

_NOTE = "本表由各乡镇填报，身份证号请以文本格式填写。"
Cell = str | float | None


class TableFile(Protocol):
    """A file being written. `line` puts one row (the first one may be a title over all columns)."""

    def line(self, cells: Sequence[Cell], title: bool = False) -> None: ...

    def block(self, cells: pl.DataFrame, numbers: frozenset[int], damaged: tuple[int, pl.Series]) -> None: ...

    def close(self) -> None: ...


def open_table(path: Path, plan: FilePlan) -> TableFile:
    """The writer for the plan's form."""
    path.parent.mkdir(parents=True, exist_ok=True)
    match plan.form:
        case "csv":
            return TextFile(path, plan.encoding, ",")
        case "text":
            return TextFile(path, plan.encoding, "\t")
        case "html":
            return HtmlFile(path, plan.encoding)
        case "xlsx":
            return XlsxFile(path, plan.notes)
        case _:
            return BiffFile(path, plan.notes)


class TextFile:
    """CSV, or tab-separated text; CRLF. UTF-16 is little-endian with a mark, as Excel saves it."""

    def __init__(self, path: Path, encoding: str, separator: str) -> None:
        self._file = path.open("wb")
        self._separator = separator
        self._encoding = {"utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(encoding, encoding)
        if encoding == "utf-16":
            self._file.write(b"\xff\xfe")
        if encoding == "utf-8-sig":
            self._file.write(b"\xef\xbb\xbf")

    def line(self, cells: Sequence[Cell], title: bool = False) -> None:
        text = io.StringIO()
        csv.writer(text, delimiter=self._separator).writerow(["" if cell is None else cell for cell in cells])
        self._file.write(text.getvalue().encode(self._encoding))

    def block(self, cells: pl.DataFrame, numbers: frozenset[int], damaged: tuple[int, pl.Series]) -> None:
        text = cells.write_csv(include_header=False, separator=self._separator, line_terminator="\r\n")
        self._file.write(text.encode(self._encoding))

    def close(self) -> None:
        self._file.close()


class HtmlFile:
    """A web page called .xls, as many government systems export."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._file = path.open("wb")
        self._encoding = encoding
        charset = "gb2312" if encoding == "gb18030" else encoding
        head = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={charset}"></head>'
        self._put(head + '<body><table border="1">\r\n')

    def _put(self, text: str) -> None:
        self._file.write(text.encode(self._encoding))

    def line(self, cells: Sequence[Cell], title: bool = False) -> None:
        if title:
            self._put(f'<tr><td colspan="{len(cells)}">{html.escape(str(cells[0]))}</td></tr>\r\n')
            return
        inner = "".join(f"<td>{'' if cell is None else html.escape(str(cell))}</td>" for cell in cells)
        self._put(f"<tr>{inner}</tr>\r\n")

    def block(self, cells: pl.DataFrame, numbers: frozenset[int], damaged: tuple[int, pl.Series]) -> None:
        for row in cells.iter_rows():
            self.line(row)

    def close(self) -> None:
        self._put("</table></body></html>\r\n")
        self._file.close()


class XlsxFile:
    """An xlsx workbook, written row by row with bounded memory."""

    def __init__(self, path: Path, notes: bool) -> None:
        self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False})
        self._book.set_properties({"created": datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)})
        self._sheet = self._book.add_worksheet("Sheet1")
        if notes:
            self._book.add_worksheet("填表说明").write_string(0, 0, _NOTE)
        self._row = 0

    def line(self, cells: Sequence[Cell], title: bool = False) -> None:
        if title and len(cells) > 1:
            self._sheet.merge_range(self._row, 0, self._row, len(cells) - 1, str(cells[0]))
        else:
            for place, cell in enumerate(cells):
                if isinstance(cell, float):
                    self._sheet.write_number(self._row, place, cell)
                elif cell:
                    self._sheet.write_string(self._row, place, cell)
        self._row += 1

    def block(self, cells: pl.DataFrame, numbers: frozenset[int], damaged: tuple[int, pl.Series]) -> None:
        for row in _with_numbers(cells, numbers, damaged):
            self.line(row)

    def close(self) -> None:
        self._book.close()


class BiffFile:
    """A real xls workbook of Excel 97, by xlwt (only where that is installed)."""

    def __init__(self, path: Path, notes: bool) -> None:
        # Imported late and by name: the product runs without xlwt.
        self._book: Any = importlib.import_module("xlwt").Workbook(encoding="utf-8")
        self._sheet: Any = self._book.add_sheet("Sheet1")
        if notes:
            self._book.add_sheet("填表说明").write(0, 0, _NOTE)
        self._path = path
        self._row = 0

    def line(self, cells: Sequence[Cell], title: bool = False) -> None:
        if title:
            self._sheet.write_merge(self._row, self._row, 0, len(cells) - 1, str(cells[0]))
        else:
            for place, cell in enumerate(cells):
                if cell is not None:
                    self._sheet.write(self._row, place, cell)
        self._row += 1

    def block(self, cells: pl.DataFrame, numbers: frozenset[int], damaged: tuple[int, pl.Series]) -> None:
        for row in _with_numbers(cells, numbers, damaged):
            self.line(row)

    def close(self) -> None:
        self._book.save(str(self._path))


def _is_figure(cell: str | None) -> bool:
    """A column of numbers may hold a text: an ID that ends in X, a remark."""
    return cell is not None and cell.isascii() and cell.isdigit()


def _with_numbers(
    cells: pl.DataFrame, numbers: frozenset[int], damaged: tuple[int, pl.Series]
) -> Iterator[list[Cell]]:
    """The rows with number cells where a workbook has them: plain figures, and IDs that Excel took for numbers."""
    id_place, kinds = damaged
    for row, kind in zip(cells.iter_rows(), kinds, strict=True):
        line: list[Cell] = [
            float(cell) if place in numbers and _is_figure(cell) else cell for place, cell in enumerate(row)
        ]
        if kind == "sci" and _is_figure(row[id_place]):
            line[id_place] = float(str(row[id_place]))
        yield line
