"""A torn or flipped ledger opens at a committed state that is whole, or refuses in plain words.

LEDGER_DAMAGES=1000 for the full number (default 200).
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import small_ledger

from pipeline.cases import Places, check, open_ledger
from pipeline.cases.witness import Head, set_witness
from pipeline.contracts.problem import ReconcileError

DAMAGES = int(os.environ.get("LEDGER_DAMAGES", "200"))
IN_FILE, IN_JOURNAL, UNWITNESSED = 120, 30, 3  # events
PAGE = 4096
Dice = random.Random


def flip_bytes(path: Path, dice: Dice) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(dice.choice([1, 1, 3, 30])):
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    path.write_bytes(content)


def zero_page(path: Path, dice: Dice) -> None:
    content = bytearray(path.read_bytes())
    start = dice.randrange(0, len(content), PAGE)
    length = dice.choice([512, PAGE, 3 * PAGE])
    content[start : start + length] = bytes(len(content[start : start + length]))
    path.write_bytes(content)


def cut(path: Path, dice: Dice) -> None:
    size = path.stat().st_size
    os.truncate(path, dice.choice([dice.randrange(size), dice.randrange(0, size, PAGE)]))


def zero_tail(path: Path, dice: Dice) -> None:
    content = path.read_bytes()
    kept = dice.randrange(len(content))
    path.write_bytes(content[:kept] + bytes(len(content) - kept))


def rubbish(path: Path, dice: Dice) -> None:
    content = bytearray(path.read_bytes())
    start, length = dice.randrange(len(content)), dice.randrange(1, 2000)
    content[start : start + length] = dice.randbytes(len(content[start : start + length]))
    path.write_bytes(content)


def swap_pages(path: Path, dice: Dice) -> None:
    content = bytearray(path.read_bytes())
    pages = len(content) // PAGE
    one, other = (dice.randrange(pages) * PAGE for _ in range(2))
    content[one : one + PAGE], content[other : other + PAGE] = (
        content[other : other + PAGE],
        content[one : one + PAGE],
    )
    path.write_bytes(content)


def remove(path: Path, dice: Dice) -> None:
    path.unlink()


HARMS: list[Callable[[Path, Dice], None]] = [
    flip_bytes,
    zero_page,
    cut,
    zero_tail,
    rubbish,
    swap_pages,
    remove,
]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state with events in the file, more in its journal, the last three not yet witnessed."""
    folder = tmp_path_factory.mktemp("killed")
    places = small_ledger.with_open_journal(folder / "live", folder / "copy", IN_FILE, IN_JOURNAL)
    with open_ledger(folder / "live") as ledger:
        witnessed = list(ledger.events())[-1 - UNWITNESSED]
    set_witness(places, Head(witnessed.sequence, witnessed.hash))
    return folder / "copy"


def refusal(error: ReconcileError, after: str = "") -> str:
    """Its code. Fails where it is not in plain words, or holds a value or a library's text."""
    problem = error.problem
    assert all((problem.what, problem.why, problem.cure))
    assert not any(
        word in problem.line() for word in ("护理补贴", "未享受", "sqlite3", "database", "malformed")
    )
    assert error.exit_code == {"E703": 1, "E705": 1}.get(problem.code, 7)
    return problem.code + after


def what_came_of(state: Path) -> str:
    """The code of a refusal (at opening, or on reading), or `opened`. Fails where anything but the truth is handed out."""
    try:
        with open_ledger(state) as ledger:
            head = ledger.head().sequence
            assert IN_FILE + IN_JOURNAL - UNWITNESSED <= head <= IN_FILE + IN_JOURNAL
            found = {problem.code for problem in check(ledger, small_ledger.no_tables)}
            try:
                assert small_ledger.is_right(ledger.events()) == head
            except ReconcileError as error:
                return refusal(error, " on reading") if error.problem.code in found else "check is blind"
            return "opened, check finds more" if found else "opened"
    except ReconcileError as error:
        return refusal(error)


def test_undamaged_it_opens_with_all_events(killed: Path, tmp_path: Path) -> None:
    shutil.copytree(killed, tmp_path / "state")
    assert what_came_of(tmp_path / "state") == "opened"


def test_every_damage_ends_in_a_committed_state_or_a_refusal(killed: Path, tmp_path: Path) -> None:
    dice = Dice(7)
    outcomes: Counter[str] = Counter()
    for number in range(DAMAGES):
        state = tmp_path / str(number)
        shutil.copytree(killed, state)
        wal, index, ledger = Places(state).with_journals()
        harmed = dice.choice([ledger, ledger, ledger, wal, wal, index])
        dice.choice(HARMS)(harmed, dice)
        outcomes[what_came_of(state)] += 1
        shutil.rmtree(state)
    print(dict(outcomes.most_common()))
    assert outcomes["check is blind"] == 0
    assert outcomes["opened"] > DAMAGES // 20  # harmless ones: an index that is rebuilt, free space
    assert outcomes["E701"] > 0  # opened by SQLite at an earlier commit, refused by the witness
    assert outcomes["E702"] > DAMAGES // 20
