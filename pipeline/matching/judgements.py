"""What clerks said about doubtful pairs: append-only JSON lines at `STATE/review/judgements.jsonl`.

Nothing is ever rewritten. A changed mind is one more line; an undo is a line with the answer `undone`, which withdraws
the latest answer about its pair, so that the one before it (if any) is in force again. Every line is on the
disk (fsync) before the call returns. A line that cannot be read (the machine went down while it was written) is said
by `complaints` and stays in the file; the next line begins on a line of its own. Pairs are named by keys, never by
a person's data; the file is 0600 in a folder 0700.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path

import polars as pl

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.system_files import append, lock, make_folder, open_private, read_at, sync

SAME, DIFFERENT, UNSURE, UNDONE = "same", "different", "unsure", "undone"
ANSWERS = (SAME, DIFFERENT, UNSURE)
LONGEST_NAME = 40  # characters, of the person who judges
_KEY = re.compile(r"[0-9a-f]{32}")
_PIECE = 1 << 20

Pair = tuple[str, str]  # row_key, person_key


@dataclass(frozen=True)
class Judgement:
    """One line. `answer` is one of ANSWERS or UNDONE; `at` is ISO 8601 with its offset from UTC.

    Raises ValueError, without any value in it, where a field is out of form.
    """

    row_key: str
    person_key: str
    dataset: str
    answer: str
    who: str
    at: str

    def __post_init__(self) -> None:
        if not all(isinstance(value, str) for value in vars(self).values()):
            raise ValueError("a field is no text")
        if not (_KEY.fullmatch(self.row_key) and _KEY.fullmatch(self.person_key) and self.dataset):
            raise ValueError("keys or list out of form")
        if self.answer not in (*ANSWERS, UNDONE) or not is_name(self.who):
            raise ValueError("answer or name out of form")
        if datetime.fromisoformat(self.at).tzinfo is None:
            raise ValueError("time without offset from UTC")

    @property
    def pair(self) -> Pair:
        return self.row_key, self.person_key


@dataclass(frozen=True)
class Journal:
    """The whole file: its judgements in order, and the lines (from 1) that cannot be read."""

    judgements: tuple[Judgement, ...] = ()
    unreadable: tuple[int, ...] = ()

    def in_force(self) -> dict[Pair, Judgement]:
        """Each judged pair's answer in force, in the order in which these answers were given."""
        given: dict[Pair, list[int]] = {}
        for number, judgement in enumerate(self.judgements):
            stack = given.setdefault(judgement.pair, [])
            if judgement.answer != UNDONE:
                stack.append(number)
            elif stack:
                stack.pop()
        last = sorted(stack[-1] for stack in given.values() if stack)
        return {self.judgements[number].pair: self.judgements[number] for number in last}


_COLUMNS = tuple(field.name for field in fields(Judgement))


def is_name(who: str) -> bool:
    """Whether this may stand as the name of who judges: 1 to LONGEST_NAME printable characters, no space at the ends."""
    return 0 < len(who) <= LONGEST_NAME and who.isprintable() and who == who.strip()


def record(state: Path, judgements: Sequence[Judgement]) -> None:
    """Appends all of them or none. Raises ReconcileError E520 where they cannot be written."""
    if judgements:
        with _opened(state, to_write=True) as file:
            _append(file, judgements)


def undo(state: Path, who: str, at: str, among: Collection[Pair] | None = None) -> Judgement | None:
    """Withdraws the latest answer in force that `who` gave (about one of the pairs `among`); which, or None if there is none.

    An answer that somebody else has changed since is not in force and stays as it is. Raises ReconcileError E520.
    """
    with _opened(state, to_write=True) as file:
        in_force = _parsed(_content(file)).in_force().values()
        own = [j for j in in_force if j.who == who and (among is None or j.pair in among)]
        if not own:
            return None
        last = own[-1]
        _append(file, [Judgement(last.row_key, last.person_key, last.dataset, UNDONE, who, at)])
        return last


def read(state: Path) -> Journal:
    """The journal, empty where nothing was ever judged. Raises ReconcileError E520 where it cannot be read."""
    if not _path(state).exists():
        return Journal()
    with _opened(state, to_write=False) as file:
        return _parsed(_content(file))


def current(state: Path) -> pl.DataFrame:
    """One line a judged pair, ordered by its keys: row_key, person_key, answer (same, different, unsure), all String."""
    rows = sorted((*pair, judgement.answer) for pair, judgement in read(state).in_force().items())
    return pl.DataFrame(rows, dict.fromkeys(("row_key", "person_key", "answer"), pl.String), orient="row")


def history(state: Path) -> pl.DataFrame:
    """Every line ever written, `undone` too, in order: row_key, person_key, dataset, answer, who, at, all String."""
    rows = [tuple(asdict(judgement).values()) for judgement in read(state).judgements]
    return pl.DataFrame(rows, dict.fromkeys(_COLUMNS, pl.String), orient="row")


def complaints(state: Path) -> list[Problem]:
    """A warning E521 for each line that cannot be read. They count as not given, and stay in the file."""
    return [
        Problem(
            "E521",
            "warning",
            "这一行人工判断读不出来，按未判断处理",
            "可能是写入时断电或磁盘已满；原文保留在文件里",
            "用 reconcile review 把这一对重新核一次；其余判断不受影响",
            file=f"review/{_path(state).name}",
            row=row,
        )
        for row in read(state).unreadable
    ]


def _path(state: Path) -> Path:
    return state / "review" / "judgements.jsonl"


@contextmanager
def _opened(state: Path, *, to_write: bool) -> Iterator[int]:
    """The journal's descriptor under its lock, shared by readers; made (0600, its folder 0700) if it is to be written and is not there."""
    path = _path(state)
    try:
        if to_write:
            make_folder(path.parent)
        how = os.O_RDWR | os.O_APPEND | os.O_CREAT if to_write else os.O_RDONLY
        new = not path.exists()
        file = open_private(path, how)
        try:
            lock(file, shared=not to_write)
            if new:
                sync(path.parent)  # the new file's name, too
            yield file
        finally:
            os.close(file)
    except OSError as error:
        why = error.strerror or type(error).__name__
        cure = "检查 --state 文件夹的权限和磁盘空间；这一次的判断没有存下，请重做"
        raise ReconcileError(
            Problem("E520", "error", "人工判断的记录打不开或写不进", why, cure, file=f"review/{path.name}")
        ) from None


def _content(file: int) -> bytes:
    size = os.fstat(file).st_size
    return b"".join(read_at(file, _PIECE, at) for at in range(0, size, _PIECE))


def _parsed(content: bytes) -> Journal:
    judgements, unreadable = [], []
    for row, line in enumerate(content.split(b"\n"), start=1):
        try:
            if line:
                judgements.append(_judgement(line))
        except (ValueError, TypeError, RecursionError):  # also what json makes of rubbish
            unreadable.append(row)
    return Journal(tuple(judgements), tuple(unreadable))


def _judgement(line: bytes) -> Judgement:
    values = json.loads(line)
    return Judgement(**{name: values[name] for name in _COLUMNS if name in values})


def _append(file: int, judgements: Sequence[Judgement]) -> None:
    """A batch is there wholly or not at all."""
    text = "".join(json.dumps(asdict(judgement), ensure_ascii=False) + "\n" for judgement in judgements)
    append(file, text.encode())
