"""The big lists, whose rows are the whole population: insurance, expenses, pension, work, school, family doctor."""

from __future__ import annotations

import polars as pl

from pipeline.sample.rows_register import days_before, month_of
from pipeline.sample.world import World

_PREMIUM_FEN = 40_000


def insured(_world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Medical insurance; whoever is aided carries the highest of his identities."""
    frame = people.filter(pl.col("med_state").is_not_null())
    aid = (
        pl.when(~pl.col("has_medical_premium_aid"))
        .then(pl.lit("无"))
        .when(pl.col("in_tekun"))
        .then(pl.lit("特困人员"))
        .when(pl.col("dibao"))
        .then(pl.lit("低保对象"))
        .when(pl.col("at_risk"))
        .then(pl.lit("监测对象"))
        .otherwise(pl.lit("低保对象"))
    )
    frame = frame.with_columns(aid=aid)
    given = (
        pl.when(pl.col("aid") == "无")
        .then(0)
        .when(pl.col("aid") == "特困人员")
        .then(_PREMIUM_FEN)
        .otherwise(20_000)
    )
    resident = pl.col("med_kind") == "居民"
    return frame.with_columns(
        no=pl.col("county") + pl.col("person").cast(pl.String).str.zfill(9),
        dob="birth",
        kind="med_kind",
        state="med_state",
        year="med_year",
        aidamt=given.cast(pl.Int64),
        paid=pl.when(resident).then(_PREMIUM_FEN - given).otherwise(0).cast(pl.Int64),
        area="county",
    )


def expenses(world: World, people: pl.DataFrame) -> pl.DataFrame:
    roll = world.rolls(people)
    chance = pl.when(pl.col("holder") | (pl.col("age") >= 60)).then(0.4).otherwise(0.19)
    frame = people.filter(pl.lit(roll.uniform("ill")) < chance)
    cost = world.rolls(frame).uniform("cost")
    yuan = (300 + 1800 * cost + 40_000 * cost**12).cast(pl.Int64)
    return frame.with_columns(year=pl.lit(world.as_of.year, dtype=pl.Int64), oop=yuan * 100)


def pension(world: World, people: pl.DataFrame) -> pl.DataFrame:
    frame = people.filter(pl.col("pension").is_not_null())
    roll = world.rolls(frame)
    resident, aided = pl.col("resident_pension"), pl.col("has_pension_premium_aid")
    tier = roll.word("tier", ["100", "200", "300", "500"])
    kind = (
        pl.when(~aided)
        .then(pl.lit("无"))
        .when(pl.col("severe"))
        .then(pl.lit("重度残疾人"))
        .when(pl.col("at_risk"))
        .then(pl.lit("返贫致贫人口"))
        .otherwise(pl.lit("低保对象"))
    )
    joined = days_before(world, 200 + roll.below("joined", 5000))
    sixty = month_of(pl.col("birth").dt.offset_by("60y").dt.offset_by("1mo"))
    return frame.with_columns(
        dob="birth",
        kind="pension",
        state="pension_state",
        tier=pl.when(resident).then(pl.lit(tier)),
        aid=pl.when(aided).then(pl.lit("是")).otherwise(pl.lit("否")),
        aidkind=kind,
        joined=joined,
        paid_from=pl.when(pl.col("has_pension_payment")).then(sixty),
    )


def employment(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Work now, and for some others a job that has ended."""
    roll = world.rolls(people)
    ended = (
        pl.lit(roll.chance("job ended", 0.05)) & pl.col("work").is_null() & pl.col("age").is_between(18, 60)
    )
    frame = people.with_columns(ended=ended).filter(pl.col("work").is_not_null() | pl.col("ended"))
    roll = world.rolls(frame)
    ends = pl.lit(world.as_of) - pl.duration(days=pl.lit(roll.below("job end", 300)) + 1)
    return frame.with_columns(
        kind=pl.col("work").fill_null("灵活就业"),
        org=pl.lit("示例单位"),
        start=days_before(world, 320 + roll.below("job start", 2800)),
        end=pl.when(pl.col("ended")).then(ends),
    )


def enrolment(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Pupils and students. A disabled pupil may learn with the others, at a special school, or at home."""
    frame = people.filter("student")
    roll = world.rolls(frame)
    special = roll.weighted(
        "school way", {"随班就读": 0.6, "普通就读": 0.2, "特校就读": 0.13, "送教上门": 0.07}
    )
    stray = pl.lit(roll.chance("grant", 0.004)) & ~pl.col("holder") & pl.col("stage").is_in(["高中", "大学"])
    aided = pl.col("has_student_aid") | stray
    guarded = pl.col("slot") > 0
    return frame.with_columns(
        no="G" + pl.col("county") + pl.col("person").cast(pl.String).str.zfill(10),
        dob="birth",
        grade=pl.lit(None, dtype=pl.String),
        school=pl.col("town") + pl.col("stage"),
        way=pl.when(pl.col("holder") & ~pl.col("stage").is_in(["大学"]))
        .then(pl.lit(special))
        .otherwise(pl.lit("普通就读")),
        state=pl.lit("在读"),
        aid=pl.when(aided).then(pl.lit("是")).otherwise(pl.lit("否")),
        item=pl.when(aided).then(pl.lit("国家助学金")),
        gname=pl.when(guarded).then("head_name"),
        gid=pl.when(guarded).then("head_id"),
    )


def family_doctor(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Signed this year, and a few holders whose contract is last year's."""
    last_year = (
        pl.lit(world.rolls(people).chance("doctor last year", 0.05)) & pl.col("holder") & ~pl.col("dead")
    )
    frame = people.with_columns(lapsed=last_year & ~pl.col("has_family_doctor"))
    frame = frame.filter(pl.col("has_family_doctor") | pl.col("lapsed"))
    year = pl.lit(world.as_of.year, dtype=pl.Int64) - pl.col("lapsed").cast(pl.Int64)
    return frame.with_columns(
        year=year,
        org=pl.col("town") + "卫生院",
        kind=pl.when(pl.col("holder")).then(pl.lit("残疾人")).otherwise(pl.lit("一般人群")),
    )
