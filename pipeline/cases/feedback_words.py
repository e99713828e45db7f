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
    NOT_ELIGIBLE,
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

# 不符合低保条件: what follows is named in as many ways as there are benefits. Of income and property the list has a word of its own.
_NOT_ELIGIBLE = re.compile(
    "(?:不符合?|不够|不具备|不满足|达不到|未达到)[^,不未无没非]{0,12}(?:条件|标准|要求|规定|政策|资格|范围)"
)
_BY_MEANS = re.compile("经济|收入|财产")
# Not so, in front of a reason of the list: 并非死亡, 尚未迁出.
_DENIAL = re.compile("^(?:并不是|并没有|并非|并未|不是|不属于|尚未|从未|没有|还没有?|未|没|非|无)")
# Where the person receives it all the same, or is said not to and ought to; where nobody knows. Such a sentence is no reason.
_RECEIVES = re.compile(
    "享受|享有|领取|领着|领到|在领|已领|补领|发放|已发(?![函现生文])|到账|打卡|参保|投保|缴费|代缴|纳入"
    "|有补贴|有低保|吃低保|(?<!经)落实"
)
_MAY_NOT = re.compile(
    "(?:不能|不得|不可|不应|不该|不再|不予|不宜|不具备|不符合?|不够|不愿意?|不想|不肯|不同意|不需要?|无需|无须|无法|无权|无资格|没有?资格|拒绝?|放弃|谢绝"
    "|停止|难以)[^,]{0,10}$"
)
_HIGHER_BEHIND = re.compile("^[^,]{0,4}(?:同类|更高|特困|五保|工伤|职工)")
_HIGHER_BEFORE = re.compile(
    "(?:职工(?:医疗|养老)?(?:保险|医保|养老)?|特困(?:供养|人员)?|五保|工伤(?:护理费)?)$"
)
_NOBODY_KNOWS = re.compile(
    "不明(?!显)|不清楚|不知道|不知情|不详|不了解|不确定|未确定|可能|疑似|好像|似乎|据说|听说|大概|估计|也许|或许|未必|难说"
    "|待[^,]{0,4}(?:核|查|定)|需[^,]{0,4}(?:核|查)|尚未核|未核|没核|未查|未入户|正在核|再核|进一步|附件|同上|见上|如上"
)
_OUGHT = re.compile("(?<!不)(?:符合[^,]{0,10}(?:条件|政策)|应该?当?(?:享|纳|保|予|领|发|给)|拟|下个?月|准备)")
_HAN = re.compile("[\u3400-\u9fff]")
_FEWEST_HAN = 2  # of a sentence
# Texts that give no reason at all.
_SAYS_NOTHING = re.compile(
    "(?:无|暂?无|没有|有|略|其他|其它|其他原因|其它原因|其他情况|原因|已核实|已核查|已入户|已联系|已处理|已反馈|已办结|情况|说明|备注|是|否|不|否定)"
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
    for bare in (_AROUND.sub("", whole), whole.removeprefix("系")):  # 系正在申请/公示
        known = known or (_lookup(bare) if "," in bare else None)
    if known:
        return known
    found = Words()
    for part in whole.split(","):
        found |= _part(part)
    return found


def says_claimed(text: str) -> bool:
    """Whether a sentence that was not understood as a whole speaks of the benefit as received."""
    return bool(_SAYS_CLAIMED.search(_plain(text)))


def reasons_in_order(text: str) -> tuple[str, ...]:
    """The reasons of a text that was understood wholly, as they stand in it; none of any other text."""
    whole = words_of(text)
    if whole.more or len(whole.reasons) < 2:
        return () if whole.more else tuple(whole.reasons)
    parts = (sorted(_part(part).reasons) for part in _plain(text).split(","))
    return tuple(dict.fromkeys(reason for reasons in parts for reason in reasons))


def forbids_rest(text: str) -> bool:
    """Whether a text that was not understood wholly speaks against laying the case to rest: it denies a reason of the list, says
    that the person receives or ought to receive, or that nobody knows."""
    plain = _plain(text)
    if not words_of(text).more:
        return False
    if _NOBODY_KNOWS.search(plain) or _OUGHT.search(plain):
        return True
    return any(_denies(part) or _receives(part) for part in plain.split(","))


def is_sentence(text: str) -> bool:
    """Whether the text says something in words of its own, more than a stroke or 其他."""
    plain = _plain(text)
    parts = [part for part in plain.split(",") if words_of(part).more and not _SAYS_NOTHING.fullmatch(part)]
    return sum(len(_HAN.findall(part)) for part in parts) >= _FEWEST_HAN


def _denies(part: str) -> bool:
    """未死亡, 该人并非死亡: nothing but a reason of the list with a denial in front."""
    for bare in (part, _AROUND.sub("", part), re.sub("^(?:该?人|该?对象|本人|户籍|户口)", "", part)):
        rest = _DENIAL.sub("", bare)
        known = _lookup(rest) if rest != bare and not _lookup(bare) else None
        if known and known.reasons:
            return True
    return False


def _receives(part: str) -> bool:
    """Whether some word of receiving stands there that neither says why nothing may be received nor names a higher benefit."""
    return any(
        not _MAY_NOT.search(part[: found.start()])
        and not _HIGHER_BEFORE.search(part[: found.start()])
        and not _HIGHER_BEHIND.search(part[found.end() :])
        for found in _RECEIVES.finditer(part)
    )


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
    if _NOT_ELIGIBLE.fullmatch(bare):
        return Words(reasons=frozenset({"不符合经济条件" if _BY_MEANS.search(bare) else NOT_ELIGIBLE}))
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
