"""`reconcile tune`: how right the fuzzy links are, what another threshold would do, and new weights on request.

It reads results and writes nothing but the files asked for (`--plot`, `--write`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.settings import Settings, load_settings
from pipeline.desk.explain_night import NightFolders, read_run
from pipeline.desk.tune_fit import cannot_write, fit_tables, refit, write_models
from pipeline.desk.tune_keys import keys_table
from pipeline.desk.tune_labels import Labelled, by_judgements, by_truth, read_truth
from pipeline.desk.tune_pairs import read_pairs, rows_in, scored
from pipeline.desk.tune_plot import plot
from pipeline.desk.tune_scores import THRESHOLDS, Line, by_threshold, calibration
from pipeline.desk.tune_words import (
    SOURCES,
    InForce,
    calibration_table,
    keys_words,
    review_words,
    suggestions,
    threshold_tables,
)
from pipeline.matching.judgements import current
from pipeline.run import weights_in_force


@dataclass(frozen=True)
class TuneRequest:
    """What `tune` is asked for besides its tables. `write` only together with `fit`."""

    truth: Path | None = None
    plot: Path | None = None
    fit: bool = False
    write: Path | None = None


def tune(folders: NightFolders, asked: TuneRequest, tell: Callable[[str], None]) -> None:
    """Tells the tables, then draws and fits what is asked for. Raises ReconcileError E533 (no night), E536 (nothing compared), E537 (truth), E538 (cannot write),
    E539 (too few pairs to fit).
    """
    told = read_run(folders.out)
    settings = load_settings(folders.config)
    chosen = settings.matching
    in_force = InForce(chosen.link_probability, chosen.review_probability)
    datasets = load_datasets(folders.schemas)
    titles = {key: dataset.title for key, dataset in datasets.items()}
    register = next(key for key, dataset in datasets.items() if dataset.role == "register")
    labelled = _labelled(
        folders, asked, {one["file"] for one in told["inputs"] if one["dataset"] != register}
    )
    thresholds = sorted({*THRESHOLDS, in_force.link})
    lines = by_threshold(labelled, thresholds)
    tell("\n".join(_page(folders, labelled, lines, titles, in_force)))
    if asked.plot:
        tell("\n" + _plotted(asked.plot, labelled, lines, titles, in_force))
    if asked.fit:
        fitted = _fitted(folders, settings, asked, labelled.pairs, titles, str(told["as_of"]))
        tell("\n".join(["", *fitted]))


def _labelled(folders: NightFolders, asked: TuneRequest, files: set[str]) -> Labelled:
    pairs = read_pairs(folders.results / "pairs.parquet")
    if pairs is None:
        why = "results/ 里没有 pairs.parquet，那次运行没有做模糊比对"
        raise ReconcileError(Problem("E536", "error", "没有可评估的比对", why, "重新运行 `reconcile run`"))
    if asked.truth is None:
        return by_judgements(scored(pairs), current(folders.state))
    links = pl.read_parquet(folders.results / "links.parquet")
    return by_truth(scored(pairs), links, read_truth(asked.truth), files)


def _page(
    folders: NightFolders, labelled: Labelled, lines: list[Line], titles: dict[str, str], in_force: InForce
) -> list[str]:
    pairs = labelled.pairs
    known = labelled.source != "none"
    return [
        f"比对过的对 {pairs.height:,}（{rows_in(pairs):,} 行），其中有标注 {pairs['right'].count():,}",
        f"{SOURCES[labelled.source]}；* 为现用阈值",
        review_words(labelled, in_force),
        *threshold_tables(labelled, lines, titles, in_force),
        "",
        "换一个阈值（本命令不改任何设置；要改请写 reconcile.toml 的 [matching] link_probability）",
        *suggestions(labelled, lines, titles, in_force),
        "",
        "概率是否可信：各段概率中实际是同一人的比例",
        *calibration_table(calibration(pairs)),
        "",
        "各种找法（分块键）带来什么、花费多少",
        *keys_words(keys_table(folders.results, pairs), titles, known=known),
    ]


def _plotted(
    path: Path, labelled: Labelled, lines: list[Line], titles: dict[str, str], in_force: InForce
) -> str:
    drawn = plot(lines, titles, in_force.link, intervals=labelled.source == "judgements")
    try:
        path.write_text(drawn, encoding="utf-8", newline="\n")
    except OSError as error:
        raise cannot_write(path, type(error).__name__, "换一个能写的位置") from None
    return f"图已写到 {path}"


def _fitted(
    folders: NightFolders,
    settings: Settings,
    asked: TuneRequest,
    pairs: pl.DataFrame,
    titles: dict[str, str],
    as_of: str,
) -> list[str]:
    models = weights_in_force(settings, folders.config)
    refits = refit(pairs, models)
    told = [f"重新估计的权重（从 {models.base.version} 出发）", *fit_tables(refits, titles)]
    if asked.write is None:
        return [
            *told,
            "没有写任何文件；要采用请加 --write 文件名，并在 reconcile.toml 的 [matching] weights 写上它",
        ]
    write_models(refits, models, as_of, asked.write)
    return [*told, f"已写到 {asked.write}；要采用请在 reconcile.toml 的 [matching] weights 写上它"]
