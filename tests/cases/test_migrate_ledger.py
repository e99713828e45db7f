"""Migrations: ledgers of every former version open with their events; a script is run wholly or not at all."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import small_ledger

from pipeline.cases import Places, check, open_ledger
from pipeline.cases.migrate import MIGRATIONS, migrate, scripts, version_of
from pipeline.contracts.problem import ReconcileError

GOLDEN = Path(__file__).with_name("golden")
KEY = bytes(range(32))  # the golden ledgers' key


def from_dump(state: Path, dump: Path) -> Places:
    """The state as the program of that time left it: key, ledger and witness."""
    places = Places(state)
    for folder in (places.key.parent, places.ledger.parent, places.witness.parent):
        folder.mkdir(mode=0o700)
    places.key.write_bytes(KEY)
    places.key.chmod(0o400)
    connection = sqlite3.connect(places.ledger)
    connection.executescript(dump.read_text("utf-8"))
    sequence, last = connection.execute("SELECT sequence, hash FROM events ORDER BY sequence DESC").fetchone()
    connection.close()
    places.witness.write_text(json.dumps({"sequence": sequence, "hash": last}))
    return places


def test_there_is_a_golden_file_of_every_version() -> None:
    assert [path.stem for path in sorted(GOLDEN.glob("*.sql"))] == [path.stem for path in scripts()]


@pytest.mark.parametrize("dump", sorted(GOLDEN.glob("*.sql")), ids=lambda dump: dump.stem)
def test_a_ledger_of_a_former_version_opens_and_gives_the_same_events(tmp_path: Path, dump: Path) -> None:
    from_dump(tmp_path, dump)
    with open_ledger(tmp_path) as ledger:
        found = [[one.sequence, one.event.on.isoformat(), one.event.kind, one.event.case, one.text, one.hash]
                 for one in ledger.events()]  # fmt: skip
        assert found == json.loads((GOLDEN / "events.json").read_text("utf-8"))
        assert check(ledger, small_ledger.no_tables) == []
        assert ledger.query("PRAGMA user_version") == [(len(scripts()),)]
        with ledger.transaction():
            assert ledger.append([small_ledger.event(len(found) + 1)]).sequence == len(found) + 1


@pytest.fixture
def further(tmp_path: Path) -> Path:
    """The program of tomorrow: today's migrations and one more."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    number = len(scripts()) + 1
    (folder / f"{number:04d}_notes.sql").write_text(
        "-- A trigger holds semicolons; a comment; too.\n"
        "CREATE TABLE notes (case_number TEXT, times INTEGER);\n"
        "INSERT INTO notes SELECT case_number, count(*) FROM events GROUP BY case_number;\n"
        "CREATE TRIGGER notes_stay BEFORE DELETE ON notes\nBEGIN\n  SELECT RAISE(ABORT, 'no; never');\nEND;\n\n-- end\n"
    )
    return folder


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = small_ledger.raw(small_ledger.made(tmp_path / "state", 9))
    yield connection
    connection.close()


def test_a_further_script_is_run_once_and_keeps_the_events(
    tmp_path: Path, further: Path, connection: sqlite3.Connection
) -> None:
    before = connection.execute("SELECT * FROM events").fetchall()
    migrate(connection, further)
    migrate(connection, further)
    assert version_of(connection) == len(scripts()) + 1
    assert connection.execute("SELECT sum(times) FROM notes").fetchone() == (9,)
    assert connection.execute("SELECT * FROM events").fetchall() == before
    with pytest.raises(sqlite3.IntegrityError, match="no; never"):
        connection.execute("DELETE FROM notes")


def test_a_newer_ledger_is_refused_untouched(
    tmp_path: Path, further: Path, connection: sqlite3.Connection
) -> None:
    migrate(connection, further)
    with pytest.raises(ReconcileError) as refused, open_ledger(tmp_path / "state"):
        pass
    assert (refused.value.problem.code, refused.value.exit_code) == ("E703", 1)
    assert f"第{len(scripts()) + 1}版" in refused.value.problem.why
    assert version_of(connection) == len(scripts()) + 1


def test_a_script_that_fails_leaves_the_version_before_it(
    further: Path, connection: sqlite3.Connection
) -> None:
    number = len(scripts()) + 2
    (further / f"{number:04d}_wrong.sql").write_text(
        "CREATE TABLE half (a);\nINSERT INTO nowhere VALUES (1);\n"
    )
    with pytest.raises(RuntimeError, match="SQLITE_ERROR"):
        migrate(connection, further)
    assert version_of(connection) == number - 1
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM notes").fetchone() == (7,)


def test_a_script_that_ends_in_mid_statement_is_not_run(
    further: Path, connection: sqlite3.Connection
) -> None:
    number = len(scripts()) + 2
    (further / f"{number:04d}_torn.sql").write_text("CREATE TABLE half (a);\nCREATE TABLE other (\n")
    with pytest.raises(RuntimeError, match="middle"):
        migrate(connection, further)
    assert version_of(connection) == number - 1


@pytest.mark.parametrize("name", ["0003_gap.sql", "0001_twice.sql", "2_short.sql"])
def test_misnumbered_scripts_are_a_bug(further: Path, name: str) -> None:
    (further / f"{len(scripts()) + 1:04d}_notes.sql").unlink()
    (further / name).write_text("SELECT 1;")
    with pytest.raises(RuntimeError, match="numbered"):
        scripts(further)
