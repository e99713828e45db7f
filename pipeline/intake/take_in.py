"""The room's one public function: everything that was delivered, judged list by list and county by county."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.contracts.columns import PLACE
from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import FieldQuality, Intake, Refusal, Snapshot
from pipeline.contracts.list_history import AcceptedList, HeldList, ListHistory, ListKey, RegisterHeld
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import UNREADABLE
from pipeline.intake.coverage import counties_of, coverage, missing
from pipeline.intake.find import Candidate, find, newest
from pipeline.intake.one_file import FileResult, masked, read_file
from pipeline.intake.past import Delivered, Past, Verdict, in_words, unchanged
from pipeline.intake.store import keep, last_kept


@dataclass
class _Night:
    """What has been gathered so far in this run."""

    state: Path
    scratch: Path
    datasets: dict[str, Dataset]
    as_of: date
    settings: Settings
    past: Past
    accepted: dict[ListKey, Snapshot] = field(default_factory=dict)
    refused: dict[ListKey, Refusal] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    quality: list[FieldQuality] = field(default_factory=list)
    unreadable: dict[ListKey, pl.DataFrame] = field(default_factory=dict)
    told: dict[ListKey, AcceptedList] = field(default_factory=dict)
    held: dict[ListKey, HeldList] = field(default_factory=dict)
    files: int = 0
    rows: int = 0
    broken: int = 0


def take_in(
    inbox: Path,
    state: Path,
    datasets: dict[str, Dataset],
    as_of: date,
    settings: Settings,
    history: ListHistory | None = None,
) -> Intake:
    """Reads the inbox into the store under `state` and says what is accepted for which county.

    `history`: what earlier nights accepted; without it every file is judged by itself alone.
    Raises ReconcileError E210 (exit 1) if there is no usable register: then nothing can be said of anybody. It is a
    RegisterHeld where the history refuses it.
    """
    if not inbox.is_dir():
        raise _no_register("没有这个收件夹")
    candidates, problems = find(inbox, datasets, settings)
    chosen, notes = newest(candidates, as_of)
    with _scratch(state) as scratch:
        past = Past(history, state, datasets, settings.thresholds)
        night = _Night(state, scratch, datasets, as_of, settings, past, problems=[*problems, *notes])
        register = _register(datasets)
        _take_list(night, (register, ""), chosen.get((register, ""), []))
        if (register, "") not in night.accepted:
            raise _register_refused(night, register)
        counties = counties_of(night.accepted[register, ""], datasets[register])
        if not counties:
            raise _no_register("名册中没有一个人能归到县", _others(night, register))
        for key in sorted(set(chosen) - {(register, "")}):
            _take_list(night, key, chosen[key])
        _expect(night, counties)
        _remember_deaths(night, chosen)
    return _intake(night, counties)


def _take_list(night: _Night, key: ListKey, by_date: Sequence[list[Candidate]]) -> None:
    """Accepts or refuses the newest snapshot of one list."""
    if not by_date:
        return
    files, dataset = by_date[0], night.datasets[key[0]]
    sha256 = _sha256(files[0].path)
    day = night.past.since(key, sha256, files[0].snapshot_date)
    if day != files[0].snapshot_date:
        night.problems.append(unchanged(files[0], day))
    if night.past.is_stale(key, sha256, day, night.as_of):
        why = f"名单日期为 {day}，已超过 {dataset.delivery.stale_after_days} 天"
        night.refused[key] = Refusal(*key, "stale", why, day)
        night.problems.append(_stale(files[0], why))
        night.held[key] = HeldList(*key, day, sha256, "stale", why, by_history=True)
        if dataset.role == "list":
            return
    result = _accepted_of(night, [_read(night, c) for c in files])
    delivered = Delivered(files[0], sha256, day, result.parts) if result else None
    verdict = night.past.judge(delivered) if delivered else Verdict()
    if verdict.doubt:
        night.problems.append(in_words(verdict.doubt, files[0]))
    if result is None or delivered is None or verdict.doubt:
        why = _why(night, files)
        night.refused[key] = Refusal(*key, "quarantined", why, day)
        night.held[key] = HeldList(*key, day, sha256, "quarantined", why, by_history=bool(verdict.doubt))
        return
    night.problems += [in_words(doubt, files[0], county) for county, doubt in verdict.held.items()]
    if verdict.told:
        night.told[key] = verdict.told
    night.accepted[key] = _kept(night, delivered, result)


def _read(night: _Night, candidate: Candidate) -> FileResult:
    """Reads one file and adds what was counted."""
    scratch = night.scratch / f"{night.files:05d}"
    result = read_file(candidate, night.datasets[candidate.dataset], night.settings, scratch)
    night.files += 1
    night.rows += result.counts.delivered
    night.broken += result.counts.broken
    night.problems += [*result.errors, *result.notes]
    night.quality += result.quality
    return result


def _accepted_of(night: _Night, results: list[FileResult]) -> FileResult | None:
    """The one file that counts: of several for one date they must hold the same rows."""
    first, *others = results
    if not others:
        return None if first.errors else first
    same = all(_same(first, other) for other in others)
    names = "、".join(result.candidate.file for result in results)
    if same:
        night.problems.append(
            _twice(first.candidate, "note", "E228", f"内容相同，采用 {first.candidate.file}", names)
        )
        return None if first.errors else first
    why = "同一名单同一日期的几份文件内容不同，不知以哪份为准"
    night.problems += [_twice(r.candidate, "error", "E224", why, names) for r in results]
    return None


def _same(one: FileResult, other: FileResult) -> bool:
    """Whether two files have the same bytes, or the same normalised rows in any order."""
    if _sha256(one.candidate.path) == _sha256(other.candidate.path):
        return True
    if one.errors or other.errors or one.counts.broken or other.counts.broken:
        return False
    return one.counts.rows == other.counts.rows and _row_hashes(one).equals(_row_hashes(other))


def _row_hashes(result: FileResult) -> pl.Series:
    parts = (pl.read_parquet(part).drop(*PLACE).hash_rows() for part in result.parts)
    return pl.concat(list(parts)).sort()


def _sha256(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _kept(night: _Night, new: Delivered, result: FileResult) -> Snapshot:
    night.unreadable[new.key] = result.unreadable
    told = (*new.key, new.snapshot_date, result.counts.rows, result.scratch, new.candidate.file, new.sha256)
    return keep(result.parts, night.state, Snapshot(*told))


def _expect(night: _Night, counties: tuple[str, ...]) -> None:
    """Every list is expected: for the prefecture, or for every county in which register people live."""
    for name, dataset in night.datasets.items():
        unplaced = sum(p.dataset == name and p.code in _UNPLACED for p in night.problems)
        for county in counties if dataset.delivery.by == "county" else ("",):
            if (name, county) not in night.accepted and (name, county) not in night.refused:
                night.refused[name, county] = missing(dataset, county, unplaced)


_UNPLACED = frozenset({"E209", "E220", "E222", "E223", "E225", "E226", "E230"})


def _remember_deaths(night: _Night, chosen: dict[ListKey, list[list[Candidate]]]) -> None:
    """Where this run's list of deaths is not accepted, the newest accepted one serves, however old."""
    for key, refusal in sorted(night.refused.items()):
        dataset = night.datasets[key[0]]
        if dataset.role != "deaths" or key in night.accepted:
            continue
        older = [files for files in chosen.get(key, [])[1:] if files]
        for files in older:
            result = _accepted_of(night, [_read(night, c) for c in files])
            if result is None:
                continue
            new = Delivered(files[0], _sha256(files[0].path), files[0].snapshot_date, result.parts)
            if night.past.judge(new).doubt is None:
                _kept(night, new, result)
                break
        last = last_kept(night.state, dataset, key[1], night.as_of)
        if last is not None:
            night.accepted[key] = last
            night.refused[key] = replace(refusal, why=f"{refusal.why}；沿用 {last.snapshot_date} 的一份")


def _intake(night: _Night, counties: tuple[str, ...]) -> Intake:
    return Intake(
        as_of=night.as_of,
        snapshots=tuple(night.accepted[key] for key in sorted(night.accepted)),
        refusals=tuple(night.refused[key] for key in sorted(night.refused)),
        problems=tuple(sorted(set(map(masked, night.problems)))),
        quality=tuple(sorted(night.quality, key=lambda q: (q.dataset, q.county, q.source_file, q.field))),
        files_read=night.files,
        rows_read=night.rows,
        rows_quarantined=night.broken,
        coverage=coverage(night.datasets, counties, night.accepted, night.refused, _held_counties(night)),
        unreadable=_unreadable(night),
        accepted=tuple(night.told[key] for key in sorted(night.told)),
        held=tuple(night.held[key] for key in sorted(night.held)),
    )


def _held_counties(night: _Night) -> dict[tuple[str, str], str]:
    """Why accepted lists are not accepted for single counties, by dataset and county."""
    told = night.told.values()
    return {(one.dataset, county): why for one in told for county, why in one.held.items()}


def _unreadable(night: _Night) -> pl.DataFrame:
    """Who stands in rows of the accepted files that could not be used (contracts/tables.py), sorted."""
    tables = [
        table.filter(pl.col("source_file") == night.accepted[key].source_file)
        for key, table in sorted(night.unreadable.items(), key=lambda pair: pair[0])
        if key in night.accepted
    ]
    return pl.concat([pl.DataFrame(schema=UNREADABLE), *tables]).sort(list(UNREADABLE))


@contextmanager
def _scratch(state: Path) -> Iterator[Path]:
    """A private folder on the store's own volume, under the run's lock; what an interrupted run left there is removed first."""
    folder = state / "intake"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _register(datasets: dict[str, Dataset]) -> str:
    return next(name for name, dataset in datasets.items() if dataset.role == "register")


def _why(night: _Night, files: list[Candidate]) -> str:
    """What was wrong, for the coverage table: the errors that refused the file, each once."""
    names = {c.file for c in files}
    whole = [p for p in night.problems if p.file in names and p.severity == "error" and _refuses(p)]
    return "；".join(dict.fromkeys(f"{p.what}（{p.why}）" for p in map(masked, whole))) or "未采用"


def _refuses(problem: Problem) -> bool:
    """Errors of single rows do not refuse a file."""
    return not (problem.row and problem.code in ("E234", "E235", "E241"))


def _no_register(why: str, others: tuple[Problem, ...] = ()) -> ReconcileError:
    """E210. `others`: what is wrong with the register that came."""
    cure = "先解决下列问题" if others else "把名册放入收件夹的 federation/register/，文件名末尾写日期"
    what = "没有可用的持证残疾人名册，什么也不能核对"
    return ReconcileError(Problem("E210", "error", what, why, cure), others=others)


def _register_refused(night: _Night, register: str) -> ReconcileError:
    refusal, held = night.refused.get((register, "")), night.held.get((register, ""))
    refused = _no_register(refusal.why if refusal else "没有收到", _others(night, register))
    if held and held.by_history:
        return RegisterHeld(refused.problem, refused.others, held)
    return refused


def _others(night: _Night, register: str) -> tuple[Problem, ...]:
    """What was found wrong in the register's folder, errors first."""
    found = {masked(p) for p in night.problems if p.dataset == register and p.severity != "note"}
    return tuple(sorted(found, key=lambda p: (p.severity != "error", p)))


def _stale(candidate: Candidate, why: str) -> Problem:
    return Problem(
        *("E229", "warning", "名单过期", why, "请报送单位报送新的一份", candidate.file),
        dataset=candidate.dataset,
        county=candidate.county,
    )


def _twice(candidate: Candidate, severity: str, code: str, why: str, names: str) -> Problem:
    return Problem(
        *(code, severity, f"同一名单同一日期有几份文件：{names}", why, "只留下正确的一份", candidate.file),
        dataset=candidate.dataset,
        county=candidate.county,
    )
