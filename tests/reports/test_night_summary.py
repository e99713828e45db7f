"""The analyst's page, the machine's numbers and the one screen."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import report_nights as nights

from pipeline.contracts.problem import Problem
from pipeline.contracts.tables import LINKS, UNLINKED
from pipeline.reports.quality_page import quality_by_department
from pipeline.reports.run_json import write_run_json
from pipeline.reports.screen import COLUMNS, LINES, clip, screen_summary, width
from pipeline.reports.summary import write_summary
from pipeline.reports.tally import added, by_county_and_benefit, flows
from pipeline.reports.wanting import undecided


def tree(path: Path) -> ElementTree.Element:
    text = path.read_text(encoding="utf-8").replace("<!DOCTYPE html>", "").strip()
    return ElementTree.fromstring(text)


def test_the_page_is_well_formed_and_loads_nothing(tmp_path: Path) -> None:
    path = write_summary(nights.full_night(), tmp_path)
    text = path.read_text(encoding="utf-8")
    root = tree(path)
    tags = {element.tag for element in root.iter()}
    assert not tags & {"script", "link", "iframe", "img", "object", "embed"}
    assert not re.search("https?:|//|url\\((?!#)|@import", text)
    assert not [a for e in root.iter() for a in e.attrib if a in ("src", "href") or a.startswith("on")]
    assert "default-src 'none'" in text
    assert {"svg", "table", "caption"} <= tags


def test_every_header_cell_says_its_scope(tmp_path: Path) -> None:
    root = tree(write_summary(nights.full_night(), tmp_path))
    assert {th.get("scope") for th in root.iter("th")} <= {"col", "row", "rowgroup"}
    assert all(svg.get("role") or svg.get("aria-hidden") for svg in root.iter("svg"))


def test_no_person_stands_in_the_page_the_json_or_the_screen(tmp_path: Path) -> None:
    night = nights.full_night()
    page = write_summary(night, tmp_path).read_text(encoding="utf-8")
    numbers = write_run_json(night, tmp_path, exit_code=3, inputs=[], versions={}).read_text(encoding="utf-8")
    screen = screen_summary(night, tmp_path)
    for text in (page, numbers, screen):
        assert not re.search("[0-9]{8}", text)
        for name in night.people["name"]:
            assert not re.search(f"{name}(?![0-9])", text)


def test_the_page_tells_what_is_wanting_and_escapes(tmp_path: Path) -> None:
    odd = (Problem("E214", "error", "列“<b>x</b>”未登记", "没有", "登记", file="b.csv"),)
    text = write_summary(nights.full_night(problems=odd), tmp_path).read_text(encoding="utf-8")
    assert "降级" in text
    assert "最低生活保障对象花名册</b>：东川示例县未到" in text
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "正常" in write_summary(nights.night(), tmp_path).read_text(encoding="utf-8")


def test_an_empty_night_still_makes_a_page(tmp_path: Path) -> None:
    tree(write_summary(nights.night(), tmp_path))
    assert "正常" in screen_summary(nights.night(), tmp_path)


def test_counts_are_those_of_the_outcomes() -> None:
    night = nights.full_night()
    counts = by_county_and_benefit(night)
    total = added([t for c in counts.values() for t in c.values()], "", "")
    for outcome, number in total.counts.items():
        assert number == (night.outcomes["outcome"] == outcome).sum()
    nursing = added([c["nursing_subsidy"] for c in counts.values()], "", "")
    assert nursing.share == nursing.counts["receiving"] / (
        nursing.counts["receiving"] + nursing.counts["missing"]
    )


def test_the_funnel_counts_rows_of_each_list() -> None:
    row = ("civil_affairs/dibao", "a.csv", 1, "x", "y", "id", 1.0)
    links = pl.DataFrame([(*row, "linked"), (*row, "linked"), (*row, "review")], schema=LINKS, orient="row")
    unlinked = pl.DataFrame(
        [("civil_affairs/dibao", "a.csv", 9, "x", "姓名不符")], schema=UNLINKED, orient="row"
    )
    night = nights.full_night(links=links.lazy(), unlinked=unlinked)
    flow = {f.dataset: f for f in flows(night)}["civil_affairs/dibao"]
    assert (flow.files, flow.rows, flow.usable, flow.linked, flow.review, flow.vetoed) == (
        1,
        100,
        93,
        2,
        1,
        1,
    )


def test_a_wanting_list_is_named_only_where_the_rule_needs_it() -> None:
    found = {u.benefit: u for u in undecided(nights.full_night(), "539902")}
    assert found["living_subsidy"].lists == ("civil_affairs/dibao",)
    assert found["nursing_subsidy"].lists == ()


def test_quality_says_reasons_by_department_without_long_numbers() -> None:
    from pipeline.contracts.delivered import FieldQuality

    leak = nights.id_number(1)
    quality = (
        FieldQuality(
            "civil_affairs/dibao", "539901", "a.csv", "id", 9, 1, 3, (("checksum", 2), ("length", 1))
        ),
        FieldQuality("civil_affairs/dibao", "539902", "b.csv", "id", 5, 0, 1, (("checksum", 1),)),
        FieldQuality("civil_affairs/dibao", "539901", "a.csv", "state", 9, 0, 1, ((leak, 1),)),
        FieldQuality("civil_affairs/dibao", "539901", "a.csv", "name", 9, 0, 0),
    )
    pages = quality_by_department(nights.night(quality=quality))
    number, state = pages["民政"]
    assert (number.files, number.rows, number.blank, number.damaged) == (2, 14, 1, 4)
    assert number.reasons == "校验位不符 3；位数不对 1"
    assert leak[:9] not in state.reasons


def test_run_json_is_sorted_and_the_same_twice(tmp_path: Path) -> None:
    inputs = [{"file": "a.csv", "rows": 3}]
    versions = {"polars": "2.1"}
    night = nights.full_night()
    once = write_run_json(night, tmp_path / "1", exit_code=3, inputs=inputs, versions=versions)
    turned = nights.full_night(outcomes=night.outcomes.reverse(), coverage=night.coverage.reverse())
    again = write_run_json(turned, tmp_path / "2", exit_code=3, inputs=inputs, versions=versions)
    assert once.read_bytes() == again.read_bytes()
    told = json.loads(once.read_text(encoding="utf-8"))
    assert list(told) == sorted(told)
    assert told["state"] == "degraded"
    assert told["exit_code"] == 3
    assert told["coverage"]["civil_affairs/dibao"]["539902"]["status"] == "missing"
    assert told["findings"]["539902"]["certificate_not_issued"] == 1


def test_summary_bytes_do_not_depend_on_row_order(tmp_path: Path) -> None:
    night = nights.full_night()
    turned = nights.full_night(
        outcomes=night.outcomes.reverse(),
        findings=night.findings.reverse(),
        coverage=night.coverage.reverse(),
    )
    assert (
        write_summary(night, tmp_path / "1").read_bytes()
        == write_summary(turned, tmp_path / "2").read_bytes()
    )


def test_the_screen_fits_however_much_went_wrong() -> None:
    counties = {f"5399{n:02d}": f"第{n}个名字很长很长的示例自治县" for n in range(1, 30)}
    problems = tuple(
        Problem(f"E{n}", "error", "缺少必需的列" * 9, "没有" * 30, "登记别名" * 9, file=f"a/b/{n}.xlsx")
        for n in range(50)
    )
    refused = {(key, county): "missing" for key in nights.datasets() for county in nights.COUNTIES}
    night = nights.full_night(counties=counties, problems=problems, coverage=nights.coverage(refused))
    lines = screen_summary(night, Path("/very/long" * 30)).split("\n")
    assert len(lines) <= LINES
    assert max(map(width, lines)) <= COLUMNS
    assert [line for line in lines if "summary.html" in line and "数据质量" in line]
    usual = screen_summary(nights.full_night(), Path("out"))
    assert "E214 b.csv 第3行：缺少必需的列“姓名”。最接近的是“姓 名”。办法：登记别名。" in usual
    assert usual.index("E214") < usual.index("N001")


def test_clip_counts_chinese_as_two() -> None:
    assert width("县a") == 3
    assert clip("示例示例", 8) == "示例示例"
    assert width(clip("示例示例示", 8)) <= 8
