"""Which row belongs to which person: all compared pairs of a list weighed against each other, not one by one.

A row belongs to at most one slot (a register person, or a person within a group) or to nobody; where the list has one
row a person, a slot has at most one row. Admissible assignments M have P(M) proportional to the product of 2^weight
over their pairs (nobody: weight 0). `match_probability` is the share of those that hold the pair; `assigned` says
that it is in every assignment of greatest total weight, so that a tie assigns nothing and neither the order of the
input nor the numbers of rows and slots can matter. Taking the best pair first is wrong as soon as two rows want one
person (M. A. Jaro, JASA 84 (1989)).

Nearly everything is settled in columns: pairs that cannot matter, pairs that nothing rivals, and stars (one row with
many slots, or the reverse). Only groups in which both some row and some slot have a real choice are looked at singly.
"""

from __future__ import annotations

import polars as pl

from pipeline.matching.assignment_groups import tangled
from pipeline.matching.assignment_optimum import SCALE

PROBABILITY_DECIMALS = 6
LARGEST = 300.0  # bits; a weight beyond proves no more than this
IMPOSSIBLE = 22.0  # bits: what is less likely than 2^-22 is taken for impossible
ROUNDS = 4  # of dropping such pairs, each of which proves more of the others


def assign(pairs: pl.DataFrame, *, one_to_one: bool = True) -> pl.DataFrame:
    """The pairs (`row`, `slot` integers, `match_weight` bits with the prior within) in their order, two columns more.

    `match_probability` (Float64, six decimals) is exact to its last decimal or two, but for groups of many rows and
    slots that are nearly alike (homonyms): there it is the smaller of the row's and the slot's own shares, and above
    one half never more than what is proved; in the largest of them `assigned` is a probability so proved.
    Without `one_to_one` each row chooses for itself. Raises ValueError: a pair stands twice, or a weight is no number.
    """
    edges = _edges(pairs)
    if one_to_one:
        edges, impossible = _without_impossible(edges)
        found = pl.concat([_settle(edges), impossible]).sort("place")
    else:
        found = _star(edges, "row").sort("place")
    probability = found["share"].round(PROBABILITY_DECIMALS).alias("match_probability")
    return pairs.with_columns(probability, found["assigned"])


def _edges(pairs: pl.DataFrame) -> pl.DataFrame:
    """`row`, `slot` (numbered without gaps), `weight` (Int64), `bits`, `place` in the input; by row and slot."""
    weight = pairs["match_weight"].cast(pl.Float64)
    if not weight.is_finite().all() or sum(pairs.select("row", "slot", "match_weight").null_count().row(0)):
        raise ValueError("a match weight or an end of a pair is missing or no finite number")
    edges = pairs.select(
        row=pl.col("row").rank("dense").cast(pl.UInt32) - 1,
        slot=pl.col("slot").rank("dense").cast(pl.UInt32) - 1,
        weight=(weight.clip(-LARGEST, LARGEST) * SCALE).round().cast(pl.Int64),
        place=pl.int_range(pl.len(), dtype=pl.UInt32),
    ).sort("row", "slot")
    again = (pl.col("row") == pl.col("row").shift()) & (pl.col("slot") == pl.col("slot").shift())
    if edges.select(again.any()).item():
        raise ValueError("a pair of row and slot stands twice")
    return edges.with_columns(bits=pl.col("weight") / SCALE)


def _without_impossible(edges: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The edges that matter, each with what is `proved` for it, and those less likely than 2^-22.

    A pair that is not proved needs both its ends free: it is no likelier than its own power, and where another pair
    of its row or slot is proved, by as much less.
    """
    dropped = []
    for _ in range(ROUNDS):
        edges = _proved(edges)
        rival = pl.max_horizontal(
            pl.col("proved").max().over("row"), pl.col("proved").max().over("slot"), 0.0
        )
        out = (pl.col("proved") <= 0) & (pl.min_horizontal("bits", 0.0) - rival < -IMPOSSIBLE)
        gone = edges.filter(out)
        dropped.append(gone.select("place", share=pl.lit(0.0), assigned=pl.lit(False)))
        edges = edges.filter(~out)
        if not gone.height:
            break
    return edges, pl.concat(dropped)


def _settle(edges: pl.DataFrame) -> pl.DataFrame:
    edges = edges.with_columns(by_row=pl.len().over("row"), by_slot=pl.len().over("slot")).with_columns(
        of_row=pl.col("by_slot").max().over("row") == 1, of_slot=pl.col("by_row").max().over("slot") == 1
    )
    rows, slots = edges.filter("of_row"), edges.filter(~pl.col("of_row") & pl.col("of_slot"))
    proved = pl.max_horizontal(1 / (1 + 2.0 ** -pl.col("proved")), 0.5)
    rest = _shares(_shares(edges.filter(~pl.col("of_row") & ~pl.col("of_slot")), "row"), "slot")
    rest = rest.with_columns(rough=pl.min_horizontal("row_share", "slot_share", proved))
    return pl.concat([_star(rows, "row"), _star(slots, "slot"), tangled(rest)])


def _star(edges: pl.DataFrame, end: str) -> pl.DataFrame:
    """Pairs that shut each other out within an end: shares, and the one that is strictly the best and above nobody."""
    first = (pl.col("weight").rank("max", descending=True).over(end) == 1) & (pl.col("weight") > 0)
    return _shares(edges, end).select("place", share=end + "_share", assigned=first)


def _shares(edges: pl.DataFrame, end: str) -> pl.DataFrame:
    """With `<end>_share`: the pair's share among all the end's pairs and nobody."""
    edges = edges.with_columns(most=pl.max_horizontal(pl.col("bits").max().over(end), 0.0))
    edges = edges.with_columns(power=2.0 ** (pl.col("bits") - pl.col("most")))
    whole = pl.col("power").sum().over(end) + 2.0 ** -pl.col("most")
    return edges.with_columns((pl.col("power") / whole).alias(end + "_share"))


def _proved(edges: pl.DataFrame) -> pl.DataFrame:
    """With `proved`: the log-odds that the pair has at least; below 0 for all but the strictly best of both its ends.

    An assignment without the pair becomes one with it if its row's and slot's pairs are given up, and at most
    (1 + rivals of the row) x (1 + rivals of the slot) become the same: so P(without) / P(with) is at most their
    powers' product over the pair's own. Sums leave the best pair out instead of subtracting it again.
    """
    edges = edges.with_columns(power=2.0 ** pl.col("bits"), proved="bits")
    for end in ("row", "slot"):
        edges = edges.with_columns(best=pl.col("power") == pl.col("power").max().over(end))
        edges = edges.with_columns(other=pl.when("best").then(0.0).otherwise("power"))
        others, equals = pl.col("other").sum().over(end), pl.col("best").sum().over(end)
        equal = pl.when("best").then(equals - 1).otherwise(1) * pl.col("power")
        edges = edges.with_columns(proved=pl.col("proved") - (1 + others + equal).log(2))
    return edges.drop("power", "best", "other")
