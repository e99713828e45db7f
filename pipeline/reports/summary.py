"""`summary.html`: the night for the analyst. One page, no script, nothing loaded, no person in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import jinja2
import polars as pl
from markupsafe import Markup

from pipeline.cases.flow import FLOW
from pipeline.contracts.problem import Problem
from pipeline.reports import comparisons, follow_up, follow_up_trend, tally
from pipeline.reports.next_steps import (
    SEVERITY_WORDS,
    by_severity,
    next_steps,
    refused_by_list,
    refused_words,
)
from pipeline.reports.night import STATUS_WORDS, NightForReports
from pipeline.reports.quality_page import quality_by_department

_MOST_PROBLEMS = 100
# A symbol with every colour: the page must say the same in print and to who sees no red.
STATUS_SIGNS = {"accepted": "✓", "missing": "✗", "quarantined": "△", "stale": "◇"}


@dataclass(frozen=True)
class CoverageCell:
    """One list in one county."""

    status: str
    sign: str
    words: str
    on: str  # month and day of the snapshot
    why: str


def write_summary(night: NightForReports, out: Path, flow: pl.DataFrame | None = None) -> Path:
    """Writes `out/summary.html` (UTF-8). `flow`: what the nights did to the cases (`cases.case_flow`); None where no
    ledger stands behind the night."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.reports", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["percent"] = lambda share: f"{share:.1%}"
    page = environment.get_template("summary.html.j2").render(
        **_view(night), **_followed(night, pl.DataFrame(schema=FLOW) if flow is None else flow)
    )
    out.mkdir(parents=True, exist_ok=True)
    path = out / "summary.html"
    path.write_text(page, encoding="utf-8", newline="\n")
    return path


def _view(night: NightForReports) -> dict[str, object]:
    """Everything the template shows, already counted."""
    counts = tally.by_county_and_benefit(night)
    benefits = tally.benefits(night)
    totals = [tally.added([counts[c][b] for c in counts], b, night.rule_title(b)) for b in benefits]
    whole = tally.added(totals, "", "合计")
    findings = tally.findings_by_county(night)
    flows = tally.flows(night)
    problems = by_severity(night.problems)
    return {
        "night": night,
        "words": tally.OUTCOME_WORDS,
        "counties": night.reported_counties(),
        "people": tally.people_by_county(night),
        "totals": totals,
        "whole": whole,
        "quota_missing": tally.quota_missing(night),
        "counts": counts,
        "county_totals": {c: tally.added(list(counts[c].values()), c, night.county_name(c)) for c in counts},
        "most_missing": max((t.counts["missing"] for c in counts.values() for t in c.values()), default=0),
        "findings": findings,
        "finding_titles": {code: night.rule_title(code) for code in tally.finding_codes(night)},
        "finding_total": sum(n for county in findings.values() for n in county.values()),
        "comparisons": comparisons.comparisons(night),
        "comparison_titles": comparisons.PAIRS,
        "comparison_outcomes": comparisons.OUTCOMES,
        "flows": flows,
        "funnel": _funnel(night, flows),
        "coverage": _coverage(night),
        "status_words": STATUS_WORDS,
        "status_signs": STATUS_SIGNS,
        "refused": {
            night.list_title(key): refused_words(night, where)
            for key, where in refused_by_list(night).items()
        },
        "quality": quality_by_department(night),
        "problems": problems[:_MOST_PROBLEMS],
        "problem_codes": _codes(problems),
        "more_problems": max(0, len(problems) - _MOST_PROBLEMS),
        "severity_words": SEVERITY_WORDS,
        "steps": next_steps(night),
    }


def _followed(night: NightForReports, flow: pl.DataFrame) -> dict[str, object]:
    """The section 跟踪落实."""
    lines = follow_up.follow_up(night, flow)
    months = follow_up_trend.months(night, flow)
    return {
        "ranking": follow_up.ranking(lines),
        "followed_total": follow_up.total(lines, follow_up.MAIN),
        "followed_apart": [follow_up.total(lines, nature) for nature in (follow_up.QUOTA, follow_up.LEAD)],
        "ages": [words for words, _, _ in follow_up.AGES],
        "months": months,
        # made of numbers and dates only
        "trend": Markup(follow_up_trend.trend_chart(months)),  # noqa: S704
    }


def _funnel(night: NightForReports, flows: list[tally.Flow]) -> list[tuple[str, int]]:
    return [
        ("读到的行", night.rows_read),
        ("采用并归整的行", sum(flow.rows for flow in flows)),
        ("有可用号码的行", sum(flow.usable for flow in flows)),
        ("对上持证人的行", sum(flow.linked for flow in flows)),
        ("号码对上、本人信息矛盾而未采用的行", sum(flow.vetoed for flow in flows)),
    ]


def _coverage(night: NightForReports) -> dict[str, dict[str, dict[str, CoverageCell]]]:
    """department -> list title -> county code -> cell, in the datasets' order."""
    cells: dict[tuple[str, str], CoverageCell] = {}
    columns = ("dataset", "county_code", "status", "snapshot_date", "why")
    for dataset, county, status, on, why in night.coverage.select(columns).iter_rows():
        day = f"{on:%m-%d}" if on is not None else ""
        words = STATUS_WORDS.get(status, status)
        cells[dataset, county] = CoverageCell(status, STATUS_SIGNS.get(status, "？"), words, day, why or "")
    grid: dict[str, dict[str, dict[str, CoverageCell]]] = {}
    for key, dataset in night.datasets.items():
        row = {county: cells[key, county] for county in night.counties if (key, county) in cells}
        grid.setdefault(dataset.department, {})[dataset.title] = row
    return grid


def _codes(problems: list[Problem]) -> list[tuple[str, str, int]]:
    """(code, severity word, how often), in the order of the list."""
    counted = Counter((p.code, SEVERITY_WORDS.get(p.severity, p.severity)) for p in problems)
    return [(code, severity, count) for (code, severity), count in counted.items()]
