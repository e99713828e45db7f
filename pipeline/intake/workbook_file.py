"""Reads a workbook (xlsx, xls, an HTML table that calls itself xls) into one normalised part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from pipeline.intake.columns_read import coded_texts
from pipeline.intake.counts import Counts, Delivery
from pipeline.intake.header import Header
from pipeline.intake.normalise import SERIES_TYPES, Column, Raw, Source, judged, normalise
from pipeline.intake.store import write_part
from pipeline.intake.text_table import header_texts
from pipeline.intake.totals import RowKind, without_sums
from pipeline.intake.workbook import Sheet


def read_sheets(picked: list[tuple[Sheet, Header]], source: Source, scratch: Path) -> Delivery:
    """The rows of the picked sheets, in order, as a Parquet part in `scratch`."""
    frames: list[pl.DataFrame] = []
    counts: list[Counts] = []
    headers: dict[str, str] = {}
    for sheet, header in picked:
        frame, counted, named = _read_sheet(sheet, header, source)
        frames.append(frame)
        counts.append(counted)
        headers = named | headers
    parts = write_part(pl.concat(frames), source.dataset, scratch)
    ignored = dict.fromkeys(column for _, header in picked for column in header.ignored)
    return Delivery(parts, tuple(counts), headers, tuple(ignored))


def _read_sheet(sheet: Sheet, header: Header, source: Source) -> tuple[pl.DataFrame, Counts, dict[str, str]]:
    headers = header_texts(header, sheet.rows[header.row - 1], source.dataset)
    at = [n for n in range(header.row, len(sheet.rows)) if any(sheet.rows[n])]
    records = [sheet.rows[n] for n in at]
    columns: dict[str, Column] = {}
    for name, position in header.columns.items():
        texts = pl.Series(
            [cells[position] if position < len(cells) else "" for cells in records], dtype=pl.String
        )
        series = source.dataset.fields[name].type in SERIES_TYPES
        columns[name] = texts if series else coded_texts(texts)
    raw = Raw(columns, pl.Series([n + 1 for n in at], dtype=pl.Int64), headers)

    def judge(wanted: list[int]) -> list[tuple[RowKind, int | None]]:
        return [judged(records[n], header.columns, source.dataset) for n in wanted]

    of_sheet = Source(source.file, sheet.name, source.dataset, source.county, source.own_counties)
    frame, counts = normalise(raw, of_sheet, judge)
    fields = source.dataset.fields
    sums = [int(frame[name].sum()) for name in header.columns if fields[name].type == "integer"]
    return frame, replace(counts, totals=without_sums(counts.totals, sums)), headers
