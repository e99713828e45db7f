"""Putting the ledger back: the newest backup that is whole, or the ledger itself where only its witness is in doubt."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.cases.backup import backups, proven
from pipeline.cases.chain import hash_at
from pipeline.cases.database import connect, connect_readonly, new_file, put_in_place
from pipeline.cases.person_key import PersonKey, read_key
from pipeline.cases.places import Places, locked
from pipeline.cases.refusals import disk, refused
from pipeline.cases.witness import Head, read_witness, set_witness
from pipeline.contracts.problem import ReconcileError
from pipeline.system_files import sync


@dataclass(frozen=True)
class Restoration:
    """What is put back: `source` (a backup, or the ledger itself, of which only the witness is written anew) with its head.

    `lost`: events known to be missing afterwards, None where the witness cannot be read. `aside`: the broken files' new names.
    """

    source: Path
    head: Head
    lost: int | None
    aside: tuple[Path, ...] = ()


def plan_restore(state: Path, which: str | None = None) -> Restoration:
    """What `restore` would do; changes nothing. Raises ReconcileError as `restore`."""
    places = Places(state)
    with locked(places):
        return _plan(places, which)


def restore(state: Path, which: str | None = None) -> Restoration:
    """Puts back the backup of that file name, by default whatever whole copy has most events: the ledger itself or the
    newest backup that checks out. The broken file stays beside as `ledger.sqlite.broken-<n>`.

    Raises ReconcileError E711 no whole backup, E712 nothing to restore, E704 in use, E705 disk, E707 and E708 the key.
    """
    places = Places(state)
    with locked(places):
        plan = _plan(places, which)
        aside = () if plan.source == places.ledger else _exchange(places, plan.source)
        with disk(places.witness):
            set_witness(places, plan.head)
        return Restoration(plan.source, plan.head, plan.lost, aside)


def _plan(places: Places, which: str | None) -> Restoration:
    key, witness = read_key(places), _witness(places)
    if which is not None:
        known = {path.name: path for path in backups(places.backups)}
        if which not in known:
            raise refused(
                "E711", "没有这个名字的台账备份", "备份文件夹里找不到它", "文件名见 state/backup 文件夹"
            )
        found: tuple[Path, Head] | None = (known[which], proven(known[which], key, f"backup/{which}")[0])
    else:
        found = _best(places, key, witness)
    if found is None:
        why = "台账不完好，备份文件夹里也没有一份查得过的备份"
        cure = "把异地保存的备份放进 state/backup 后重试；都没有时，保留整个 state 文件夹并联系开发者"
        raise refused("E711", "没有可用的台账备份", why, cure, "backup/")
    lost = None if witness is None else max(0, witness.sequence - found[1].sequence)
    return Restoration(*found, lost)


def _best(places: Places, key: PersonKey, witness: Head | None) -> tuple[Path, Head] | None:
    """The whole copy to use: the newest such backup, unless the ledger itself is whole and has more events."""
    own = _own_head(places, key, witness)
    if own is not None and witness is not None and own.sequence >= witness.sequence:
        raise refused(
            "E712", "台账完好，不需要恢复", "记录链完整，与见证一致", "照常运行即可；要回到旧备份请用 --which"
        )
    for path in backups(places.backups):
        try:
            head = proven(path, key, f"backup/{path.name}")[0]
        except ReconcileError:
            continue  # the next older one
        if own is None or head.sequence >= own.sequence:
            return path, head
        break
    return None if own is None else (places.ledger, own)


def _witness(places: Places) -> Head | None:
    try:
        return read_witness(places)
    except ReconcileError:
        return None


def _own_head(places: Places, key: PersonKey, witness: Head | None) -> Head | None:
    """The ledger's own head where it is whole in itself and does not contradict the witness, looked at in a copy."""
    try:
        with _copied(places) as copy:
            with closing(connect(copy, journal="DELETE")):  # takes in what its journal holds
                pass
            head, _ = proven(copy, key, "ledger/ledger.sqlite")
            if witness is None or head.sequence < witness.sequence:
                return head
            with closing(connect_readonly(copy)) as connection:
                return head if hash_at(connection, witness.sequence) == witness.hash else None
    except ReconcileError:
        return None


@contextmanager
def _copied(places: Places) -> Iterator[Path]:
    """A copy of the ledger and its journal, so that looking changes nothing; removed afterwards."""
    copy = places.ledger.with_name(".look.sqlite")
    with disk(places.ledger):
        new_file(copy)
        try:
            shutil.copyfile(places.ledger, copy)
            wal = places.with_journals()[0]
            if wal.exists():
                shutil.copyfile(wal, copy.with_name(copy.name + "-wal"))
            yield copy
        finally:
            new_file(copy)
            copy.unlink()


def _exchange(places: Places, source: Path) -> tuple[Path, ...]:
    """The backup takes the ledger's place; the old files go aside, the journal first: it must not meet the new file."""
    beside = places.ledger.with_name(".ledger.sqlite.new")
    with disk(places.ledger):
        new_file(beside)
        shutil.copyfile(source, beside)
        sync(beside)
        number = 1
        while any(Path(f"{path}.broken-{number}").exists() for path in places.with_journals()):
            number += 1
        moved = [path.rename(f"{path}.broken-{number}") for path in places.with_journals() if path.exists()]
        sync(places.ledger.parent)
    put_in_place(beside, places.ledger)
    return tuple(moved)
