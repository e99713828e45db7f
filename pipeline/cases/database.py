"""The ledger as a SQLite file: how it is opened, made, and told from other files."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from pipeline.cases.places import private_folder
from pipeline.cases.refusals import damaged, disk, own_sql
from pipeline.system_files import open_private, put, sync

APPLICATION = 0x52434C31  # "RCL1" in the file's header
_PATIENCE = 10.0  # seconds to wait for another process's transaction


def connect(path: Path, *, journal: str) -> sqlite3.Connection:
    """An existing file, opened for reading and writing. Raises ReconcileError E702, E704, E705."""
    return _connected(path, "mode=rw", f"PRAGMA journal_mode = {journal}", "PRAGMA synchronous = FULL")


def connect_readonly(path: Path) -> sqlite3.Connection:
    """A file nobody writes to (a backup), opened without touching it or its folder. Raises ReconcileError as `connect`."""
    return _connected(path, "mode=ro&immutable=1")


def new_file(path: Path) -> None:
    """An empty file, 0600, for SQLite to fill; what a killed run left of it and its journals is removed. Raises OSError."""
    private_folder(path.parent)
    for end in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    os.close(open_private(path, os.O_RDWR | os.O_CREAT | os.O_EXCL))


def put_in_place(beside: Path, path: Path) -> None:
    """A closed database takes its place at once and lastingly. Raises ReconcileError E705."""
    with disk(path):
        sync(beside)
        put(beside, path)


def is_ledger(connection: sqlite3.Connection, file: str) -> None:
    """Raises ReconcileError E702 where the file is a database, but no ledger; E704, E705."""
    with own_sql(file):
        application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION:
        raise damaged("它不是台账，或文件头已被破坏", file)


def is_sound(connection: sqlite3.Connection, file: str, how: str) -> None:
    """SQLite's own `quick_check` or `integrity_check`. Raises ReconcileError E702; E704, E705."""
    with own_sql(file):
        answer = connection.execute(f"PRAGMA {how}(1)").fetchall()
    if answer != [("ok",)]:
        raise damaged("数据库自检没有通过，可能是断电、磁盘故障或被改动", file)


def _connected(path: Path, mode: str, *pragmas: str) -> sqlite3.Connection:
    file = f"{path.parent.name}/{path.name}"
    with own_sql(file):
        uri = f"{path.absolute().as_uri()}?{mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
        try:
            for pragma in (
                "PRAGMA trusted_schema = OFF",
                "PRAGMA cell_size_check = ON",
                "PRAGMA foreign_keys = ON",
                "PRAGMA recursive_triggers = ON",  # INSERT OR REPLACE deletes, and must meet the trigger
                *pragmas,
            ):
                connection.execute(pragma)
        except BaseException:
            connection.close()
            raise
    return connection
