"""The life of a case, one step at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from made_nights import BENEFITS, FINDING, Made, tonight

from pipeline.cases import (
    Case,
    Event,
    Ledger,
    Recorded,
    check,
    open_ledger,
    read_book,
    record_night,
    release,
    replay,
)
from pipeline.contracts.problem import ReconcileError

LIVING, NURSING = BENEFITS
OCT, NOV, DEC = date(2026, 10, 31), date(2026, 11, 30), date(2026, 12, 31)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path) as opened:
        yield opened


def somebody(**said: str) -> Made:
    return Made("539901196503171234", "53990119650317123443", "甲某", said=said)


def only(recorded: Recorded) -> Case:
    (case,) = recorded.book.cases.values()
    return case


def test_a_flag_is_a_case_with_a_number(ledger: Ledger) -> None:
    case = only(record_night(ledger, tonight(OCT, [somebody(living_subsidy="missing")])))
    assert case.number.startswith("XGLL-2610-0")
    assert (case.state, case.subject, case.kind, case.first_seen) == ("open", LIVING, "missing", OCT)


def test_the_same_night_again_is_the_same_result(ledger: Ledger) -> None:
    people = [somebody(living_subsidy="missing", subsidy_twice="found")]
    first = record_night(ledger, tonight(OCT, people))
    head = ledger.head()
    second = record_night(ledger, tonight(OCT, people))
    assert (second.book, second.rows, ledger.head()) == (first.book, first.rows, head)


def test_receipt_settles_and_what_comes_back_keeps_its_number(ledger: Ledger) -> None:
    one = somebody(living_subsidy="missing")
    number = only(record_night(ledger, tonight(OCT, [one]))).number
    one.said[LIVING] = "receiving"
    case = only(record_night(ledger, tonight(NOV, [one])))
    assert (case.state, case.over_on, case.last_seen, case.why) == ("settled", NOV, OCT, "receiving")
    one.said[LIVING] = "missing"
    case = only(record_night(ledger, tonight(DEC, [one])))
    assert (case.number, case.state, case.times_opened, case.first_seen) == (number, "open", 2, OCT)


@pytest.mark.parametrize(("said", "state"), [("", "closed"), ("renew_first", "open"), ("verify", "open")])
def test_what_else_may_become_of_it(ledger: Ledger, said: str, state: str) -> None:
    one = somebody(living_subsidy="missing")
    record_night(ledger, tonight(OCT, [one]))
    one.said[LIVING] = said
    assert only(record_night(ledger, tonight(NOV, [one]))).state == state


def test_a_finding_that_is_no_more_is_settled(ledger: Ledger) -> None:
    one = somebody(subsidy_twice="found")
    record_night(ledger, tonight(OCT, [one]))
    one.said.clear()
    case = only(record_night(ledger, tonight(NOV, [one])))
    assert (case.state, case.why) == ("settled", "not_found")


@pytest.mark.parametrize(
    ("subject", "kind"), [(LIVING, "missing"), (LIVING, "receiving_not_due"), (FINDING, "found")]
)
def test_a_missing_list_neither_opens_nor_closes_nor_ages(ledger: Ledger, subject: str, kind: str) -> None:
    one, other = somebody(**{subject: kind}), Made("539901197001011233", "", "乙某", said={subject: kind})
    record_night(ledger, tonight(OCT, [one]))
    recorded = record_night(ledger, tonight(NOV, [one, other], missing=frozenset({subject})))
    case = only(recorded)
    assert (case.state, case.days_open(NOV), case.last_seen) == ("open", 0, OCT)
    recorded = record_night(ledger, tonight(DEC, [one, other]))
    case = recorded.book.cases[case.number]
    assert (case.state, case.days_open(DEC), len(recorded.book.cases)) == ("open", 0, 2)
    assert case.days_open(date(2027, 1, 31)) == 31


def test_what_is_due_waits_with_the_list(ledger: Ledger) -> None:
    one = somebody(living_subsidy="missing")
    number = only(record_night(ledger, tonight(OCT, [one]))).number
    with ledger.transaction():
        ledger.append([Event(OCT, "sent", number, {"period": "2026-10", "due_on": "2026-11-10"})])
    assert only(record_night(ledger, tonight(date(2026, 11, 5), [one]))).is_overdue(date(2026, 11, 11))
    gap = frozenset({LIVING})
    case = only(record_night(ledger, tonight(date(2026, 11, 20), [one], missing=gap)))
    assert (case.state, case.is_overdue(date(2026, 12, 1))) == ("sent", False)
    case = only(record_night(ledger, tonight(NOV, [one])))
    assert case.due_on == date(2026, 12, 5)  # the last night that saw it was the fifth


def test_doubt_opens_a_case_and_brings_none_back(ledger: Ledger) -> None:
    one = somebody(living_subsidy="verify")
    case = only(record_night(ledger, tonight(OCT, [one])))
    assert (case.kind, case.flagged) == ("verify", False)
    one.said[LIVING] = "receiving"
    record_night(ledger, tonight(NOV, [one]))
    one.said[LIVING] = "verify"
    assert only(record_night(ledger, tonight(DEC, [one]))).state == "settled"


@pytest.mark.parametrize(
    "now",
    [
        {"certificate_number": "53990119650317123442"},  # graded anew
        {"certificate_number": "53990119650317123443B1"},  # issued anew
        {"county": "539902"},  # moved
        {
            "id_number": "539901196503171242",
            "certificate_number": "53990119650317124243",
        },  # number corrected: the rest
        {
            "id_number": "539901196603171232",
            "certificate_number": "53990119660317123243",
            "birth_date": date(1966, 3, 17),
        },
        {"name": "甲某某"},
    ],
)
def test_the_case_follows_the_person(ledger: Ledger, now: dict[str, object]) -> None:
    one, neighbour = (
        somebody(living_subsidy="missing"),
        Made("539902198001010017", "", "丙某", birth_date=None),
    )
    number = only(record_night(ledger, tonight(OCT, [one, neighbour]))).number
    recorded = record_night(ledger, tonight(NOV, [neighbour, replace(one, **now)]))  # type: ignore[arg-type]
    case = only(recorded)
    assert (case.number, case.state, case.county) == (number, "open", now.get("county", "539901"))
    assert recorded.rows == {case.person: 2}


def test_a_namesake_born_the_same_day_is_not_taken_for_him(ledger: Ledger) -> None:
    one = somebody(living_subsidy="missing")
    number = only(record_night(ledger, tonight(OCT, [one]))).number
    twins = [Made(f"53990119650317{n}", "", "甲某", said={LIVING: "missing"}) for n in ("2219", "3318")]
    recorded = record_night(ledger, tonight(NOV, twins))
    assert recorded.book.cases[number].state == "closed"
    assert len(recorded.book.cases) == 3


def test_who_left_the_register_is_closed_only_where_the_register_is_there(ledger: Ledger) -> None:
    one = somebody(living_subsidy="missing")
    record_night(ledger, tonight(OCT, [one]))
    one.there = False
    assert only(record_night(ledger, tonight(NOV, [one], register=False))).state == "open"
    case = only(record_night(ledger, tonight(DEC, [one])))
    assert (case.state, case.why) == ("closed", "absent")


def test_a_rule_that_is_no_more_closes_its_cases(ledger: Ledger) -> None:
    one = somebody(living_subsidy="missing")
    record_night(ledger, tonight(OCT, [one]))
    case = only(record_night(ledger, tonight(NOV, [one], rules=(NURSING,))))
    assert (case.state, case.why) == ("closed", "no_rule")


def test_a_reasoned_no_rests_until_the_facts_change(ledger: Ledger) -> None:
    one = somebody(living_subsidy="missing")
    number = only(record_night(ledger, tonight(OCT, [one]))).number
    answer = Event(NOV, "answered", number, {"result": "不属实", "reason": "特困供养"})
    case = only(record_night(ledger, tonight(NOV, [one]), [answer]))
    assert (case.state, case.suppressed, case.again) == ("answered", True, False)
    one.facts = "b"
    case = only(record_night(ledger, tonight(DEC, [one])))
    assert (case.state, case.suppressed, case.again) == ("open", False, True)


def test_a_case_laid_to_rest_under_an_old_mark_rests_until_the_new_mark_changes(ledger: Ledger) -> None:
    one = replace(somebody(living_subsidy="missing"), facts="0123456789ab")
    number = only(record_night(ledger, tonight(OCT, [one]))).number
    answer = Event(OCT, "answered", number, {"result": "不属实", "reason": "特困供养"})
    record_night(ledger, tonight(OCT, [one]), [answer])
    one.facts = "2:000000000000"
    case = only(record_night(ledger, tonight(NOV, [one])))
    assert (case.suppressed, case.again, case.facts) == (True, False, "2:000000000000")
    one.facts = "2:111111111111"
    case = only(record_night(ledger, tonight(DEC, [one])))
    assert (case.suppressed, case.again, case.facts) == (False, True, "2:111111111111")


def test_a_claim_is_believed_only_when_the_data_show_it(ledger: Ledger) -> None:
    one = somebody(living_subsidy="missing")
    number = only(record_night(ledger, tonight(OCT, [one]))).number
    answer = Event(NOV, "answered", number, {"result": "属实", "measure": "已纳入"})
    assert only(record_night(ledger, tonight(NOV, [one]), [answer])).state == "answered"
    assert only(record_night(ledger, tonight(DEC, [one]))).state == "answered"
    one.said[LIVING] = "receiving"
    assert only(record_night(ledger, tonight(date(2027, 1, 31), [one]))).state == "settled"


def test_an_earlier_date_is_refused_and_changes_nothing(ledger: Ledger) -> None:
    record_night(ledger, tonight(NOV, [somebody()]))
    head = ledger.head()
    with pytest.raises(ReconcileError) as refused:
        record_night(ledger, tonight(OCT, [somebody(living_subsidy="missing")]))
    assert (refused.value.problem.code, ledger.head()) == ("E716", head)


def crowd(count: int) -> list[Made]:
    return [Made(f"5399011965031{n:05d}", "", f"甲{n}", said={LIVING: "missing"}) for n in range(count)]


def test_a_doubt_is_a_case_once_it_was_a_flag(ledger: Ledger) -> None:
    one = somebody(living_subsidy="verify")
    record_night(ledger, tonight(OCT, [one]))
    one.said[LIVING] = "missing"
    assert only(record_night(ledger, tonight(NOV, [one]))).flagged
    one.said[LIVING] = "verify"
    assert only(record_night(ledger, tonight(DEC, [one]))).flagged


def test_a_first_night_is_no_flood_and_a_later_one_is_held(ledger: Ledger) -> None:
    assert record_night(ledger, tonight(OCT, crowd(300))).floods == ()
    assert record_night(ledger, tonight(NOV, crowd(340))).floods == ()
    recorded = record_night(ledger, tonight(DEC, crowd(500)))
    assert {flood.what for flood in recorded.floods} == {"539901", f"rule:{LIVING}"}
    held = [case for case in recorded.book.cases.values() if case.held]
    assert (len(held), {case.first_seen for case in held}) == (160, {DEC})
    assert record_night(ledger, tonight(DEC, crowd(500))).floods == recorded.floods


def test_cases_that_come_back_in_masses_are_a_flood(ledger: Ledger) -> None:
    record_night(ledger, tonight(OCT, crowd(300)))
    receiving = [replace(one, said={LIVING: "receiving"}) for one in crowd(300)]
    record_night(ledger, tonight(NOV, receiving))
    recorded = record_night(ledger, tonight(DEC, crowd(300)))
    held = [case for case in recorded.book.cases.values() if case.held]
    assert (len(held), {case.times_opened for case in held}) == (300, {2})


def test_doubts_that_become_flags_in_masses_are_a_flood(ledger: Ledger) -> None:
    record_night(ledger, tonight(OCT, [replace(one, said={LIVING: "verify"}) for one in crowd(300)]))
    record_night(ledger, tonight(NOV, [replace(one, said={LIVING: "verify"}) for one in crowd(300)]))
    assert (
        len([c for c in record_night(ledger, tonight(DEC, crowd(300))).book.cases.values() if c.held]) == 300
    )


def test_a_second_run_of_the_date_does_not_part_a_flood(ledger: Ledger) -> None:
    record_night(ledger, tonight(OCT, crowd(300)))
    assert record_night(ledger, tonight(NOV, crowd(430))).floods == ()
    recorded = record_night(ledger, tonight(NOV, crowd(550)))
    assert {flood.new for flood in recorded.floods} == {250}
    assert len([case for case in recorded.book.cases.values() if case.held]) == 250
    assert release(ledger, "539901", "核对过名册", "张三") == 250
    again = record_night(ledger, tonight(NOV, crowd(551)))  # one more: he is held, those looked at are not
    assert len([case for case in again.book.cases.values() if case.held]) == 1


def test_the_book_is_what_the_ledger_says(ledger: Ledger) -> None:
    record_night(ledger, tonight(OCT, crowd(5)))
    recorded = record_night(ledger, tonight(NOV, crowd(3)))
    assert read_book(ledger.events()) == recorded.book
    texts = "".join(stored.text for stored in ledger.events())
    assert "5399011965" not in texts
    assert "甲" not in texts


def test_what_was_looked_at_is_held_no_more(ledger: Ledger) -> None:
    record_night(ledger, tonight(OCT, crowd(300)))
    record_night(ledger, tonight(NOV, crowd(550)))
    assert release(ledger, "539901", "核对过名册", "张三") == 250
    recorded = record_night(ledger, tonight(NOV, crowd(550)))
    assert (recorded.floods, [c for c in recorded.book.cases.values() if c.held]) == ((), [])
    with pytest.raises(ReconcileError) as refused:
        release(ledger, "539901", "", "张三")
    assert refused.value.problem.code == "E717"


def test_an_event_that_cannot_follow_is_found_by_the_check(ledger: Ledger) -> None:
    recorded = record_night(ledger, tonight(OCT, [somebody(living_subsidy="missing")]))
    assert check(ledger, replay) == []
    with ledger.transaction():
        ledger.append(
            [
                Event(
                    OCT,
                    "reopened",
                    only(recorded).number,
                    {"kind": "missing", "facts": "a", "county": "539901"},
                )
            ]
        )
    assert [problem.code for problem in check(ledger, replay)] == ["E713"]
