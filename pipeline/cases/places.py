"""Where the ledger and what belongs to it lie in the state folder, and how files there are made to last."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.cases.refusals import busy, disk
from pipeline.system_files import lock, make_folder, open_private, put, set_mode, sync


@dataclass(frozen=True)
class Places:
    """The files of one state folder."""

    state: Path

    @property
    def ledger(self) -> Path:
        return self.state / "ledger" / "ledger.sqlite"

    @property
    def lock(self) -> Path:
        return self.state / "ledger" / "lock"

    @property
    def key(self) -> Path:
        return self.state / "key" / "person.key"

    @property
    def witness(self) -> Path:
        return self.state / "witness" / "ledger-head.json"

    @property
    def backups(self) -> Path:
        return self.state / "backup"

    def with_journals(self) -> tuple[Path, Path, Path]:
        """The ledger's journal files and the ledger itself, in the order in which they may be moved aside."""
        wal, index = (self.ledger.with_name(self.ledger.name + end) for end in ("-wal", "-shm"))
        return wal, index, self.ledger

    def was_there(self) -> bool:
        """Whether this state ever had a ledger: itself, its journal, its witness or a backup is there."""
        known = (*self.with_journals(), self.witness)
        return any(path.exists() for path in known) or any(self.backups.glob("ledger-*.sqlite"))


@contextmanager
def locked(places: Places, *, shared: bool = False) -> Iterator[None]:
    """Holds the ledger's lock: shared while it is open, alone while its files are made or exchanged.

    Raises ReconcileError E704 (exit 5) where that cannot be had, E705.
    """
    with disk(places.lock):
        private_folder(places.lock.parent)
        handle = open_private(places.lock, os.O_RDWR | os.O_CREAT)
    try:
        if not lock(handle, shared=shared, wait=False):
            raise busy()
        yield
    finally:
        os.close(handle)


def private_folder(folder: Path) -> None:
    """Makes it, 0700, and its name lasting; an existing one stays as it is."""
    if not folder.is_dir():
        make_folder(folder)
        sync(folder.parent)


def write_whole(path: Path, content: bytes, mode: int) -> None:
    """Puts the content in place at once: written beside it, fsynced, renamed, folder fsynced."""
    private_folder(path.parent)
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)  # left by a run that was killed
    handle = open_private(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        set_mode(handle, mode)
        left = memoryview(content)
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    put(beside, path)
