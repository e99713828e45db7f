"""DuckDB that cannot leave its room: no extension is loaded, no file outside the named folders is touched by SQL, no setting changed.

A rule, a header or a name could one day carry SQL; then there is nothing that it can reach. `enable_external_access = false` closes
the file system and the network to SQL except for `allowed_directories` (DuckDB resolves links and `..` before it compares), and
`lock_configuration` keeps it so until the connection is closed. Polars frames still come in: they are handed over, not read.

What cannot be closed: SQL may write inside the named folders too (DuckDB knows no read-only folder), `attach ':memory:'` makes a
further empty database, and a polars or pyarrow call is not SQL. So folders are named as narrowly as possible: never the ledger or the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

_CLOSED = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_unsigned_extensions": False,
    "allow_persistent_secrets": False,
}
# of a state folder, what a night's SQL reads (the store, kept nights) or writes (the night to keep)
_OF_A_NIGHT = ("store", "night", "night-before", "night.part")


def in_memory(*, optimizer: bool = True) -> duckdb.DuckDBPyConnection:
    """A database that reads and writes no file at all: for rule cases, rehearsals and checks, which are small.

    `optimizer` False: queries are only described, not run.
    """
    connection = duckdb.connect(config={**_CLOSED, "temp_directory": ""})
    connection.execute("set enable_progress_bar = false").fetchall()
    if not optimizer:
        connection.execute("pragma disable_optimizer").fetchall()
    close(connection, ())
    return connection


def in_folders(
    memory_gb: float, threads: int, spill: str, folders: Sequence[Path] | None
) -> duckdb.DuckDBPyConnection:
    """An in-memory database that spills to `spill` and whose SQL reaches the folders and nothing else.

    `folders` None leaves the file system open to SQL: for measuring and tests only. `threads` 0: all.
    """
    connection = duckdb.connect(
        config={
            **_CLOSED,
            "memory_limit": f"{memory_gb}GB",
            "temp_directory": spill,
            "preserve_insertion_order": False,
        }
    )
    connection.execute("set enable_progress_bar = false").fetchall()
    if threads:
        connection.execute(f"set threads = {threads}").fetchall()
    if folders is not None:
        close(connection, folders)
    return connection


def folders_of_a_night(state: Path) -> tuple[Path, ...]:
    """What the SQL of a night may touch in its state folder."""
    return tuple(state / name for name in _OF_A_NIGHT)


def close(connection: duckdb.DuckDBPyConnection, folders: Sequence[Path]) -> None:
    """From here on SQL reaches these folders (and the spill folder) only, and can change no setting."""
    # absolute: a later change of the working folder must not move the walls
    named = ", ".join("'" + str(folder.absolute()).replace("'", "''") + "'" for folder in folders)
    connection.execute(f"set allowed_directories = [{named}]").fetchall()
    connection.execute("set enable_external_access = false").fetchall()
    connection.execute("set lock_configuration = true").fetchall()
