"""The two-by-two comparisons of departments (迪残发〔2021〕35号, part 四; handbook A1): what each brought to light, as counts."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.reports.night import NightForReports

PAIRS = {
    "P0": "各部门之间：两不愁三保障",
    "P1": "残联与人社：养老保险、培训、就业",
    "P2": "残联与乡村振兴：监测对象",
    "P3": "残联、民政与财政：低保、特困、两项补贴",
    "P4": "残疾人证与两项补贴：证件状态和有效期",
    "P5": "残联与教育体育：残疾学生",
    "P6": "残联与医保：参保和资助",
    "P7": "残联与卫健：评定、签约、康复",
    "P8": "残联与住建：无障碍与危房改造",
}
OUTCOMES = ("missing", "renew_first", "receiving_not_due", "verify", "undetermined")


@dataclass(frozen=True)
class Subject:
    """One policy or finding of a comparison: counts by outcome, and of a finding how often it was found."""

    title: str
    counts: dict[str, int]
    found: int


def comparisons(night: NightForReports, county: str = "") -> dict[str, list[Subject]]:
    """Pair -> its subjects in the rules' order, those with something to tell; of one county or of all."""
    outcomes = _counted(night.outcomes, ["benefit", "outcome"], county)
    found = _counted(night.findings, ["finding"], county)
    told: dict[str, list[Subject]] = {pair: [] for pair in PAIRS}
    for code, rule in night.rules.items():
        counts = {outcome: outcomes.get((code, outcome), 0) for outcome in OUTCOMES}
        subject = Subject(rule.title, counts, found.get((code,), 0))
        if subject.found or any(counts.values()):
            for pair in rule.pairs:
                told[pair].append(subject)
    return told


def _counted(rows: pl.DataFrame, by: list[str], county: str) -> dict[tuple[str, ...], int]:
    mine = rows.filter(pl.col("county_code") == county) if county else rows
    return {tuple(key): count for *key, count in mine.group_by(by).len().iter_rows()}
