"""A register person's number under plainly another name: told with both rows, whatever else in the row contradicts."""

from __future__ import annotations

import re
from pathlib import Path

import nights
import plain
import polars as pl
import pytest
import xlsxwriter

INSURED, ENROLLED = "medical_insurance/insured", "education/enrolment"
LENT = plain.number("19700707", 227)  # a child's insurance row bears it
MANY = plain.number("19710808", 229)  # seven rows of two lists bear it
NEAR = plain.number("19720909", 231)  # his own row, but for the birth date
PARENT = plain.number("19731010", 233)  # on the row of a child who is on the register
CHILD = plain.number("20150303", 235)
SAME = plain.number("19741111", 237)  # another name, the same birth date
PHONE = "13987654321"
BOOK = "539901_示例市第二批_20261031.xlsx"

REGISTER = [
    plain.holder("李明", LENT),
    plain.holder("王桂英", MANY),
    plain.holder("张志强", NEAR),
    plain.holder("赵国栋", PARENT),
    plain.holder("赵雪梅", CHILD, gname="赵国栋", gid=PARENT, grel="父母"),
    plain.holder("杨四妹", SAME),
]


def insured(name: str, id_: str, born: str = "") -> dict[str, str]:
    year = {"kind": "居民", "state": "正常参保", "year": "2026", "aid": "无", "area": plain.COUNTY}
    return {"name": name, "id": id_, "dob": born or id_[6:14], **year}


def pupil(name: str, id_: str, born: str) -> dict[str, str]:
    return {
        "name": name,
        "id": id_,
        "dob": born,
        "stage": "小学",
        "state": "在读",
        "aid": "否",
        "form": "普通",
    }


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pupils = [pupil(f"周{given}", MANY, "20140404") for given in ("海燕", "国强", "丽华", "建军")]
    insured_rows = [
        insured("杨大伟", LENT, "20150909"),
        insured("张志强", NEAR, "19620909"),
        insured("赵雪梅", PARENT, CHILD[6:14]),
        insured(f"赵铁柱“{PHONE}", SAME),
        *(insured(name, MANY, "20130303") for name in ("周建国", "周晓东", "周文静")),
    ]
    folder = tmp_path_factory.mktemp("borrowed")
    inbox = plain.write(folder, REGISTER, medical_insurance__insured=insured_rows)
    write_book(inbox / ENROLLED / BOOK, pupils)
    for path in (inbox / ENROLLED).glob("*.csv"):
        path.unlink()
    return inbox


def write_book(path: Path, rows: list[dict[str, str]]) -> None:
    fields = plain.DATASETS[ENROLLED].fields
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("小学")
        sheet.write_row(0, 0, [spec.headers[0] for spec in fields.values()])
        for at, row in enumerate(rows, 1):
            sheet.write_row(at, 0, [row.get(name, "") for name in fields])


@pytest.fixture(scope="module")
def out(inbox: Path) -> Path:
    return run(inbox, inbox.parent / "out", threads=1)


def run(inbox: Path, out: Path, threads: int) -> Path:
    out.mkdir(exist_ok=True)
    config = out / "reconcile.toml"
    config.write_text(f"[limits]\nthreads = {threads}\n", encoding="utf-8")
    nights.night(inbox, out, as_of=plain.AS_OF, config=config, state=inbox.parent / "state")
    return out


def reason(out: Path, id_: str) -> str:
    found = nights.table(out, "findings").filter(
        (pl.col("finding") == "id_name_conflict") & (pl.col("id_number") == id_)
    )
    assert found.height <= 1
    return "".join(found["reason"])


def test_a_name_that_contradicts_is_told_where_the_birth_date_contradicts_as_well(out: Path) -> None:
    assert reason(out, LENT) == (
        "此人的身份证号，在《基本医疗保险参保人员信息》第2行（名单_20261031.csv）写的是“杨大伟”（出生日期也与号码不符），"
        "与《持证残疾人名册》第2行（名单_20261031.csv）的“李明”明显不同；"
        "可能是号码借用（如填了监护人或户主的号码）、录错，或已改名，请核对两边。"
    )
    unlinked = nights.table(out, "unlinked").filter(pl.col("certificate_number") == f"{LENT}41")
    assert unlinked["reason"].to_list() == ["birth_date"]
    assert plain.outcome(nights.table(out, "outcomes"), LENT, "medical_insurance") == ["missing"]


def test_a_birth_date_alone_is_no_conflict_of_names(out: Path) -> None:
    assert reason(out, NEAR) == ""


def test_a_row_that_found_its_own_person_is_no_conflict(out: Path) -> None:
    assert reason(out, PARENT) == ""
    assert plain.outcome(nights.table(out, "outcomes"), CHILD, "medical_insurance") == ["receiving"]


def test_every_list_is_named_and_five_rows_one_by_one(out: Path) -> None:
    said = reason(out, MANY)
    assert said.count("写的是") == 5
    for row, name in enumerate(("周海燕", "周国强", "周丽华", "周建军"), 2):
        assert f"《在籍学生信息》第{row}行（{BOOK}，工作表小学）写的是“{name}”" in said
    assert "《基本医疗保险参保人员信息》第6行（名单_20261031.csv）写的是“周建国”" in said
    assert "，另有2行（《基本医疗保险参保人员信息》2行），与《持证残疾人名册》第3行" in said


def test_what_was_typed_into_a_name_brings_no_number_and_no_quotation_mark(out: Path) -> None:
    said = reason(out, SAME)
    assert "“赵铁柱" in said
    assert "不符" not in said
    assert said.count("“") == said.count("”") == 2
    assert not re.search("[0-9]{9,}", said)


def test_the_countys_table_shows_both_rows_without_a_number(out: Path) -> None:
    table = pl.read_csv(out / "reports" / plain.COUNTY / "discrepancies.csv", infer_schema=False)
    cells = table.filter(pl.col("涉及政策") == "同一身份证号，两处姓名明显不同")["疑点描述"].to_list()
    assert sorted(cells) == sorted(reason(out, id_) for id_ in (LENT, MANY, SAME))
    assert not any(re.search("[0-9]{9,}", cell) for cell in cells)


def test_the_words_are_the_same_with_two_threads(inbox: Path, out: Path) -> None:
    again = run(inbox, inbox.parent / "again", threads=2)
    assert nights.table(again, "findings").equals(nights.table(out, "findings"))
