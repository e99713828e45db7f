"""Lists of certificate holders: the federation's three, the subsidies and their payments, renovation, assessments."""

from __future__ import annotations

from datetime import date

import polars as pl

from pipeline.sample.world import World, months_later

_MONTHS_PAID = 3
SUBSIDY_FEN = 9000


def days_before(world: World, days: pl.Series) -> pl.Expr:
    """The as-of date minus so many days, never before the person's birth."""
    return pl.max_horizontal(pl.lit(world.as_of) - pl.duration(days=pl.lit(days)), pl.col("birth"))


def month_of(day: pl.Expr) -> pl.Expr:
    return day.dt.truncate("1mo")


def bank_number(world: World, frame: pl.DataFrame) -> pl.Series:
    """19 digits that no card carries (cards begin with 62), the same for a person in every list."""
    return "99" + (10**16 + world.rolls(frame).below("bank", 9 * 10**16)).cast(pl.String)


def register(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Every holder, the dead and cancelled included; a guardian for children and the mentally ill."""
    frame = people.filter("holder")
    roll = world.rolls(frame)
    guarded = (pl.col("slot") > 0) & (
        (pl.col("age") < 18) | (pl.col("mental") & pl.lit(roll.chance("guarded", 0.8)))
    )
    group = pl.lit(1 + roll.below("group", 9)).cast(pl.String)
    return frame.with_columns(
        eth=pl.Series(["汉族", "藏族", "彝族"]).gather(frame["eth"]),
        dob="birth",
        hukou=pl.when(pl.col("rural")).then(pl.lit("农业")).otherwise(pl.lit("非农业")),
        addr=address() + group + "组",
        gname=pl.when(guarded).then("head_name"),
        gid=pl.when(guarded).then("head_id"),
        grel=pl.when(guarded).then(pl.lit("户主")).otherwise(pl.lit("无")),
        phone="12" + (10**8 + roll.below("phone", 9 * 10**8)).cast(pl.String),
    )


def address() -> pl.Expr:
    """示例州, county, township, village."""
    return "示例州" + pl.col("county_name") + pl.col("town") + pl.col("village")


def services(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Rehabilitation and day care of the last twelve months (and older ones of others), training."""
    frame = people.filter(pl.col("holder") & ~pl.col("dead"))
    roll = world.rolls(frame)
    recent, older = roll.below("served", 360), 400 + roll.below("served before", 300)
    frame = frame.with_columns(
        old_rehab=roll.chance("old rehab", 0.06),
        trained=roll.chance("trained", 0.07),
        days=recent,
        older=older,
    )
    rehab = ("康复", ["康复训练", "药物治疗", "辅具适配"], "县残疾人康复中心", (80_000, 120_000, 1_200_000))
    care = ("托养", ["居家托养", "日间照料", "阳光家园计划"], "县托养服务中心", (150_000, 150_000, 150_000))
    course = ("培训", ["农村实用技术培训"] * 3, "县残联", (0, 0, 0))
    sources = (
        (pl.col("has_child_rehabilitation"), rehab, "days"),
        (~pl.col("has_child_rehabilitation") & pl.col("old_rehab"), rehab, "older"),
        (pl.col("has_day_care"), care, "days"),
        (pl.col("trained") & pl.col("age").is_between(16, 59), course, "days"),
    )
    parts = []
    for place, (wanted, (kind, items, org, amounts), days) in enumerate(sources):
        when = pl.lit(world.as_of) - pl.duration(days=pl.col(days))
        # A baby's first services are never before its birth; an older child had the earlier ones.
        part = frame.filter(wanted & ((when > pl.col("birth")) | (pl.lit(days) == "days")))
        item = world.rolls(part).below(f"item {kind}", 3)
        parts.append(
            part.with_columns(
                kind=pl.lit(kind),
                item=pl.Series(items, dtype=pl.String).gather(item),
                org=pl.lit(org),
                on=pl.max_horizontal(when, pl.col("birth")),
                amount=pl.Series(amounts, dtype=pl.Int64).gather(item),
                _key=pl.col("key") * 8 + place,
            )
        )
    return pl.concat(parts).sort("person", "_key")


def needs_survey(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """92 % of the living holders, surveyed in the four months before."""
    frame = people.filter(pl.col("holder") & ~pl.col("dead"))
    frame = frame.filter(world.rolls(frame).chance("surveyed", 0.92))
    roll = world.rolls(frame)
    shares = {"willing": 0.09, "train": 0.18, "access": 0.25, "care": 0.05}
    wishes = [
        _yes_no(pl.lit(roll.chance(f"wish {name}", share))).alias(name) for name, share in shares.items()
    ]
    working = pl.col("work").is_not_null()
    employed = pl.when(working).then(pl.lit("已就业")).otherwise(pl.lit("未就业"))
    return frame.with_columns(wishes).with_columns(
        employed=employed, on=days_before(world, 20 + roll.below("surveyed on", 110))
    )


def _yes_no(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(pl.lit("是")).otherwise(pl.lit("否"))


def two_subsidies(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """A row a subsidy: 正常 where it is paid, 停发 with its month for some of the dead and of those it was cut off from."""
    parts = []
    for place, (kind, which) in enumerate((("生活补贴", "living"), ("护理补贴", "nursing"))):
        frame = people.filter("holder")
        stopped = pl.lit(world.rolls(frame).uniform(f"stopped {which}"))
        ended = pl.col(f"would_{which}") & (stopped < pl.when(pl.col("dead")).then(0.7).otherwise(0.2))
        frame = frame.with_columns(paid=pl.col(f"has_{which}_subsidy"), ended=ended)
        frame = frame.filter(pl.col("paid") | pl.col("ended"))
        roll = world.rolls(frame)
        back = roll.below(f"stop {which}", 300)
        state = pl.when(pl.col("paid")).then(pl.lit("正常")).otherwise(pl.lit("停发"))
        stop = pl.when(~pl.col("paid")).then(month_of(days_before(world, 30 + back)))
        start = month_of(days_before(world, 400 + roll.below(f"start {which}", 1300)))
        parts.append(
            frame.with_columns(
                kind=pl.lit(kind),
                amount=pl.lit(SUBSIDY_FEN, dtype=pl.Int64),
                state=state,
                start=pl.min_horizontal(start, month_of(pl.col("issued")).fill_null(start)),
                stop=stop,
                bank=bank_number(world, frame),
                _cert="cert",
                cert=pl.when(pl.lit(roll.chance(f"with cert {which}", 0.95))).then("cert"),
                _key=pl.col("key") * 8 + place,
            )
        )
    return pl.concat(parts).sort("person", "_key")


def payments(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Three months of every 正常 row; `failed` people's all three came back, a few others' one."""
    paid = two_subsidies(world, people).filter(pl.col("state") == "正常")
    frame = with_failure(world, paid)
    parts = []
    for back in range(1, _MONTHS_PAID + 1):
        month = months_later(date(world.as_of.year, world.as_of.month, 1), -back)
        once = pl.lit(world.rolls(frame, "_key").chance("failed once", 0.006)) & (pl.lit(back) == 2)
        state = pl.when(pl.col("failed") | once).then(pl.lit("失败")).otherwise(pl.lit("成功"))
        parts.append(
            frame.with_columns(item="kind", month=pl.lit(month), state=state, _key=pl.col("_key") * 8 + back)
        )
    return pl.concat(parts).sort("person", "_key")


def with_failure(world: World, paid: pl.DataFrame) -> pl.DataFrame:
    """`failed`: no payment of this row arrived. Only where the certificate is in order."""
    failed = world.rolls(paid, "_key").chance("payment failed", 0.02)
    return paid.with_columns(failed=pl.lit(failed) & pl.col("valid"))


def accessibility(world: World, people: pl.DataFrame) -> pl.DataFrame:
    frame = people.filter("has_accessibility_renovation")
    roll = world.rolls(frame)
    items = ["低位灶台", "卫生间改造", "坡道、扶手", "闪光门铃"]
    return frame.with_columns(
        _cert="cert",
        cert=pl.when(pl.lit(roll.chance("with cert", 0.95))).then("cert"),
        year=world.as_of.year - roll.below("renovated", 4),
        item=roll.word("renovation", items),
        state=pl.lit("已验收"),
    )


def assessed_without_certificate(world: World, people: pl.DataFrame) -> pl.Series:
    """People assessed with a level whose certificate was never issued (0.85 % of the others)."""
    roll = world.rolls(people)
    return people.select(
        ~pl.col("holder") & ~pl.col("dead") & pl.lit(roll.chance("not issued", 0.0085))
    ).to_series()


def assessments(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Nearly every holder's assessment, and those of people who never got a certificate."""
    outside = assessed_without_certificate(world, people)
    kept = people.select(
        pl.col("holder") & pl.lit(world.rolls(people).chance("assessment kept", 0.97))
    ).to_series()
    frame = people.filter(outside | kept)
    roll = world.rolls(frame)
    cats = {"视力": 10.0, "听力": 10.0, "言语": 2.0, "肢体": 55.0, "智力": 9.0, "精神": 10.0, "多重": 4.0}
    return frame.with_columns(
        cat=pl.col("cat").fill_null(pl.lit(roll.weighted("assessed", cats))),
        level=pl.col("level").fill_null(1 + pl.lit(roll.pick("assessed level", (13, 30, 26, 31)))),
        on=pl.coalesce("issued", days_before(world, 30 + roll.below("assessed on", 900))),
        org=pl.lit("县人民医院"),
    )
