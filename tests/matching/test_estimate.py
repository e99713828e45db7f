"""Estimation without labels: it finds what made the pairs, says honestly whether it arrived, and never invents a zero."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.matching.estimate import Fit, estimate_m, estimate_u, fit
from pipeline.matching.fellegi_sunter import Field, Level, Model

KINDS = ("exact", "alike", "other")


def model(prior: float, *shares: tuple[tuple[float, ...], tuple[float, ...]]) -> Model:
    fields = (
        Field(f"f{n}", tuple(Level(*level) for level in zip(KINDS, m, u, strict=False)))
        for n, (m, u) in enumerate(shares)
    )
    return Model("1", prior, tuple(fields))


TRUE = model(
    0.1,
    ((0.90, 0.08, 0.02), (0.01, 0.04, 0.95)),
    ((0.80, 0.20), (0.05, 0.95)),
    ((0.70, 0.20, 0.10), (0.10, 0.20, 0.70)),
)
START = model(
    0.3,
    ((0.70, 0.20, 0.10), (0.10, 0.10, 0.80)),
    ((0.60, 0.40), (0.20, 0.80)),
    ((0.60, 0.20, 0.20), (0.20, 0.20, 0.60)),
)


def drawn(truth: Model, pairs: int, seed: int, unknown: float = 0.1) -> pl.DataFrame:
    """Levels of pairs that come about exactly as the model says."""
    chance = random.Random(seed)
    rows = []
    for _ in range(pairs):
        match = chance.random() < truth.prior
        row = []
        for field in truth.fields:
            weights = [level.m if match else level.u for level in field.levels]
            name = chance.choices([level.name for level in field.levels], weights)[0]
            row.append(chance.choice(("unknown", None)) if chance.random() < unknown else name)
        rows.append(row)
    return pl.DataFrame(rows, schema={field.name: pl.String for field in truth.fields}, orient="row")


def shares(found: Model, side: str) -> list[float]:
    return [getattr(level, side) for field in found.fields for level in field.levels]


def test_what_made_the_pairs_is_found() -> None:
    found = fit(drawn(TRUE, 20_000, 1), START, fix_u=False, strength=1)
    assert found.converged
    assert found.pairs == 20_000
    assert found.model.prior == pytest.approx(TRUE.prior, abs=0.01)
    assert shares(found.model, "m") == pytest.approx(shares(TRUE, "m"), abs=0.04)
    assert shares(found.model, "u") == pytest.approx(shares(TRUE, "u"), abs=0.01)


def test_u_from_strangers_and_pairs_never_formed_give_the_prior_of_all_pairs() -> None:
    strangers = estimate_u(drawn(replace(TRUE, prior=1e-9), 20_000, 2), START, strength=1)
    assert shares(strangers, "u") == pytest.approx(shares(TRUE, "u"), abs=0.01)
    assert shares(strangers, "m") == pytest.approx(shares(START, "m"))
    compared = drawn(TRUE, 20_000, 3).filter((pl.col("f0") != "other") | (pl.col("f1") == "exact"))
    found = fit(compared, strangers, strength=1, uncompared=20_000 - compared.height)
    assert found.converged
    assert found.model.prior == pytest.approx(TRUE.prior, abs=0.01)
    assert shares(found.model, "u") == shares(strangers, "u")  # bit by bit


def test_m_from_known_matches() -> None:
    found = estimate_m(drawn(replace(TRUE, prior=1 - 1e-9), 20_000, 4), START, strength=1)
    assert shares(found, "m") == pytest.approx(shares(TRUE, "m"), abs=0.01)
    assert shares(found, "u") == pytest.approx(shares(START, "u"))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    pairs=st.integers(0, 100),
    strength=st.sampled_from([0.01, 1.0, 50.0]),
    fix_u=st.booleans(),
    uncompared=st.sampled_from([0, 1000]),
)
def test_no_round_makes_it_worse(
    seed: int, pairs: int, strength: float, fix_u: bool, uncompared: int
) -> None:
    found = fit(
        drawn(TRUE, pairs, seed, 0.3),
        START,
        fix_u=fix_u,
        strength=strength,
        uncompared=uncompared,
        max_rounds=25,
    )
    path = found.log_likelihood
    assert len(path) == found.rounds + 1
    assert all(after >= before - 1e-9 * abs(before) for before, after in pairwise(path))
    assert all(0 < share <= 1 for side in ("m", "u") for share in shares(found.model, side))
    assert 0 < found.model.prior < 1


@pytest.fixture(scope="module")
def limit() -> Fit:
    return fit(drawn(TRUE, 1000, 5), START, fix_u=False, strength=5, tolerance=1e-9, max_rounds=5000)


def distance(one: Fit, other: Fit) -> float:
    pairs = zip(one.model.fields, other.model.fields, strict=True)
    return max(abs(a.weight - b.weight) for x, y in pairs for a, b in zip(x.levels, y.levels, strict=True))


@pytest.mark.parametrize("tolerance", [0.1, 0.01, 0.001])
def test_converged_means_within_the_tolerance_of_the_limit(tolerance: float, limit: Fit) -> None:
    found = fit(drawn(TRUE, 1000, 5), START, fix_u=False, strength=5, tolerance=tolerance)
    assert limit.converged
    assert found.converged
    assert found.rounds < limit.rounds
    assert distance(found, limit) <= tolerance * 2  # m and u of a level may both be off


def test_a_fit_that_merely_ended_does_not_say_that_it_converged() -> None:
    assert not fit(drawn(TRUE, 3000, 5), START, fix_u=False, strength=1, max_rounds=8).converged


def test_a_small_list_stays_near_the_documented_start() -> None:
    pairs = drawn(TRUE, 20, 6)
    near, far = fit(pairs, START, strength=10_000), fit(pairs, START, strength=0.1)
    assert shares(near.model, "m") == pytest.approx(shares(START, "m"), abs=0.01)
    assert shares(far.model, "m") != pytest.approx(shares(START, "m"), abs=0.1)


def test_a_field_that_is_kept_is_kept_and_one_never_compared_too() -> None:
    found = fit(drawn(TRUE, 500, 7), START, fix={"f0"}, strength=1).model
    assert [level.m for level in found.fields[0].levels] == pytest.approx([0.7, 0.2, 0.1])
    assert [level.m for level in found.fields[1].levels] != pytest.approx([0.6, 0.4], abs=0.01)
    never = drawn(TRUE, 500, 7).with_columns(f2=pl.lit(None, pl.String))
    assert [level.m for level in fit(never, START, strength=1).model.fields[2].levels] == pytest.approx(
        [0.6, 0.2, 0.2]
    )


def test_neither_order_nor_the_kind_of_column_matters() -> None:
    pairs = drawn(TRUE, 2000, 8).with_columns(f0_u=pl.int_range(1, 2001) / 4000)
    one = fit(pairs, START)
    assert fit(pairs.sample(fraction=1, shuffle=True, seed=1), START) == one
    assert fit(pairs.cast({"f0": pl.Categorical}), START) == one


def test_a_pairs_own_chance_agreement_is_believed() -> None:
    nothing = pl.lit(None, pl.String)
    pairs = pl.DataFrame({"f0": ["exact"] * 100}).with_columns(f1=nothing, f2=nothing)
    rare, common = (fit(pairs.with_columns(f0_u=pl.lit(u)), START).model.prior for u in (0.001, 0.9))
    assert rare == pytest.approx(0.65, abs=0.01)  # 100 sure matches, and the start's 30 in 100
    assert common < START.prior
    kept = fit(pairs.with_columns(f0_u=pl.lit(0.001)), START, fix_u=False).model
    assert [level.u for level in kept.fields[0].levels] == pytest.approx([0.1, 0.1, 0.8])


def test_the_unknown_level_stays_where_it_stands() -> None:
    first = START.fields[0]
    with_unknown = replace(first, levels=(Level("unknown", 1, 1), *first.levels))
    found = fit(drawn(TRUE, 300, 9), replace(START, fields=(with_unknown, *START.fields[1:])))
    assert found.model.fields[0].levels[0] == Level("unknown", 1, 1)
    assert found.model.fields[0].levels[1:] == fit(drawn(TRUE, 300, 9), START).model.fields[0].levels


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ValueError, match="strength"):
        fit(drawn(TRUE, 5, 1), START, strength=0)
    with pytest.raises(ValueError, match="fix names a field"):
        fit(drawn(TRUE, 5, 1), START, fix={"f9"})
