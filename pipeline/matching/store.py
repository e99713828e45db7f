"""Opens the accepted snapshots as DuckDB views, one a dataset, all columns of the schema, empty where none was accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import polars as pl

from pipeline.contracts.columns import snapshot_columns
from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import Snapshot
from pipeline.contracts.own_number import SETTLED
from pipeline.contracts.tables import UNREADABLE
from pipeline.locked_database import in_folders


def connect(
    memory_gb: float, threads: int, temp_folder: str, folders: Sequence[Path] | None = None
) -> duckdb.DuckDBPyConnection:
    """An in-memory database that spills to `temp_folder` and loads nothing; its SQL reaches `folders` only (None: any place)."""
    return in_folders(memory_gb, threads, temp_folder, folders)


def open_lists(
    con: duckdb.DuckDBPyConnection,
    datasets: Mapping[str, Dataset],
    snapshots: tuple[Snapshot, ...],
    unreadable: pl.DataFrame | None = None,
) -> None:
    """Creates for every dataset, in the schema's columns, `list_<department>__<dataset>` and, of the same rows,
    `unsure_<…>` (without the files of settled rows, `contracts.own_number`); `unreadable` and `list_files` (dataset, its title, source_file, and the county that delivered it, null for a prefecture-wide list).
    """
    nothing = pl.DataFrame(schema=UNREADABLE)
    keep(con, "unreadable", nothing if unreadable is None else unreadable.select(list(UNREADABLE)))
    delivered = [(s.dataset, datasets[s.dataset].title, s.source_file, s.county or None) for s in snapshots]
    columns = ("dataset", "title", "source_file", "county")
    keep(con, "list_files", pl.DataFrame(delivered, schema=dict.fromkeys(columns, pl.String), orient="row"))
    for key, dataset in datasets.items():
        files = [str(file) for s in snapshots if s.dataset == key for file in s.files]
        unsure = [file for file in files if not Path(file).name.startswith(f"{SETTLED}-")]
        for view, rows in (("list", files), ("unsure", unsure)):
            con.execute(
                f"create or replace view {view}_{dataset.table} as {_source(dataset, rows)}"
            ).fetchall()


def _source(dataset: Dataset, files: list[str]) -> str:
    columns = snapshot_columns(dataset)
    if not files:
        typed = ", ".join(f'cast(null as {kind}) as "{name}"' for name, kind in columns.items())
        return f"select {typed} where false"
    names = ", ".join(f'"{name}"' for name in columns)
    quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return f"select {names} from read_parquet([{quoted}])"


def keep(con: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    """Stores a frame as a table of the database."""
    con.register("frame_to_keep", frame.to_arrow())
    con.execute(f"create or replace table {table} as select * from frame_to_keep").fetchall()
    con.unregister("frame_to_keep")


def add(con: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    """Adds a frame's rows to a table of the database; columns by name."""
    con.register("frame_to_add", frame.to_arrow())
    con.execute(f"insert into {table} by name select * from frame_to_add").fetchall()
    con.unregister("frame_to_add")
