"""Returned reports for the tests: the house's own workbook and tables, filled in and written as offices write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import xlwt

from pipeline.cases import case_number
from pipeline.cases.feedback_events import KnownCase
from pipeline.cases.feedback_file import FeedbackFile
from pipeline.cases.feedback_read import FeedbackRead, read_feedback
from pipeline.reports.guide import Guide
from pipeline.reports.rows import COLUMNS
from pipeline.reports.workbook import Sheet, write_workbook

AS_OF = date(2026, 11, 30)
SHANGRILA, DEQIN = "533401", "533422"
COUNTIES = {SHANGRILA: "香格里拉市", DEQIN: "德钦县"}
FIRST_NIGHT = date(2026, 11, 1)
NUMBERS = [case_number.make("XGLL", FIRST_NIGHT, serial) for serial in range(1, 61)]
OTHERS = [case_number.make("DQ", FIRST_NIGHT, serial) for serial in range(1, 21)]
KNOWN = {n: KnownCase(SHANGRILA) for n in NUMBERS} | {n: KnownCase(DEQIN) for n in OTHERS}
ID = "533421196503170013"

Line = Mapping[str, str]  # header -> text


def line(number: str, **answers: str) -> dict[str, str]:
    """A row of the report with what it always has, and answers by their headers."""
    fixed = {
        "序号": "1",
        "疑点编号": number,
        "乡镇": "建塘镇",
        "姓名": f"和{number[-3:]}",
        "身份证号": "533421********0013",
    }
    return dict.fromkeys(COLUMNS, "") | fixed | {"涉及政策": f"重度护理{number}"} | answers


def house_workbook(path: Path, sheets: Mapping[str, Sequence[Line]]) -> None:
    """The report as `pipeline/reports/workbook.py` writes it."""
    tables = [
        Sheet(name, pl.DataFrame(list(rows), {c: pl.String for c in COLUMNS}))
        for name, rows in sheets.items()
    ]
    guide = Guide("香格里拉市 疑点清单", (("怎样填", "只填右边黄色的六列（核查结果至核查日期）"),), (), ())
    townships = pl.DataFrame({"乡镇": ["建塘镇", "合计"], "合计": [1, 1]})
    write_workbook(path, AS_OF, guide, tables, townships, path.parent)


def fill_in(path: Path, sheet: str, answers: Mapping[str, Mapping[str, object]]) -> None:
    """Answers by case number and header, typed into the workbook and saved."""
    book = openpyxl.load_workbook(path)
    page = book[sheet]
    at = {cell.value: cell.column for cell in page[1]}
    for row in range(2, page.max_row + 1):
        for header, value in answers.get(str(page.cell(row, at["疑点编号"]).value), {}).items():
            page.cell(row, at[header]).value = value  # type: ignore[assignment]
    book.save(path)


def write_csv(
    path: Path, rows: Iterable[Sequence[str]], encoding: str = "utf-8-sig", delimiter: str = ","
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.getvalue().encode(encoding))


def write_lines(path: Path, lines: Sequence[Line], **how: str) -> None:
    """The report's table as CSV; the header is that of the first line."""
    heads = list(lines[0])
    write_csv(path, [heads, *([row.get(head, "") for head in heads] for row in lines)], **how)


def write_xls(path: Path, rows: Iterable[Sequence[object]]) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("疑点清单")
    day = xlwt.easyxf(num_format_str="YYYY/M/D")
    for at, row in enumerate(rows):
        for column, value in enumerate(row):
            if value not in ("", None):
                sheet.write(at, column, value, *([day] if isinstance(value, date) else []))
    book.save(str(path))


def write_xlsx(path: Path, rows: Iterable[Sequence[object]], merges: Sequence[str] = ()) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in rows:
        page.append(list(row))
    for place in merges:
        page.merge_cells(place)
    book.save(path)


def read_folder(folder: Path) -> FeedbackRead:
    return read_feedback(folder, COUNTIES, AS_OF)


def only_file(folder: Path) -> FeedbackFile:
    (file,) = read_folder(folder).files
    return file


def answers(file: FeedbackFile) -> dict[str, str]:
    """Results by case number."""
    return {answer.case_number: answer.said.result for answer in file.answers}


def codes(file: FeedbackFile) -> list[tuple[str, int]]:
    """Code and row of every row that comes back."""
    return [(one.problem.code, one.problem.row) for one in file.returned]
