"""Speed and memory as ratios measured in the same run: intake against a plain polars scan, the night against a plain join.

The world comes from `reconcile sample`, whose large lists are written as accepted Parquet directly. Every measured
step is a process of its own, so that peak memory is its own; plain and own steps alternate, medians are printed.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

AS_OF = date(2026, 10, 31)
ROOT = Path(__file__).resolve().parent.parent


def measured(step: Callable[[], object]) -> dict[str, float]:
    """Wall and CPU seconds and peak resident megabytes of this process and its finished children."""
    start, before = time.perf_counter(), _cpu()
    step()
    wall = time.perf_counter() - start
    own, children = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {"wall": wall, "cpu": _cpu() - before, "peak_mb": max(own, children) / 1024}


def _cpu() -> float:
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in uses)


def snapshots(state: Path) -> list[object]:
    """The accepted snapshots that the generator left in a store."""
    import pyarrow.parquet as pq

    from pipeline.contracts.delivered import Snapshot

    found = []
    for folder in sorted((state / "store").glob("*/*/*/*")):
        dataset, county = "/".join(folder.parts[-4:-2]), folder.parts[-2]
        parts = sorted(folder.glob("*.parquet"))
        rows = sum(pq.read_metadata(part).num_rows for part in parts)
        source = "" if not rows else pq.read_table(parts[0], columns=["source_file"]).column(0)[0].as_py()
        county = "" if county == "all" else county
        found.append(Snapshot(dataset, county, AS_OF, rows, folder, source))
    return found


def plain_join(state: Path, kept: str = "l.source_file, l.source_row") -> None:
    """The bare scan-and-join: every list to the register on the ID; `kept` of the joined rows and the certificate are kept."""
    import duckdb

    con = duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(state / "spill")})
    con.execute("set enable_progress_bar = false").fetchall()
    lists: dict[str, list[str]] = {}
    for snapshot in snapshots(state):
        lists.setdefault(snapshot.dataset, []).extend(str(f) for f in snapshot.files)  # type: ignore[attr-defined]
    register = lists.pop("federation/register")
    con.execute(
        f"create table register as select * from read_parquet({register}) where id is not null"
    ).fetchall()
    for files in lists.values():
        columns = [row[0] for row in con.execute(f"describe select * from read_parquet({files})").fetchall()]
        key = next((c for c in ("id", "hid", "cert_id") if c in columns), None)
        con.execute(
            f"create or replace table joined as select {kept}, r.cert as register_cert"
            f" from read_parquet({files}) as l join register as r on l.{key} = r.id"
        ).fetchall()


def own_night(state: Path) -> None:
    """From accepted Parquet to result files: matching, facts, rules, reasons, writing."""
    import polars as pl

    from pipeline import matching
    from pipeline.contracts.dataset import load_datasets
    from pipeline.contracts.delivered import Intake
    from pipeline.contracts.rule import load_rules
    from pipeline.results import write_results
    from pipeline.run import decide, match

    datasets, rules = load_datasets(ROOT / "schemas"), load_rules(ROOT / "rules")
    accepted = tuple(snapshots(state))
    counties = ["539901", "539902", "539923", "539924"]
    coverage = pl.DataFrame(
        [(key, county, "accepted", AS_OF, 0, "") for key in datasets for county in counties],
        schema=["dataset", "county_code", "status", "snapshot_date", "rows", "why"],
        orient="row",
    )
    delivered = Intake(AS_OF, accepted, (), (), (), coverage=coverage)  # type: ignore[arg-type]
    con = matching.connect(3.0, 2, str(state / "spill"))
    delivered = match(con, datasets, delivered)
    decide(con, datasets, rules, delivered, AS_OF)
    write_results(con, coverage, state / "results")
    con.close()


STEPS: dict[str, Callable[[Path], None]] = {"plain_join": plain_join, "own_night": own_night}


def in_process(step: str, state: Path, script: str = __file__) -> dict[str, float]:
    command = [sys.executable, script, "--step", step, "--state", str(state)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{step} failed:\n{done.stderr}")
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def compare(plain: str, own: str, state: Path, runs: int) -> None:
    """The two in turn; medians and the ratio pair by pair."""
    pairs = [(in_process(plain, state), in_process(own, state)) for _ in range(runs)]
    for name, k in ((plain, 0), (own, 1)):
        median = {
            key: statistics.median(pair[k][key] for pair in pairs) for key in ("wall", "cpu", "peak_mb")
        }
        print(
            f"{name:12s} wall {median['wall']:.1f} s  cpu {median['cpu']:.1f} s  peak {median['peak_mb']:.0f} MB"
        )
    ratios = sorted(own_["wall"] / plain_["wall"] for plain_, own_ in pairs)
    print(
        f"{own} / {plain}: {statistics.median(ratios):.2f} (of {len(ratios)} runs: {', '.join(f'{r:.2f}' for r in ratios)})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--people", type=int, default=20_000_000, help="people in the world (insured rows are about as many)"
    )
    parser.add_argument(
        "--share", type=float, default=0.015, help="share who hold a certificate (20M x 0.015 = 300k)"
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="keep the world here and use it again")
    parser.add_argument("--step", choices=sorted(STEPS), help=argparse.SUPPRESS)
    parser.add_argument("--state", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(measured(lambda: STEPS[options.step](options.state))))
        return
    with tempfile.TemporaryDirectory() as temp:
        state = options.keep or Path(temp)
        if not (state / "store").is_dir():
            from pipeline.sample import make_sample

            start = time.perf_counter()
            make_sample(
                options.people, state / "unused", accepted=state, register_share=options.share, as_of=AS_OF
            )
            print(f"world of {options.people} people made in {time.perf_counter() - start:.0f} s")
        compare("plain_join", "own_night", state, options.runs)


if __name__ == "__main__":
    main()
