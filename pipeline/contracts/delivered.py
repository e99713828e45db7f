"""What intake hands on: accepted snapshots (Parquet), coverage, problems, and counts for the quality page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.contracts.list_history import AcceptedList, HeldList
from pipeline.contracts.problem import Problem
from pipeline.contracts.tables import UNREADABLE


@dataclass(frozen=True)
class Snapshot:
    """An accepted snapshot in the store. `county` is "" for a prefecture-wide list. `rows` counts normalised rows.

    `parquet` is a folder (a single file also serves): a large list is kept in parts, which `files` names in order.
    """

    dataset: str
    county: str
    snapshot_date: date
    rows: int
    parquet: Path
    source_file: str  # relative to the inbox
    sha256: str = ""  # of the file as delivered

    @property
    def files(self) -> tuple[Path, ...]:
        """The Parquet files of the snapshot, in order; at least one, also of a lawfully empty list."""
        if self.parquet.is_file():
            return (self.parquet,)
        return tuple(sorted(p for p in self.parquet.iterdir() if p.suffix == ".parquet"))


# Reasons of places that are no kind of damaged identifier: what stands there cannot be read, or nothing does.
UNREAD, BLANK = "unread", "blank"
KEPT_PLACES = 1000  # of a column and reason, in a file; what is more is only counted (a cell of a spreadsheet holds 32,767 characters)
Place = tuple[str, int]  # sheet ("" in a text file) and row, as a spreadsheet counts them
# How a cell of such a column can be written so that it is understood; for departments.
WRITTEN = {
    "date": "20260131",
    "month": "202601",
    "year": "2026",
    "amount": "1200.00",
    "region": "六位区划代码",
}


@dataclass(frozen=True)
class FieldQuality:
    """Counts of one column of one delivered file. `by_kind` names code values no list knows (never identifying ones).

    `places`: by reason (a kind of damaged identifier, UNREAD, BLANK of a required column) the first KEPT_PLACES.
    """

    dataset: str
    county: str
    source_file: str
    field: str
    rows: int
    blank: int
    damaged: int  # identifiers that cannot be used, dates that are none, codes no list knows
    by_kind: tuple[tuple[str, int], ...] = ()  # e.g. (("checksum", 3), ("masked", 1)) or unknown code values
    places: tuple[tuple[str, tuple[Place, ...]], ...] = ()


@dataclass(frozen=True)
class Refusal:
    """A dataset × county that was not accepted, and why (status `missing`, `quarantined` or `stale`)."""

    dataset: str
    county: str
    status: str
    why: str
    snapshot_date: date | None = None


@dataclass(frozen=True)
class Intake:
    """Everything the later stages may know of the inbox."""

    as_of: date
    snapshots: tuple[Snapshot, ...]
    refusals: tuple[Refusal, ...]
    problems: tuple[Problem, ...]
    quality: tuple[FieldQuality, ...]
    files_read: int = 0
    rows_read: int = 0
    rows_quarantined: int = 0
    coverage: pl.DataFrame = field(default_factory=pl.DataFrame)
    # Who stands in rows of accepted lists that could not be used: their facts are unknown, not absent.
    unreadable: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=UNREADABLE))
    # What the ledger remembers of the lists; empty where no history was given.
    accepted: tuple[AcceptedList, ...] = ()
    held: tuple[HeldList, ...] = ()
