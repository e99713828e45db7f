"""A delimited text file as blocks of records, each with its physical line.

The delimiter is the one under which the header is found. The file is cut into blocks at line ends outside quotes;
each block is parsed on its own, so blocks may be read side by side. A block whose records and lines agree one to
one goes the fast way; any other (line breaks in cells, uneven records, blank lines) is read record by record.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.problem import Problem
from pipeline.intake.columns_read import text_column
from pipeline.intake.header import Header, locate_header
from pipeline.intake.header_problems import HeaderProblem
from pipeline.intake.header_text import holds_number, shown
from pipeline.intake.sniff import Unreadable
from pipeline.intake.text_decode import Encoding, big5, decode, is_rubbish, nul_bytes
from pipeline.intake.values import visible

DELIMITERS = (",", "\t", ";", "|")
BLOCK_BYTES = 12 << 20  # fixed: the parts of a snapshot follow the blocks
_HEAD_BYTES = 1 << 18
_HEAD_ROWS = 40
_LONGEST_RECORD = 50  # lines; a record of more is a quote that was never closed


@dataclass(frozen=True)
class Layout:
    """How the file is to be read. `start` and `row` are the byte and the line at which its records begin."""

    path: Path
    encoding: Encoding
    delimiter: str
    header: Header
    headers: dict[str, str]  # header texts by field
    width: int
    start: int
    row: int


@dataclass(frozen=True)
class Block:
    """A piece of the file: bytes from `start` to `end`, the first line's number and how many lines there are."""

    number: int
    start: int
    end: int
    row: int
    lines: int


@dataclass(frozen=True)
class Records:
    """Records of one block, all columns, still in bytes, with physical lines; and those of another width."""

    table: pa.Table
    encoding: Encoding
    source_row: pl.Series
    uneven: tuple[tuple[int, list[str]], ...] = ()  # line, cells

    def cells(self, at: list[int]) -> list[list[str]]:
        """All cells of some records."""
        picked = self.table.take(pa.array(at, pa.int64()))
        columns = [text_column(c.combine_chunks(), self.encoding).to_list() for c in picked.columns]
        return [list(row) for row in zip(*columns, strict=True)]


def layout(path: Path, encoding: Encoding, dataset: Dataset, county: str) -> Layout:
    """Finds delimiter and header. Raises HeaderProblem of the likeliest delimiter, Unreadable E232."""
    with path.open("rb") as file:
        file.seek(encoding.mark)
        head = file.read(_HEAD_BYTES)
    whole_lines = head if len(head) < _HEAD_BYTES else head[: head.rfind(b"\n") + 1]
    text = decode(whole_lines, encoding, encoding.mark)
    if encoding.name == "gb18030" and is_rubbish(text):
        raise big5()
    failures: list[tuple[int, HeaderProblem]] = []
    for delimiter in DELIMITERS:
        rows, ends = _first_rows(text, delimiter)
        try:
            header = locate_header(rows, dataset, county)
        except HeaderProblem as failure:
            failures.append((-max(map(len, rows), default=0), failure))
            continue
        lines = ends[header.row - 1]
        cells = rows[header.row - 1]
        headers = header_texts(header, cells, dataset)
        start = encoding.mark + _after_lines(whole_lines, lines)
        return Layout(path, encoding, delimiter, header, headers, len(cells), start, lines + 1)
    raise min(failures, key=lambda pair: pair[0])[1]


def header_texts(header: Header, cells: Sequence[str], dataset: Dataset) -> dict[str, str]:
    """What stands over each field's column, for messages; the field's title where the last header row is blank."""
    return {
        name: shown(visible(cells[at] if at < len(cells) else "")) or dataset.fields[name].title
        for name, at in header.columns.items()
    }


def blocks(plan: Layout, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """Cuts the records at line ends outside quotes. Raises Unreadable E233 for a NUL byte."""
    number, start, row, held = 0, plan.start, plan.row, b""
    with plan.path.open("rb") as file:
        file.seek(start)
        while True:
            piece = file.read(size)
            data = held + piece
            if (at := data.find(b"\0", len(held))) >= 0:
                raise nul_bytes(row + data.count(b"\n", 0, at))
            if not data:
                return
            cut = _cut(data) if piece else len(data)
            if not cut and len(data) >= 2 * size:
                cut = data.rfind(b"\n") + 1  # a stray quote in a cell; if it opens one, `_exact` will say so
            if cut:
                lines = data.count(b"\n", 0, cut) + (data[cut - 1] != 10)  # 10: a line end
                yield Block(number, start, start + cut, row, lines)
                number, start, row = number + 1, start + cut, row + lines
            held = data[cut:]


def read_block(plan: Layout, block: Block) -> Records:
    """The block's records. Raises Unreadable E231 (byte and line) or E234 (a quote never closed)."""
    with plan.path.open("rb") as file:
        file.seek(block.start)
        data = file.read(block.end - block.start)
    return _fast(plan, block, data) or _exact(plan, block, data)


def last_record(plan: Layout) -> tuple[list[str], bool]:
    """The cells of the file's last line that is not blank, and whether a line end follows it."""
    size = plan.path.stat().st_size
    with plan.path.open("rb") as file:
        file.seek(max(plan.start, size - _HEAD_BYTES))
        tail = file.read()
    ended = tail.endswith((b"\n", b"\r"))
    lines = tail.rstrip(b"\r\n").split(b"\n")
    last = lines.pop()
    while last.count(b'"') % 2 and lines:
        last = lines.pop() + b"\n" + last
    row = plan.row  # the exact line of the end is not worth counting the file for
    text = decode(last, plan.encoding, size - len(last), row)
    return next(iter(_reader(text, plan.delimiter)), []), ended


def open_quote(row: int) -> Unreadable:
    """A quotation mark that is never closed swallows the records after it."""
    return Unreadable(
        Problem(
            *("E234", "error", "引号没有闭合", "从这一行起，后面的记录都落进了一个格子"),
            "请报送单位检查该行的双引号后重新导出",
            row=row,
        )
    )


def _cut(data: bytes) -> int:
    """The length up to the last line end outside quotes, 0 if there is none."""
    cut, quotes = data.rfind(b"\n") + 1, 0
    quotes = data.count(b'"', 0, cut)
    while cut and quotes % 2:
        earlier = data.rfind(b"\n", 0, cut - 1) + 1
        quotes -= data.count(b'"', earlier, cut)
        cut = earlier
    return cut


def _fast(plan: Layout, block: Block, data: bytes) -> Records | None:
    """The block by pyarrow's parser; None unless every line is one record of the right width."""
    if plan.delimiter == "|":  # the second byte of many characters in GB18030
        return None
    names = [str(n) for n in range(plan.width)]
    kind = pa.string() if plan.encoding.name == "utf-8" else pa.binary()
    try:
        table = pyarrow.csv.read_csv(
            pa.py_buffer(data),
            pyarrow.csv.ReadOptions(column_names=names, use_threads=False, block_size=len(data) + 1),
            pyarrow.csv.ParseOptions(delimiter=plan.delimiter, newlines_in_values=b'"' in data),
            pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, kind), strings_can_be_null=False),
        ).combine_chunks()
    except (
        pa.ArrowInvalid,
        pa.ArrowKeyError,
    ):  # uneven records, bytes that are no UTF-8: the exact way says which
        return None
    if table.num_rows != block.lines:
        return None
    rows = pl.int_range(block.row, block.row + block.lines, dtype=pl.Int64, eager=True)
    return Records(table, plan.encoding, rows)


def _exact(plan: Layout, block: Block, data: bytes) -> Records:
    """The block record by record. Blank lines are left out; cells too many are allowed if they are empty."""
    text = decode(data, plan.encoding, block.start, block.row)
    reader = _reader(re.sub("\r(?!\n)", " ", text), plan.delimiter)
    even: list[list[str]] = []
    rows: list[int] = []
    uneven: list[tuple[int, list[str]]] = []
    before = 0
    try:
        for cells in reader:
            first, before = block.row + before, reader.line_num
            lines = before - (first - block.row)
            if lines > _LONGEST_RECORD or (lines > 1 and _swallows(cells, plan)):
                raise open_quote(first)
            if not any(cells):
                continue
            while len(cells) > plan.width and not cells[-1]:
                cells.pop()
            if len(cells) == plan.width:
                even.append(cells)
                rows.append(first)
            else:
                uneven.append((first, cells))
    except csv.Error:  # a cell longer than 128 KB
        raise open_quote(block.row + before) from None
    columns = [pa.array([cells[n] for cells in even], pa.string()) for n in range(plan.width)]
    table = pa.Table.from_arrays(columns, [str(n) for n in range(plan.width)])
    return Records(table, Encoding("utf-8"), pl.Series(rows, dtype=pl.Int64), tuple(uneven))


def _swallows(cells: list[str], plan: Layout) -> bool:
    """Whether a line inside a cell looks like a record of its own: two stray quotes make one record of several.

    Such a line holds a number like an ID beside a delimiter (an ID with a line break after it is just a cell), or
    as many delimiters as a record has.
    """
    return any(
        line.count(plan.delimiter) >= max(plan.width - 1, 1)
        or (plan.delimiter in line and holds_number([*line.split(plan.delimiter)]))
        for cell in cells
        if "\n" in cell
        for line in cell.split("\n")
    )


def _reader(text: str, delimiter: str) -> csv._reader:  # type: ignore[name-defined, unused-ignore]
    return csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)


def _first_rows(text: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """The first records and the line on which each ends."""
    reader = _reader(re.sub("\r(?!\n)", " ", text), delimiter)
    rows: list[list[str]] = []
    ends: list[int] = []
    try:
        for cells in reader:
            rows.append(cells)
            ends.append(reader.line_num)
            if len(rows) == _HEAD_ROWS:
                break
    except csv.Error:
        pass
    return rows, ends


def _after_lines(data: bytes, lines: int) -> int:
    """The offset after so many line ends."""
    at = 0
    for _ in range(lines):
        found = data.find(b"\n", at)
        if found < 0:
            return len(data)
        at = found + 1
    return at
