"""Splink 5 on a part of the benchmark's rows: `PYTHON splink_links.py PART`, PYTHON having splink, polars and pyarrow.

PART holds `splink_rows.parquet` and `splink_people.parquet` (unique_id, number, name, pinyin, dob, sex, county, already
cleaned by this project, which costs Splink nothing) and `truth.parquet`. The model is the one of the Chinese worlds:
ID (exact, Damerau-Levenshtein 1 and 3), name (exact with term frequencies, same pinyin, Jaro-Winkler), birth date,
county and sex; six blocking rules; u by a million random pairs, m by EM under two rules.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from pathlib import Path

import polars as pl
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import Linker, SettingsCreator, block_on
from splink.backends.duckdb import DuckDBAPI

_MILLION = 1e6
_RULES = (
    ("number",),
    ("name", "dob"),
    ("pinyin", "dob"),
    ("dob", "sex", "county"),
    ("substr(number, 1, 14)", "pinyin"),
    ("substr(number, 7, 11)",),
)


def settings() -> SettingsCreator:
    name = cl.CustomComparison(
        output_column_name="name",
        comparison_levels=[
            cll.NullLevel("name"),
            cll.ExactMatchLevel("name", term_frequency_adjustments=True),
            cll.ExactMatchLevel("pinyin"),
            cll.JaroWinklerLevel("pinyin", 0.92),
            cll.JaroWinklerLevel("name", 0.8),
            cll.ElseLevel(),
        ],
    )
    comparisons = [cl.DamerauLevenshteinAtThresholds("number", [1, 3]), name]
    comparisons += [cl.ExactMatch(column) for column in ("dob", "county", "sex")]
    return SettingsCreator(
        link_type="link_only",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in _RULES],
    )


def linked(part: Path) -> tuple[pl.DataFrame, dict[str, float]]:
    """All scored pairs (unique_id_l, unique_id_r, match_probability, match_weight) and the seconds of the stages."""
    api, seconds, start = DuckDBAPI(), {}, time.perf_counter()
    tables = [
        api.register(
            pl.read_parquet(part / f"splink_{side}.parquet").to_arrow(),
            dataset_display_name=f"{place}_{side}",
        )
        for place, side in (("a", "rows"), ("b", "people"))
    ]
    linker = Linker(tables, settings(), log_level=logging.ERROR)
    training = linker.training
    training.estimate_probability_two_random_records_match([block_on("number")], recall=0.97)
    training.estimate_u_using_random_sampling(max_pairs=_MILLION, seed=1)
    for rule in (("number",), ("pinyin", "dob")):
        training.estimate_parameters_using_expectation_maximisation(
            block_on(*rule), max_pairs=_MILLION, record_sample_proportion=1.0
        )
    seconds["train_s"], start = time.perf_counter() - start, time.perf_counter()
    scored = linker.inference.predict().as_pyarrow_table()
    seconds["predict_s"] = time.perf_counter() - start
    frame = pl.from_arrow(scored)
    assert isinstance(frame, pl.DataFrame)
    return frame.select("unique_id_l", "unique_id_r", "match_probability", "match_weight"), seconds


def judged(pairs: pl.DataFrame, truth: pl.DataFrame) -> str:
    right = pairs.join(truth, left_on=["unique_id_l", "unique_id_r"], right_on=["row", "person"], how="semi")
    precision, recall = right.height / max(1, pairs.height), right.height / max(1, truth.height)
    return f"right {right.height}  wrong {pairs.height - right.height}  precision {precision:.4f}  recall {recall:.4f}"


def best_of_both(pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs that are the best of their row and of their person."""
    best = pairs.sort("match_weight", "unique_id_l", "unique_id_r", descending=[True, False, False])
    rows = best.unique("unique_id_l", keep="first", maintain_order=True)
    people = best.unique("unique_id_r", keep="first", maintain_order=True)
    return rows.join(people, on=["unique_id_l", "unique_id_r"], how="semi")


def peak_mb() -> float:
    """The most memory this process has had (its own: the parent's would be handed down in ru_maxrss)."""
    found = re.search(r"VmHWM:\s+([0-9]+)", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    part = Path(sys.argv[1])
    pairs, seconds = linked(part)
    truth = pl.read_parquet(part / "truth.parquet").select(
        pl.col("source_row").cast(pl.String).alias("row"), pl.col("certificate_number").alias("person")
    )
    whole = sum(seconds.values())
    stages = "  ".join(f"{name} {value:.1f}" for name, value in seconds.items())
    print(
        f"splink, part    {stages}  pairs {pairs.height}  µs a pair {whole / max(1, pairs.height) * 1e6:.1f}"
        f" (predict alone {seconds['predict_s'] / max(1, pairs.height) * 1e6:.1f})  peak_mb {peak_mb():.0f}"
    )
    for threshold in (0.5, 0.95):
        sure = pairs.filter(pl.col("match_probability") >= threshold)
        print(f"  at {threshold}: {judged(sure, truth)}; best of both: {judged(best_of_both(sure), truth)}")


if __name__ == "__main__":
    main()
