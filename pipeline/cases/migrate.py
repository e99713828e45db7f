"""The ledger's schema, brought forward: `migrations/0001_….sql`, `0002_….sql` …, each in a transaction of its own.

A script is never changed once a ledger was written with it. For each there is a golden file (`tests/cases/golden/`).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pipeline.cases.refusals import newer, others_sql, own_sql

MIGRATIONS = Path(__file__).with_name("migrations")
_NAME = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql")


def scripts(folder: Path = MIGRATIONS) -> list[Path]:
    """The scripts in order: the n-th leads to version n. Raises RuntimeError where a name or a number is out of form."""
    found = sorted(folder.glob("*.sql"))
    numbers = [int(match[1]) if (match := _NAME.fullmatch(path.name)) else 0 for path in found]
    if not found or numbers != list(range(1, len(found) + 1)):
        raise RuntimeError("migrations must be numbered 0001, 0002, … without a gap")
    return found


def version_of(connection: sqlite3.Connection) -> int:
    """The schema's version, 0 for an empty file. Raises ReconcileError E702, E704, E705."""
    with own_sql():
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, folder: Path = MIGRATIONS) -> None:
    """Runs the scripts that are still to come. Raises ReconcileError E703 where the ledger is newer than they; E704, E705.

    A script that fails leaves the version before it (RuntimeError with SQLite's name of the error).
    """
    known = scripts(folder)
    if version_of(connection) > len(known):
        raise newer(version_of(connection), len(known))
    for version, script in enumerate(known, start=1):
        if version_of(connection) < version:
            _step(connection, version, script.read_text(encoding="utf-8"))


def _step(connection: sqlite3.Connection, version: int, text: str) -> None:
    with others_sql():
        connection.execute("BEGIN IMMEDIATE")
        try:
            if version_of(connection) < version:  # another process may have been quicker
                for statement in _statements(text):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _statements(text: str) -> Iterator[str]:
    """The script's statements; `executescript` would commit between them."""
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if any(line.strip() and not line.startswith("--") for line in statement.splitlines()):
        raise RuntimeError("a migration ends in the middle of a statement")
