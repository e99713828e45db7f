"""Everything the reports may know of a night. Made once by `pipeline.run`, read by every report, changed by none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import polars as pl

from pipeline.cases import Flood
from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import FieldQuality
from pipeline.contracts.problem import Problem
from pipeline.contracts.register_findings import REGISTER_FINDINGS
from pipeline.contracts.rule import Rule
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import CASES, CASES_TOLD
from pipeline.contracts.visit_signs import VisitSigns

# Linked rows summed up by person and method, and the rows that may be a person's.
MATCHED = {
    "certificate_number": pl.String,
    "method": pl.String,
    "lists": pl.Int64,
    "least": pl.Float64,  # the least match_probability
}
DOUBTFUL = {
    "certificate_number": pl.String,
    "dataset": pl.String,
    "source_file": pl.String,
    "source_row": pl.Int64,
    "method": pl.String,
    "match_probability": pl.Float64,
}


@dataclass(frozen=True)
class VisitList:
    """Families at risk: one row a person and sign, and what the signs are.

    `rows`: person, certificate_number, county_code, sign, weight, lost (words), monitored (null: unknown). `earlier` is the
    date of the night with which was compared for what was lost, `left_out` the facts that it could not be asked for.
    """

    signs: VisitSigns
    rows: pl.DataFrame
    earlier: date | None = None
    left_out: tuple[str, ...] = ()


class ReportPeriod(Protocol):
    """The period (第N期) that goes tonight: its number in the year, its month as `2026-11`, by when counties answer."""

    @property
    def number(self) -> int: ...
    @property
    def month(self) -> str: ...
    @property
    def due_on(self) -> date: ...


@dataclass(frozen=True)
class NightForReports:
    """One night's results and the words they need.

    `people` has one row a register person: certificate_number, id_number, name, county_code, address, category
    (视力 …), level (Int64, 1–4), valid_until (Date), state, birth_date (Date), guardian_name, phone. `links` may be
    lazy: only counts are taken from it.
    """

    as_of: date
    region: str  # e.g. 迪庆藏族自治州, for titles
    counties: dict[str, str]  # county code -> name
    people: pl.DataFrame
    outcomes: pl.DataFrame
    findings: pl.DataFrame
    coverage: pl.DataFrame
    links: pl.DataFrame | pl.LazyFrame
    unlinked: pl.DataFrame | pl.LazyFrame
    quality: tuple[FieldQuality, ...]
    problems: tuple[Problem, ...]
    files_read: int
    rows_read: int
    rows_quarantined: int
    rules: dict[str, Rule]
    datasets: dict[str, Dataset]
    settings: Settings
    matched: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MATCHED))
    doubtful: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DOUBTFUL))
    cases: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CASES | CASES_TOLD))
    # a person's other certificates -> the one that counts, under which his cases stand
    counts_as: dict[str, str] = field(default_factory=dict)
    floods: tuple[Flood, ...] = ()  # new cases held for approval
    period: ReportPeriod | None = None  # None: nothing is sent tonight, or nobody keeps periods
    visits: VisitList | None = None  # None: the rules have no signs for visits, so no list is made

    @property
    def degraded(self) -> bool:
        """Whether some county's list was not accepted."""
        return bool((self.coverage["status"] != "accepted").any())

    def reported_counties(self) -> dict[str, str]:
        """The counties that get a report: the night's, and any other that a result names, so that no row is lost."""
        seen = {
            *self.counties,
            *self.outcomes["county_code"].drop_nulls().unique().to_list(),
            *self.findings["county_code"].drop_nulls().unique().to_list(),
        }
        return {code: self.county_name(code) for code in sorted(seen)}

    def county_name(self, code: str) -> str:
        """The county's name, the settings' where the night has none, else its code."""
        setting = self.settings.counties.get(code)
        return self.counties.get(code) or (setting.name if setting else "") or code

    def list_title(self, dataset: str) -> str:
        """The list's Chinese title, or its key where no schema knows it."""
        known = self.datasets.get(dataset)
        return known.title if known else dataset

    def rule_title(self, code: str) -> str:
        """The benefit's or finding's Chinese title, or its code where no rule knows it."""
        known = self.rules.get(code) or REGISTER_FINDINGS.get(code)
        return known.title if known else code


STATUS_WORDS = {
    "accepted": "已采用",
    "missing": "未到",
    "quarantined": "未通过检查",
    "stale": "过期",
}
