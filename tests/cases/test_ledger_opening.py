"""Opening: only a ledger that is whole, the state's own and not before its witness."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
import small_ledger

from pipeline.cases import Head, Places, open_ledger
from pipeline.cases.places import locked
from pipeline.cases.witness import advance_witness, read_witness, set_witness
from pipeline.contracts.problem import ReconcileError


def refusal(state: Path) -> ReconcileError:
    with pytest.raises(ReconcileError) as refused, open_ledger(state) as ledger:
        list(ledger.events())
    problem = refused.value.problem
    assert all((problem.what, problem.why, problem.cure))
    return refused.value


def test_a_witness_that_lags_is_normal_and_caught_up(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path, 9)
    with open_ledger(tmp_path) as ledger:
        earlier = list(ledger.events())[5]
    set_witness(places, Head(earlier.sequence, earlier.hash))
    with open_ledger(tmp_path) as ledger:
        assert ledger.head().sequence == 9
    assert read_witness(places).sequence == 9
    advance_witness(places, Head(earlier.sequence, earlier.hash))  # a slower process
    assert read_witness(places).sequence == 9


def test_a_ledger_made_but_not_yet_witnessed_opens(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path, 0)
    places.witness.unlink()
    assert small_ledger.made(tmp_path, 2) == places


def test_a_ledger_that_ends_before_its_witness_is_refused(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path, 9)
    small_ledger.tamper(places, "DELETE FROM events WHERE sequence > 7")
    error = refusal(tmp_path)
    assert (error.problem.code, error.exit_code) == ("E701", 7)
    assert "第9条" in error.problem.why
    assert "第7条" in error.problem.why
    assert "reconcile ledger restore" in error.problem.cure


def test_another_ledger_of_the_same_length_is_refused(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path / "a", 9)
    with open_ledger(tmp_path / "b") as ledger, ledger.transaction():
        ledger.append(replace(small_ledger.event(n), kind="other") for n in range(1, 12))
    other = Places(tmp_path / "b")
    key_id = small_ledger.raw(places).execute("SELECT value FROM meta").fetchone()[0]
    small_ledger.raw(other).execute("UPDATE meta SET value = ?", (key_id,)).connection.close()
    places.ledger.write_bytes(other.ledger.read_bytes())
    assert refusal(tmp_path / "a").problem.code == "E701"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET body = replace(body, '8003', '9003') WHERE sequence = 3",
        "UPDATE events SET case_number = NULL WHERE sequence = 3",
        "UPDATE events SET on_date = '2026-10-30' WHERE sequence = 3",
        "UPDATE events SET kind = x'ff' WHERE sequence = 3",
        "UPDATE events SET body = CAST(x'7b22ff227d' AS TEXT) WHERE sequence = 3",
        "UPDATE events SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE sequence = 3",
        "DELETE FROM events WHERE sequence = 3",
        "UPDATE events SET sequence = -sequence WHERE sequence = 1",
    ],
)
def test_an_altered_event_is_never_handed_out(tmp_path: Path, change: str) -> None:
    places = small_ledger.made(tmp_path, 9)
    small_ledger.tamper(places, change)
    error = refusal(tmp_path)
    assert error.problem.code in ("E706", "E702")
    assert error.exit_code == 7


def test_what_came_after_the_witness_is_read_at_opening(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path, 9)
    with open_ledger(tmp_path) as ledger:
        earlier = list(ledger.events())[5]
    set_witness(places, Head(earlier.sequence, earlier.hash))
    small_ledger.tamper(places, "UPDATE events SET body = '{}' WHERE sequence = 8")
    with pytest.raises(ReconcileError) as refused, open_ledger(tmp_path):
        pass
    assert refused.value.problem.code == "E706"
    assert "第8条" in refused.value.problem.why


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"sequence": true, "hash": 1}', b"\xff", b"[" * 900, b'{"sequence": 9}', b"1"]
)
def test_a_witness_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    places = small_ledger.made(tmp_path, 9)
    places.witness.write_bytes(content)
    assert (refusal(tmp_path).problem.code, refusal(tmp_path).exit_code) == ("E709", 7)


def test_a_witness_that_was_removed_is_refused(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path, 9)
    places.witness.unlink()
    assert refusal(tmp_path).problem.code == "E709"


def test_a_ledger_that_vanished_is_not_made_anew(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path, 9)
    places.ledger.unlink()
    assert (refusal(tmp_path).problem.code, refusal(tmp_path).exit_code) == ("E701", 7)
    assert not places.ledger.exists()
    places.witness.unlink()
    places.backups.mkdir()
    (places.backups / "ledger-2026-10-31-00000009.sqlite").touch()
    assert refusal(tmp_path).problem.code == "E701"


def test_another_database_is_no_ledger(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path, 0)
    places.ledger.unlink()
    sqlite3.connect(places.ledger).execute("CREATE TABLE t (a)").connection.close()
    assert refusal(tmp_path).problem.code == "E702"
    places.ledger.write_bytes(b"")
    assert refusal(tmp_path).problem.code == "E702"
    places.ledger.write_bytes(b"no database at all" * 300)
    assert refusal(tmp_path).problem.code == "E702"


def test_a_second_writer_waits_and_then_leaves_with_5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_ledger.made(tmp_path, 3)
    monkeypatch.setattr("pipeline.cases.database._PATIENCE", 0.05)
    with open_ledger(tmp_path) as one, one.transaction():
        one.append([small_ledger.event(4)])
        with open_ledger(tmp_path) as other:
            assert small_ledger.is_right(other.events()) == 3  # a reader is not disturbed
            with pytest.raises(ReconcileError) as refused, other.transaction():
                pass
    assert (refused.value.problem.code, refused.value.exit_code) == ("E704", 5)
    with open_ledger(tmp_path) as ledger:
        assert ledger.head().sequence == 4


def test_while_files_are_exchanged_nobody_opens(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path, 3)
    with locked(places):
        error = refusal(tmp_path)
    assert (error.problem.code, error.exit_code) == ("E704", 5)


def test_a_killed_first_run_leaves_no_half_ledger_in_the_way(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.ledger.parent.mkdir(parents=True)
    places.ledger.with_name(".ledger.sqlite.new").write_bytes(b"half")
    places.ledger.with_name(".ledger.sqlite.new-journal").write_bytes(b"half")
    small_ledger.made(tmp_path, 2)
    assert sorted(path.name for path in places.ledger.parent.iterdir()) == ["ledger.sqlite", "lock"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert refusal(tmp_path / "state").problem.code == "E705"


def test_a_state_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    error = refusal(tmp_path / "state")
    assert (error.problem.code, error.exit_code) == ("E705", 1)
