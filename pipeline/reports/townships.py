"""A county's rows once more, a workbook a township, for handing on: where the settings ask for it (`by_township`).

`townships/01.xlsx` … and `townships.csv`, which says whose each is. A township's name is text out of an address: it stands in
the files and never in a file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from pipeline.reports.guide import county_guide
from pipeline.reports.night import NightForReports
from pipeline.reports.rows import COMPARED, UNKNOWN_PLACE, county_table
from pipeline.reports.safe_text import csv_cell, masked_text, no_formula
from pipeline.reports.table_sheet import SHEETS, Sheet
from pipeline.reports.workbook import write_workbook

FOLDER, LIST = "townships", "townships.csv"
COLUMNS = ("文件", "乡镇", "条数")
_OURS = re.compile(r"[0-9]{2,}\.xlsx|townships\.csv")
_LONGEST_NAME = 40


def write_townships(
    night: NightForReports, code: str, name: str, rows: pl.DataFrame, county_folder: Path, *, full_ids: bool
) -> list[Path]:
    """Writes the split of a county named `name` whose `sorted_county` rows these are; nothing unless its settings ask for it.

    The sheets are the county's own, a township's rows each: over all files a sheet has as many rows as the county's. Files of an
    earlier night go.
    """
    folder = county_folder / FOLDER
    _forget(folder)
    setting = night.settings.counties.get(code)
    parts = list(_parts(rows.filter(pl.col("sheet") != COMPARED)))
    if setting is None or not setting.by_township or not parts:
        return []
    folder.mkdir(exist_ok=True)
    digits = max(2, len(str(len(parts))))
    written = [folder / f"{number:0{digits}}.xlsx" for number in range(1, len(parts) + 1)]
    for path, (township, part) in zip(written, parts, strict=True):
        _write_one(night, code, name, township, part, path, full_ids=full_ids)
    listed = [
        (path.name, place, str(part.height)) for path, (place, part) in zip(written, parts, strict=True)
    ]
    table = pl.DataFrame(listed, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    table.select(csv_cell(pl.col(column)).alias(column) for column in COLUMNS).write_csv(
        folder / LIST, include_bom=True, line_terminator="\r\n"
    )
    return [*written, folder / LIST]


def _parts(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Name as it may be shown, and rows, in the rows' order: who lives nobody knows where comes last."""
    shown = masked_text(pl.col("township").str.replace_all(r"[\p{C}\s]+", " ")).str.slice(0, _LONGEST_NAME)
    named = rows.with_columns(no_formula(shown).fill_null(UNKNOWN_PLACE).alias("shown"))
    for part in named.partition_by("township", maintain_order=True):
        yield part["shown"][0], part.drop("shown")


def _write_one(
    night: NightForReports,
    code: str,
    name: str,
    township: str,
    rows: pl.DataFrame,
    path: Path,
    *,
    full_ids: bool,
) -> None:
    tables = {
        key: county_table(rows.filter(pl.col("sheet") == key), night, name, full_ids=full_ids)
        for key, _ in SHEETS
    }
    counts = {key: table.height for key, table in tables.items()}
    guide = county_guide(night, code, name, counts, set(rows["code"]), (), township)
    sheets = [Sheet(sheet, tables[key]) for key, sheet in SHEETS if counts[key]]
    write_workbook(path, night.as_of, guide, sheets, pl.DataFrame(), path.parent)


def _forget(folder: Path) -> None:
    """Only files that we write, in a folder that is one."""
    if not folder.is_dir() or folder.is_symlink():
        return
    for old in sorted(folder.iterdir()):
        if _OURS.fullmatch(old.name) and old.is_file() and not old.is_symlink():
            old.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
