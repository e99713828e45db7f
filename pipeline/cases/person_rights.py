"""A person's rights in the ledger (PIPL arts 46, 47): `correction` and `erased` events. None holds a name or a number.

The ledger cannot forget: its events are chained. It knows people by keyed hashes only, and after `erased` nobody is known
again by those of that person; who is still on a department's list comes again as somebody new.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pipeline.cases.case_state import OVER, Book, read_book
from pipeline.cases.event import JSON, Event
from pipeline.cases.ledger import Ledger
from pipeline.cases.people import Somebody, new_keys

CORRECTION, ERASED = "correction", "erased"
_CORRECTIONS = (
    "SELECT sequence, on_date, body FROM events WHERE kind = 'correction' AND on_date >= ? ORDER BY sequence"
)


@dataclass(frozen=True, order=True)
class ListPlace:
    """A row of a department's list, or a list (`row` 0) in which somebody does not stand. `file` and `sheet` with numbers masked."""

    dataset: str
    county: str
    file: str = ""
    sheet: str = ""
    row: int = 0
    column: str = ""

    def body(self) -> dict[str, JSON]:
        return dict(asdict(self))


@dataclass(frozen=True)
class Correction:
    """What somebody asks a department to put right. `person` is the ledger's number, `cases` all of the person's, `waiting` those of
    them that are not over; `places` where the person stands in the department's lists."""

    sequence: int
    on: date
    department: str
    note: str
    person: int
    cases: tuple[str, ...]
    waiting: tuple[str, ...] = ()
    places: tuple[ListPlace, ...] = ()


def corrections(ledger: Ledger, since: date = date.min) -> list[Correction]:
    """Those noted under that business date or later, in order, without those of people who were erased since.

    A correction bears the date of the ledger's last event, so one that is noted after the letters of a night bears that
    night's date: asked with the date of the last letters none is lost, and one may be told twice. Raises as `Ledger.query`.
    """
    found = ledger.query(_CORRECTIONS, (since.isoformat(),))
    if not found:
        return []
    book = read_book(ledger.events())
    said = [(sequence, date.fromisoformat(on), json.loads(body)) for sequence, on, body in found]
    return [
        _correction(book, sequence, on, body)
        for sequence, on, body in said
        if body["person"] not in book.erased
    ]


def _correction(book: Book, sequence: int, on: date, body: Mapping[str, Any]) -> Correction:
    """An older program noted no places."""
    cases = cases_of(book, body["person"])
    waiting = tuple(number for number in cases if book.cases[number].state not in OVER)
    places = tuple(ListPlace(**place) for place in body.get("places", ()))
    return Correction(sequence, on, body["department"], body["note"], body["person"], cases, waiting, places)


def cases_of(book: Book, person: int) -> tuple[str, ...]:
    """The numbers of a person's cases, sorted."""
    return tuple(sorted(number for number, case in book.cases.items() if case.person == person))


def note_correction(
    ledger: Ledger,
    one: Somebody,
    people: Sequence[int],
    department: str,
    note: str,
    places: Sequence[ListPlace] = (),
) -> int:
    """Writes a `correction` of the person (who is entered where no case made the ledger know him); the ledger's person.

    `note` must hold no number of anybody. Raises as Ledger.
    """
    book = read_book(ledger.events())
    person = people[0] if people else book.persons + 1
    on = last_date(ledger)
    events = []
    if not people:
        keys = new_keys(book.people, person, one, ledger.key)
        events.append(Event(on, "person", None, {"person": person, "keys": keys}))
    body: dict[str, JSON] = {"person": person, "department": department, "note": note}
    if places:
        body["places"] = [place.body() for place in places]
    events.append(Event(on, CORRECTION, None, body))
    with ledger.transaction():
        ledger.append(events)
    return person


def note_erasure(ledger: Ledger, people: Sequence[int]) -> tuple[str, ...]:
    """Closes the people's open cases with why `erased` and has the ledger forget their keys; the cases closed."""
    book = read_book(ledger.events())
    on = last_date(ledger)
    still_open = [n for p in people for n in cases_of(book, p) if book.cases[n].state not in OVER]
    with ledger.transaction():
        ledger.append(Event(on, "closed", number, {"why": ERASED}) for number in still_open)
        ledger.append(Event(on, ERASED, None, {"person": person}) for person in people)
    return tuple(still_open)


def last_date(ledger: Ledger) -> date:
    """Under which business date something is recorded between the nights: that of the ledger's last event."""
    last = ledger.query("SELECT max(on_date) FROM events")[0][0]
    return date.fromisoformat(last) if last else date.min
