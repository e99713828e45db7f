"""Plain text for mails: lines short enough for every mail program, and no word of disability in them.

A subject is shown in lists and on locked screens, a body is quoted and forwarded: neither may say what kind of people it is about
(health and disability are sensitive personal information, PIPL art. 28). Titles of lists and policies lose the word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

WIDE = 76  # columns of a line: 38 Chinese characters
_WORD = re.compile("(?:重度|困难)?残疾人?")
_NOT_FIRST = "，。、；：？！）》”】,.;:)"


def discreet(text: str, federation: str = "本系统") -> str:
    """残疾人两项补贴发放花名册 → 两项补贴发放花名册; 持证残疾人名册 → 持证人员名册; 残疾人证 → 证件; 残联 → 本系统 (a county's letters
    go to its own offices), or what `federation` says: a letter to departments calls it by its name, in the body only."""
    for word, instead in (
        *((name, federation) for name in ("残疾人联合会", "残联")),
        ("残疾人证", "证件"),
        ("持证残疾人", "持证人员"),
    ):
        text = text.replace(word, instead)
    return _WORD.sub("", text)


def said_outside(name: str) -> str:
    """A department's name for a subject or a file's name; "" for one that says what kind of people its list is about."""
    return name if discreet(name) == name else ""


def wrapped(lines: Iterable[str]) -> str:
    """The lines cut at WIDE columns, what is cut off indented as the line itself; ends with a line end. A sign of punctuation
    begins no line if it can be helped."""
    return "".join(f"{part}\n" for line in lines for part in _cut(line))


def columns(text: str) -> int:
    """Columns on a screen: a Chinese character takes two."""
    return sum(_wide(character) for character in text)


def _wide(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WFA" else 1


def _cut(line: str) -> Iterable[str]:
    indent = line[: len(line) - len(line.lstrip(" "))][: WIDE // 2]
    words = re.findall(r"[A-Za-z0-9-]{1,30}|.", line.strip(" "))  # a number is not cut in two
    part = indent
    for at, word in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) else ""
        closes = following if following and following in _NOT_FIRST else ""
        full = columns(part + word) > WIDE
        if full or (columns(part + word + closes) > WIDE and word not in _NOT_FIRST):
            yield part.rstrip(" ")
            part = indent
        part += word
    yield part.rstrip(" ")
