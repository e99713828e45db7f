"""One row's answer: what its six cells say together. Nothing is guessed: what is not certain is returned or stays text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pipeline.cases.event import JSON
from pipeline.cases.feedback_columns import (
    ANSWERS,
    CHECKED_BY,
    CHECKED_ON,
    DONE_ON,
    MEASURE,
    REASON,
    RESULT,
)
from pipeline.cases.feedback_dates import answered_day
from pipeline.cases.feedback_problems import (
    CONTRARY,
    NO_RESULT,
    SPOILT,
    UNCLEAR_RESULT,
    Refusal,
    bad_date,
)
from pipeline.cases.feedback_words import (
    Words,
    forbids_rest,
    is_blank,
    is_sentence,
    is_spelling,
    reasons_in_order,
    says_claimed,
    words_of,
)
from pipeline.contracts.answer_lists import (
    CLAIMED,
    HANDED_ON,
    NOT_ELIGIBLE,
    OTHER_REASON,
    REASONS_THAT_ANSWER,
)
from pipeline.identity.mask import mask_text
from pipeline.intake.mojibake import is_spoilt
from pipeline.intake.values import visible

# Measures that say why nothing is due, and those that say that something was.
_MEASURES_OF_NO = ("本人或监护人放弃", NOT_ELIGIBLE)
_MEASURES_OF_YES = frozenset({"已纳入", "已申请", "补发"})
_LONGEST_NOTE, _LONGEST_NAME = 300, 60  # characters kept
# IDs and mobile numbers that somebody has grouped: 533421 19900101 1234, 138-1234-5678.
_GROUPED = re.compile(
    r"(?<![0-9])(?:[0-9]{6}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{3}[0-9Xx]|1[3-9][0-9][ -][0-9]{4}[ -][0-9]{4})(?![0-9])"
)


@dataclass(frozen=True)
class Said:
    """An answer without its place. `result` is one of RESULTS, or CLAIMED; `reason` and `measure` are of their lists or None.

    `reason` is OTHER_REASON where the county gave one in its own words: they are the note. `note` and `checked_by` are texts
    with all numbers of people masked, None where there is none. `implied`: the row has no 不属实, it follows from what was
    written in its place (死亡, 不符合条件); of somebody who receives what is not due that would mean the contrary.
    """

    result: str
    reason: str | None
    measure: str | None
    note: str | None
    done_on: date | None
    checked_by: str | None
    checked_on: date | None
    implied: bool = field(default=False, compare=False)

    def body(self) -> dict[str, JSON]:
        """As the ledger keeps it, days in ISO form."""
        return {
            "result": self.result,
            "reason": self.reason,
            "measure": self.measure,
            "note": self.note,
            "done_on": self.done_on.isoformat() if self.done_on else None,
            "checked_by": self.checked_by,
            "checked_on": self.checked_on.isoformat() if self.checked_on else None,
        }


def said(cells: Mapping[str, tuple[str, ...]], as_of: date) -> Said | Refusal | None:
    """What the row answers, why that cannot be told, or None where it answers nothing.

    `cells`: the different texts under each of ANSWERS. A row with only a name or a day of checking answers nothing.
    """
    texts = _without_repeats(cells)
    if not any(texts[column] for column in (RESULT, REASON, MEASURE, DONE_ON)):
        return None
    if any(is_spoilt(text) for many in texts.values() for text in many):
        return SPOILT
    days = {column: _day(texts[column], column, as_of) for column in (DONE_ON, CHECKED_ON)}
    refused = next((day for day in days.values() if isinstance(day, Refusal)), None)
    understood = _understood(texts)
    if isinstance(understood, Refusal):
        return understood
    if refused:
        return refused
    answer, note, implied = understood
    done_on, checked_on = (day if isinstance(day, date) else None for day in days.values())
    who = _safe("、".join(texts[CHECKED_BY]), _LONGEST_NAME)
    return Said(*answer, note, done_on, who, checked_on, implied)


def _without_repeats(cells: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Without strokes that fill empty cells, and without what a cell merged to the right repeats of the result."""
    texts = {column: tuple(t for t in cells.get(column, ()) if not is_blank(t)) for column in ANSWERS}
    repeated = {text for text in texts[RESULT] if words_of(text).results}
    return {
        column: many if column == RESULT else tuple(t for t in many if t not in repeated)
        for column, many in texts.items()
    }


_Answer = tuple[str, str | None, str | None]  # result, reason, measure


def _understood(texts: Mapping[str, tuple[str, ...]]) -> tuple[_Answer, str | None, bool] | Refusal:
    """Result, reason and measure of the cells, the note, and whether the result only follows from what stands in its place."""
    result, reason, measure = ("，".join(texts[column]) for column in (RESULT, REASON, MEASURE))
    of_result, of_reason, of_measure = all_words = words_of(result), words_of(reason), words_of(measure)
    implied = _implied(of_result)
    both = of_result.results | of_reason.results | of_measure.results | ({implied} if implied else set())
    if result and not implied and (of_result.more or len(of_result.results) > 1 or not _answers(of_result)):
        return UNCLEAR_RESULT
    if len(both) > 1:
        return CONTRARY
    surely = [words for words in all_words if not words.more]
    claims = any(words.claims for words in all_words)
    claims = claims or (of_reason.more and says_claimed(reason))
    found = implied or next((word for words in surely for word in words.results), None)
    if found is None and not any(words.claims for words in surely):
        return NO_RESULT
    if found == "无法核实" and claims:
        return CONTRARY
    # Believed only when the data show it: it must not count as 不属实, which lays a case to rest.
    kind = CLAIMED if found is None or (found == "不属实" and claims) else found
    measures = _sure(of_result).measures | _sure(of_measure).measures
    acted = _only(measures)
    given = _reason_of_no(texts, acted) if kind == "不属实" else _only(_all_reasons(of_result, of_reason))
    answer = (kind, given, acted)
    return answer, _note(texts, answer, implied), implied == "不属实"


def _implied(of_result: Words) -> str | None:
    """The result that follows from what was written in its place, None where a result or a claim stands there."""
    if of_result.more or of_result.results or of_result.claims:
        return None
    if of_result.reasons and of_result.reasons <= REASONS_THAT_ANSWER:
        return "不属实"
    return "部分属实" if of_result.measures == {HANDED_ON} else None


def _reason_of_no(texts: Mapping[str, tuple[str, ...]], acted: str | None) -> str | None:
    """Why it is none: the first reason of the lists, else OTHER_REASON for a sentence of the county's own. None where there is
    neither, or where some sentence speaks against it (并非死亡, 在外县领取)."""
    cells = [*texts[RESULT], *texts[REASON]]
    if any(map(forbids_rest, (*cells, *texts[MEASURE]))):
        return None
    named = [reason for cell in cells for reason in reasons_in_order(cell)]
    named += [
        reason for cell in texts[MEASURE] for reason in reasons_in_order(cell) if reason in _MEASURES_OF_NO
    ]
    if named:
        return named[0]
    return OTHER_REASON if any(map(is_sentence, texts[REASON])) and acted not in _MEASURES_OF_YES else None


def _note(texts: Mapping[str, tuple[str, ...]], answer: _Answer, implied: str | None) -> str | None:
    """What the words of the lists do not say."""
    result, reason, measure = ("，".join(texts[column]) for column in (RESULT, REASON, MEASURE))
    of_result, of_reason, of_measure = words_of(result), words_of(reason), words_of(measure)
    told = of_result.reasons | of_result.measures
    result_held = told <= {*answer} or (implied and is_spelling(result) and _is_held(of_result, answer))
    parts = [
        "" if result_held else result,
        "" if is_spelling(reason) and _is_held(of_reason, answer) else reason,
        f"处理措施：{measure}"
        if measure and not (is_spelling(measure) and _is_held(of_measure, answer))
        else "",
    ]
    return _safe("；".join(part for part in parts if part), _LONGEST_NOTE)


def _all_reasons(*many: Words) -> frozenset[str]:
    return frozenset(reason for words in many for reason in _sure(words).reasons)


def _answers(words: Words) -> bool:
    return bool(words.results) or words.claims


def _sure(words: Words) -> Words:
    """The words of a text that was understood wholly, else none: 父亲，死亡 is nobody's own death."""
    return Words() if words.more else words


def _only(found: frozenset[str]) -> str | None:
    return next(iter(found)) if len(found) == 1 else None


def _is_held(words: Words, answer: tuple[str, str | None, str | None]) -> bool:
    """Whether the answer's words say what the text said."""
    kind, reason, measure = answer
    told = words.results | words.reasons | words.measures
    return bool(told & {kind, reason, measure}) or (words.claims and kind == CLAIMED)


def _day(texts: tuple[str, ...], column: str, as_of: date) -> date | Refusal | None:
    if not texts:
        return None
    days = {answered_day(text, as_of) for text in texts}
    only = next(iter(days))
    return bad_date(column) if only is None or len(days) > 1 else only


def _safe(text: str, longest: int) -> str | None:
    """One line without numbers of people, cut to a length; None if nothing is left. Chinese punctuation stays."""
    line = re.sub(r"\s+", " ", "".join(map(_plain_character, text))).strip()
    line = _GROUPED.sub(lambda found: "*" * len(found[0]), mask_text(line))
    return (line if len(line) <= longest else f"{line[:longest]}…") or None


def _plain_character(character: str) -> str:
    """Digits and letters of every width and form as ASCII, so that a masked number cannot hide; nothing unseen."""
    plain = visible(character)
    return plain if plain.isascii() and plain.isalnum() else character if plain or character.isspace() else ""
