"""A disk that is full, at any number of bytes, leaves a committed state and says so."""

from __future__ import annotations

import os
import resource
import shutil
from pathlib import Path

import pytest
import small_ledger

from pipeline.cases import backup, backups, check, open_ledger
from pipeline.contracts.problem import ReconcileError


def with_room(state: Path, room: int) -> str:
    """Writes 40 events in transactions of ten, then a backup, in a child whose files may not grow beyond `room` bytes."""
    heard, told = os.pipe()
    child = os.fork()
    if child == 0:
        code = "E500"
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
            with open_ledger(state) as ledger:
                small_ledger.fill(ledger, 40, step=10)
                backup(ledger, ledger.places.backups, 3)
            code = "done"
        except ReconcileError as error:
            code = error.problem.code
        finally:
            os.write(told, code.encode())
            os._exit(0)
    os.close(told)
    with os.fdopen(heard, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return said


@pytest.fixture(scope="module")
def existing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("existing") / "state"
    small_ledger.made(state, 10)
    return state


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the child runs nothing but the ledger
@pytest.mark.parametrize("new", [True, False])
def test_a_full_disk_leaves_a_committed_state(existing: Path, tmp_path: Path, new: bool) -> None:
    said, heads = set(), set()
    for room in (0, 10, 40, 100, 2048, *range(4096, 60_000, 3000), 10_000_000):
        state = tmp_path / str(room)
        if not new:
            shutil.copytree(existing, state)
        said.add(with_room(state, room))
        with open_ledger(state) as ledger:  # there is room again
            head = ledger.head().sequence
            heads.add(head)
            assert small_ledger.is_right(ledger.events()) == head
            assert check(ledger, small_ledger.no_tables) == []
            small_ledger.fill(ledger, 40, step=10)
            backup(ledger, ledger.places.backups, 3)
        assert [path.name[-12:] for path in backups(state / "backup")] == ["00040.sqlite"]
        assert not [path for path in state.rglob("*.new") if path.name != ".ledger.sqlite.new"]
        shutil.rmtree(state)
    assert said == {"done", "E705"}
    assert heads <= {0, 10, 20, 30, 40}
    assert len(heads) >= 3
