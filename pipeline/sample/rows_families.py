"""Rosters of families (dibao, marginal, monitored) and the houses, which name only their heads."""

from __future__ import annotations

import polars as pl

from pipeline.sample.rows_register import days_before, month_of
from pipeline.sample.world import World


def dibao(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Families in pay and stopped ones, and people who draw it alone although their family does not (单人户)."""
    roll = world.rolls(people)
    frame = people.with_columns(
        klass=roll.weighted("klass", {"A类": 0.35, "B类": 0.33, "C类": 0.32}),
        start=month_of(days_before(world, roll.below("dibao start", 1300))),
        urban=pl.when(pl.col("rural")).then(pl.lit("农村")).otherwise(pl.lit("城市")),
        fen=pl.when(pl.col("rural")).then(35_000).otherwise(60_000).cast(pl.Int64),
    )
    families = frame.filter("dibao_family").with_columns(
        fam=_number("DB", pl.col("h")),
        hname="head_name",
        hid="head_id",
        rel="role",
        n="size",
        amount=pl.col("fen") * pl.col("size"),
        state=pl.when(pl.col("stopped")).then(pl.lit("停保")).otherwise(pl.lit("在保")),
    )
    singles = frame.filter("single_dibao").with_columns(
        fam=_number("DB", pl.col("person") + 50_000_000),
        hname="name",
        hid="id",
        rel=pl.lit("户主"),
        n=pl.lit(1, dtype=pl.Int64),
        amount=pl.col("fen") * 12 // 10,
        state=pl.lit("在保"),
    )
    return pl.concat([families, singles], how="vertical_relaxed").sort("person")


def _number(prefix: str, serial: pl.Expr) -> pl.Expr:
    """A family number: text, long, meaningless."""
    return prefix + pl.col("county") + serial.cast(pl.String).str.zfill(8)


def dibao_margin(world: World, people: pl.DataFrame) -> pl.DataFrame:
    frame = people.filter("margin")
    start = days_before(world, 5 + world.rolls(frame).below("margin start", 700))
    return frame.with_columns(
        fam=_number("BY", pl.col("h")), hname="head_name", rel="role", start=start, state=pl.lit("有效")
    )


def monitored(world: World, people: pl.DataFrame) -> pl.DataFrame:
    frame = people.filter(pl.col("monitored").is_not_null())
    roll = world.rolls(frame)
    return frame.with_columns(
        fam=_number("", pl.col("h")),
        hname="head_name",
        hid="head_id",
        rel="role",
        kind=roll.weighted(
            "monitored kind", {"边缘易致贫户": 0.42, "脱贫不稳定户": 0.34, "突发严重困难户": 0.24}
        ),
        found=month_of(days_before(world, 40 + roll.below("found", 1400))),
        clear="monitored",
        why=roll.weighted("risk", {"因病": 0.36, "因学": 0.22, "缺劳动力": 0.22, "因残": 0.2}),
    )


def dangerous_housing(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """One row a house, under its head's name and number."""
    frame = people.filter((pl.col("slot") == 0) & pl.col("grade").is_not_null())
    roll = world.rolls(frame)
    built = pl.col("has_housing_renovation")
    kind = (
        pl.when(pl.col("dibao_family") & ~pl.col("stopped"))
        .then(pl.lit("农村低保户"))
        .when(pl.col("margin"))
        .then(pl.lit("农村低保边缘家庭"))
        .when(pl.col("tekun") == "分散供养")
        .then(pl.lit("农村分散供养特困人员"))
        .otherwise(pl.lit("其他"))
    )
    return frame.with_columns(
        hname="name",
        hid="id",
        n="size",
        on=days_before(world, 60 + roll.below("house seen", 800)),
        year=pl.when(built).then(pl.lit(world.as_of.year - 1, dtype=pl.Int64)),
        state=pl.when(built).then(pl.lit("已竣工")).otherwise(pl.lit("未改造")),
        kind=kind,
        addr=pl.col("town") + pl.col("village"),
    )
