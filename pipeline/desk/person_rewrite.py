"""Takes lines out of kept files: a Parquet file is written anew beside itself and renamed, a journal's lines are overwritten."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.intake.store import MANIFEST
from pipeline.system_files import lock, open_private, put, read_at, sync, write_at

_STORE_GROUP = 1 << 18  # as pipeline/intake/store.py writes
_GROUP = 131_072  # as pipeline/results.py writes


def keep_lines(path: Path, keep: pl.Series) -> int:
    """Leaves only the marked lines of a Parquet file, its types as they were; how many went. Raises OSError, pa.ArrowException."""
    table = pq.read_table(path)
    left = table.filter(pa.array(keep.to_list(), type=pa.bool_()))
    if left.num_rows < table.num_rows:
        _replaced(path, lambda part: pq.write_table(left, part, compression="zstd", row_group_size=_GROUP))
    return int(table.num_rows - left.num_rows)


def rewrite_snapshot(path: Path, frame: pl.DataFrame) -> None:
    """Puts other rows in the place of a snapshot's file. Raises OSError."""
    _replaced(
        path,
        lambda part: frame.write_parquet(
            part, compression="zstd", compression_level=1, statistics=False, row_group_size=_STORE_GROUP
        ),
    )


def count_in_manifest(folder: Path, erased: int) -> None:
    """Records in a snapshot's manifest how many rows were taken out; `rows` stays what was delivered. Raises OSError, ValueError."""
    path = folder / MANIFEST
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    told["erased"] = told.get("erased", 0) + erased
    text = json.dumps(told, ensure_ascii=False, sort_keys=True) + "\n"
    _replaced(path, lambda part: part.write_text(text, encoding="utf-8"))


def blank_lines(path: Path, is_his: Callable[[dict[str, Any]], bool]) -> int:
    """Overwrites with line ends, in place and under the journal's lock, the JSON lines that are his; how many. Raises OSError.

    In place: whoever waits for the lock holds this file, not one that takes its name. Empty lines say nothing.
    """
    if not path.is_file():
        return 0
    handle = open_private(path, os.O_RDWR)
    try:
        lock(handle)
        place, gone = 0, 0
        for line in read_at(handle, os.fstat(handle).st_size, 0).split(b"\n"):
            if line and _says(line, is_his):
                write_at(handle, b"\n" * len(line), place)
                gone += 1
            place += len(line) + 1
        os.fsync(handle)
        return gone
    finally:
        os.close(handle)


def is_one_of(names: Collection[str], keys: Collection[str]) -> Callable[[dict[str, Any]], bool]:
    """Whether one of the line's fields `names` is one of the keys."""
    return lambda line: any(line.get(name) in keys for name in names)


def _says(line: bytes, is_his: Callable[[dict[str, Any]], bool]) -> bool:
    try:
        told = json.loads(line)
        return isinstance(told, dict) and is_his(told)
    except (ValueError, TypeError, RecursionError):
        return False


def _replaced(path: Path, write: Callable[[Path], object]) -> None:
    part = path.with_name(f".tmp-{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        part.touch(mode=0o600)
        write(part)
        part.chmod(path.stat().st_mode & 0o777)
        sync(part)
        put(part, path)
    finally:
        part.unlink(missing_ok=True)
