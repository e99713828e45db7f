"""What is kept for how long, and the purge that ends it: `[retention]` in reconcile.toml, in days, by class.

Ages are counted from the dates in the names of our own files and folders to the as-of date, never from file times, so a purge
run twice does nothing the second time and a copied state is purged like the first. Only names of our own form are touched, only
inside STATE and OUT, and no link is followed: what a link names stays.

Never removed, however old: the newest snapshots of a list, and those that tomorrow's lists will be compared with (`needed`);
the newest backups; the newest kept night; letters whose fate is open; the ledger, its key, its witness, the sent-journal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline.cases.ledger import Ledger
from pipeline.cases.list_history import list_history
from pipeline.contracts.list_history import WHOLE, ListHistory
from pipeline.contracts.mail_settings import Retention
from pipeline.delivery.outbox import ENDED, read_outbox
from pipeline.private_process import TEMPORARY, abandoned
from pipeline.purge import PurgeReport, is_folder, own_files, own_folders, removed

Needed = frozenset[tuple[str, str, date, str]]  # dataset, county of the delivery, snapshot date, sha256
Done = Callable[[str], date | None]  # name of a kept letter → when its fate was settled
UNKNOWN = date.max

_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:-([0-9a-f]{64}))?")
_NIGHT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})")
_BACKUP = re.compile(r"ledger-([0-9]{4}-[0-9]{2}-[0-9]{2})-[0-9]{8,}\.sqlite")
_LETTER = re.compile(r"[a-z0-9-]+\.eml")
_RECEIPT = re.compile(r"回执_([0-9]{4}-[0-9]{2}-[0-9]{2})_[0-9]+\.csv")
_COUNTY = re.compile(r"[0-9]{6}")
_NAME = re.compile(r"[a-z0-9_]+")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})\.jsonl")
_YEAR = re.compile(r"([0-9]{4})\.jsonl")
_NEWEST_SNAPSHOTS, _NEWEST_BACKUPS, _NEWEST_NIGHTS = 2, 3, 1
# what a killed run leaves: folders of one run at a time, and of commands that hold theirs while they live
_OF_A_RUN = (TEMPORARY, "spill", "intake", "night.part", "night.old")
_OF_A_COMMAND = re.compile(r"(?:plan|explain)-[A-Za-z0-9_]+")
_PART = re.compile(r"[a-z_]+\.part")  # of a result table
_UNFINISHED = re.compile(r"\.tmp-[A-Za-z0-9_]+|\..+\.(?:new|part)")


def purge(
    state: Path,
    out: Path,
    retention: Retention,
    as_of: date,
    needed: Needed = frozenset(),
    done_on: Done = lambda name: None,
) -> PurgeReport:
    """Removes what is over. Call it under the run's lock, after the ledger's transaction.

    `needed`: from `needed_snapshots`. `done_on`: when the letter of that file name was settled; None: it stays.
    """
    state, out = state.resolve(), out.resolve()  # these two may be links; nothing inside them is followed
    over = {
        "snapshots": _snapshots(state / "store", as_of, retention.snapshots, needed),
        "quarantine": _quarantine(out, as_of, retention.quarantine),
        "nights": _nights(state / "nights", as_of, retention.nights),
        "mail": _mail(state / "mail", as_of, retention.mail, done_on),
        "backups": _backups(state / "backup", as_of, retention.backups),
        "log": _log(state / "log", as_of, retention.log, _MONTH),
        "access": _log(state / "access", as_of, retention.access, _YEAR),
    }
    return removed(over)


def purge_temporary(state: Path, out: Path) -> PurgeReport:
    """Removes what runs and commands left that were killed.

    Call it under the run's lock, before `private_temporary` and before any database is open: their folders would go.
    """
    state, out = state.resolve(), out.resolve()
    return removed({"temporary": [*_left_in_state(state), *_left_in_out(out)]})


def needed_snapshots(ledger: Ledger, as_of: date) -> Needed:
    """What the nights to come, and this one if it is run again, compare their lists with. Raises as Ledger.query."""
    histories = (list_history(ledger, as_of), list_history(ledger, as_of + timedelta(days=1)))
    return frozenset(one for history in histories for one in _of_history(history))


def settled_letters(ledger: Ledger) -> Done:
    """Of every kept letter when its fate was settled. One whose fate is in doubt is not: somebody may send it again.

    UNKNOWN for what the ledger does not know: a run was killed before it was entered, or the ledger is an older one.
    """
    box = read_outbox(ledger)
    done = {
        one.file: one.done_on
        for one in box.letters.values()
        if one.state in ENDED and one.state != "doubtful"
    }
    known = {one.file for one in box.letters.values()}
    return lambda name: done.get(name) if name in known else UNKNOWN


def _of_history(history: ListHistory) -> Iterator[tuple[str, str, date, str]]:
    for key, files in history.accepted.items():
        counties = {county for one in files for county in (*one.rows_by_county, *one.held)}
        for part in (WHOLE, *counties):
            last = history.last(key, part)
            if last is not None:
                yield (*key, last.snapshot_date, last.sha256)


def _snapshots(store: Path, as_of: date, days: int, needed: Needed) -> Iterator[Path]:
    """`<department>/<dataset>/<county or all>/<YYYYMMDD>[-sha256]/`."""
    for county in _lists(store):
        found = [(match, path) for path in own_folders(county, _DAY) if (match := _DAY.fullmatch(path.name))]
        newest = [path for match, path in found if not match[4]][-_NEWEST_SNAPSHOTS:]
        dataset = f"{county.parent.parent.name}/{county.parent.name}"
        delivered = "" if county.name == "all" else county.name
        for match, path in found:
            day = _date(f"{match[1]}-{match[2]}-{match[3]}")
            if path in newest or not _over(day, as_of, days) or day is None:
                continue
            if (dataset, delivered, day, match[4] or _sha256_of(path)) not in needed:
                yield path


def _lists(store: Path) -> Iterator[Path]:
    """Every list's folder: `<department>/<dataset>/<county or all>`."""
    for department in own_folders(store, _NAME):
        for dataset in own_folders(department, _NAME):
            yield from own_folders(dataset, _NAME)


def _sha256_of(snapshot: Path) -> str:
    """As its manifest tells; "" where it cannot be read: then no night can use the snapshot either."""
    try:
        told = json.loads((snapshot / "manifest.json").read_text(encoding="utf-8"))
        return str(told.get("sha256", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _quarantine(out: Path, as_of: date, days: int) -> Iterator[Path]:
    """`receipts/<county>/回执_<date>_<n>.csv`, and `quarantine.csv` where no night has replaced it for so long."""
    for county in own_folders(out / "receipts", _COUNTY):
        for path in own_files(county, _RECEIPT):
            match = _RECEIPT.fullmatch(path.name)
            if match and _over(_date(match[1]), as_of, days):
                yield path
    if _over(_night_of(out), as_of, days):
        yield from own_files(out, re.compile(r"quarantine\.csv"))


def _night_of(out: Path) -> date | None:
    """The business date of what lies in OUT."""
    try:
        return _date(str(json.loads((out / "run.json").read_text(encoding="utf-8"))["as_of"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _nights(folder: Path, as_of: date, days: int) -> list[Path]:
    kept = list(own_folders(folder, _NIGHT))
    return [path for path in kept[:-_NEWEST_NIGHTS] if _over(_date(path.name), as_of, days)]


def _mail(folder: Path, as_of: date, days: int, done_on: Done) -> Iterator[Path]:
    for path in own_files(folder, _LETTER):
        day = done_on(path.name)
        if day == UNKNOWN:  # nothing else tells its age
            day = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).date()
        if _over(day, as_of, days):
            yield path


def _backups(folder: Path, as_of: date, days: int) -> Iterator[Path]:
    kept = list(own_files(folder, _BACKUP))
    for path in kept[:-_NEWEST_BACKUPS]:
        match = _BACKUP.fullmatch(path.name)
        if match and _over(_date(match[1]), as_of, days):
            yield path


def _log(folder: Path, as_of: date, days: int, form: re.Pattern[str]) -> Iterator[Path]:
    """A file is over when its last day is."""
    for path in own_files(folder, form):
        match = form.fullmatch(path.name)
        if match and _over(_last_day(int(match[1]), int(match[2]) if form is _MONTH else 12), as_of, days):
            yield path


def _left_in_state(state: Path) -> Iterator[Path]:
    for name in _OF_A_RUN:
        if is_folder(state / name):
            yield state / name
    yield from (path for path in own_folders(state, _OF_A_COMMAND) if abandoned(path))
    nights = state / "nights"
    yield from own_folders(nights, _UNFINISHED)
    lists = (one for path in _lists(state / "store") for one in own_folders(path, _DAY))
    places = (
        state,
        state / "mail",
        state / "night",
        state / "night-before",
        *own_folders(nights, _NIGHT),
        *lists,
    )
    for folder in places:  # a file that was to take another's place
        yield from own_files(folder, _UNFINISHED)


def _left_in_out(out: Path) -> Iterator[Path]:
    """Unfinished result tables, and scratch folders of the counties' workbooks."""
    for form in (_PART, _UNFINISHED):
        yield from own_files(out / "results", form)
    for folder in (out / "reports", *own_folders(out / "reports", _COUNTY)):
        yield from own_folders(folder, _UNFINISHED)


def _over(day: date | None, as_of: date, days: int) -> bool:
    """Whether something of that day is older than so many days (0: kept for ever)."""
    return day is not None and days > 0 and day < as_of - timedelta(days=days)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _last_day(year: int, month: int) -> date | None:
    if not (1 <= year <= 9998 and 1 <= month <= 12):
        return None
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
