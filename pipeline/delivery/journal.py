"""The sent-journal: one line a try, kept apart from the ledger, so that a ledger restored from an old backup mails nothing twice.

A line is made to last before the server is called. A letter that the journal knows and the ledger does not was tried by a
ledger that is gone: whether it went is told here, and where that is not told either it is doubtful.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pipeline.cases.places import private_folder
from pipeline.system_files import append_line

CLAIMED = "claimed"


class Journal:
    """`STATE/journal/mail.jsonl`: {"letter": id, "fate": claimed | sent | later | refused | doubtful, "on": date}."""

    def __init__(self, state: Path) -> None:
        self._path = state / "journal" / "mail.jsonl"

    def note(self, letter_id: str, fate: str, on: str) -> None:
        """Raises OSError where the line cannot be made to last: then nothing may be sent."""
        private_folder(self._path.parent)
        told = json.dumps({"letter": letter_id, "fate": fate, "on": on}, sort_keys=True)
        append_line(self._path, told.encode())

    def fates(self) -> Mapping[str, str]:
        """The last word on every letter that was ever tried. A torn last line (power cut) counts for nothing."""
        found: dict[str, str] = {}
        with suppress(FileNotFoundError):
            for line in self._path.read_bytes().splitlines():
                with suppress(ValueError, KeyError, TypeError):
                    said = json.loads(line)
                    found[str(said["letter"])] = str(said["fate"])
        return found
