"""What the night's mail is to be, before a word of it is written: the period, and which cases each county is asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipeline.cases import Book, Ledger
from pipeline.contracts.dataset import Dataset
from pipeline.contracts.settings import Settings
from pipeline.delivery.cargo import Said, as_sent, asked_in_period, between_periods
from pipeline.delivery.outbox import Cargo, Outbox, read_outbox
from pipeline.delivery.period import Period, calendar, period_of_night

_DAYS_BETWEEN = 7  # letters to one county between the periods, but for urgent ones


@dataclass(frozen=True)
class MailPlan:
    """`period`: the one that goes, or went, tonight; None on a night between. `cargo` by county."""

    as_of: date
    box: Outbox
    period: Period | None
    cargo: Mapping[str, Cargo]

    @property
    def key(self) -> str:
        return self.period.key if self.period else f"{self.as_of:%Y%m%d}"

    def key_of(self, place: str, to: str) -> str:
        """What the name of the report to the address begins with."""
        return self.key

    def told(self, cases: pl.DataFrame) -> pl.DataFrame:
        """The case table as the reports print it: as it will stand when the letters have gone."""
        return as_sent(cases, self.cargo, self.as_of)


def plan_mail(
    ledger: Ledger,
    book: Book,
    coverage: pl.DataFrame,
    datasets: Mapping[str, Dataset],
    settings: Settings,
    as_of: date,
) -> MailPlan:
    """Reads the outbox and decides. Writes nothing."""
    box = read_outbox(ledger)
    period = period_of_night(box.periods, coverage, datasets, as_of, settings.period)
    if period is not None:
        before = [one.on for one in box.periods if one.on < period.on]
        return MailPlan(as_of, box, period, asked_in_period(book, period, max(before, default=None)))
    if not box.periods:  # nothing was ever sent: there is nothing to remind of or to correct
        return MailPlan(as_of, box, None, {})
    found = between_periods(
        book,
        settings.period.urgent,
        _said(box),
        as_of,
        calendar(settings.period),
        settings.period.workdays_to_answer,
    )
    ready = {county: cargo for county, cargo in found.items() if cargo.asked or _long_ago(box, county, as_of)}
    return MailPlan(as_of, box, None, ready)


def _said(box: Outbox) -> Said:
    """What letters that went, or may have, have told. One that still waits has told nothing: a newer one takes its place."""
    letters = [letter for letter in box.letters.values() if letter.state in ("sent", "doubtful", "claimed")]
    return Said(
        frozenset(word for letter in letters for word in letter.cargo.reminded),
        frozenset(word for letter in letters for word in letter.cargo.corrected),
    )


def _long_ago(box: Outbox, county: str, as_of: date) -> bool:
    """One that was withdrawn told the county nothing."""
    last = [
        letter.on
        for letter in box.letters.values()
        if letter.place == county and letter.kind != "quality" and letter.state != "withdrawn"
    ]
    return max(last, default=date.min) + timedelta(days=_DAYS_BETWEEN) <= as_of
