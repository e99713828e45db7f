"""The last night opened again: its accepted snapshots, its register and its result tables, as they were.

Nothing is read from the inbox and nothing is matched anew. `run.json` names the files that the night used, the snapshot
store holds them, and `results/` says what was linked and what was believed for whom.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipeline import entitlement, matching
from pipeline.contracts import tables
from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.contracts.delivered import Intake, Snapshot
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import load_rules
from pipeline.contracts.settings import load_settings
from pipeline.desk.tune_pairs import read_pairs
from pipeline.entitlement.compile import CompiledRule
from pipeline.entitlement.facts import Fact
from pipeline.identity import region
from pipeline.identity.mask import mask_text
from pipeline.intake.store import last_kept
from pipeline.locked_database import folders_of_a_night
from pipeline.matching.store import keep
from pipeline.private_process import scratch


@dataclass(frozen=True)
class NightFolders:
    """Where the night's results, its state, the dataset files and the rules are, and the settings file if any."""

    out: Path
    state: Path
    schemas: Path
    rules: Path
    config: Path | None = None

    @property
    def results(self) -> Path:
        return self.out / "results"


@dataclass(frozen=True)
class LastNight:
    """The night's register and lists in a database (`people`, `keys`, `list_*`), with its results as `night_*`.

    `rules` are those about register people, compiled for the date, `outside` those about others. `whole` is False where rows that could not be
    read then are not known any more.
    """

    con: duckdb.DuckDBPyConnection
    delivered: Intake
    region: str
    datasets: Mapping[str, Dataset]
    rules: tuple[CompiledRule, ...]
    outside: tuple[CompiledRule, ...]
    facts: Mapping[str, Fact]
    whole: bool

    @property
    def as_of(self) -> date:
        return self.delivered.as_of

    @property
    def coverage(self) -> pl.DataFrame:
        return self.delivered.coverage


@contextmanager
def last_night(folders: NightFolders) -> Iterator[LastNight]:
    """Opens the night. Raises ReconcileError E533 (no night there), E534 (its snapshots are gone or changed), E536."""
    told = read_run(folders.out)
    datasets, rules = load_datasets(folders.schemas), load_rules(folders.rules)
    limits = load_settings(folders.config).limits
    delivered, whole = _delivered(folders, told, datasets)
    facts = entitlement.declared_facts(datasets)
    compiled = entitlement.compile_rules(rules, facts, delivered.as_of)
    about_people = tuple(c for c in compiled if c.rule.subject == "register")
    outside = tuple(c for c in compiled if c.rule.subject != "register")
    with scratch(folders.state, "explain-") as spill:
        reached = (*folders_of_a_night(folders.state), folders.results)
        con = matching.connect(limits.memory_gb, limits.threads, spill, reached)
        try:
            _open(con, folders.results, datasets, delivered)
            name = str(told.get("region") or "")
            yield LastNight(con, delivered, name, datasets, about_people, outside, facts, whole)
        finally:
            con.close()


def read_run(out: Path) -> dict[str, Any]:
    """`OUT/run.json` of the last night. Raises ReconcileError E533 where it or a result table is missing."""
    try:
        told = json.loads((out / "run.json").read_text(encoding="utf-8"))
        if told["format"] == 1 and all((out / "results" / f"{name}.parquet").is_file() for name in _NEEDED):
            return dict(told)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    why = "没有 run.json 或 results/ 不全，或不是这个版本写的"
    cure = "先运行 `reconcile run`，再用同一个 --out"
    raise ReconcileError(Problem("E533", "error", "这个输出目录里没有比对结果", why, cure, file=out.name))


_TABLES = {
    "links": tables.LINKS,
    "unlinked": tables.UNLINKED,
    "family_links": tables.FAMILY_LINKS,
    "outcomes": tables.OUTCOMES,
    "findings": tables.FINDINGS,
}
_NEEDED = (*_TABLES, "coverage")


def _open(
    con: duckdb.DuckDBPyConnection, results: Path, datasets: Mapping[str, Dataset], delivered: Intake
) -> None:
    """The lists and the register as the night had them, and `night_<table>` for its results."""
    matching.open_lists(con, datasets, delivered.snapshots, delivered.unreadable)
    register = next(d for d in datasets.values() if d.role == "register")
    matching.load_people(con, register, region.successor)
    for name in _TABLES:
        path = str(results / f"{name}.parquet").replace("'", "''")
        con.execute(f"create view night_{name} as select * from read_parquet('{path}')").fetchall()
    pairs = read_pairs(results / "pairs.parquet")
    keep(con, "night_pairs", pl.DataFrame(schema=tables.PAIRS) if pairs is None else pairs)


def _delivered(
    folders: NightFolders, told: Mapping[str, Any], datasets: Mapping[str, Dataset]
) -> tuple[Intake, bool]:
    as_of = date.fromisoformat(told["as_of"])
    snapshots = [_snapshot(folders.state, datasets, one) for one in told["inputs"]]
    lost = [
        mask_text(one["file"]) for one, kept in zip(told["inputs"], snapshots, strict=True) if kept is None
    ]
    if lost:
        why = f"比对时采用的 {len(lost)} 份名册在状态目录中已不在或已更换，例如 {lost[0]}"
        cure = "用 --state 指明那次运行的状态目录，或重新运行 `reconcile run`"
        raise ReconcileError(Problem("E534", "error", "那次比对的名册已经不全", why, cure))
    unreadable = folders.results / "unreadable.parquet"
    nothing = pl.DataFrame(schema=tables.UNREADABLE)
    delivered = Intake(
        as_of,
        tuple(kept for kept in snapshots if kept is not None),
        *((), (), ()),
        coverage=pl.read_parquet(folders.results / "coverage.parquet"),
        unreadable=pl.read_parquet(unreadable) if unreadable.is_file() else nothing,
    )
    return delivered, unreadable.is_file() or not told["read"]["rows_quarantined"]


def _snapshot(state: Path, datasets: Mapping[str, Dataset], told: Mapping[str, Any]) -> Snapshot | None:
    """The accepted snapshot that `run.json` tells of, out of the store; None where it is not there any more."""
    dataset = datasets.get(told["dataset"])
    folder = state / "store" / told["dataset"]
    if dataset is None or not folder.is_dir():
        return None
    for place in sorted(folder.glob("*/[0-9]*")):
        day = place.name
        if len(day) != 8 or day not in told["file"]:
            continue
        county = "" if place.parent.name == "all" else place.parent.name
        kept = last_kept(state, dataset, county, date(int(day[:4]), int(day[4:6]), int(day[6:])))
        if kept and (mask_text(kept.source_file), kept.rows) == (told["file"], told["rows"]):
            return replace(kept, county=county)
    return None
