"""Which list is there for which county: one row per dataset × county in which register people live."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import Refusal, Snapshot
from pipeline.contracts.tables import COVERAGE
from pipeline.identity import region
from pipeline.intake.normalise import county_field


def counties_of(register: Snapshot, dataset: Dataset) -> tuple[str, ...]:
    """Today's six-digit codes of the counties in which register people live, sorted."""
    field = county_field(dataset)
    if field is None:
        return ()
    codes = pl.concat([pl.read_parquet(file, columns=[field]) for file in register.files])[field]
    return tuple(sorted({region.successor(code) for code in codes.drop_nulls().str.head(6).unique()}))


def missing(dataset: Dataset, county: str, unplaced: int) -> Refusal:
    """A list that did not come. `unplaced`: files in its folder whose names say neither date nor county."""
    why = "没有收到这份名单"
    if unplaced:
        why += f"（文件夹中另有 {unplaced} 个文件，因文件名不合规未能采用）"
    return Refusal(dataset.dataset, county, "missing", why)


def coverage(
    datasets: Mapping[str, Dataset],
    counties: tuple[str, ...],
    accepted: Mapping[tuple[str, str], Snapshot],
    refused: Mapping[tuple[str, str], Refusal],
    held: Mapping[tuple[str, str], str] | None = None,
) -> pl.DataFrame:
    """The coverage table (contracts/tables.py), sorted. A refusal holds even where an older snapshot serves instead.

    `held`: why a prefecture-wide list is not accepted for one county, by dataset and county: what it shows of anybody
    stands, absence from it says nothing there.
    """
    held = held or {}
    rows = []
    for key in sorted(datasets):
        for county in counties:
            place = (key, county if datasets[key].delivery.by == "county" else "")
            snapshot, refusal = accepted.get(place), refused.get(place)
            if refusal is None and (key, county) in held and snapshot:
                refusal = Refusal(key, county, "quarantined", held[key, county], snapshot.snapshot_date)
            rows.append(
                {
                    "dataset": key,
                    "county_code": county,
                    "status": refusal.status if refusal else "accepted",
                    "snapshot_date": snapshot.snapshot_date
                    if snapshot
                    else refusal and refusal.snapshot_date,
                    "rows": snapshot.rows if snapshot else 0,
                    "why": refusal.why if refusal else "",
                }
            )
    return pl.DataFrame(rows, schema=COVERAGE, orient="row")
