"""A process that leaves nothing behind for others: rights of its files, no core dumps, temporary folders of its own.

Where files have no owners or modes of the POSIX kind the answers are None: it cannot be said. What systems do each in their own way
is in `system_files`.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline import system_files
from pipeline.system_files import HAS_OWNERS, ONLY_OWNER, lock, open_folder, set_umask

TEMPORARY = "tmp"  # in the state folder
_PRIVATE = 0o700


def harden() -> None:
    """Files only for their owner (umask 077) and no core dump: it would hold the night's data in plain. Call it first."""
    set_umask(ONLY_OWNER)
    system_files.forbid_core_dumps()


@contextmanager
def private_temporary(state: Path) -> Iterator[Path]:
    """While it lasts every temporary file of this process and its children lies in `STATE/tmp` (0700), emptied before and after.

    xlsxwriter and others write parts of workbooks to the system's temporary folder, in plain; a killed run would leave them
    there. To be used under the run's lock: the folder is one. Raises OSError where it cannot be made.
    """
    folder = state / TEMPORARY
    _empty(folder)
    folder.mkdir(parents=True, mode=_PRIVATE)
    before, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = str(folder.absolute())
    os.environ["TMPDIR"] = str(folder.absolute())  # of the children
    try:
        yield folder
    finally:
        tempfile.tempdir = before
        if variable is None:
            os.environ.pop("TMPDIR", None)
        else:
            os.environ["TMPDIR"] = variable
        _empty(folder)


@contextmanager
def scratch(parent: Path, prefix: str) -> Iterator[str]:
    """A private temporary folder `<prefix>…` that `abandoned` can tell from one whose process was killed. Its path."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as folder:
        handle = _hold(Path(folder))
        try:
            yield folder
        finally:
            if handle is not None:
                os.close(handle)


def abandoned(folder: Path) -> bool:
    """Whether no living process holds the folder of `scratch`: the kernel frees the lock of a killed one."""
    handle = _hold(folder)
    if handle is None:
        return False  # held, or it cannot be said
    os.close(handle)
    return True


def is_own(path: Path) -> bool | None:
    """Whether the file belongs to who runs this (a link itself, not what it names). Raises OSError."""
    return system_files.is_own(path.lstat())


def rights(path: Path) -> int | None:
    """The nine bits of a file's mode (0o600 …), None where the system has none. Raises OSError."""
    return stat.S_IMODE(path.lstat().st_mode) & 0o777 if HAS_OWNERS else None


@dataclass(frozen=True)
class Exposed:
    """Of files and folders: how many there are, others can use, and belong to somebody else."""

    there: int = 0
    open: int = 0
    foreign: int = 0


def exposed(*tops: Path) -> Exposed | None:
    """Looks at all that lies in the folders, each once, links not followed; None where files have no rights of this kind."""
    if not HAS_OWNERS:
        return None
    there = open_ones = foreign = 0
    waiting, seen = [str(top.resolve()) for top in tops if top.is_dir()], set()
    while waiting:
        folder = waiting.pop()
        if folder in seen:
            continue
        seen.add(folder)
        with suppress(FileNotFoundError), os.scandir(folder) as entries:  # a run may be at work
            for entry in entries:
                told = entry.stat(follow_symlinks=False)
                if stat.S_ISLNK(told.st_mode):
                    continue
                there += 1
                open_ones += bool(told.st_mode & ONLY_OWNER)
                foreign += not system_files.is_own(told)
                if stat.S_ISDIR(told.st_mode):
                    waiting.append(entry.path)
    return Exposed(there, open_ones, foreign)


def umask() -> int:
    """The bits that new files of this process do not get. It is told by setting it: no other thread may make files meanwhile."""
    before = set_umask(ONLY_OWNER)
    set_umask(before)
    return before


def _hold(folder: Path) -> int | None:
    """A handle that locks the folder, None where another process has it or the system has no such locks."""
    try:
        handle = open_folder(folder, plain=True)
    except OSError:
        return None
    with suppress(OSError):
        if lock(handle, wait=False):
            return handle
    os.close(handle)
    return None


def _empty(folder: Path) -> None:
    """Removes our own folder; a link in its place goes, what it names stays."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
