"""The workbook of doubtful pairs: what stands in it, and that it harms nobody who opens it."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import review_table as table
from openpyxl.worksheet.worksheet import Worksheet
from review_table import DIBAO, PENSION, key, one, usual

from pipeline.desk.review_pairs import doubtful_pairs
from pipeline.desk.review_workbook import ANSWER, PERSON_KEY, ROW_KEY, SHEET, WHO, review_workbook

MADE = datetime(2026, 11, 5, 9, 30)
TITLES = {DIBAO: "最低生活保障对象花名册"}


def workbook(out: Path, rows: list[dict[str, object]] | None = None) -> bytes:
    return review_workbook(doubtful_pairs(table.write(out, rows)), TITLES, MADE)


def sheet(content: bytes) -> Worksheet:
    return openpyxl.load_workbook(io.BytesIO(content))[SHEET]


def records(content: bytes) -> list[dict[str, str | None]]:
    head, *rows = sheet(content).iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_one_pair_a_row_with_both_sides_and_its_keys(tmp_path: Path) -> None:
    rows = records(workbook(tmp_path))
    assert [row["编号"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert [row["本行候选"] for row in rows] == ["1/1", "1/3", "2/3", "3/3", "1/1", "1/1"]
    first = rows[0]
    assert (first["名册"], first["工作表"], first["行号"]) == (TITLES[DIBAO], "在保名单", "5")
    assert rows[5]["名册"] == PENSION
    assert (first["姓名（名册）"], first["姓名（持证）"]) == ("次仁卓玛", "泽仁卓玛")
    assert first["证件号码（名册）"] == "539999196503170100"
    assert (first["监护人（名册）"], first["监护人（持证）"]) == (None, "扎西")
    assert first["概率"] == "97.3%"
    assert (first[ANSWER], first[WHO]) == (None, None)
    assert (first[ROW_KEY], first[PERSON_KEY]) == ("r" + key(5), "p" + key(1))


def test_the_keys_are_no_numbers_to_any_spreadsheet(tmp_path: Path) -> None:
    content = workbook(tmp_path, [one(1, 1, row_key="1" * 32, person_key="12e4" + "5" * 28)])
    for name in (ROW_KEY, PERSON_KEY):
        cell = records(content)[0][name] or ""
        with pytest.raises(ValueError, match="could not convert"):
            float(cell)


def test_frozen_header_filter_dropdown_and_nothing_hidden(tmp_path: Path) -> None:
    content = workbook(tmp_path)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["填写说明", SHEET]
    assert [each.sheet_state for each in book] == ["visible", "visible"]
    page = book[SHEET]
    assert page.freeze_panes == "B2"
    assert page.auto_filter.ref.startswith("A1:")
    assert not any(dimension.hidden for dimension in page.column_dimensions.values())
    assert not any(dimension.hidden for dimension in page.row_dimensions.values())
    (choice,) = page.data_validations.dataValidation
    assert choice.formula1 == '"同一人,不是,不确定"'
    head = [cell.value for cell in page[1]]
    column = openpyxl.utils.get_column_letter(head.index(ANSWER) + 1)
    assert str(choice.sqref) == f"{column}2:{column}7"
    assert [name for name in zipfile.ZipFile(io.BytesIO(content)).namelist() if "vba" in name.lower()] == []
    words = " ".join(str(cell.value) for row in book["填写说明"].iter_rows() for cell in row)
    assert "--import" in words
    assert "敏感个人信息" in words


def test_every_cell_is_text_and_no_formula(tmp_path: Path) -> None:
    evil = [
        ("姓名", "=HYPERLINK(1)", "+王芳"),
        ("住址", "-1", "@x"),
        ("电话", "＝1", "<r>x</r>"),
        ("备注", "\t=1", "\r=1"),
    ]
    content = workbook(tmp_path, [one(1, 1, shown=table.shown(evil), sheet="=1+1")])
    for row in sheet(content).iter_rows():
        for cell in row:
            assert cell.data_type in ("s", "n")
            assert cell.value is None or cell.data_type == "s"
            assert cell.number_format == "@"
    (only,) = records(content)
    assert (only["姓名（名册）"], only["姓名（持证）"]) == ("'=HYPERLINK(1)", "'+王芳")
    assert (only["住址（名册）"], only["住址（持证）"]) == ("'-1", "'@x")
    assert (only["电话（名册）"], only["工作表"]) == ("'＝1", "'=1+1")
    assert (only["备注（名册）"] or "").startswith("'")
    xml = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet2.xml").decode()
    assert "<f>" not in xml


def test_what_differs_is_marked_in_the_cell(tmp_path: Path) -> None:
    content = workbook(tmp_path, [one(1, 1)])
    strings = zipfile.ZipFile(io.BytesIO(content)).read("xl/sharedStrings.xml").decode()
    runs = re.findall(r"<r><rPr><b/><u/>.*?<t[^>]*>(.*?)</t></r>", strings)
    assert runs == ["次", "泽", "10", "01", " "]


def test_lists_that_show_different_things_share_a_sheet(tmp_path: Path) -> None:
    more = one(2, 2, shown=table.shown([("姓名", "甲", "甲"), ("学校", "一中", None)]))
    rows = records(workbook(tmp_path, [one(1, 1), more]))
    assert rows[0]["学校（名册）"] is None
    assert (rows[1]["学校（名册）"], rows[1]["住址（名册）"]) == ("一中", None)


def test_the_same_pairs_give_the_same_bytes(tmp_path: Path) -> None:
    assert workbook(tmp_path / "a") == workbook(tmp_path / "b", usual()[::-1])


def test_nothing_left_is_an_empty_sheet(tmp_path: Path) -> None:
    pairs = doubtful_pairs(table.write(tmp_path)).filter(pl.lit(False))
    assert records(review_workbook(pairs, TITLES, MADE)) == []
