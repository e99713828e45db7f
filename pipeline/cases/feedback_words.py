"""What clerks write, as words of the answer lists. Only what is certain is understood; the rest stays text.

A cell is cut at its punctuation; every part must be a known spelling as a whole. No part is searched for inside
a longer one, so 不属实 is never 属实 and 外出务工 never 迁出.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pipeline.contracts.answer_lists import (
    CLAIM_SPELLINGS,
    CLAIMED,
    CLAIMING_REASON,
    MEASURE_SPELLINGS,
    MEASURES,
    REASON_SPELLINGS,
    REASONS,
    RESULT_SPELLINGS,
    RESULTS,
)
from pipeline.intake.values import visible

_TICKS = str.maketrans("✓✔☑✗✘╳✕", "√√√××××")
_APART = re.compile(r"[、,;。!:()/|\[\]【】\"'“”‘’·…\-—–]+|(?<![0-9])\.|\.(?![0-9])")
_BLANK = frozenset({"", "空", "N,A"})
# Words around an answer that say nothing about it.
_CHECKED = "(?:(?:经|已|已经)?(?:入户|电话|实地|现场|上门|再次|村里?|乡镇)*(?:核实|核查|调查|了解|排查|核对|走访|查)后?(?:确认|认定|为)?)"
_ABOUT = "(?:(?:该|此|本)(?:情况|疑点|问题|人|对象|残疾人))"
_LINKED = "(?:但|因为|因|由于|系|目前|现|原因[是为]?|本人|其本人)"
_DATE = (
    "(?:已?于?(?:去年|今年|上个?月|[0-9]{4}年(?:[0-9]{1,2}月份?(?:[0-9]{1,2}[日号])?)?"
    "|[0-9]{4}[./][0-9]{1,2}(?:[./][0-9]{1,2})?)(?:就|已经|已|因病)?)"
)
# Possessive (*+): a long cell of such words must not be tried in every way.
_AROUND = re.compile(f"^{_CHECKED}*+{_ABOUT}?{_LINKED}*+{_DATE}?{_LINKED}*+")
_FILLER = re.compile(
    f"(?:核[查实](?:结果|情况)|{_CHECKED}|(?:情况)?说明|情况|原因[是为]?|处理措施|{_ABOUT}|{_LINKED}|{_DATE})*+"
)
# In a free sentence: that the person receives it. Of a higher benefit of the same kind it does not say so.
_SAYS_CLAIMED = re.compile(
    "(?:已经?在?|正在|一直在?)(?:享受|领取|参保|发放|纳入)(?!同类|更高|特困|工伤|职工)"
)


@dataclass(frozen=True)
class Words:
    """What a text says: words of the lists, whether it claims that the benefit is received, and whether more stands in it."""

    results: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    measures: frozenset[str] = frozenset()
    claims: bool = False
    more: bool = False  # some part was not understood

    def __or__(self, other: Words) -> Words:
        return Words(
            self.results | other.results,
            self.reasons | other.reasons,
            self.measures | other.measures,
            self.claims or other.claims,
            self.more or other.more,
        )


def is_blank(text: str) -> bool:
    """Nothing, or only a stroke that fills an empty cell."""
    return _plain(text) in _BLANK


def is_spelling(text: str) -> bool:
    """Whether the text is nothing but a spelling of one of the lists, so that the list's word says all of it."""
    return _lookup(_plain(text)) is not None


@lru_cache(maxsize=1 << 12)  # few answers are written otherwise than the row above
def words_of(text: str) -> Words:
    """The text's words. A text of strokes and spaces only says nothing."""
    whole = _plain(text)
    if whole in _BLANK:
        return Words()
    known = _lookup(whole)
    if known:
        return known
    found = Words()
    for part in whole.split(","):
        found |= _part(part)
    return found


def says_claimed(text: str) -> bool:
    """Whether a sentence that was not understood as a whole speaks of the benefit as received."""
    return bool(_SAYS_CLAIMED.search(_plain(text)))


@lru_cache(maxsize=1 << 12)
def _plain(text: str) -> str:
    """As spellings are compared: no spaces, one comma for what parts words, upper case."""
    bare = re.sub(r"\s+", "", visible(text)).upper().translate(_TICKS)
    return _APART.sub(",", bare).strip(",.~*")


def _part(part: str) -> Words:
    """One part of a sentence; `more` where it is no known spelling, with or without the words around an answer."""
    bare = _AROUND.sub("", part)
    known = _lookup(part) or (_lookup(bare) if len(bare) > 1 else None)  # 但是 is not 是
    if known:
        return known
    if _FILLER.fullmatch(part):
        return Words()
    for word in _table().openings:  # 不属实已死亡
        rest = _lookup(bare.removeprefix(word)) if bare.startswith(word) else None
        if rest:
            return rest | _table().words[word]
    return Words(more=True)


def _lookup(plain: str) -> Words | None:
    return _table().words.get(plain)


@dataclass(frozen=True)
class _Table:
    words: Mapping[str, Words]
    openings: tuple[str, ...]  # results that a reason may follow without a comma; 不是 is none: 不是死亡


@lru_cache(maxsize=1)
def _table() -> _Table:
    words: dict[str, Words] = {}

    def put(spelling: str, meaning: Words) -> None:
        plain = _plain(spelling)
        words[plain] = words.get(plain, Words()) | meaning

    for result, spelling in _spelled(RESULTS, RESULT_SPELLINGS):
        put(spelling, Words(results=frozenset({result})))
    openings = sorted((word for word in words if word.endswith(("属实", "无法核实"))), key=len, reverse=True)
    for reason, spelling in _spelled(REASONS, REASON_SPELLINGS):
        put(spelling, Words(reasons=frozenset({reason}), claims=reason == CLAIMING_REASON))
    for measure, spelling in _spelled(MEASURES, MEASURE_SPELLINGS):
        put(spelling, Words(measures=frozenset({measure})))
    for spelling in (CLAIMED, *CLAIM_SPELLINGS.split()):
        put(spelling, Words(claims=True))
    return _Table(words, tuple(openings))


def _spelled(names: tuple[str, ...], spellings: Mapping[str, str]) -> list[tuple[str, str]]:
    """(word of the list, spelling) of a table; the word itself comes first."""
    return [(name, one) for name in names for one in (name, *spellings[name].split())]
