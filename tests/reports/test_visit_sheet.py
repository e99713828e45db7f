"""The sheet 走访名单 as the clerk's program reads it: who, why, what to ask, in the order of the visits."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import report_nights as nights

from pipeline.contracts.settings import Settings
from pipeline.contracts.visit_signs import VisitSigns
from pipeline.reports.county import write_county_reports
from pipeline.reports.night import NightForReports, VisitList
from pipeline.reports.visits import COLUMNS, SHEET, visit_sheet

ROWS: dict[str, Any] = {
    "person": pl.Int64,
    "certificate_number": pl.String,
    "county_code": pl.String,
    "sign": pl.String,
    "weight": pl.Int64,
    "lost": pl.String,
    "monitored": pl.Boolean,
}
SIGNS = VisitSigns.model_validate(
    {
        "title": "风险早发现",
        "owner": "残联",
        "law": "某文〔2021〕1号",
        "signs": [
            {"id": "失去", "say": "保障没有了", "lost": ["低保"], "weight": 6, "ask": "为什么停了？"},
            {"id": "无救助", "say": "没有救助", "when": "not 低保", "weight": 5, "ask": "谁照料？"},
            {"id": "多残", "say": "一户多残", "when": "低保", "weight": 3, "ask": "谁能劳动？"},
        ],
        "monitored": "监测对象",
        "not_checked": ["收入看不到。"],
        "cases": [{"name": "例"}],
    }
)
WEIGHTS = {sign.id: sign.weight for sign in SIGNS.signs}


def a_night(
    people: list[dict[str, Any]],
    signs: list[tuple[str, ...]],
    monitored: dict[int, bool | None] | None = None,
    earlier: date | None = date(2026, 9, 30),
    **other: Any,
) -> NightForReports:
    """The people with the signs given to each, in the order of their numbers."""
    rows = [
        {
            "person": n,
            "certificate_number": who["certificate_number"],
            "county_code": who["county_code"],
            "sign": sign,
            "weight": WEIGHTS[sign],
            "lost": "在保的低保记录" if sign == "失去" else "",
            "monitored": (monitored or {}).get(n, False),
        }
        for n, (who, own) in enumerate(zip(people, signs, strict=True), start=1)
        for sign in own
    ]
    visits = VisitList(SIGNS, pl.DataFrame(rows, schema=ROWS), earlier, other.pop("left_out", ()))
    return nights.night(people, visits=visits, **other)


def printed(night: NightForReports, code: str = "539901", *, full_ids: bool = False) -> list[dict[str, str]]:
    sheet = visit_sheet(night, code, nights.COUNTIES[code], full_ids=full_ids)
    return [] if sheet is None else list(sheet.rows.iter_rows(named=True))


def test_a_person_s_signs_and_questions_stand_together_the_heaviest_first() -> None:
    night = a_night([nights.person(1)], [("多残", "失去", "无救助")])
    (row,) = printed(night)
    assert tuple(row) == COLUMNS
    assert row["风险迹象"] == "1. 保障没有了（在保的低保记录）\n2. 没有救助\n3. 一户多残"
    assert row["走访时问什么"] == "1. 为什么停了？\n2. 谁照料？\n3. 谁能劳动？"
    assert (row["风险迹象数"], row["权重合计"]) == ("3", "14")
    assert (row["乡镇"], row["村(社区)"]) == ("云岭乡", "下坡村")
    assert (row["残疾类别"], row["残疾等级"], row["年龄"], row["监护人"]) == (
        "肢体",
        "一级",
        "45",
        "监护示例",
    )


def test_the_order_is_township_village_weight_number_certificate() -> None:
    def at(serial: int, place: str | None) -> dict[str, Any]:
        return nights.person(serial, address=place and f"示例州示例市{place}")

    people = [
        at(1, "乙乡甲村"),
        at(2, "甲乡乙村"),
        at(3, "甲乡甲村"),
        at(4, "甲乡甲村"),
        at(5, "甲乡甲村"),
        at(6, None),
    ]
    signs = [("失去",), ("失去",), ("多残",), ("无救助", "多残"), ("多残",), ("失去",)]
    rows = printed(a_night(people[::-1], signs[::-1]))
    assert [row["姓名"] for row in rows] == ["示例1", "示例2", "示例4", "示例3", "示例5", "示例6"]
    assert rows[-1]["乡镇"] == "未注明"
    assert [row["序号"] for row in rows] == ["1", "2", "3", "4", "5", "6"]


def test_who_is_monitored_already_is_marked_and_the_unknown_is_not_denied() -> None:
    people = [nights.person(n) for n in (1, 2, 3)]
    rows = printed(a_night(people, [("失去",)] * 3, {1: True, 2: False, 3: None}))
    assert [row["是否已是监测对象"] for row in rows] == ["是", "否", "不明"]


def test_only_the_county_s_own_people_are_on_its_list() -> None:
    people = [nights.person(1), nights.person(2, "539902")]
    night = a_night(people, [("失去",), ("失去",)])
    assert [row["姓名"] for row in printed(night)] == ["示例1"]
    assert [row["姓名"] for row in printed(night, "539902")] == ["示例2"]
    assert visit_sheet(night, "539924", "南坪示例县", full_ids=False) is None


def test_numbers_are_masked_and_names_are_no_formulas() -> None:
    who = nights.person(1, name="=1+1", guardian_name=nights.id_number(7))
    night = a_night([who], [("失去",)])
    (row,) = printed(night)
    assert row["身份证号"] == f"{who['id_number'][:6]}********{who['id_number'][-4:]}"
    assert "********" in row["监护人"]
    assert row["姓名"] == "'=1+1"
    assert printed(night, full_ids=True)[0]["身份证号"] == who["id_number"]


def test_the_notes_say_with_which_night_was_compared_or_that_there_is_none() -> None:
    def notes(**other: Any) -> str:
        sheet = visit_sheet(
            a_night([nights.person(1)], [("失去",)], **other), "539901", "示例市", full_ids=False
        )
        assert sheet is not None
        return "\n".join(sheet.notes)

    assert "“失去”是与2026-09-30的比对相比。" in notes()
    assert "低保没有比" in notes(left_out=("低保",))
    assert "“失去”本期没有查" in notes(earlier=None)
    assert "收入看不到。" in notes()


def test_the_sheet_is_printable_and_holds_the_list(tmp_path: Path) -> None:
    people = [nights.person(n) for n in (1, 2)]
    night = a_night(people, [("失去", "多残"), ("无救助",)], {2: True})
    write_county_reports(night, tmp_path)
    book = openpyxl.load_workbook(tmp_path / "reports/539901/discrepancies.xlsx")
    sheet = book[SHEET]
    rows = list(sheet.iter_rows(values_only=True))
    assert "2026-09-30" in rows[0][0]
    assert rows[1] == COLUMNS
    assert [row[COLUMNS.index("姓名")] for row in rows[2:]] == ["示例1", "示例2"]
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToHeight == 0  # as many pages as it needs; the width is one page's
    assert sheet.print_title_rows == "$2:$2"
    marked = COLUMNS.index("是否已是监测对象") + 1
    assert sheet.cell(4, marked).font.bold
    assert not sheet.cell(3, marked).font.bold
    assert sheet.row_dimensions[3].height > sheet.row_dimensions[4].height  # two signs need more lines
    assert SHEET not in openpyxl.load_workbook(tmp_path / "reports/539924/discrepancies.xlsx").sheetnames
    assert any("“走访名单”" in str(row[1]) for row in book["填写说明"].iter_rows(values_only=True))


def test_a_list_longer_than_a_sheet_goes_on_in_the_next_workbook(tmp_path: Path) -> None:
    people = [nights.person(n) for n in range(1, 6)]
    write_county_reports(a_night(people, [("失去",)] * 5), tmp_path, rows_a_sheet=2)
    names = []
    for book in ("discrepancies", "discrepancies-2", "discrepancies-3"):
        sheet = openpyxl.load_workbook(tmp_path / f"reports/539901/{book}.xlsx")[SHEET]
        names += [row[3] for row in sheet.iter_rows(min_row=3, values_only=True)]
    assert names == [f"示例{n}" for n in range(1, 6)]


def test_without_signs_no_list_is_made(tmp_path: Path) -> None:
    write_county_reports(nights.full_night(), tmp_path)
    for code in nights.COUNTIES:
        book = openpyxl.load_workbook(tmp_path / f"reports/{code}/discrepancies.xlsx")
        assert SHEET not in book.sheetnames


def test_a_county_with_whole_numbers_allowed_has_them_here_too(tmp_path: Path) -> None:
    allowed = {"539901": {"full_ids": True, "full_ids_reason": "某县书面申请"}}
    settings = Settings.model_validate({"counties": allowed})
    who = nights.person(1)
    write_county_reports(a_night([who], [("失去",)], settings=settings), tmp_path)
    sheet = openpyxl.load_workbook(tmp_path / "reports/539901/discrepancies.xlsx")[SHEET]
    assert sheet.cell(3, COLUMNS.index("身份证号") + 1).value == who["id_number"]
