"""What the ledger says of a row of a county's list: its number, since when, how far it has come."""

from __future__ import annotations

import polars as pl

from pipeline.reports.night import NightForReports

# Why a row stands out, the most pressing first, and the word for it.
HELD, OVERDUE, AGAIN, REOPENED, NEW = "held", "overdue", "again", "reopened", "new"
STANDING_OUT = {HELD: "待批准", OVERDUE: "超期", AGAIN: "复核", REOPENED: "再次出现", NEW: "新增"}


def with_cases(rows: pl.DataFrame, night: NightForReports) -> pl.DataFrame:
    """Adds case_number, first_seen, standing, progress, times_sent, first_sent, due_on; rows that rest after a reasoned
    不属实 are left out.

    `standing` is why a row stands out (STANDING_OUT) or null; `progress` says it in words between 【】, so that it is seen
    without colours too, else how many days the case is open.
    """
    if night.cases.is_empty():
        return rows.with_columns(_NONE)
    cases = night.cases.select(
        _who().alias("who"),
        pl.col("subject").alias("code"),
        "case_number",
        "first_seen",
        _standing(night).alias("standing"),
        (pl.lit(night.as_of) - pl.col("due_on")).dt.total_days().alias("late"),
        "state",
        "days_open",
        pl.col("times_sent").cast(pl.String),
        "first_sent",
        "due_on",
        "suppressed",
    ).drop_nulls("who")
    told = (
        cases.with_columns(_progress().alias("progress"))
        .drop("late", "state", "days_open")
        .unique(["who", "code"], keep="first", maintain_order=True)
    )
    return (
        rows.with_columns(_who().replace(night.counts_as).alias("who"), _place(night).alias("place"))
        .join(told, on=["who", "code"], how="left", maintain_order="left")
        .filter(~pl.col("suppressed").fill_null(False))
        .filter(
            pl.col("case_number").is_null() | (pl.col("place") == pl.col("place").min().over("case_number"))
        )
        .drop("who", "place", "suppressed")
    )


def _who() -> pl.Expr:
    """By the certificate, or the number of one who has none."""
    certificate = pl.when(pl.col("certificate_number") != "").then("certificate_number")
    return pl.coalesce(certificate, "id_number")


def _place(night: NightForReports) -> pl.Expr:
    """Of several certificates of a person the one that counts stands for what is found about them, else the first."""
    old = pl.col("certificate_number").is_in(list(night.counts_as))
    return pl.int_range(pl.len()) + pl.when(old).then(pl.len()).otherwise(0)


def _standing(night: NightForReports) -> pl.Expr:
    """The first of STANDING_OUT that is true of the case, else null.

    New is what is told of for the first time tonight (a period goes weeks after the night that found it) or was found
    tonight; back is what was over and came again, until a county was asked about it anew: with the period that goes tonight
    its answer is due when the period's is.
    """
    due_on = night.period.due_on if night.period else None
    asked = (pl.col("last_sent") == night.as_of) & (pl.col("due_on") == pl.lit(due_on, dtype=pl.Date))
    waits = (pl.col("state") == "open") | (asked & pl.col("answered_on").is_null())
    told_now = (pl.col("first_sent") == night.as_of) | (pl.col("first_seen") == night.as_of)
    return (
        pl.when("held")
        .then(pl.lit(HELD))
        .when(pl.col("overdue"))
        .then(pl.lit(OVERDUE))
        .when("again")
        .then(pl.lit(AGAIN))
        .when((pl.col("times_opened") > 1) & waits)
        .then(pl.lit(REOPENED))
        .when(told_now)
        .then(pl.lit(NEW))
    )


def _progress() -> pl.Expr:
    standing = pl.col("standing")
    return (
        pl.when(standing == OVERDUE)
        .then(pl.format("【超期{}天】", "late"))
        .when(standing.is_not_null())
        .then(pl.format("【{}】", standing.replace_strict(STANDING_OUT, default=None)))
        .when(pl.col("state") == "answered")
        .then(pl.lit("已反馈"))
        .otherwise(pl.format("第{}天", pl.col("days_open")))
    )


_NONE = [
    *(
        pl.lit(None, dtype=pl.String).alias(name)
        for name in ("case_number", "standing", "progress", "times_sent")
    ),
    *(pl.lit(None, dtype=pl.Date).alias(name) for name in ("first_seen", "first_sent", "due_on")),
]
