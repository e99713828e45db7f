"""Reads `results/pairs.parquet` for the clerk: the doubtful pairs, row by row, each pair asked once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.contracts.problem import Problem, ReconcileError

WEIGHED = ("identity", "name", "place", "relation", "disability")
_KEYS = ("dataset", "row_key", "person_key")
_COLUMNS = (
    *("dataset", "source_file", "sheet", "source_row", "certificate_number", "county_code"),
    *("method", "match_probability", "match_weight", "keys", "prior_weight"),
    *WEIGHED,
    *(f"{field}_weight" for field in WEIGHED),
    *("row_key", "person_key", "shown"),
)
_SOURCE = ("dataset", "source_file", "sheet", "source_row")


@dataclass(frozen=True)
class Shown:
    """One thing to compare. None: this side does not say it."""

    label: str
    row: str | None
    register: str | None


def doubtful_pairs(out: Path, dataset: str = "") -> pl.DataFrame:
    """The pairs that wait for a clerk, in the order in which he sees them: a row's candidates together, the likeliest first.

    Columns of the pairs table and: `pair` (from 1), `candidate` (from 1) of `candidates`, `repeats` (how many more rows of
    the list say the same and share the answer). Raises ReconcileError E522, E527.
    """
    scan = _scan(out, dataset, ("decision", *_COLUMNS))
    try:
        found = scan.filter(pl.col("decision") == "review").select(_COLUMNS).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(type(error).__name__) from None
    order = [*_SOURCE, "match_probability", "match_weight", "certificate_number"]
    descending = [name in ("match_probability", "match_weight") for name in order]
    one_place = pl.struct(_SOURCE)
    return (
        found.sort(order, descending=descending, nulls_last=True)
        .with_columns(repeats=one_place.n_unique().over("row_key") - 1)
        .unique(["row_key", "person_key"], keep="first", maintain_order=True)
        .with_row_index("at")
        .sort(pl.col("at").min().over("row_key"), "at")
        .with_columns(
            candidate=pl.int_range(1, pl.len() + 1).over("row_key"), candidates=pl.len().over("row_key")
        )
        .drop("at")
        .with_row_index("pair", offset=1)
    )


def known_pairs(out: Path, dataset: str = "") -> pl.DataFrame:
    """Every pair that was compared, doubtful or not: dataset, row_key, person_key, once a pair. Raises ReconcileError E522, E527."""
    try:
        found = _scan(out, dataset, _KEYS).select(_KEYS).collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(type(error).__name__) from None
    return found.sort(_KEYS).unique(["row_key", "person_key"], keep="first", maintain_order=True)


def shown(text: str) -> list[Shown]:
    """What the clerk compares, of one pair's `shown`."""
    return [Shown(item["label"], item["row"], item["register"]) for item in json.loads(text)]


def _scan(out: Path, dataset: str, needed: tuple[str, ...]) -> pl.LazyFrame:
    path = out / "results" / "pairs.parquet"
    if not path.is_file():
        why, cure = (
            "没有比对结果就没有可核的对",
            "先用 reconcile run 运行一次，并用 --out 指明同一个输出文件夹",
        )
        raise ReconcileError(
            Problem("E522", "error", "找不到存疑对的表", why, cure, file="results/pairs.parquet")
        )
    scan = pl.scan_parquet(path)
    try:
        wanting = [name for name in needed if name not in scan.collect_schema()]
        lists = scan.select("dataset").unique().collect()["dataset"].to_list() if dataset else []
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(type(error).__name__) from None
    if wanting:
        raise _unreadable(f"缺少 {'、'.join(wanting)} 列")
    if not dataset:
        return scan
    if dataset not in lists:
        have = f"表里有：{'、'.join(sorted(lists)) or '（空）'}"
        raise ReconcileError(
            Problem("E527", "error", f"没有名册 {dataset} 的存疑对", have, "改 --dataset，或不写它")
        )
    return scan.filter(pl.col("dataset") == dataset)


def _unreadable(why: str) -> ReconcileError:
    what, cure = "存疑对的表读不出来", "重新运行 reconcile run"
    return ReconcileError(Problem("E522", "error", what, why, cure, file="results/pairs.parquet"))
