"""What systems do each in their own way: locks, opening, names that last, owners, limits. Nothing POSIX-only stands elsewhere.

On Linux every function is the call its text names, and nothing beside it. Where that call is missing (Windows) it does what is nearest,
here and in sight: no file there has a mode or an owner of this kind, no folder can be opened or fsynced. Never tried on Windows.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

try:
    import fcntl
    import pwd
    import resource
except ImportError:  # Windows
    fcntl = pwd = resource = None  # type: ignore[assignment]
try:
    msvcrt: Any = import_module("msvcrt")
except ImportError:  # everywhere else
    msvcrt = None

HAS_OWNERS = hasattr(os, "geteuid")  # whether a file's mode and owner say who may read it
ONLY_OWNER = 0o077  # umask
_PRIVATE = 0o600

_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)
_FOLDER: int = getattr(os, "O_DIRECTORY", 0)
_BYTES: int = getattr(os, "O_BINARY", 0)  # Windows would write each line end as two bytes

_SLOTS = 64  # bytes that stand for a lock on Windows: so many may share it
_FAR = 1 << 30  # where they begin: other handles cannot read a locked byte, so no file of ours may be as long
_PAUSE = 0.05  # seconds between two tries


# locks


def lock(handle: int, *, shared: bool = False, wait: bool = True) -> bool:
    """Locks an open file, or a folder of `open_folder`, until the handle is closed, however the process ends (`flock`).

    False where somebody else has it and `wait` is off. Raises OSError where the file cannot be locked at all.
    """
    if fcntl is None:
        return _lock_bytes(handle, shared, wait)
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(handle, how if wait else how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_bytes(handle: int, shared: bool, wait: bool) -> bool:
    if msvcrt is None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    place = os.lseek(handle, 0, os.SEEK_CUR)
    try:
        while not _locked_bytes(handle, shared):
            if not wait:
                return False
            time.sleep(_PAUSE)
        return True
    finally:
        os.lseek(handle, place, os.SEEK_SET)


def _locked_bytes(handle: int, shared: bool) -> bool:
    """Windows' C library knows only locks for one: who shares takes any one byte, who does not takes all of them."""
    for slot in range(_SLOTS) if shared else (0,):
        os.lseek(handle, _FAR + slot, os.SEEK_SET)
        with suppress(PermissionError):  # somebody has it
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1 if shared else _SLOTS)
            return True
    return False


# opening, reading, writing


def open_private(path: Path, how: int, mode: int = _PRIVATE, *, wait: bool = True) -> int:
    """`os.open`, which is never inherited by children: a new file gets the mode, a link in its place is refused (OSError).

    `wait` off: a pipe in the file's place does not hold us up. On Windows the link is looked for before, not while, opening.
    """
    if not _NO_LINK and path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    handle = os.open(path, how | _NO_LINK | _BYTES | (0 if wait else _NO_WAIT), mode)
    if how & os.O_CREAT:
        _as_folder(handle, path.parent)
    return handle


def make_folder(folder: Path, mode: int = 0o700) -> None:
    """Makes it, and what leads to it; made by root, each belongs to the owner of the folder it lies in. Raises OSError."""
    missing = [folder, *folder.parents]
    missing = missing[: next((n for n, one in enumerate(missing) if one.is_dir()), len(missing))]
    folder.mkdir(mode=mode, parents=True, exist_ok=True)
    for one in reversed(missing if _is_root() else []):
        handle = open_folder(one, plain=True)
        try:
            _as_folder(handle, one.parent)
        finally:
            os.close(handle)


def give_back(folder: Path) -> None:
    """What root left anywhere under a folder of somebody else's goes to the folder's owner; otherwise nothing happens.

    Files that our own functions open are his at once; this is for those that libraries make, after a whole command. Never raises:
    what cannot be given is what the doctor's look at owners finds.
    """
    if not _is_root():
        return
    with suppress(OSError):
        told = folder.stat()
        if not told.st_uid:
            return
        for _, folders, files, inside in os.fwalk(folder):
            for name in (*folders, *files):
                with suppress(OSError):
                    _give(name, inside, told)


def _give(name: str, inside: int, owner: os.stat_result) -> None:
    """Looked at and given by one handle: nothing can be put in its place meanwhile."""
    handle = os.open(name, os.O_RDONLY | _NO_LINK | _NO_WAIT, dir_fd=inside)
    try:
        _own(handle, owner)
    finally:
        os.close(handle)


def _as_folder(handle: int, folder: Path) -> None:
    """A file or folder that root opened belongs to the owner of the folder it lies in: a second person who approves as root
    must leave nothing that the service cannot write to the next night."""
    if _is_root():
        _own(handle, folder.stat())


def _own(handle: int, owner: os.stat_result) -> None:
    """Only what is root's, and under one name only: a hard link may be a file of quite another place."""
    told = os.fstat(handle)
    single = stat.S_ISDIR(told.st_mode) or (stat.S_ISREG(told.st_mode) and told.st_nlink == 1)
    if owner.st_uid and not told.st_uid and single:
        os.fchown(handle, owner.st_uid, owner.st_gid)


def _is_root() -> bool:
    return HAS_OWNERS and os.geteuid() == 0


def open_folder(folder: Path, *, plain: bool = False) -> int:
    """A handle on a folder, to lock it or make its names last. `plain`: neither a link nor anything else will do. Raises OSError.

    Windows opens no folders: a file `.lock` in it stands for it.
    """
    if not _FOLDER:
        return open_private(folder / ".lock", os.O_RDWR | os.O_CREAT)
    return os.open(folder, os.O_RDONLY | (_FOLDER | _NO_LINK if plain else 0))


def set_mode(handle: int, mode: int) -> None:
    """The open file's mode, whatever the umask (`fchmod`); nothing where files have none."""
    if HAS_OWNERS:
        os.fchmod(handle, mode)


def read_at(handle: int, count: int, place: int) -> bytes:
    """Up to so many bytes from there (`pread`)."""
    if hasattr(os, "pread"):
        return os.pread(handle, count, place)
    os.lseek(handle, place, os.SEEK_SET)
    return os.read(handle, count)


def write_at(handle: int, content: bytes, place: int) -> int:
    """Writes over what stands there (`pwrite`); how many bytes."""
    if hasattr(os, "pwrite"):
        return os.pwrite(handle, content, place)
    os.lseek(handle, place, os.SEEK_SET)
    return os.write(handle, content)


# names and contents that last


def sync(path: Path) -> None:
    """What was written to the file, or the names in the folder, outlive a power cut (`fsync`). Raises OSError.

    Windows: a folder's names cannot be asked for, NTFS keeps a journal of them; a file must be open for writing.
    """
    if not _FOLDER and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if _FOLDER else os.O_RDWR | _BYTES)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put(beside: Path, path: Path) -> None:
    """Renames a finished, synced file into its place, lastingly; what was there is gone. Raises OSError."""
    beside.replace(path)
    sync(path.parent)


def append(handle: int, lines: bytes) -> None:
    """Adds whole lines at a log's end and syncs: all or none of them. Raises OSError.

    After a line that a power cut tore they begin on a line of their own, so that neither spoils the other.
    """
    size = os.fstat(handle).st_size
    torn = size > 0 and read_at(handle, 1, size - 1) != b"\n"
    left = memoryview(b"\n" * torn + lines)
    try:
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise


def append_line(path: Path, line: bytes) -> None:
    """Adds a line (without its end) to a log, on the disk when this returns. As `append`."""
    fresh = not path.exists()
    handle = open_private(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    try:
        append(handle, line + b"\n")
    finally:
        os.close(handle)
    if fresh:
        sync(path.parent)


def publish(beside: Path, path: Path) -> None:
    """Gives a finished file its name, 0600, never over a file that came meanwhile (`link`). Raises OSError (FileExistsError).

    `beside` may be gone afterwards. Windows' own renaming refuses to overwrite, also on volumes without links.
    """
    beside.chmod(_PRIVATE)
    if HAS_OWNERS:
        os.link(beside, path)
    else:
        beside.rename(path)


# who


def os_user() -> str:
    """The system's name of who runs this, his number where he has none; the environment could say anything. Raises OSError."""
    if pwd is None or not HAS_OWNERS:
        return os.getlogin()  # on Windows this asks the system
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def acting_person() -> str:
    """Who sits there: who became this user by sudo, as sudo says it, else the system's name. Raises OSError.

    For honest accounting where one account is shared; who may become root, or sets the variable himself, can say what he likes.
    """
    said = "".join(c for c in os.environ.get("SUDO_USER", "") if c.isprintable()).strip()[:64]
    return said or os_user()


def is_own(told: os.stat_result) -> bool | None:
    """Whether the file belongs to who runs this; None where files have no owner of this kind."""
    return told.st_uid == os.geteuid() if HAS_OWNERS else None


# the process and the machine


def set_umask(mask: int) -> int:
    """The bits that new files of this process do not get; what they were before (`umask`). Windows knows only the owner's writing."""
    return os.umask(mask)


def forbid_core_dumps() -> None:
    """No core dump of this process and its children (`setrlimit`); lowering needs no privilege."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def core_limit() -> int | None:
    """The largest core dump in bytes this process may leave (-1: any), None where that cannot be said."""
    return None if resource is None else resource.getrlimit(resource.RLIMIT_CORE)[0]


def machine_memory() -> int | None:
    """Bytes of memory that this process may use: the machine's, or its control group's where that is less; None: cannot be said."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    with suppress(OSError, ValueError):
        # cgroup v2; a service's MemoryMax stands there
        own = Path("/proc/self/cgroup").read_text(encoding="ascii").strip().rpartition(":")[2]
        return min(whole, int((Path("/sys/fs/cgroup") / own.lstrip("/") / "memory.max").read_text().strip()))
    return whole


def device_number(device: int) -> str:
    """`major:minor`, as Linux names a device in sysfs; "" where devices have no such numbers."""
    return f"{os.major(device)}:{os.minor(device)}" if hasattr(os, "major") else ""
