"""Are two folded names one person's, written twice? A score in [0, 1] with the evidence for it.

The bands, and why (the score orders names within a band; the bands carry the meaning):
- 0.7 … 1: every part agrees in a way that writing explains: same, heard alike, spelled by another ear, seen alike,
  unreadable, in another order, or one part left out.
- `PLAIN` = 0.5 … 0.7: one slip explains it: one character quite different, all the rest the same. A typist errs
  once in a name; two independent errors in two or three characters are rarer than another person.
- `NOTHING` = 0.2 … 0.5: something is common, yet less than one slip leaves: relatives and strangers have as much.
- below 0.2: nothing in common but a surname or a clan, which whole families and villages share.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pipeline.identity.name_character import Evidence, agreement, transliterated, worth
from pipeline.identity.name_data import sections
from pipeline.identity.name_fold import WILDCARD
from pipeline.identity.name_words import Word, known, words

PLAIN = 0.5  # below: the names contradict each other
NOTHING = 0.2  # below: they contradict even where the birth date speaks for one person


@dataclass(frozen=True)
class Comparison:
    """`score` in [0, 1] (see the module for its bands) and the `evidence` it rests on."""

    score: float
    evidence: Evidence


STRANGERS = Comparison(0.0, Evidence.NONE)
FAMILY = Comparison(0.1, Evidence.PART)  # surname or clan only
_SOMETHING = Comparison(0.3, Evidence.PART)
_UNREAD = Comparison(PLAIN, Evidence.WILDCARD)  # nothing to contradict with
_ONE_SLIP = Comparison(0.55, Evidence.EQUAL | Evidence.PART)


def compare(left: str, right: str) -> Comparison:
    """Compare two folded names (see `fold`). Symmetric; a name and itself score 1; "" and anything 0."""
    one, other = sorted((left, right), key=lambda name: (len(name), name))
    if not one:
        return STRANGERS
    if one == other:
        return Comparison(1.0, Evidence.EQUAL)
    if not (one.strip(WILDCARD) and other.strip(WILDCARD)):
        return _UNREAD
    if WILDCARD in one + other and _readable_alike(one, other):
        return Comparison(0.75, Evidence.WILDCARD)
    if sorted(one) == sorted(other):
        return Comparison(0.75, Evidence.ORDER)
    if _one_left_out(one, other):
        return Comparison(0.7, Evidence.SUBSET)
    if known(one) and known(other):
        return _by_words(words(one), words(other))
    if len(other) > 3 and not (compound(one) or compound(other)):
        return max(_by_words(words(one), words(other)), _long(one, other), key=lambda found: found.score)
    return _by_surname(one, other)


def similarity(left: str, right: str) -> float:
    """The score of `compare`: how far two folded names may be one person's, in [0, 1]."""
    return compare(left, right).score


def _summary(agreements: Iterable[Evidence]) -> Comparison:
    """All parts agree: the mean of their worth, and every kind of agreement met."""
    return _summed(tuple(agreements))


@lru_cache(maxsize=65_536)
def _summed(found: tuple[Evidence, ...]) -> Comparison:
    evidence = Evidence.NONE
    for one in found:
        evidence |= one
    return Comparison(round(sum(map(worth, found)) / len(found), 4), evidence)


def _readable_alike(one: str, other: str) -> bool:
    """Whether the names agree where both can be read; `?` stands for one character or for none (a lost interpunct)."""
    reached = [True] + [False] * len(other)
    for place, character in enumerate(other):
        reached[place + 1] = reached[place] and character == WILDCARD
    for mark in one:
        row = [reached[0] and mark == WILDCARD]
        for place, character in enumerate(other):
            skipped = (reached[place + 1] and mark == WILDCARD) or (row[place] and character == WILDCARD)
            row.append(skipped or (reached[place] and bool(agreement(mark, character))))
        reached = row
    return reached[-1]


def _sounds_in(one: str, other: str) -> bool:
    """Whether the characters of `one` stand in `other` in this order, the same or heard the same."""
    rest = iter(other)
    return all(any(_certain(agreement(mark, character)) for character in rest) for mark in one)


def _one_left_out(one: str, other: str) -> bool:
    """李英 / 李英云; a longer name cut off by a narrow column; a single character left of a name."""
    if len(one) + 1 == len(other) or len(one) == 1:
        return _sounds_in(one, other)
    return len(one) > 2 and other.startswith(one)


# --- names with a surname ---------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _compounds() -> frozenset[str]:
    return frozenset(name for _, line in sections("name_surnames.txt") for name in line)


def compound(name: str) -> bool:
    """Whether the name begins with a surname of two characters (欧阳) and has more."""
    return len(name) > 2 and name[:2] in _compounds()


def _parted(name: str) -> tuple[str, str]:
    return (name[:2], name[2:]) if compound(name) else (name[:1], name[1:])


def _by_surname(one: str, other: str) -> Comparison:
    """`_parts_agree` of the names parted each by itself, and as if both had a compound surname that one miswrites."""
    found = _parts_agree(_parted(one), _parted(other))
    if compound(one) == compound(other) or not _miswritten(one, other):
        return found
    both = _parts_agree((one[:2], one[2:]), (other[:2], other[2:]))
    return max(found, both, key=lambda comparison: comparison.score)


def _miswritten(one: str, other: str) -> bool:
    """Whether one slip, or any that sound or look explain, makes one compound surname of both (欧阳修, 殴阳修)."""
    if min(len(one), len(other)) < 3:
        return False
    found = [agreement(a, b, place == 0) for place, (a, b) in enumerate(zip(one[:2], other[:2], strict=True))]
    return Evidence.EQUAL in found or all(found)


def _parts_agree(left: tuple[str, str], right: tuple[str, str]) -> Comparison:
    """Surname and given name: the surname alone proves nothing, another surname is excused by the whole given name."""
    (surname, given), (surname_2, given_2) = left, right
    family = [agreement(a, b, True) for a, b in zip(surname, surname_2, strict=False)]
    related = len(surname) == len(surname_2) and all(family)
    if given and len(given) == len(given_2):
        own = [agreement(a, b) for a, b in zip(given, given_2, strict=True)]
        if all(own):
            return (
                _summary(family + own) if related else Comparison(0.6, _summary(own).evidence | Evidence.PART)
            )
        if related and all(map(_certain, family)) and 2 * own.count(Evidence.EQUAL) >= len(own):
            return _ONE_SLIP
    elif given and related and _sounds_in(given, given_2):
        return Comparison(0.65, _summary(family).evidence | Evidence.SUBSET)
    if related and given and not (given.strip(WILDCARD) and given_2.strip(WILDCARD)):
        return _UNREAD
    if any(_certain(agreement(a, b)) for a in given for b in given_2) or (
        related and len(surname + given) == len(surname_2 + given_2) == 2
    ):
        return _SOMETHING
    return FAMILY if related else STRANGERS


def _certain(evidence: Evidence) -> bool:
    """The same character or the same sound: what chance or another error seldom makes."""
    return evidence in (Evidence.EQUAL, Evidence.PINYIN)


# --- names of words ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=262_144)
def _word_agreement(one: Word, other: Word) -> Evidence:
    """Why two words may be one. Two listed words of two classes are one only if they sound alike (卓玛 ≠ 卓嘎)."""
    if one.text == other.text:
        return Evidence.EQUAL
    if one.head and one.head == other.head:
        return Evidence.SPELLING
    if len(one.text) != len(other.text):
        return Evidence.NONE
    compare_characters = agreement if one.head and other.head else transliterated
    found = [compare_characters(a, b) for a, b in zip(one.text, other.text, strict=True)]
    if not all(found) or (one.head and other.head and Evidence.SHAPE in found):
        return Evidence.NONE
    return min(found, key=worth)


def _matches(one: tuple[Word, ...], other: tuple[Word, ...]) -> list[tuple[int, int, Evidence]]:
    """The best pairs of agreeing words, each word once: (place, place, evidence)."""
    every = [(i, j, _word_agreement(a, b)) for i, a in enumerate(one) for j, b in enumerate(other)]
    agreeing = [pair for pair in every if pair[2]]
    chosen: list[tuple[int, int, Evidence]] = []
    for i, j, evidence in sorted(
        agreeing, key=lambda pair: (-worth(pair[2]), abs(pair[0] - pair[1]), pair[:2])
    ):
        if all(i != taken[0] and j != taken[1] for taken in chosen):
            chosen.append((i, j, evidence))
    return sorted(chosen, key=lambda pair: pair[:2])


def _by_words(one: tuple[Word, ...], other: tuple[Word, ...]) -> Comparison:
    """Word by word in any order: all agree, or all of the shorter name do; one of two proves nothing."""
    pairs = _matches(one, other)
    fewer, more = sorted((len(one), len(other)))
    own = [pair for pair in pairs if not one[pair[0]].clan]
    if len(pairs) == fewer:
        found = _summary(evidence for _, _, evidence in pairs)
        if fewer < more:
            return Comparison(0.7 if own else PLAIN, found.evidence | Evidence.SUBSET)
        moved = [j for _, j, _ in pairs] != sorted(j for _, j, _ in pairs)
        return Comparison(min(found.score, 0.75), found.evidence | Evidence.ORDER) if moved else found
    common = _own_characters(one) & _own_characters(other)
    if own or common:
        return _SOMETHING
    return FAMILY if pairs else STRANGERS


def _own_characters(parts: tuple[Word, ...]) -> set[str]:
    return {character for word in parts if not word.clan for character in word.text} - {WILDCARD}


def _long(one: str, other: str) -> Comparison:
    """Names of four characters and more that are not all listed words: one character different, the rest the same."""
    facing = zip(words(one), words(other), strict=False)
    if len(one) != len(other) or any(a.head and b.head and not _word_agreement(a, b) for a, b in facing):
        return STRANGERS
    slips = sum(a != b for a, b in zip(one, other, strict=True))
    return _ONE_SLIP if slips == 1 or (slips == 2 and len(one) > 5) else STRANGERS
