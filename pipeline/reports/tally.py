"""Counts of a night, without a person in them: what the summary, run.json and the screen all tell.

Leads are no count of missing people: they are left out of every benefit count here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.reports.night import NightForReports

OUTCOME_WORDS = {
    "missing": "应享未享",
    "verify": "待核实",
    "renew_first": "先换证",
    "undetermined": "不能判断",
    "receiving": "在享",
    "receiving_not_due": "在领待核",
}


@dataclass(frozen=True)
class Tally:
    """Counts by outcome; `counts[outcome]` is 0 where nothing was counted."""

    code: str
    title: str
    counts: Mapping[str, int]

    @property
    def due(self) -> int:
        """Every person certainly due the benefit: receiving it or missing it."""
        return self.counts["receiving"] + self.counts["missing"]

    @property
    def share(self) -> float | None:
        """Share of the due who receive, None where nobody is due."""
        return self.counts["receiving"] / self.due if self.due else None


@dataclass(frozen=True)
class Flow:
    """How many rows of a list came how far. `usable` is a lower bound: the better filled of its number columns."""

    dataset: str
    title: str
    files: int
    rows: int
    usable: int
    linked: int
    review: int
    vetoed: int


def by_county_and_benefit(night: NightForReports) -> dict[str, dict[str, Tally]]:
    """county code -> benefit code -> Tally, benefits in the rules' order; a missing pair has zeros."""
    counted = _benefit_outcomes(night).group_by("county_code", "benefit", "outcome").len()
    found = {(c, b, o): n for c, b, o, n in counted.iter_rows()}
    return {
        county: {
            benefit: Tally(
                benefit,
                night.rule_title(benefit),
                {outcome: found.get((county, benefit, outcome), 0) for outcome in OUTCOME_WORDS},
            )
            for benefit in benefits(night)
        }
        for county in night.reported_counties()
    }


def benefits(night: NightForReports) -> list[str]:
    """Benefit codes in the rules' order (leads left out), then any that only occurs in the outcomes."""
    ruled = [code for code, rule in night.rules.items() if rule.benefit and rule.strength != "lead"]
    return ruled + sorted(set(_benefit_outcomes(night)["benefit"]) - set(ruled))


def finding_codes(night: NightForReports) -> list[str]:
    """Finding codes in the rules' order, then any that only occurs in the findings."""
    ruled = [code for code, rule in night.rules.items() if rule.finding]
    return ruled + sorted(set(night.findings["finding"]) - set(ruled))


def added(tallies: list[Tally], code: str, title: str) -> Tally:
    """The sum of several tallies under one name."""
    return Tally(code, title, {o: sum(t.counts[o] for t in tallies) for o in OUTCOME_WORDS})


def findings_by_county(night: NightForReports) -> dict[str, dict[str, int]]:
    """county code -> finding code -> count, zeros written out."""
    counted = {(c, f): n for c, f, n in night.findings.group_by("county_code", "finding").len().iter_rows()}
    codes = finding_codes(night)
    return {c: {f: counted.get((c, f), 0) for f in codes} for c in night.reported_counties()}


def people_by_county(night: NightForReports) -> dict[str, int]:
    """Register people by county code."""
    return dict(night.people.group_by("county_code").len().sort("county_code", nulls_last=True).iter_rows())


def without_county(night: NightForReports) -> int:
    """Results that name no county and so stand in no county's report."""
    return night.outcomes["county_code"].null_count() + night.findings["county_code"].null_count()


def quota_missing(night: NightForReports) -> int:
    """Of the missing, those of a programme with limited places."""
    rows = night.outcomes.filter((pl.col("outcome") == "missing") & (pl.col("strength") == "quota"))
    return rows.height


def flows(night: NightForReports) -> list[Flow]:
    """Each list's rows from delivery to link, in the datasets' order."""
    linked = _by_dataset(night.links.lazy().filter(pl.col("decision") == "linked"))
    review = _by_dataset(night.links.lazy().filter(pl.col("decision") == "review"))
    vetoed = _by_dataset(night.unlinked.lazy())
    found = []
    for key, dataset in night.datasets.items():
        files, rows, usable = _delivered(night, key, dataset)
        found.append(
            Flow(
                key,
                dataset.title,
                files,
                rows,
                usable,
                linked.get(key, 0),
                review.get(key, 0),
                vetoed.get(key, 0),
            )
        )
    return found


def _benefit_outcomes(night: NightForReports) -> pl.DataFrame:
    return night.outcomes.filter((pl.col("strength") != "lead") & pl.col("county_code").is_not_null())


def _by_dataset(rows: pl.LazyFrame) -> dict[str, int]:
    return dict(rows.group_by("dataset").len().collect().iter_rows())


def _delivered(night: NightForReports, key: str, dataset: Dataset) -> tuple[int, int, int]:
    """(files, rows, rows with a usable number at least) of one list, from its quality counts."""
    head = dataset.household.head_id if dataset.household else None
    numbers: list[str | None] = [f for f in (dataset.person.id, dataset.person.certificate) if f] or [head]
    rows: dict[tuple[str, str], int] = {}
    usable: dict[tuple[str, str], int] = {}
    for q in night.quality:
        if q.dataset != key:
            continue
        file = (q.county, q.source_file)
        rows[file] = max(rows.get(file, 0), q.rows)
        if q.field in numbers:
            usable[file] = max(usable.get(file, 0), q.rows - q.blank - q.damaged)
    return len(rows), sum(rows.values()), sum(usable.values())
