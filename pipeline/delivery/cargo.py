"""What a night asks of each county: which cases go with the period, which between the periods are urgent, due or corrected.

A case that was sent keeps its first day until it is answered. One that was answered rests for a period: the data have to show it
first; after that, and where a county could not find out (无法核实), it is asked again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipeline.cases import Book, Case
from pipeline.cases.case_state import OVER
from pipeline.contracts.workdays import Workdays
from pipeline.delivery.outbox import Cargo
from pipeline.delivery.period import Period

SOON = 2  # workdays before the day on which an answer is due
_CANNOT_SAY = "无法核实"


@dataclass(frozen=True)
class Said:
    """What letters have told already: `number:due`, `number:late` with the day; `number` with the day it was over."""

    reminded: Collection[str]
    corrected: Collection[str]


def asked_in_period(
    book: Book, period: Period, before: date | None, made_on: date | None = None
) -> dict[str, Cargo]:
    """By county: the cases that go with a period. `before`: the day of the period before it. `made_on`: the night of a report that
    is made up later."""
    asked: dict[str, list[str]] = {}
    again: dict[str, list[str]] = {}
    for case in _open(book):
        if case.state == "sent" and case.last_sent not in (period.on, made_on):
            again.setdefault(case.county, []).append(case.number)
        elif case.state == "open" or _rested(case, before):
            asked.setdefault(case.county, []).append(case.number)
    return {
        county: Cargo(period.due_on, tuple(asked.get(county, ())), tuple(again.get(county, ())))
        for county in sorted({*asked, *again})
    }


def _open(book: Book) -> Iterable[Case]:
    """What a county is asked about: flags that are judged tonight and do not rest after a reasoned answer."""
    cases = (book.cases[number] for number in sorted(book.cases))
    return (c for c in cases if c.flagged and c.state not in OVER and c.seen_since and not c.suppressed)


def _rested(case: Case, before: date | None) -> bool:
    if case.state != "answered" or case.answered_on is None:
        return False
    if (case.answer or {}).get("result") == _CANNOT_SAY:
        return True
    return before is not None and case.answered_on <= before


def between_periods(
    book: Book, urgent: Collection[str], said: Said, as_of: date, calendar: Workdays, workdays: int
) -> dict[str, Cargo]:
    """By county: urgent cases never sent, cases soon due or late that nobody was reminded of, sent cases that are over."""
    found: dict[str, dict[str, list[str]]] = {}

    def note(county: str, what: str, word: str) -> None:
        found.setdefault(county, {}).setdefault(what, []).append(word)

    for case in _open(book):
        if case.subject in urgent and case.state == "open" and not case.held:
            note(case.county, "asked", case.number)
        word = reminder_word(case, as_of, calendar)
        if word and word not in said.reminded:
            note(case.county, "reminded", word)
    for number in sorted(book.cases):
        case = book.cases[number]
        for county, word in correction_words(case):
            if word not in said.corrected:
                note(county, "corrected", word)
    due_on = calendar.after(as_of, workdays)
    return {
        county: Cargo(due_on, **{what: tuple(words) for what, words in parts.items()})
        for county, parts in sorted(found.items())
    }


def reminder_word(case: Case, as_of: date, calendar: Workdays) -> str:
    """What is remembered of a reminder: `number:due:day`, `number:late:day`; "" where none is due."""
    if case.state != "sent" or case.due_on is None or case.last_sent == as_of:
        return ""
    if as_of > case.due_on:
        return f"{case.number}:late:{case.due_on.isoformat()}"
    soon = calendar.between(as_of, case.due_on) <= SOON
    return f"{case.number}:due:{case.due_on.isoformat()}" if soon else ""


def correction_words(case: Case) -> list[tuple[str, str]]:
    """(county, word) for whoever was asked and need not answer any more: the case is over, or the person lives elsewhere now."""
    left = [(one.county, f"{case.number}:{one.left_on.isoformat()}") for one in case.elsewhere if one.waits]
    word = correction_word(case)
    return [*left, (case.county, word)] if word else left


def correction_word(case: Case) -> str:
    """A case that was sent and not answered, and is over before the county went: `number:day`."""
    if case.state not in OVER or case.over_on is None or case.last_sent is None:
        return ""
    answered = case.answered_on is not None and case.answered_on >= case.last_sent
    return "" if answered or case.over_on < case.last_sent else f"{case.number}:{case.over_on.isoformat()}"


def as_sent(cases: pl.DataFrame, cargo: Mapping[str, Cargo], on: date) -> pl.DataFrame:
    """The case table (CASES and CASES_TOLD) as it will stand when the letters have gone: what the reports print."""
    due = {number: one.due_on for one in cargo.values() for number in one.asked}
    going = [*due, *(number for one in cargo.values() for number in one.again)]
    goes = pl.col("case_number").is_in(going)
    day = pl.lit(on, dtype=pl.Date)
    return cases.with_columns(
        state=pl.when(goes).then(pl.lit("sent")).otherwise("state"),
        times_sent=pl.col("times_sent") + goes.cast(pl.Int64),
        first_sent=pl.when(goes).then(pl.coalesce("first_sent", day)).otherwise("first_sent"),
        last_sent=pl.when(goes).then(day).otherwise("last_sent"),
        due_on=pl.coalesce(
            pl.col("case_number").replace_strict(due, default=None, return_dtype=pl.Date), "due_on"
        ),
    ).select(cases.columns)
