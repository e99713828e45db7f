"""A model's probabilities from the pairs themselves, without knowing which of them are matches.

u from pairs of people taken at random, nearly all of whom are strangers; m and the prior by expectation–maximisation
over the distinct patterns of levels (M. A. Jaro, JASA 84 (1989); W. E. Winkler 2000). Every probability starts from a
documented one that counts like `strength` pairs seen (a Dirichlet prior), so a small list stays near it and nothing
becomes 0. What could not be compared is left out of the likelihood: missing at random.

EM takes the fields for independent among matches and among non-matches. Fields that are not (a birth date and the ID
that contains it) teach it that brothers are matches: the caller compares them on one derived field.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import repeat

import polars as pl

from pipeline.matching.fellegi_sunter import UNKNOWN, Field, Model, chance_agreement, level_numbers

OWN_U_STEPS = 8  # a pair's own u is rounded to an eighth of a bit, so that patterns stay few

Shares = list[list[float]]  # per field, per known level


@dataclass(frozen=True)
class Fit:
    """A model estimated without labels, and how it came about.

    `log_likelihood` is penalised by the starting model (natural logarithm), one value before each round and one at
    the end; it never falls. `converged`: no match weight is further than `tolerance` bits from its limit, by the
    rate at which the rounds shrank; a fit that merely ended says False.
    """

    model: Model
    rounds: int
    converged: bool
    log_likelihood: tuple[float, ...]
    pairs: int


@dataclass(frozen=True)
class _Patterns:
    """Distinct patterns of levels. Columns: per field its level's number and, if any, `<field>_u`; `count`."""

    table: pl.DataFrame
    fields: tuple[Field, ...]
    uncompared: int

    @property
    def pairs(self) -> int:
        return int(self.table["count"].sum())

    def has_own_u(self, field: Field) -> bool:
        return f"{field.name}_u" in self.table.columns


@dataclass(frozen=True)
class _State:
    """The parameters between two rounds."""

    prior: float
    m: Shares
    u: Shares

    def bits(self) -> list[float]:
        """All parameters on the scale of match weights."""
        shares = [share for side in (self.m, self.u) for field in side for share in field]
        return [math.log2(self.prior / (1 - self.prior)), *map(math.log2, shares)]


def estimate_u(levels_of_random_pairs: pl.DataFrame, model: Model, *, strength: float = 100.0) -> Model:
    """The model with u as the levels' shares among pairs of people taken at random (columns as `match_weights`).

    Its u then speaks of all pairs that could be formed, so its prior must too: `fit(…, uncompared=…)` sees to it.
    """
    u = _smoothed(_counts(levels_of_random_pairs, model), _start(model, "u"), strength)
    return _with(model, _State(model.prior, _start(model, "m", repeat(True)), u))


def estimate_m(levels_of_known_matches: pl.DataFrame, model: Model, *, strength: float = 100.0) -> Model:
    """The model with m as the levels' shares among pairs known to be matches (clerical review, exact links)."""
    m = _smoothed(_counts(levels_of_known_matches, model), _start(model, "m"), strength)
    return _with(model, _State(model.prior, m, _start(model, "u", repeat(True))))


def fit(
    levels: pl.DataFrame,
    model: Model,
    *,
    fix_u: bool = True,
    fix: Collection[str] = (),
    strength: float = 100.0,
    uncompared: int = 0,
    max_rounds: int = 500,
    tolerance: float = 0.001,
) -> Fit:
    """m, the prior and, unless `fix_u`, u by EM from the pairs' levels alone (columns as for `match_weights`).

    `fix`: names of fields whose m is kept. `uncompared`: pairs that blocking never formed, taken as non-matches of
    which no level is known; with u from random pairs give all pairs less the compared ones, with u from the compared
    pairs 0. A field with `<field>_u` keeps its u. `tolerance`: bits, of any weight. Raises ValueError.
    """
    if strength <= 0 or uncompared < 0:
        raise ValueError("strength must be positive and uncompared not negative")
    if not set(fix) <= {field.name for field in model.fields}:
        raise ValueError("fix names a field that the model has not")
    patterns = _patterns(levels, model, uncompared)
    keep_m = [field.name in fix for field in model.fields]
    keep_u = [fix_u or patterns.has_own_u(field) for field in model.fields]
    start = state = _State(model.prior, _start(model, "m", keep_m), _start(model, "u", keep_u))
    likelihoods: list[float] = []
    step, converged = math.inf, False
    while not converged and len(likelihoods) < max_rounds:
        posterior, likelihood = _expect(patterns, state)
        likelihoods.append(likelihood + _penalty(state, start, strength))
        after = _maximise(patterns, posterior, start, strength)
        after = replace(after, m=_choose(keep_m, start.m, after.m), u=_choose(keep_u, start.u, after.u))
        before_step, step = step, _distance(state, after)
        state, converged = after, _has_converged(before_step, step, tolerance)
    rounds = len(likelihoods)
    likelihoods.append(_expect(patterns, state)[1] + _penalty(state, start, strength))
    return Fit(_with(model, state), rounds, converged, tuple(likelihoods), patterns.pairs)


def _patterns(levels: pl.DataFrame, model: Model, uncompared: int) -> _Patterns:
    own = chance_agreement(levels, model)
    own = own.select(((pl.all().log(2) * OWN_U_STEPS).round() / OWN_U_STEPS * math.log(2)).exp())
    table = level_numbers(levels, model).hstack(own)
    counted = table.group_by(table.columns).len("count").sort(table.columns)
    return _Patterns(counted.with_columns(pl.col("count").cast(pl.Int64)), model.fields, uncompared)


def _expect(patterns: _Patterns, state: _State) -> tuple[pl.Series, float]:
    """Per pattern the probability of a match, and the log-likelihood of all pairs."""
    matches, strangers = pl.lit(math.log(state.prior)), pl.lit(math.log1p(-state.prior))
    for field, m, u in zip(patterns.fields, state.m, state.u, strict=True):
        number = pl.col(field.name)
        chance = pl.lit(pl.Series(u)).gather(number)
        if patterns.has_own_u(field):
            chance = pl.when(number.is_not_null()).then(pl.coalesce(f"{field.name}_u", chance))
        matches += pl.lit(pl.Series(m)).gather(number).log().fill_null(0.0)
        strangers += chance.log().fill_null(0.0)
    logs = patterns.table.select("count", matches=matches, strangers=strangers)
    logs = logs.with_columns(posterior=1 / (1 + (pl.col("strangers") - pl.col("matches")).exp()))
    larger, apart = pl.max_horizontal("matches", "strangers"), (pl.col("matches") - pl.col("strangers")).abs()
    likelihood = logs.select((larger + (-apart).exp().log1p()) * pl.col("count")).to_series()
    unseen = patterns.uncompared * math.log1p(-state.prior)
    return logs["posterior"], math.fsum([*likelihood, unseen])


def _maximise(patterns: _Patterns, posterior: pl.Series, start: _State, strength: float) -> _State:
    """The most probable parameters if the expected matches were the matches."""
    count = patterns.table["count"]
    matches, strangers = posterior * count, (1 - posterior) * count
    expected = [
        [_sums(patterns.table[field.name], side, len(field.known)) for field in patterns.fields]
        for side in (matches, strangers)
    ]
    pairs = patterns.pairs + patterns.uncompared
    prior = (math.fsum(matches) + strength * start.prior) / (pairs + strength)
    return _State(prior, _smoothed(expected[0], start.m, strength), _smoothed(expected[1], start.u, strength))


def _sums(numbers: pl.Series, amounts: pl.Series, levels: int) -> list[float]:
    """The amounts summed per level; exactly rounded, so that neither order nor threads matter."""
    return [math.fsum(amounts.filter(numbers == level)) for level in range(levels)]


def _counts(levels: pl.DataFrame, model: Model) -> Shares:
    numbers = level_numbers(levels, model)
    return [
        [float((numbers[field.name] == level).sum()) for level in range(len(field.known))]
        for field in model.fields
    ]


def _smoothed(counts: Shares, start: Shares, strength: float) -> Shares:
    return [
        [
            (seen + strength * share) / (math.fsum(field) + strength)
            for seen, share in zip(field, at, strict=True)
        ]
        for field, at in zip(counts, start, strict=True)
    ]


def _penalty(state: _State, start: _State, strength: float) -> float:
    """The log density of the parameters under the Dirichlet priors, a constant aside."""
    logs = [
        share * math.log(now)
        for side in ("m", "u")
        for shares, nows in zip(getattr(start, side), getattr(state, side), strict=True)
        for share, now in zip(shares, nows, strict=True)
    ]
    prior = start.prior * math.log(state.prior) + (1 - start.prior) * math.log1p(-state.prior)
    return strength * math.fsum([*logs, prior])


def _distance(one: _State, other: _State) -> float:
    return max(abs(a - b) for a, b in zip(one.bits(), other.bits(), strict=True))


def _has_converged(before: float, step: float, tolerance: float) -> bool:
    """Whether what is still to come, a geometric series by the rate of the last two steps, is within the tolerance."""
    if step == 0:
        return True
    rate = step / before
    return step <= tolerance and rate < 1 and step * rate / (1 - rate) <= tolerance


def _choose(kept: list[bool], start: Shares, now: Shares) -> Shares:
    return [old if keep else new for keep, old, new in zip(kept, start, now, strict=True)]


def _start(model: Model, side: str, keep: Iterable[bool] = repeat(False)) -> Shares:
    """The model's own probabilities; of fields that are not kept as they are, summing to 1 exactly."""
    shares = [[float(getattr(level, side)) for level in field.known] for field in model.fields]
    wholes = (1.0 if kept else math.fsum(field) for kept, field in zip(keep, shares, strict=False))
    return [[share / whole for share in field] for field, whole in zip(shares, wholes, strict=True)]


def _with(model: Model, state: _State) -> Model:
    fields = []
    for field, m, u in zip(model.fields, state.m, state.u, strict=True):
        found = iter(zip(m, u, strict=True))
        levels = (
            level if level.name == UNKNOWN else replace(level, m=pair[0], u=pair[1])
            for level in field.levels
            for pair in (next(found) if level.name != UNKNOWN else (level.m, level.u),)
        )
        fields.append(replace(field, levels=tuple(levels)))
    return replace(model, prior=state.prior, fields=tuple(fields))
