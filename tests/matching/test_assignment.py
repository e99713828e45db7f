"""Assignment against the plain truth: every admissible assignment written down, counted and compared."""

from __future__ import annotations

import itertools
import random
import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.matching import assignment_groups, assignment_shares
from pipeline.matching.assignment import assign

SCHEMA = {"row": pl.Int64, "slot": pl.Int64, "match_weight": pl.Float64}
Pair = tuple[int, int, float]

weights = st.one_of(st.sampled_from([-3.0, 0.0, 1.0, 4.0, 4.0, 9.0, 13.0]), st.floats(-12, 12))
problems = st.dictionaries(
    st.tuples(st.integers(0, 4), st.integers(10, 13)), weights, min_size=1, max_size=11
)


def table(pairs: list[Pair]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema=SCHEMA, orient="row")


def listed(weights: dict[tuple[int, int], float]) -> list[Pair]:
    return [(row, slot, round(weight, 4)) for (row, slot), weight in weights.items()]


def written_out(pairs: list[Pair], one_to_one: bool) -> tuple[list[float], list[bool]]:
    """Probability of every pair and whether every best assignment has it, by writing all assignments down."""
    rows = {row: [None, *(n for n, pair in enumerate(pairs) if pair[0] == row)] for row, _, _ in pairs}
    whole, held, best, common = 0.0, [0.0] * len(pairs), -1, set[int]()
    for choice in itertools.product(*rows.values()):
        taken = {n for n in choice if n is not None}
        if one_to_one and len({pairs[n][1] for n in taken}) < len(taken):
            continue
        total = sum(round(pairs[n][2] * 10_000) for n in taken)
        whole += 2.0 ** (total / 10_000)
        for n in taken:
            held[n] += 2.0 ** (total / 10_000)
        if total > best:
            best, common = total, taken
        elif total == best:
            common &= taken
    return [share / whole for share in held], [n in common for n in range(len(pairs))]


def answers(found: pl.DataFrame) -> dict[tuple[int, int], tuple[float, bool]]:
    return {(row, slot): (share, held) for row, slot, _, share, held in found.iter_rows()}


@settings(max_examples=120, deadline=None, derandomize=True)
@given(problems, st.booleans())
def test_like_all_assignments_written_out(problem: dict[tuple[int, int], float], one_to_one: bool) -> None:
    pairs = listed(problem)
    found = assign(table(pairs), one_to_one=one_to_one)
    shares, held = written_out(pairs, one_to_one)
    assert found.select(SCHEMA.keys()).equals(table(pairs))
    assert found["match_probability"].to_list() == pytest.approx(shares, abs=2e-6)
    assert found["assigned"].to_list() == held


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problems, st.integers(0, 10**6))
def test_order_and_names_and_strangers_change_nothing(
    problem: dict[tuple[int, int], float], seed: int
) -> None:
    pairs = listed(problem)
    chance = random.Random(seed)
    names = chance.sample(range(-(10**12), 10**12), 40)
    strangers = [(100 + n // 3, 100 + n % 5, chance.uniform(-5, 9)) for n in range(9)]
    other = [(names[row], names[slot], weight) for row, slot, weight in pairs]
    mixed = [*other, *strangers]
    chance.shuffle(mixed)
    one, two = answers(assign(table(pairs))), answers(assign(table(mixed)))
    assert {(names[row], names[slot]): answer for (row, slot), answer in one.items()} == {
        pair: answer for pair, answer in two.items() if pair[0] in names
    }


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problems, st.integers(0, 4), st.integers(10, 13), st.floats(-12, 0))
def test_a_pair_worse_than_nobody_assigns_nothing_and_unassigns_nothing(
    problem: dict[tuple[int, int], float], row: int, slot: int, weight: float
) -> None:
    problem.pop((row, slot), None)
    before, after = assign(table(listed(problem))), assign(table(listed({**problem, (row, slot): weight})))
    assert after["assigned"].to_list() == [*before["assigned"], False]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(problems)
def test_where_too_much_would_have_to_be_counted_more_is_not_claimed(
    problem: dict[tuple[int, int], float],
) -> None:
    pairs = listed(problem)
    shares, held = written_out(pairs, True)
    for limits in ((assignment_shares, "MOST_STEPS"), (assignment_groups, "LARGEST_GROUP")):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(*limits, 0)
            found = assign(table(pairs))
        for claimed, is_held, share, in_best in zip(
            found["match_probability"], found["assigned"], shares, held, strict=True
        ):
            assert claimed <= max(share, 0.5) + 2e-6
            assert in_best or not is_held


def test_the_best_pair_first_would_be_wrong() -> None:
    found = assign(table([(1, 1, 20.0), (1, 2, 19.0), (2, 1, 19.0), (2, 2, -15.0)]))
    assert found["assigned"].to_list() == [False, True, True, False]
    assert found["match_probability"][1] > 0.9999


def test_two_who_are_alike_are_nobody() -> None:
    found = assign(table([(1, 1, 15.0), (1, 2, 15.0), (2, 3, 15.0), (3, 3, 15.0), (4, 4, 0.0)]))
    assert not found["assigned"].any()
    assert found["match_probability"].max() == 0.5
    alone = assign(table([(2, 3, 15.0), (3, 3, 15.0)]), one_to_one=False)
    assert alone["assigned"].all()


def test_a_tie_leaves_the_others_their_chance() -> None:
    pairs = [(1, 1, 40.0), (1, 2, 40.0), (2, 1, 5.0), (3, 2, -3.0)]
    found = assign(table(pairs))
    assert found["match_probability"].to_list() == pytest.approx(written_out(pairs, True)[0], abs=2e-6)
    assert found["assigned"].to_list() == [False, True, True, False]


def test_a_row_for_each_of_two_brothers() -> None:
    found = assign(table([(1, 1, 25.0), (1, 2, 18.0), (2, 1, 18.0), (2, 2, 25.0)]))
    assert found["assigned"].to_list() == [True, False, False, True]
    assert found["match_probability"].to_list() == pytest.approx([1, 0, 0, 1], abs=1e-4)


def test_a_long_chain_of_rivals_is_solved_as_a_whole() -> None:
    chain = [(n, n + step, 9.0 + step / 1000) for n in range(300) for step in (0, 1)]
    found = assign(table(chain)).filter("assigned")
    assert found["slot"].to_list() == list(range(1, 301))


def test_five_thousand_homonyms_link_nobody_and_do_not_stop_the_night() -> None:
    rows = pl.DataFrame({"row": range(5000)}, schema={"row": pl.UInt32})
    slots = pl.DataFrame({"slot": range(200)}, schema={"slot": pl.UInt32})
    alike = rows.join(slots, how="cross").with_columns(match_weight=pl.lit(5.0))
    apart = alike.with_columns(match_weight=((pl.col("row") * 7919 + pl.col("slot") * 104729) % 1000) / 100)
    start = time.process_time()
    for pairs in (alike, apart):
        found = assign(pairs)
        assert found["match_probability"].max() < 0.01
        assert not found["assigned"].any()
    assert time.process_time() - start < 20


def test_neither_missing_nor_doubled_pairs_nor_endless_weights() -> None:
    good = table([(1, 1, 5.0), (1, 2, 3.0)])
    for column in SCHEMA:
        with pytest.raises(ValueError, match="missing or no finite number"):
            assign(good.with_columns(pl.when(pl.col("slot") == 1).then(column).alias(column)))
    for weight in (float("inf"), float("nan")):
        with pytest.raises(ValueError, match="no finite number"):
            assign(good.with_columns(match_weight=weight))
    with pytest.raises(ValueError, match="stands twice"):
        assign(good.with_columns(slot=1))


def test_no_pairs() -> None:
    found = assign(table([]))
    assert found.schema == {**SCHEMA, "match_probability": pl.Float64, "assigned": pl.Boolean}
