"""The head of the chain in a second place, `STATE/witness/ledger-head.json`.

SQLite opens a torn file silently at an earlier commit; only a note kept elsewhere can tell. It is written after each
commit, so it may lag behind the ledger by a commit, never the other way round.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass

from pipeline.cases.event import GENESIS
from pipeline.cases.places import Places, private_folder, write_whole
from pipeline.cases.refusals import LEDGER_DAMAGED, disk, refused
from pipeline.contracts.problem import ReconcileError
from pipeline.system_files import lock, open_folder

_HASH = re.compile("[0-9a-f]{64}")
_LARGEST = 1000  # bytes of the file


@dataclass(frozen=True)
class Head:
    """The last event's number (0: none) and hash."""

    sequence: int = 0
    hash: str = GENESIS


def read_witness(places: Places) -> Head | None:
    """What was witnessed last; None where nothing ever was. Raises ReconcileError E709 (unreadable), E705."""
    with disk(places.witness):
        try:
            with places.witness.open("rb") as file:
                content = file.read(_LARGEST)
        except FileNotFoundError:
            return None
    try:
        said = json.loads(content)
        head = Head(said["sequence"], said["hash"])
        if type(head.sequence) is int and head.sequence >= 0 and _HASH.fullmatch(head.hash):
            return head
    except (ValueError, TypeError, KeyError, RecursionError):
        pass  # said below, without the file's content
    raise _unproven("台账的见证文件读不出来")


def advance_witness(places: Places, head: Head) -> None:
    """Witnesses the head unless a later one is (another process may have been quicker). Raises ReconcileError E709, E705."""
    with disk(places.witness):
        private_folder(places.witness.parent)
        handle = open_folder(places.witness.parent)
        try:
            lock(handle)
            known = read_witness(places)
            if known is None or known.sequence < head.sequence:
                set_witness(places, head)
        finally:
            os.close(handle)


def set_witness(places: Places, head: Head) -> None:
    """Witnesses the head, whatever was witnessed before: for a restored ledger. Raises OSError."""
    content = json.dumps({"sequence": head.sequence, "hash": head.hash}) + "\n"
    write_whole(places.witness, content.encode(), 0o600)


def missing_witness() -> ReconcileError:
    """There are events, but nothing was witnessed: the file was removed."""
    return _unproven("台账的见证文件不见了")


def _unproven(what: str) -> ReconcileError:
    why = "不知道台账应当到第几条，也就不能证明它没有缺"
    cure = "运行 reconcile ledger restore：台账完好就只重写见证，不完好则用备份恢复"
    return refused("E709", what, why, cure, "witness/ledger-head.json", LEDGER_DAMAGED)
