"""The sheet 部门比对 as the clerk's program reads it: every comparison's people of this county, and nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import report_nights as nights

from pipeline.contracts.settings import Settings
from pipeline.reports.comparison_sheet import SHEET, WIDTHS
from pipeline.reports.county import write_county_reports
from pipeline.reports.night import NightForReports

COLUMNS = tuple(WIDTHS)
PAIRS = {
    "nursing_subsidy": ["P3", "P4"],
    "living_subsidy": ["P3"],
    "accessibility_renovation": ["P8"],
    "certificate_not_issued": ["P7"],
    "subsidy_with_tekun": ["P3"],
}
NAMES = {
    "P3": "P3 残联、民政与财政：低保、特困、两项补贴",
    "P4": "P4 残疾人证与两项补贴：证件状态和有效期",
    "P7": "P7 残联与卫健：评定、签约、康复",
    "P8": "P8 残联与住建：无障碍与危房改造",
}
LEAD = {"strength": "lead"}


def a_night(
    people: list[dict[str, Any]], outcomes: list[dict[str, Any]], findings: list[dict[str, Any]], **other: Any
) -> NightForReports:
    rules = {
        code: rule.model_copy(update={"pairs": tuple(PAIRS.get(code, ()))})
        for code, rule in nights.rules().items()
    }
    return nights.night(people, outcomes, findings, rules=rules, **other)


def rows_of(
    night: NightForReports, out: Path, county: str = "539901", **how: Any
) -> list[dict[str, str | None]]:
    write_county_reports(night, out, **how)
    book = openpyxl.load_workbook(out / f"reports/{county}/discrepancies.xlsx")
    if SHEET not in book.sheetnames:
        return []
    head, *rows = book[SHEET].iter_rows(values_only=True)
    assert head == COLUMNS
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def test_one_row_for_every_pair_person_and_subject(tmp_path: Path) -> None:
    who, other = nights.person(1), nights.person(2)
    outside = nights.person(3, certificate_number=None)
    outcomes = [
        nights.outcome(who, "nursing_subsidy", "missing"),
        nights.outcome(who, "living_subsidy", "receiving_not_due"),
        nights.outcome(other, "accessibility_renovation", "missing"),
        nights.outcome(other, "living_subsidy", "missing", **LEAD),
        nights.outcome(other, "nursing_subsidy", "verify"),
    ]
    findings = [nights.finding(who, "subsidy_with_tekun"), nights.finding(outside, "certificate_not_issued")]
    rows = rows_of(a_night([who, other], outcomes, findings), tmp_path)
    assert sorted((r["比对"], r["姓名"], r["疑点/待遇"], r["结论"], r["类别"]) for r in rows) == sorted(
        [
            (NAMES["P3"], "示例1", "重度残疾人护理补贴", "应享未享", "权益"),
            (NAMES["P4"], "示例1", "重度残疾人护理补贴", "应享未享", "权益"),
            (NAMES["P3"], "示例1", "困难残疾人生活补贴", "在领待核", "权益"),
            (NAMES["P8"], "示例2", "家庭无障碍改造", "应享未享", "项目类"),
            (NAMES["P3"], "示例2", "困难残疾人生活补贴", "应享未享", "线索"),
            (NAMES["P3"], "示例2", "重度残疾人护理补贴", "待核实", "权益"),
            (NAMES["P4"], "示例2", "重度残疾人护理补贴", "待核实", "权益"),
            (NAMES["P3"], "示例1", "特困人员又领补贴", "错享待核", "核查"),
            (NAMES["P7"], "示例3", "已评定未办证", "未办证", "核查"),
        ]
    )
    assert rows[0]["疑点描述"] in {outcomes[0]["reason"], findings[0]["reason"]}
    assert [r["序号"] for r in rows] == [str(n) for n in range(1, 10)]


def test_who_receives_or_is_undecided_or_belongs_to_no_pair_is_not_on_it(tmp_path: Path) -> None:
    who = nights.person(1)
    outcomes = [
        nights.outcome(who, "nursing_subsidy", "receiving"),
        nights.outcome(who, "living_subsidy", "undetermined"),
    ]
    findings = [nights.finding(who, "certificate_expired"), nights.finding(who, "register_id_damaged")]
    assert rows_of(a_night([who], outcomes, findings), tmp_path) == []


def test_the_order_is_pair_township_village_urgency_name(tmp_path: Path) -> None:
    def at(serial: int, place: str | None, name: str) -> dict[str, Any]:
        return nights.person(serial, name=name, address=place and f"示例州示例市{place}")

    people = [
        at(1, "乙乡甲村", "A"),
        at(2, "甲乡乙村", "A"),
        at(3, "甲乡甲村", "C"),
        at(4, "甲乡甲村", "B"),
        at(5, None, "A"),
        at(6, "甲乡甲村", "A"),
    ]
    urgent = [nights.outcome(p, "nursing_subsidy", "missing") for p in people[:5]]
    later = nights.outcome(people[5], "living_subsidy", "missing")
    rows = rows_of(a_night(people[::-1], [later, *urgent[::-1]], []), tmp_path)
    p3 = [(r["乡镇"], r["村(社区)"], r["姓名"]) for r in rows if r["比对"] == NAMES["P3"]]
    assert p3 == [
        ("乙乡", "甲村", "A"),
        ("甲乡", "乙村", "A"),
        ("甲乡", "甲村", "B"),
        ("甲乡", "甲村", "C"),
        ("甲乡", "甲村", "A"),
        ("未注明", "未注明", "A"),
    ]
    assert [r["比对"] for r in rows] == [NAMES["P3"]] * 6 + [NAMES["P4"]] * 5


def test_a_county_sees_its_own_people_only_and_without_any_no_sheet(tmp_path: Path) -> None:
    people = [nights.person(1), nights.person(2, "539902")]
    night = a_night(people, [nights.outcome(p, "living_subsidy", "missing") for p in people], [])
    assert [r["姓名"] for r in rows_of(night, tmp_path)] == ["示例1"]
    assert [r["姓名"] for r in rows_of(night, tmp_path, "539902")] == ["示例2"]
    for county, there in (("539901", True), ("539902", True), ("539924", False)):
        book = openpyxl.load_workbook(tmp_path / f"reports/{county}/discrepancies.xlsx")
        assert (SHEET in book.sheetnames) is there


def test_numbers_are_masked_by_the_county_s_settings_and_names_are_no_formulas(tmp_path: Path) -> None:
    who = nights.person(1, name="=1+1")
    leak = nights.outcome(who, "living_subsidy", "missing", reason=f"身份证号{who['id_number']}不符。")
    (row,) = rows_of(a_night([who], [leak], []), tmp_path)
    assert row["身份证号"] == f"{who['id_number'][:6]}********{who['id_number'][-4:]}"
    assert who["id_number"] not in str(row)
    assert row["姓名"] == "'=1+1"
    allowed = {"539901": {"full_ids": True, "full_ids_reason": "某县书面申请"}}
    settings = Settings.model_validate({"counties": allowed})
    (row,) = rows_of(a_night([who], [leak], [], settings=settings), tmp_path / "whole")
    assert row["身份证号"] == who["id_number"]


def test_the_other_sheets_do_not_change_by_who_receives_without_entitlement(tmp_path: Path) -> None:
    who, other = nights.person(1), nights.person(2)
    due = nights.outcome(who, "nursing_subsidy", "missing")
    question = nights.outcome(other, "living_subsidy", "receiving_not_due")
    texts = []
    for folder, outcomes in (("with", [due, question]), ("without", [due])):
        rows_of(a_night([who, other], outcomes, []), tmp_path / folder)
        place = tmp_path / folder / "reports/539901"
        book = openpyxl.load_workbook(place / "discrepancies.xlsx")
        others = {s.title: list(s.values) for s in book if s.title not in (SHEET, "填写说明")}
        texts.append(((place / "discrepancies.csv").read_bytes(), others))
    assert texts[0] == texts[1]
    assert "疑点清单" in texts[0][1]


def test_the_sheet_is_ready_to_filter_and_to_print(tmp_path: Path) -> None:
    people = [nights.person(n) for n in (1, 2)]
    night = a_night(people, [nights.outcome(p, "living_subsidy", "missing") for p in people], [])
    write_county_reports(night, tmp_path)
    sheet = openpyxl.load_workbook(tmp_path / "reports/539901/discrepancies.xlsx")[SHEET]
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToHeight == 0
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.freeze_panes == "I2"  # the name stays
    assert sheet.auto_filter.ref == "A1:J3"
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}
    assert {cell.number_format for row in sheet.iter_rows() for cell in row} == {"@"}
    assert not sheet.merged_cells.ranges


def test_a_list_longer_than_a_sheet_goes_on_in_the_next_workbook(tmp_path: Path) -> None:
    people = [nights.person(n) for n in range(1, 4)]
    night = a_night(people, [nights.outcome(p, "nursing_subsidy", "missing") for p in people], [])
    first = rows_of(night, tmp_path, rows_a_sheet=4)
    second = openpyxl.load_workbook(tmp_path / "reports/539901/discrepancies-2.xlsx")[SHEET]
    assert [r["序号"] for r in first] == ["1", "2", "3", "4"]
    assert [row[0] for row in second.iter_rows(min_row=2, values_only=True)] == ["5", "6"]


def test_the_first_sheet_says_what_it_is_for_where_it_is_there(tmp_path: Path) -> None:
    who = nights.person(1)
    rows_of(a_night([who], [nights.outcome(who, "living_subsidy", "missing")], []), tmp_path)
    for county, there in (("539901", True), ("539924", False)):
        book = openpyxl.load_workbook(tmp_path / f"reports/{county}/discrepancies.xlsx")
        lines = {row[0]: row[1] for row in book["填写说明"].iter_rows(min_row=2, max_row=7, values_only=True)}
        assert ("部门比对" in (lines.get("只看不填的表") or "")) is there
        assert len([label for label in lines if label]) == 6  # always six lines
        assert "走访名单" not in str(lines)
