"""Who looked at people's data, when and why: `STATE/access/<YYYY>.jsonl`, append-only lines chained by hashes.

Each line holds the SHA-256 of the line before it (of the year before, for a year's first), so that nothing can be changed
or taken out of the middle unnoticed; what is cut off at the end only a copy elsewhere can tell: copy the folder off the
machine every night. A line is on the disk (fsync) before the data are shown. No name, number or certificate stands in it: a
person asked for is the first 16 hex digits of the ledger's keyed hash, cases are their numbers.

Why (`--reason`) must be said where the state is in production: a settings file is in use (`--config`, or ./reconcile.toml is
there), or a letter has ever been sent from this state (`mail_sent` in the ledger). Elsewhere (the sample) it may be left out.

The real clock is read here (Asia/Shanghai has had UTC+8 without summer time since 1991): a log tells when, not for which date.
PIPL arts 51, 54; 网络安全法 art. 21; GB/T 22239-2019 (audit).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.cases import Places, case_number, open_ledger
from pipeline.cases.person_key import read_key
from pipeline.cases.places import private_folder
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.identity import id_number
from pipeline.identity.mask import mask_text
from pipeline.system_files import acting_person as acting_person
from pipeline.system_files import append_line, lock, open_folder
from pipeline.system_files import os_user as os_user

FOLDER = "access"
UNSAID = "未写"
GENESIS = "0" * 64  # stands for the line before the first
_SHANGHAI = timezone(timedelta(hours=8))
_LONGEST_REASON = 200  # characters
_MOST_CASES = 200  # numbers in a line; of more (a county's book) only the count, `what` says which
_MARK = 16  # hex digits of a person's keyed hash
_LONG_RUN = re.compile(
    "[0-9]{8,}[Xx]?"
)  # no code, date or case number of the house has so many digits in a row
# how the name of a notice or quality letter begins
_LETTER_OF_A_DAY = re.compile(r"[nq]20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])-")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SETTINGS = Path("reconcile.toml")  # used where no --config is given


@dataclass(frozen=True)
class Access:
    """One line. `at`: ISO 8601 with +08:00; `who`: the system's name of the user; `sudo`: who became that user, as the
    environment says it; `what`: `person:<16 hex>`, a county, a list; `cases`: at most 200 numbers of `case_count`."""

    at: str
    who: str
    sudo: str
    command: str
    what: str
    cases: tuple[str, ...]
    case_count: int
    reason: str
    before: str

    def line(self) -> bytes:
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def note(
    state: Path,
    command: str,
    what: str,
    reason: str,
    cases: Sequence[str] = (),
    *,
    at: datetime | None = None,
) -> None:
    """Adds a line, on the disk when this returns. Call it before anything is shown or written.

    Raises ReconcileError E872 where it cannot be written: then nothing may be shown.
    """
    now = (at or datetime.now(_SHANGHAI)).astimezone(_SHANGHAI)
    numbers = tuple(cases) if len(cases) <= _MOST_CASES else ()
    with _disk(), _locked(state):
        folder = state / FOLDER
        years = _years(folder)
        path = folder / f"{max([now.year, *years[-1:]])}.jsonl"  # a clock that was set back breaks no chain
        before = _hash_of_last(folder, years)
        told = Access(
            now.isoformat(timespec="seconds"),
            os_user(),
            _clean(os.environ.get("SUDO_USER", ""), 64),
            command,
            _clean(what, 200),
            numbers,
            len(cases),
            _clean(reason, _LONGEST_REASON) or UNSAID,
            before,
        )
        append_line(path, told.line())


def reason_for(state: Path, reason: str, config: Path | None = None) -> str:
    """The reason to note, UNSAID where none is given and none is needed.

    Raises ReconcileError E870 where one must be said, E871 where it is too long.
    """
    said = " ".join(reason.split())
    if len(said) > _LONGEST_REASON:
        why = f"最多{_LONGEST_REASON}个字，这一条有{len(said)}个"
        raise _refused("E871", "--reason 太长", why, "写明为什么要看就够了，不要写个人信息")
    if said:
        return said
    if in_production(state, config):
        why = "这里已用于正式工作（用着设置文件，或已发过邮件），查看个人信息要留下原因"
        raise _refused("E870", "没有写明原因", why, "加上 --reason 原因，例如 --reason 本人来电询问")
    return UNSAID


def in_production(state: Path, config: Path | None = None) -> bool:
    """Whether a settings file is in use or a letter was ever sent from this state. A ledger that cannot be read counts as one."""
    if config is not None or _SETTINGS.is_file():
        return True
    if not Places(state).was_there():
        return False
    try:
        with open_ledger(state) as ledger:
            return bool(ledger.query("SELECT 1 FROM events WHERE kind = 'mail_sent' LIMIT 1"))
    except ReconcileError:
        return True


def asked_for(state: Path, typed: str) -> tuple[str, tuple[str, ...]]:
    """What a line says of the number somebody typed: `what` and the case numbers. The number itself never stands there."""
    number = case_number.read(typed)
    if number:
        return "", (number,)
    return person_mark(state, typed), ()


def person_mark(state: Path, typed: str) -> str:
    """`person:` and 16 hex digits of the ledger's keyed hash of the identity (else certificate) number; of any other text
    of that text. Only `person` where there is no key to make it with."""
    found = id_number.normalise(pl.Series([typed])).row(0, named=True)
    kind = "certificate" if found["certificate"] else "id"
    try:
        return f"person:{read_key(Places(state)).of(kind, found[kind] or typed)[:_MARK]}"
    except (ReconcileError, ValueError):
        return "person"


def read(state: Path, since: date | None = None) -> list[Access]:
    """The lines that can be read, in order, from that day on. Raises ReconcileError E872."""
    found = []
    with _disk():
        for path, _, line in _lines(state / FOLDER):
            told = _parsed(line)
            if told is not None and not (since and path.stem < str(since.year)):
                found.append(told)
    return [one for one in found if since is None or datetime.fromisoformat(one.at).date() >= since]


def check(state: Path) -> list[Problem]:
    """What is wrong with the log: E873 a line that does not follow on the one before it, E874 one that cannot be read.

    The first line of the oldest year that is kept may follow on one that retention has removed. Raises ReconcileError E872.
    """
    problems = []
    before: str | None = None
    with _disk():
        for path, row, line in _lines(state / FOLDER):
            told = _parsed(line)
            file = f"{FOLDER}/{path.name}"
            if told is None:
                what, why = "查看记录中有一行读不出来", "可能是写入时断电，也可能被改动过"
                problems.append(_wrong("E874", what, why, file, row))
            elif before is not None and told.before != before:
                what, why = "查看记录的链断了", "这一行或它前面的一行被改动、插入或删去过"
                problems.append(_wrong("E873", what, why, file, row))
            before = hashlib.sha256(line).hexdigest()
    return problems


def _lines(folder: Path) -> Iterator[tuple[Path, int, bytes]]:
    """Every line of every year with its file and row; empty ones are none."""
    for year in _years(folder):
        path = folder / f"{year}.jsonl"
        for row, line in enumerate(path.read_bytes().split(b"\n"), start=1):
            if line:
                yield path, row, line


def _years(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("[0-9][0-9][0-9][0-9].jsonl"))


def _hash_of_last(folder: Path, years: Sequence[int]) -> str:
    for year in reversed(years):
        lines = [line for line in (folder / f"{year}.jsonl").read_bytes().split(b"\n") if line]
        if lines:
            return hashlib.sha256(lines[-1]).hexdigest()
    return GENESIS


def _parsed(line: bytes) -> Access | None:
    try:
        told: dict[str, Any] = json.loads(line)
        one = Access(**{**told, "cases": tuple(told["cases"])})
        datetime.fromisoformat(one.at)
        return one
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


@contextmanager
def _locked(state: Path) -> Iterator[None]:
    """The folder, made 0700 if need be, locked for one writer."""
    folder = state / FOLDER
    private_folder(folder)
    handle = open_folder(folder)
    try:
        lock(handle)
        yield
    finally:
        os.close(handle)


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        cure = "检查 --state 文件夹的权限和磁盘空间；记不下来就不显示个人信息"
        raise _refused("E872", "查看记录写不进或读不出", why, cure) from None


def _clean(text: str, longest: int) -> str:
    """One line without anything that may be a person's number."""
    plain = mask_text(_CONTROL.sub(" ", text))
    day = _LETTER_OF_A_DAY.match(plain)
    kept = plain if plain.startswith("person:") else day[0] if day else ""
    marks = kept + _LONG_RUN.sub("****", plain[len(kept) :])
    return " ".join(marks.split())[:longest]


def _refused(code: str, what: str, why: str, cure: str) -> ReconcileError:
    return ReconcileError(Problem(code, "error", what, why, cure, file=FOLDER if code == "E872" else ""))


def _wrong(code: str, what: str, why: str, file: str, row: int) -> Problem:
    cure = "不要改动它；与每夜拷出的副本比对，并告诉负责数据安全的人"
    return Problem(code, "error", what, why, cure, file=file, row=row)
