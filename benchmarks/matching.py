"""Matching one list against the register: how long beside the exact join alone, in how much memory, how right.

One list of `--rows` rows (about 2 % of its numbers damaged) and a register of `--people`. Every measured step is a
process of its own, the joins and the whole matching in turn; ratios are taken run by run: to the bare join (reads
the ID, keeps place and certificate), to the join that keeps the joined rows, and to the own exact matching. With `--splink
PYTHON` (an interpreter that has splink and polars) Splink links a part of the same rows to the same register, and the
matching is measured on that part, too.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import ROOT, in_process, measured, plain_join, snapshots
from matching_data import LIST, REGISTER, cut_state, make_state, write_splink_input

_MEMORY_GB, _THREADS = 3.0, 2
_PART_RUN_SECONDS = 300


def whole_matching(state: Path) -> dict[str, float]:
    """From accepted Parquet to links: numbers, exact links, the fuzzy fallback. Then, unmeasured, how right they are."""
    from pipeline import matching
    from pipeline.contracts.dataset import load_datasets
    from pipeline.identity import region

    there = {REGISTER, LIST}
    datasets = {key: each for key, each in load_datasets(ROOT / "schemas").items() if key in there}
    register = next(d for d in datasets.values() if d.role == "register")
    con = matching.connect(_MEMORY_GB, _THREADS, str(state / "spill"))
    accepted = tuple(snapshots(state))
    steps: dict[str, Callable[[], object]] = {
        "open": lambda: matching.open_lists(con, datasets, accepted),  # type: ignore[arg-type]
        "people": lambda: matching.load_people(con, register, region.successor),
        "exact": lambda: matching.link_exactly(con, datasets),
        "fuzzy": lambda: matching.link_fuzzily(con, datasets, matching.Matcher(), region.successor),
        "finish": lambda: matching.finish_links(con, datasets),
    }
    seconds: dict[str, float] = {}

    def every_step() -> None:
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[f"{name}_s"] = time.perf_counter() - start

    told = measured(every_step) | {"peak_mb": peak_mb()} | seconds
    told |= how_right(con, state)
    con.close()
    return told


_RIGHT = """
with found as (
  select l.source_row, p.certificate_number as got, l.decision, l.method
  from links as l join people as p on p.person = l.person
  where l.dataset = '{dataset}'),
judged as (
  select t.certificate_number as cert, f.got, f.decision, f.method
  from read_parquet('{truth}') as t full join found as f on f.source_row = t.source_row)
select
  count(cert) as due,
  count(*) filter (where decision = 'linked' and got = cert) as right_links,
  count(*) filter (where decision = 'linked' and got is distinct from cert) as wrong_links,
  count(*) filter (where decision = 'linked' and got = cert and method in {fuzzy}) as fuzzy_right,
  count(*) filter (where decision = 'linked' and got is distinct from cert and method in {fuzzy}) as fuzzy_wrong,
  count(*) filter (where decision = 'review' and got = cert) as review_right,
  count(*) filter (where decision = 'review' and got is distinct from cert) as review_wrong
from judged"""


def how_right(con: Any, state: Path) -> dict[str, float]:
    """Links against the truth, and how many pairs the keys brought (`pairs`: counted once a key)."""
    methods = con.execute("select distinct method from pairs").fetchall()
    fuzzy = "(" + ", ".join(f"'{method}'" for (method,) in methods) + ", '')"
    sql = _RIGHT.format(dataset=LIST, truth=state / "truth.parquet", fuzzy=fuzzy)
    told: dict[str, float] = con.sql(sql).pl().row(0, named=True)
    pairs = con.execute(f"select coalesce(sum(pairs), 0) from blocks where dataset = '{LIST}'").fetchall()
    linked = told["right_links"] + told["wrong_links"]
    return told | {
        "pairs": int(pairs[0][0]),
        "precision": told["right_links"] / max(1, linked),
        "recall": told["right_links"] / max(1, told["due"]),
    }


def exact_join(state: Path) -> dict[str, float]:
    return measured(lambda: plain_join(state)) | {"peak_mb": peak_mb()}


def row_join(state: Path) -> dict[str, float]:
    """The exact join that keeps what a link needs: the whole row."""
    return measured(lambda: plain_join(state, "l.*")) | {"peak_mb": peak_mb()}


def peak_mb() -> float:
    """The most memory this process has had (its own: `ru_maxrss` would hand down the parent's through fork)."""
    found = re.search(r"VmHWM:\s+([0-9]+)", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / 1024 if found else 0.0


STEPS: dict[str, Callable[[Path], dict[str, float]]] = {
    "exact_join": exact_join,
    "row_join": row_join,
    "whole_matching": whole_matching,
}


def line(name: str, told: dict[str, float]) -> str:
    return f"{name:15s} " + "  ".join(
        f"{key} {value:.4f}"
        if key in ("precision", "recall")
        else f"{key} {value:.1f}"
        if isinstance(value, float)
        else f"{key} {value}"
        for key, value in told.items()
    )


def compare(state: Path, runs: int) -> None:
    """Joins and matching in turn; every run is told, and the ratios run by run."""
    told = []
    for _ in range(runs):
        told.append({step: in_process(step, state, __file__) for step in STEPS})
        for step, found in told[-1].items():
            print(line(step, found), flush=True)
    for clock in ("wall", "cpu"):
        for join in ("exact_join", "row_join"):
            ratios = [run["whole_matching"][clock] / run[join][clock] for run in told]
            print(f"whole_matching / {join}, {clock}: {_median(ratios)}")
    own = [run["whole_matching"] for run in told]
    alone = [found["wall"] / (found["wall"] - found["fuzzy_s"]) for found in own]
    print(f"whole_matching / its own exact matching alone, wall: {_median(alone)}")
    print(f"peak of whole_matching: {max(found['peak_mb'] for found in own):.0f} MB", flush=True)


def _median(ratios: list[float]) -> str:
    shown = ", ".join(f"{ratio:.2f}" for ratio in sorted(ratios))
    return f"{statistics.median(ratios):.2f} (of {len(ratios)} runs: {shown})"


def beside_splink(state: Path, python: Path, rows: int) -> None:
    """Splink and the matching on the first `rows` rows and the whole register."""
    part = state / f"part-{rows}"
    if not part.is_dir():
        cut_state(state, part, rows)
        write_splink_input(part)
    own = in_process("whole_matching", part, __file__)
    print(line("own, part", own), flush=True)
    command = [str(python), str(Path(__file__).with_name("splink_links.py")), str(part)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PART_RUN_SECONDS)
    except subprocess.TimeoutExpired:
        print(
            f"splink, part: not done after {_PART_RUN_SECONDS} s on {rows} rows; try --splink-rows {rows // 2}"
        )
        return
    lines = done.stdout.splitlines()
    print("\n".join(lines) if not done.returncode else f"splink failed: {done.stderr[-500:]}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--people", type=int, default=300_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="keep the data here and use it again")
    parser.add_argument("--splink", type=Path, help="a Python that has splink 5, polars and pyarrow")
    parser.add_argument("--splink-rows", type=int, default=200_000)
    parser.add_argument("--step", choices=sorted(STEPS), help=argparse.SUPPRESS)
    parser.add_argument("--state", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(STEPS[options.step](options.state)))
        return
    with tempfile.TemporaryDirectory() as temp:
        state = options.keep or Path(temp)
        if not (state / "truth.parquet").is_file():
            start = time.perf_counter()
            make_state(options.rows, options.people, state)
            print(f"{options.rows} rows made in {time.perf_counter() - start:.0f} s", flush=True)
        compare(state, options.runs)
        if options.splink:
            beside_splink(state, options.splink, options.splink_rows)


if __name__ == "__main__":
    main()
