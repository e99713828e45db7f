"""People who are hard to tell apart, where a world is asked for them: homonyms, twins, siblings, one birthday a family."""

from __future__ import annotations

import polars as pl

from pipeline.sample import words
from pipeline.sample.dice import Rolls
from pipeline.sample.world import World

_ENDS_HAN_MALE, _ENDS_HAN_FEMALE = "强华军斌荣贵春福柏忠涛浩星", "秀英珍梅兰香菊凤艳霞娟琴婷佳静月"
_ENDS_TIBETAN, _ENDS_YI = "嘎吉批登珠金宗培久主次杰", "呷古各布铁支果且子"


def of_one_day(world: World, members: pl.DataFrame, days: pl.Series) -> pl.Series:
    """Ages in days: in the families asked for, couples are born on one day and children on one day; twins always."""
    house = Rolls(world.seed, members["h"])
    generation = pl.col("role").replace({"配偶": "户主"})
    frame = members.with_columns(
        days=days, together=house.chance("one birthday", world.trouble.same_day), twin=twins(world, members)
    )
    frame = frame.with_columns(first=pl.col("days").first().over("h", generation))
    frame = frame.with_columns(days=pl.when("together").then("first").otherwise("days"))
    return as_sibling(frame["days"], frame["twin"])


def twins(world: World, members: pl.DataFrame) -> pl.Series:
    """Second children who are the first's twin; the first stands on the row before."""
    second = members.select((pl.col("children") >= 2) & (pl.col("slot") == pl.col("spouses") + 2)).to_series()
    return second & Rolls(world.seed, members["h"]).chance("twins", world.trouble.twins)


def as_sibling(values: pl.Series, twin: pl.Series) -> pl.Series:
    """The row before's value for a twin."""
    return values.shift(1).zip_with(twin, values)


def alike_names(world: World, members: pl.DataFrame, names: pl.Series) -> pl.Series:
    """Names after homonyms, siblings that differ in the last part only, and twins that differ in one character."""
    roll = world.rolls(members)
    names = _common(members, roll).zip_with(roll.chance("homonym", world.trouble.homonyms), names)
    names = _of_siblings(world, members, names)
    return _of_twins(world, members, names)


def _common(members: pl.DataFrame, roll: Rolls) -> pl.Series:
    """One of the commonest names of the person's people and sex."""
    clan = roll.word("common clan", words.YI_CLANS[:3])
    man, woman = words.COMMON_NAMES
    by_people = [
        roll.word(f"common {people} m", man[people]).zip_with(
            members["male"], roll.word(f"common {people} f", woman[people])
        )
        for people in range(3)
    ]
    by_people[2] = clan + by_people[2]
    frame = pl.DataFrame({"eth": members["eth"], "a": by_people[0], "b": by_people[1], "c": by_people[2]})
    eth = pl.col("eth")
    return frame.select(
        pl.when(eth == 0).then("a").when(eth == 1).then("b").otherwise("c").alias("name")
    ).to_series()


def _of_siblings(world: World, members: pl.DataFrame, names: pl.Series) -> pl.Series:
    """Surname (or word, or clan) and one family syllable, then the child's own last part."""
    house, roll = Rolls(world.seed, members["h"]), world.rolls(members)
    asked = house.chance("siblings", world.trouble.siblings) & (members["role"] == "子女")
    man, woman = list(_ENDS_HAN_MALE), list(_ENDS_HAN_FEMALE)
    own = roll.word("sibling m", man).zip_with(members["male"], roll.word("sibling f", woman))
    surname = pl.Series(words.SURNAMES).gather(members["family_name"] % len(words.SURNAMES))
    han = surname + house.word("generation", words.GIVEN_MALE) + own
    tibetan = house.word("family word", words.TIBETAN) + roll.word("word 2", words.TIBETAN)
    frame = pl.DataFrame({"asked": asked, "eth": members["eth"], "han": han, "tib": tibetan, "name": names})
    eth = pl.col("eth")
    alike = pl.when(eth == 0).then("han").when(eth == 1).then("tib").otherwise("name")
    return frame.select(pl.when("asked").then(alike).otherwise("name").alias("name")).to_series()


def _of_twins(world: World, members: pl.DataFrame, names: pl.Series) -> pl.Series:
    """The sibling's name with one other character at the end: never one that is only another way of writing it."""
    at = twins(world, members).arg_true()
    if not len(at):
        return names
    few = members[at]
    dice = world.rolls(few).below("twin name", 10**6)
    cells = [
        other_twin(first, eth, male, r)
        for first, eth, male, r in zip(names.gather(at - 1), few["eth"], few["male"], dice, strict=True)
    ]
    return names.clone().scatter(at, pl.Series(cells, dtype=pl.String))


def other_twin(first: str, eth: int, male: bool, r: int) -> str:
    """A name that differs from the sibling's in its last character."""
    ends = (_ENDS_HAN_MALE if male else _ENDS_HAN_FEMALE, _ENDS_TIBETAN, _ENDS_YI)[eth]
    variants = {words.CHARACTER_SLIPS.get(first[-1], ""), words.WORD_SLIPS.get(first[-2:], " ")[-1]}
    others = [end for end in ends if end != first[-1] and end not in variants]
    return first[:-1] + others[r % len(others)]
