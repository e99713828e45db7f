"""`needs.csv` (应享尽享表): unmet needs by county as counts only, as evidence for projects of 东西部协作 (handbook A6).

It may leave the office: no person, and no cell small enough to be one. Cells from 1 to 4 are `<5`, and a total with such a
cell is `≥` what can be worked out anyway: a true total, or any that depends on it, would give the small cells away.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipeline.reports import tally
from pipeline.reports.night import NightForReports
from pipeline.reports.rows import NATURES
from pipeline.reports.safe_text import csv_cell

FEWEST = 5
HIDDEN = f"<{FEWEST}"
COLUMNS = (
    "政策代码",
    "政策",
    "性质",
    "县代码",
    "县(市、区)",
    "应享",
    "在享",
    "应享未享",
    "先换证",
    "享受率",
    "未享金额（元/月）",
)
_COUNTED = ("receiving", "missing", "renew_first")


def write_needs(night: NightForReports, out: Path) -> Path:
    """Writes `out/needs.csv` (UTF-8 with BOM, CRLF): a line a benefit and county, then the benefit's total (县代码 empty)."""
    path = out / "needs.csv"
    out.mkdir(parents=True, exist_ok=True)
    table = needs_table(night)
    named = table.with_columns(
        csv_cell(pl.col(column)).alias(column) for column in ("政策代码", "政策", "县(市、区)")
    )
    named.write_csv(path, include_bom=True, line_terminator="\r\n")
    return path


def needs_table(night: NightForReports) -> pl.DataFrame:
    """COLUMNS, all String. A share or a sum of money stands only where both its numbers are shown."""
    counts = tally.by_county_and_benefit(night)
    yuan = _yuan(night)
    lines: list[tuple[str, ...]] = []
    for benefit in tally.benefits(night):
        own = {county: counts[county][benefit].counts for county in counts}
        if not any(found[outcome] for found in own.values() for outcome in _COUNTED):
            continue
        shown = {outcome: hidden({c: own[c][outcome] for c in own}) for outcome in _COUNTED}
        lines += [_line(night, benefit, county, shown, yuan) for county in (*own, "")]
    return pl.DataFrame(lines, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")


def hidden(cells: dict[str, int]) -> dict[str, str]:
    """The cells by county and their total (key ""), as they may be shown."""
    shown = {county: HIDDEN if 0 < count < FEWEST else str(count) for county, count in cells.items()}
    least = sum(1 if shown[county] == HIDDEN else count for county, count in cells.items())
    return shown | {"": f"≥{least}" if HIDDEN in shown.values() else str(least)}


def _line(
    night: NightForReports,
    benefit: str,
    county: str,
    shown: dict[str, dict[str, str]],
    yuan: dict[tuple[str, str], float],
) -> tuple[str, ...]:
    receiving, missing, renew = (shown[outcome][county] for outcome in _COUNTED)
    whole = receiving.isdigit() and missing.isdigit()
    both = int(receiving) + int(missing) if whole else 0
    money = yuan.get((county, benefit)) if missing.isdigit() and missing != "0" else None
    rule = night.rules.get(benefit)
    return (
        benefit,
        night.rule_title(benefit),
        NATURES.get(rule.strength, "") if rule else "",
        county,
        night.county_name(county) if county else "合计",
        str(both) if whole else "",
        receiving,
        missing,
        renew,
        f"{int(receiving) / both:.1%}" if both else "",
        f"{money:.0f}" if money is not None else "",
    )


def _yuan(night: NightForReports) -> dict[tuple[str, str], float]:
    """Yuan a month of those who miss it, by county and benefit, and in all (county "")."""
    if "yuan_a_month" not in night.outcomes.columns:
        return {}
    missed = night.outcomes.filter(
        (pl.col("outcome") == "missing")
        & pl.col("yuan_a_month").is_not_null()
        & pl.col("county_code").is_not_null()
    )
    by_county = missed.group_by("county_code", "benefit").agg(pl.col("yuan_a_month").sum())
    found = {(county, benefit): yuan for county, benefit, yuan in by_county.iter_rows()}
    whole = missed.group_by("benefit").agg(pl.col("yuan_a_month").sum())
    return found | {("", benefit): yuan for benefit, yuan in whole.iter_rows()}
