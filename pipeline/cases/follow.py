"""From a judged night to its cases: answers that came back, the night's events, the one transaction, what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.cases.case_state import OVER, Book, read_book
from pipeline.cases.event import Event
from pipeline.cases.feedback_events import KnownCase, feedback_events
from pipeline.cases.feedback_read import FeedbackRead, read_feedback
from pipeline.cases.feedback_receipt import Receipt
from pipeline.cases.feedback_told import receipts_tonight
from pipeline.cases.flood import Flood
from pipeline.cases.flow import case_flow
from pipeline.cases.ledger import Ledger
from pipeline.cases.list_history import list_events
from pipeline.cases.night import Recorded, record_night
from pipeline.cases.night_archive import archive_night
from pipeline.cases.read_tonight import JudgedNight, read_tonight
from pipeline.cases.table import case_table
from pipeline.cases.tonight import Tonight
from pipeline.contracts.delivered import Intake
from pipeline.contracts.problem import Problem

_GAPS = ("missing", "renew_first", "verify")  # outcomes that ask for something that somebody lacks
FEEDBACK = "feedback"  # the folder of the inbox where the counties' answers come back


@dataclass(frozen=True)
class Followed:
    """What the ledger says after the night. `table`: CASES and CASES_TOLD of everything that has a number; `cases`: without what was
    only ever doubtful; `flow`: what every night did to the cases."""

    recorded: Recorded
    tonight: Tonight
    flow: pl.DataFrame
    receipts: tuple[Receipt, ...]
    problems: tuple[Problem, ...]

    @property
    def book(self) -> Book:
        return self.recorded.book

    @property
    def floods(self) -> tuple[Flood, ...]:
        return self.recorded.floods

    @property
    def table(self) -> pl.DataFrame:
        """Made anew each time: what is sent later in the night changes it."""
        return case_table(self.recorded, self.tonight)

    @property
    def cases(self) -> pl.DataFrame:
        flagged = [number for number, case in self.book.cases.items() if case.flagged]
        return self.table.filter(pl.col("case_number").is_in(flagged))


def follow(
    ledger: Ledger,
    night: JudgedNight,
    delivered: Intake,
    inbox: Path,
    versions: Mapping[str, str],
    written: date | None = None,
) -> Followed:
    """The commit point: before its transaction nothing has happened, what comes after can be made again from the ledger.

    `written`: the last night of which everything was written. Raises ReconcileError as Ledger and `record_night`.
    """
    book = read_book(ledger.events())
    read = read_feedback(inbox / FEEDBACK, night.counties, night.as_of)
    answers, receipts = taken_tonight(book, read, night.as_of, written)
    tonight = read_tonight(night, ledger.key)
    recorded = record_night(ledger, tonight, [*list_events(ledger, delivered), *answers], book)
    known = {row: person for person, row in recorded.rows.items()}
    archive_night(ledger.places.state, ledger.key, night, delivered, versions, known)
    return Followed(recorded, tonight, case_flow(ledger.events()), tuple(receipts), read.all_problems())


def taken_tonight(
    book: Book, read: FeedbackRead, as_of: date, written: date | None = None
) -> tuple[list[Event], list[Receipt]]:
    """What the returned files bring: new answers, files that the ledger sees for the first time, and the receipts to be written."""
    answers, of_all = feedback_events(read, _known(book), as_of, book.files)
    receipts, files = receipts_tonight(of_all, answers, book.files, as_of, written)
    return [*answers, *files], receipts


def _known(book: Book) -> dict[str, KnownCase]:
    return {
        number: KnownCase(
            case.county,
            case.last_answer,
            case.times_sent,
            case.sent_when_answered,
            gap=case.kind in _GAPS,
            again_on=case.again_on if case.again and case.state not in OVER else None,
            stands=case.state == "answered",
        )
        for number, case in book.cases.items()
    }
