"""Match weights: log2(m/u) per level, nothing for what cannot be compared, the same whatever the order."""

from __future__ import annotations

import math

import polars as pl
import pytest

from pipeline.matching.fellegi_sunter import Field, Level, Model, match_weights, probability

NAME = Field("name", (Level("exact", 0.9, 0.01), Level("alike", 0.06, 0.04), Level("other", 0.04, 0.95)))
PLACE = Field("place", (Level("same", 0.8, 0.1), Level("other", 0.2, 0.9), Level("unknown", 1, 1)))
MODEL = Model("1", 0.2, (NAME, PLACE))
LEVELS = pl.DataFrame(
    {"name": ["exact", "other", "unknown", None], "place": ["same", "unknown", "other", None]}
)


def test_weights_are_bits_of_evidence_and_their_sum() -> None:
    found = match_weights(LEVELS, MODEL)
    assert found.columns == ["name_weight", "place_weight", "prior_weight", "match_weight"]
    assert found["name_weight"].to_list() == [6.4919, -4.5699, 0, 0]
    assert found["place_weight"].to_list() == [3, 0, -2.1699, 0]
    assert found["prior_weight"].to_list() == [-2.0] * 4
    assert found["match_weight"].to_list() == [7.4919, -6.5699, -4.1699, -2.0]


def test_a_pair_may_have_its_own_chance_agreement_and_its_own_prior() -> None:
    own = LEVELS.with_columns(
        name_u=pl.Series([0.0009, None, 0.5, None]), prior_weight=pl.Series([None, 1.5, 0, -3])
    )
    found = match_weights(own, MODEL)
    assert found["name_weight"].to_list() == [round(math.log2(0.9 / 0.0009), 4), -4.5699, 0, 0]
    assert found["prior_weight"].to_list() == [-2, 1.5, 0, -3]


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["other", "exact", "alike", "same", "unknown"])])
def test_levels_may_be_categories(kind: pl.DataType) -> None:
    assert match_weights(LEVELS.cast(kind), MODEL).equals(match_weights(LEVELS, MODEL))


def test_an_unheard_of_level_is_named_and_nothing_else_is() -> None:
    with pytest.raises(ValueError, match=r"^field 'name' has no level 'exakt'$"):
        match_weights(LEVELS.with_columns(name=pl.Series(["exakt", "exact", None, "exakt"])), MODEL)
    with pytest.raises(ValueError, match="no column for field 'place'"):
        match_weights(LEVELS.drop("place"), MODEL)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, math.nan])
def test_a_chance_outside_0_and_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="'name_u' holds a probability outside"):
        match_weights(LEVELS.with_columns(name_u=pl.lit(share)), MODEL)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, math.nan])
def test_a_model_holds_probabilities(share: float) -> None:
    with pytest.raises(ValueError, match="“exact”"):
        Level("exact", share, 0.5)
    with pytest.raises(ValueError, match="“exact”"):
        Level("exact", 0.5, share)
    with pytest.raises(ValueError, match="prior"):
        Model("1", share, (NAME,))


def test_a_field_is_whole_and_its_names_are_its_own() -> None:
    with pytest.raises(ValueError, match="“name”各比较等级的 u 之和"):
        Field("name", (Level("exact", 0.9, 0.01), Level("other", 0.1, 0.9)))
    with pytest.raises(ValueError, match="等级重名"):
        Field("name", (Level("exact", 0.5, 0.5), Level("exact", 0.5, 0.5)))
    with pytest.raises(ValueError, match="没有比较等级"):
        Field("name", (Level("unknown", 1, 1),))
    with pytest.raises(ValueError, match="字段重名"):
        Model("1", 0.5, (NAME, NAME))


def test_no_pairs_and_one_level_are_no_special_case() -> None:
    assert match_weights(LEVELS.clear(), MODEL).height == 0
    single = Model("1", 0.5, (Field("name", (Level("exact", 1, 1),)),))
    found = match_weights(pl.DataFrame({"name": ["exact", None, "unknown"]}), single)
    assert found["match_weight"].to_list() == [0, 0, 0]


def test_probability_is_the_logistic_of_the_weight() -> None:
    weights = pl.Series([0.0, 1.0, -1.0, 5000.0, -5000.0])
    assert probability(weights).to_list() == pytest.approx([0.5, 2 / 3, 1 / 3, 1, 0])
    assert pl.select(probability(pl.lit(weights))).to_series().to_list() == probability(weights).to_list()
