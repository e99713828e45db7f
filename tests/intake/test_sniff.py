"""What a file is, told by its first bytes: real files under false names."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile

from pipeline.intake.sniff import CompoundFile, DamagedCompoundFile, Kind, sniff


def _xlsx() -> bytes:
    target = io.BytesIO()
    openpyxl.Workbook().save(target)
    return target.getvalue()


def _xls(rows: int = 1) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("名册")
    for at in range(rows):
        sheet.write(at, 0, f"内容{at}")
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _protected() -> bytes:
    target = io.BytesIO()
    office = OOXMLFile(io.BytesIO(_xlsx()))
    office.encrypt("secret", target)
    return target.getvalue()


def _zip(name: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(name, "x")
    return target.getvalue()


CONTENTS: dict[str, tuple[bytes, Kind]] = {
    "xlsx": (_xlsx(), Kind.XLSX),
    "xlsx cut": (_xlsx()[:2000], Kind.XLSX),
    "xlsb": (_zip("xl/workbook.bin"), Kind.XLSB),
    "zip of others": (_zip("名册.xlsx"), Kind.OTHER),
    "xls": (_xls(), Kind.XLS),
    "xls cut": (_xls()[:700], Kind.XLS),
    "protected": (_protected(), Kind.PROTECTED),
    "html": (b"<html><body><table></table></body></html>", Kind.HTML),
    "html utf-16": (b"\xff\xfe" + "\n <TABLE border=1>".encode("utf-16-le"), Kind.HTML),
    "2003": (b'\xef\xbb\xbf<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>', Kind.HTML),
    "other xml": (b'<?xml version="1.0"?><note/>', Kind.OTHER),
    "gbk": ("姓名,身份证号\n".encode("gb18030"), Kind.TEXT),
    "utf-16": ("姓名\t状态\n".encode("utf-16"), Kind.TEXT),
    "utf-16 without mark": ("a,b\n1,2\n".encode("utf-16-le"), Kind.TEXT),
    "pdf": (b"%PDF-1.7", Kind.OTHER),
    "zeros": (b"\0" * 600, Kind.OTHER),
    "nothing": (b"", Kind.EMPTY),
}


@pytest.mark.parametrize("suffix", ["xls", "xlsx", "csv"])
@pytest.mark.parametrize("content", CONTENTS)
def test_the_suffix_does_not_matter(tmp_path: Path, content: str, suffix: str) -> None:
    raw, kind = CONTENTS[content]
    path = tmp_path / f"名册_20261031.{suffix}"
    path.write_bytes(raw)
    assert sniff(path) is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("~$名册.xlsx", Kind.LOCK),
        (".~名册.xlsx", Kind.LOCK),
        (".~lock.名册_20261031.xlsx#", Kind.LOCK),
        ("名册.xlsx.part", Kind.UNFINISHED),
        ("名册.xlsx.crdownload", Kind.UNFINISHED),
        ("名册.TMP", Kind.UNFINISHED),
        ("Thumbs.db", Kind.UNFINISHED),
        (".DS_Store", Kind.UNFINISHED),
    ],
)
def test_files_that_are_no_deliveries(tmp_path: Path, name: str, kind: Kind) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x05WPS")
    assert sniff(path) is kind


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    target = tmp_path / "真.xlsx"
    target.write_bytes(_xlsx())
    link, pipe = tmp_path / "链接.xlsx", tmp_path / "管道.xlsx"
    link.symlink_to(target)
    os.mkfifo(pipe)
    assert sniff(link) is Kind.OTHER
    assert sniff(pipe) is Kind.OTHER
    assert sniff(tmp_path) is Kind.DIRECTORY


def test_a_compound_file_gives_a_stream_whole_or_not_at_all() -> None:
    raw = _xls(3000)
    size = len(CompoundFile(io.BytesIO(raw)).read("Workbook") or b"")
    assert size > 4096
    for cut in range(512, len(raw), 4999):
        with pytest.raises(DamagedCompoundFile):
            CompoundFile(io.BytesIO(raw[:cut])).read("Workbook")


def test_a_large_compound_file_has_its_table_in_a_chain() -> None:
    stream = bytes(range(256)) * (9 << 12)
    target = io.BytesIO()
    xlwt.CompoundDoc.XlsDoc().save(target, stream)
    read = CompoundFile(io.BytesIO(target.getvalue())).read("Workbook")
    assert read is not None
    assert read.startswith(stream)  # xlwt pads the stream
