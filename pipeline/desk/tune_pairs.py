"""`OUT/results/pairs.parquet` as the desk reads it: one line a compared pair of a list's row and a register person."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.tables import PAIRS
from pipeline.matching.fellegi_sunter import probability

FIELD_NAMES = ("identity", "name", "place", "relation", "disability")
ROW = ("dataset", "source_file", "sheet", "source_row")  # a row of a list


def read_pairs(path: Path) -> pl.DataFrame | None:
    """The pairs in the file's own order, in the contract's columns; None where there is no such file.

    Raises ReconcileError E536 where the file is of another form.
    """
    if not path.is_file():
        return None
    try:
        pairs = pl.read_parquet(path)
        return pairs.select(pl.col(name).cast(kind) for name, kind in PAIRS.items())
    except (OSError, pl.exceptions.PolarsError) as error:
        why = f"列与约定不符或文件不完整（{type(error).__name__}）"
        raise ReconcileError(
            Problem("E536", "error", "比对记录表读不出来", why, "重新运行 `reconcile run`", file=path.name)
        ) from None


def scored(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs with `score`: the probability before any clerk judged, and `best`: the row's most probable pair.

    A judged pair is certain in the table; its score is that of its own weights, which the table keeps.
    """
    own = pl.sum_horizontal("prior_weight", *(f"{name}_weight" for name in FIELD_NAMES))
    judged = pl.col("method") == "reviewed"
    score = pl.when(judged).then(probability(own)).otherwise("match_probability")
    order = ["score", "certificate_number", "person_key"]
    best = pl.struct(order).sort_by(order, descending=[True, False, False]).first().over(ROW)
    return pairs.with_columns(score=score).with_columns(best=pl.struct(order) == best)


def rows_in(pairs: pl.DataFrame) -> int:
    """How many rows of lists the pairs are about."""
    return pairs.select(ROW).n_unique()
