"""What the analyst should do next, in order: sentences that name the list, the county and the place to look."""

from __future__ import annotations

from collections import Counter

import polars as pl

from pipeline.contracts.problem import Problem
from pipeline.reports import tally
from pipeline.reports.night import STATUS_WORDS, NightForReports
from pipeline.reports.quality_page import unknown_spellings
from pipeline.reports.wanting import undecided

_SEVERITIES = {"error": 0, "warning": 1, "note": 2}
SEVERITY_WORDS = {"error": "错误", "warning": "警告", "note": "提示"}


def by_severity(problems: tuple[Problem, ...]) -> list[Problem]:
    """Errors first; then in the problem's own order, which is total."""
    return sorted(problems, key=lambda p: (_SEVERITIES.get(p.severity, 3), p))


def refused_by_list(night: NightForReports) -> dict[str, list[tuple[str, str]]]:
    """dataset -> [(county code, status)] of what was not accepted, in the datasets' order."""
    rows = (
        night.coverage.filter(pl.col("status") != "accepted")
        .select("dataset", pl.col("county_code").fill_null(""), "status")
        .sort("dataset", "county_code")
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for dataset, county, status in rows.iter_rows():
        found.setdefault(dataset, []).append((county, status))
    order = list(night.datasets)
    return dict(
        sorted(found.items(), key=lambda kv: (order.index(kv[0]) if kv[0] in order else len(order), kv[0]))
    )


def refused_words(night: NightForReports, counties: list[tuple[str, str]]) -> str:
    """`德钦县、维西县未到；香格里拉市过期`; a list wanting everywhere says 各县."""
    by_status: dict[str, list[str]] = {}
    for county, status in counties:
        by_status.setdefault(status, []).append(night.county_name(county))
    everywhere = len(night.counties)
    return "；".join(
        ("各县" if len(names) >= everywhere > 1 else "、".join(names)) + STATUS_WORDS.get(status, status)
        for status, names in by_status.items()
    )


def next_steps(night: NightForReports) -> list[str]:
    """The steps that this night calls for, most urgent first; at least one."""
    steps = [*_lists(night)]
    errors = sum(p.severity == "error" for p in night.problems)
    if errors:
        steps.append(f"改正 {errors:,} 个错误：位置、原因和办法见“问题”一节，改好后重跑。")
    spellings = unknown_spellings(night)
    if spellings:
        steps.append(f"登记 {spellings:,} 种不认识的写法：见“数据质量”，在 schemas/ 的 codes 中补上。")
    total = sum(
        one.counts["verify"]
        for county in tally.by_county_and_benefit(night).values()
        for one in county.values()
    )
    if total:
        steps.append(f"复核 {total:,} 人次“待核实”：记录是否本人有疑问，单列在各县工作簿的“待核实”表。")
    lost = tally.without_county(night)
    if lost:
        steps.append(f"有 {lost:,} 条结果没有县码，不在任何县的清单里：请补全名册中的行政区划代码。")
    steps.append(
        f"查看并下发 {len(night.reported_counties()):,} 个县（市、区）的清单：reports/<县码>/discrepancies.xlsx。"
    )
    return steps


def _lists(night: NightForReports) -> list[str]:
    waiting: Counter[str] = Counter()
    for county in night.reported_counties():
        for one in undecided(night, county):
            waiting.update(dict.fromkeys(one.lists, one.people))
    steps = []
    for dataset, counties in refused_by_list(night).items():
        known = night.datasets.get(dataset)
        owner = known.department if known else ""
        held = f"，{waiting[dataset]:,} 人次等它判断" if waiting[dataset] else ""
        steps.append(
            (
                waiting[dataset],
                f"向{owner}要一份可用的《{night.list_title(dataset)}》：{refused_words(night, counties)}{held}。",
            )
        )
    return [words for _, words in sorted(steps, key=lambda step: -step[0])]
