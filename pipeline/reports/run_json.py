"""`run.json`: the night in numbers, for machines. No personal data and no clock: the same night gives the same bytes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.reports import tally
from pipeline.reports.night import NightForReports


def write_run_json(
    night: NightForReports,
    out: Path,
    *,
    exit_code: int,
    inputs: list[dict[str, Any]],
    versions: dict[str, str],
    mail: Mapping[str, int] | None = None,
    mail_places: Mapping[str, Sequence[str]] | None = None,
) -> Path:
    """Writes `out/run.json` (UTF-8, sorted keys). `inputs` describe files (name, hash …), `versions` programs, `mail` counts letters,
    `mail_places` says by fate whose did not go."""
    night_in_numbers = {
        "format": 1,
        "as_of": night.as_of.isoformat(),
        "region": night.region,
        "state": "degraded" if night.degraded else "normal",
        "exit_code": exit_code,
        "inputs": inputs,
        "versions": versions,
        "mail": dict(mail or {}),
        "mail_places": {fate: list(places) for fate, places in (mail_places or {}).items()},
        "counties": night.reported_counties(),
        "people": {str(code): count for code, count in tally.people_by_county(night).items()},
        "read": {
            "files": night.files_read,
            "rows": night.rows_read,
            "rows_quarantined": night.rows_quarantined,
        },
        "outcomes": _outcomes(night),
        "findings": tally.findings_by_county(night),
        "without_county": tally.without_county(night),
        "lists": {flow.dataset: _flow(flow) for flow in tally.flows(night)},
        "coverage": _coverage(night),
        "problems": dict(Counter(f"{p.severity}.{p.code}" for p in night.problems)),
    }
    out.mkdir(parents=True, exist_ok=True)
    path = out / "run.json"
    text = json.dumps(night_in_numbers, ensure_ascii=False, indent=2, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    return path


def last_night_of(out: Path) -> tuple[date | None, dict[str, str]]:
    """Business date and counties (code → name) of the night that OUT holds whole: run.json is written last. None and none
    where none is there."""
    try:
        told = json.loads((out / "run.json").read_text(encoding="utf-8"))
        return date.fromisoformat(told["as_of"]), dict(told["counties"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, {}


def _outcomes(night: NightForReports) -> dict[str, dict[str, dict[str, int]]]:
    """county -> benefit -> outcome -> count, zeros left out."""
    return {
        county: {
            code: {o: n for o, n in one.counts.items() if n}
            for code, one in benefits.items()
            if any(one.counts.values())
        }
        for county, benefits in tally.by_county_and_benefit(night).items()
    }


def _flow(flow: tally.Flow) -> dict[str, int]:
    return {
        "files": flow.files,
        "rows": flow.rows,
        "usable": flow.usable,
        "linked": flow.linked,
        "review": flow.review,
        "vetoed": flow.vetoed,
    }


def _coverage(night: NightForReports) -> dict[str, dict[str, dict[str, Any]]]:
    """dataset -> county -> status, date and rows."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    rows = night.coverage.select(
        "dataset",
        pl.col("county_code").fill_null(""),
        "status",
        pl.col("snapshot_date").cast(pl.Date).dt.to_string("%Y-%m-%d"),
        "rows",
    )
    for dataset, county, status, on, count in rows.iter_rows():
        found.setdefault(dataset, {})[county] = {"status": status, "snapshot_date": on, "rows": count}
    return found
