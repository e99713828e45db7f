"""The sheets of a returned file as rows of text with their physical rows, read as safely as any delivery."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.cases.case_number import read
from pipeline.cases.feedback_columns import columns_of
from pipeline.contracts.problem import Problem
from pipeline.intake.html_table import read_html
from pipeline.intake.sniff import Kind, Unreadable, open_plain, sniff
from pipeline.intake.text_decode import big5, decode, detect, is_rubbish, nul_bytes, row_of_nul
from pipeline.intake.text_table import DELIMITERS, open_quote
from pipeline.intake.workbook import read_workbook

_UNPACKED_MB = 512
MOST_BYTES = 64 << 20  # of a file; a county's whole report has less than a tenth
_NO_TABLE = {
    Kind.LOCK: (
        *("E208", "note", "是表格软件的锁文件，略过", "原文件正在 Excel、WPS 或 LibreOffice 中打开"),
        "关闭后确认原文件已保存",
    ),
    Kind.UNFINISHED: (
        *("E209", "warning", "是没有传完的文件，略过", "文件名是下载或传送中的样子"),
        "传完后再运行",
    ),
    Kind.EMPTY: ("E206", "error", "文件是空的", "文件为 0 字节，多半没有传完", "请重新传送"),
    Kind.OTHER: ("E205", "error", "不是表格文件", "只收 xlsx、xls、CSV", "在下发的原表上填写后报回"),
}


@dataclass(frozen=True)
class Table:
    """A sheet: `rows` are (physical row from 1, cells). `is_text`: cut at delimiters, so a row can have too many cells."""

    name: str
    rows: Sequence[tuple[int, list[str]]]
    visible: bool
    is_text: bool


def read_tables(path: Path) -> list[Table]:
    """All sheets of the file. Raises Unreadable (E201-E209, E231-E234), OSError."""
    kind = sniff(path)
    if kind is Kind.OTHER and stat.S_ISREG(path.lstat().st_mode) and (row := row_of_nul(path)):
        raise nul_bytes(row)
    if kind in _NO_TABLE:
        raise Unreadable(Problem(*_NO_TABLE[kind]))
    before = path.stat()
    if before.st_size > MOST_BYTES:
        why = f"超过 {MOST_BYTES >> 20} MB"
        raise Unreadable(Problem("E203", "error", "文件过大", why, "只留疑点清单，另存后再报"))
    tables = _tables(path, kind)
    after = path.stat()
    if (before.st_size, before.st_mtime_ns, before.st_ino) != (
        after.st_size,
        after.st_mtime_ns,
        after.st_ino,
    ):
        raise Unreadable(Problem("E207", "error", "读的时候文件还在变", "可能还没有传完", "传完后再运行"))
    return tables


def _tables(path: Path, kind: Kind) -> list[Table]:
    if kind is Kind.TEXT:
        return [_text_table(path)]
    sheets = read_html(path) if kind is Kind.HTML else read_workbook(path, unpacked_limit_mb=_UNPACKED_MB)
    return [
        Table(sheet.name, list(enumerate(sheet.rows, start=1)), sheet.visible, is_text=False)
        for sheet in sheets
    ]


def _text_table(path: Path) -> Table:
    """The text under the delimiter that shows a header; under commas if none does."""
    encoding = detect(path)
    with open_plain(path) as file:
        file.seek(encoding.mark)
        text = decode(file.read(), encoding, encoding.mark)
    if encoding.name == "gb18030" and is_rubbish(text):
        raise big5()
    if "\0" in text:
        raise nul_bytes(text.count("\n", 0, text.index("\0")) + 1)
    text = text.replace("\r\n", "\n")
    text = text.replace("\r", " " if "\n" in text else "\n")
    # Only the delimiters that occur: another makes one cell of every line.
    for delimiter in (d for d in DELIMITERS if d in text):
        rows = _records(text, delimiter)
        if any(columns_of(cells) for _, cells in rows):
            _refuse_swallowed(rows, delimiter)
            return Table("", rows, visible=True, is_text=True)
    return Table("", _records(text, ","), visible=True, is_text=True)


def _records(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """The records with the line on which each begins. Raises Unreadable E234 for a cell beyond all measure."""
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    before = 0
    try:
        for cells in reader:
            rows.append((before + 1, cells))
            before = reader.line_num
    except csv.Error:
        raise open_quote(before + 1) from None
    return rows


def _refuse_swallowed(rows: Sequence[tuple[int, list[str]]], delimiter: str) -> None:
    """Raises Unreadable E234 where a cell holds a line with a case number of its own: a stray quote took in other rows."""
    for row, cells in rows:
        lines = [line for cell in cells if "\n" in cell for line in cell.split("\n")]
        if any(delimiter in line and any(map(read, line.split(delimiter))) for line in lines):
            raise open_quote(row)
