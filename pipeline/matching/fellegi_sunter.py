"""Match weights of compared pairs: the theory of record linkage, for any fields and levels.

Source: I. P. Fellegi, A. B. Sunter, "A Theory for Record Linkage", JASA 64 (1969); in bits as in T. Blakely,
C. Salmond, Int. J. Epidemiol. 31 (2002). A pair's evidence is log2(m/u) summed over fields that may be taken for
independent among matches and among non-matches. Things that hang together (an ID and the birth date within it) are
therefore compared on one derived field; a field of each would count one agreement twice and link brothers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import overload

import polars as pl

UNKNOWN = "unknown"  # the level of a pair with nothing to compare: no evidence either way
DECIMALS = 4  # of a weight in bits; a sum of rounded numbers does not depend on its order
ROUNDED_SUM = 0.002  # how far the probabilities of a field may be from 1: they are written rounded


@dataclass(frozen=True)
class Level:
    """One outcome of comparing a field. `m`: its share among matches; `u`: among non-matches; both in (0, 1]."""

    name: str
    m: float
    u: float

    def __post_init__(self) -> None:
        for share in (self.m, self.u):
            if not 0 < share <= 1:
                raise ValueError(f"比较等级“{self.name}”的 m、u 应大于 0 且不大于 1")

    @property
    def weight(self) -> float:
        """Bits for (positive) or against a match; 0 where there was nothing to compare."""
        return 0.0 if self.name == UNKNOWN else round(math.log2(self.m / self.u), DECIMALS)


@dataclass(frozen=True)
class Field:
    """A comparison: its levels shut each other out and, `unknown` aside, their m's and their u's each sum to 1."""

    name: str
    levels: tuple[Level, ...]

    def __post_init__(self) -> None:
        names = [level.name for level in self.levels]
        if len(set(names)) < len(names):
            raise ValueError(f"字段“{self.name}”的比较等级重名")
        if not self.known:
            raise ValueError(f"字段“{self.name}”没有比较等级")
        for side in ("m", "u"):
            if abs(sum(getattr(level, side) for level in self.known) - 1) > ROUNDED_SUM:
                raise ValueError(f"字段“{self.name}”各比较等级的 {side} 之和应为 1（{UNKNOWN} 除外）")

    @property
    def known(self) -> tuple[Level, ...]:
        """The levels without `unknown`."""
        return tuple(level for level in self.levels if level.name != UNKNOWN)


@dataclass(frozen=True)
class Model:
    """What is known of a comparison before a pair is seen.

    `prior`: the probability that a pair is a match, among the same pairs in which the u's are the levels' shares
    among non-matches: either all pairs that could be formed, or all pairs that are compared. Mixing the two counts
    the blocking twice.
    """

    version: str
    prior: float
    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        if not 0 < self.prior < 1:
            raise ValueError("先验概率 prior 应在 0 与 1 之间")
        names = [field.name for field in self.fields]
        if len(set(names)) < len(names):
            raise ValueError("字段重名")


def match_weights(levels: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The evidence of every pair: one row a pair in, one row a pair out, same order.

    `levels`: per field of the model a column of level names (String, Categorical or Enum; null as `unknown`).
    Optionally `<field>_u` (Float64): this pair's own probability of chance agreement, taken instead of the level's u
    where not null, such as the frequency of the name that agrees; and `prior_weight` (Float64): its own prior log-odds.
    Returns `<field>_weight` per field, `prior_weight`, `match_weight` (their sum): Float64, bits, four decimals.
    Raises ValueError: a column is missing, a level is not of the model, a `<field>_u` is outside (0, 1].
    """
    seen = level_numbers(levels, model).hstack(chance_agreement(levels, model))
    weights = [_weight(field, f"{field.name}_u" in seen.columns) for field in model.fields]
    prior = pl.lit(math.log2(model.prior / (1 - model.prior)))
    if "prior_weight" in levels.columns:
        prior = pl.coalesce(levels["prior_weight"].cast(pl.Float64), prior)
    return (
        seen.select(*weights)
        .with_columns(prior_weight=prior.round(DECIMALS))
        .with_columns(match_weight=pl.sum_horizontal(pl.all()).round(DECIMALS))
    )


def level_numbers(levels: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Per field the place of each pair's level among `field.known`; null where nothing could be compared."""
    columns = []
    for field in model.fields:
        if field.name not in levels.columns:
            raise ValueError(f"no column for field {field.name!r}")
        names = pl.Enum([*(level.name for level in field.known), UNKNOWN])
        columns.append(pl.col(field.name).cast(names, strict=False).to_physical().cast(pl.UInt32))
    numbers = levels.select(columns)
    for field in model.fields:
        missing = numbers[field.name].is_null()
        if missing.sum() > levels[field.name].null_count():
            strange = levels[field.name].filter(missing).drop_nulls().cast(pl.String).unique().sort()
            raise ValueError(f"field {field.name!r} has no level {', '.join(map(repr, strange))}")
    known = [
        pl.when(pl.col(field.name) < len(field.known)).then(pl.col(field.name)) for field in model.fields
    ]
    return numbers.select(known)


def chance_agreement(levels: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The pairs' own u probabilities (`<field>_u`), of those fields for which the caller gave any.

    Raises ValueError outside (0, 1].
    """
    names = [f"{field.name}_u" for field in model.fields if f"{field.name}_u" in levels.columns]
    own = levels.select(pl.col(names).cast(pl.Float64))
    for name in names:
        if not ((own[name] > 0) & (own[name] <= 1)).all():  # nulls are left out
            raise ValueError(f"column {name!r} holds a probability outside (0, 1]")
    return own


def _weight(field: Field, adjusted: bool) -> pl.Expr:
    """The weight from the level's number, and from `<field>_u` where `adjusted`."""
    weight = pl.lit(pl.Series([level.weight for level in field.known])).gather(field.name)
    if adjusted:
        m = pl.lit(pl.Series([level.m for level in field.known])).gather(field.name)
        weight = pl.coalesce((m / pl.col(f"{field.name}_u")).log(2).round(DECIMALS), weight)
    return weight.fill_null(0.0).alias(f"{field.name}_weight")


@overload
def probability(weight: pl.Expr) -> pl.Expr: ...
@overload
def probability(weight: pl.Series) -> pl.Series: ...
def probability(weight: pl.Expr | pl.Series) -> pl.Expr | pl.Series:
    """The probability that a pair with this match weight (bits, prior within) is a match, seen by itself alone."""
    return 1 / (1 + 2.0 ** (-weight))
