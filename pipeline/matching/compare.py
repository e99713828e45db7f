"""Comparison: how a row and a register person agree, as one level in each of five fields.

Identity number, birth date and sex are one field: the number contains the other two, and taking them for independent is
what makes brothers and neighbours look alike. Region and household are not in it. The fields are derived so that, for
two people who are not one, agreement in one says nothing about the others (Fellegi & Sunter 1969, section 3.4).

Text comparisons run over distinct values; the rest are column expressions.
"""

from __future__ import annotations

import polars as pl

from pipeline.identity.name_compare import NOTHING, PLAIN
from pipeline.identity.person_name import Evidence, compare_pairs, frequency
from pipeline.matching.compare_identity import identity_level, number_agreement
from pipeline.matching.townships import same_township, townships

_NEAR = 0.7  # from this score on every part of the name agrees in a way that writing explains
_SPELLED = Evidence.SPELLING.value  # another transliteration of the same words: no chance likeness of sounds
_MANY = 20.0  # so many other names of people sound, look or are cut like a given one
_FEW = 3.0  # so many spellings of the same words


def levels(pairs: pl.DataFrame) -> pl.DataFrame:
    """The comparison level of every field, and `name_u`, the chance that another person's name would agree as well.

    `pairs`: prepared rows (r_*) beside person features (p_*), one line a pair. Returns identity, name, place,
    relation, disability (String), name_u and identity_u (Float64), in the order of `pairs`.
    """
    names = _names(pairs)
    numbers = number_agreement(pairs)
    frame = pairs.with_columns(
        numbers.alias("agreement"),
        names["name"],
        names["name_u"],
        _guardian_himself(pairs).alias("himself"),
        townships(pairs["r_address"], pairs["r_county"]).alias("r_township"),
    )
    found = frame.select(
        identity=identity_level(),
        name="name",
        place=_place(),
        relation=_relation(),
        disability=_disability(),
        name_u="name_u",
    )
    return found.with_columns(_among_relatives(), _not_the_relatives_place(), _twins())


_TWIN = 0.01  # of brothers and sisters
# Levels of identity that a twin would reach as well: the same place and day of birth, or one digit away.
_BORN_TOGETHER = ("slip", "slip_birth_differs", "digits_15", "digits_14", "masked_birth")
_SAME_DAY = (*_BORN_TOGETHER, "birth_sex", "birth", "birth_sex_differs", "birth_number_differs")
_KIN = ("account", "phone", "guardian_number", "guardian", "guardian_name")


def _not_the_relatives_place() -> pl.Expr:
    """Who shares a guardian or an account lives in the same place: that they do says nothing more."""
    here = pl.col("relation").is_in(_KIN) & pl.col("place").is_in(["township", "county"])
    return pl.when(here).then(pl.lit("unknown")).otherwise("place").alias("place")


def _among_relatives() -> pl.Expr:
    """`name_u` where whatever else agrees would agree for a brother or a twin as well.

    A guardian, a family's account, the same place and day of birth: the rivals of such a pair are relatives, who share
    the surname and often a character of the given name, so a half agreeing name proves nothing. (Names and relations
    are independent among strangers only; this is the dependence that is modelled, not assumed away.)
    """
    kin = pl.col("relation").is_in(_KIN)
    born = pl.col("identity").is_in(_BORN_TOGETHER)
    lent = pl.col("identity").str.starts_with("number")  # within the family
    name, chance = pl.col("name"), pl.col("name_u")
    half = name.is_in(["slip", "part"])
    least = (
        pl.when((name == "near") & (kin | born | lent))
        .then(pl.lit(0.02))
        .when(half & (born | (kin & pl.col("identity").is_in(_SAME_DAY))))
        .then(pl.lit(1.0))
        .when(half & (kin | lent))
        .then(pl.lit(0.2))
    )
    return pl.max_horizontal(chance, least).alias("name_u")


def _twins() -> pl.Expr:
    """`identity_u`: of two people with one guardian or account who are not one, so many were born the same day."""
    both = pl.col("relation").is_in(_KIN) & pl.col("identity").is_in(_SAME_DAY)
    return pl.when(both).then(pl.lit(_TWIN)).alias("identity_u")


_BEST = ("exact", "near", "slip", "part", "contradicts", "unknown")


def _names(pairs: pl.DataFrame) -> pl.DataFrame:
    """`name` and `name_u` of every pair; where a note gives a former name, by the name that agrees best."""
    found = _named(pairs["r_folded"], pairs["p_folded"])
    noted = pairs.select(pl.col("r_former").is_not_null() | pl.col("p_former").is_not_null()).to_series()
    if not noted.any():
        return found
    for mine, theirs in (("r_folded", "p_former"), ("r_former", "p_folded"), ("r_former", "p_former")):
        other = _named(pairs[mine], pairs[theirs])
        better = noted & (_rank(other["name"]) < _rank(found["name"]))
        found = pl.DataFrame([other[name].zip_with(better, found[name]) for name in found.columns])
    return found


def _rank(levels: pl.Series) -> pl.Series:
    return levels.replace_strict(_BEST, range(len(_BEST)), return_dtype=pl.Int8)


def _named(mine: pl.Series, theirs: pl.Series) -> pl.DataFrame:
    """`name` and `name_u`, compared once a distinct pair of names."""
    both = pl.DataFrame([mine.alias("r_folded"), theirs.alias("p_folded")])
    distinct = both.unique(maintain_order=True)
    found = compare_pairs(distinct["r_folded"], distinct["p_folded"])
    score, same = pl.col("score"), pl.col("r_folded") == pl.col("p_folded")
    level = (
        pl.when(score.is_null())
        .then(pl.lit("unknown"))
        .when(same)
        .then(pl.lit("exact"))
        .when(score >= _NEAR)
        .then(pl.lit("near"))
        .when(score >= PLAIN)
        .then(pl.lit("slip"))
        .when(score >= NOTHING)
        .then(pl.lit("part"))
        .otherwise(pl.lit("contradicts"))
    )
    spelled = pl.col("evidence").and_(_SPELLED) > 0
    chance = (
        pl.when(level == "exact")
        .then(pl.col("p_frequency"))
        .when((level == "near") & spelled)
        .then((pl.col("p_frequency") * _FEW).clip(2e-5, 0.1))
        .when(level == "near")
        .then((pl.col("p_frequency") * _MANY).clip(1e-4, 0.1))
    )
    scored = distinct.with_columns(
        found["score"], found["evidence"].fill_null(0), frequency(distinct["p_folded"]).alias("p_frequency")
    ).with_columns(level.alias("name"), chance.alias("name_u"))
    keys = ["r_folded", "p_folded"]
    return both.join(
        scored.select(*keys, "name", "name_u"), on=keys, how="left", nulls_equal=True, maintain_order="left"
    )


def _guardian_himself(pairs: pl.DataFrame) -> pl.Series:
    """Whether a row under the guardian's number bears the guardian's own name: then it is his row, not the ward's."""
    own = pl.when(pl.col("r_number") == pl.col("p_guardian_id")).then("p_guardian_folded")
    score = compare_pairs(pairs["r_folded"], pairs.select(own).to_series())["score"]
    return (score >= PLAIN).fill_null(False)


def _place() -> pl.Expr:
    """County and township as one field: the second lies in the first. A row may name a township and no county.

    Another township than the register's speaks against a pair also where the county agrees."""
    county = pl.col("r_county") == pl.col("p_county")
    mine, theirs = pl.col("r_township"), pl.col("p_township")
    named = pl.col("r_address").str.contains(theirs, literal=True)
    return (
        pl.when(~county)
        .then(pl.lit("other_county"))
        .when((named | same_township(mine, theirs)).fill_null(False))
        .then(pl.lit("township"))
        .when(mine.is_not_null() & theirs.is_not_null())
        .then(pl.lit("other_township"))
        .when(county)
        .then(pl.lit("county"))
        .otherwise(pl.lit("unknown"))
    )


def _relation() -> pl.Expr:
    """The people and accounts around: what no number, name or birth date of the person himself contains."""
    number = pl.col("r_number")
    his_guardian = (number == pl.col("p_guardian_id")).fill_null(False) & ~pl.col("himself")
    guardian = pl.any_horizontal(
        (pl.col(column) == pl.col("p_guardian_id")).fill_null(False)
        for column in ("r_guardian_id", "r_head_id")
    )
    named = pl.any_horizontal(
        (pl.col(column) == pl.col("p_guardian_folded")).fill_null(False)
        for column in ("r_guardian_folded", "r_head_folded")
    )
    phone = (pl.col("r_phone") == pl.col("p_phone")).fill_null(False)
    return (
        pl.when(pl.col("same_account"))
        .then(pl.lit("account"))
        .when(phone)
        .then(pl.lit("phone"))
        .when(his_guardian)
        .then(pl.lit("guardian_number"))
        .when(guardian | pl.col("same_head"))
        .then(pl.lit("guardian"))
        .when(named)
        .then(pl.lit("guardian_name"))
        .when(pl.col("r_account").is_not_null() & pl.col("has_account"))
        .then(pl.lit("other_account"))
        .otherwise(pl.lit("unknown"))
    )


def _disability() -> pl.Expr:
    category = pl.col("r_category") == pl.col("p_category")
    level = pl.col("r_level") == pl.col("p_level")
    return (
        pl.when(category.is_null() | level.is_null())
        .then(pl.lit("unknown"))
        .when(category & level)
        .then(pl.lit("both"))
        .when(category | level)
        .then(pl.lit("one"))
        .otherwise(pl.lit("differs"))
    )
