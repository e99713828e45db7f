"""Two characters of two names: the same, heard alike, written for one sound, seen alike, or unreadable."""

from __future__ import annotations

from enum import Flag
from functools import lru_cache

from pipeline.identity.name_fold import WILDCARD
from pipeline.identity.name_pinyin import dialect, surname_syllable, syllable
from pipeline.identity.name_shape import look_alike
from pipeline.identity.name_words import same_syllable


class Evidence(Flag):
    """What two names have for being one person's: what was the same, and what explains what was not."""

    NONE = 0
    EQUAL = 1  # the same characters
    PINYIN = 2  # the same toneless pinyin
    DIALECT = 4  # the same but for zh/z, n/l, -n/-ng, f/h, w/h
    SPELLING = 8  # spellings of one Tibetan, Yi, Lisu or Uyghur word, or of one syllable of such names
    SHAPE = 16  # look-alike characters
    WILDCARD = 32  # a character that could not be read
    SUBSET = 64  # a part is missing in one of them
    ORDER = 128  # the parts in another order
    PART = 256  # part of the name agrees, part does not


# How much an agreement is worth, from the same character down to one nobody could read.
_WORTH = {
    Evidence.EQUAL: 1.0,
    Evidence.PINYIN: 0.9,
    Evidence.SPELLING: 0.9,
    Evidence.DIALECT: 0.8,
    Evidence.SHAPE: 0.8,
    Evidence.WILDCARD: 0.7,
    Evidence.NONE: 0.0,
}


def worth(evidence: Evidence) -> float:
    """The weight in [0, 1] of one agreement of two characters or words."""
    return _WORTH[evidence]


def _heard(one: str, other: str) -> Evidence:
    if one == other:
        return Evidence.PINYIN
    alike = any(left == right for left, right in zip(dialect(one), dialect(other), strict=True))
    return Evidence.DIALECT if alike else Evidence.NONE


@lru_cache(maxsize=262_144)
def agreement(one: str, other: str, first: bool = False) -> Evidence:
    """Why two characters may be one; NONE if they may not. `first` = first place of a name: surnames' readings too."""
    if one == other:
        return Evidence.WILDCARD if one == WILDCARD else Evidence.EQUAL
    if WILDCARD in (one, other):
        return Evidence.WILDCARD
    heard = _heard(syllable(one), syllable(other))
    if first and heard is not Evidence.PINYIN:
        heard = _heard(surname_syllable(one), surname_syllable(other)) or heard
    if heard:
        return heard
    return Evidence.SHAPE if look_alike(one, other) else Evidence.NONE


@lru_cache(maxsize=262_144)
def transliterated(one: str, other: str) -> Evidence:
    """`agreement` within transliterated names, where characters stand for syllables (次 泽)."""
    return agreement(one, other) or (Evidence.SPELLING if same_syllable(one, other) else Evidence.NONE)
