"""A part of what is held about a person, and how values stand in it: the person's own whole, everybody else's masked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.desk.explain_text import plain
from pipeline.desk.person_asked import Whom
from pipeline.identity.mask import mask_value

_NUMBER = re.compile(r"[0-9]{17}[0-9Xx](?:[0-9]{2}(?:[Bb][0-9])?)?|[0-9]{9,}[Xx]?")
FOREVER = "不定期删除"


@dataclass(frozen=True)
class Section:
    """One table: what it is, where it lies, until when it is kept. All cells are text."""

    title: str
    kept_in: str
    until: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def words(value: object) -> str:
    """A value as a reader says it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, date):
        return "长期" if value.year == 9999 else value.isoformat()
    if isinstance(value, float):
        return f"{value:g}"
    return plain(str(value))


def own_words(value: object, one: Whom) -> str:
    """Free text: a long number in it stays whole only where it is the person's own."""

    def shown(found: re.Match[str]) -> str:
        number = found[0].upper()
        return found[0] if one.is_own(number) else mask_value(number)

    return _NUMBER.sub(shown, words(value))


def hidden(text: str) -> str:
    """Free text that others will read: no long number stays whole, whosever it is."""
    return _NUMBER.sub(lambda found: mask_value(found[0].upper()), words(text))


def own_number(value: object, one: Whom) -> str:
    """A number that may be somebody else's."""
    text = words(value)
    return text if not text or one.is_own(text) else mask_value(text)


def own_name(value: object, one: Whom) -> str:
    """A name that may be somebody else's: of others the first character only."""
    text = words(value)
    return text if text in one.names else text[:1] + "*" * (len(text) - 1)


def until(day: date, days: int) -> str:
    """Until when something of that day is kept, `days` as [retention] says it (0: for ever)."""
    return (day + timedelta(days=days)).isoformat() if days else FOREVER
