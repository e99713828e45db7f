"""Reading events from the file: none is handed out whose hash does not follow from it and the one before."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from pipeline.cases.event import GENESIS, Event, hash_of
from pipeline.cases.refusals import broken_chain, own_sql
from pipeline.cases.witness import Head

_SELECT = """
SELECT e.sequence, e.on_date, e.kind, e.case_number, e.body, e.hash, before.hash
FROM events e LEFT JOIN events before ON before.sequence = e.sequence - 1
"""
_ALL = f"{_SELECT} WHERE e.sequence > ? ORDER BY e.sequence"
_CASE = f"{_SELECT} WHERE e.sequence > ? AND e.case_number = ? ORDER BY e.sequence"


@dataclass(frozen=True)
class StoredEvent:
    """An event with its place in the chain; `text` is its body as stored."""

    sequence: int
    event: Event
    text: str
    hash: str


def stored(
    connection: sqlite3.Connection, file: str, after: int = 0, case: str | None = None
) -> Iterator[StoredEvent]:
    """The events after a number (of one case) in order. Raises ReconcileError E706 at the first that was altered; E702.

    Read without `case`, a gap is found too; what is missing at the end only the witness can tell.
    """
    with own_sql(file):
        asked = (
            connection.execute(_ALL, (after,)) if case is None else connection.execute(_CASE, (after, case))
        )
        for sequence, on, kind, number, text, own_hash, hash_before in asked:
            try:
                before = GENESIS if sequence == 1 else hash_before
                sound = hash_of(before, sequence, on, kind, number, text) == own_hash
                event = Event(date.fromisoformat(on), kind, number, json.loads(text))
            except (ValueError, TypeError, RecursionError):  # what a damaged field makes of itself
                sound = False
            if not sound:
                raise broken_chain(sequence, file)
            yield StoredEvent(sequence, event, text, own_hash)


def whole_chain(connection: sqlite3.Connection, file: str) -> Head:
    """Reads every event; the head. Raises ReconcileError E706, E702."""
    head = Head()
    for one in stored(connection, file):
        head = Head(one.sequence, one.hash)
    return head


def head_of(connection: sqlite3.Connection) -> Head:
    """The last event's number and hash, as stored. Raises ReconcileError E702, E704, E705."""
    with own_sql():
        last = connection.execute(
            "SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1"
        ).fetchone()
    return Head(*last) if last else Head()


def hash_at(connection: sqlite3.Connection, sequence: int) -> str | None:
    """The hash stored at a number (0: of the beginning); None where there is none. Raises ReconcileError as head_of."""
    if sequence == 0:
        return GENESIS
    with own_sql():
        found = connection.execute("SELECT hash FROM events WHERE sequence = ?", (sequence,)).fetchone()
    return found[0] if found else None
