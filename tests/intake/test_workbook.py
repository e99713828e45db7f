"""Workbooks and HTML tables as rows of text: real files written by four libraries, whole, cut and hostile."""

from __future__ import annotations

import contextlib
import datetime
import io
import random
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
import xlwt
from hypothesis import given, settings
from hypothesis import strategies as st
from msoffcrypto.format.ooxml import OOXMLFile

from pipeline.identity.id_number import NUMERIC_CELL
from pipeline.intake.html_table import read_html
from pipeline.intake.sniff import Kind, sniff
from pipeline.intake.workbook import Unreadable, fill_merges, number_text, read_workbook

ID = "539901199001011234"


def _refused(path: Path, limit: int = 256) -> str:
    with pytest.raises(Unreadable) as caught:
        read_workbook(path, unpacked_limit_mb=limit)
    assert caught.value.__cause__ is None
    assert caught.value.problem.file == ""
    return caught.value.problem.code


def _simple_xlsx(path: Path, rows: int = 300) -> Path:
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("名册")
    for at in range(rows):
        sheet.write_row(at, 0, [f"张三{at}", f"5399011990010{at:05d}", at])
    book.close()
    return path


def _simple_xls(path: Path, rows: int = 300) -> Path:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("名册")
    for at in range(rows):
        sheet.write(at, 0, f"张三{at}")
        sheet.write(at, 1, f"5399011990010{at:05d}")
    book.save(path)
    return path


def test_cells_of_an_xlsx_are_text(tmp_path: Path) -> None:
    path = tmp_path / "名册.xls"  # the suffix is wrong on purpose
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("名册")
    day = book.add_format({"num_format": 'yyyy"年"m"月"d"日"'})
    clock = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    sheet.write_string(2, 1, ID)
    sheet.write_number(2, 2, float(ID))
    sheet.write_number(2, 3, 539901900101123)
    sheet.write_number(2, 4, 1200.5)
    sheet.write_datetime(3, 1, datetime.datetime(2021, 7, 14), day)
    sheet.write_datetime(3, 2, datetime.datetime(2021, 7, 14, 8, 30), clock)
    sheet.write_boolean(3, 3, True)
    sheet.write_formula(3, 4, "=NA()", None, "#N/A")
    sheet.write_formula(3, 5, '="5"&"6"', None, "56")
    hidden = book.add_worksheet("旧")
    hidden.write(0, 0, "旧")
    hidden.hide()
    book.close()
    first, second = read_workbook(path, unpacked_limit_mb=64)
    assert first.rows == [
        [""] * 6,
        [""] * 6,
        [
            "",
            ID,
            NUMERIC_CELL + "539901199001011328",
            "539901900101123",
            "1200.5",
            "",
        ],  # 16 digits in the file
        ["", "2021-07-14", "2021-07-14 08:30:00", "TRUE", "", "56"],
    ]
    assert (first.visible, second.name, second.visible) == (True, "旧", False)


def test_cells_of_an_xls_are_text(tmp_path: Path) -> None:
    path = tmp_path / "名册.xlsx"
    book = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = True
    sheet = book.add_sheet("名册")
    sheet.write(1, 1, ID)
    sheet.write(1, 2, int(ID))
    sheet.write(1, 3, 90)
    sheet.write(1, 4, datetime.date(2021, 7, 14), xlwt.easyxf(num_format_str="yyyy-mm-dd"))
    sheet.write(1, 5, xlwt.Formula("1/0"))
    book.save(path)
    (read,) = read_workbook(path, unpacked_limit_mb=64)
    assert [cell for cell in read.rows[1] if cell] == [
        ID,
        NUMERIC_CELL + str(int(float(ID))),
        "90",
        "2021-07-14",
    ]


@given(st.floats(allow_nan=True, allow_infinity=True))
@settings(derandomize=True, deadline=None)
def test_numbers_have_no_exponent_and_lost_digits_are_marked(number: float) -> None:
    text = number_text(number)
    assert "e" not in text.lower()
    assert not text.endswith(".0")
    if abs(number) < 1e15 and text:
        assert float(text) == pytest.approx(number, rel=1e-14)
    assert text.startswith(NUMERIC_CELL) == (1e15 <= abs(number) < float("inf"))


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_merged_cells_are_filled_down_and_headings_to_the_right(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"名册.{kind}"
    cells = {(1, 0): "户主", (1, 1): "补贴", (2, 1): "生活", (2, 2): "护理"}
    cells |= {(3, 1): ID, (4, 1): ID, (3, 2): "90", (4, 2): "80", (5, 2): "170"}
    merges = [(0, 0, 0, 2, "花名册"), (1, 1, 1, 2, "补贴"), (3, 0, 4, 0, "王五"), (5, 0, 5, 1, "合计")]
    if kind == "xlsx":
        book = xlsxwriter.Workbook(path)
        sheet = book.add_worksheet()
        for top, left, bottom, right, text in merges:
            sheet.merge_range(top, left, bottom, right, text)
        for (row, column), text in cells.items():
            sheet.write_string(row, column, text)
        book.close()
    else:
        old = xlwt.Workbook(encoding="utf-8")
        page = old.add_sheet("a", cell_overwrite_ok=True)
        for top, left, bottom, right, text in merges:
            page.write_merge(top, bottom, left, right, text)
        for (row, column), text in cells.items():
            page.write(row, column, text)
        old.save(path)
    assert read_workbook(path, unpacked_limit_mb=64)[0].rows == [
        ["花名册", "花名册", "花名册"],
        ["户主", "补贴", "补贴"],
        ["", "生活", "护理"],
        ["王五", ID, "90"],
        ["王五", ID, "80"],
        ["合计", "", "170"],
    ]


def test_merged_ranges_outside_the_sheet_do_nothing() -> None:
    rows = [["a", ""], ["", "b"]]
    fill_merges(rows, [((0, 0), (1_048_575, 16_383)), ((7, 7), (8, 8)), ((1, 5), (1, 6))])
    assert rows == [["a", "a"], ["a", "b"]]


def test_protected_workbooks(tmp_path: Path) -> None:
    path = tmp_path / "名册.xlsx"
    target = io.BytesIO()
    raw = io.BytesIO(_simple_xlsx(path).read_bytes())
    OOXMLFile(raw).encrypt("secret", target)
    path.write_bytes(target.getvalue())
    assert sniff(path) is Kind.PROTECTED
    assert _refused(path) == "E201"
    book = xlwt.Workbook()
    book.add_sheet("a").write(0, 0, "x")
    stream = book.get_biff_data()
    begin = 4 + int.from_bytes(stream[2:4], "little")
    password = b"\x2f\x00\x36\x00" + bytes(0x36)
    old = tmp_path / "旧.xls"
    with old.open("wb") as file:
        xlwt.CompoundDoc.XlsDoc().save(file, stream[:begin] + password + stream[begin:])
    assert _refused(old) == "E201"


def test_no_cut_of_a_workbook_is_read(tmp_path: Path) -> None:
    dice = random.Random(7)
    for path in (_simple_xlsx(tmp_path / "a.xlsx"), _simple_xls(tmp_path / "a.xls")):
        whole = path.read_bytes()
        for cut in (dice.randrange(8, len(whole) - 512) for _ in range(60)):  # an xls ends in padding
            path.write_bytes(whole[:cut])
            assert _refused(path) == "E202"


def test_no_flipped_byte_of_an_xlsx_changes_a_cell(tmp_path: Path) -> None:
    dice, path = random.Random(7), _simple_xlsx(tmp_path / "a.xlsx")
    whole = path.read_bytes()
    before = read_workbook(path, unpacked_limit_mb=64)[0].rows
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        with contextlib.suppress(Unreadable):
            assert read_workbook(path, unpacked_limit_mb=64)[0].rows == before


def _with_member(path: Path, name: str, content: bytes) -> bytes:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return path.read_bytes()


def test_zip_bombs(tmp_path: Path) -> None:
    path = _simple_xlsx(tmp_path / "a.xlsx", 5)
    raw = _with_member(path, "xl/media/image1.bin", bytes(200 << 20))
    assert _refused(path, 100) == "E203"  # by size
    assert _refused(path, 4096) == "E203"  # by ratio
    size = (200 << 20).to_bytes(4, "little")
    assert raw.count(size) == 2  # the local header and the directory
    path.write_bytes(raw.replace(size, (1000).to_bytes(4, "little")))
    assert _refused(path, 100) == "E203"  # both headers lie


def test_a_zip_within_a_workbook_is_not_unpacked_but_counted(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(60 << 20))
    path = _simple_xlsx(tmp_path / "a.xlsx", 5)
    _with_member(path, "xl/embeddings/a.zip", inner.getvalue())
    assert len(read_workbook(path, unpacked_limit_mb=10)[0].rows) == 5


@pytest.mark.parametrize("place", [(1, 16_383), (200_000, 700), (1_048_575, 16_383)])
def test_a_far_cell_does_not_take_the_memory(tmp_path: Path, place: tuple[int, int]) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    sheet = book.add_worksheet()
    sheet.write(0, 0, "姓名")
    sheet.write(*place, "x")
    book.close()
    if place[0] == 1:
        assert len(read_workbook(tmp_path / "a.xlsx", unpacked_limit_mb=64)[0].rows) == 2
    else:
        assert _refused(tmp_path / "a.xlsx", 2048) == "E203"


def test_a_sheet_full_to_the_last_row(tmp_path: Path) -> None:
    path = _simple_xls(tmp_path / "a.xls", 65_535)
    assert len(read_workbook(path, unpacked_limit_mb=64)[0].rows) == 65_535
    _simple_xls(path, 65_536)
    assert _refused(path) == "E204"
    book = xlsxwriter.Workbook(tmp_path / "b.xlsx")
    book.add_worksheet().write(1_048_575, 0, "x")
    book.close()
    assert _refused(tmp_path / "b.xlsx", 2048) == "E204"


def test_what_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    for content in (b"", b"name,id\n", b"%PDF-1.7"):
        path.write_bytes(content)
        assert _refused(path) == "E205"
    book = openpyxl.Workbook()
    book.save(path)
    link = tmp_path / "b.xlsx"
    link.symlink_to(path)
    with pytest.raises(OSError, match="symbolic link"):
        read_workbook(link, unpacked_limit_mb=64)


HTML = f"""<html><head><meta http-equiv=Content-Type content="text/html; charset=gb2312"></head><body>
<table><tr><td colspan=3>两项补贴花名册</td></tr>
<tr><th rowspan=2>姓名</th><th colspan=2>证件</th></tr><tr><th>身份证号</th><th>残疾<br>证号</th></tr>
<tr><td rowspan=2>李 四&amp;王\n 五</td><td x:num>{ID}<td>无</tr>
<tr><td>{ID}</td><td></td></tr></table></body></html>"""
ROWS = [
    ["两项补贴花名册"] * 3,
    ["姓名", "证件", "证件"],
    ["姓名", "身份证号", "残疾 证号"],
    ["李 四&王 五", ID, "无"],
    ["李 四&王 五", ID, ""],
]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig", "utf-16"])
def test_html_tables(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "名册.xls"
    path.write_bytes(HTML.encode(encoding))
    assert sniff(path) is Kind.HTML
    assert [sheet.rows for sheet in read_html(path)] == [ROWS]


def _html_refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(Unreadable) as caught:
        read_html(path)
    return caught.value.problem.code


def test_html_cut_anywhere_is_refused(tmp_path: Path) -> None:
    raw = HTML.encode()
    for cut in range(len(raw) - 8, 60, -7):
        assert _html_refused(tmp_path / "a.xls", raw[:cut]) in ("E202", "E205", "E231")


def test_html_that_is_hostile_or_no_table(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    assert _html_refused(path, b"<html><frameset></frameset></html>") == "E205"
    assert _html_refused(path, b"<table>" + b"<tr><td colspan=1000>x</tr>" * 50_001 + b"</table>") == "E203"
    assert _html_refused(path, b"<meta charset=big5><table><tr><td>\xa4\xa4\xff</table>") == "E231"


XML = f"""<?xml version="1.0" encoding="ENC"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:x="urn:schemas-microsoft-com:office:excel">
<Worksheet ss:Name="名册"><Table><Row ss:Index="2"><Cell ss:Index="2" ss:MergeAcross="1"><Data ss:Type="String">证件</Data>
<Comment><ss:Data>批注</ss:Data></Comment></Cell></Row>
<Row><Cell><Data ss:Type="Number">12.50</Data></Cell><Cell><Data ss:Type="String">{ID}</Data></Cell>
<Cell><Data ss:Type="Number">5.39901199001011E+17</Data></Cell><Cell><Data ss:Type="DateTime">2021-07-14T00:00:00.000</Data></Cell>
<Cell><Data ss:Type="Error">#N/A</Data></Cell></Row></Table></Worksheet>
<Worksheet ss:Name="旧"><Table><Row><Cell><Data ss:Type="Boolean">1</Data></Cell></Row></Table>
<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions></Worksheet></Workbook>"""


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_spreadsheet_xml_of_2003(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "名册.xls"
    path.write_bytes(XML.replace("ENC", encoding).encode(encoding))
    assert sniff(path) is Kind.HTML
    first, second = read_html(path)
    assert first.rows == [
        [""] * 5,
        ["", "证件", "证件", "", ""],
        ["12.5", ID, NUMERIC_CELL + "539901199001011000", "2021-07-14", ""],
    ]
    assert (first.name, first.visible, second.rows, second.visible) == ("名册", True, [["TRUE"]], False)


def test_spreadsheet_xml_cut_or_with_entities(tmp_path: Path) -> None:
    path, raw = tmp_path / "a.xls", XML.replace("ENC", "utf-8").encode()
    for cut in range(120, len(raw) - 1, 97):
        assert _html_refused(path, raw[:cut]) in ("E202", "E231")
    bomb = raw.replace(b"?><?mso", b'?><!DOCTYPE a [<!ENTITY b "c">]><?mso')
    assert _html_refused(path, bomb) == "E205"
