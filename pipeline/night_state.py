"""The state of a night while it runs: alone in it, its ledger open, its temporary files private; and what is kept too long, removed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from pipeline import cases
from pipeline.contracts.settings import Settings
from pipeline.private_process import private_temporary
from pipeline.retention import needed_snapshots, purge, purge_temporary, settled_letters
from pipeline.run_lock import only_run


@contextmanager
def night_state(state: Path, out: Path) -> Iterator[cases.Ledger]:
    """The open ledger. What killed runs left goes first. Raises ReconcileError E401 (exit 5), and as `open_ledger`."""
    with only_run(state):
        purge_temporary(state, out)
        with private_temporary(state), cases.open_ledger(state) as ledger:
            yield ledger


def purge_old(ledger: cases.Ledger, state: Path, out: Path, settings: Settings, as_of: date) -> None:
    """By the dates in the names of our own files; see `retention`."""
    needed, done_on = needed_snapshots(ledger, as_of), settled_letters(ledger)
    purge(state, out, settings.retention, as_of, needed, done_on)
