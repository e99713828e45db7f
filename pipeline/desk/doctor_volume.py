"""Whether what lies on a volume is encrypted below the file system. Linux can be asked (sysfs); elsewhere it cannot be said."""

from __future__ import annotations

import stat
from pathlib import Path

from pipeline.system_files import device_number

_SYS, _MOUNTS, _SWAPS = Path("/sys"), Path("/proc/self/mountinfo"), Path("/proc/swaps")
_ENCRYPTED_KINDS = ("fuse.gocryptfs", "fuse.cryfs", "fuse.securefs", "ecryptfs", "fuse.encfs")
_IN_MEMORY = ("tmpfs", "ramfs")
_DEEPEST = 8  # LVM on RAID on crypt …


def is_encrypted(path: Path, system: Path = _SYS, mounts: Path = _MOUNTS) -> bool | None:
    """True: dm-crypt (LUKS) somewhere below, an encrypting file system, or memory only. None: it cannot be said.

    Raises OSError where the path is not there.
    """
    kind, source = _mounted(path, mounts)
    if kind in _ENCRYPTED_KINDS or kind in _IN_MEMORY:
        return True
    number = device_number(path.stat().st_dev)
    if not (system / "dev/block" / number).exists() or not number:
        number = _number_of(source)  # btrfs and overlays have numbers of their own
    return _of_device(system, number)


def swap_devices(system: Path = _SYS, mounts: Path = _MOUNTS, swaps: Path = _SWAPS) -> dict[str, bool] | None:
    """Swap area → whether it is encrypted (zram, which is memory, counts as such); None where it cannot be said."""
    try:
        lines = swaps.read_text(encoding="utf-8").splitlines()[1:]
    except OSError:
        return None
    found = {}
    for line in lines:
        name = line.split()[0].replace("\\040", " ")
        if Path(name).name.startswith("zram"):
            found[name] = True
        elif number := _number_of(name):
            found[name] = bool(_of_device(system, number))
        else:
            try:
                found[name] = bool(is_encrypted(Path(name), system, mounts))
            except OSError:
                found[name] = False
    return found


def _of_device(system: Path, number: str) -> bool | None:
    """Walks from a block device down to what it is made of: all of it must be encrypted."""
    place = system / "dev/block" / number
    if not number or not place.exists():
        return None
    level = [place.resolve()]
    for _ in range(_DEEPEST):
        level = [one for one in level if not _is_crypt(one)]
        if not level:
            return True
        below = [slave.resolve() for one in level for slave in sorted((one / "slaves").glob("*"))]
        if len(below) < len(level):  # one stands on nothing: a plain disk
            return False
        level = below
    return None


def _is_crypt(device: Path) -> bool:
    try:
        return (device / "dm/uuid").read_text(encoding="ascii", errors="replace").startswith("CRYPT-")
    except OSError:
        return False


def _number_of(source: str) -> str:
    """`major:minor` of a device file, "" where it is none."""
    try:
        told = Path(source).stat()
    except (OSError, ValueError):
        return ""
    return device_number(told.st_rdev) if stat.S_ISBLK(told.st_mode) else ""


def _mounted(path: Path, mounts: Path) -> tuple[str, str]:
    """Kind and source of the file system on which the path lies (proc(5), mountinfo); "" where it cannot be said."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "", ""
    best, found = -1, ("", "")
    whole = path.resolve()
    for line in lines:
        left, _, right = line.partition(" - ")
        fields, told = left.split(), right.split()
        if len(fields) < 5 or len(told) < 2:
            continue
        point = Path(fields[4].replace("\\040", " "))
        if (whole == point or point in whole.parents) and len(point.parts) >= best:
            best, found = len(point.parts), (told[0], told[1])
    return found
