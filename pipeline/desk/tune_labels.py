"""Which compared pairs are known to be right or wrong: from clerks' judgements, or from a file of the truth."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.identity.mask import mask_text
from pipeline.matching.judgements import DIFFERENT, SAME

_PLACE = ["dataset", "source_file", "source_row"]  # a truth file knows no sheets
_PAIR_KEY = ("row_key", "person_key")


@dataclass(frozen=True)
class Labelled:
    """Scored pairs with `right` (Boolean, null where nobody knows).

    Only a truth file says more: `exact`, the links made by number (dataset, right), and `due`, how many rows of each
    delivered list belong to somebody on the register (dataset, due).
    """

    source: Literal["judgements", "truth", "none"]
    pairs: pl.DataFrame
    exact: pl.DataFrame | None = None
    due: pl.DataFrame | None = None


def by_judgements(pairs: pl.DataFrame, answers: pl.DataFrame) -> Labelled:
    """Labels by what clerks answered (row_key, person_key, answer). Rows that say the same share one answer, which
    counts once.
    """
    right = pl.when(pl.col("answer") == SAME).then(True).when(pl.col("answer") == DIFFERENT).then(False)
    known = pairs.join(answers.select(*_PAIR_KEY, "answer"), on=_PAIR_KEY, how="left", maintain_order="left")
    first = pl.struct(_PAIR_KEY).is_first_distinct()
    labelled = known.with_columns(right=pl.when(first).then(right)).drop("answer")
    return Labelled("judgements" if labelled["right"].count() else "none", labelled)


def by_truth(
    pairs: pl.DataFrame, links: pl.DataFrame, truth: pl.DataFrame, files: Collection[str]
) -> Labelled:
    """Labels by the truth (`read_truth`). `links`: the night's links; `files`: names of those that the
    night used, masked as in run.json."""
    names = [name for name in truth["source_file"].unique() if mask_text(name) in files]
    used = truth.filter(pl.col("source_file").is_in(names))
    owners = used.group_by(_PLACE).agg(pl.col("certificate_number").alias("owners"))
    fuzzy = pairs.filter(pl.col("decision") == "linked").select(*_PLACE, "certificate_number")
    linked = links.filter(pl.col("decision") == "linked")
    exact = linked.join(fuzzy, on=[*_PLACE, "certificate_number"], how="anti", maintain_order="left")
    belonging = used.filter(pl.col("certificate_number") != "")
    return Labelled(
        "truth",
        _right(pairs, owners),
        _right(exact, owners).select("dataset", "right"),
        belonging.group_by("dataset").agg(pl.len().cast(pl.Int64).alias("due")).sort("dataset"),
    )


def _right(pairs: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    known = pairs.join(owners, on=_PLACE, how="left", maintain_order="left")
    return known.with_columns(right=pl.col("owners").list.contains(pl.col("certificate_number"))).drop(
        "owners"
    )


def read_truth(path: Path) -> pl.DataFrame:
    """The truth as dataset, source_file, source_row, certificate_number ("" where the row is nobody's on the register).

    A CSV with these columns, or a folder with rows.csv (dataset, source_file, source_row, person) and people.csv
    (person, certificate_number). Raises ReconcileError E537.
    """
    if not path.is_dir():
        return _typed(_csv(path, [*_PLACE, "certificate_number"]), path)
    rows = _csv(path / "rows.csv", [*_PLACE, "person"])
    people = _csv(path / "people.csv", ["person", "certificate_number"])
    if people["person"].is_duplicated().any():
        raise _bad(path / "people.csv", "同一个 person 有两行")
    return _typed(rows.join(people, on="person", how="left", maintain_order="left"), path)


def _typed(rows: pl.DataFrame, path: Path) -> pl.DataFrame:
    number = rows["source_row"].cast(pl.Int64, strict=False)
    if (
        number.null_count()
        or rows.select(pl.any_horizontal(pl.col("dataset", "source_file").is_null()).any()).item()
    ):
        raise _bad(path, "有的行没有写名单、文件或行号，或行号不是整数")
    certificate = pl.col("certificate_number").fill_null("").str.strip_chars()
    return rows.select("dataset", "source_file", number.alias("source_row"), certificate)


def _csv(path: Path, columns: list[str]) -> pl.DataFrame:
    try:
        table = pl.read_csv(path, infer_schema=False, encoding="utf8")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _bad(path, f"不是 UTF-8 的 CSV，或打不开（{type(error).__name__}）") from None
    table = table.rename({name: name.removeprefix("\ufeff") for name in table.columns})
    lacking = [name for name in columns if name not in table.columns]
    if lacking:
        raise _bad(path, f"缺少列 {'、'.join(lacking)}")
    return table.select(columns)


def _bad(path: Path, why: str) -> ReconcileError:
    cure = "列为 dataset, source_file, source_row, certificate_number；或用含 rows.csv 与 people.csv 的文件夹"
    return ReconcileError(Problem("E537", "error", "答案文件不能用", why, cure, file=mask_text(path.name)))
