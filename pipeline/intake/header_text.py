"""How header texts are compared and shown: one spelling for comparing, a harmless one for messages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_UNSEEN = re.compile("[\\s\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u00ad\x00-\x1f\x7f-\x9f]+")
_NUMBER = re.compile(r"[0-9*]{14}|[0-9]{6}\*{4}")


def plain(text: str) -> str:
    """A header as it is compared: NFKC, without white space, invisible characters, the mark of a required column."""
    if text.isalnum() and unicodedata.is_normalized("NFKC", text):
        return text
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", text)).strip("*:")


@lru_cache(maxsize=1024)
def plain_headers(headers: tuple[str, ...]) -> frozenset[str]:
    """Declared headers as they are compared (kept, because they are looked up row by row)."""
    return frozenset(map(plain, headers))


def holds_number(row: Sequence[str]) -> bool:
    """Whether a cell looks like an ID, certificate or account number, masked and damaged ones too."""
    return any(
        len(cell) >= 10
        and _NUMBER.search(_UNSEEN.sub("", unicodedata.normalize("NFKC", cell)).replace("-", ""))
        for cell in row
    )


def shown(text: str) -> str:
    """A header as it may stand in a message: short, and without long digits, should it be no header at all."""
    return re.sub(r"[0-9]{6,}", "…", text)[:40]


def letter(column: int) -> str:
    """Column index from 0 as spreadsheets name it: 0 -> A, 26 -> AA."""
    name, rest = "", column + 1
    while rest:
        rest, at = divmod(rest - 1, 26)
        name = chr(65 + at) + name
    return name
