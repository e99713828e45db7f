"""The snapshot store: state/store/<department>/<dataset>/<county or "all">/<YYYYMMDD>/settled-00000.parquet,
open-00000.parquet … (which rows are settled: `contracts.own_number`)

A snapshot that another of the same date replaces is kept beside it (<YYYYMMDD>-<sha256 of the file>): the lists of
later nights are compared with what was accepted then.

A snapshot appears whole or not at all: its parts are written elsewhere, made durable, and the folder is renamed
into place with its manifest. The same file makes the same bytes; a second run leaves an equal snapshot untouched.
"""

from __future__ import annotations

import filecmp
import json
import shutil
from dataclasses import astuple
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow.parquet

from pipeline.contracts.columns import snapshot_columns
from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import Snapshot
from pipeline.contracts.disk_trouble import disk_trouble
from pipeline.contracts.list_history import AcceptedList
from pipeline.contracts.own_number import SETTLED, settled
from pipeline.contracts.problem import Problem
from pipeline.system_files import sync

MANIFEST = "manifest.json"
_ROW_GROUP = 1 << 18  # fixed, so that the bytes do not follow the number of threads
_PRIVATE = 0o700
_QUARANTINE = (
    *("code", "severity", "dataset", "county", "file", "sheet"),
    *("row", "column", "what", "why", "cure"),
)


def write_part(frame: pl.DataFrame, dataset: Dataset, folder: Path, number: int = 0) -> tuple[Path, ...]:
    """One part of a snapshot: its settled rows and the others, one file each, durable when the function returns.

    A file without rows is not written; of a part without rows the open one is. Raises ReconcileError E290: that the disk is full
    is no fault of the delivered file.
    """
    whole = frame.with_columns(settled(dataset).alias("_settled"))
    files = []
    for name, wanted in ((SETTLED, True), ("open", False)):
        rows = whole.filter(pl.col("_settled") == wanted).drop("_settled")
        if not rows.height and not (name == "open" and not frame.height):
            continue
        path = folder / f"{name}-{number:05d}.parquet"
        try:
            rows.write_parquet(
                path, compression="zstd", compression_level=1, statistics=False, row_group_size=_ROW_GROUP
            )
            sync(path)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise disk_trouble(error) or error from None
        files.append(path)
    return tuple(files)


def keep(parts: tuple[Path, ...], state: Path, snapshot: Snapshot) -> Snapshot:
    """Moves an accepted snapshot's parts into the store; `snapshot.parquet` is where they lay together until now."""
    place = _place(state, snapshot.dataset, snapshot.county) / f"{snapshot.snapshot_date:%Y%m%d}"
    place.parent.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
    fresh = snapshot.parquet / "kept"
    fresh.mkdir(mode=_PRIVATE)
    for part in parts:
        part.rename(fresh / part.name)
    manifest = fresh / MANIFEST
    told = {
        "rows": snapshot.rows,
        "source_file": snapshot.source_file,
        "parts": len(parts),
        "sha256": snapshot.sha256,
    }
    manifest.write_text(json.dumps(told, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    sync(manifest)
    sync(fresh)
    if place.exists():
        if _equal(place, fresh):
            shutil.rmtree(fresh)
            return _at(place, snapshot)
        place.rename(_aside(place, snapshot))
    fresh.rename(place)
    sync(place.parent)
    return _at(place, snapshot)


def last_kept(state: Path, dataset: Dataset, county: str, as_of: date) -> Snapshot | None:
    """The newest snapshot in the store not after `as_of` that has the dataset's columns of today."""
    folder = _place(state, dataset.dataset, county)
    if not folder.is_dir():
        return None
    for place in sorted(folder.iterdir(), key=lambda p: p.name, reverse=True):
        found = _kept(place, dataset, county) if "-" not in place.name else None  # not what was replaced
        if found and found.snapshot_date <= as_of:
            return found
    return None


def kept_as(state: Path, dataset: Dataset, accepted: AcceptedList) -> Snapshot | None:
    """The snapshot of just the file that was accepted; None if it is no longer there or has other columns than today's."""
    folder, day = _place(state, *accepted.key), f"{accepted.snapshot_date:%Y%m%d}"
    for place in (folder / day, folder / f"{day}-{accepted.sha256}"):
        found = _kept(place, dataset, accepted.county) if place.is_dir() else None
        if found and found.sha256 == accepted.sha256:
            return found
    return None


def quarantine_frame(problems: tuple[Problem, ...]) -> pl.DataFrame:
    """The problems as a table, one a row, in a total order; no personal data."""
    schema = {name: pl.Int64 if name == "row" else pl.String for name in _QUARANTINE}
    rows = [
        {name: getattr(problem, name) for name in _QUARANTINE}
        for problem in sorted(set(problems), key=astuple)
    ]
    frame = pl.DataFrame(rows, schema=schema)
    return frame.sort(
        "severity", "dataset", "county", "file", "sheet", "row", "code", "column", "what", "why", "cure"
    )


def _kept(place: Path, dataset: Dataset, county: str) -> Snapshot | None:
    """A snapshot as its manifest tells; None if it is not whole or its columns are not today's."""
    try:
        day = date(int(place.name[:4]), int(place.name[4:6]), int(place.name[6:8]))
        told = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return None
    told_of = (told["rows"], place, told["source_file"], told.get("sha256", ""))
    snapshot = Snapshot(dataset.dataset, county, day, *told_of)
    if len(snapshot.files) != told["parts"]:
        return None
    columns = list(snapshot_columns(dataset))
    same = all(pyarrow.parquet.read_schema(file).names == columns for file in snapshot.files)
    return snapshot if same else None


def _place(state: Path, dataset: str, county: str) -> Path:
    return state / "store" / dataset / (county or "all")


def _at(place: Path, snapshot: Snapshot) -> Snapshot:
    told = (snapshot.dataset, snapshot.county, snapshot.snapshot_date, snapshot.rows)
    return Snapshot(*told, place, snapshot.source_file, snapshot.sha256)


def _aside(place: Path, fresh: Snapshot) -> Path:
    """Where the replaced snapshot goes: beside the new one, or to the scratch folder if it is of the same file."""
    try:
        sha256 = json.loads((place / MANIFEST).read_text(encoding="utf-8")).get("sha256", "")
    except (ValueError, OSError):
        sha256 = ""
    beside = place.with_name(f"{place.name}-{sha256}")
    if not sha256 or sha256 == fresh.sha256 or beside.exists():
        return fresh.parquet / "replaced"
    return beside


def _equal(old: Path, new: Path) -> bool:
    """Whether the two folders hold the same files with the same bytes."""
    names = sorted(path.name for path in new.iterdir())
    if names != sorted(path.name for path in old.iterdir()):
        return False
    return not any(filecmp.cmpfiles(old, new, names, shallow=False)[1:])
