"""How common a name is: the chance that a random person of a county bears it (its term frequency, for the weights).

Two people called 扎西 are hardly likelier to be one person than any two of the village; two called 蔺泽栩 are. The model is made of
published shares (name_shares.txt): the surname's share times that of the given name, or for names of listed words the
product of theirs. Names that were counted may be given beside it; no fit counts them yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import polars as pl

from pipeline.identity.name_compare import compound
from pipeline.identity.name_data import sections
from pipeline.identity.name_fold import WILDCARD
from pipeline.identity.name_words import Word, known, may_be_known, vocabulary, words

LEAST, MOST = 2e-6, 0.05  # no name is as rare as a product says; none tells nothing
_TOGETHER = 3.0  # characters of a given name go with their like (秀英, 建国): so often more than by chance
_ALONE = 0.15  # of the given names that have one character
_ONLY = 2 / 3  # of the people with names of words, those with one word: 1/60 for a word of 1/40


def frequency(folded: pl.Series, counted: Mapping[str, float] | None = None) -> pl.Series:
    """The chance (Float64 in [LEAST, MOST], same length and name) that a random person bears each folded name.

    `counted`: shares of names that were counted, by folded name; the model serves names it lacks. A character that could not be
    read counts as a very common one. Null for blank names. Work is per distinct name.
    """
    given = counted or {}
    distinct = folded.cast(pl.String).drop_nulls().unique().alias("name")
    distinct = distinct.filter(distinct != "")
    shares = [given[name] if name in given else modelled(name) for name in distinct.to_list()]
    found = pl.DataFrame([distinct, pl.Series("share", shares, dtype=pl.Float64).clip(LEAST, MOST)])
    joined = folded.cast(pl.String).to_frame("name").join(found, on="name", how="left", maintain_order="left")
    return joined["share"].alias(folded.name)


def modelled(name: str) -> float:
    """The share of a folded name by the model, not clipped."""
    if len(name) < 4 or compound(name):
        return _of_words(words(name)) if may_be_known(name) and known(name) else _of_surname(name)
    return _of_words(words(name))


def _of_surname(name: str) -> float:
    size = 2 if compound(name) else 1
    shares = _shares("surname")
    surname = 1.0 if name[0] == WILDCARD else shares.get(name[:size], _other("other_surname"))
    return surname * _of_given(name[size:])


def _of_given(given: str) -> float:
    whole = _shares("given_name").get(given)
    if not given or whole:
        return whole or 1.0
    if given in vocabulary():
        return _of_word(vocabulary()[given])
    share = _ALONE if len(given) == 1 else _TOGETHER
    for character in given:
        share *= (
            1.0 if character == WILDCARD else _shares("character").get(character, _other("other_character"))
        )
    return share


def _of_words(parts: tuple[Word, ...]) -> float:
    share = _ONLY if len(parts) == 1 else 1.0
    for word in parts:
        share *= _of_word(word)
    return share


def _of_word(word: Word) -> float:
    if not word.head:
        return MOST if WILDCARD in word.text else _other("unlisted")
    if word.clan:
        return _other("clan")
    return (
        _other("suffix")
        if word.head.startswith("-")
        else _shares("word").get(word.head, _other("other_word"))
    )


@cache
def _shares(section: str) -> dict[str, float]:
    """Shares (not percent) of a section of name_shares.txt; words under their class, the first spelling of it."""
    lines = [line for part, line in sections("name_shares.txt") if part == section]
    listed = vocabulary()
    found = {name: float(line[0]) / 100 for line in lines for name in line[1:]}
    return {listed[name].head: share for name, share in found.items()} if section == "word" else found


def _other(section: str) -> float:
    return _shares(section)[WILDCARD]
