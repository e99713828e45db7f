"""What the ledger's events say of every case: the one place where an event gets its meaning.

A case is open from the night that found it; what a county was sent and answered moves it on, data settle it. It is
*seen* while the nights can judge it and find it; while a list is missing it is neither settled nor does it grow older.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from pipeline.cases.case_standing import Standing, county_of_letter, same_county
from pipeline.cases.chain import StoredEvent
from pipeline.cases.event import Event

FileKey = tuple[str, str]  # county of the folder, SHA-256 of a returned file
Told = tuple[date, str]  # when a receipt was written, and a mark of what came back in it
State = Literal["open", "sent", "answered", "settled", "closed"]
OVER = ("settled", "closed")
# An outcome that is only doubtful keeps a case alive and makes a number; it brings none back that is over, so that a pair near
# the threshold does not flap.
DOUBTFUL = "verify"


@dataclass(frozen=True)
class Case:
    """One person × benefit or finding. `person` is the ledger's own number of the person, `facts` a mark of what the
    answer rested on, `kind` the outcome (or `found`)."""

    number: str
    person: int
    subject: str
    county: str
    kind: str
    facts: str
    first_seen: date
    flagged: bool = True  # false: only ever doubtful; it has a number, but a doubt makes no flag
    state: State = "open"
    seen_since: date | None = None  # None: not judged for want of a list, or over
    last_seen: date | None = None  # None while seen: the last night
    days: int = 0  # open and judged before `seen_since`
    over_on: date | None = None
    why: str = ""  # it is over, or not judged
    times_opened: int = 1
    times_sent: int = 0
    first_sent: date | None = None
    last_sent: date | None = None
    due_on: date | None = None
    answer: Mapping[str, Any] | None = None
    answered_on: date | None = None
    last_answer: Mapping[str, Any] | None = None  # also of before it was settled and came back
    sent_when_answered: int = 0  # how often it had been sent then
    suppressed: bool = False  # a county gave a reason why it is none, and nothing has changed since
    again: bool = False  # 复核: answered as none, and the facts have changed
    again_on: date | None = None  # the last night that found so
    held: bool = False  # one of a flood that nobody has looked at
    elsewhere: tuple[
        Standing, ...
    ] = ()  # what was sent and answered in other counties; the above is of `county`

    def days_open(self, on: date) -> int:
        """Days on which it stood open and could be judged."""
        return self.days + ((on - self.seen_since).days if self.seen_since else 0)

    def is_overdue(self, on: date) -> bool:
        return (
            self.state == "sent"
            and self.seen_since is not None
            and self.due_on is not None
            and on > self.due_on
        )


@dataclass
class Book:
    """Everything the ledger says, event by event. `apply` is the only way in."""

    cases: dict[str, Case] = field(default_factory=dict)
    of_person: dict[tuple[int, str], str] = field(default_factory=dict)  # person, subject -> number
    people: dict[tuple[str, str], set[int]] = field(default_factory=dict)  # kind, keyed hash -> people
    letters: dict[str, str] = field(default_factory=dict)  # county -> letters of its case numbers
    serials: dict[tuple[str, str], int] = field(default_factory=dict)  # letters, month -> given out
    nights: dict[date, Mapping[str, Any]] = field(default_factory=dict)
    persons: int = 0
    files: dict[FileKey, tuple[Told, ...]] = field(default_factory=dict)  # returned files that had a receipt
    erased: set[int] = field(default_factory=set)  # people whose keys are forgotten (PIPL art. 47)

    @property
    def last_night(self) -> date | None:
        return max(self.nights) if self.nights else None

    def apply(self, event: Event) -> None:
        """Raises ValueError where the event cannot follow on what was before."""
        if event.case is None:
            _ABOUT_NO_CASE.get(event.kind, _nothing)(self, event)
            return
        before = self.cases.get(event.case)
        if event.kind == "found":
            if before is not None:
                raise ValueError("a case found twice")
            case = _found(event)
            self.of_person[case.person, case.subject] = case.number
            letters, month = case.number.split("-")[:2]
            self.serials[letters, month] = self.serials.get((letters, month), 0) + 1
        elif before is None:
            raise ValueError("an event of an unknown case")
        else:
            case = _CHANGES[event.kind](self, before, event)
        self.cases[event.case] = case


def read_book(events: Iterable[StoredEvent]) -> Book:
    """The book that the events make. Raises ReconcileError as `Ledger.events`; ValueError."""
    book = Book()
    for stored in events:
        book.apply(stored.event)
    return book


def replay(events: Iterable[StoredEvent]) -> Mapping[str, Sequence[tuple[object, ...]]]:
    """For `check`: every event must follow on those before it. No table is kept of what they make. Raises ValueError, KeyError."""
    read_book(events)
    return {}


def _found(event: Event) -> Case:
    body: Mapping[str, Any] = event.body
    return Case(
        number=str(event.case),
        person=body["person"],
        subject=body["subject"],
        county=body["county"],
        kind=body["kind"],
        facts=body["facts"],
        first_seen=event.on,
        flagged=body["kind"] != DOUBTFUL,
        seen_since=event.on,
    )


def _changed(book: Book, case: Case, event: Event) -> Case:
    """The outcome, the facts or the county are others."""
    body: Mapping[str, Any] = event.body
    changed = replace(case, **{name: body[name] for name in ("kind", "facts") if name in body})
    changed = _moved(changed, body.get("county", case.county), event.on)
    return replace(changed, flagged=case.flagged or changed.kind != DOUBTFUL)


def _moved(case: Case, county: str, on: date) -> Case:
    """The case in another county. There it is as it stood when it was last there, else as if nobody had been asked: an answer is
    due to a day that this county is told. Only a reasoned 不属实 rests on, whoever gave it."""
    if same_county(county, case.county):
        return replace(case, county=county)
    left = Standing(
        case.county,
        case.over_on or on,
        case.state,
        case.times_sent,
        case.first_sent,
        case.last_sent,
        case.due_on,
        case.answer,
        case.answered_on,
        case.last_answer,
        case.sent_when_answered,
    )
    others = [one for one in case.elsewhere if one.county not in (county, case.county)]
    there = next((one for one in case.elsewhere if one.county == county), Standing(county, on))
    answered = there.state == "answered" and not case.suppressed
    moved = replace(
        case,
        county=county,
        elsewhere=(*others, left),
        times_sent=there.times_sent,
        first_sent=there.first_sent,
        last_sent=there.last_sent,
        due_on=there.due_on if answered else None,
        last_answer=there.last_answer,
        sent_when_answered=there.sent_when_answered,
        again=False,
    )
    if case.suppressed or case.state in OVER:
        return moved
    return replace(
        moved,
        state="answered" if answered else "open",
        answer=there.answer if answered else None,
        answered_on=there.answered_on if answered else None,
    )


def _unseen(book: Book, case: Case, event: Event) -> Case:
    if case.seen_since is None:
        raise ValueError("not judged twice")
    # it is as old as on the last night that saw it
    last = book.last_night or case.first_seen
    days = case.days + (last - case.seen_since).days
    return replace(case, seen_since=None, last_seen=last, days=days, why=str(event.body["why"]))


def _seen(book: Book, case: Case, event: Event) -> Case:
    """Judged again: what is due moves by as long as nobody could judge."""
    if case.seen_since is not None or case.state in OVER:
        raise ValueError("seen though it was")
    due = case.due_on + (event.on - case.last_seen) if case.due_on and case.last_seen else case.due_on
    return replace(case, seen_since=event.on, last_seen=None, due_on=due, why="")


def _over(book: Book, case: Case, event: Event) -> Case:
    if case.state in OVER:
        raise ValueError("over twice")
    last = book.last_night or case.first_seen
    days = case.days + ((last - case.seen_since).days if case.seen_since else 0)
    return replace(
        case,
        state="settled" if event.kind == "settled" else "closed",
        seen_since=None,
        last_seen=last if case.seen_since else case.last_seen,
        days=days,
        over_on=event.on,
        why=str(event.body["why"]),
        suppressed=False,
        again=False,
        held=False,
    )


def _reopened(book: Book, case: Case, event: Event) -> Case:
    if case.state not in OVER:
        raise ValueError("reopened though open")
    body: Mapping[str, Any] = event.body
    return replace(
        _moved(case, body["county"], event.on),
        state="open",
        flagged=True,
        kind=body["kind"],
        facts=body["facts"],
        seen_since=event.on,
        last_seen=None,
        over_on=None,
        due_on=None,
        answer=None,
        answered_on=None,
        why="",
        times_opened=case.times_opened + 1,
    )


def _sent(book: Book, case: Case, event: Event) -> Case:
    if case.state in OVER:
        raise ValueError("sent though over")
    due = date.fromisoformat(str(event.body["due_on"]))
    county = county_of_letter(str(event.body.get("letter", ""))) or case.county
    if not same_county(county, case.county):
        return _sent_elsewhere(case, county, due, event.on)
    return replace(
        case,
        state="sent",
        times_sent=case.times_sent + 1,
        first_sent=case.first_sent or event.on,
        last_sent=event.on,
        due_on=due,
    )


def _sent_elsewhere(case: Case, county: str, due: date, on: date) -> Case:
    """A letter that was made before the move reaches the old county after it."""
    known = next((one for one in case.elsewhere if one.county == county), Standing(county, on))
    sent = replace(
        known,
        left_on=max(known.left_on, on),
        state="sent",
        times_sent=known.times_sent + 1,
        first_sent=known.first_sent or on,
        last_sent=on,
        due_on=due,
    )
    return replace(case, elsewhere=(*(one for one in case.elsewhere if one.county != county), sent))


def _answered(book: Book, case: Case, event: Event) -> Case:
    """Kept with a case that is over, too; it opens nothing there."""
    state = case.state if case.state in OVER else "answered"
    none = event.body.get("result") == "不属实" and bool(event.body.get("reason"))
    return replace(
        case,
        state=state,
        answer=dict(event.body),
        last_answer=dict(event.body),
        sent_when_answered=case.times_sent,
        answered_on=event.on,
        suppressed=none and state == "answered",
        again=False,
    )


def _again(book: Book, case: Case, event: Event) -> Case:
    if not case.suppressed:
        raise ValueError("taken up again though not suppressed")
    return replace(
        case,
        state="open",
        suppressed=False,
        again=True,
        again_on=event.on,
        facts=str(event.body["facts"]),
        due_on=None,
    )


def _held(book: Book, case: Case, event: Event) -> Case:
    return replace(case, held=event.kind == "held")


def _night(book: Book, event: Event) -> None:
    book.nights[event.on] = event.body


def _person(book: Book, event: Event) -> None:
    body: Mapping[str, Any] = event.body
    for kind, key in body["keys"]:
        book.people.setdefault((kind, key), set()).add(body["person"])
    book.persons = max(book.persons, body["person"])


def _erased(book: Book, event: Event) -> None:
    """Nobody is known again by the keys of an erased person. His cases are over: each was closed by an event of its own."""
    body: Mapping[str, Any] = event.body
    person = body["person"]
    if any(case.person == person and case.state not in OVER for case in book.cases.values()):
        raise ValueError("erased with an open case")
    for key, people in list(book.people.items()):
        people.discard(person)
        if not people:
            del book.people[key]
    book.erased.add(person)


def _county(book: Book, event: Event) -> None:
    book.letters[str(event.body["county"])] = str(event.body["letters"])


def _file(book: Book, event: Event) -> None:
    key = (str(event.body["county"]), str(event.body["sha256"]))
    book.files[key] = (*book.files.get(key, ()), (event.on, str(event.body["told"])))


def _nothing(book: Book, event: Event) -> None:
    """Events of other matters (accepted lists, approvals)."""


_ABOUT_NO_CASE = {
    "night": _night,
    "person": _person,
    "county": _county,
    "erased": _erased,
    "feedback_file": _file,
}
_CHANGES = {
    "changed": _changed,
    "unseen": _unseen,
    "seen": _seen,
    "settled": _over,
    "closed": _over,
    "reopened": _reopened,
    "sent": _sent,
    "answered": _answered,
    "again": _again,
    "held": _held,
    "released": _held,
}
