"""A writer killed with SIGKILL at any moment: what was committed is there, nothing is there by halves.

LEDGER_KILLS=2000 for a soak (default 60).
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
import small_ledger

from pipeline.cases import Places, backup, check, open_ledger
from pipeline.cases.witness import read_witness

KILLS = int(os.environ.get("LEDGER_KILLS", "60"))
PER_STATE = 15  # kills before a new state is begun, so that the making of a ledger is hit, too


def write_on(state: Path, told: int) -> None:
    """Commits transactions of 1 to 5 events with a derived table and a backup now and then; tells each head."""
    with open_ledger(state) as ledger:
        while True:
            done = ledger.head().sequence
            with ledger.transaction():
                ledger.execute("CREATE TABLE IF NOT EXISTS size (events INTEGER)")
                ledger.append(small_ledger.event(done + n) for n in range(1, 2 + done % 5))
                ledger.execute("DELETE FROM size")
                ledger.execute("INSERT INTO size VALUES (?)", (done + 1 + done % 5,))
            os.write(told, ledger.head().sequence.to_bytes(8, "big"))
            if done % 7 == 0:
                backup(ledger, ledger.places.backups, 2)


def killed_after(state: Path, seconds: float) -> int:
    """Runs the writer for so long; the last head it told, 0 if none."""
    heard, told = os.pipe()
    writer = os.fork()
    if writer == 0:
        try:
            write_on(state, told)
        finally:
            os._exit(1)  # only an error ends it
    os.close(told)
    time.sleep(seconds)
    os.kill(writer, signal.SIGKILL)
    _, status = os.waitpid(writer, 0)
    assert os.WIFSIGNALED(status), "the writer ended by itself"
    with os.fdopen(heard, "rb") as pipe:
        heads = pipe.read()
    return int.from_bytes(heads[-8:], "big")


def boundaries(until: int) -> set[int]:
    """The heads that a whole transaction leaves."""
    heads, head = {0}, 0
    while head < until:
        head += 1 + head % 5
        heads.add(head)
    return heads


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the child runs nothing but the ledger
def test_a_killed_writer_leaves_every_committed_event_and_no_half_transaction(tmp_path: Path) -> None:
    dice = random.Random(5)
    longest, lagging = 0, 0
    for kill in range(KILLS):
        if kill % PER_STATE == 0:
            state, acknowledged = tmp_path / str(kill), 0
        acknowledged = max(acknowledged, killed_after(state, dice.choice([0.01, 0.05, 0.2]) * dice.random()))
        places = Places(state)
        witness = read_witness(places)
        with open_ledger(state) as ledger:
            head = ledger.head().sequence
            lagging += witness is not None and witness.sequence < head
            assert head >= acknowledged
            assert head in boundaries(head)
            assert small_ledger.is_right(ledger.events()) == head
            size = ledger.query("SELECT events FROM size")[0][0] if head else 0
            assert size == head
            assert check(ledger, small_ledger.no_tables) == []
        longest = max(longest, head)
    assert longest > 20  # the writer did write
    print(f"{KILLS} kills, up to {longest} events, witness behind {lagging} times")
