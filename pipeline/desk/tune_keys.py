"""What each kind of blocking key brought to a list, what only it brought, and what it cost."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipeline.contracts.tables import BLOCKING


def keys_table(results: Path, labelled: pl.DataFrame) -> pl.DataFrame:
    """BLOCKING and `wrong` (links it brought that are known to be wrong), by list, the busiest kind first.

    The night's own report where it wrote one; else counted from the pairs, of which the improbable ones are gone.
    """
    path = results / "blocking.parquet"
    table = pl.read_parquet(path) if path.is_file() else _counted(labelled)
    wrong = _long(labelled.filter(pl.col("decision") == "linked", ~pl.col("right")))
    wrong = wrong.group_by("dataset", "kind").agg(pl.len().cast(pl.Int64).alias("wrong"))
    joined = table.join(wrong, on=["dataset", "kind"], how="left", maintain_order="left")
    return joined.with_columns(pl.col("wrong").fill_null(0)).sort(
        "dataset", "pairs", "kind", descending=[False, True, False]
    )


def _long(pairs: pl.DataFrame) -> pl.DataFrame:
    """One line a pair and kind of key."""
    kinds = pairs.with_columns(
        kind=pl.col("keys").str.split("+"), alone=~pl.col("keys").str.contains("+", literal=True)
    )
    return kinds.explode("kind", empty_as_null=False).filter(pl.col("kind") != "")


def _counted(pairs: pl.DataFrame) -> pl.DataFrame:
    linked, alone = pl.col("decision") == "linked", pl.col("alone")
    counted = (
        _long(pairs)
        .group_by("dataset", "kind")
        .agg(
            pairs=pl.len(),
            alone=alone.sum(),
            linked=linked.sum(),
            linked_alone=(linked & alone).sum(),
            review=(pl.col("decision") == "review").sum(),
            keys_left_out=pl.lit(0),
            pairs_left_out=pl.lit(0),
        )
    )
    return counted.select(pl.col(name).cast(kind) for name, kind in BLOCKING.items())
