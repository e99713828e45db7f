"""Which cases a county is asked about: with the period, and between."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from pipeline.cases import Book, Event
from pipeline.contracts.tables import CASES, CASES_TOLD
from pipeline.contracts.workdays import Workdays
from pipeline.delivery.cargo import Said, as_sent, asked_in_period, between_periods
from pipeline.delivery.outbox import Cargo
from pipeline.delivery.period import COMPLETE, Period

COUNTY = "533423"
FIRST, SECOND = date(2026, 11, 5), date(2026, 12, 4)
NUMBERS = ("WX-2611-0001-1", "WX-2611-0002-2", "WX-2611-0003-3", "WX-2611-0004-4")
NOTHING_SAID = Said(frozenset(), frozenset())


def period(on: date) -> Period:
    return Period(on, 1, f"{on:%Y-%m}", Workdays().after(on, 10), COMPLETE, {})


def book(*events: tuple[date, str, str | None, dict[str, Any]]) -> Book:
    made = Book()
    made.apply(Event(FIRST, "county", None, {"county": COUNTY, "letters": "WX"}))
    for person, number in enumerate(NUMBERS, 1):
        body = {
            "person": person,
            "subject": "nursing_subsidy",
            "county": COUNTY,
            "kind": "missing",
            "facts": "a",
        }
        made.apply(Event(FIRST, "found", number, body))
    made.apply(Event(FIRST, "night", None, {"new": {}, "floods": []}))
    for on, kind, case, about in events:
        made.apply(Event(on, kind, case, about))
    return made


def sent(number: str, on: date = FIRST) -> tuple[date, str, str, dict[str, Any]]:
    return on, "sent", number, {"due_on": Workdays().after(on, 10).isoformat()}


def answered(number: str, on: date, result: str, reason: str = "") -> tuple[date, str, str, dict[str, Any]]:
    return on, "answered", number, {"result": result, "reason": reason}


def test_the_first_period_asks_about_every_flag() -> None:
    found = asked_in_period(book(), period(FIRST), None)
    assert found == {COUNTY: Cargo(period(FIRST).due_on, NUMBERS)}


def test_what_is_not_answered_goes_again_under_its_own_day() -> None:
    found = asked_in_period(book(sent(NUMBERS[0])), period(SECOND), FIRST)[COUNTY]
    assert found.again == NUMBERS[:1]
    assert found.asked == NUMBERS[1:]


@pytest.mark.parametrize(
    ("on", "result", "asked"),
    [
        (date(2026, 11, 12), "属实", False),  # the data have a period to show it
        (date(2026, 11, 5), "属实", True),
        (date(2026, 11, 12), "无法核实", True),
        (date(2026, 11, 12), "不属实", False),
    ],
)
def test_what_was_answered_rests_for_a_period(on: date, result: str, asked: bool) -> None:
    found = asked_in_period(book(sent(NUMBERS[0]), answered(NUMBERS[0], on, result)), period(SECOND), FIRST)
    assert (NUMBERS[0] in found[COUNTY].asked) is asked


def test_a_reasoned_answer_and_what_cannot_be_judged_are_not_asked() -> None:
    made = book(
        sent(NUMBERS[0]),
        answered(NUMBERS[0], FIRST, "不属实", "死亡"),
        (FIRST, "unseen", NUMBERS[1], {"why": "undetermined"}),
        (FIRST, "settled", NUMBERS[2], {"why": "receiving"}),
    )
    assert asked_in_period(made, period(SECOND), FIRST)[COUNTY].asked == NUMBERS[3:]


def test_the_same_night_again_asks_nothing_more() -> None:
    made = book(*(sent(number) for number in NUMBERS))
    assert asked_in_period(made, period(FIRST), None) == {}


def between(made: Book, as_of: date, said: Said = NOTHING_SAID, urgent: tuple[str, ...] = ()) -> Cargo:
    return between_periods(made, urgent, said, as_of, Workdays(), 10).get(COUNTY, Cargo())


def test_an_answer_is_asked_for_two_workdays_before_it_is_due_and_once_when_it_is_late() -> None:
    made, due = book(sent(NUMBERS[0])), Workdays().after(FIRST, 10)
    assert between(made, due - timedelta(days=5)).reminded == ()
    soon = between(made, due - timedelta(days=1)).reminded
    assert soon == (f"{NUMBERS[0]}:due:{due}",)
    assert between(made, due, Said(frozenset(soon), frozenset())).reminded == ()
    late = between(made, due + timedelta(days=3), Said(frozenset(soon), frozenset())).reminded
    assert late == (f"{NUMBERS[0]}:late:{due}",)


def test_a_sent_case_that_is_over_is_taken_back_unless_it_was_answered() -> None:
    on = date(2026, 11, 9)
    over = (on, "closed", NUMBERS[0], {"why": "not_due"})
    assert between(book(sent(NUMBERS[0]), over), on).corrected == (f"{NUMBERS[0]}:{on}",)
    assert between(book(over), on).corrected == ()  # nobody was asked
    reply = answered(NUMBERS[0], date(2026, 11, 8), "属实")
    assert between(book(sent(NUMBERS[0]), reply, over), on).corrected == ()
    said = Said(frozenset(), frozenset({f"{NUMBERS[0]}:{on}"}))
    assert between(book(sent(NUMBERS[0]), over), on, said).corrected == ()


def test_urgent_cases_do_not_wait() -> None:
    made = book(sent(NUMBERS[0]))
    assert between(made, date(2026, 11, 9)).asked == ()
    assert between(made, date(2026, 11, 9), urgent=("nursing_subsidy",)).asked == NUMBERS[1:]


def test_a_flood_goes_with_the_period_and_waits_for_its_release_between() -> None:
    made = book((FIRST, "held", NUMBERS[1], {}))
    assert (
        NUMBERS[1] in asked_in_period(made, period(FIRST), None)[COUNTY].asked
    )  # the letter is held as a whole
    assert NUMBERS[1] not in between(made, date(2026, 11, 9), urgent=("nursing_subsidy",)).asked


def test_the_reports_print_what_will_be_once_the_letter_has_gone() -> None:
    row = {name: None for name in (*CASES, *CASES_TOLD)}
    table = pl.DataFrame(
        [row | {"case_number": number, "state": "open", "times_sent": 0} for number in NUMBERS[:2]],
        schema=CASES | CASES_TOLD,
    )
    due = date(2026, 11, 19)
    told = as_sent(table, {COUNTY: Cargo(due, NUMBERS[:1])}, FIRST)
    assert told.columns == table.columns
    assert told.row(0, named=True) | {"times_sent": 1, "due_on": due, "state": "sent"} == told.row(
        0, named=True
    )
    assert told["first_sent"].to_list() == [FIRST, None]
    assert told.row(1) == table.row(1)
