"""Reads a delimited text file into normalised parts, large ones in worker processes; the result is the same bytes."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pipeline.contracts.dataset import FieldSpec
from pipeline.contracts.problem import Problem
from pipeline.identity import id_number
from pipeline.intake import values
from pipeline.intake.columns_read import coded_column, text_column
from pipeline.intake.counts import Counts, Delivery
from pipeline.intake.normalise import SERIES_TYPES, Column, Raw, Source, judged, normalise
from pipeline.intake.sniff import Unreadable
from pipeline.intake.store import write_part
from pipeline.intake.text_decode import Encoding, cut_off, decode, detect, utf8_lines
from pipeline.intake.text_table import (
    Block,
    Layout,
    Records,
    blocks,
    last_record,
    layout,
    read_block,
)
from pipeline.intake.totals import RowKind, classify
from pipeline.intake.unreadable import numbers_in

LARGE_FILE = 32 << 20  # bytes; smaller files are not worth starting processes for


@dataclass(frozen=True)
class _End:
    """Why the end of the file is in doubt: its last cell has no line end, or its last record has only `cells` cells."""

    cell: str = ""
    cells: int = 0


@dataclass(frozen=True)
class _Task:
    """One block's work, as sent to a worker process."""

    plan: Layout
    block: Block
    source: Source
    scratch: Path
    end: _End | None


def read_text(path: Path, source: Source, scratch: Path, workers: int) -> Delivery:
    """The file's rows as Parquet parts in `scratch`.

    Raises Unreadable (E202, E231–E234), HeaderProblem. `workers`: processes for a large file.
    """
    encoding = detect(path)
    if not encoding.ascii_based or _has_only_returns(path, encoding):
        plain = scratch / "plain.txt"
        utf8_lines(path, encoding, plain)
        path, encoding = plain, Encoding("utf-8")
    plan = layout(path, encoding, source.dataset, source.county)
    end = _end_in_doubt(plan, source)
    tasks = (_Task(plan, block, source, scratch, end) for block in blocks(plan))
    counts = Counts()
    parts: list[Path] = []
    for written, counted in _run(tasks, workers if path.stat().st_size > LARGE_FILE else 1):
        counts += counted
        parts += written
    if end and end.cells and counts.short_seen < 2:
        raise _cut(plan, end.cells)
    if end and not end.cells and not _ends_well(counts):
        raise _no_line_end("最后一行之后没有换行，最后一格与该列其他各格都不像")
    return Delivery(tuple(parts), (counts,), plan.headers, plan.header.ignored)


def _run(tasks: Iterator[_Task], workers: int) -> Iterator[tuple[tuple[Path, ...], Counts]]:
    """The results in the order of the tasks."""
    if workers <= 1:
        yield from map(_work, tasks)
        return
    with _single_threaded_children():
        pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))
        try:
            futures = [pool.submit(_work, task) for task in tasks]
            for future in futures:
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _single_threaded_children() -> Iterator[None]:
    """Processes started meanwhile run polars on one thread each: they share the cores among themselves."""
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["POLARS_MAX_THREADS"]
        else:
            os.environ["POLARS_MAX_THREADS"] = before


def _work(task: _Task) -> tuple[tuple[Path, ...], Counts]:
    """Reads, normalises and writes one block."""
    records = read_block(task.plan, task.block)
    try:
        raw = _raw(task.plan, records, task.source)
    except Unreadable:
        _say_where(task.plan, task.block)
        raise
    columns, dataset = task.plan.header.columns, task.source.dataset

    def judge(at: list[int]) -> list[tuple[RowKind, int | None]]:
        return [judged(cells, columns, dataset) for cells in records.cells(at)]

    frame, counts = normalise(raw, task.source, judge)
    counts += _uneven(task, records.uneven)
    if task.end and not task.end.cells:
        counts += _last_column(records, task.end.cell)
    if not frame.height:
        return (), counts
    return write_part(frame, dataset, task.scratch, task.block.number), counts


def _raw(plan: Layout, records: Records, source: Source) -> Raw:
    """The mapped columns, decoded; the others are decoded too, because a file is decoded strictly or not at all."""
    mapped = {position: name for name, position in plan.header.columns.items()}
    columns: dict[str, Column] = {}
    for position, name_of_column in enumerate(records.table.column_names):
        array = records.table[name_of_column].combine_chunks()
        name = mapped.get(position)
        if name is None or source.dataset.fields[name].type in SERIES_TYPES:
            texts = text_column(array, records.encoding)
            if name is not None:
                columns[name] = texts
        else:
            columns[name] = coded_column(array, records.encoding)
    return Raw(columns, records.source_row, plan.headers)


def _say_where(plan: Layout, block: Block) -> None:
    """Raises the decoding error with its byte and line in the file."""
    with plan.path.open("rb") as file:
        file.seek(block.start)
        decode(file.read(block.end - block.start), plan.encoding, block.start, block.row)


def _uneven(task: _Task, uneven: tuple[tuple[int, list[str]], ...]) -> Counts:
    """Records of another width: footers and totals as what they are, people's rows quarantined, their numbers kept."""
    columns, source = task.plan.header.columns, task.source
    counts = Counts()
    for row, cells in uneven:
        kind, total = judged(_widened(cells, task.plan.width), columns, source.dataset)
        if total is not None:
            counts += Counts(totals=(total,))
        elif kind is RowKind.DATA:
            why = f"表头有 {task.plan.width} 列，这一行有 {len(cells)} 格"
            problem = Problem(
                *("E234", "error", "这一行的格数与表头不符", why, "请报送单位检查该行的分隔符与引号"),
                *(source.file, source.sheet, row),
                dataset=source.dataset.dataset,
                county=source.county,
            )
            cells_of_row = pl.Series(cells, dtype=pl.String)
            rows = pl.Series([row] * len(cells), dtype=pl.Int64)
            counts += Counts(
                broken=1,
                problems=(problem,),
                unreadable=numbers_in([cells_of_row], rows, source.sheet),
                short_seen=int(task.end is not None and task.end.cells == len(cells)),
            )
    return counts


def _widened(cells: list[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))]


def _end_in_doubt(plan: Layout, source: Source) -> _End | None:
    """What is to be proven of the file's end; None if it is beyond doubt. Raises Unreadable E202."""
    cells, ended = last_record(plan)
    if not cells or plan.start >= plan.path.stat().st_size:
        return None
    kind = classify(_widened(cells, plan.width), plan.header.columns, source.dataset)
    if kind in (RowKind.TOTAL, RowKind.FOOTER, RowKind.BLANK) or (kind is not RowKind.DATA and ended):
        return None
    by_column = {at: source.dataset.fields[name] for name, at in plan.header.columns.items()}
    if len(cells) < plan.width:
        if not ended:
            raise _no_line_end(f"表头有 {plan.width} 列，最后一行只有 {len(cells)} 格，其后没有换行")
        required = any(spec.required for at, spec in by_column.items() if at >= len(cells))
        return _End(cells=len(cells)) if required else None  # empty cells at the end may be left out
    if ended or _surely_whole(cells[-1], by_column.get(len(cells) - 1)):
        return None
    return _End(cells[-1])


def _surely_whole(cell: str, spec: FieldSpec | None) -> bool:
    """Whether no longer text can be meant: a spelling that begins no other, a sound number, a day of eight digits."""
    if spec is None or not cell:
        return False
    if spec.type == "code":
        key = values.code_key(cell)
        known = {values.code_key(s) for code, many in spec.codes.items() for s in (code, *many)}
        return key in known and not any(s != key and s.startswith(key) for s in known)
    if spec.type in ("id", "certificate"):
        found = id_number.normalise(pl.Series([cell]))
        return found["certificate" if spec.type == "certificate" else "id"][0] is not None
    whole_day = len([c for c in cell if c.isdecimal()]) == 8 or cell.rstrip().endswith(("日", "号"))
    return spec.type == "date" and whole_day and values.day(cell) is not None


def _cut(plan: Layout, cells: int) -> Unreadable:
    return cut_off(0, f"表头有 {plan.width} 列，最后一行只有 {cells} 格")


def _no_line_end(why: str) -> Unreadable:
    """E202 for a file that may be whole though nothing ends its last line."""
    cure = "请报送单位重新导出、重新传送；若文件完整，在末尾加一个换行即可"
    return Unreadable(replace(cut_off(0, why).problem, cure=cure))


def _last_column(records: Records, end_cell: str) -> Counts:
    """How often the file's last cell stands in the last column, and how long the cells there are."""
    cells = pl.Series(text_column(records.table.columns[-1].combine_chunks(), records.encoding))
    lengths = cells.str.len_chars().value_counts()
    return Counts(ends=Counter(dict(lengths.iter_rows())), end_seen=int((cells == end_cell).sum()))


def _ends_well(counts: Counts) -> bool:
    """The last cell also stands elsewhere in its column, or all cells there are of its length."""
    return counts.end_seen > 1 or (len(counts.ends) == 1 and counts.ends.total() > 1)


def _has_only_returns(path: Path, encoding: Encoding) -> bool:
    with path.open("rb") as file:
        head = file.read(1 << 20)
    return b"\r" in head and b"\n" not in head
