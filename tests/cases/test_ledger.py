"""The ledger: all of a transaction or nothing, no event changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import small_ledger
from hypothesis import given, settings
from hypothesis import strategies as st
from test_event_chain import events as any_events

from pipeline.cases import Head, Ledger, Places, open_ledger
from pipeline.cases.event import GENESIS, chained
from pipeline.cases.witness import read_witness
from pipeline.contracts.problem import ReconcileError


def test_events_come_back_in_order_chained_and_witnessed(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path, 25, step=4)
    with open_ledger(tmp_path) as ledger:
        stored = list(ledger.events())
        assert small_ledger.is_right(stored) == 25
        before = GENESIS
        for one in stored:
            before = chained(before, one.sequence, one.event)
            assert one.hash == before
        assert ledger.head() == Head(25, before) == read_witness(places)
        assert [one.sequence for one in ledger.events(after=20)] == [21, 22, 23, 24, 25]
        case = small_ledger.CASES[3]
        assert [one.sequence for one in ledger.events(case=case)] == [3, 10, 17, 24]
        assert [one.sequence for one in ledger.events(after=10, case=case)] == [17, 24]


def test_files_are_private_and_settings_are_safe(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "state") as ledger:
        small_ledger.fill(ledger, 3)
        places = Places(tmp_path / "state")
        for path in (*places.with_journals(), places.witness):
            assert path.stat().st_mode & 0o777 == 0o600, path.name
            assert path.parent.stat().st_mode & 0o777 == 0o700
        pragmas = {
            name: ledger.query(f"PRAGMA {name}")[0][0]
            for name in (
                "journal_mode",
                "synchronous",
                "foreign_keys",
                "trusted_schema",
                "recursive_triggers",
            )
        }
        assert pragmas == {
            "journal_mode": "wal",
            "synchronous": 2,
            "foreign_keys": 1,
            "trusted_schema": 0,
            "recursive_triggers": 1,
        }
        assert ledger.query("PRAGMA busy_timeout")[0][0] >= 1000


@settings(deadline=None, max_examples=30)
@given(st.lists(any_events, min_size=1, max_size=8))
def test_any_events_come_back(
    tmp_path_factory: pytest.TempPathFactory, events: list[small_ledger.Event]
) -> None:
    state = tmp_path_factory.mktemp("any")
    events = sorted(events, key=lambda event: event.on)
    with open_ledger(state) as ledger, ledger.transaction():
        ledger.append(events)
    with open_ledger(state) as ledger:
        stored = list(ledger.events())
    fields = [(one.event.on, one.event.kind, one.event.case, one.text) for one in stored]
    assert fields == [(event.on, event.kind, event.case, event.text()) for event in events]


def half_done(ledger: Ledger, error: type[BaseException]) -> None:
    """A transaction that writes, then raises."""
    with ledger.transaction():
        ledger.append([small_ledger.event(6)])
        ledger.executemany("INSERT INTO cases VALUES (?, ?)", [("a", 1), ("b", 2)])
        assert ledger.head().sequence == 6
        raise error


def test_an_exception_leaves_nothing_of_the_transaction(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path, 5)
    with open_ledger(tmp_path) as ledger:
        with ledger.transaction():
            ledger.execute("CREATE TABLE cases (number TEXT PRIMARY KEY, times INTEGER)")
        for error in (ValueError, KeyboardInterrupt, SystemExit):
            with pytest.raises(error):
                half_done(ledger, error)
            assert ledger.head().sequence == 5 == read_witness(places).sequence
            assert ledger.query("SELECT * FROM cases") == []
        with ledger.transaction():
            ledger.append([small_ledger.event(6)])
            ledger.executemany("INSERT INTO cases VALUES (?, ?)", [("a", 1), ("b", 2)])
    with open_ledger(tmp_path) as ledger:
        assert ledger.head().sequence == 6
        assert ledger.query("SELECT number FROM cases WHERE times > ?", (1,)) == [("b",)]


def test_an_event_that_cannot_be_stored_takes_its_whole_transaction_along(tmp_path: Path) -> None:
    small_ledger.made(tmp_path, 5)
    wrong = replace(small_ledger.event(7), body={"a": 1.5})
    with open_ledger(tmp_path) as ledger:
        with pytest.raises(ValueError, match="body"), ledger.transaction():
            ledger.append([small_ledger.event(6), wrong])
        assert ledger.head().sequence == 5


def test_writing_needs_a_transaction_that_is_neither_nested_nor_ended_inside(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        for write in (
            lambda: ledger.append([small_ledger.event(1)]),
            lambda: ledger.execute("DELETE FROM meta"),
            lambda: ledger.executemany("DELETE FROM meta WHERE key = ?", [("a",)]),
        ):
            with pytest.raises(RuntimeError, match="outside a transaction"):
                write()
        with (
            pytest.raises(RuntimeError, match="inside a transaction"),
            ledger.transaction(),
            ledger.transaction(),
        ):
            pass
        with pytest.raises(RuntimeError, match="outside a transaction"), ledger.transaction():
            ledger.execute("ROLLBACK")
        assert ledger.head() == Head()
        small_ledger.fill(ledger, 1)
        assert ledger.head().sequence == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET body = '{}' WHERE sequence = 2",
        "DELETE FROM events WHERE sequence = 5",
        "INSERT OR REPLACE INTO events SELECT 5, on_date, kind, case_number, '{}', hash FROM events WHERE sequence = 5",
        "INSERT INTO events SELECT 9, on_date, kind, case_number, body, hash FROM events WHERE sequence = 5",
    ],
)
def test_events_are_append_only(tmp_path: Path, statement: str) -> None:
    small_ledger.made(tmp_path, 5)
    with open_ledger(tmp_path) as ledger:
        with pytest.raises(RuntimeError, match="SQLITE_CONSTRAINT_TRIGGER"), ledger.transaction():
            ledger.execute(statement)
        assert small_ledger.is_right(ledger.events()) == 5


def test_dates_never_go_back(tmp_path: Path) -> None:
    small_ledger.made(tmp_path, 12)
    with open_ledger(tmp_path) as ledger:
        with pytest.raises(ReconcileError) as refused, ledger.transaction():
            ledger.append([small_ledger.event(13), small_ledger.event(5)])
        assert (refused.value.problem.code, refused.value.exit_code) == ("E710", 1)
        assert ledger.head().sequence == 12


def test_a_bug_in_others_sql_is_told_without_its_values(tmp_path: Path) -> None:
    secret = "53990119900101123X"
    with open_ledger(tmp_path) as ledger:
        with ledger.transaction():
            ledger.execute("CREATE TABLE t (a TEXT PRIMARY KEY)")
            ledger.execute("INSERT INTO t VALUES (?)", (secret,))
        for sql in (
            f"INSERT INTO t VALUES ('{secret}')",
            f"SELECT {secret} oops from t",
            f"SELECT * FROM [{secret}]",
        ):
            with pytest.raises(RuntimeError) as bug, ledger.transaction():
                ledger.execute(sql)
            assert secret not in str(bug.value)
            assert "SQLITE_" in str(bug.value)


def test_the_date_of_the_first_event_is_free(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger, ledger.transaction():
        assert ledger.append([replace(small_ledger.event(1), on=date(1, 1, 1))]).sequence == 1
