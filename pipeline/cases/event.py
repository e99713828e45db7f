"""One event of the ledger: what happened to a case on a business date, and the chain of hashes over all of them."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

JSON: TypeAlias = "bool | int | str | Sequence[JSON] | Mapping[str, JSON] | None"

GENESIS = "0" * 64  # stands for the hash before the first event
_KIND = re.compile(r"[a-z][a-z0-9_.]{0,39}")
_CASE = re.compile(r"[A-Z0-9-]{1,40}")
_LARGEST = 2**53 - 1  # integers that every JSON reader keeps (RFC 8259, section 6)
_DEEPEST = 20
_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class Event:
    """`on`: business date; `kind`: small letters, digits, `_`, `.`; `case`: a case number, None where it is about no single case.

    `body` is JSON without floats (money is an integer of fen or a text). Raises ValueError, without any value in it, where a
    field is out of form.
    """

    on: date
    kind: str
    case: str | None
    body: Mapping[str, JSON]

    def __post_init__(self) -> None:
        if type(self.on) is not date:  # a datetime is a date too
            raise ValueError("the date is no plain date")
        if not (_KIND.fullmatch(self.kind) and (self.case is None or _CASE.fullmatch(self.case))):
            raise ValueError("kind or case number out of form")
        if not isinstance(self.body, Mapping):
            raise ValueError("the body is no mapping")

    def text(self) -> str:
        """The body as canonical JSON: keys sorted by code point, no spaces, all text in NFC, UTF-8. Raises ValueError."""
        return _WRITER.encode(_plain(self.body, 0))


def chained(previous_hash: str, sequence: int, event: Event) -> str:
    """The event's hash, 64 hex digits: it names everything that came before. Raises ValueError as Event.text."""
    return hash_of(previous_hash, sequence, event.on.isoformat(), event.kind, event.case, event.text())


def hash_of(previous_hash: str, sequence: int, on: str, kind: str, case: str | None, text: str) -> str:
    """SHA-256 of the fields, one a line; no field can hold a line end (JSON escapes them), so no two events share a text."""
    fields = (previous_hash, str(sequence), on, kind, case or "", text)
    return hashlib.sha256("\n".join(fields).encode()).hexdigest()


def _plain(value: JSON, depth: int) -> object:
    """A copy of plain types with NFC text. Raises ValueError for what has no canonical form."""
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    if value is None or isinstance(value, bool):
        return value
    if type(value) is int and abs(value) <= _LARGEST:
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return _object(value, depth)
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    raise ValueError("the body holds something other than text, whole numbers, lists and mappings")


def _object(value: Mapping[str, JSON], depth: int) -> dict[str, object]:
    if not all(isinstance(key, str) for key in value):
        raise ValueError("a key is no text")
    plain = {_text(key): _plain(item, depth + 1) for key, item in value.items()}
    if len(plain) != len(value):
        raise ValueError("two keys are the same text in NFC")
    return plain


def _text(text: str) -> str:
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half a character") from None
    return unicodedata.normalize("NFC", text)
