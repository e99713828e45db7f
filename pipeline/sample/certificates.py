"""Who holds a certificate, and what stands on it (handbook E: mix of category, level, age, state, validity)."""

from __future__ import annotations

import polars as pl

from pipeline.sample.world import World, months_later

# Relative chance of a certificate by age; its population mean, measured on a million generated people.
_BY_AGE = ((7, 0.20), (16, 0.27), (45, 0.62), (60, 1.05), (200, 1.95))
_MEAN_WEIGHT = 0.953
_CATEGORIES = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")
_CATEGORY_MIX = (10.5, 9.5, 1.5, 56.5, 9.0, 10.5, 4.5)
_LEVEL_MIX = (13, 30, 26, 31)
_STATES = {"正常": 0.938, "过期": 0.032, "冻结": 0.011, "迁出": 0.010, "注销": 0.009}
_LAPSED_UNNOTICED = 0.006  # state still 正常, validity over


def with_certificates(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Adds dead/died, holder, cat, level, cert, issued, until, state, and `valid`: a valid certificate in hand."""
    people = _with_deaths(world, people)
    roll = world.rolls(people)
    weight = pl.lit(_BY_AGE[-1][1])
    for below, value in reversed(_BY_AGE[:-1]):
        weight = pl.when(pl.col("age") < below).then(value).otherwise(weight)
    chance = people.select(weight * world.register_share / _MEAN_WEIGHT).to_series()
    category = roll.pick("category", _CATEGORY_MIX)
    level = 1 + roll.pick("level", _LEVEL_MIX)
    reissued = roll.chance("reissued", 0.03)
    suffix = ("B" + (1 + roll.pick("reissue", (80, 15, 5))).cast(pl.String)).zip_with(
        reissued, pl.repeat("", people.height, eager=True)
    )
    people = people.with_columns(
        holder=roll.uniform("holder") < chance,
        category=pl.Series(_CATEGORIES).gather(category),
        level_drawn=level,
        number=people["id"] + (1 + category).cast(pl.String) + level.cast(pl.String) + suffix,
        state_drawn=roll.weighted("certificate state", _STATES),
        u_issued=roll.uniform("issued"),
        lapsed=roll.chance("lapsed", _LAPSED_UNNOTICED),
        day_less=roll.below("day less", 2),
    )
    return _dated(world, people)


def _with_deaths(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """0.4 % died in the last two years, mostly the old."""
    roll = world.rolls(people)
    chance = pl.when(pl.col("age") >= 70).then(0.016).when(pl.col("age") >= 50).then(0.005).otherwise(0.0008)
    people = people.with_columns(
        dead=pl.lit(roll.uniform("dead")) < chance,
        died=pl.lit(world.as_of) - pl.duration(days=pl.lit(roll.below("died", 720)) + 5),
    )
    return people.with_columns(dead=pl.col("dead") & (pl.col("birth") < pl.col("died")))


def _dated(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Issued in the last ten years of life, valid for ten; the expired ran out in the last two years."""
    as_of, holder = pl.lit(world.as_of), pl.col("holder")
    lived = (as_of - pl.col("birth")).dt.total_days()
    state = pl.when(pl.col("dead")).then(pl.lit("正常")).otherwise(pl.col("state_drawn"))
    past = (pl.col("age") > 12) & (
        (state == "过期") | (pl.col("lapsed") & (state == "正常") & ~pl.col("dead"))
    )
    # An infant's certificate cannot have run out: its state is 正常.
    state = pl.when((state == "过期") & (pl.col("age") <= 12)).then(pl.lit("正常")).otherwise(state)
    alive_span = pl.min_horizontal(lived - 20, pl.lit(3640))
    back = pl.when(past).then(3655 + pl.col("u_issued") * 700).otherwise(pl.col("u_issued") * alive_span)
    people = people.with_columns(issued=as_of - pl.duration(days=back.cast(pl.Int64)), state=state)
    until = pl.col("issued").dt.offset_by("10y") - pl.duration(days=pl.col("day_less"))
    people = people.with_columns(until=until)
    only = {
        "cat": "category",
        "level": "level_drawn",
        "cert": "number",
        "state": "state",
        "issued": "issued",
        "until": "until",
    }
    people = people.with_columns(
        [pl.when(holder).then(pl.col(source)).alias(name) for name, source in only.items()]
    )
    valid = holder & (pl.col("state") == "正常") & (pl.col("until") >= as_of) & ~pl.col("dead")
    return people.drop(
        "category", "level_drawn", "number", "state_drawn", "u_issued", "lapsed", "day_less"
    ).with_columns(
        valid=valid.fill_null(False),
        severe=(pl.col("level") <= 2).fill_null(False),
        mental=pl.col("cat").is_in(["智力", "精神"]).fill_null(False),
        lapses_in=pl.when(holder & ~pl.col("dead") & pl.col("state").is_in(["正常", "过期"])).then(
            pl.when(pl.col("until") < as_of)
            .then(pl.lit("certificate_expired"))
            .when(pl.col("until") <= months_later(world.as_of, 1))
            .then(pl.lit("certificate_expires_1_month"))
            .when(pl.col("until") <= months_later(world.as_of, 6))
            .then(pl.lit("certificate_expires_6_months"))
        ),
    )
