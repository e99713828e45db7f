"""Backups are proven copies; restoring puts the newest whole one back and says plainly what is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import small_ledger

from pipeline.cases import Head, Places, backup, backups, open_ledger, plan_restore, restore
from pipeline.cases.witness import read_witness, set_witness
from pipeline.contracts.problem import ReconcileError


def backed_up(state: Path, *at: int, keep: int = 30) -> Places:
    """A ledger with a backup after so many events each."""
    places = Places(state)
    for events in at:
        small_ledger.made(state, events)
        with open_ledger(state) as ledger:
            backup(ledger, places.backups, keep)
    return places


def flip(path: Path) -> None:
    """Destroys a file behind its first page."""
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(255 - byte for byte in content[4096:]))


def opened(state: Path) -> int:
    with open_ledger(state) as ledger:
        return small_ledger.is_right(ledger.events())


def code_of(state: Path, which: str | None = None) -> str:
    with pytest.raises(ReconcileError) as refused:
        restore(state, which)
    assert refused.value.problem.cure
    return refused.value.problem.code


def test_a_backup_is_one_private_file_named_by_last_date_and_number(tmp_path: Path) -> None:
    places = backed_up(tmp_path, 25)
    assert [path.name for path in places.backups.iterdir()] == ["ledger-2026-11-02-00000025.sqlite"]
    path = backups(places.backups)[0]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.read_bytes()[18:20] == b"\x01\x01"  # no WAL: the file is everything


def test_a_ledger_without_events_can_be_backed_up(tmp_path: Path) -> None:
    small_ledger.made(tmp_path, 0)
    with open_ledger(tmp_path) as ledger:
        assert backup(ledger, Places(tmp_path).backups, 1).name == "ledger-0000-00-00-00000000.sqlite"


def test_the_newest_are_kept(tmp_path: Path) -> None:
    places = backed_up(tmp_path, 5, 15, 15, 16, 25, keep=3)
    names = [path.name.split("-")[-1] for path in backups(places.backups)]
    assert names == ["00000025.sqlite", "00000016.sqlite", "00000015.sqlite"]
    assert len(list(places.backups.iterdir())) == 3


def test_a_backup_holds_what_was_committed_and_no_open_transaction(tmp_path: Path) -> None:
    small_ledger.made(tmp_path, 5)
    with open_ledger(tmp_path) as writer, open_ledger(tmp_path) as ledger, writer.transaction():
        writer.append([small_ledger.event(6)])
        assert backup(ledger, tmp_path / "backup", 1).name.endswith("-00000005.sqlite")
        with pytest.raises(RuntimeError, match="inside a transaction"):
            backup(writer, tmp_path / "backup", 1)


def test_no_backup_is_made_of_a_damaged_ledger_and_none_given_up_for_it(tmp_path: Path) -> None:
    places = backed_up(tmp_path, 9)
    small_ledger.made(tmp_path, 12)
    small_ledger.tamper(places, "UPDATE events SET body = '{}' WHERE sequence = 4")
    with open_ledger(tmp_path) as ledger, pytest.raises(ReconcileError) as refused:
        backup(ledger, places.backups, 1)
    assert (refused.value.problem.code, refused.value.exit_code) == ("E706", 7)
    assert refused.value.problem.file == "ledger/ledger.sqlite"
    assert [path.name for path in places.backups.iterdir()] == ["ledger-2026-10-31-00000009.sqlite"]


def test_the_newest_backup_comes_back_and_the_broken_file_stays_aside(tmp_path: Path) -> None:
    places = backed_up(tmp_path, 10, 20)
    small_ledger.made(tmp_path, 27)
    flip(places.ledger)
    broken = places.ledger.read_bytes()
    plan = plan_restore(tmp_path)
    assert (plan.source.name, plan.head.sequence, plan.lost) == ("ledger-2026-11-02-00000020.sqlite", 20, 7)
    assert places.ledger.read_bytes() == broken
    done = restore(tmp_path)
    assert (done.source, done.head, done.lost) == (plan.source, plan.head, 7)
    assert [path.name for path in done.aside] == ["ledger.sqlite.broken-1"]
    assert done.aside[0].read_bytes() == broken
    assert places.ledger.stat().st_mode & 0o777 == 0o600
    assert opened(tmp_path) == 20
    assert read_witness(places) == done.head
    small_ledger.made(tmp_path, 30)
    assert opened(tmp_path) == 30


def test_a_second_accident_keeps_both_broken_files(tmp_path: Path) -> None:
    places = backed_up(tmp_path, 10)
    for number in (1, 2):
        flip(places.ledger)
        assert [path.name for path in restore(tmp_path).aside] == [f"ledger.sqlite.broken-{number}"]
        assert opened(tmp_path) == 10


def test_a_damaged_backup_is_passed_over(tmp_path: Path) -> None:
    places = backed_up(tmp_path, 10, 20, 25)
    for path in (*backups(places.backups)[:2], places.ledger):
        flip(path)
    assert restore(tmp_path).lost == 15
    assert opened(tmp_path) == 10


def test_a_journal_of_the_broken_ledger_does_not_meet_the_restored_one(tmp_path: Path) -> None:
    backed_up(tmp_path / "live", 10)
    places = small_ledger.with_open_journal(tmp_path / "live", tmp_path / "copy", 12, 6)
    flip(places.ledger)
    done = restore(tmp_path / "copy")
    assert {path.name.removesuffix(".broken-1") for path in done.aside} >= {
        "ledger.sqlite",
        "ledger.sqlite-wal",
    }
    assert (done.head.sequence, done.lost) == (10, 8)
    assert opened(tmp_path / "copy") == 10


def test_a_torn_but_whole_ledger_with_more_than_any_backup_is_kept(tmp_path: Path) -> None:
    places = backed_up(tmp_path, 10)
    small_ledger.made(tmp_path, 20)
    small_ledger.tamper(places, "DELETE FROM events WHERE sequence > 18")
    done = restore(tmp_path)
    assert (done.source, done.head.sequence, done.lost, done.aside) == (places.ledger, 18, 2, ())
    assert opened(tmp_path) == 18


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"?")])
def test_where_only_the_witness_is_lost_it_is_written_anew(tmp_path: Path, harm: object) -> None:
    places = backed_up(tmp_path, 10)
    small_ledger.made(tmp_path, 20)
    assert callable(harm)
    harm(places.witness)
    done = restore(tmp_path)
    assert (done.source, done.head.sequence, done.lost) == (places.ledger, 20, None)
    assert opened(tmp_path) == 20


def test_a_ledger_that_contradicts_its_witness_is_not_kept(tmp_path: Path) -> None:
    places = backed_up(tmp_path, 10)
    small_ledger.made(tmp_path, 20)
    set_witness(places, Head(15, "a" * 64))
    assert restore(tmp_path).head.sequence == 10


def test_a_ledger_that_vanished_comes_back(tmp_path: Path) -> None:
    places = backed_up(tmp_path, 10)
    places.ledger.unlink()
    assert restore(tmp_path).aside == ()
    assert opened(tmp_path) == 10


def test_an_older_backup_can_be_asked_for(tmp_path: Path) -> None:
    backed_up(tmp_path, 10, 20)
    assert restore(tmp_path, "ledger-2026-11-01-00000010.sqlite").lost == 10
    assert opened(tmp_path) == 10
    assert code_of(tmp_path, "../ledger/ledger.sqlite") == "E711"


def test_refusals(tmp_path: Path) -> None:
    places = backed_up(tmp_path, 10)
    assert code_of(tmp_path) == "E712"
    with open_ledger(tmp_path):
        assert code_of(tmp_path) == "E704"
    flip(places.ledger)
    flip(backups(places.backups)[0])
    assert code_of(tmp_path) == "E711"
    assert code_of(tmp_path, "ledger-2026-11-01-00000010.sqlite") == "E702"
    places.key.unlink()
    assert code_of(tmp_path) == "E707"


def test_a_backup_of_another_state_is_not_put_back(tmp_path: Path) -> None:
    places, other = backed_up(tmp_path / "a", 10), backed_up(tmp_path / "b", 15)
    shutil.copy(backups(other.backups)[0], places.backups)
    flip(places.ledger)
    assert restore(tmp_path / "a").head.sequence == 10


@pytest.mark.parametrize("step", [1, 2])
def test_a_restoration_that_was_killed_is_done_again(tmp_path: Path, step: int) -> None:
    places = backed_up(tmp_path, 10)
    small_ledger.made(tmp_path, 12)
    places.ledger.rename(f"{places.ledger}.broken-1")  # killed before the backup took the place
    if step == 2:  # or before the witness was written
        shutil.copy(backups(places.backups)[0], places.ledger)
    with pytest.raises(ReconcileError):
        opened(tmp_path)
    assert restore(tmp_path).lost == 2
    assert opened(tmp_path) == 10
