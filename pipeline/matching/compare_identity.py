"""The level of the field `identity`: what a row's number, birth date and sex together say of a person."""

from __future__ import annotations

import polars as pl

from pipeline.identity import id_repair
from pipeline.matching.blocking import as_float

_SLIPS = ("one_digit", "swapped", "missing_digit", "extra_digit", "letters")


def number_agreement(pairs: pl.DataFrame) -> pl.Series:
    """How the damaged number of one side and the sound number of the other agree (identity.id_repair.agreement)."""
    texts = pairs.select(
        typed=pl.when(pl.col("p_number").is_null())
        .then("p_typed")
        .otherwise(pl.coalesce("r_pattern", "r_body")),
        number=pl.coalesce("p_number", "r_number"),
    )
    distinct = texts.unique(maintain_order=True)
    scored = distinct.with_columns(
        id_repair.agreement(distinct["typed"], distinct["number"]).alias("agreement")
    )
    return texts.join(scored, on=["typed", "number"], how="left", nulls_equal=True, maintain_order="left")[
        "agreement"
    ]


def _birth_agrees(row: str) -> pl.Expr:
    stated = pl.col("p_stated_birth_date")
    return (pl.col(row) == pl.col("p_birth_date")).fill_null(False) | (pl.col(row) == stated).fill_null(False)


def identity_level() -> pl.Expr:
    """One level out of number, birth date and sex. The row's own sound number counts where nothing denies it."""
    agreement = pl.col("agreement")
    birth, agrees = pl.col("r_birth_date"), _birth_agrees("r_birth_date")
    typed_agrees = pl.col("r_birth_date").is_null() & _birth_agrees("r_typed_birth")
    other_birth = birth.is_not_null() & pl.col("p_birth_date").is_not_null() & ~agrees
    other_sex = (pl.col("r_sex") != pl.col("p_sex")).fill_null(False)
    same_sex = (pl.col("r_sex") == pl.col("p_sex")).fill_null(False)
    same = (pl.col("r_number") == pl.col("p_number")).fill_null(False)
    own = pl.col("r_number").is_not_null() & pl.col("p_number").is_not_null() & ~_another_s()
    damaged = pl.col("r_number").is_null() | pl.col("p_number").is_null()

    def on_number(*kinds: str) -> pl.Expr:
        return damaged & agreement.is_in(kinds).fill_null(False)

    differs = on_number("differs")
    zeros = pl.col("r_typed").str.ends_with("000") & pl.col("r_number").is_null()
    one_float = (
        zeros & (pl.col("r_typed").str.slice(0, 15) == pl.col("p_number").str.slice(0, 15))
    ).fill_null(False)
    one_float |= damaged & (pl.col("r_float") == as_float(pl.col("p_number"))).fill_null(False)
    return (
        pl.when(same & other_birth & _near_birth())
        .then(pl.lit("number_birth_near"))
        .when(same & other_birth)
        .then(pl.lit("number_birth_differs"))
        .when(same & other_sex)
        .then(pl.lit("number_sex_differs"))
        .when(same)
        .then(pl.lit("number"))
        .when(own)
        .then(pl.lit("other_number"))
        .when(on_number("same", *_SLIPS) & ~one_float & other_birth)
        .then(pl.lit("slip_birth_differs"))
        .when(on_number("same", *_SLIPS))
        .then(pl.lit("slip"))
        .when(on_number("prefix15", "prefix14", "masked", "masked_few") & other_birth)
        .then(pl.lit("other_birth"))
        .when(on_number("prefix15") | one_float)
        .then(pl.lit("digits_15"))
        .when(on_number("prefix14"))
        .then(pl.lit("digits_14"))
        .when(on_number("masked", "masked_few") & agrees)
        .then(pl.lit("masked_birth"))
        .when(on_number("masked"))
        .then(pl.lit("masked"))
        .when(on_number("masked_few"))
        .then(pl.lit("masked_few"))
        .when(agrees & other_sex)
        .then(pl.lit("birth_sex_differs"))
        .when(agrees & differs)
        .then(pl.lit("birth_number_differs"))
        .when(agrees & same_sex)
        .then(pl.lit("birth_sex"))
        .when(agrees)
        .then(pl.lit("birth"))
        .when(other_birth & _near_birth() & ~other_sex)
        .then(pl.lit("birth_near"))
        .when(other_birth | other_sex)
        .then(pl.lit("other_birth"))
        .when(typed_agrees & differs)
        .then(pl.lit("birth_number_differs"))
        .when(typed_agrees)
        .then(pl.lit("birth"))
        .when(differs)
        .then(pl.lit("differs"))
        .otherwise(pl.lit("unknown"))
    )


def _another_s() -> pl.Expr:
    """The row's sound number is not its own person's: the register's guardian's, the head's, or its birth date denies it."""
    number = pl.col("r_number")
    born = number.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)
    return (
        ((number == pl.col("p_guardian_id")).fill_null(False) & ~pl.col("himself"))
        | (number == pl.col("r_head_id")).fill_null(False)
        | (number == pl.col("r_guardian_id")).fill_null(False)
        | (born != pl.col("r_birth_date")).fill_null(False)
    )


def _near_birth() -> pl.Expr:
    """Two of year, month and day agree, or month and day are swapped: a slip in a typed date (or a lunar one)."""
    row, person = pl.col("r_birth_date").dt, pl.col("p_birth_date").dt
    same = [row.year() == person.year(), row.month() == person.month(), row.day() == person.day()]
    count = pl.sum_horizontal(part.cast(pl.UInt8) for part in same)
    swapped = same[0] & (row.month() == person.day()) & (row.day() == person.month())
    return ((count >= 2) | swapped).fill_null(False)
