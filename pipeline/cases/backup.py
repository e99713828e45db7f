"""Copies of the ledger that were proven whole: `STATE/backup/ledger-<date>-<sequence>.sqlite`."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

from pipeline.cases.chain import whole_chain
from pipeline.cases.database import connect_readonly, is_ledger, is_sound, put_in_place
from pipeline.cases.ledger import Ledger
from pipeline.cases.migrate import scripts, version_of
from pipeline.cases.person_key import PersonKey, same_key
from pipeline.cases.places import private_folder
from pipeline.cases.refusals import disk, newer, own_sql
from pipeline.cases.witness import Head

_NAME = re.compile(r"ledger-([0-9]{4}-[0-9]{2}-[0-9]{2})-([0-9]{8,})\.sqlite")
_NO_DATE = "0000-00-00"  # of a ledger without events


def backup(ledger: Ledger, folder: Path, keep: int) -> Path:
    """Writes a copy, proves it whole (SQLite's check, every hash of the chain), and keeps the newest `keep` of them.

    The path. The copy is verbatim, so one that is not whole says that the ledger is damaged: ReconcileError E702, E706
    (exit 7), and no older backup is given up for it. E704, E705 as the ledger's.
    """
    if keep < 1:
        raise ValueError("at least one backup is kept")
    beside = folder / ".backup.sqlite.new"
    with disk(beside):
        private_folder(folder)
    try:
        ledger.copy_to(beside)
        head, on = proven(beside, ledger.key, "ledger/ledger.sqlite")
        path = folder / f"ledger-{on}-{head.sequence:08d}.sqlite"
        put_in_place(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    with disk(path):
        for old in backups(folder)[keep:]:
            old.unlink()
    return path


def backups(folder: Path) -> list[Path]:
    """The backups of a folder, the newest (date, then number of events) first."""
    return sorted(
        (path for path in folder.glob("ledger-*.sqlite") if _NAME.fullmatch(path.name)),
        key=_age,
        reverse=True,
    )


def proven(path: Path, key: PersonKey, file: str) -> tuple[Head, str]:
    """Head and last date (ISO; 0000-00-00 if it has no events) of a copy that nobody writes to, read wholly.

    Raises ReconcileError E702, E703, E706, E708 about `file`.
    """
    with own_sql(file), closing(connect_readonly(path)) as connection:
        is_ledger(connection, file)
        is_sound(connection, file, "integrity_check")
        if version_of(connection) > len(scripts()):
            raise newer(version_of(connection), len(scripts()))
        remembered = connection.execute("SELECT value FROM meta WHERE key = 'key_id'").fetchone()
        same_key(key, str(remembered[0]) if remembered else "")
        head = whole_chain(connection, file)
        last = connection.execute("SELECT max(on_date) FROM events").fetchone()[0]
    return head, last or _NO_DATE


def _age(path: Path) -> tuple[str, int]:
    match = _NAME.fullmatch(path.name)
    return (match[1], int(match[2])) if match else ("", 0)
