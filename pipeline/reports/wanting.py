"""Which lists a county's answers were waiting for.

A list is wanting for a benefit where the benefit's rule names a fact of a list that was not accepted for the county.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.rule import Rule
from pipeline.reports.night import STATUS_WORDS, NightForReports

_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")
_NAME = re.compile(r"\w+")


@dataclass(frozen=True)
class Undecided:
    """People of one county whose benefit could not be decided, and the lists (dataset keys) it would need."""

    benefit: str
    people: int
    lists: tuple[str, ...]


def lists_of(rule: Rule, datasets: dict[str, Dataset]) -> frozenset[str]:
    """The lists whose facts the rule names in a condition or in `received`; nobody waits for what only a `certain` one asks."""
    texts = [*(c.when for c in rule.who), *(c.when for c in rule.excluded if not c.certain), rule.received]
    names = {name for text in texts for name in _NAME.findall(_LITERAL.sub(" ", text))}
    return frozenset(key for key, dataset in datasets.items() if names & dataset.facts.keys())


def refused_lists(night: NightForReports, county: str) -> dict[str, str]:
    """Lists not accepted for the county: dataset key -> status, in key order."""
    rows = (
        night.coverage.filter((pl.col("county_code") == county) & (pl.col("status") != "accepted"))
        .select("dataset", "status")
        .sort("dataset", "status")
    )
    return dict(rows.iter_rows())


def refused_titles(night: NightForReports, county: str) -> list[str]:
    """The same in words, e.g. `最低生活保障对象花名册（未到）`."""
    return [
        f"{night.list_title(key)}（{STATUS_WORDS.get(status, status)}）"
        for key, status in refused_lists(night, county).items()
    ]


def undecided(night: NightForReports, county: str) -> list[Undecided]:
    """Undetermined people by benefit in one county, most first."""
    refused = refused_lists(night, county)
    counted = (
        night.outcomes.filter((pl.col("county_code") == county) & (pl.col("outcome") == "undetermined"))
        .group_by("benefit")
        .len()
        .sort(["len", "benefit"], descending=[True, False])
    )
    found = []
    for benefit, people in counted.iter_rows():
        rule = night.rules.get(benefit)
        needed = lists_of(rule, night.datasets) if rule else frozenset()
        found.append(Undecided(benefit, people, tuple(key for key in refused if key in needed)))
    return found


def waiting_people(night: NightForReports) -> dict[tuple[str, str], int]:
    """(list, county) → people with a benefit that could not be decided and asks for the list."""
    refused = night.coverage.filter(pl.col("status") != "accepted").select("dataset", "county_code").unique()
    needed = [
        (key, code) for code, rule in night.rules.items() for key in sorted(lists_of(rule, night.datasets))
    ]
    asks = pl.DataFrame(needed, schema={"dataset": pl.String, "benefit": pl.String}, orient="row")
    counted = (
        night.outcomes.filter(pl.col("outcome") == "undetermined")
        .select("county_code", "benefit", pl.coalesce("certificate_number", "id_number").alias("who"))
        .join(asks, on="benefit")
        .join(refused, on=["dataset", "county_code"], how="semi")
        .group_by("dataset", "county_code")
        .agg(pl.col("who").n_unique())
    )
    return {(dataset, county): people for dataset, county, people in counted.iter_rows()}
