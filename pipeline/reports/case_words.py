"""What the ledger says of a row of a county's list: its number, since when, how far it has come."""

from __future__ import annotations

import polars as pl

from pipeline.reports.night import NightForReports


def with_cases(rows: pl.DataFrame, night: NightForReports) -> pl.DataFrame:
    """Adds case_number, first_seen, progress, times_sent, due_on; rows that rest after a reasoned 不属实 are left out.

    `progress` says in words what stands out: 待批准 (one of a flood), 超期, 复核, 再次出现, 新增, else how many days the case is open.
    """
    if night.cases.is_empty():
        return rows.with_columns(_NONE)
    cases = night.cases.select(
        _who().alias("who"),
        pl.col("subject").alias("code"),
        "case_number",
        "first_seen",
        _progress(night).alias("progress"),
        pl.col("times_sent").cast(pl.String),
        "due_on",
        "suppressed",
    ).drop_nulls("who")
    told = cases.unique(["who", "code"], keep="first", maintain_order=True)
    return (
        rows.with_columns(_who().alias("who"))
        .join(told, on=["who", "code"], how="left", maintain_order="left")
        .filter(~pl.col("suppressed").fill_null(False))
        .drop("who", "suppressed")
    )


def _who() -> pl.Expr:
    """By the certificate, or the number of one who has none."""
    certificate = pl.when(pl.col("certificate_number") != "").then("certificate_number")
    return pl.coalesce(certificate, "id_number")


def _progress(night: NightForReports) -> pl.Expr:
    late = (pl.lit(night.as_of) - pl.col("due_on")).dt.total_days()
    return (
        pl.when("held")
        .then(pl.lit("待批准"))
        .when(pl.col("overdue"))
        .then(pl.format("超期{}天", late))
        .when("again")
        .then(pl.lit("复核"))
        .when((pl.col("times_opened") > 1) & (pl.col("days_open") == 0))
        .then(pl.lit("再次出现"))
        .when(pl.col("first_seen") == night.as_of)
        .then(pl.lit("新增"))
        .when(pl.col("state") == "answered")
        .then(pl.lit("已反馈"))
        .otherwise(pl.format("第{}天", pl.col("days_open")))
    )


_NONE = [
    *(pl.lit(None, dtype=pl.String).alias(name) for name in ("case_number", "progress", "times_sent")),
    *(pl.lit(None, dtype=pl.Date).alias(name) for name in ("first_seen", "due_on")),
]
