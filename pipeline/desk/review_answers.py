"""Reads a filled-in workbook or CSV of doubtful pairs, however it was sorted, filtered, cut down or widened.

The columns are found by their headers, wherever they stand. Cells are quoted nowhere: a remark may name a person.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.desk.review_workbook import ANSWER, PERSON_KEY, ROW_KEY, WHO
from pipeline.intake.sniff import Kind, Unreadable, sniff
from pipeline.intake.text_decode import decode, detect
from pipeline.intake.workbook import read_workbook
from pipeline.matching.judgements import DIFFERENT, SAME, UNSURE

_SAID = {
    SAME: "同一人 同一个人 是同一人 是同一个人 是 同 一致 属同一人 √ ✓ ✔ 1 y yes",
    DIFFERENT: "不是 不是同一人 不是同一个人 非同一人 否 不同 不同人 不一致 × ✗ ✘ 2 n no",
    UNSURE: "不确定 不清楚 不能确定 无法确定 无法判断 待定 不知道 ? 3",
}
_UNDERSTOOD = {word: answer for answer, words in _SAID.items() for word in words.split()}
_KEY = re.compile("[0-9a-f]{32}")
_WORKBOOKS = (Kind.XLSX, Kind.XLSB, Kind.XLS)
_UNPACKED_MB = 512
_HEADER_WITHIN = 20  # rows
_NEEDED = (ANSWER, ROW_KEY, PERSON_KEY)


@dataclass(frozen=True)
class Line:
    """A row of the file with something in it, its place, and its cells as written ("" where there is none)."""

    sheet: str
    row: int
    answer: str
    who: str
    row_key: str
    person_key: str


def understood(answer: str) -> str | None:
    """same, different or unsure; None where the words are not known."""
    plain = unicodedata.normalize("NFKC", answer).strip(" .。,，!;；\t\r\n'\"“”").casefold()
    return _UNDERSTOOD.get(plain)


def key(cell: str, letter: str) -> str:
    """The 32 hex characters of a key cell; "" where it is none any more."""
    plain = cell.strip().lower().removeprefix(letter)
    return plain if _KEY.fullmatch(plain) else ""


def read_answers(path: Path) -> list[Line]:
    """All filled rows of all visible sheets that have the three headers. Raises ReconcileError E524."""
    try:
        tables = list(_tables(path))
    except Unreadable as error:
        raise _refused(path, error.problem.what, error.problem.why) from None
    except OSError as error:
        raise _refused(path, "文件打不开", error.strerror or type(error).__name__) from None
    lines: list[Line] = []
    found = False
    for sheet, rows in tables:
        header = next((at for at, (_, cells) in enumerate(rows[:_HEADER_WITHIN]) if _is_header(cells)), None)
        if header is not None:
            found = True
            lines += _lines(sheet, rows[header][1], rows[header + 1 :])
    if not found:
        raise _refused(path, "不是导出的核对表", f"找不到同时有 {'、'.join(_NEEDED)} 的表头")
    return lines


_Row = tuple[int, list[str]]  # physical row from 1, cells


def _tables(path: Path) -> Iterator[tuple[str, list[_Row]]]:
    kind = sniff(path)
    if kind in _WORKBOOKS:
        for sheet in read_workbook(path, unpacked_limit_mb=_UNPACKED_MB):
            if sheet.visible:
                yield sheet.name, list(enumerate(sheet.rows, start=1))
    elif kind is Kind.TEXT:
        yield "", list(_records(path))
    else:
        raise _refused(path, "读不出来", "不是 xlsx、xls 或 CSV")


def _records(path: Path) -> Iterator[_Row]:
    encoding = detect(path)
    text = decode(path.read_bytes()[encoding.mark :], encoding, encoding.mark)
    first = next((line for line in text.splitlines() if ANSWER in line), "")
    delimiter = max(",\t;", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    row = 1
    try:
        for cells in reader:
            yield row, cells
            row = reader.line_num + 1
    except csv.Error:
        raise _refused(path, "CSV 读不下去", f"第 {row} 行附近的引号或换行不对") from None


def _is_header(cells: Sequence[str]) -> bool:
    return {cell.strip() for cell in cells}.issuperset(_NEEDED)


def _lines(sheet: str, header: Sequence[str], rows: Sequence[_Row]) -> Iterator[Line]:
    names = [name.strip() for name in header]
    places = [
        names.index(name) if name in names else len(names) for name in (ANSWER, WHO, ROW_KEY, PERSON_KEY)
    ]
    for number, cells in rows:
        if any(cell.strip() for cell in cells):
            yield Line(sheet, number, *(cells[at].strip() if at < len(cells) else "" for at in places))


def _refused(path: Path, what: str, why: str) -> ReconcileError:
    cure = "用 reconcile review --export 导出的表填写，存成 xlsx 或 CSV 后再收"
    return ReconcileError(Problem("E524", "error", what, why, cure, file=path.name))
