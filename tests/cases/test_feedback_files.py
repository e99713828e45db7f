"""What lies in inbox/feedback/ besides good reports: folders, links, locks, damaged and foreign files; and no number leaves."""

from __future__ import annotations

import os
from pathlib import Path

import feedback_made as made
import openpyxl
import pytest
from feedback_made import NUMBERS, answers, codes, line, only_file
from msoffcrypto.format.ooxml import OOXMLFile


def test_a_hidden_sheet_is_said_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "i.xlsx"
    made.house_workbook(path, {"疑点清单": [line(NUMBERS[0], 核查结果="属实")]})
    book = openpyxl.load_workbook(path)
    page = book.create_sheet("旧")
    page.append(["疑点编号", "核查结果"])
    page.append([NUMBERS[0], "不属实"])
    page.sheet_state = "hidden"
    book.save(path)
    file = only_file(tmp_path)
    assert answers(file) == {NUMBERS[0]: "属实"}
    assert [(p.code, p.severity, p.sheet) for p in file.problems] == [("E216", "note", "旧")]


def test_a_comma_that_shifts_the_cells_and_a_quote_that_swallows_rows(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_bytes(
        f"疑点编号,核查结果,情况说明\n{NUMBERS[0]},不属实,死亡,真的\n{NUMBERS[1]},属实\n".encode()
    )
    (tmp_path / "2.csv").write_bytes(
        f'疑点编号,核查结果,情况说明\n{NUMBERS[0]},属实,"家\n{NUMBERS[1]},属实,"\n'.encode()
    )
    shifted, swallowed = made.read_folder(tmp_path).files
    assert answers(shifted) == {NUMBERS[1]: "属实"}
    assert codes(shifted) == [("E234", 2)]
    assert [p.code for p in swallowed.problems] == ["E234"]
    assert swallowed.answers == ()


def test_what_is_no_feedback_is_said(tmp_path: Path) -> None:
    made.write_csv(tmp_path / "1.csv", [["疑点编号", "姓名"], [NUMBERS[0], "甲"]])
    (tmp_path / "2.csv").write_bytes(b"")
    (tmp_path / "3.pdf").write_bytes(b"%PDF-1.4 x")
    (tmp_path / "4.xlsx").write_bytes(b"PK\x03\x04 torn")
    (tmp_path / "5.txt").write_text("请查收附件", encoding="gb18030")
    (tmp_path / "~$6.xlsx").write_bytes(b"x")
    (tmp_path / "7.csv.part").write_bytes(b"x")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "link.csv").symlink_to(tmp_path / "1.csv")
    os.mkfifo(tmp_path / "8.csv")
    read = made.read_folder(tmp_path)
    assert {(file.file, p.code) for file in read.files for p in file.problems} == {
        ("1.csv", "E720"),
        ("2.csv", "E206"),
        ("3.pdf", "E205"),
        ("4.xlsx", "E202"),
        ("5.txt", "E720"),
        ("~$6.xlsx", "E208"),
        ("7.csv.part", "E209"),
        ("8.csv", "E205"),
    }
    assert [(p.code, p.file) for p in read.problems] == [("E230", "link.csv")]
    assert len(read.all_problems()) == 9
    assert not any(file.answers for file in read.files)


def test_a_workbook_with_a_password_is_refused(tmp_path: Path) -> None:
    plain, locked = tmp_path / "plain", tmp_path / "in" / "l.xlsx"
    locked.parent.mkdir()
    made.house_workbook(plain, {"疑点清单": [line(NUMBERS[0], 核查结果="属实")]})
    with plain.open("rb") as source, locked.open("wb") as target:
        OOXMLFile(source).encrypt("geheim", target)
    assert [p.code for p in only_file(locked.parent).problems] == ["E201"]


def test_folders_name_counties_by_code_or_name(tmp_path: Path) -> None:
    names = [
        "533401_香格里拉",
        "533421",
        "香格里拉市",
        "香格里拉",
        "香格里拉市残联",
        "德钦县",
        "十一月",
        "[*]",
    ]
    for name in names:
        made.write_lines(tmp_path / name / "建塘" / "x.csv", [line(NUMBERS[0], 核查结果="属实")])
    made.write_lines(tmp_path / "德钦县.csv", [line(NUMBERS[0], 核查结果="属实")])
    found = {file.file.split("/")[0]: file.county for file in made.read_folder(tmp_path).files}
    assert found == dict.fromkeys(names[:5], made.SHANGRILA) | {
        "德钦县": made.DEQIN,
        "十一月": "",
        "[*]": "",
        "德钦县.csv": "",
    }


def test_folders_too_deep_are_said(tmp_path: Path) -> None:
    made.write_lines(tmp_path / "a/b/c/d/e/x.csv", [line(NUMBERS[0], 核查结果="属实")])
    read = made.read_folder(tmp_path)
    assert read.files == ()
    assert [p.code for p in read.problems] == ["E220"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root opens every folder")
def test_a_folder_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    made.write_lines(tmp_path / "a" / "x.csv", [line(NUMBERS[0], 核查结果="属实")])
    made.write_lines(tmp_path / "b" / "x.csv", [line(NUMBERS[0], 核查结果="属实")])
    (tmp_path / "a").chmod(0)
    read = made.read_folder(tmp_path)
    (tmp_path / "a").chmod(0o700)
    assert [file.file for file in read.files] == ["b/x.csv"]
    assert [(p.code, p.file) for p in read.problems] == [("E220", "a/")]


def test_no_folder_is_no_feedback(tmp_path: Path) -> None:
    assert made.read_folder(tmp_path / "none") == made.read_folder(tmp_path)
    assert made.read_folder(tmp_path).files == ()


def test_no_number_of_a_person_leaves_the_file(tmp_path: Path) -> None:
    rows = [line(NUMBERS[0], 核查结果="属实", 情况说明=f"身份证应为{made.ID}") | {"身份证号": made.ID}]
    rows += [line(made.ID, 核查结果="属实"), line(NUMBERS[1], 核查结果=made.ID)]
    made.write_lines(tmp_path / f"反馈{made.ID}.csv", rows)
    read = made.read_folder(tmp_path)
    assert len(read.files[0].returned) == 2
    assert made.ID not in repr(read)
    assert "19650317" not in repr(read)
