"""On which lists of which dates an answer rests: the column 数据来源 of a county's table."""

from __future__ import annotations

import polars as pl

from pipeline.contracts.rule import Rule
from pipeline.reports.night import NightForReports
from pipeline.reports.wanting import lists_of


def source_words(night: NightForReports, flagged: pl.DataFrame) -> pl.DataFrame:
    """`code`, `county_code`, `sources` of every pair that occurs in `flagged`: 2026-10-31：持证残疾人名册、医保参保名册.

    The register and the lists whose facts the rule names, as far as they were accepted for the county; newest first,
    those of one date together. A list that was not accepted carried nothing.
    """
    dates = _dates(night)
    lists = {code: _lists(night, code) for code in flagged["code"].unique()}
    pairs = flagged.select("code", "county_code").drop_nulls().unique().sort("code", "county_code")
    said = [
        (code, county, _words(night, lists[code], dates.get(county, {})))
        for code, county in pairs.iter_rows()
    ]
    schema = {"code": pl.String, "county_code": pl.String, "sources": pl.String}
    return pl.DataFrame(said, schema=schema, orient="row")


def _lists(night: NightForReports, code: str) -> list[str]:
    """In the datasets' order, the register first."""
    rule = night.rules.get(code)
    named = lists_of(rule, night.datasets) | {rule.list} if isinstance(rule, Rule) else frozenset()
    register = [key for key, dataset in night.datasets.items() if dataset.role == "register"]
    return [*register, *(key for key in night.datasets if key in named and key not in register)]


def _dates(night: NightForReports) -> dict[str, dict[str, str]]:
    """County → list → date of the snapshot, of what was accepted."""
    accepted = night.coverage.filter(
        (pl.col("status") == "accepted") & pl.col("snapshot_date").is_not_null()
    ).select("county_code", "dataset", pl.col("snapshot_date").dt.strftime("%Y-%m-%d"))
    dates: dict[str, dict[str, str]] = {}
    for county, dataset, on in accepted.iter_rows():
        dates.setdefault(county, {})[dataset] = on
    return dates


def _words(night: NightForReports, lists: list[str], dates: dict[str, str]) -> str:
    by_date: dict[str, list[str]] = {}
    for key in lists:
        if key in dates:
            by_date.setdefault(dates[key], []).append(night.list_title(key))
    return "；".join(f"{on}：{'、'.join(by_date[on])}" for on in sorted(by_date, reverse=True))
