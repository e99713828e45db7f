"""The life of a case, night by night: from what the ledger knows and what tonight says to the events between them.

Pure and idempotent: the same night on the state that it left makes no event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from pipeline.cases.case_number import make
from pipeline.cases.case_state import DOUBTFUL, OVER, Book, Case
from pipeline.cases.county_letters import county_letters
from pipeline.cases.event import JSON, Event
from pipeline.cases.fact_marks import baseline, is_other
from pipeline.cases.people import new_keys, recognise
from pipeline.cases.person_key import PersonKey
from pipeline.cases.tonight import Flag, Tonight

Tell: TypeAlias = Callable[[str, str | None, dict[str, JSON]], Event]  # kind, case number, body

UNDETERMINED, ABSENT, NO_RULE = "undetermined", "absent", "no_rule"


def events_of_night(book: Book, tonight: Tonight, key: PersonKey) -> Iterator[Event]:
    """The night's events in a fixed order. Each is applied to `book` as it is made."""

    def told(kind: str, case: str | None, body: dict[str, JSON]) -> Event:
        event = Event(tonight.as_of, kind, case, body)
        book.apply(event)
        return event

    known = recognise(book.people, list(tonight.people.values()), key)
    rows = {person: row for row, person in known.items()}
    yield from _old_cases(book, tonight, rows, told)
    yield from _new_cases(book, tonight, known, key, told)


def _old_cases(book: Book, tonight: Tonight, rows: Mapping[int, int], told: Tell) -> Iterator[Event]:
    """What has become of the cases there are."""
    missing = [
        (rows[case.person], case.subject, case.kind)
        for case in book.cases.values()
        if case.state not in OVER
        and case.person in rows
        and (rows[case.person], case.subject) not in tonight.flags
        and (rows[case.person], case.subject) not in tonight.unsettled
        and case.subject in tonight.subjects
    ]
    cannot_say = tonight.still_open(missing)
    for number in sorted(book.cases):
        case = book.cases[number]
        row = rows.get(case.person)
        flag = None if row is None else tonight.flags.get((row, case.subject))
        if row is not None and flag is not None:
            yield from _flagged(case, flag, tonight.people[row].county, told)
        elif case.state not in OVER:
            yield from _not_flagged(case, row, tonight, cannot_say, told)


def _flagged(case: Case, flag: Flag, county: str, told: Tell) -> Iterator[Event]:
    now: dict[str, JSON] = {"kind": flag.kind, "facts": flag.facts, "county": county}
    if case.state in OVER:
        if flag.kind != DOUBTFUL:
            yield told("reopened", case.number, now)
        return
    now["facts"] = baseline(case.facts, flag.facts)
    if case.seen_since is None:
        yield told("seen", case.number, {})
    if case.suppressed and is_other(case.facts, flag.facts):
        yield told("again", case.number, {"facts": now["facts"]})
    before = {"kind": case.kind, "facts": case.facts, "county": case.county}
    changed = {name: value for name, value in now.items() if value != before[name]}
    if changed:
        yield told("changed", case.number, changed)


def _not_flagged(
    case: Case, row: int | None, tonight: Tonight, cannot_say: set[tuple[int, str]], told: Tell
) -> Iterator[Event]:
    if case.subject not in tonight.subjects:
        yield told("closed", case.number, {"why": NO_RULE})
        return
    if row is None:
        if tonight.absent_open(case.county, case.subject):
            yield from _waits(case, told)
        else:
            yield told("closed", case.number, {"why": ABSENT})
        return
    said = tonight.unsettled.get((row, case.subject))
    if said == "receiving":
        yield told("settled", case.number, {"why": "receiving"})
    elif said == UNDETERMINED or (row, case.subject) in cannot_say:
        yield from _waits(case, told)
    elif case.kind == "found":
        yield told("settled", case.number, {"why": "not_found"})
    else:
        yield told("closed", case.number, {"why": "not_due"})


def _waits(case: Case, told: Tell) -> Iterator[Event]:
    if case.seen_since is not None:
        yield told("unseen", case.number, {"why": UNDETERMINED})


def _new_cases(
    book: Book, tonight: Tonight, known: dict[int, int], key: PersonKey, told: Tell
) -> Iterator[Event]:
    """People with a flag that is no case yet; by row and subject."""
    told_of: set[int] = set()
    for row, subject in sorted(tonight.flags):
        one = tonight.people[row]
        person = known.setdefault(row, book.persons + 1)
        if row not in told_of:
            told_of.add(row)
            keys = new_keys(book.people, person, one, key)
            if keys or person > book.persons:
                yield told("person", None, {"person": person, "keys": keys})
        if (person, subject) in book.of_person or not one.county:
            continue
        if one.county not in book.letters:
            letters = _letters(tonight.counties.get(one.county, ""), book)
            yield told("county", None, {"county": one.county, "letters": letters})
        flag = tonight.flags[row, subject]
        body: dict[str, JSON] = {"person": person, "subject": subject, "county": one.county}
        yield told(
            "found", _number(book, one.county, tonight), body | {"kind": flag.kind, "facts": flag.facts}
        )


def _number(book: Book, county: str, tonight: Tonight) -> str:
    letters = book.letters[county]
    serial = book.serials.get((letters, f"{tonight.as_of:%y%m}"), 0) + 1
    return make(letters, tonight.as_of, serial)


def _letters(name: str, book: Book) -> str:
    taken = set(book.letters.values())
    try:
        return county_letters(name, taken)
    except ValueError:  # a county without a name that can be read
        return county_letters("某县", taken)
