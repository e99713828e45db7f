"""A whole night on a small prefecture: every contract file is there, typed, ordered, explained and free of numbers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nights
import polars as pl
import pytest

from pipeline.contracts import tables

RESULTS = {
    "links": tables.LINKS,
    "outcomes": tables.OUTCOMES,
    "findings": tables.FINDINGS,
    "cases": tables.CASES,
    "coverage": tables.COVERAGE,
}


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_every_result_file_has_the_columns_of_its_contract(clean: Path, name: str) -> None:
    assert dict(nights.table(clean, name).schema) == RESULTS[name]


def test_every_list_is_accepted_in_every_county(clean: Path) -> None:
    coverage = nights.table(clean, "coverage")
    assert coverage.filter(pl.col("status") != "accepted").is_empty()
    assert coverage.height == 23 * 2


def test_every_row_is_linked_at_most_once(clean: Path) -> None:
    links = nights.table(clean, "links")
    assert links.height > 500
    place = links.select("dataset", "source_file", "source_row")
    assert place.is_unique().all()


def test_every_answer_has_a_reason_that_names_its_list(clean: Path) -> None:
    outcomes = nights.table(clean, "outcomes")
    assert outcomes.filter(pl.col("outcome") == "missing").height > 10
    assert outcomes["reason"].is_null().sum() == 0
    missing = outcomes.filter(pl.col("outcome") == "missing")
    assert missing["reason"].str.contains("《.+》（2026-10-31）中未见").all()
    assert (
        outcomes.filter(pl.col("outcome") == "receiving")["reason"]
        .str.contains("《.+》（2026-10-31）中有")
        .all()
    )


def test_the_county_reports_and_the_summary_show_no_whole_number(clean: Path) -> None:
    whole = re.compile(r"(?<![0-9])[0-9]{17}[0-9X](?![0-9])")
    reports = sorted((clean / "reports").glob("*/discrepancies.csv"))
    assert len(reports) == 2
    for path in [*reports, clean / "summary.html", clean / "run.json", clean / "quarantine.csv"]:
        assert not whole.search(path.read_text(encoding="utf-8-sig")), path.name
    assert all((path.parent / "discrepancies.xlsx").is_file() for path in reports)


def test_run_json_counts_and_names_nobody(clean: Path) -> None:
    told = json.loads((clean / "run.json").read_text(encoding="utf-8"))
    assert told["exit_code"] == 0
    names = nights.table(clean, "outcomes")["name"].unique().to_list()
    text = (clean / "run.json").read_text(encoding="utf-8")
    assert not [name for name in names if len(name) > 2 and name in text]
