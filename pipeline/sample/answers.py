"""The truth folder: who everybody is, what every row is about, who is due what, what else should be found."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import polars as pl

from pipeline.sample.damage import READABLE, damage_kinds
from pipeline.sample.entitled import BENEFITS
from pipeline.sample.lists import EXPORTS
from pipeline.sample.rows import rows_of
from pipeline.sample.rows_register import assessed_without_certificate, two_subsidies, with_failure
from pipeline.sample.world import World

_HEADERS = {
    "people": "person,id_number,certificate_number,name,county_code,alive",
    "rows": "dataset,source_file,source_row,person,damage",
    "entitlements": "person,certificate_number,county_code,benefit,answer",
    "findings": "person,id_number,certificate_number,county_code,finding",
}


class Truth:
    """Writes the four CSV files as the chunks come; without a folder it only counts."""

    def __init__(self, folder: Path | None) -> None:
        self._files: dict[str, IO[bytes]] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for name, header in _HEADERS.items():
                self._files[name] = (folder / f"{name}.csv").open("wb")
                self._files[name].write(f"{header}\n".encode())

    def write(self, name: str, frame: pl.DataFrame) -> None:
        if self._files:
            text = frame.select(_HEADERS[name].split(",")).write_csv(include_header=False)
            self._files[name].write(text.encode())

    def close(self) -> None:
        for file in self._files.values():
            file.close()


def people_table(people: pl.DataFrame) -> pl.DataFrame:
    alive = (~pl.col("dead")).cast(pl.Int64)
    return people.select(
        "person",
        pl.col("id").alias("id_number"),
        pl.col("cert").alias("certificate_number"),
        "name",
        pl.col("county").alias("county_code"),
        alive.alias("alive"),
    )


def entitlements(people: pl.DataFrame) -> pl.DataFrame:
    """One row a person and benefit that is due: missing or receiving."""
    holders = people.filter("holder")
    parts = [
        holders.filter(f"due_{benefit}").select(
            "person",
            pl.col("cert").alias("certificate_number"),
            pl.col("county").alias("county_code"),
            pl.lit(benefit).alias("benefit"),
            pl.when(f"has_{benefit}").then(pl.lit("receiving")).otherwise(pl.lit("missing")).alias("answer"),
            pl.lit(place).alias("place"),
        )
        for place, benefit in enumerate(BENEFITS)
    ]
    return pl.concat(parts).sort("person", "place").drop("place")


def findings(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """One row a person and finding, by person."""
    c = pl.col
    paid = c("holder") & (c("has_living_subsidy") | c("has_nursing_subsidy"))
    conditions = {
        "subsidy_with_tekun": paid & c("in_tekun"),
        "subsidy_without_valid_certificate": paid & c("state").is_in(["注销", "迁出", "冻结"]),
        "subsidy_after_death": paid & c("dead"),
        "payment_failed": c("person").is_in(_unpaid(world, people).implode()),
        "certificate_not_issued": c("person").is_in(_not_issued(world, people).implode()),
    }
    parts = [
        people.filter(where.fill_null(False)).with_columns(finding=pl.lit(name))
        for name, where in conditions.items()
    ]
    parts.append(people.filter(c("lapses_in").is_not_null()).with_columns(finding="lapses_in"))
    return (
        pl.concat(parts)
        .select(
            "person",
            c("id").alias("id_number"),
            c("cert").alias("certificate_number"),
            c("county").alias("county_code"),
            "finding",
        )
        .sort("person", "finding")
    )


def _unpaid(world: World, people: pl.DataFrame) -> pl.Series:
    """People with a 正常 subsidy row none of whose payments arrived."""
    rows = two_subsidies(world, people).filter(pl.col("state") == "正常")
    return with_failure(world, rows).filter("failed")["person"]


def _not_issued(world: World, people: pl.DataFrame) -> pl.Series:
    """People assessed without a certificate whose row carries a number that can be read."""
    export = next(export for export in EXPORTS if export.key == "health/assessments")
    outside = people.filter(assessed_without_certificate(world, people))
    rows = rows_of(world, export, outside)
    kinds = damage_kinds(world, export, rows)
    return rows.filter(kinds.is_null() | kinds.is_in(list(READABLE)))["_person"]
