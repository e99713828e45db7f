"""What is true of every person before any entitlement: support, schooling, work, insurance, pension, housing."""

from __future__ import annotations

import polars as pl

from pipeline.sample.dice import Rolls
from pipeline.sample.world import World

_STAGES = (
    (3, 6, "学前", 0.72),
    (6, 12, "小学", 0.995),
    (12, 15, "初中", 0.985),
    (15, 18, "高中", 0.78),
    (18, 22, "大学", 0.34),
)


def with_status(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Adds the family's support (dibao, margin, monitored, house) and the person's own (tekun, orphan, school, …)."""
    people = _families(world, people)
    people = _support(world, people)
    people = _school_and_work(world, people)
    people = _insurance(world, people)
    return _pension(world, people)


def _families(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Family draws, the likelier where somebody holds a certificate. A tekun person lives alone."""
    roll, house = world.rolls(people), Rolls(world.seed, people["h"])
    people = people.with_columns(
        with_holder=pl.col("holder").any().over("h"),
        support=house.uniform("support"),
        stopped=house.chance("dibao stopped", 0.035),
        is_monitored=house.uniform("monitored"),
        cleared=house.chance("risk cleared", 0.15),
        house_listed=house.uniform("house listed"),
        grade_drawn=house.weighted("grade", {"A": 0.34, "B": 0.19, "C": 0.31, "D": 0.16}),
        built=house.uniform("built"),
        tekun_drawn=roll.uniform("tekun"),
        tekun_way=roll.weighted("tekun way", {"分散供养": 0.77, "集中供养": 0.23}),
    )
    people = people.with_columns(of_holder=pl.when(pl.col("with_holder")).then(1.0).otherwise(0.0))
    single = (pl.col("size") == 1) & ~pl.col("dead") & ((pl.col("age") >= 60) | pl.col("holder"))
    way = pl.when(single & (pl.col("tekun_drawn") < 0.3 + 0.4 * pl.col("of_holder"))).then(
        pl.col("tekun_way")
    )
    people = people.with_columns(tekun=way)
    dibao = pl.lit(0.05) + 0.17 * pl.col("of_holder")
    margin = dibao + 0.018 + 0.08 * pl.col("of_holder")
    family = pl.col("tekun").is_null()
    return people.with_columns(
        dibao_family=family & (pl.col("support") < dibao),
        margin=family & (pl.col("support") >= dibao) & (pl.col("support") < margin),
        monitored=pl.when(
            pl.col("rural") & (pl.col("is_monitored") < 0.04 + 0.04 * pl.col("of_holder"))
        ).then(pl.when(pl.col("cleared")).then(pl.lit("是")).otherwise(pl.lit("否"))),
        grade=pl.when(pl.col("rural") & (pl.col("house_listed") < 0.11 + 0.17 * pl.col("of_holder"))).then(
            "grade_drawn"
        ),
    ).drop("support", "is_monitored", "cleared", "house_listed", "grade_drawn", "tekun_drawn", "tekun_way")


def _support(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Orphan support, work-injury care, the one-person dibao of a marginal family's member, and hardship."""
    roll = world.rolls(people)
    people = people.with_columns(
        u_orphan=roll.uniform("orphan"), u_injury=roll.uniform("injury"), single=roll.uniform("single dibao")
    )
    child, working = pl.col("age") < 18, pl.col("age").is_between(20, 62)
    boost = 1.0 + 7.0 * pl.col("holder").cast(pl.Float64)
    entitled = (
        pl.col("margin") & pl.col("valid") & (pl.col("severe") | (pl.col("mental") & (pl.col("level") == 3)))
    )
    people = people.with_columns(
        orphan=child & ~pl.col("dead") & (pl.col("u_orphan") < 0.004 * boost),
        injury=working & ~pl.col("dead") & (pl.col("u_injury") < 0.0004 * boost),
        due_single_person_dibao=entitled.fill_null(False),
    )
    people = people.with_columns(single_dibao=pl.col("due_single_person_dibao") & (pl.col("single") < 0.7))
    people = people.with_columns(
        dibao=(pl.col("dibao_family") & ~pl.col("stopped")) | pl.col("single_dibao"),
        at_risk=(pl.col("monitored") == "否").fill_null(False),
        in_tekun=pl.col("tekun").is_not_null(),
    )
    scattered = (pl.col("tekun") == "分散供养").fill_null(False)
    hardship = pl.col("dibao") | pl.col("margin") | pl.col("at_risk") | scattered
    return people.with_columns(hardship=hardship).drop("u_orphan", "u_injury", "single")


def _school_and_work(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """School stage by school age (disabled children are missed more often), work of those not at school."""
    roll = world.rolls(people)
    people = people.with_columns(u_school=roll.uniform("school"), u_work=roll.uniform("work"))
    stage = pl.lit(None, dtype=pl.String)
    for first, last, name, share in _STAGES:
        held = 0.93 if 6 <= first < 15 else share * 0.7
        chance = pl.when(pl.col("holder")).then(held).otherwise(share)
        here = (
            pl.col("school_age").is_between(first, last - 1) & (pl.col("u_school") < chance) & ~pl.col("dead")
        )
        stage = pl.when(here).then(pl.lit(name)).otherwise(stage)
    people = people.with_columns(stage=stage).with_columns(student=stage.is_not_null())
    kind = roll.weighted("work kind", {"单位就业": 0.64, "灵活就业": 0.2, "公益性岗位": 0.16})
    able = pl.col("age").is_between(16, 60) & ~pl.col("student")
    chance = pl.when(pl.col("holder")).then(0.13).otherwise(0.33)
    people = people.with_columns(work=pl.when(able & (pl.col("u_work") < chance)).then(pl.lit(kind)))
    return people.with_columns(employee=(pl.col("work") == "单位就业").fill_null(False)).drop(
        "u_school", "u_work"
    )


def _insurance(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Medical insurance: 97.5 % insured now; of the others half are on the list with a paused or an old row."""
    roll = world.rolls(people)
    now = roll.chance("insured", 0.975)
    lapse = roll.weighted("insurance lapse", {"none": 0.5, "暂停参保": 0.17, "终止参保": 0.13, "old": 0.2})
    ended = roll.chance("insurance ended", 0.6)
    year = world.as_of.year
    people = people.with_columns(now=now, lapse=lapse, ended=ended, years=1 + roll.below("old year", 2))
    state = (
        pl.when(pl.col("dead") & pl.col("ended"))
        .then(pl.lit("终止参保"))
        .when(pl.col("now") | (pl.col("lapse") == "old"))
        .then(pl.lit("正常参保"))
        .when(pl.col("lapse") != "none")
        .then(pl.col("lapse"))
    )
    old = ~pl.col("now") & (pl.col("lapse") == "old")
    people = people.with_columns(
        med_state=state,
        med_year=pl.when(old).then(year - pl.col("years")).otherwise(pl.lit(year, dtype=pl.Int64)),
        med_kind=pl.when(pl.col("employee")).then(pl.lit("职工")).otherwise(pl.lit("居民")),
    )
    insured = (pl.col("med_state") == "正常参保") & (pl.col("med_year") == year)
    people = people.with_columns(insured=insured.fill_null(False))
    return people.with_columns(resident=pl.col("insured") & (pl.col("med_kind") == "居民")).drop(
        "now", "lapse", "ended", "years"
    )


def _pension(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Pension rows of those from 16 on: resident or employee, paying, paused or drawing."""
    roll = world.rolls(people)
    people = people.with_columns(
        u_pension=roll.uniform("pension"),
        paused=roll.chance("pension paused", 0.03),
        unpaid=roll.chance("not drawing", 0.04),
    )
    age = pl.col("age")
    chance = pl.when(pl.col("student")).then(0.04).when(age >= 60).then(0.97).otherwise(0.88)
    has = (age >= 16) & (pl.col("u_pension") < chance)
    old_employee = (age >= 60) & (pl.col("key") % 9 == 0)
    kind = pl.when(pl.col("employee") | old_employee).then(pl.lit("职工")).otherwise(pl.lit("居民"))
    drawing = (age >= 60) & ~(pl.col("unpaid") & (kind == "居民"))
    state = (
        pl.when(drawing)
        .then(pl.lit("待遇领取"))
        .when(pl.col("paused"))
        .then(pl.lit("暂停缴费"))
        .otherwise(pl.lit("正常缴费"))
    )
    people = people.with_columns(
        pension=pl.when(has).then(kind), pension_state=pl.when(has).then(state)
    ).with_columns(resident_pension=(pl.col("pension") == "居民").fill_null(False))
    return people.drop("u_pension", "paused", "unpaid")
