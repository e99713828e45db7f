"""The run log: `STATE/log/<YYYY-MM>.jsonl`, one line a step of a night, for who must say later what the machine did (网络安全法 art. 21).

A line holds only what the program itself says: names of steps and counters, numbers, problem codes, a class of exception. No text
of a file, of an exception or of a person can get in: every word is checked against its form. File names stay out too (they may
be a person's name); `quarantine.csv` has them.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from pipeline import clock
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.system_files import append_line, make_folder

FOLDER = "log"
_WORD = re.compile(r"[a-z][a-z_]{0,39}")
_CODE = re.compile(r"E[0-9]{3}")
_CLASS = re.compile(r"[A-Z][A-Za-z]{0,59}")
_INTERRUPTED, _BUG = "E404", "E500"


@dataclass(frozen=True)
class LogLine:
    """One line. `step` of the last one is `done`; only that has an exit code. Raises ValueError for a word of another form."""

    at: datetime  # when the step ended
    as_of: date | None
    step: str
    seconds: float
    counts: Mapping[str, int] = field(default_factory=dict)
    exit_code: int | None = None
    codes: Mapping[str, int] = field(default_factory=dict)  # problem code → how many
    failed: str = ""  # class of the exception that ended the step

    def __post_init__(self) -> None:
        forms = ((_WORD, (self.step, *self.counts)), (_CODE, self.codes), (_CLASS, [self.failed or "X"]))
        if not all(form.fullmatch(word) for form, words in forms for word in words):
            raise ValueError("a word that does not belong into the run log")
        if not all(type(count) is int for count in (*self.counts.values(), *self.codes.values())):
            raise ValueError("a count that is no whole number")

    def text(self) -> str:
        told = {
            "at": self.at.isoformat(),
            "as_of": self.as_of.isoformat() if self.as_of else None,
            "step": self.step,
            "seconds": round(self.seconds, 3),
            "counts": dict(self.counts),
            "exit_code": self.exit_code,
            "codes": dict(self.codes),
            "failed": self.failed,
        }
        return json.dumps(told, ensure_ascii=True, sort_keys=True) + "\n"


class Counts(dict[str, int]):
    """What a step counts: `counts.add(rows=5)`."""

    def add(self, **counts: int) -> None:
        for name, count in counts.items():
            self[name] = self.get(name, 0) + count


class RunLog:
    """The log of one run. It never stops a night: where it cannot be written, `problem` says so (E850) and the run goes on.

    `as_of` may be set once it is known.
    """

    def __init__(
        self, state: Path, as_of: date | None = None, now: Callable[[], datetime] = clock.now
    ) -> None:
        self.as_of = as_of
        self.problem: Problem | None = None
        self._state, self._now, self._started = state, now, time.monotonic()

    @contextmanager
    def step(self, name: str) -> Iterator[Counts]:
        """Times a step and writes its line, also where it fails (with the class of the exception, never its text)."""
        counts, began = Counts(), time.monotonic()
        try:
            yield counts
        except BaseException as error:
            codes = {_code_of(error): 1}
            self._write(self._line(name, began, counts, codes, failed=_class_of(error)))
            raise
        self._write(self._line(name, began, counts, {}))

    def done(self, exit_code: int, codes: Mapping[str, int] | Iterable[str] = ()) -> None:
        """The last line: the whole run's seconds, its exit code, its problems by code."""
        counted: dict[str, int] = {}
        for code in codes:
            counted[code] = codes[code] if isinstance(codes, Mapping) else counted.get(code, 0) + 1
        self._write(self._line("done", self._started, {}, dict(sorted(counted.items())), exit_code))

    def _line(
        self,
        step: str,
        began: float,
        counts: Mapping[str, int],
        codes: Mapping[str, int],
        exit_code: int | None = None,
        failed: str = "",
    ) -> LogLine:
        seconds = time.monotonic() - began
        return LogLine(self._now(), self.as_of, step, seconds, counts, exit_code, codes, failed)

    def _write(self, line: LogLine) -> None:
        try:
            path = self._state / FOLDER / f"{line.at:%Y-%m}.jsonl"
            make_folder(path.parent)
            append_line(path, line.text().rstrip("\n").encode("ascii"))
        except OSError:
            why, cure = "磁盘满、没有写权限或被占用", "检查 state 文件夹所在的磁盘和权限；本次比对不受影响"
            self.problem = Problem("E850", "warning", "运行日志写不进去", why, cure, file=f"{FOLDER}/")


def read_log(path: Path) -> list[dict[str, object]]:
    """The whole lines of a log file; one that a power cut tore is left out. Raises OSError."""
    lines = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            told = json.loads(text)
        except ValueError:
            continue
        if isinstance(told, dict):
            lines.append(told)
    return lines


def _code_of(error: BaseException) -> str:
    if isinstance(error, ReconcileError):
        return error.problem.code
    return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else _BUG


def _class_of(error: BaseException) -> str:
    name = type(error).__name__
    return name if _CLASS.fullmatch(name) else "Exception"
