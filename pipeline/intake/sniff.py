"""What a delivered file is by its first bytes: a suffix is only what somebody typed.

HTML tables, tab text and xlsx workbooks all arrive named `.xls`; a protected xlsx looks like an old `.xls`. The name
counts only for files that are no deliveries at all (locks of an open Excel or WPS, half downloads). Symbolic links
are never followed.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from pipeline.contracts.problem import Problem
from pipeline.system_files import open_private

_HEAD = 4096  # bytes looked at
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_FOREIGN = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"Rar!",
    b"7z\xbc\xaf\x27\x1c",
    b"\x1f\x8b",
    b"GIF8",
    b"BM\x00",
)
_PARTIAL = (".tmp", ".part", ".partial", ".crdownload", ".download", ".filepart", ".xltd", ".td")
_SYSTEM = ("thumbs.db", ".ds_store", "desktop.ini")
_MARKUP = (
    b"<html",
    b"<table",
    b"<!doctype html",
    b"progid=",
    b"urn:schemas-microsoft-com:office:spreadsheet",
)
_LAST_SECTOR = 0xFFFFFFF9  # sector numbers above are marks (end of chain, free, table)


class Kind(StrEnum):
    """What the intake does with a file. `HTML` is an HTML table or a SpreadsheetML 2003 file."""

    XLSX = "xlsx"
    XLSB = "xlsb"
    XLS = "xls"
    HTML = "html"
    TEXT = "text"
    PROTECTED = "protected"
    EMPTY = "empty"
    LOCK = "lock"
    UNFINISHED = "unfinished"
    DIRECTORY = "directory"
    OTHER = "other"


class Unreadable(Exception):
    """The file cannot be read; `problem` says why, without the file's name (the caller knows it)."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def sniff(path: Path) -> Kind:
    """The file's kind. Damaged workbooks are still workbooks (reading them says E202). Raises OSError only."""
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        return Kind.DIRECTORY
    if not stat.S_ISREG(mode):
        return Kind.OTHER
    by_name = kind_by_name(path.name)
    if by_name is not None:
        return by_name
    with open_plain(path) as file:
        return sniff_open(file)


def open_plain(path: Path) -> BinaryIO:
    """The file opened for reading, unless a symbolic link was put in its place meanwhile (OSError)."""
    return os.fdopen(open_private(path, os.O_RDONLY), "rb")


def sniff_open(file: BinaryIO) -> Kind:
    """The kind of an open file by its bytes alone; leaves the position anywhere."""
    file.seek(0)
    head = file.read(_HEAD)
    if not head:
        return Kind.EMPTY
    if head.startswith(_ZIP):
        return _zip_kind(file)
    if head.startswith(_OLE):
        return _ole_kind(file)
    return _text_kind(head)


def kind_by_name(name: str) -> Kind | None:
    """LOCK or UNFINISHED for a file whose name says that it is no delivery, else None."""
    name = name.lower()
    if name.startswith(("~$", ".~")):  # Excel and WPS; LibreOffice writes .~lock.NAME#
        return Kind.LOCK
    if name.endswith(_PARTIAL) or name in _SYSTEM or name.startswith("._"):
        return Kind.UNFINISHED
    return None


def _zip_kind(file: BinaryIO) -> Kind:
    try:
        names = {name.replace("\\", "/").lower() for name in zipfile.ZipFile(file).namelist()}
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error):
        return Kind.XLSX  # cut short: the reader says so
    if "xl/workbook.bin" in names:
        return Kind.XLSB
    return Kind.XLSX if any(name.startswith("xl/") for name in names) else Kind.OTHER


def _ole_kind(file: BinaryIO) -> Kind:
    try:
        names = CompoundFile(file).streams.keys()
    except DamagedCompoundFile:
        return Kind.XLS  # cut short: the reader says so
    if "EncryptedPackage" in names:
        return Kind.PROTECTED
    return Kind.XLS if names & {"Workbook", "Book"} else Kind.OTHER


def _text_kind(head: bytes) -> Kind:
    if head.startswith(_FOREIGN):
        return Kind.OTHER
    start = head.replace(b"\0", b"") if head.startswith(_BOMS[1:]) else head
    for bom in _BOMS:
        start = start.removeprefix(bom)
    start = start.lstrip().lower()
    if start.startswith(b"<") and any(mark in start for mark in _MARKUP):
        return Kind.HTML
    if start.startswith((b"<?xml", b"<!doctype")):
        return Kind.OTHER
    if b"\0" in head and not head.startswith(_BOMS[1:]) and not _utf16_without_mark(head):
        return Kind.OTHER
    return Kind.TEXT


def _utf16_without_mark(head: bytes) -> bool:
    """ASCII commas, digits and line ends in UTF-16 put zeros on one side of the pairs only."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    return max(even, odd) > 0 and min(even, odd) == 0


class DamagedCompoundFile(Exception):
    """The container's own tables point outside the file or in circles."""


class CompoundFile:
    """The old Office container: just enough to name its streams and to prove that one is wholly there.

    Format: [MS-CFB]. Streams below the mini-stream cutoff are named but not readable here (workbooks are larger).
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        file.seek(0)
        header = file.read(512)
        if len(header) < 512 or header[30:32] not in (b"\x09\0", b"\x0c\0"):
            raise DamagedCompoundFile
        self._sector = 1 << header[30]
        self._cutoff: int = struct.unpack_from("<I", header, 56)[0]
        self._next = self._sector_table(header)
        self.streams = self._directory(struct.unpack_from("<I", header, 48)[0])

    def read(self, name: str) -> bytes | None:
        """The stream's bytes, None if it is a mini stream. Raises DamagedCompoundFile where sectors are wanting."""
        start, size = self.streams[name]
        if size < self._cutoff:
            return None
        content = b"".join(self._chain(start, -(-size // self._sector)))
        if len(content) < size:
            raise DamagedCompoundFile
        return content[:size]

    def _read_sector(self, number: int) -> bytes:
        offset = (number + 1) * self._sector
        if offset >= self._size:
            raise DamagedCompoundFile
        self._file.seek(offset)
        return self._file.read(self._sector)

    def _sector_table(self, header: bytes) -> tuple[int, ...]:
        """Which sector follows which. The table's own sectors are listed in the header and, past 7 MB, in a chain."""
        entries = self._sector // 4
        holders = [n for n in struct.unpack_from("<109I", header, 76) if n < _LAST_SECTOR]
        more, left = struct.unpack_from("<II", header, 68)
        while more < _LAST_SECTOR and left > 0 and len(holders) * entries * self._sector <= self._size:
            part = self._numbers(self._read_sector(more))
            holders += [n for n in part[:-1] if n < _LAST_SECTOR]
            more, left = part[-1], left - 1
        return tuple(number for holder in holders for number in self._numbers(self._read_sector(holder)))

    def _numbers(self, sector: bytes) -> tuple[int, ...]:
        if len(sector) < self._sector:
            raise DamagedCompoundFile
        return struct.unpack(f"<{self._sector // 4}I", sector)

    def _chain(self, start: int, most: int) -> list[bytes]:
        parts: list[bytes] = []
        while start < _LAST_SECTOR and len(parts) < most:
            parts.append(self._read_sector(start))
            if start >= len(self._next):
                raise DamagedCompoundFile
            start = self._next[start]
        return parts

    def _directory(self, start: int) -> dict[str, tuple[int, int]]:
        """Stream name -> (first sector, size in bytes)."""
        found: dict[str, tuple[int, int]] = {}
        for sector in self._chain(start, self._size // self._sector + 1):
            for at in range(0, len(sector) - 127, 128):
                length, kind = struct.unpack_from("<HB", sector, at + 64)
                if kind == 2 and 2 <= length <= 64:
                    name = sector[at : at + length - 2].decode("utf-16-le", errors="replace")
                    found[name] = struct.unpack_from("<II", sector, at + 116)
        if not found:
            raise DamagedCompoundFile
        return found
