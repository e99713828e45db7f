"""Where the ledger and what belongs to it lie in the state folder, and how files there are made to last."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.cases.refusals import busy, disk


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
def locked(places: Places, how: int) -> Iterator[None]:
    """Holds the ledger's lock: LOCK_SH while it is open, LOCK_EX while its files are made or exchanged.

    Raises ReconcileError E704 (exit 5) where that cannot be had, E705.
    """
    with disk(places.lock):
        private_folder(places.lock.parent)
        handle = os.open(places.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy() from None
        yield
    finally:
        os.close(handle)


def private_folder(folder: Path) -> None:
    """Makes it, 0700, and its name lasting; an existing one stays as it is."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync(folder.parent)


def sync(path: Path) -> None:
    """What was written to the file, or the names in the folder, outlive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, content: bytes, mode: int) -> None:
    """Puts the content in place at once: written beside it, fsynced, renamed, folder fsynced."""
    private_folder(path.parent)
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)  # left by a run that was killed
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        os.fchmod(handle, mode)
        left = memoryview(content)
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    put(beside, path)


def put(beside: Path, path: Path) -> None:
    """Renames a finished, fsynced file into its place, lastingly."""
    beside.replace(path)
    sync(path.parent)
