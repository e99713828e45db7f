"""Whole nights for the scenario tests: a small synthetic prefecture on real files, run as a user runs it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import polars as pl

from pipeline import intake, matching
from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.rule import load_rules
from pipeline.contracts.settings import Settings
from pipeline.run import Night, Request, decide, match, run
from pipeline.sample import make_sample

ROOT = Path(__file__).resolve().parents[2]
AS_OF = date(2026, 10, 31)


def make_world(
    folder: Path, *, people: int = 800, share: float = 0.08, counties: int = 2, seed: int = 12
) -> Path:
    """A small inbox with every dataset; about `people * share` certificate holders."""
    inbox = folder / "inbox"
    make_sample(
        people, inbox, seed=seed, as_of=AS_OF, counties=counties, register_share=share, truth=folder / "truth"
    )
    return inbox


def night(
    inbox: Path,
    out: Path,
    *,
    as_of: date | None = AS_OF,
    config: Path | None = None,
    state: Path | None = None,
) -> Night:
    """One run in this process on the project's own schemas and rules."""
    return run(
        Request(
            inbox, out, state or out / "state", ROOT / "schemas", ROOT / "rules", as_of=as_of, config=config
        )
    )


def missing_flags(
    inbox: Path, state: Path, as_of: date = AS_OF, *, threads: int = 0
) -> tuple[set[tuple[str, str]], set[str]]:
    """The `missing` flags and the coverage statuses of a night, without writing reports."""
    datasets, rules = load_datasets(ROOT / "schemas"), load_rules(ROOT / "rules")
    delivered = intake.take_in(inbox, state, datasets, as_of, Settings())
    con = matching.connect(2.0, threads, str(state / "spill"))
    try:
        delivered = match(con, datasets, delivered)
        decide(con, datasets, rules, delivered, as_of)
        query = (
            "select p.certificate_number, o.benefit from outcomes as o join people as p on p.person = o.person"
            " where o.outcome = 'missing'"
        )
        return set(con.execute(query).fetchall()), set(delivered.coverage["status"])
    finally:
        con.close()


def copy_of(inbox: Path, folder: Path) -> Path:
    """A private copy of an inbox that a test may damage."""
    return Path(shutil.copytree(inbox, folder / "inbox"))


def table(out: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(out / "results" / f"{name}.parquet")


def flags(out: Path) -> set[tuple[str, str]]:
    """(certificate number, benefit) of the `missing` outcomes."""
    missing = table(out, "outcomes").filter(pl.col("outcome") == "missing")
    return set(missing.select("certificate_number", "benefit").iter_rows())


def status(out: Path, dataset: str) -> dict[str, str]:
    """Coverage status by county of one list."""
    rows = table(out, "coverage").filter(pl.col("dataset") == dataset)
    return dict(rows.select("county_code", "status").iter_rows())


def deliveries(inbox: Path) -> list[Path]:
    return sorted(path for path in inbox.rglob("*") if path.is_file())


def one(inbox: Path, dataset: str, suffix: str = "") -> Path:
    """The first delivered file of a list (with a suffix, if one is asked for)."""
    return next(path for path in sorted((inbox / dataset).iterdir()) if path.name.endswith(suffix))
