"""Why the ledger does not open or go on, in words for the person who must act. Never a value, never a library's text."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.contracts.problem import Problem, ReconcileError

LEDGER_DAMAGED = 7  # exit code
_RESTORE = "先把整个 state 文件夹另存一份，再运行 reconcile ledger restore，用最近的完好备份恢复"
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DISK = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
}
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}


def refused(code: str, what: str, why: str, cure: str, file: str = "", exit_code: int = 1) -> ReconcileError:
    return ReconcileError(Problem(code, "error", what, why, cure, file=file), exit_code)


def torn(why: str) -> ReconcileError:
    """The ledger is not the one whose head was witnessed."""
    return refused(
        "E701", "台账缺了一截或被换过，不能使用", why, _RESTORE, "ledger/ledger.sqlite", LEDGER_DAMAGED
    )


def damaged(why: str, file: str = "ledger/ledger.sqlite") -> ReconcileError:
    return refused("E702", "台账文件已损坏", why, _RESTORE, file, LEDGER_DAMAGED)


def newer(version: int, known: int) -> ReconcileError:
    why = f"台账格式是第{version}版，本程序只认到第{known}版"
    cure = "装上当时写台账的那个版本（或更新的）程序再运行；台账没有改动"
    return refused("E703", "台账由更新的程序写成", why, cure, "ledger/ledger.sqlite")


def busy() -> ReconcileError:
    why = "另一个程序正在使用台账，同一时刻只能有一个写入"
    return refused("E704", "台账正在被使用", why, "等它结束后再运行", "ledger/ledger.sqlite", 5)


def unwritable(file: str, why: str) -> ReconcileError:
    cure = "检查 --state 文件夹的权限和磁盘空间，然后重新运行；已入账的内容没有丢"
    return refused("E705", "台账所在的磁盘读不出或写不进", why, cure, file)


def broken_chain(sequence: int, file: str = "ledger/ledger.sqlite") -> ReconcileError:
    why = f"第{sequence}条记录与它前面的记录对不上，内容被改动或损坏"
    return refused("E706", "台账的记录链断了", why, _RESTORE, file, LEDGER_DAMAGED)


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Says an OSError as E705: its class of failure (no space, no permission), with the file's folder and name only."""
    try:
        yield
    except OSError as error:
        raise unwritable(f"{path.parent.name}/{path.name}", error.strerror or type(error).__name__) from None


@contextmanager
def own_sql(file: str = "ledger/ledger.sqlite") -> Iterator[None]:
    """Around the ledger's own statements: they are right, so what is neither busy nor disk is damage (E702)."""
    try:
        yield
    except sqlite3.Error as error:
        raise (_known(error, file) or damaged("数据库读不下去", file)) from None


@contextmanager
def others_sql() -> Iterator[None]:
    """Around statements of others: what is neither busy, disk nor damage is a bug, told by SQLite's name of it only."""
    try:
        yield
    except sqlite3.Error as error:
        known = _known(error, "ledger/ledger.sqlite")
        if known is None:
            name = getattr(error, "sqlite_errorname", "")
            raise RuntimeError(f"{type(error).__name__} {name}".strip()) from None
        raise known from None


def _known(error: sqlite3.Error, file: str) -> ReconcileError | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code
    if code in _BUSY:
        return busy()
    if code in _DISK:
        return unwritable(file, "磁盘已满、只读，或文件系统出错")
    if code in _DAMAGE:
        return damaged("数据库结构不完整，可能是断电、磁盘故障或被改动", file)
    return None
