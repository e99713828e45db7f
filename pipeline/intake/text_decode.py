"""Which encoding a text file is in, and its strict decoding.

Decided over the whole file, never over a sample: a byte-order mark; else strict UTF-8; else UTF-16 if every other
byte is zero; else strict GB18030. One file has one encoding. Nothing is replaced and nothing is skipped: a byte
that does not decode refuses the file, with its offset and line.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts.problem import Problem
from pipeline.intake.sniff import Unreadable

_MARKS = (  # UTF-32 before UTF-16: its mark begins with the other's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PIECE = 1 << 20

# 44 codes that Python's codec leaves in the private use area while GB18030-2022 has characters for them.
_FOLD = {
    **dict(zip(range(0xE78D, 0xE797), (0xFE10, 0xFE12, 0xFE11, *range(0xFE13, 0xFE1A)), strict=True)),
    **{0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC, 0xE831: 0x215D7, 0xE83B: 0x2298F, 0xE855: 0x241FE},
    **{0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7, 0xE832: 0x9FB8, 0xE843: 0x9FB9},
    **{0xE854: 0x9FBA, 0xE864: 0x9FBB, 0xE7C7: 0x1E3F},
}
_PRIVATE = re.compile("[\ue78d-\ue864]")


@dataclass(frozen=True)
class Encoding:
    """The name Python knows, and the bytes of the mark in front."""

    name: str
    mark: int = 0

    @property
    def ascii_based(self) -> bool:
        """Whether comma, quote and line end are single bytes that stand for nothing else (GB18030, UTF-8)."""
        return not self.name.startswith("utf-16")


def detect(path: Path) -> Encoding:
    """The file's encoding. Raises Unreadable E231 where it is none of those accepted, E233 for NUL bytes."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
        for mark, name in _MARKS:
            if head.startswith(mark):
                if name.startswith("utf-32"):
                    raise _refused("E231", "文件是 UTF-32 编码", "只收 UTF-8、UTF-16、GB18030")
                return Encoding(name, len(mark))
    wide = _utf16_without_mark(head)
    if wide:
        return Encoding(wide)
    failure = _utf8_failure(path)
    if failure is None:
        return Encoding("utf-8")
    offset, row, wide_before = failure
    if wide_before >= 30:  # so many bytes in a row are UTF-8 by chance in no GB18030 text
        raise bad_byte(offset, row, "UTF-8")
    return Encoding("gb18030")


def decode(data: bytes, encoding: Encoding, offset: int = 0, row: int = 1) -> str:
    """Strict decoding of a block that begins at a character. `offset` and `row` say where it begins, for the message.

    Raises Unreadable E231, or E202 if only the last character is cut off (the caller knows if it is the file's end).
    """
    try:
        text = data.decode(encoding.name)
    except UnicodeDecodeError as error:
        if error.end >= len(data) and len(data) - error.start < 4:
            raise cut_off(row + data.count(b"\n"), "最后一个字不完整") from None
        bad = row + data.count(b"\n", 0, error.start)
        raise bad_byte(offset + error.start, bad, encoding.name.upper()) from None
    return fold(text) if encoding.name == "gb18030" else text


def row_of_nul(path: Path) -> int:
    """The line of the first NUL byte, if the file would be plain text without it; else 0."""
    with path.open("rb") as file:
        head = file.read(4096)
    plain = head.replace(b"\0", b"")
    try:
        text = codecs.getincrementaldecoder("gb18030" if _utf8_failure(path) else "utf-8")().decode(plain)
    except UnicodeDecodeError:
        return 0
    is_text = plain != head and not any(c < " " and c not in "\t\r\n" for c in text)
    return head.count(b"\n", 0, head.find(b"\0")) + 1 if is_text else 0


def fold(text: str) -> str:
    """The 44 private-use codes as the characters they stand for; other private-use characters stay."""
    return _PRIVATE.sub(lambda found: chr(_FOLD.get(ord(found[0]), ord(found[0]))), text)


def utf8_lines(path: Path, encoding: Encoding, target: Path) -> None:
    """Writes the file anew as UTF-8 with `\\n` line ends, for what cannot be cut as it is (UTF-16, lone `\\r`)."""
    decoder = codecs.getincrementaldecoder(encoding.name)()
    pending, offset, row = "", encoding.mark, 1
    with path.open("rb") as source, target.open("w", encoding="utf-8", newline="") as sink:
        source.seek(encoding.mark)
        for piece in _pieces(source):
            try:
                text = pending + decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                if not piece:
                    raise cut_off(row, "最后一个字不完整") from None
                raise bad_byte(offset + error.start, row, encoding.name.upper()) from None
            pending = "\r" if text.endswith("\r") and piece else ""  # its "\n" may be in the next piece
            text = text[: len(text) - len(pending)].replace("\r\n", "\n").replace("\r", "\n")
            sink.write(text)
            offset, row = offset + len(piece), row + text.count("\n")


def is_rubbish(text: str) -> bool:
    """Whether bytes of another encoding (Big5, Shift-JIS, …) were read as GB18030: few of its Han are common ones."""
    han = [c for c in text if "\u3400" <= c <= "\u9fff" or "\ue000" <= c <= "\uf8ff" or c >= "\U00020000"]
    return len(han) >= 10 and sum(map(_is_common, han)) < 0.6 * len(han)


def bad_byte(offset: int, row: int, name: str) -> Unreadable:
    why = f"从文件头数第 {offset} 字节按 {name} 读不成字；一份文件只能有一种编码"
    return _refused("E231", "文字编码有误", why, row)


def cut_off(row: int, why: str) -> Unreadable:
    return Unreadable(
        Problem("E202", "error", "文件不完整，像是只传了一半", why, "请报送单位重新导出、重新传送", row=row)
    )


def big5() -> Unreadable:
    return _refused("E232", "文字编码有误", "按 GB18030 读出的多是生僻字，原文可能是 Big5 等其他编码")


def nul_bytes(row: int) -> Unreadable:
    return _refused("E233", "文件中有空字节", "文本文件不应有空字节，文件可能损坏", row)


def _refused(code: str, what: str, why: str, row: int = 0) -> Unreadable:
    return Unreadable(Problem(code, "error", what, why, "请用 UTF-8 或 GB18030 编码重新导出", row=row))


def _utf16_without_mark(head: bytes) -> str:
    """`utf-16-le` or `-be` if the zero bytes of digits, commas and line ends stand in one half of the byte pairs only."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    enough = len(head) // 20
    if odd > enough and not even:
        return "utf-16-le"
    return "utf-16-be" if even > enough and not odd else ""


def _utf8_failure(path: Path) -> tuple[int, int, int] | None:
    """Where strict UTF-8 fails: byte offset, line, and how many non-ASCII bytes were read well before; None if nowhere.

    A last character cut off does not count: `decode` reports it as a file cut off.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, row, wide = 0, 1, 0
    with path.open("rb") as file:
        for piece in _pieces(file):
            if not piece:
                return None
            held = len(decoder.getstate()[0])
            try:
                text = decoder.decode(piece)
            except UnicodeDecodeError as error:
                good = error.object[: error.start]
                wide += len(good) - len(good.decode("utf-8", "ignore").encode("ascii", "ignore"))
                return offset - held + error.start, row + good.count(b"\n"), wide
            offset += len(piece)
            row += piece.count(b"\n")
            wide += 0 if wide >= 30 else len(piece) - len(text.encode("ascii", "ignore"))
    return None


def _pieces(file: object) -> Iterator[bytes]:
    """Blocks of the file and then an empty one."""
    while True:
        piece: bytes = file.read(_PIECE)  # type: ignore[attr-defined]
        yield piece
        if not piece:
            return


def _is_common(character: str) -> bool:
    """A character of the first level of GB 2312 (3,755 common characters)."""
    try:
        raw = character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return raw[0] <= 0xD7
