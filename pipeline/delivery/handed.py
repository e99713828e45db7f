"""A report that went to a county by another way than mail: its cases are sent, and no letter is to bring it once more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from pipeline.cases import Book, Event, Ledger
from pipeline.contracts.mail_settings import Period as PeriodSettings
from pipeline.delivery.cargo import asked_in_period
from pipeline.delivery.dispatch import cargo_events
from pipeline.delivery.outbox import Outbox, Posted
from pipeline.delivery.period import calendar, period_by_hand

ALL = "all"
_NOT_GONE = ("queued", "later", "held", "doubtful", "refused", "given_up")


@dataclass(frozen=True)
class Handed:
    """How many cases are sent by it, how many letters have nothing to bring any more, until when the county answers."""

    cases: int
    letters: int
    due_on: date


def hand_over(
    ledger: Ledger,
    book: Book,
    box: Outbox,
    county: str,
    coverage: pl.DataFrame,
    settings: PeriodSettings,
    reason: str,
    who: str,
    on: date,
) -> Handed:
    """Records it for a county or ALL, in one transaction; once more the same day changes nothing.

    Handed to all, it is the month's period if there was none yet, resting on the lists of `coverage` (the last night's).
    """
    this_month = [period for period in box.periods if period.month == f"{on:%Y-%m}"]
    period = this_month[-1] if this_month else period_by_hand(box.periods, coverage, on, settings)
    due_on = calendar(settings).after(on, settings.workdays_to_answer)
    before = max((one.on for one in box.periods if one.on < period.on), default=None)
    asked = asked_in_period(book, replace(period, on=on, due_on=due_on), before)
    sent = [
        event
        for place, cargo in asked.items()
        if county in (ALL, place)
        for event in cargo_events(book, cargo, "", on)
    ]
    letters = _letters(box, county)
    count = sum(event.kind == "sent" for event in sent)
    events = [Event(on, "handed", None, {"reason": reason, "who": who, "cases": count})]
    events += [period.event()] if county == ALL and not this_month else []
    events += [_carried(letter, reason, on) for letter in letters]
    with ledger.transaction():
        ledger.append([*events, *sent])
    return Handed(count, len(letters), due_on)


def _letters(box: Outbox, county: str) -> list[Posted]:
    """What was to bring it by mail, or may have: the person who carried it there knows that it arrived."""
    waiting = box.in_state(*_NOT_GONE)
    return [x for x in waiting if x.kind in ("report", "notice") and county in (ALL, x.place)]


def _carried(letter: Posted, reason: str, on: date) -> Event:
    return Event(on, "mail_sent", None, {"letter": letter.letter_id, "by_hand": True, "words": reason})
