"""The check finds every broken invariant, and nothing where all is well."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest
import small_ledger

from pipeline.cases import Event, StoredEvent, check, open_ledger
from pipeline.cases.chain import head_of
from pipeline.cases.event import hash_of
from pipeline.cases.witness import set_witness

Row = tuple[object, ...]


def counts(events: Iterable[StoredEvent]) -> dict[str, list[Row]]:
    """The replay of a table `times`: how many events each case has."""
    return {"times": list(Counter(one.event.case for one in events).items())}


def codes(state: Path) -> list[str]:
    with open_ledger(state) as ledger:
        problems = check(ledger, counts)
    assert all(problem.what and problem.why and problem.cure for problem in problems)
    return [problem.code for problem in problems]


@pytest.fixture
def places(tmp_path: Path) -> small_ledger.Places:
    """A ledger of 20 events with a derived table."""
    with open_ledger(tmp_path) as ledger:
        with ledger.transaction():
            ledger.execute("CREATE TABLE times (case_number TEXT, times INTEGER)")
        small_ledger.fill(ledger, 20)
        with ledger.transaction():
            ledger.executemany("INSERT INTO times VALUES (?, ?)", counts(ledger.events())["times"])
    return small_ledger.Places(tmp_path)


def test_all_is_well(places: small_ledger.Places) -> None:
    assert codes(places.state) == []


def test_an_empty_ledger_is_well(tmp_path: Path) -> None:
    small_ledger.made(tmp_path, 0)
    with open_ledger(tmp_path) as ledger:
        assert check(ledger, small_ledger.no_tables) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE events SET body = '{}' WHERE sequence = 7", "第7条"),
        ("DELETE FROM events WHERE sequence = 7", "第8条"),
        ("DELETE FROM events WHERE sequence < 7", "第7条"),
    ],
)
def test_an_altered_or_missing_event(places: small_ledger.Places, statement: str, said: str) -> None:
    small_ledger.tamper(places, statement)
    with open_ledger(places.state) as ledger:
        problems = check(ledger, counts)
    assert [problem.code for problem in problems] == ["E706"]
    assert said in problems[0].why


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER events_stay",
        "DROP TRIGGER events_remain",
        "DROP TRIGGER events_come_in_order",
        "DROP INDEX events_of_case",
    ],
)
def test_a_guard_that_was_taken_away(places: small_ledger.Places, statement: str) -> None:
    small_ledger.raw(places).execute(statement).connection.close()
    assert codes(places.state) == ["E702"]


def test_an_index_that_does_not_agree_with_its_table(places: small_ledger.Places) -> None:
    connection = small_ledger.raw(places)
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute(
        "UPDATE sqlite_master SET sql = replace(sql, '(case_number)', '(kind)') WHERE name = 'events_of_case'"
    )
    connection.close()
    assert codes(places.state) == ["E702", "E702"]  # the file and its schema


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE times SET times = times + 1 WHERE rowid = 1",
        "DELETE FROM times WHERE rowid = 2",
        "INSERT INTO times VALUES ('A', 1)",
    ],
)
def test_a_derived_table_that_does_not_follow_from_the_events(
    places: small_ledger.Places, statement: str
) -> None:
    small_ledger.raw(places).execute(statement).connection.close()
    assert codes(places.state) == ["E714"]


@pytest.mark.parametrize(
    ("on", "text", "code"),
    [
        ("2026-10-01", "{}", "E713"),  # a date that goes back
        ("2026-12-01", '{"a": 1}', "E713"),  # a space
        ("2026-12-01", '{"b":1,"a":1}', "E713"),
        ("2026-12-01", '{"a":1.5}', "E713"),
        ("2026-12-01", '{"a":"e\u0301"}', "E713"),
        ("2026-12-01", "[]", "E706"),
        ("2026-13-01", "{}", "E706"),
    ],
)
def test_an_event_put_in_with_a_right_hash_but_against_the_rules(
    places: small_ledger.Places, on: str, text: str, code: str
) -> None:
    connection = small_ledger.raw(places)
    head = head_of(connection)
    own = hash_of(head.hash, 21, on, "found", None, text)
    connection.execute("INSERT INTO events VALUES (21, ?, 'found', NULL, ?, ?)", (on, text, own))
    connection.execute("INSERT INTO times VALUES (NULL, 1)")
    set_witness(places, head_of(connection))
    connection.close()
    if code == "E706":
        with pytest.raises(Exception, match="E706"):
            codes(places.state)
    else:
        assert codes(places.state) == ["E713"]


def test_key_and_witness_exchanged_while_it_is_open(places: small_ledger.Places) -> None:
    with open_ledger(places.state) as ledger:
        places.witness.write_text(json.dumps({"sequence": 20, "hash": "a" * 64}))
        assert [problem.code for problem in check(ledger, counts)] == ["E701"]
        places.witness.write_text(json.dumps({"sequence": 21, "hash": "a" * 64}))
        assert [problem.code for problem in check(ledger, counts)] == ["E701"]
        places.witness.write_text("?")
        assert [problem.code for problem in check(ledger, counts)] == ["E709"]
        places.witness.unlink()
        assert [problem.code for problem in check(ledger, counts)] == ["E701"]
        set_witness(places, ledger.head())
        with ledger.transaction():
            ledger.execute("UPDATE meta SET value = 'ffffffff' WHERE key = 'key_id'")
        assert [problem.code for problem in check(ledger, counts)] == ["E708"]


def test_no_value_stands_in_a_message(places: small_ledger.Places) -> None:
    secret = "53990119900101123X"
    with open_ledger(places.state) as ledger, ledger.transaction():
        ledger.append([Event(date(2026, 12, 1), "found", None, {"secret": secret})])
    small_ledger.tamper(
        places, f"UPDATE events SET body = CAST('{secret}' || x'ff' AS TEXT) WHERE sequence = 7"
    )
    with open_ledger(places.state) as ledger:
        lines = " ".join(problem.line() for problem in check(ledger, counts))
    assert "E70" in lines
    assert secret not in lines
