"""What every night said of everybody, kept so that a later one can be told from it: `STATE/nights/<date>/`.

It names nobody: people stand under a keyed hash that only this state's key can make. `people.parquet` has one row a
person (who, key, county_code, register, and the ledger's number of who has a case), `answers.parquet` one a person and subject (who, subject, outcome, mark: another
one where what the answer rests on is another), `coverage.parquet` one a list and county (with a mark of the file),
`night.json` what the night ran on: versions, rules with the lists they read, titles.

A night is written whole beside its place and renamed; the same night again replaces it; after 13 months it is removed.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType

import duckdb
import polars as pl

from pipeline.cases.person_key import PersonKey
from pipeline.cases.places import private_folder
from pipeline.cases.read_tonight import JudgedNight
from pipeline.cases.refusals import disk, refused
from pipeline.contracts.delivered import Intake
from pipeline.contracts.register_findings import REGISTER_FINDINGS
from pipeline.entitlement.compile import OWN_FACTS
from pipeline.system_files import sync

FOLDER, MONTHS = "nights", 13
_MANIFEST, _FORMAT = "night.json", 1
_KEY_DIGITS = 24  # of the hash: 96 bits name nobody twice

# whom the night judged; the texts never leave this module
_PEOPLE = """
select p.person, p.certificate_number, p.id_number, p.county_code
from people as p join facts as f on f.person = p.person order by p.person"""
_OUTSIDE = """
select distinct id_number, county_code from other_findings
where person is null and id_number is not null and county_code is not null order by id_number, county_code"""
_ANSWERS = """
select l.person as who, l.code as subject, l.outcome, cast(l.bits as varchar) as mark from answer_lines as l
union all
select distinct o.person as who, o.finding as subject, 'found' as outcome, '' as mark
from other_findings as o join facts as f on f.person = o.person"""
_OUTSIDE_ANSWERS = """
select distinct w.who, o.finding as subject, 'found' as outcome, '' as mark
from other_findings as o join outsiders as w on w.id_number = o.id_number and w.county_code = o.county_code
where o.person is null"""
PEOPLE = {
    "who": pl.Int64,
    "key": pl.String,
    "county_code": pl.String,
    "register": pl.Boolean,
    "case_person": pl.Int64,  # the ledger's: the same though his number has been corrected
}


@dataclass(frozen=True)
class Subject:
    """A benefit or finding of a night: its title, the version of its rule, the lists that its answer rests on."""

    title: str
    version: str
    lists: tuple[str, ...]


@dataclass(frozen=True)
class ArchivedNight:
    """A night as kept. `answers`: who, subject, outcome, mark; `people`: PEOPLE; `coverage`: dataset, county_code, status,
    snapshot_date, mark (of the file's bytes). `counties` and `lists`: names by code; `versions`: of the programs."""

    as_of: date
    people: pl.DataFrame
    answers: pl.DataFrame
    coverage: pl.DataFrame
    subjects: Mapping[str, Subject]
    counties: Mapping[str, str]
    lists: Mapping[str, str]
    versions: Mapping[str, str]


def archive_night(
    state: Path,
    key: PersonKey,
    night: JudgedNight,
    delivered: Intake,
    versions: Mapping[str, str],
    known: Mapping[int, int] = MappingProxyType({}),
) -> Path:
    """Writes `STATE/nights/<date>/` and removes what is older than 13 months; the folder.

    Call it after the ledger's transaction, under the run's lock. `versions`: program → version. `known`: the night's person →
    the ledger's, of those on the register who have a case. Files 0600 in a folder 0700. Raises ReconcileError E705 where the disk refuses.
    """
    folder = state / FOLDER
    place = folder / night.as_of.isoformat()
    fresh, old = folder / f".{place.name}.part", folder / f".{place.name}.old"
    with disk(place):
        private_folder(folder)
        if old.exists() and not place.exists():  # killed between the two renames
            old.rename(place)
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        _write(fresh, key, night, delivered, versions, known)
        if place.exists():
            place.rename(old)
        fresh.rename(place)
        sync(folder)
        shutil.rmtree(old, ignore_errors=True)
        for one in archived(state):
            if one < _months_before(night.as_of, MONTHS):
                shutil.rmtree(folder / one.isoformat())
    return place


def archived(state: Path) -> list[date]:
    """The dates of the kept nights, the oldest first."""
    found = []
    for path in (state / FOLDER).glob("????-??-??"):
        try:
            found.append(date.fromisoformat(path.name))
        except ValueError:
            continue
    return sorted(found)


def read_archived(state: Path, as_of: date) -> ArchivedNight:
    """Raises ReconcileError E740 where that night is not kept, E741 where it is damaged or of another version."""
    place = state / FOLDER / as_of.isoformat()
    if not place.is_dir():
        kept = "、".join(one.isoformat() for one in archived(state)[-6:])
        why = f"最近保存的是 {kept}" if kept else "这个 state 文件夹里还没有保存过任何一次"
        cure = f"从保存的日期里选（保留{MONTHS}个月）；用 --state 指到运行时用的文件夹"
        raise refused("E740", f"没有保存 {as_of} 这一次比对", why, cure, f"{FOLDER}/")
    try:
        told = json.loads((place / _MANIFEST).read_text(encoding="utf-8"))
        if told["format"] != _FORMAT:
            raise ValueError("another format")
        people, answers, coverage = (
            pl.read_parquet(place / f"{name}.parquet") for name in ("people", "answers", "coverage")
        )
        subjects = {
            code: Subject(one["title"], one["version"], tuple(one["lists"]))
            for code, one in told["subjects"].items()
        }
        if "case_person" not in people.columns:  # kept by an older program
            people = people.with_columns(pl.lit(None, dtype=pl.Int64).alias("case_person"))
        return ArchivedNight(
            as_of, people, answers, coverage, subjects, told["counties"], told["lists"], told["versions"]
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pl.exceptions.PolarsError):
        cure = "换一个日期；这一次的资料不影响台账，删去该文件夹也不妨碍以后的运行"
        raise refused(
            "E741", "这一次比对的存档读不出来", "文件缺损，或由别的版本写成", cure, f"{FOLDER}/{place.name}"
        ) from None


def _write(
    folder: Path,
    key: PersonKey,
    night: JudgedNight,
    delivered: Intake,
    versions: Mapping[str, str],
    known: Mapping[int, int],
) -> None:
    people, answers = _people_and_answers(night.con, key, known)
    marks = {(s.dataset, s.county): s.sha256[:16] for s in delivered.snapshots}
    coverage = night.coverage.select("dataset", "county_code", "status", "snapshot_date")
    mark = [
        marks.get((dataset, county)) or marks.get((dataset, ""), "")
        for dataset, county in coverage.select("dataset", "county_code").iter_rows()
    ]
    coverage = coverage.with_columns(pl.Series("mark", mark, dtype=pl.String)).sort("dataset", "county_code")
    told = {
        "format": _FORMAT,
        "as_of": night.as_of.isoformat(),
        "versions": dict(versions),
        "counties": dict(night.counties),
        "lists": {fact.dataset.dataset: fact.dataset.title for fact in night.facts.values()},
        "subjects": {code: asdict(subject) for code, subject in _subjects(night).items()},
    }
    text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    people.write_parquet(folder / "people.parquet")
    answers.write_parquet(folder / "answers.parquet")
    coverage.write_parquet(folder / "coverage.parquet")
    (folder / _MANIFEST).write_text(text, encoding="utf-8")
    for path in sorted(folder.iterdir()):
        path.chmod(0o600)
        sync(path)
    sync(folder)


def _people_and_answers(
    con: duckdb.DuckDBPyConnection, key: PersonKey, known: Mapping[int, int]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """People numbered in the order of their keys, which tells nothing of them, and their answers."""
    rows = con.execute(_PEOPLE).fetchall()
    numbers = Counter(number for _, _, number, _ in rows if number)
    seen: Counter[str] = Counter()
    people = []
    for person, certificate, number, county in rows:
        text = _text_of(certificate or "", number or "", numbers[number] > 1)
        seen[text] += 1
        once = text if seen[text] == 1 else f"{text}|{seen[text]}"  # a register may tell the same twice
        people.append((person, _short(key, "night", once), county, True, known.get(person)))
    outside = con.execute(_OUTSIDE).fetchall()
    outsiders = pl.DataFrame(
        [(-n, *row) for n, row in enumerate(outside, start=1)],
        schema={"who": pl.Int64, "id_number": pl.String, "county_code": pl.String},
        orient="row",
    )
    people += [
        (who, _short(key, "night.outside", f"{number}|{county}"), county, False, None)
        for who, number, county in outsiders.iter_rows()
    ]
    con.register("outsiders", outsiders.to_arrow())
    try:
        answers = pl.concat([con.sql(_ANSWERS).pl(), con.sql(_OUTSIDE_ANSWERS).pl()])
    finally:
        con.unregister("outsiders")
    frame = pl.DataFrame(people, schema=PEOPLE, orient="row").sort("key", "who")
    order = frame.select("who", pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("number"))
    told = answers.join(order, on="who").select(pl.col("number").alias("who"), "subject", "outcome", "mark")
    return frame.with_columns(who=order["number"]), told.sort("who", "subject", "outcome")


def _text_of(certificate: str, number: str, shared: bool) -> str:
    """The identity number, so that a re-graded certificate is the same person; where several have it, with the certificate."""
    return f"{number}|{certificate}" if shared or not number else number


def _short(key: PersonKey, kind: str, text: str) -> str:
    return key.of(kind, text)[:_KEY_DIGITS]


def _subjects(night: JudgedNight) -> dict[str, Subject]:
    """What the night judged. What the engine finds in the register itself may stand in any list."""
    register = {fact.dataset.dataset for fact in night.facts.values() if fact.dataset.role == "register"}
    everything = {fact.dataset.dataset for fact in night.facts.values()}
    found = {
        code: Subject(
            finding.title, "", tuple(sorted(everything if code == "id_name_conflict" else register))
        )
        for code, finding in REGISTER_FINDINGS.items()
    }
    for compiled in night.rules:
        rule = compiled.rule
        named = {*compiled.facts, *(OWN_FACTS if rule.subject == "register" else ())} & set(night.facts)
        lists = register | {night.facts[name].dataset.dataset for name in named} | ({rule.list} - {""})
        found[rule.code] = Subject(rule.title, compiled.version, tuple(sorted(lists)))
    return found


def _months_before(on: date, months: int) -> date:
    """The same day so many months before, or the month's last."""
    number = on.year * 12 + on.month - 1 - months
    following = date((number + 1) // 12, (number + 1) % 12 + 1, 1)
    last = (following - timedelta(days=1)).day
    return date(number // 12, number % 12 + 1, min(on.day, last))
