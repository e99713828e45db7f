"""Households and the people in them: place, family role, birth, sex, name, ID number. A chunk of households a call."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from pipeline.sample import words
from pipeline.sample.alike import alike_names, as_sibling, of_one_day, twins
from pipeline.sample.dice import Rolls
from pipeline.sample.id_numbers import SCATTERED, IdMaker
from pipeline.sample.world import World, age_on

# Household kinds: alone, couple, parents and children, three generations, grandparents with grandchildren, elder with grown child.
_KINDS = (0.12, 0.20, 0.32, 0.20, 0.06, 0.10)
_HEAD_FROM = pl.Series([25.0, 25.0, 27.0, 28.0, 55.0, 60.0])
_HEAD_SPAN = pl.Series([67.0, 60.0, 25.0, 27.0, 23.0, 28.0])
_SLOTS = 8  # keys: household * 8 + place in it
_YEAR = 365.25


def chunks(world: World, households: int) -> Iterator[pl.DataFrame]:
    """Frames of whole households, in order, `world.people` people in all (the last household may be cut)."""
    # Twins are registered one after the other: their numbers follow each other.
    maker = IdMaker(world.seed, world.county_codes, step=1 if world.trouble.twins else SCATTERED)
    done, first = 0, 0
    while done < world.people:
        members = _members(world, first, first + households).head(world.people - done)
        members = members.with_columns(person=pl.int_range(done, done + members.height, eager=True))
        yield _named(world, members, maker)
        done += members.height
        first += households


def _members(world: World, first: int, last: int) -> pl.DataFrame:
    """One row a member: household `h`, `slot`, `key`, and the household's own draws."""
    house = _households(world, first, last)
    sizes = 1 + house["spouses"] + house["children"] + house["parents"] + house["grandchildren"]
    slots = house.with_columns(slot=pl.int_ranges(0, sizes)).explode("slot")
    spouse = pl.col("spouses")
    child = spouse + pl.col("children")
    parent = child + pl.col("parents")
    role = (
        pl.when(pl.col("slot") == 0)
        .then(pl.lit("户主"))
        .when(pl.col("slot") <= spouse)
        .then(pl.lit("配偶"))
        .when(pl.col("slot") <= child)
        .then(pl.lit("子女"))
        .when(pl.col("slot") <= parent)
        .then(pl.lit("父母"))
        .otherwise(pl.lit("孙子女"))
    )
    key = (pl.col("h") * _SLOTS + pl.col("slot")).cast(pl.UInt64)
    return slots.with_columns(role=role, key=key, size=1 + parent + pl.col("grandchildren"))


def _households(world: World, first: int, last: int) -> pl.DataFrame:
    h = pl.int_range(first, last, eager=True).alias("h")
    roll = Rolls(world.seed, h)
    kind = roll.pick("kind", _KINDS)
    county = roll.pick("county", [weight for _, _, weight in words.COUNTIES[: world.counties]])
    town, village = roll.below("town", len(words.TOWNS)), roll.below("village", len(words.VILLAGES))
    paired = pl.Series([0.0, 1.0, 0.88, 0.94, 0.6, 0.0]).gather(kind)
    kids = pl.Series([0, 0, 1, 1, 0, 1]).gather(kind)
    more = kids * (kind < 5).cast(pl.Int64)
    elders = (kind == 3).cast(pl.Int64)
    grand = (kind == 4).cast(pl.Int64)
    place = pl.Series([code for code, _, _ in words.COUNTIES]).gather(county)
    return pl.DataFrame(
        {
            "h": h,
            "kind": kind,
            "county_index": county,
            "county": place,
            "county_name": pl.Series([name for _, name, _ in words.COUNTIES]).gather(county),
            "town": pl.Series(words.TOWNS).gather(town),
            "village": pl.Series(words.VILLAGES).gather(village),
            "area": place + (100 + town).cast(pl.String) + (200 + village).cast(pl.String),
            "rural": roll.uniform("hukou") < pl.Series([0.7, 0.7, 0.78, 0.84, 0.9, 0.84]).gather(kind),
            "eth": roll.pick("ethnic", _ethnic_shares(world)),
            "family_name": roll.below("family name", 10_000),
            "spouses": (roll.uniform("paired") < paired).cast(pl.Int64),
            "children": kids
            + more * roll.pick("children", (0.5, 0.4, 0.1)) * (1 - elders)
            + elders * roll.pick("children", (0.6, 0.4)),
            "parents": elders * (1 + roll.pick("parents", (0.6, 0.4))),
            "grandchildren": grand * (1 + roll.pick("grandchildren", (0.6, 0.4))),
            "head_days": (
                (_HEAD_FROM.gather(kind) + _HEAD_SPAN.gather(kind) * roll.uniform("head age") ** 0.8) * _YEAR
            ),
        }
    )


def _ethnic_shares(world: World) -> tuple[float, float, float]:
    """Han, Tibetan, Yi families. Names of the last two are transliterated."""
    share = world.trouble.transliterated
    return (0.50, 0.35, 0.15) if share is None else (1 - share, 0.7 * share, 0.3 * share)


def _days_old(members: pl.DataFrame, roll: Rolls) -> pl.Series:
    """How many days ago everybody was born, from the head's age and the family role."""
    spread = roll.uniform("age")
    frame = members.select("role", "kind", "head_days").with_columns(
        u=spread, small=roll.uniform("small age")
    )
    head, u, small = pl.col("head_days"), pl.col("u"), pl.col("small")
    days = (
        pl.when(pl.col("role") == "户主")
        .then(head)
        .when(pl.col("role") == "配偶")
        .then(pl.max_horizontal(head + (u - 0.5) * 8 * _YEAR, pl.lit(20 * _YEAR)))
        .when(pl.col("role") == "父母")
        .then(pl.min_horizontal(head + (20 + 10 * u) * _YEAR, (96 + small) * _YEAR))
        .when(pl.col("role") == "子女")
        .then(head - (20 + 15 * u) * _YEAR)
        .otherwise(head - (42 + 15 * u) * _YEAR)
    )
    young = pl.when(days < 30).then(30 + small * 7 * _YEAR).otherwise(days)
    return frame.select(young.cast(pl.Int64)).to_series()


def _named(world: World, members: pl.DataFrame, maker: IdMaker) -> pl.DataFrame:
    """Adds birth, age, sex, name, id, and the head's name and ID on every member's row."""
    roll = world.rolls(members)
    head_male = Rolls(world.seed, members["h"]).chance("head male", 0.66)
    sexes = pl.DataFrame(
        {"role": members["role"], "slot": members["slot"], "head": head_male, "u": roll.chance("sex", 0.51)}
    )
    male = sexes.select(
        pl.when(pl.col("role") == "户主")
        .then(pl.col("head"))
        .when(pl.col("role") == "配偶")
        .then(~pl.col("head"))
        .when(pl.col("role") == "父母")
        .then(pl.col("slot") % 2 == 0)
        .otherwise(pl.col("u"))
    ).to_series()
    twin = twins(world, members)
    male = as_sibling(male, twin)
    days = of_one_day(world, members, _days_old(members, roll))
    members = members.with_columns(male=male, days=days)
    members = members.with_columns(birth=pl.lit(world.as_of) - pl.duration(days=pl.col("days")))
    members = members.with_columns(age=age_on(world.as_of), school_age=age_on(world.school_day))
    elsewhere = (members["county_index"] + roll.below("birth county", world.counties)) % world.counties
    born_in = as_sibling(elsewhere.zip_with(roll.chance("moved", 0.1), members["county_index"]), twin)
    members = members.with_columns(
        id=maker.numbers(born_in, members["birth"], male),
        name=alike_names(world, members, _names(members, roll)),
        sex=pl.when(pl.col("male")).then(pl.lit("男")).otherwise(pl.lit("女")),
    )
    of_head = [
        pl.when(pl.col("slot") == 0).then(pl.col(column)).forward_fill().alias(f"head_{column}")
        for column in ("name", "id")
    ]
    return members.drop("head_days", "days").with_columns(of_head)


def _names(members: pl.DataFrame, roll: Rolls) -> pl.Series:
    """Names by ethnic group; children carry the family's surname."""
    own = members["role"].is_in(["配偶"]) | ((members["role"] == "父母") & ~members["male"])
    family = roll.below("own surname", 10_000).zip_with(own, members["family_name"])
    surname = pl.Series(words.SURNAMES).gather(family % len(words.SURNAMES))
    first = roll.word("given 1 m", words.GIVEN_MALE).zip_with(
        members["male"], roll.word("given 1 f", words.GIVEN_FEMALE)
    )
    second = roll.word("given 2 m", words.GIVEN_MALE).zip_with(
        members["male"], roll.word("given 2 f", words.GIVEN_FEMALE)
    )
    second = roll.word("rare", words.RARE).zip_with(roll.chance("is rare", 0.006), second)
    nothing = pl.repeat("", members.height, eager=True)
    second = second.zip_with(roll.chance("two characters", 0.75), nothing)
    tibetan = roll.word("word 1", words.TIBETAN) + roll.word("word 2", words.TIBETAN).zip_with(
        roll.chance("two words", 0.75), nothing
    )
    clan = pl.Series(words.YI_CLANS).gather(family % len(words.YI_CLANS))
    dot = pl.repeat("·", members.height, eager=True).zip_with(roll.chance("dot", 0.4), nothing)
    yi = clan + dot + roll.word("yi given", words.YI_GIVEN)
    named = tibetan.zip_with(members["eth"] == 1, surname + first + second)
    return yi.zip_with(members["eth"] == 2, named).alias("name")
