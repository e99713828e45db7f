"""Looks at a workbook before calamine does: whether it is whole, and what it would take in memory.

calamine ends the process when a damaged count makes it allocate too much, and reads a cut list without a word. So
a zip is unpacked into nothing and counted, the extent of every sheet is measured, the records of an xls are walked.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from pipeline.contracts.problem import Problem
from pipeline.intake.sniff import CompoundFile, DamagedCompoundFile, Unreadable

_SAYS = {  # code: what, why, cure
    "E201": (
        "工作簿有打开密码",
        "没有密码读不出内容",
        "请报送单位去掉密码（文件—信息—保护工作簿）后重新报送",
    ),
    "E202": ("文件损坏或不完整", "像是只传了一半，或保存时中断", "请报送单位重新导出并完整传送一次"),
    "E203": (
        "文件解开后过大",
        "超出内存上限，可能是异常文件，或名单远处有多余的格子",
        "删除名单之外的行列后另存；确属大名单的，调高 reconcile.toml 的 limits.workbook_mb，或改报 CSV",
    ),
    "E204": ("名单正好写满工作表的行数上限", "超出的人没有写进来，名单不全", "请改报 CSV，或分几张工作表"),
    "E205": (
        "不是能读的工作簿",
        "内容不是 Excel 的 xlsx、xls 或其网页表格",
        "用 Excel 或 WPS 另存为 xlsx 后重报",
    ),
}
_CHUNK = 1 << 18
_MEMBERS = 10_000  # of a zip: more are no workbook
_RATIO, _RATIO_FROM = 100, 50 << 20  # unpacked to packed, and from which unpacked size it is looked at
_CELL_BYTES = (
    32  # what calamine allocates for every cell of the rectangle from the first to the last one filled
)
# A filled cell beyond column Z or row 99,999: only these can make the rectangle large.
_FAR_CELL = re.compile(rb' r="(?:([A-Z]{2,3})([0-9]{1,7})|[A-Z]([0-9]{6,7}))"[^>]*[^/]>')
_ROW = re.compile(rb'row [^>]*?r="([0-9]{1,7})"')


def unreadable(code: str, sheet: str = "", row: int = 0) -> Unreadable:
    """The refusal for a code of this module (E201-E205)."""
    what, why, cure = _SAYS[code]
    return Unreadable(Problem(code, "error", what, why, cure, sheet=sheet, row=row))


def check_zip(file: BinaryIO, limit: int) -> None:
    """Unpacks every member into nothing, counting: what headers say about sizes is not believed."""
    packed = file.seek(0, 2)
    try:
        members = zipfile.ZipFile(file).infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error):
        raise unreadable("E202") from None
    if len(members) > _MEMBERS or sum(member.file_size for member in members) > limit:
        raise unreadable("E203")
    total = 0
    for member in members:
        extent, size, check = _Extent(), 0, 0
        for piece in _unpacked(file, member):
            size, total, check = size + len(piece), total + len(piece), zlib.crc32(piece, check)
            if total > limit or (total > _RATIO_FROM and total > _RATIO * packed):
                raise unreadable("E203")
            if member.filename.lower().startswith("xl/worksheets/"):
                extent.add(piece)
        if extent.cells * _CELL_BYTES > limit:
            raise unreadable("E203")
        if size != member.file_size or check != member.CRC:
            raise unreadable("E202")


def _unpacked(file: BinaryIO, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The member's real content in pieces, to the end of its stream (zipfile stops at the size the header names)."""
    if member.flag_bits & 1:
        raise unreadable("E201")
    try:
        file.seek(member.header_offset)
    except (OSError, ValueError):  # before the beginning
        raise unreadable("E202") from None
    local = file.read(30)
    if len(local) < 30 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise unreadable("E202")
    file.seek(sum(struct.unpack_from("<HH", local, 26)), 1)
    left, inflate = member.compress_size, zlib.decompressobj(-15)
    while left > 0 and (piece := file.read(min(left, _CHUNK))):
        left -= len(piece)
        if member.compress_type == zipfile.ZIP_STORED:
            yield piece
            continue
        try:
            while piece:
                yield inflate.decompress(piece, _CHUNK)
                piece = inflate.unconsumed_tail
        except zlib.error:
            raise unreadable("E202") from None
    if left or (member.compress_type == zipfile.ZIP_DEFLATED and not inflate.eof):
        raise unreadable("E202")


class _Extent:
    """The rectangle that the filled cells of a sheet's XML span, from its pieces."""

    def __init__(self) -> None:
        self._rest = b""
        self._rows = 0
        self._columns = 26

    def add(self, piece: bytes) -> None:
        text = self._rest + piece
        for letters, row, far_row in _FAR_CELL.findall(text):
            self._rows = max(self._rows, int(row or far_row))
            if letters:
                self._columns = max(self._columns, _column_number(letters))
        row = _ROW.match(text, text.rfind(b"row "))
        if row:
            self._rows = max(self._rows, min(int(row[1]), 99_999))  # far rows count only with a filled cell
        self._rest = text[-80:]

    @property
    def cells(self) -> int:
        return self._rows * self._columns


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


_CELLS = frozenset({0x0006, 0x00BD, 0x00FD, 0x0203, 0x0204, 0x0205, 0x027E, 0x00D6})
_BEGIN, _END, _SHEET, _PASSWORD, _STRINGS, _DIMENSIONS = 0x0809, 0x000A, 0x0085, 0x002F, 0x00FC, 0x0200


def check_xls(file: BinaryIO) -> None:
    """Walks the records of the old format: all of them there, every sheet ended, no cell outside 65,536 x 256.

    calamine reads on where a record is wanting and allocates what a damaged count says. Format: [MS-XLS] 2.
    """
    try:
        container = CompoundFile(file)
        name = "Workbook" if "Workbook" in container.streams else "Book"
        stream = container.read(name)
    except (DamagedCompoundFile, KeyError):
        raise unreadable("E202") from None
    if stream is None:
        return  # smaller than 4 KB, kept elsewhere in the container: nothing large can be in it
    at, depth, sheets, ended = 0, 0, 0, 0
    while at + 4 <= len(stream):
        code, length = struct.unpack_from("<HH", stream, at)
        body, at = at + 4, at + 4 + length
        if depth == 0 and (ended > sheets or code & 0x00FF != 0x09):
            break
        if at > len(stream) or not _sound_record(stream, code, body, length):
            raise unreadable("E202")
        if code & 0x00FF == 0x09 and code <= _BEGIN:
            depth += 1
        elif code == _END:
            depth, ended = depth - 1, ended + (depth == 1)
        elif code == _SHEET:
            sheets += 1
        elif code == _PASSWORD:
            raise unreadable("E201")
    if depth or ended <= sheets:
        raise unreadable("E202")


def _sound_record(stream: bytes, code: int, body: int, length: int) -> bool:
    """Whether places and counts in the record are possible."""
    if code in _CELLS:
        return length >= 6 and int.from_bytes(stream[body + 2 : body + 4], "little") < 256
    if code == _STRINGS:
        return length >= 8 and int.from_bytes(stream[body + 4 : body + 8], "little") <= len(stream) // 3
    if code == _DIMENSIONS and length >= 14:
        rows, columns = struct.unpack_from("<4xI2xH", stream, body)
        return bool(rows <= 65_536 and columns <= 256)
    return True
