"""One row's answer: what its six cells say together. Nothing is guessed: what is not certain is returned or stays text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
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
from pipeline.cases.feedback_words import Words, is_blank, is_spelling, says_claimed, words_of
from pipeline.contracts.answer_lists import CLAIMED
from pipeline.identity.mask import mask_text
from pipeline.intake.mojibake import is_spoilt
from pipeline.intake.values import visible

_LONGEST_NOTE, _LONGEST_NAME = 300, 60  # characters kept
# IDs and mobile numbers that somebody has grouped: 533421 19900101 1234, 138-1234-5678.
_GROUPED = re.compile(
    r"(?<![0-9])(?:[0-9]{6}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{3}[0-9Xx]|1[3-9][0-9][ -][0-9]{4}[ -][0-9]{4})(?![0-9])"
)


@dataclass(frozen=True)
class Said:
    """An answer without its place. `result` is one of RESULTS, or CLAIMED; `reason` and `measure` are of their lists or None.

    `note` and `checked_by` are texts with all numbers of people masked, None where there is none.
    """

    result: str
    reason: str | None
    measure: str | None
    note: str | None
    done_on: date | None
    checked_by: str | None
    checked_on: date | None

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
    if not any(texts[field] for field in (RESULT, REASON, MEASURE, DONE_ON)):
        return None
    if any(is_spoilt(text) for many in texts.values() for text in many):
        return SPOILT
    days = {field: _day(texts[field], field, as_of) for field in (DONE_ON, CHECKED_ON)}
    refused = next((day for day in days.values() if isinstance(day, Refusal)), None)
    result, reason, measure = ("，".join(texts[field]) for field in (RESULT, REASON, MEASURE))
    understood = _understood(result, reason, measure)
    if isinstance(understood, Refusal):
        return understood
    if refused:
        return refused
    done_on, checked_on = (day if isinstance(day, date) else None for day in days.values())
    who = _safe("、".join(texts[CHECKED_BY]), _LONGEST_NAME)
    return Said(*understood, done_on, who, checked_on)


def _without_repeats(cells: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Without strokes that fill empty cells, and without what a cell merged to the right repeats of the result."""
    texts = {field: tuple(t for t in cells.get(field, ()) if not is_blank(t)) for field in ANSWERS}
    repeated = {text for text in texts[RESULT] if words_of(text).results}
    return {
        field: many if field == RESULT else tuple(t for t in many if t not in repeated)
        for field, many in texts.items()
    }


def _understood(
    result: str, reason: str, measure: str
) -> tuple[str, str | None, str | None, str | None] | Refusal:
    """Result, reason, measure and note of the three texts."""
    of_result, of_reason, of_measure = words_of(result), words_of(reason), words_of(measure)
    both = of_result.results | of_reason.results | of_measure.results
    if result and (of_result.more or len(of_result.results) > 1 or not _answers(of_result)):
        return UNCLEAR_RESULT
    if len(both) > 1:
        return CONTRARY
    surely = [words for words in (of_result, of_reason, of_measure) if not words.more]
    claims = any(words.claims for words in (of_result, of_reason, of_measure))
    claims = claims or (of_reason.more and says_claimed(reason))
    found = next((word for words in surely for word in words.results), None)
    if found is None and not any(words.claims for words in surely):
        return NO_RESULT
    if found == "无法核实" and claims:
        return CONTRARY
    reasons = _sure(of_result).reasons | _sure(of_reason).reasons
    measures = _sure(of_result).measures | _sure(of_measure).measures
    # Believed only when the data show it: it must not count as 不属实, which lays a case to rest.
    kind = CLAIMED if found is None or (found == "不属实" and claims) else found
    answer = (kind, _only(reasons), _only(measures))
    parts = [
        "" if (of_result.reasons | of_result.measures) <= {*answer} else result,
        "" if is_spelling(reason) and _is_held(of_reason, answer) else reason,
        f"处理措施：{measure}"
        if measure and not (is_spelling(measure) and _is_held(of_measure, answer))
        else "",
    ]
    return *answer, _safe("；".join(part for part in parts if part), _LONGEST_NOTE)


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


def _day(texts: tuple[str, ...], field: str, as_of: date) -> date | Refusal | None:
    if not texts:
        return None
    days = {answered_day(text, as_of) for text in texts}
    only = next(iter(days))
    return bad_date(field) if only is None or len(days) > 1 else only


def _safe(text: str, longest: int) -> str | None:
    """One line without numbers of people, cut to a length; None if nothing is left. Chinese punctuation stays."""
    line = re.sub(r"\s+", " ", "".join(map(_plain_character, text))).strip()
    line = _GROUPED.sub(lambda found: "*" * len(found[0]), mask_text(line))
    return (line if len(line) <= longest else f"{line[:longest]}…") or None


def _plain_character(character: str) -> str:
    """Digits and letters of every width and form as ASCII, so that a masked number cannot hide; nothing unseen."""
    plain = visible(character)
    return plain if plain.isascii() and plain.isalnum() else character if plain or character.isspace() else ""
