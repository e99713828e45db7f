"""A county's CSV and workbook as the clerk's programs read them."""

from __future__ import annotations

import csv
import dataclasses
import io
import random
import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
import report_nights as nights
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.answer_lists import MEASURES, REASONS, RESULTS
from pipeline.contracts.settings import Settings
from pipeline.reports.county import write_county_reports
from pipeline.reports.matched_words import percent
from pipeline.reports.rows import ANSWERS, COLUMNS
from pipeline.reports.safe_text import no_formula

LONG_NUMBER = re.compile("[0-9]{17}[0-9Xx]")


def read_csv(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def table(path: Path, sheet: str = "疑点清单") -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True))


def all_text(path: Path) -> str:
    """The file's text, of a workbook the text of every part."""
    if path.suffix != ".xlsx":
        return path.read_text(encoding="utf-8-sig")
    with zipfile.ZipFile(path) as book:
        return "".join(book.read(name).decode() for name in book.namelist())


def test_every_county_gets_both_files_also_with_nothing_to_report(tmp_path: Path) -> None:
    written = write_county_reports(nights.full_night(), tmp_path)
    expected = [f"reports/{c}/discrepancies.{e}" for c in nights.COUNTIES for e in ("csv", "xlsx")]
    assert [p.relative_to(tmp_path).as_posix() for p in written] == expected
    assert sorted(p.name for p in (tmp_path / "reports/539924").iterdir()) == [
        "discrepancies.csv",
        "discrepancies.xlsx",
    ]
    empty = tmp_path / "reports/539924"
    assert (empty / "discrepancies.csv").read_bytes() == (
        b"\xef\xbb\xbf" + ",".join(COLUMNS).encode() + b"\r\n"
    )
    guide = table(empty / "discrepancies.xlsx", "填写说明")
    assert "没有发现疑点" in guide[1][1]
    assert len(table(empty / "discrepancies.xlsx")) == 1


def test_csv_has_bom_and_crlf_everywhere(tmp_path: Path) -> None:
    path = write_county_reports(nights.full_night(), tmp_path)[0]
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\n") == raw.count(b"\r\n") > 3


def test_csv_holds_missing_renewals_and_findings_and_nothing_else(tmp_path: Path) -> None:
    write_county_reports(nights.full_night(), tmp_path)
    rows = [r for c in nights.COUNTIES for r in read_csv(tmp_path / f"reports/{c}/discrepancies.csv")]
    kinds = {(r["疑点类型"], r["性质"]) for r in rows}
    assert kinds == {
        ("漏享", "权益"),
        ("漏享", "项目类"),
        ("先换证", "权益"),
        ("证件到期", "核查"),
        ("未办证", "核查"),
    }
    night = nights.full_night()
    reportable = night.outcomes["outcome"].is_in(["missing", "renew_first"]).sum()
    assert len(rows) == reportable + night.findings.height


def test_each_county_has_only_its_own_people(tmp_path: Path) -> None:
    night = nights.full_night()
    write_county_reports(night, tmp_path)
    for code, name in nights.COUNTIES.items():
        rows = read_csv(tmp_path / f"reports/{code}/discrepancies.csv")
        own = set(night.people.filter(pl.col("county_code") == code)["name"]) | {"未办证例"}
        assert {r["县(市、区)"] for r in rows} <= {name}
        assert {r["姓名"] for r in rows} <= own


def test_a_county_the_night_does_not_list_still_gets_its_rows(tmp_path: Path) -> None:
    who = nights.person(1, "539999")
    night = nights.night([who], [nights.outcome(who, "nursing_subsidy", "missing")])
    write_county_reports(night, tmp_path)
    assert len(read_csv(tmp_path / "reports/539999/discrepancies.csv")) == 1


def test_columns_of_a_row(tmp_path: Path) -> None:
    who = nights.person(7)
    night = nights.night([who], [nights.outcome(who, "nursing_subsidy", "missing")])
    write_county_reports(night, tmp_path)
    (row,) = read_csv(tmp_path / "reports/539901/discrepancies.csv")
    assert tuple(row) == COLUMNS
    assert {k: v for k, v in row.items() if v} == {
        "序号": "1",
        "比对月份": "2026年10月",
        "县(市、区)": "示例市",
        "乡镇": "云岭乡",
        "村(社区)": "下坡村",
        "姓名": "示例7",
        "身份证号": f"539901********{who['id_number'][-4:]}",
        "残疾人证号": row["残疾人证号"],
        "残疾类别": "肢体",
        "残疾等级": "一级",
        "证件有效期至": "2030-05-01",
        "证件状态": "正常",
        "年龄": "45",  # born 1980-11-01, as of 2026-10-31
        "监护人": "监护示例",
        "疑点类型": "漏享",
        "涉及政策": "重度残疾人护理补贴",
        "疑点描述": "《残疾人两项补贴发放花名册》（2026-10-31）中未见在领护理补贴。",
        "依据文号": "国发〔2015〕52号",
        "数据来源": "2026-10-31：持证残疾人名册、残疾人两项补贴发放花名册",
        "责任部门": "民政",
        "性质": "权益",
    }


def test_rows_are_sorted_by_township_village_urgency_certificate_and_code(tmp_path: Path) -> None:
    places = ["云岭乡下坡村", "云岭乡上坡村", "升平镇下坡村", ""]
    people = [nights.person(n, address=f"示例州示例市{places[n % 4]}") for n in range(40)]
    outcomes = [
        nights.outcome(p, b, "missing") for p in people for b in ("living_subsidy", "nursing_subsidy")
    ]
    findings = [nights.finding(p, "certificate_expired") for p in people]
    random.Random(1).shuffle(outcomes)
    write_county_reports(nights.night(people, outcomes, findings), tmp_path)
    rows = read_csv(tmp_path / "reports/539901/discrepancies.csv")
    urgency = {"重度残疾人护理补贴": 1, "困难残疾人生活补贴": 2, "残疾人证已过期": 5}
    keys = [
        (r["乡镇"] == "未注明", r["乡镇"], r["村(社区)"], urgency[r["涉及政策"]], int(r["姓名"][2:]))
        for r in rows
    ]
    assert keys == sorted(keys)
    assert [r["序号"] for r in rows] == [f"{n:03d}" for n in range(1, 121)]


def test_the_workbook_has_text_cells_only_and_the_rows_of_the_csv(tmp_path: Path) -> None:
    write_county_reports(nights.full_night(), tmp_path)
    for code in nights.COUNTIES:
        book = openpyxl.load_workbook(tmp_path / f"reports/{code}/discrepancies.xlsx")
        cells = [c for row in book["疑点清单"].iter_rows() for c in row if c.value is not None]
        assert {c.data_type for c in cells} == {"s"}
        assert {c.number_format for c in cells} == {"@"}
        rows = list(book["疑点清单"].iter_rows(min_row=2, values_only=True))
        if "项目类（排队）" in book.sheetnames:
            rows += book["项目类（排队）"].iter_rows(min_row=2, values_only=True)
        mine = sorted(tuple(v or "" for v in row[1:]) for row in rows)
        csv_rows = read_csv(tmp_path / f"reports/{code}/discrepancies.csv")
        assert mine == sorted(tuple(r.values())[1:] for r in csv_rows)


def test_the_workbook_is_ready_for_the_clerk(tmp_path: Path) -> None:
    write_county_reports(nights.full_night(), tmp_path)
    book = openpyxl.load_workbook(tmp_path / "reports/539902/discrepancies.xlsx")
    assert book.sheetnames == ["填写说明", "疑点清单", "项目类（排队）", "待核实", "乡镇汇总", "入户核实要点"]
    assert {sheet.sheet_state for sheet in book} == {"visible"}
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        wide = (
            2 if sheet.title in ("疑点清单", "项目类（排队）", "待核实") else 1
        )  # a spread: one page is illegible
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (wide, 0)
        assert not sheet.merged_cells.ranges
    sheet = book["疑点清单"]
    assert sheet.freeze_panes == "I2"
    assert sheet.auto_filter.ref == f"A1:AI{sheet.max_row}"
    assert (sheet.print_title_rows, sheet.print_title_cols) == ("$1:$1", "$A:$H")
    assert sheet.page_setup.pageOrder == "overThenDown"
    assert [sheet.cell(1, b.id).value for b in sheet.col_breaks.brk] == ["疑点描述"]
    lists = {
        str(v.sqref).split(":")[0].rstrip("0123456789"): v.formula1.strip('"').split(",")
        for v in sheet.data_validations.dataValidation
    }
    assert lists == {"AD": list(RESULTS), "AF": list(MEASURES), "AE": list(REASONS)}
    assert [sheet.cell(1, i).value for i in (30, 31, 32)] == list(ANSWERS[:3])
    with zipfile.ZipFile(tmp_path / "reports/539902/discrepancies.xlsx") as raw:
        assert not [name for name in raw.namelist() if "vba" in name.lower() or "external" in name.lower()]


def test_the_first_sheet_names_the_wanting_list_and_who_waits_for_it(tmp_path: Path) -> None:
    write_county_reports(nights.full_night(), tmp_path)
    rows = table(tmp_path / "reports/539902/discrepancies.xlsx", "填写说明")
    assert [row[0] for row in rows[1:7]] == [
        "这是什么",
        "怎样填",
        "何时反馈、问谁",
        "只看不填的表",
        "未采用的名册",
        "数据日期",
    ]
    assert rows[7][0] is None  # six lines, then the table of what is not judged
    assert "最低生活保障对象花名册（未到）" in rows[5][1]
    assert ("困难残疾人生活补贴", "最低生活保障对象花名册", 10) in rows
    assert "2026-10-31：" in rows[6][1]


def test_township_sheet_adds_up(tmp_path: Path) -> None:
    write_county_reports(nights.full_night(), tmp_path)
    path = tmp_path / "reports/539902/discrepancies.xlsx"
    head, *townships, total = table(path, "乡镇汇总")
    rows = sum(len(table(path, s)) - 1 for s in openpyxl.load_workbook(path).sheetnames[1:-2])
    assert head[:2] == ("乡镇", "合计")
    assert total[1] == rows == sum(t[1] for t in townships)
    assert sum(total[2:]) == total[1]


def test_no_whole_number_stands_in_any_file(tmp_path: Path) -> None:
    who = nights.person(3, guardian_name=nights.id_number(4), address=f"示例市云岭乡{nights.id_number(5)}村")
    tell = f"与{nights.id_number(6)}同户，残疾人证{who['certificate_number']}。"
    night = nights.night([who], [nights.outcome(who, "nursing_subsidy", "missing", reason=tell)])
    for path in [
        *write_county_reports(night, tmp_path),
        *write_county_reports(nights.full_night(), tmp_path / "2"),
    ]:
        assert not LONG_NUMBER.search(all_text(path)), path.name


def test_whole_numbers_only_where_the_county_says_why(tmp_path: Path) -> None:
    who = nights.person(3)
    outcomes = [nights.outcome(who, "nursing_subsidy", "missing")]
    wish = {"full_ids": True, "full_ids_reason": "加密附件，2026年第3号审批"}
    allowed = nights.night([who], outcomes, settings=Settings.model_validate({"counties": {"539901": wish}}))
    csv_path, book = write_county_reports(allowed, tmp_path)[:2]
    assert read_csv(csv_path)[0]["身份证号"] == f"{who['id_number']}\t"
    assert table(book)[1][COLUMNS.index("身份证号")] == who["id_number"]
    assert table(book)[1][COLUMNS.index("残疾人证号")] == who["certificate_number"]
    unargued = Settings.model_validate({"counties": {"539901": {"full_ids": True}}})
    masked = write_county_reports(nights.night([who], outcomes, settings=unargued), tmp_path / "2")[0]
    assert "********" in read_csv(masked)[0]["身份证号"]


STARTS = ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", "\n"]


def payloads() -> list[str]:
    ends = [
        "1+1",
        "cmd|' /C calc'!A0",
        'HYPERLINK("x","y")',
        "SUM(A1:A9)",
        "",
        '"',
        ",",
        "\r\n=1",
        "<r>a</r>",
        "𠮷",
    ]
    plain = [s + e for s in STARTS for e in ends]
    many = [*plain, *(f"{p}{n}" for n in range(10) for p in plain)][:1000]
    return [*many, "<r>x</r>", "<r><t>x</t></r>"]


def test_a_thousand_formula_payloads_stay_text(tmp_path: Path) -> None:
    texts = payloads()
    people = [
        nights.person(n % 1000, certificate_number=f"P{n:05d}", name=t, guardian_name=t)
        for n, t in enumerate(texts)
    ]
    outcomes = [nights.outcome(p, "nursing_subsidy", "missing", reason=p["name"]) for p in people]
    write_county_reports(nights.night(people, outcomes), tmp_path)
    rows = read_csv(tmp_path / "reports/539901/discrepancies.csv")
    assert len(rows) == len(texts)
    dangerous = re.compile("[=+\\-@\t\r\n＝＋－＠]")
    assert not [v for r in rows for v in r.values() if dangerous.match(v)]
    pieces = [piece for r in rows for v in r.values() for piece in re.split("[;\t|,\r\n]", v)]
    assert not [piece for piece in pieces if dangerous.match(piece.lstrip())]  # whatever a program cuts at
    assert [r["姓名"].replace("'", "") for r in rows] == [t.replace("'", "") for t in texts]
    book = openpyxl.load_workbook(tmp_path / "reports/539901/discrepancies.xlsx")
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None]
    assert not [c for c in cells if c.data_type == "f"]
    assert book["疑点清单"].max_row == len(texts) + 1


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(alphabet=st.sampled_from([*STARTS, "a", "王", "'", " "]), max_size=6))
def test_neutral_text_begins_no_formula_and_loses_nothing(text: str) -> None:
    (neutral,) = pl.select(no_formula(pl.lit(text))).to_series()
    assert neutral[:1] not in STARTS
    assert neutral in (text, f"'{text}")


def test_the_same_night_gives_the_same_bytes_whatever_the_row_order(tmp_path: Path) -> None:
    night = nights.full_night()
    turned = nights.full_night(
        people=night.people.reverse(), outcomes=night.outcomes.reverse(), findings=night.findings.reverse()
    )
    once = write_county_reports(night, tmp_path / "1")
    again = write_county_reports(turned, tmp_path / "2")
    assert [p.read_bytes() for p in once] == [p.read_bytes() for p in again]


def test_a_county_beyond_a_sheet_is_split_and_a_stale_part_removed(tmp_path: Path) -> None:
    people = [nights.person(n) for n in range(25)]
    night = nights.night(people, [nights.outcome(p, "nursing_subsidy", "missing") for p in people])
    write_county_reports(night, tmp_path, rows_a_sheet=10)
    folder = tmp_path / "reports/539901"
    parts = ["discrepancies.xlsx", "discrepancies-2.xlsx", "discrepancies-3.xlsx"]
    assert [len(table(folder / p)) - 1 for p in parts] == [10, 10, 5]
    assert table(folder / parts[2])[-1][0] == "25"
    write_county_reports(night, tmp_path)
    assert sorted(p.name for p in folder.iterdir()) == ["discrepancies.csv", "discrepancies.xlsx"]


def test_leads_stand_apart_and_are_no_missing_people(tmp_path: Path) -> None:
    who = nights.person(1)
    night = nights.night([who], [nights.outcome(who, "living_subsidy", "missing", strength="lead")])
    csv_path, book = write_county_reports(night, tmp_path)[:2]
    assert read_csv(csv_path) == []
    assert len(table(book, "线索（走访参考）")) == 2


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("certificate_expired", "证件到期"),
        ("payment_failed", "发放异常"),
        ("subsidy_with_tekun", "错享待核"),
        ("x", "信息不一致"),
    ],
)
def test_the_kind_of_a_finding(tmp_path: Path, code: str, kind: str) -> None:
    who = nights.person(1)
    path = write_county_reports(nights.night([who], [], [nights.finding(who, code)]), tmp_path)[0]
    assert read_csv(path)[0]["疑点类型"] == kind


def test_with_a_period_title_and_guide_say_which_and_until_when(tmp_path: Path) -> None:
    class Third:
        number, month, due_on = 3, "2026-11", date(2026, 12, 4)

    office = Settings.model_validate(
        {"mail": {"contact": "0887-8220000"}, "period": {"workdays_to_answer": 7}}
    )
    night = nights.full_night(settings=office)
    write_county_reports(dataclasses.replace(night, period=Third()), tmp_path)
    guide = table(tmp_path / "reports/539901/discrepancies.xlsx", "填写说明")
    assert guide[0][0] == "示例市　残疾人惠民政策疑点清单（2026年11月　第3期）"
    assert "反馈截止日：2026年12月4日" in guide[3][1]
    assert "0887-8220000" in guide[3][1]
    write_county_reports(night, tmp_path)
    guide = table(tmp_path / "reports/539901/discrepancies.xlsx", "填写说明")
    assert "收到之日起7个工作日内" in guide[3][1]


def test_sources_are_the_accepted_lists_of_the_rule_by_date(tmp_path: Path) -> None:
    who = nights.person(1)
    night = nights.night(
        [who],
        [nights.outcome(who, "living_subsidy", "missing")],
        [nights.finding(who, "register_id_damaged")],
    )
    older = (
        pl.when(pl.col("dataset") == "civil_affairs/dibao").then(date(2026, 9, 30)).otherwise("snapshot_date")
    )
    dated = night.coverage.with_columns(older.alias("snapshot_date"))
    path = write_county_reports(dataclasses.replace(night, coverage=dated), tmp_path)[0]
    assert {row["数据来源"] for row in read_csv(path)} == {
        "2026-10-31：持证残疾人名册、残疾人两项补贴发放花名册；2026-09-30：最低生活保障对象花名册",
        "2026-10-31：持证残疾人名册",
    }
    refused = nights.coverage({("civil_affairs/dibao", "539901"): "stale"})
    path = write_county_reports(dataclasses.replace(night, coverage=refused), tmp_path / "2")[0]
    assert not [row for row in read_csv(path) if "最低生活" in row["数据来源"]]


@pytest.mark.parametrize(
    ("share", "words"), [(0.996, "99.6%"), (0.83, "83%"), (0.9999, "99.9%"), (1.0, "100%")]
)
def test_a_percentage_has_one_place_at_most(share: float, words: str) -> None:
    assert pl.select(percent(pl.lit(share))).item() == words
