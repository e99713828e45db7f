"""Transliterated names (Tibetan, Yi, Lisu, Mosuo, Uyghur) taken apart into known words and their spelling classes.

These names have no surname; offices write them by ear, each in its own dialect: 次仁, 泽仁, 才让, 此里 and 七林 are one
name (ཚེ་རིང), 卓玛 and 卓嘎 are two. The list is name_syllables.txt. Unknown stretches stay as unknown words.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from pipeline.identity.name_data import sections

_LONGEST = 5  # characters of the longest word, and of an unknown stretch


class Word(NamedTuple):
    """One word of a name. `head` is its spelling class ("" = unknown); `clan` = a Yi clan's name."""

    text: str
    head: str = ""
    clan: bool = False


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, Word]:
    """Every listed word by its spelling."""
    lines = [
        (section, words) for section, words in sections("name_syllables.txt") if section in ("word", "clan")
    ]
    return {word: Word(word, words[0], section == "clan") for section, words in lines for word in words}


@lru_cache(maxsize=1)
def _suffixes() -> dict[str, Word]:
    lines = [words for section, words in sections("name_syllables.txt") if section == "suffix"]
    return {word: Word(word, f"-{words[0]}") for words in lines for word in words}


@lru_cache(maxsize=1)
def _sounds() -> dict[str, frozenset[int]]:
    """Character → numbers of the syllable classes it is written for."""
    lines = [set(words) for section, words in sections("name_syllables.txt") if section == "syllable"]
    return {c: frozenset(n for n, line in enumerate(lines) if c in line) for line in lines for c in line}


def syllable_marks(character: str) -> frozenset[str]:
    """What the character is written for in transliterated names: a syllable, or the suffix of an Amdo name."""
    suffix = [_suffixes()[character].head] if character in _suffixes() else []
    return frozenset([*suffix, *(f"syllable {number}" for number in _sounds().get(character, ()))])


def same_syllable(one: str, other: str) -> bool:
    """Whether two characters are written for one syllable of transliterated names (次 泽, 嘎 呷)."""
    return not _sounds().get(one, frozenset()).isdisjoint(_sounds().get(other, frozenset()))


def _word(name: str, start: int, end: int) -> Word:
    text = name[start:end]
    if start == 2 and end == len(name) == 3 and text in _suffixes() and name[:2] in vocabulary():
        return _suffixes()[text]
    return vocabulary().get(text) or Word(text)


@lru_cache(maxsize=65_536)
def words(name: str) -> tuple[Word, ...]:
    """The cheapest parting of a folded name into words; 阿苦尔古 → 阿苦 (clan), 尔古.

    Listed words cost next to nothing; an unknown stretch costs its length, and is best of two characters.
    """
    listed = vocabulary()
    best: list[tuple[float, int]] = [
        (0.0, 0)
    ]  # (cost, where the last word begins) of the name up to each place
    for end in range(1, len(name) + 1):
        ways = []
        for start in range(max(0, end - _LONGEST), end):
            length = end - start
            cost = 0.1 if length > 1 and name[start:end] in listed else length + (0.0 if length == 2 else 0.6)
            ways.append((best[start][0] + cost, start))
        best.append(min(ways))
    found: list[Word] = []
    end = len(name)
    while end:
        start = best[end][1]
        found.append(_word(name, start, end))
        end = start
    return tuple(reversed(found))


@lru_cache(maxsize=65_536)
def known(name: str) -> bool:
    """Whether the whole name is listed words."""
    listed = vocabulary()  # without a listed word at its beginning the name need not be parted
    begun = any(name[:end] in listed for end in range(2, _LONGEST + 1))
    return begun and all(word.head for word in words(name))


def may_be_known(name: str) -> bool:
    """False if the whole name cannot be listed words, at the price of a look-up. Names of up to three characters."""
    listed = vocabulary()
    return name in listed or name[:2] in listed


@lru_cache(maxsize=65_536)
def listed_heads(name: str) -> frozenset[str]:
    """The spelling classes of all listed words that stand anywhere in the name."""
    listed, size = vocabulary(), len(name)
    every = (name[at:end] for at in range(size) for end in range(at + 2, min(at + _LONGEST, size) + 1))
    return frozenset(listed[word].head for word in every if word in listed)
