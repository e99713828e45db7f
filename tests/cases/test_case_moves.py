"""A person who moves takes the case along: the new county is asked for the first time, the old one need not look any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from made_nights import Made, tonight

from pipeline.cases import Book, Case, Event, Ledger, open_ledger, read_book
from pipeline.cases.night import record_night
from pipeline.contracts.workdays import Workdays
from pipeline.delivery.cargo import Said, asked_in_period, between_periods, correction_words
from pipeline.delivery.period import COMPLETE, Period

HERE, THERE = "539901", "539902"
SENT, MOVED, NEXT = date(2026, 10, 31), date(2026, 11, 10), date(2026, 11, 30)
DUE = date(2026, 11, 13)
SAID = Said(frozenset(), frozenset())


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "state") as ledger:
        yield ledger


@pytest.fixture
def one(ledger: Ledger) -> Made:
    """Somebody whose case went to the first county."""
    one = Made("539901196503171232", "53990119650317123243", "甲某", said={"living_subsidy": "missing"})
    record_night(ledger, tonight(SENT, [one]))
    tell(ledger, SENT, "sent", {"due_on": DUE.isoformat(), "letter": f"2026p1-{HERE}-0123456789"})
    return one


def tell(ledger: Ledger, on: date, kind: str, body: dict[str, str]) -> None:
    number = next(iter(read_book(ledger.events()).cases))
    with ledger.transaction():
        ledger.append([Event(on, kind, number, body)])


def live_in(ledger: Ledger, one: Made, county: str, on: date) -> Book:
    one.county = county
    return record_night(ledger, tonight(on, [one])).book


def only(book: Book) -> Case:
    (case,) = book.cases.values()
    return case


def between(book: Book, on: date) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    found = between_periods(book, (), SAID, on, Workdays(), 10)
    return {county: (cargo.reminded, cargo.corrected) for county, cargo in found.items()}


def test_the_new_county_is_asked_for_the_first_time_and_the_old_one_no_more(
    ledger: Ledger, one: Made
) -> None:
    before = only(read_book(ledger.events()))
    book = live_in(ledger, one, THERE, MOVED)
    case = only(book)
    assert (case.number, case.first_seen, case.county) == (before.number, SENT, THERE)
    assert (case.state, case.times_sent, case.first_sent, case.due_on) == ("open", 0, None, None)
    late = DUE + timedelta(days=10)
    assert not case.is_overdue(late)  # it was never asked
    assert between(book, late) == {HERE: ((), (f"{case.number}:{MOVED}",))}
    due = Workdays().after(NEXT, 10)
    asked = asked_in_period(book, Period(NEXT, 2, "2026-11", due, COMPLETE, {}), SENT)
    assert asked[THERE].asked == (case.number,)
    assert (asked[THERE].again, asked[THERE].due_on, list(asked)) == ((), due, [THERE])
    tell(ledger, NEXT, "sent", {"due_on": due.isoformat(), "letter": f"2026p2-{THERE}-0123456789"})
    case = only(read_book(ledger.events()))
    assert (case.state, case.times_sent, case.first_sent, case.due_on) == ("sent", 1, NEXT, due)


def test_what_the_old_county_answered_is_not_taken_back_and_the_new_one_is_asked(
    ledger: Ledger, one: Made
) -> None:
    tell(ledger, MOVED, "answered", {"result": "属实"})
    case = only(live_in(ledger, one, THERE, MOVED))
    assert (case.state, case.answer, case.last_answer) == ("open", None, None)
    assert correction_words(case) == []


def test_a_reason_why_it_is_none_rests_wherever_one_lives(ledger: Ledger, one: Made) -> None:
    tell(ledger, MOVED, "answered", {"result": "不属实", "reason": "特困供养"})
    case = only(live_in(ledger, one, THERE, MOVED))
    assert (case.state, case.suppressed, case.times_sent) == ("answered", True, 0)


def test_who_comes_back_is_asked_anew_under_the_old_county_s_history(ledger: Ledger, one: Made) -> None:
    live_in(ledger, one, THERE, MOVED)
    case = only(live_in(ledger, one, HERE, MOVED + timedelta(days=1)))
    assert (case.state, case.times_sent, case.first_sent, case.due_on) == ("open", 1, SENT, None)
    assert correction_words(case) == []


def test_a_letter_that_waited_reaches_the_old_county_after_the_move(ledger: Ledger, one: Made) -> None:
    live_in(ledger, one, THERE, MOVED)
    tell(ledger, NEXT, "sent", {"due_on": "2026-12-14", "letter": f"2026p2-{HERE}-0123456789"})
    case = only(read_book(ledger.events()))
    assert (case.county, case.state, case.times_sent) == (THERE, "open", 0)
    assert correction_words(case) == [(HERE, f"{case.number}:{NEXT}")]


def test_a_case_that_comes_back_in_another_county_is_that_county_s_first(ledger: Ledger, one: Made) -> None:
    one.said = {}
    over = only(live_in(ledger, one, HERE, MOVED))
    assert correction_words(over) == [(HERE, f"{over.number}:{MOVED}")]
    one.said = {"living_subsidy": "missing"}
    case = only(live_in(ledger, one, THERE, NEXT))
    assert (case.state, case.county, case.times_sent, case.last_answer) == ("open", THERE, 0, None)
    assert correction_words(case) == [(HERE, f"{over.number}:{MOVED}")]  # the same word: it is said once


def test_a_county_that_becomes_a_city_is_the_same(ledger: Ledger) -> None:
    one = Made("539901196503171232", "", "甲某", county="533421", said={"living_subsidy": "missing"})
    record_night(ledger, tonight(SENT, [one]))
    tell(ledger, SENT, "sent", {"due_on": DUE.isoformat()})
    case = only(live_in(ledger, one, "533401", MOVED))
    assert (case.state, case.county, case.times_sent, case.elsewhere) == ("sent", "533401", 1, ())
