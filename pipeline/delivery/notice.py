"""What goes with a notice between two periods: the rows of the urgent cases alone, and the numbers of what is reminded of or taken back."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Collection
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.delivery.compose import report_files
from pipeline.delivery.expected import NUMBERS
from pipeline.delivery.letter import CSV, Attachment
from pipeline.delivery.outbox import Cargo
from pipeline.reports import NightForReports
from pipeline.reports.county import write_county_notice

_BOM = "\ufeff"


def urgent_files(
    night: NightForReports,
    rows: pl.DataFrame,
    county: str,
    asked: Collection[str],
    due_on: date,
    stem: str,
) -> tuple[Attachment, ...]:
    """CSV and workbook of these cases, as a report has them. `rows`: the night's `case_rows`. They lie in the night's own temporary
    folder while they are made, not in the output: what lies there to be looked at is the whole report."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / county
        folder.mkdir()
        write_county_notice(night, rows, county, asked, due_on, folder)
        return report_files(folder, stem, f"{night.as_of:%Y-%m}")


def with_rows(rows: pl.DataFrame, county: str, asked: Collection[str]) -> tuple[str, ...]:
    """Those of the cases that stand in this county's list tonight: no other can be told of."""
    there = rows.filter(pl.col("county_code") == county, pl.col("case_number").is_in(list(asked)))
    known = set(there["case_number"])
    return tuple(number for number in asked if number in known)


def told_numbers(cargo: Cargo) -> tuple[str, ...]:
    """The case numbers that are reminded of or taken back."""
    return tuple(word.split(":")[0] for word in (*cargo.reminded, *cargo.corrected))


def numbers_file(night: NightForReports, cargo: Cargo, stem: str) -> Attachment:
    """Case numbers, what they are about, and until when: no person. For reminders and corrections."""
    subjects = dict(night.cases.select("case_number", "subject").iter_rows())
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(NUMBERS)
    for number, stage, day in (word.split(":") for word in cargo.reminded):
        said = "即将到反馈截止日" if stage == "due" else "已过反馈截止日"
        writer.writerow((number, night.rule_title(subjects.get(number, "")), day, said))
    for number, day in (word.split(":") for word in cargo.corrected):
        writer.writerow((number, night.rule_title(subjects.get(number, "")), day, "已有新数据，不必再核查"))
    data = (_BOM + text.getvalue()).encode()
    return Attachment(f"{stem}_编号.csv", f"numbers-{night.as_of:%Y-%m-%d}.csv", CSV, data)
