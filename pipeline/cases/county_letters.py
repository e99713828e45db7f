"""The letters of a county in its case numbers: 香格里拉市 → XGLL."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import product

from pipeline.cases.case_number import LETTERS
from pipeline.identity.name_pinyin import syllable
from pipeline.identity.region import stem

_LONGEST = 5


def county_letters(name: str, taken: Collection[str]) -> str:
    """Two to five letters that no other county has: the initials in pinyin of the name without 市, 县, 自治县 and peoples.

    Where they are `taken` or too few, letters of the last syllable are added, then any. The same name and the same taken
    letters give the same. Raises ValueError where the name has no reading or nothing is left.
    """
    syllables = [
        "".join(filter(LETTERS.__contains__, syllable(character).upper())) for character in stem(name)
    ]
    sounds = [sound for sound in syllables if sound]
    if not sounds:
        raise ValueError("a county's name without Chinese characters")
    for letters in _candidates("".join(sound[0] for sound in sounds)[:_LONGEST], sounds[-1][1:]):
        if len(letters) >= 2 and letters not in taken:
            return letters
    raise ValueError("no county letters left")


def _candidates(initials: str, rest: str) -> Iterator[str]:
    yield initials
    yield from (initials[: _LONGEST - 1] + letter for letter in rest)
    for more in (1, 2, 3):
        yield from (initials[: _LONGEST - more] + "".join(tail) for tail in product(LETTERS, repeat=more))
