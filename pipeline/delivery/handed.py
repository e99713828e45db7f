"""A report that went to a county by another way than mail: its cases are sent, and no letter is to bring it once more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from pipeline.cases import Book, Event, Ledger
from pipeline.contracts.mail_settings import Period as PeriodSettings
from pipeline.delivery.cargo import asked_in_period
from pipeline.delivery.dispatch import cargo_events
from pipeline.delivery.outbox import EVERY_COUNTY, WAITING, Cargo, Outbox, withdrawals
from pipeline.delivery.period import calendar, period_by_hand
from pipeline.delivery.standing import standing

ALL = EVERY_COUNTY
_REPORTS = ("report", "notice")


@dataclass(frozen=True)
class Handed:
    """How many cases are sent by it, how many letters were withdrawn, until when the county answers."""

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
        for event in cargo_events(book, _looked_at(book, cargo), "", on)
    ]
    # withdrawn, not sent: a recipient or rules that nobody approved must not count as known from now on
    # and what was refused, given up or is in doubt is settled by it
    open_ones = {x.letter_id: x for x in (*box.in_state(*WAITING, "held"), *standing(box))}
    letters = [x for x in open_ones.values() if x.kind in _REPORTS and county in (ALL, x.place)]
    count = sum(event.kind == "sent" for event in sent)
    events = [Event(on, "handed", None, {"reason": reason, "who": who, "cases": count, "county": county})]
    events += [period.event()] if county == ALL and not this_month else []
    events += withdrawals(letters, on, "已另行交付", who)
    with ledger.transaction():
        ledger.append([*events, *sent])
    return Handed(count, len(letters), due_on)


def _looked_at(book: Book, cargo: Cargo) -> Cargo:
    """Without what is held as a flood: that waits for `reconcile cases release`, whatever way the report goes."""
    return replace(cargo, asked=tuple(number for number in cargo.asked if not book.cases[number].held))
