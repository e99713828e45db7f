"""New match weights from the last night's pairs, list by list, without labels; written only where asked.

A pair's own chance of agreeing by name is taken over as the night weighed it. The table holds the pairs that may be
matches, not those that blocking or their weight ruled out: these count as non-matches of which no level is known, as
many as the prior says (matches expected / prior); so a fit moves m, while u and the prior stay documented.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.desk.explain_text import columns
from pipeline.desk.tune_pairs import FIELD_NAMES
from pipeline.matching.estimate import Fit, fit
from pipeline.matching.fellegi_sunter import Model
from pipeline.matching.model_file import Models, save_models
from pipeline.reports.methods import FIELDS, level_words

FEWEST = 500  # pairs of a list: below it the documented weights are better than its own
_SHOWN = 0.1  # bits: smaller changes of a weight are counted, not listed


@dataclass(frozen=True)
class Refit:
    """One list's fit beside the model it started from."""

    dataset: str
    before: Model
    after: Model
    fit: Fit


def refit(pairs: pl.DataFrame, models: Models, fewest: int = FEWEST) -> list[Refit]:
    """A fit for every list with at least `fewest` pairs, in order; each starts from the model in force for it.

    Raises ReconcileError E539 where no list has enough.
    """
    sizes = pairs.group_by("dataset").len().filter(pl.col("len") >= fewest).sort("dataset")
    if sizes.is_empty():
        most = max(pairs.group_by("dataset").len()["len"], default=0)
        why = f"每份名单至少要有 {fewest} 对才估计，现在最多的一份有 {most} 对"
        raise ReconcileError(
            Problem("E539", "error", "样本太少，估计不了权重", why, "沿用现有权重，或等名单更大时再估计")
        )
    return [_refit(key, pairs.filter(pl.col("dataset") == key), models.of(key)) for key in sizes["dataset"]]


def _refit(key: str, pairs: pl.DataFrame, model: Model) -> Refit:
    matches = math.fsum(pairs["match_probability"])
    others = max(round(matches / model.prior) - pairs.height, 0)
    found = fit(levels_of(pairs, model), model, uncompared=others)
    return Refit(key, model, replace(found.model, prior=model.prior), found)


def levels_of(pairs: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The comparison levels, and `name_u` out of the weight that the night gave the name: m / 2^weight."""
    names = next(field for field in model.fields if field.name == "name")
    m = pl.col("name").replace_strict(
        {level.name: level.m for level in names.known}, default=None, return_dtype=pl.Float64
    )
    chance = (m / 2.0 ** pl.col("name_weight")).clip(1e-12, 1.0)
    return pairs.select(*FIELD_NAMES, name_u=chance)


def fit_tables(refits: Sequence[Refit], titles: Mapping[str, str]) -> list[str]:
    """Old and new m and weight, list by list; what hardly moved is counted."""
    told = []
    for one in refits:
        state = "已收敛" if one.fit.converged else "没有收敛，不宜采用"
        title = titles.get(one.dataset, one.dataset)
        told.append(f"《{title}》{one.fit.pairs:,} 对，{one.fit.rounds} 轮，{state}")
        rows, still = _moved(one)
        if rows:
            heads = ["项目", "比较等级", "m 原", "m 新", "权重 原", "权重 新"]
            told += ["  " + line for line in columns([heads, *rows], numbers_from=2)]
        told.append(f"  其余 {still} 个等级的权重变化不到 {_SHOWN} 位")
    return told


def _moved(one: Refit) -> tuple[list[list[str]], int]:
    rows, still = [], 0
    for old, new in zip(one.before.fields, one.after.fields, strict=True):
        for a, b in zip(old.known, new.known, strict=True):
            if abs(a.weight - b.weight) < _SHOWN:
                still += 1
                continue
            words = [FIELDS.get(old.name, old.name), level_words(old.name, a.name)]
            rows.append([*words, f"{a.m:.4g}", f"{b.m:.4g}", f"{a.weight:+.1f}", f"{b.weight:+.1f}"])
    return rows, still


def write_models(refits: Sequence[Refit], models: Models, as_of: str, path: Path) -> None:
    """The refitted lists beside the others unchanged, as a new file. Raises ReconcileError E538."""
    version = f"fit-{as_of}"
    lists = {**models.lists, **{one.dataset: one.after for one in refits}}
    made_from = {
        "as_of": as_of,
        "started_from": models.base.version,
        "lists": ", ".join(one.dataset for one in refits),
        "pairs": str(sum(one.fit.pairs for one in refits)),
        "converged": "true" if all(one.fit.converged for one in refits) else "false",
    }
    new = Models(
        replace(models.base, version=version),
        {key: replace(model, version=version) for key, model in lists.items()},
        made_from,
    )
    if path.exists():
        raise cannot_write(path, "已有这个文件，权重文件不覆盖", "换一个文件名")
    try:
        save_models(new, path)
    except OSError as error:
        raise cannot_write(path, f"{type(error).__name__}", "换一个能写的位置") from None


def cannot_write(path: Path, why: str, cure: str) -> ReconcileError:
    """E538."""
    return ReconcileError(Problem("E538", "error", "文件写不出来", why, cure, file=path.name))
