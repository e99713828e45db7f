"""Smaller rosters of single people: tekun, orphans, deaths, relief, injury care, rented homes."""

from __future__ import annotations

import polars as pl

from pipeline.sample.rows_register import days_before, month_of
from pipeline.sample.world import World


def tekun(world: World, people: pl.DataFrame) -> pl.DataFrame:
    frame = people.filter("in_tekun")
    roll = world.rolls(frame)
    return frame.with_columns(
        way="tekun",
        care=roll.weighted("self care", {"半护理": 0.38, "全自理": 0.37, "全护理": 0.25}),
        amount=pl.lit(91_000, dtype=pl.Int64),
        start=month_of(days_before(world, 40 + roll.below("tekun start", 3000))),
        state=pl.lit("在供"),
    )


def orphans(world: World, people: pl.DataFrame) -> pl.DataFrame:
    frame = people.filter("orphan")
    return frame.with_columns(
        kind=world.rolls(frame).weighted("orphan kind", {"事实无人抚养儿童": 0.6, "孤儿": 0.4}),
        amount=pl.lit(120_000, dtype=pl.Int64),
        state=pl.lit("在保"),
    )


def deaths(_world: World, people: pl.DataFrame) -> pl.DataFrame:
    return people.filter("dead")


def temporary_relief(world: World, people: pl.DataFrame) -> pl.DataFrame:
    frame = people.filter(world.rolls(people).chance("relief", 0.006))
    roll = world.rolls(frame)
    amount = pl.Series([50_000, 100_000, 200_000, 300_000], dtype=pl.Int64).gather(
        roll.below("relief amount", 4)
    )
    return frame.with_columns(
        on=days_before(world, roll.below("relief on", 480)),
        amount=amount,
        why=roll.word("relief why", ["因病", "意外", "因灾"]),
    )


def injury_care(world: World, people: pl.DataFrame) -> pl.DataFrame:
    frame = people.filter("injury")
    return frame.with_columns(
        level=world.rolls(frame).word("injury level", ["完全不能自理", "大部分不能自理"]),
        amount=pl.lit(240_000, dtype=pl.Int64),
        state=pl.lit("正常"),
    )


def rental(world: World, people: pl.DataFrame) -> pl.DataFrame:
    chosen = pl.lit(world.rolls(people).uniform("rental")) < pl.when(pl.col("rural")).then(0.002).otherwise(
        0.02
    )
    frame = people.filter((pl.col("slot") == 0) & chosen)
    way = world.rolls(frame).word("rental way", ["实物配租", "租赁补贴"])
    return frame.with_columns(way=way, state=pl.lit("在保"))
