"""A blocking key by sound: names that one ear hears or spells as another have one key.

A name is written in the syllables of the south-west (`name_pinyin.dialect_class`), and every listed word of
transliterated names in them is replaced by its class: 次仁, 泽仁 and 才让 are one key, and so is 泽忍, which sounds
like one of them. Classes of which two spellings sound alike (拉杰, 朗杰: 那杰) are one; 卓玛 and 卓嘎 are two. The key only
finds pairs; whether they are one name is `name_compare`'s question.
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from pipeline.identity.name_data import sections
from pipeline.identity.name_fold import WILDCARD
from pipeline.identity.name_pinyin import dialect_class, surname_syllable, syllable

# A syllable is written <zi>, at the first place of a name [zi>: surnames have readings of their own there.
_SUFFIXED = "^[^<\\[]+<[a-z]+>$"  # one word and one syllable: 卓玛草


def sound_key(folded: pl.Series) -> pl.Series:
    """The key of each folded name (String, same length and name; null for blank names and those with a wildcard).

    Names that differ only in tone, in zh/z, ch/c, sh/s, n/l, -n/-ng, f/h, w/h before u, feng/hong, in homophones, or in
    the spelling of listed words have one key. Work is per distinct name.
    """
    distinct = folded.drop_nulls().unique()
    distinct = distinct.filter(~distinct.str.contains(WILDCARD, literal=True) & (distinct != "")).alias(
        "name"
    )
    if distinct.is_empty():
        return pl.Series(folded.name, [None], dtype=pl.String).new_from_index(0, len(folded))
    patterns, heads = _words()
    keys = _syllables(distinct).str.replace_many(patterns, heads, leftmost=True)
    suffixed = keys.str.contains(_SUFFIXED)
    if suffixed.any():
        at = suffixed.arg_true()
        endings, classes = _suffixes()
        keys = keys.scatter(at, keys.gather(at).str.replace_many(endings, classes))
    found = folded.to_frame("name").join(
        pl.DataFrame([distinct, keys.alias("key")]), on="name", how="left", maintain_order="left"
    )
    return found["key"].alias(folded.name)


def _syllables(names: pl.Series) -> pl.Series:
    initials, rest = names.str.slice(0, 1), names.str.slice(1)
    first = {mark: f"[{dialect_class(surname_syllable(mark))}>" for mark in initials.unique()}
    # One long text is translated ten times as fast as a million short ones; no match key has a line break.
    text = str(rest.str.join("\n")[0] or "")
    inner = pl.Series([text.translate(_Inner({ord("\n"): "\n"}))]).str.split("\n").explode()
    return initials.replace_strict(first, return_dtype=pl.String) + inner


class _Inner(dict[int, str]):
    """For `str.translate`: a character's syllable, worked out when first met."""

    def __missing__(self, code: int) -> str:
        self[code] = f"<{dialect_class(syllable(chr(code)))}>"
        return self[code]


def _heard(word: str) -> list[str]:
    """The syllables of a listed word within a name and at its beginning."""
    inner = "".join(f"<{dialect_class(syllable(character))}>" for character in word)
    _, _, rest = inner.partition(">")
    first = {dialect_class(sound(word[0])) for sound in (syllable, surname_syllable)}
    return [inner, *(f"[{sound}>{rest}" for sound in sorted(first))]


@lru_cache(maxsize=1)
def _words() -> tuple[list[str], list[str]]:
    """Syllables of every listed spelling, the longest first, and the word that stands for its class."""
    lines = [words for section, words in sections("name_syllables.txt") if section in ("word", "clan")]
    heard = [{sound for word in words for sound in _heard(word)} for words in lines]
    head = _joined(heard)
    found = {sound: lines[head[at]][0] for at, sounds in enumerate(heard) for sound in sounds}
    longest = sorted(found, key=lambda sound: (-len(sound), sound))
    return longest, [found[sound] for sound in longest]


def _joined(heard: list[set[str]]) -> list[int]:
    """For every class the first class that it is joined with, directly or by others, by a sound in common."""
    head = list(range(len(heard)))
    holder: dict[str, int] = {}
    for at, sounds in enumerate(heard):
        met = {head[holder[sound]] for sound in sounds if sound in holder}
        if met:
            least = min(met)
            head = [least if one in met or place == at else one for place, one in enumerate(head)]
        holder |= dict.fromkeys(sounds - holder.keys(), at)
    return head


@lru_cache(maxsize=1)
def _suffixes() -> tuple[list[str], list[str]]:
    lines = [words for section, words in sections("name_syllables.txt") if section == "suffix"]
    found: dict[str, str] = {}
    for words in lines:
        for word in words:
            found.setdefault(f"<{dialect_class(syllable(word))}>", f"-{words[0]}")
    return list(found), list(found.values())
