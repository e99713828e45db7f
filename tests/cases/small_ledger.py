"""Small ledgers for the tests: events whose content follows from their number."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path

from pipeline.cases import Event, Ledger, Places, StoredEvent, case_number, open_ledger

FIRST = date(2026, 10, 31)
CASES = [case_number.make("XGLL", FIRST, serial) for serial in range(1, 8)]


def event(number: int) -> Event:
    """The number-th event: a few cases in turn, a new date every ten."""
    body = {
        "person": number,
        "subject": "nursing_subsidy",
        "county": "533401",
        "kind": "missing",
        "facts": f"护理{number}",
    }
    body |= {"fen": 8000 + number, "why": ["未享受", None, number % 2 == 0]}
    kind = "found" if number <= len(CASES) else "changed"
    return Event(FIRST + timedelta(number // 10), kind, CASES[number % len(CASES)], body)


def fill(ledger: Ledger, until: int, step: int = 1) -> None:
    """Appends events up to this number, so many a transaction."""
    while (done := ledger.head().sequence) < until:
        with ledger.transaction():
            ledger.append(event(n) for n in range(done + 1, min(done + step, until) + 1))


def made(state: Path, events: int, step: int = 1) -> Places:
    with open_ledger(state) as ledger:
        fill(ledger, events, step)
    return Places(state)


def is_right(stored: Iterable[StoredEvent]) -> int:
    """How many events there are; fails where one is not what its number says."""
    count = 0
    for count, one in enumerate(stored, start=1):
        assert one.sequence == count
        assert one.event == event(count)
    return count


def with_open_journal(state: Path, copy: Path, in_file: int, in_journal: int) -> Places:
    """A ledger as a killed run leaves it: so many events in the file, further ones only in its journal (WAL)."""
    made(state, in_file)
    with open_ledger(state) as ledger:
        fill(ledger, in_file + in_journal)
        shutil.copytree(state, copy)
    assert Places(copy).with_journals()[0].stat().st_size > 0
    return Places(copy)


def raw(places: Places) -> sqlite3.Connection:
    """The file without the house's guards, as somebody with an editor for SQLite has it."""
    return sqlite3.connect(places.ledger, isolation_level=None)


def tamper(places: Places, *statements: str) -> None:
    """Runs statements with the guarding triggers taken away and put back."""
    connection = raw(places)
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


def no_tables(events: Iterable[StoredEvent]) -> Mapping[str, list[tuple[object, ...]]]:
    return {}
