"""Pairs of folded names compared by the million: `name_compare`, but most strangers are known without it.

Blocking brings mostly names with nothing in common. Each character has marks: how it sounds, the syllable it is written
for, what it looks like; two characters that `name_character` may hold for one have a mark in common, a bit of two
integers. Names without one, or with none outside their surnames, are no one's and need no comparison.
"""

from __future__ import annotations

import polars as pl

from pipeline.identity.name_character import agreement
from pipeline.identity.name_compare import FAMILY, STRANGERS, Comparison, compare, compound
from pipeline.identity.name_fold import WILDCARD
from pipeline.identity.name_pinyin import dialect, surname_syllable, syllable
from pipeline.identity.name_shape import shape_marks
from pipeline.identity.name_words import listed_heads, may_be_known, syllable_marks

_PIECE = 1 << 18  # pairs handled at once


def compare_pairs(left: pl.Series, right: pl.Series) -> pl.DataFrame:
    """`score` (Float64) and `evidence` (UInt16, bits of `Evidence`) of each pair of folded names, as by `compare`.

    Same length and order as given; null where a name is blank or null. Work is per distinct pair.
    """
    pairs = pl.DataFrame([left.cast(pl.String).alias("left"), right.cast(pl.String).alias("right")])
    distinct = pairs.drop_nulls().filter(pl.all_horizontal(pl.all() != "")).unique(maintain_order=True)
    marks = Marks()
    pieces = [_scored(distinct.slice(at, _PIECE), marks) for at in range(0, max(distinct.height, 1), _PIECE)]
    joined = pairs.join(pl.concat(pieces), on=["left", "right"], how="left", maintain_order="left")
    return joined.select("score", "evidence")


def _scored(pairs: pl.DataFrame, marks: Marks) -> pl.DataFrame:
    found = [_strangers(one, other, marks) or compare(one, other) for one, other in pairs.iter_rows()]
    bits = {evidence: evidence.value for evidence in {one.evidence for one in found}}
    return pairs.with_columns(
        pl.Series("score", [one.score for one in found], dtype=pl.Float64),
        pl.Series("evidence", [bits[one.evidence] for one in found], dtype=pl.UInt16),
    )


class Marks(dict[str, int]):
    """The marks of each character as bits of an integer, and of all characters of a text together; worked out when first met."""

    def __init__(self) -> None:
        super().__init__({WILDCARD: -1})  # may be any character
        self._bits: dict[str, int] = {}

    def __missing__(self, text: str) -> int:
        found = 0
        if len(text) == 1:
            sounds = [dialect(sound(text)) for sound in (syllable, surname_syllable)]
            heard = {f"{way} {key}" for pair in sounds for way, key in enumerate(pair)}
            for mark in sorted(heard | syllable_marks(text) | shape_marks(text)):
                found |= 1 << self._bits.setdefault(mark, len(self._bits))
        else:
            for character in text:
                found |= self[character]
        self[text] = found
        return found


def _strangers(one: str, other: str, marks: Marks) -> Comparison | None:
    """What `compare` says of two names that have nothing in common, at most a surname; None: it must be asked."""
    short = len(one) < 4 and len(other) < 4
    worded = not short or (may_be_known(one) and may_be_known(other))
    if not marks[one] & marks[other]:
        return None if worded and listed_heads(one) & listed_heads(other) else STRANGERS
    if worded or WILDCARD in one or WILDCARD in other or marks[one[1:]] & marks[other[1:]]:
        return None
    if len(one) < 2 or len(other) < 2 or compound(one) or compound(other):
        return None
    related = bool(agreement(one[0], other[0], True))
    if len(one) == len(other) == 2 and (related or one == other[::-1]):
        return None  # a given name of one character: too little to tell, or 江李 for 李江
    return FAMILY if related else STRANGERS
