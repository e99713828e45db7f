"""One delivered file: what it is, its rows, whether it is accepted. Whatever fails in it stays in it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from stat import S_ISREG

import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import FieldQuality
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.settings import Settings
from pipeline.identity.mask import mask_text
from pipeline.intake.counts import Counts, Delivery
from pipeline.intake.find import Candidate
from pipeline.intake.gate import judge, quality, remarks
from pipeline.intake.header_problems import HeaderProblem
from pipeline.intake.html_table import read_html
from pipeline.intake.normalise import Source, empty_snapshot
from pipeline.intake.sheets import pick_sheets, unread_sheets
from pipeline.intake.sniff import Kind, Unreadable, sniff
from pipeline.intake.store import write_part
from pipeline.intake.text_decode import nul_bytes, row_of_nul
from pipeline.intake.text_file import read_text
from pipeline.intake.unreadable import unreadable_table
from pipeline.intake.workbook import read_workbook
from pipeline.intake.workbook_file import read_sheets

_MOST_WORKERS = 4  # more only wait for the disk

# Kinds of file that hold no list: code, what, why, cure. Workbooks with a password are E201 of the workbook's reader.
_NO_LIST = {
    Kind.OTHER: ("E205", "不是表格文件", "只收 CSV、xlsx、xls", "请报送单位导出为其中一种格式"),
    Kind.EMPTY: ("E206", "文件是空的", "文件为 0 字节，多半没有传完", "请报送单位重新传送"),
    Kind.DIRECTORY: ("E220", "是文件夹，不是文件", "收件夹只有 部门/名单/ 两层", "把其中的文件移到上一层"),
}


@dataclass(frozen=True)
class FileResult:
    """A file read. `errors` say why it is not accepted; `parts` lie in `scratch` until they are kept."""

    candidate: Candidate
    scratch: Path
    parts: tuple[Path, ...] = ()
    counts: Counts = field(default_factory=Counts)
    errors: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    quality: tuple[FieldQuality, ...] = ()

    @property
    def unreadable(self) -> pl.DataFrame:
        """The ID numbers in the file's rows that could not be used (contracts/tables.py `UNREADABLE`)."""
        return unreadable_table(self.candidate.dataset, self.candidate.file, self.counts.unreadable)


def read_file(candidate: Candidate, dataset: Dataset, settings: Settings, scratch: Path) -> FileResult:
    """Reads and judges one file. What a library throws becomes E299 with its class name only; raises only ReconcileError E290."""
    scratch.mkdir(parents=True, mode=0o700)
    source = Source(candidate.file, "", dataset, candidate.county, frozenset(settings.counties))
    try:
        before = _state(candidate.path)
        delivery = _deliver(candidate.path, source, settings, scratch)
        if _state(candidate.path) != before:
            raise Unreadable(_growing())
    except Unreadable as refusal:
        return FileResult(candidate, scratch, errors=(_placed(refusal.problem, candidate),))
    except HeaderProblem as refusal:
        errors = tuple(_placed(problem, candidate) for problem in refusal.problems)
        return FileResult(candidate, scratch, errors=errors)
    except ReconcileError:  # of our own disk
        raise
    except Exception as failure:  # one broken file must not end the night, nor tell what stood in it
        return FileResult(candidate, scratch, errors=(_placed(_unexpected(failure), candidate),))
    counts = delivery.total
    errors = tuple(_placed(problem, candidate) for problem in judge(delivery, source, settings.thresholds))
    parts = delivery.parts or write_part(empty_snapshot(dataset), dataset, scratch)
    notes = tuple(
        _placed(note, candidate)
        for note in (
            *(column.note for column in delivery.ignored),
            *delivery.notes,
            *counts.problems,
            *_more_rows(counts),
            *(() if errors else remarks(delivery, source, settings.thresholds)),
        )
    )
    return FileResult(candidate, scratch, parts, counts, errors, notes, quality(delivery, source))


def _deliver(path: Path, source: Source, settings: Settings, scratch: Path) -> Delivery:
    kind = sniff(path)
    # a pipe or device is never opened: that could wait for ever
    if kind is Kind.OTHER and S_ISREG(path.lstat().st_mode) and (row := row_of_nul(path)):
        raise nul_bytes(row)
    if kind in _NO_LIST:
        code, what, why, cure = _NO_LIST[kind]
        raise Unreadable(Problem(code, "error", what, why, cure))
    if kind is Kind.TEXT:
        return read_text(path, source, scratch, workers(settings))
    sheets = (
        read_html(path)
        if kind is Kind.HTML
        else read_workbook(path, unpacked_limit_mb=settings.limits.workbook_mb)
    )
    picked = pick_sheets(sheets, source.dataset, source.county)
    notes = unread_sheets(sheets, picked, source.dataset, source.county)
    return replace(read_sheets(picked, source, scratch), notes=notes)


def workers(settings: Settings) -> int:
    """Worker processes for a large file."""
    return min(settings.limits.threads or os.cpu_count() or 1, _MOST_WORKERS)


def _state(path: Path) -> tuple[int, int, int]:
    stat = path.stat(follow_symlinks=False)
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _placed(problem: Problem, candidate: Candidate) -> Problem:
    """The problem with its file, dataset and county."""
    return replace(problem, file=candidate.file, dataset=candidate.dataset, county=candidate.county)


def masked(problem: Problem) -> Problem:
    """The problem as it may be written down: file and sheet names are typed by people and may hold a number."""
    return replace(
        problem,
        what=mask_text(problem.what),
        why=mask_text(problem.why),
        cure=mask_text(problem.cure),
        file=mask_text(problem.file),
        sheet=mask_text(problem.sheet),
        column=mask_text(problem.column),
    )


def _growing() -> Problem:
    return Problem("E207", "error", "读取时文件还在变化", "可能正在传送", "传完后再运行")


def _unexpected(failure: Exception) -> Problem:
    cure = "请报送单位另存为 xlsx 或 CSV 后重报；仍不行请把错误代码告诉维护人员"
    return Problem("E299", "error", "文件读不出来", f"读取时出错：{type(failure).__name__}", cure)


def _more_rows(counts: Counts) -> tuple[Problem, ...]:
    """How many rows more were not used, or were used without their garbled cells."""
    told = ("同样的原因，不再逐行列出", "见本文件的其他各条")
    dropped, mended = counts.unnamed("error"), counts.unnamed("warning")
    return (
        *([Problem("E234", "error", f"另有 {dropped} 行未采用", *told)] if dropped else ()),
        *([Problem("E235", "warning", f"另有 {mended} 行有乱码", *told)] if mended else ()),
    )
