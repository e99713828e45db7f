"""The ledger: append-only events in one SQLite file, chained by hashes, with tables derived from them beside.

One transaction a night is the commit point: before it nothing has happened, after it everything can be continued. The
head of the chain is witnessed in a second place after each commit; a ledger that ends before its witness does not open.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.cases.chain import StoredEvent, hash_at, head_of, stored
from pipeline.cases.database import APPLICATION, connect, is_ledger, is_sound, new_file, put_in_place
from pipeline.cases.event import Event, hash_of
from pipeline.cases.migrate import migrate
from pipeline.cases.person_key import PersonKey, make_key, read_key, same_key
from pipeline.cases.places import Places, locked
from pipeline.cases.refusals import disk, others_sql, own_sql, refused, torn
from pipeline.cases.witness import Head, advance_witness, missing_witness, read_witness
from pipeline.contracts.problem import ReconcileError

Value = str | int | float | bytes | None
_FILE = "ledger/ledger.sqlite"
_INSERT = "INSERT INTO events (sequence, on_date, kind, case_number, body, hash) VALUES (?, ?, ?, ?, ?, ?)"


class Ledger:
    """An open ledger; got from `open_ledger`. Writing needs a `transaction`, reading does not."""

    def __init__(self, connection: sqlite3.Connection, places: Places, key: PersonKey) -> None:
        self._connection = connection
        self.places = places
        self.key = key

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is committed together at the end, or none of it on any exception.

        Raises ReconcileError E704 (exit 5) where another process writes, E705; RuntimeError where it is nested.
        """
        if self._connection.in_transaction:
            raise RuntimeError("a transaction inside a transaction")
        with own_sql():
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._inside()  # SQLite ends a transaction itself when the disk is full
            head = self.head()
            with own_sql():
                self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.rollback()
            raise
        advance_witness(self.places, head)

    def append(self, events: Iterable[Event]) -> Head:
        """Adds events in order; the new head. Raises ReconcileError E710 where a date goes back; E705; ValueError (Event.text)."""
        self._inside()
        head, last = self.head(), self._last_date()
        rows = []
        for event in events:
            on, text = event.on.isoformat(), event.text()
            if on < last:
                raise _backwards()
            sequence, last = head.sequence + 1, on
            head = Head(sequence, hash_of(head.hash, sequence, on, event.kind, event.case, text))
            rows.append((sequence, on, event.kind, event.case, text, head.hash))
        with own_sql():
            self._connection.executemany(_INSERT, rows)
        return head

    def events(self, after: int = 0, case: str | None = None) -> Iterator[StoredEvent]:
        """The events after a number (of one case) in order, each checked against the chain. Raises ReconcileError E706, E702."""
        return stored(self._connection, _FILE, after, case)

    def head(self) -> Head:
        """The last event's number and hash; inside a transaction with what was appended."""
        return head_of(self._connection)

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> None:
        """Writes to a derived table, inside a transaction. Raises ReconcileError E702, E705; RuntimeError for a bug."""
        self._inside()
        with others_sql():
            self._connection.execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """As `execute`, for many rows."""
        self._inside()
        with others_sql():
            self._connection.executemany(sql, rows)

    def query(self, sql: str, parameters: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """The rows of a question. Raises as `execute`."""
        with others_sql():
            return self._connection.execute(sql, parameters).fetchall()

    def remembered(self, key: str) -> str:
        """What the ledger knows about itself under this name, "" if nothing."""
        with own_sql():
            found = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(found[0]) if found else ""

    def integrity(self) -> None:
        """SQLite's whole check, indexes too. Raises ReconcileError E702."""
        is_sound(self._connection, _FILE, "integrity_check")

    def copy_to(self, path: Path) -> None:
        """A copy of the committed state in one file without journals, by SQLite's backup API. Raises ReconcileError E702, E705."""
        if self._connection.in_transaction:
            raise RuntimeError("a copy inside a transaction")
        with disk(path):
            new_file(path)
        with own_sql(), closing(connect(path, journal="DELETE")) as copy:
            self._connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # the copied header says WAL

    def _inside(self) -> None:
        if not self._connection.in_transaction:
            raise RuntimeError("writing to the ledger outside a transaction")

    def _last_date(self) -> str:
        with own_sql():
            last = self._connection.execute(
                "SELECT on_date FROM events ORDER BY sequence DESC LIMIT 1"
            ).fetchone()
        return str(last[0]) if last else date.min.isoformat()


@contextmanager
def open_ledger(state: Path) -> Iterator[Ledger]:
    """The state's ledger, checked, brought to the newest schema; made, with its key, where there never was one.

    Raises ReconcileError: E701 torn or exchanged, E702 damaged, E706 chain broken, E707, E708 the key, E709 the witness
    (all exit 7); E703 too new, E705 disk (exit 1); E704 in use (exit 5).
    """
    places = Places(state)
    if not places.was_there():
        _make(places)
    with locked(places, shared=True):
        if not places.ledger.is_file():
            raise torn("台账文件不在，但它的日志、见证或备份还在")
        key = read_key(places)
        with closing(connect(places.ledger, journal="WAL")) as connection:
            ledger = Ledger(connection, places, key)
            _admit(ledger, connection)
            yield ledger


def _admit(ledger: Ledger, connection: sqlite3.Connection) -> None:
    """Everything that must hold before anybody reads: cheap checks here, the whole chain in check.py and backup.py."""
    is_ledger(connection, _FILE)
    is_sound(connection, _FILE, "quick_check")
    migrate(connection)
    same_key(ledger.key, ledger.remembered("key_id"))
    witness = read_witness(ledger.places)  # before the head: another process may commit in between
    head = ledger.head()
    if witness is None:
        if head.sequence:
            raise missing_witness()
        witness = head
    if head.sequence < witness.sequence:
        raise torn(f"见证到过第{witness.sequence}条，台账只到第{head.sequence}条")
    if hash_at(connection, witness.sequence) != witness.hash:
        raise torn(f"第{witness.sequence}条记录与见证的不是同一条")
    for _ in ledger.events(after=max(witness.sequence - 1, 0)):
        pass
    advance_witness(ledger.places, head)


def _make(places: Places) -> None:
    """The first ledger of a state, whole or not at all: filled under another name."""
    with locked(places):
        if places.was_there():  # another process was quicker
            return
        key = read_key(places) if places.key.exists() else make_key(places)
        beside = places.ledger.with_name(".ledger.sqlite.new")
        with disk(beside):
            new_file(beside)
        with own_sql(), closing(connect(beside, journal="DELETE")) as connection:
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            migrate(connection)
            connection.execute("INSERT INTO meta (key, value) VALUES ('key_id', ?)", (key.id,))
        put_in_place(beside, places.ledger)


def _backwards() -> ReconcileError:
    why = "台账里已有更晚日期的记录，往回记会让先后次序失真"
    cure = "检查 --as-of；补跑旧日期请用另一个 --state 文件夹"
    return refused("E710", "业务日期早于台账的最后日期", why, cure, _FILE)
