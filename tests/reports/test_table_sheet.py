"""The printed table: two halves alike, and rows that stand out without colour."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
import report_nights as nights
from test_case_words import a_case

from pipeline.contracts.tables import CASES, CASES_TOLD
from pipeline.reports.county import write_county_reports
from pipeline.reports.rows import COLUMNS


def sheet_of(tmp_path: Path, **said: Any) -> Any:
    who = nights.person(1)
    night = nights.night([who], [nights.outcome(who, "nursing_subsidy", "missing")])
    case = a_case(night, night.outcomes.row(0, named=True), "SL-2610-0001-0", **said)
    night = dataclasses.replace(night, cases=pl.DataFrame([case], schema=CASES | CASES_TOLD))
    write_county_reports(night, tmp_path)
    return openpyxl.load_workbook(tmp_path / "reports/539901/discrepancies.xlsx")["疑点清单"]


def test_the_two_halves_are_about_as_wide_as_each_other(tmp_path: Path) -> None:
    """A program that fits the table to two pages breaks where the larger half is smallest: behind 疑点描述, by a whole column."""
    sheet = sheet_of(tmp_path)
    widths = []
    for column in range(1, len(COLUMNS) + 1):
        letter = openpyxl.utils.get_column_letter(column)
        group = next(
            d for d in sheet.column_dimensions.values() if d.min <= column <= d.max or d.index == letter
        )
        widths.append(group.width)
    repeated = COLUMNS.index("姓名") + 1

    def larger(left: int) -> float:
        return max(sum(widths[:left]), sum(widths[:repeated]) + sum(widths[left:]))

    best = min(range(repeated, len(COLUMNS)), key=larger)
    assert COLUMNS[best - 1] == "疑点描述"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "【新增】"),
        ({"overdue": True, "state": "sent", "due_on": date(2026, 10, 30)}, "【超期1天】"),
        ({"again": True}, "【复核】"),
        ({"times_opened": 2}, "【再次出现】"),
        ({"held": True}, "【待批准】"),
        ({"first_seen": date(2026, 9, 30), "days_open": 31}, "第31天"),
    ],
)
def test_a_row_stands_out_by_words_letters_and_border(
    tmp_path: Path, said: dict[str, Any], words: str
) -> None:
    sheet = sheet_of(tmp_path, **said)
    progress = sheet.cell(2, COLUMNS.index("进展") + 1)
    number = sheet.cell(2, COLUMNS.index("疑点编号") + 1)
    stands_out = words.startswith("【")
    assert progress.value == words
    assert (bool(progress.font.b), bool(number.font.b)) == (stands_out, stands_out)
    assert (progress.border.left.style == "medium") is stands_out
