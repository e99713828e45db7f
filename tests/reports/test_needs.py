"""The table of needs may leave the office: no small cell stands in it, and none can be worked out."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import polars as pl
import report_nights as nights
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reports.comparisons import PAIRS, comparisons
from pipeline.reports.needs import COLUMNS, FEWEST, HIDDEN, hidden, needs_table, write_needs

CELLS = st.dictionaries(st.sampled_from("甲乙丙"), st.integers(0, 12), min_size=1, max_size=4)


@given(CELLS)
@settings(derandomize=True, max_examples=300)
def test_what_is_shown_is_the_same_whatever_a_small_cell_is(cells: dict[str, int]) -> None:
    """Whoever knows how the table is made learns nothing of a small cell but that it is one."""
    small = [county for county, count in cells.items() if 0 < count < FEWEST]
    for guess in product(range(1, FEWEST), repeat=len(small)):
        assert hidden(cells | dict(zip(small, guess, strict=True))) == hidden(cells)
    shown = hidden(cells)
    assert all(shown[county] == str(cells[county]) for county in cells if county not in small)


def test_small_cells_and_their_totals() -> None:
    assert hidden({"a": 0, "b": 7, "c": 9}) == {"a": "0", "b": "7", "c": "9", "": "16"}
    assert hidden({"a": 2, "b": 7, "c": 4}) == {"a": "<5", "b": "7", "c": "<5", "": "≥9"}


def test_the_table_is_counts_by_county_and_benefit(tmp_path: Path) -> None:
    night = nights.full_night()
    table = needs_table(night)
    assert table.columns == list(COLUMNS)
    written = pl.read_csv(write_needs(night, tmp_path), infer_schema=False)
    assert written.fill_null("").equals(table)
    whole = table.filter(pl.col("县代码") == "")
    assert whole["政策代码"].is_unique().all()
    assert not table.filter(pl.col("应享未享").is_in(["1", "2", "3", "4"])).height
    assert (tmp_path / "needs.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    text = (tmp_path / "needs.csv").read_text(encoding="utf-8")
    assert all(name not in text for name in night.people["name"])


def test_a_share_stands_only_beside_both_its_numbers() -> None:
    table = needs_table(nights.full_night())
    some = table.filter((pl.col("应享未享") == HIDDEN) | (pl.col("在享") == HIDDEN))
    assert set(some["享受率"]) <= {""}
    assert set(some.filter(pl.col("应享未享") == HIDDEN)["未享金额（元/月）"]) <= {""}


def test_money_is_summed_by_county_and_in_all() -> None:
    night = nights.full_night()
    priced = nights.full_night(
        outcomes=night.outcomes.with_columns(
            yuan_a_month=pl.lit(10.0), yuan_once=pl.lit(None, dtype=pl.Float64)
        )
    )
    for line in needs_table(priced).iter_rows(named=True):
        missing = line["应享未享"]
        expected = str(10 * int(missing)) if missing.isdigit() and missing != "0" else ""
        assert line["未享金额（元/月）"] == expected


def test_a_rule_stands_under_each_of_its_pairs() -> None:
    night = nights.full_night()
    nursing = night.rules["nursing_subsidy"].model_copy(update={"pairs": ("P3", "P4")})
    night = nights.full_night(rules=night.rules | {"nursing_subsidy": nursing})
    told = comparisons(night)
    assert list(told) == list(PAIRS)
    assert {pair for pair, subjects in told.items() if subjects} == {"P3", "P4"}
    mine = night.outcomes.filter(pl.col("benefit") == "nursing_subsidy")
    assert told["P3"][0].counts["missing"] == (mine["outcome"] == "missing").sum()
    by_county = [comparisons(night, code)["P3"] for code in night.reported_counties()]
    assert sum(s.counts["missing"] for each in by_county for s in each) == told["P3"][0].counts["missing"]
