"""What the last night knew of everybody, kept in the state folder for questions that need no new night (`reconcile plan`).

`STATE/night/` holds the facts of all register people as they were that night, who they are, and what was accepted where.
It is written whole beside its place and renamed, readable by its owner only, and replaced every night. A fact is kept
with a hash of its declaration: under another declaration the same name would mean something else.

`STATE/night-before/` is the same of the night with which the last one was compared (what was lost since last month): the
last one of an earlier month. A second night of the same day, or of the same month, finds the same one there.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.entitlement.fact import Fact
from pipeline.entitlement.facts import UNMATCHABLE
from pipeline.system_files import sync

FOLDER, BEFORE = "night", "night-before"
_MANIFEST = "night.json"
_FORMAT = 1
_OWN_COLUMNS = ("person", "county_code")
_PEOPLE = """
select p.person, p.certificate_number, p.id_number, p.name, p.county_code, p.address, p.birth_date,
  m.person is not null as matchable
from people as p left join matchable as m on m.person = p.person"""
# no order is asked for: what is read again is only joined and counted
_TABLES = {
    "facts": "select * from facts",
    "facts_sure": "select * from facts_sure",
    "people": _PEOPLE,
    "covered": "select * from covered",
}


@dataclass(frozen=True)
class KeptNight:
    """A kept night: its folder, its as-of date, and the hash of the declaration of every fact that is there."""

    folder: Path
    as_of: date
    facts: Mapping[str, str]
    written: str  # the manifest's text: another one means another night


def keep_night(con: duckdb.DuckDBPyConnection, state: Path, facts: Mapping[str, Fact], as_of: date) -> None:
    """Writes `STATE/night/`: `facts` and `facts_sure` with all columns they have, `people`, `covered`.

    The night that was there moves to `STATE/night-before/` where it is the one to compare this one with. `facts` are the declarations by name (those that were not built are not kept). Call it after `decide` and under the
    run's lock. Files 0600 in a folder 0700. Raises OSError, duckdb.IOException where the disk refuses.
    """
    place, before = state / FOLDER, state / BEFORE
    fresh, old = state / f"{FOLDER}.part", state / f"{FOLDER}.old"
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    for name, query in _TABLES.items():
        _write(con, query, fresh / f"{name}.parquet")
    built = [row[0] for row in con.execute("describe facts").fetchall() if row[0] not in _OWN_COLUMNS]
    told = {
        "format": _FORMAT,
        "as_of": as_of.isoformat(),
        "facts": {name: declaration_hash(facts[name]) for name in built},
    }
    manifest = fresh / _MANIFEST
    manifest.touch(mode=0o600)
    manifest.write_text(
        json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
    for path in (*sorted(fresh.iterdir()), fresh):
        sync(path)
    earlier = earlier_night(state, as_of)
    if earlier is not None and earlier.folder == place:
        if before.exists():
            before.rename(old)
        place.rename(before)
    elif place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def kept_night(state: Path) -> KeptNight:
    """What `STATE/night/` holds. Raises ReconcileError E550 where there is no night, or not one of this version."""
    night = _read(state / FOLDER)
    if night is not None:
        return night
    why = "没有 night/，或不是这个版本写的"
    cure = "先运行 `reconcile run`，再用同一个 --state（默认是 OUT/state）"
    raise ReconcileError(Problem("E550", "error", "状态目录里没有上次比对的事实", why, cure, file=state.name))


def earlier_night(state: Path, as_of: date) -> KeptNight | None:
    """The kept night with which a night of `as_of` is compared; None where none of an earlier date is kept.

    The last one of an earlier month; where there is none, the first one kept of the same month. So the answer is the same
    before and after `keep_night` of that date, and does not shrink when a month is run again because a list came late.
    """
    kept = [_read(state / name) for name in (FOLDER, BEFORE)]
    there = [night for night in kept if night is not None and night.as_of < as_of]
    past = [night for night in there if night.as_of < as_of.replace(day=1)]
    if past:
        return max(past, key=lambda night: night.as_of)
    return min(there, key=lambda night: night.as_of, default=None)


def _read(folder: Path) -> KeptNight | None:
    """The night of the folder; None where there is none, or not one of this version."""
    try:
        text = (folder / _MANIFEST).read_text(encoding="utf-8")
        told = json.loads(text)
        if told["format"] == _FORMAT:
            facts = {str(name): str(value) for name, value in told["facts"].items()}
            return KeptNight(folder, date.fromisoformat(told["as_of"]), facts, text)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


def open_night(con: duckdb.DuckDBPyConnection, night: KeptNight, names: Iterable[str]) -> None:
    """Creates `facts` and `facts_sure` with these facts only, `people`, `matchable` and `covered`, as the night had them.

    Raises ReconcileError E553 where a file is missing or damaged, or a new night takes its place meanwhile.
    """
    columns = ", ".join(f'"{name}"' for name in dict.fromkeys([*_OWN_COLUMNS, *names]))
    wanted = {"facts": columns, "facts_sure": columns, "people": "*", "covered": "*"}
    try:
        for name, what in wanted.items():
            source = _quoted(night.folder / f"{name}.parquet")
            con.execute(
                f"create or replace table {name} as select {what} from read_parquet({source})"
            ).fetchall()
        whole = (night.folder / _MANIFEST).read_text(encoding="utf-8") == night.written
    except (duckdb.Error, OSError):
        whole = False
    if not whole:
        why = "文件缺损，或新的一次比对正在替换它"
        cure = "等比对结束后再运行一次；仍不行就重新运行 `reconcile run`"
        raise ReconcileError(Problem("E553", "error", "上次比对的事实读不出来", why, cure, file=FOLDER))
    con.execute("create or replace table matchable as select person from people where matchable").fetchall()
    con.execute(UNMATCHABLE).fetchall()


def check_declared(night: KeptNight, names: Iterable[str], facts: Mapping[str, Fact]) -> None:
    """Raises ReconcileError E551 (a fact is declared otherwise than that night) or E552 (it was not built that night)."""
    names = list(dict.fromkeys(names))
    absent = [name for name in names if name not in night.facts]
    if absent:
        why = f"那次比对没有计算：{'、'.join(absent)}"
        cure = "用现在的 schemas/ 再运行一次 `reconcile run`，然后再比较规则"
        raise ReconcileError(Problem("E552", "error", "规则用到了上次比对没有的事实", why, cure))
    changed = [n for n in names if n not in facts or declaration_hash(facts[n]) != night.facts[n]]
    if changed:
        why = f"那次比对以后，这些事实在 schemas/ 中的写法有改动：{'、'.join(changed)}"
        cure = "再运行一次 `reconcile run`，或用 --schemas 指明那次用的文件夹"
        raise ReconcileError(Problem("E551", "error", "事实的含义与上次比对不同，不能拿来比较", why, cure))


def declaration_hash(fact: Fact) -> str:
    """Everything of the declaration that can change the fact's value; `say` is only how it is told."""
    dataset, household = fact.dataset, fact.dataset.household
    meaning = {
        "dataset": dataset.dataset,
        "role": dataset.role,
        "live": dataset.live,
        "household": household.model_dump(mode="json") if household else None,
        "spec": fact.spec.model_dump(mode="json", exclude={"say"}),
        "type": fact.sql_type,
    }
    text = json.dumps(meaning, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def _write(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    path.touch(mode=0o600)
    con.execute(f"copy ({query}) to {_quoted(path)} (format parquet, compression zstd)").fetchall()
    path.chmod(0o600)  # whether the file was written in place or made anew


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
