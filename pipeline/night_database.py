"""The night's DuckDB with a private spill folder, emptied before and after (spilled pages are plain text)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipeline import matching
from pipeline.contracts.settings import Settings
from pipeline.locked_database import folders_of_a_night


@contextmanager
def night_database(state: Path, settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open for one night; with the limits of the settings."""
    spill = state / "spill"
    shutil.rmtree(spill, ignore_errors=True)
    spill.mkdir(parents=True, mode=0o700)
    limits = settings.limits
    con = matching.connect(limits.memory_gb, limits.threads, str(spill), folders_of_a_night(state))
    try:
        yield con
    finally:
        con.close()
        shutil.rmtree(spill, ignore_errors=True)
