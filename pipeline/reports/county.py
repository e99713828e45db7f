"""Each county's own report: `reports/<county code>/discrepancies.csv` and its workbook twin."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.reports.comparison_sheet import comparison_sheet
from pipeline.reports.guide import county_guide
from pipeline.reports.listing import Listing
from pipeline.reports.night import NightForReports
from pipeline.reports.reminders import reminder_rows, reminder_sheet
from pipeline.reports.rows import (
    COMPARED,
    LEAD,
    MAIN,
    QUOTA,
    UNKNOWN_PLACE,
    case_rows,
    county_table,
    sorted_county,
)
from pipeline.reports.safe_text import csv_cell, masked_text
from pipeline.reports.table_sheet import SHEETS, Sheet
from pipeline.reports.townships import write_townships
from pipeline.reports.visits import visit_sheet
from pipeline.reports.workbook import write_workbook

ROWS_A_SHEET = 1_000_000  # a sheet ends at 1,048,576
# The order of the columns of 乡镇汇总.
_KINDS = [
    "漏享",
    "先换证",
    "证件到期",
    "未办证",
    "发放异常",
    "错享待核",
    "信息不一致",
    "项目类",
    "线索",
    "待核实",
]


def write_county_reports(
    night: NightForReports, out: Path, *, rows_a_sheet: int = ROWS_A_SHEET
) -> list[Path]:
    """Writes every county's CSV and workbook(s) under `out/reports/`; returns their paths in order.

    The CSV holds what is to be done (疑点清单 and 项目类 together, sorted as one); the workbook holds the same rows on a
    sheet each, and besides 待核实, 线索, 走访名单, 部门比对 and 换证提醒. Where the settings ask for it the same rows lie a
    township apart in `townships/`. A county without rows gets a header-only table and a guide that says so.
    """
    everything, reminded = case_rows(night), reminder_rows(night)
    written: list[Path] = []
    for code, name in night.reported_counties().items():
        rows = sorted_county(everything.filter(pl.col("county_code") == code), night.region, name)
        folder = out / "reports" / code
        folder.mkdir(parents=True, exist_ok=True)
        written.append(_write_csv(night, code, name, rows, folder))
        listings = _listings(night, code, name, rows, reminded.filter(pl.col("county_code") == code))
        written += _write_workbooks(night, code, name, rows, listings, folder, rows_a_sheet)
        written += write_townships(night, code, name, rows, folder, full_ids=full_ids(night, code))
    return written


def write_county_notice(
    night: NightForReports,
    everything: pl.DataFrame,
    code: str,
    numbers: Collection[str],
    due_on: date,
    folder: Path,
) -> None:
    """The CSV and workbook of a notice between two periods: the rows of these cases and nobody else's, in the report's columns.

    `everything`: the night's `case_rows`; `due_on`: by when the county answers. What rests of the report (visits, reminders,
    townships) goes with the period.
    """
    name = night.county_name(code)
    mine = everything.filter(pl.col("county_code") == code, pl.col("case_number").is_in(list(numbers)))
    rows = sorted_county(mine, night.region, name)
    compared = comparison_sheet(night, rows, full_ids=full_ids(night, code))
    listings = [] if compared is None else [compared]
    _write_csv(night, code, name, rows, folder)
    _write_workbooks(night, code, name, rows, listings, folder, ROWS_A_SHEET, urgent_by=due_on)


def full_ids(night: NightForReports, code: str) -> bool:
    """Whether this county's settings ask for whole numbers and record why; a wish without a reason does not count."""
    setting = night.settings.counties.get(code)
    return setting is not None and setting.full_ids and bool(setting.full_ids_reason.strip())


def _write_csv(night: NightForReports, code: str, name: str, rows: pl.DataFrame, folder: Path) -> Path:
    """UTF-8 with BOM and CRLF, as Excel and WPS open it without questions."""
    whole = full_ids(night, code)
    table = county_table(rows.filter(pl.col("sheet").is_in([MAIN, QUOTA])), night, name, full_ids=whole)
    if whole:  # a tab behind the digits: the one way in a CSV to keep a spreadsheet from rounding 18 digits
        table = table.with_columns(
            (pl.col(column) + pl.when(pl.col(column) == "").then(pl.lit("")).otherwise(pl.lit("\t"))).alias(
                column
            )
            for column in ("身份证号", "残疾人证号")
        )
    path = folder / "discrepancies.csv"
    table = table.with_columns(csv_cell(pl.col(column)).alias(column) for column in table.columns)
    table.write_csv(path, include_bom=True, line_terminator="\r\n", quote_style="necessary")
    return path


def _write_workbooks(
    night: NightForReports,
    code: str,
    name: str,
    rows: pl.DataFrame,
    listings: list[Listing],
    folder: Path,
    rows_a_sheet: int,
    urgent_by: date | None = None,
) -> list[Path]:
    """One workbook; more (`discrepancies-2.xlsx` …) where a sheet would outgrow what a sheet holds."""
    tables = {
        key: county_table(rows.filter(pl.col("sheet") == key), night, name, full_ids=full_ids(night, code))
        for key, _ in SHEETS
    }
    counts = {key: table.height for key, table in tables.items()}
    listed = rows.filter(pl.col("sheet") != COMPARED)
    names = [listing.name for listing in listings]
    guide = county_guide(night, code, name, counts, set(listed["code"]), names, urgent_by=urgent_by)
    longest = [*counts.values(), *(listing.rows.height for listing in listings)]
    books = max(1, *(-(-count // rows_a_sheet) for count in longest))
    for stale in sorted(folder.glob("discrepancies-*.xlsx")):
        stale.unlink()
    written: list[Path] = []
    with tempfile.TemporaryDirectory(dir=folder, prefix=".tmp-") as scratch:
        for book in range(books):
            parts = [
                (key, sheet, tables[key].slice(book * rows_a_sheet, rows_a_sheet)) for key, sheet in SHEETS
            ]
            sheets = [Sheet(sheet, part) for key, sheet, part in parts if part.height or key == MAIN]
            path = folder / ("discrepancies.xlsx" if book == 0 else f"discrepancies-{book + 1}.xlsx")
            townships = _townships(listed) if book == 0 else pl.DataFrame()
            pages = [listing.part(book * rows_a_sheet, rows_a_sheet) for listing in listings]
            write_workbook(path, night.as_of, guide, sheets, townships, Path(scratch), pages)
            written.append(path)
    return written


def _listings(
    night: NightForReports, code: str, name: str, rows: pl.DataFrame, reminded: pl.DataFrame
) -> list[Listing]:
    """走访名单, 部门比对 and 换证提醒, those with something on them. `reminded`: this county's `reminder_rows`."""
    whole = full_ids(night, code)
    found = (
        visit_sheet(night, code, name, full_ids=whole),
        comparison_sheet(night, rows, full_ids=whole),
        reminder_sheet(night, reminded, name, full_ids=whole),
    )
    return [listing for listing in found if listing is not None]


def _townships(rows: pl.DataFrame) -> pl.DataFrame:
    """Counts per township × kind, a total column and a total row; quota and leads are columns of their own."""
    if rows.is_empty():
        return pl.DataFrame()
    kind = pl.when(pl.col("sheet").is_in([QUOTA, LEAD])).then(pl.col("nature")).otherwise(pl.col("kind"))
    counted = (
        rows.select(
            masked_text(pl.col("township")).fill_null(UNKNOWN_PLACE).alias("乡镇"), kind.alias("kind")
        )
        .group_by("乡镇", "kind")
        .len()
        .with_columns(pl.col("len").cast(pl.Int64))
    )
    kinds = sorted(
        counted["kind"].unique(), key=lambda kind: (_KINDS.index(kind) if kind in _KINDS else 99, kind)
    )
    table = (
        counted.pivot(on="kind", index="乡镇", values="len", on_columns=kinds)
        .with_columns(pl.col(kinds).fill_null(0))
        .with_columns(pl.sum_horizontal(kinds).alias("合计"))
        .sort((pl.col("乡镇") == UNKNOWN_PLACE).cast(pl.Int8), "乡镇")
        .select("乡镇", "合计", *kinds)
    )
    total = table.select(pl.lit("合计").alias("乡镇"), pl.col("合计", *kinds).sum())
    return pl.concat([table, total])
