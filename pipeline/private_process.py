"""A process that leaves nothing behind for others: rights of its files, no core dumps, temporary folders of its own.

Everything here is about POSIX systems; elsewhere the calls do what they can and say so (`None`: cannot be said). Docs name the other
modules that need POSIX (file locks).
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

try:
    import fcntl
    import resource
except ImportError:  # Windows
    fcntl = resource = None  # type: ignore[assignment]

TEMPORARY = "tmp"  # in the state folder
_UMASK = 0o077
_PRIVATE = 0o700


def harden() -> None:
    """Files only for their owner (umask 077) and no core dump: it would hold the night's data in plain. Call it first."""
    os.umask(_UMASK)
    if resource is not None:
        # a limit that is already lower stays; lowering needs no privilege
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


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


def own_user() -> int | None:
    """The number of the user who runs this; None where users have none."""
    return os.getuid() if hasattr(os, "getuid") else None


def is_own(path: Path) -> bool | None:
    """Whether the file belongs to who runs this (a link itself, not what it names). Raises OSError."""
    user = own_user()
    return None if user is None else path.lstat().st_uid == user


def rights(path: Path) -> int | None:
    """The nine bits of a file's mode (0o600 …), None where the system has none. Raises OSError."""
    return stat.S_IMODE(path.lstat().st_mode) & 0o777 if os.name == "posix" else None


@dataclass(frozen=True)
class Exposed:
    """Of files and folders: how many there are, others can use, and belong to somebody else."""

    there: int = 0
    open: int = 0
    foreign: int = 0


def exposed(*tops: Path) -> Exposed | None:
    """Looks at all that lies in the folders, each once, links not followed; None where files have no rights of this kind."""
    user = own_user()
    if user is None:
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
                open_ones += bool(told.st_mode & _UMASK)
                foreign += told.st_uid != user
                if stat.S_ISDIR(told.st_mode):
                    waiting.append(entry.path)
    return Exposed(there, open_ones, foreign)


def umask() -> int:
    """The bits that new files of this process do not get. It is told by setting it: no other thread may make files meanwhile."""
    before = os.umask(_UMASK)
    os.umask(before)
    return before


def core_limit() -> int | None:
    """The largest core dump in bytes this process may leave (-1: any), None where that cannot be said."""
    return None if resource is None else resource.getrlimit(resource.RLIMIT_CORE)[0]


def machine_memory() -> int | None:
    """Bytes of memory that this process may use: the machine's, or its control group's where that is less."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    with suppress(OSError, ValueError):
        # cgroup v2; a service's MemoryMax stands there
        own = Path("/proc/self/cgroup").read_text(encoding="ascii").strip().rpartition(":")[2]
        return min(whole, int((Path("/sys/fs/cgroup") / own.lstrip("/") / "memory.max").read_text().strip()))
    return whole


def _hold(folder: Path) -> int | None:
    """A handle that locks the folder, None where another process has it or the system has no such locks."""
    if fcntl is None:
        return None
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _empty(folder: Path) -> None:
    """Removes our own folder; a link in its place goes, what it names stays."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
