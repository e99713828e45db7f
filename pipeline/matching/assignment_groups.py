"""Groups of pairs in which some row and some slot both have a choice: the best assignment, then the shares of all.

With the prices of the best assignment every pair has a loss (its reduced cost, 0 in the best): an assignment's weight
is the best total less the losses of its pairs and of the ends it leaves alone. Pairs of great loss fall away, the group
falls into smaller ones, and in those all assignments that matter are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import polars as pl

from pipeline.matching.assignment_optimum import SCALE, Market
from pipeline.matching.assignment_shares import NEGLIGIBLE, shares

LARGEST_GROUP = 4_000_000  # pairs x smaller side up to which a group is solved
LOSSES = {
    "place": pl.UInt32,
    "loss": pl.Float64,
    "row_alone": pl.Float64,
    "slot_alone": pl.Float64,
    "sure": pl.Boolean,
}


def tangled(edges: pl.DataFrame) -> pl.DataFrame:
    """`place`, `share`, `assigned` of edges (`row`, `slot`, `weight`, `place`; `rough`: the share where none is found)."""
    edges = edges.with_columns(group=connected(edges))
    smaller = pl.min_horizontal(
        pl.col("row").n_unique().over("group"), pl.col("slot").n_unique().over("group")
    )
    solvable = smaller * pl.len().over("group") <= LARGEST_GROUP
    solved = pl.DataFrame(_losses(edges.filter(solvable)), schema=LOSSES, orient="row")
    edges = edges.join(solved, on="place", how="left", maintain_order="left")
    assigned = pl.coalesce("sure", pl.col("rough") > 0.5)
    counted = edges.filter(pl.col("loss") <= NEGLIGIBLE)
    counted = counted.with_columns(group=connected(counted))
    found = pl.DataFrame(_shares(counted), schema={"place": pl.UInt32, "share": pl.Float64}, orient="row")
    dropped = pl.when(pl.col("loss") > NEGLIGIBLE).then(0.0)
    return edges.join(found, on="place", how="left", maintain_order="left").select(
        "place", share=pl.coalesce("share", dropped, "rough"), assigned=assigned
    )


def connected(edges: pl.DataFrame) -> pl.Series:
    """Per edge (`row`, `slot`: UInt32) the number of its connected component."""
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = parent[above]
            node = above
        return node

    steps = edges.select("row", leader=pl.col("row").min().over("slot")).unique(maintain_order=True)
    for row, leader in steps.iter_rows():
        parent[root(row)] = root(leader)
    rows = steps["row"].unique(maintain_order=True)
    roots = pl.DataFrame({"row": rows, "group": pl.Series([root(row) for row in rows], dtype=pl.UInt32)})
    return edges.select("row").join(roots, on="row", how="left", maintain_order="left")["group"]


def _losses(edges: pl.DataFrame) -> Iterator[tuple[int, float, float, float, bool]]:
    """Per edge, in bits: its loss, the losses of leaving its row or its slot alone; whether every optimum holds it."""
    table = edges.sort("group", "row", "slot").select("group", "row", "slot", "weight", "place")
    for _, members in groupby(table.iter_rows(), itemgetter(0)):
        group = list(members)
        turned = len({edge[1] for edge in group}) > len({edge[2] for edge in group})
        buyer, good = (2, 1) if turned else (1, 2)
        market = Market([(edge[buyer], edge[good], edge[3]) for edge in group])
        sure = market.sure()
        for edge in group:
            gain, price = market.gain[edge[buyer]], market.price[edge[good]]
            row_alone, slot_alone = (price, gain) if turned else (gain, price)
            held = (edge[buyer], edge[good]) in sure
            yield edge[4], (gain + price - edge[3]) / SCALE, row_alone / SCALE, slot_alone / SCALE, held


def _shares(edges: pl.DataFrame) -> Iterator[tuple[int, float | None]]:
    table = edges.sort("group", "row", "slot").select(
        "group", "row", "slot", "loss", "row_alone", "slot_alone", "place"
    )
    for _, members in groupby(table.iter_rows(), itemgetter(0)):
        group = list(members)
        found = shares([edge[1:6] for edge in group])
        yield from ((edge[6], found[number] if found else None) for number, edge in enumerate(group))
