"""One night in the ledger: everything that it changes in one transaction, the commit point of the night."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.cases.case_state import Book, Case, read_book
from pipeline.cases.event import Event
from pipeline.cases.flood import Flood, counts_of, floods, is_in
from pipeline.cases.ledger import Ledger
from pipeline.cases.life import events_of_night
from pipeline.cases.night_order import too_early
from pipeline.cases.people import recognise
from pipeline.cases.tonight import Tonight
from pipeline.contracts.problem import Problem, ReconcileError


@dataclass(frozen=True)
class Recorded:
    """The book after the night, and who of tonight is whom in it."""

    book: Book
    rows: dict[int, int]  # the ledger's person -> tonight's row

    @property
    def floods(self) -> tuple[Flood, ...]:
        """What is held for approval: the floods of all nights of which some case is still held."""
        held = [case for case in self.book.cases.values() if case.held]
        told = {
            flood["what"]: Flood(**flood)
            for _, night in sorted(self.book.nights.items())
            for flood in night["floods"]
        }
        return tuple(told[what] for what in sorted(told) if any(is_in(what, case) for case in held))


def record_night(
    ledger: Ledger, tonight: Tonight, further: Sequence[Event] = (), book: Book | None = None
) -> Recorded:
    """Appends the night's events (`further` first: accepted lists, feedback). The same night again appends nothing.

    `book`: what the ledger says, where the caller has read it already; it is changed.

    Raises ReconcileError as Ledger; E716 where the date lies before the last night's.
    """
    book = book or read_book(ledger.events())
    _in_order(book, tonight.as_of)
    with ledger.transaction():
        events = list(further)
        for event in further:
            book.apply(event)
        doubts = {number for number, case in book.cases.items() if not case.flagged}
        events += events_of_night(book, tonight, ledger.key)
        events += _closing(book, tonight, events, doubts)
        ledger.append(events)
    known = recognise(book.people, list(tonight.people.values()), ledger.key)
    return Recorded(book, {person: row for row, person in known.items()})


def _closing(book: Book, tonight: Tonight, events: list[Event], doubts: set[str]) -> list[Event]:
    """Cases held, and the night itself; nothing where the night is known and brought nothing new. `doubts`: cases that were
    no flags before."""
    before = book.nights.get(tonight.as_of)
    if before is not None and not events:
        return []
    new = [book.cases[str(event.case)] for event in events if _is_new(book, event, doubts)]
    total = _added(before["new"] if before else {}, counts_of(new))
    others = Book(nights={on: night for on, night in book.nights.items() if on != tonight.as_of})
    told = {flood["what"]: flood for flood in (before["floods"] if before else [])}
    found = floods(others, total, tonight.register)
    # Brought by the date's earlier run, which alone was no flood. (What had been one then has been held, or released since.)
    late = [flood.what for flood in found if flood.what not in told]
    earlier = [case for case in book.cases.values() if _of_this_date(case, tonight.as_of)]
    held = {case.number for case in new if any(is_in(flood.what, case) for flood in found)}
    held |= {case.number for case in earlier if any(is_in(what, case) for what in late)}
    closing = [Event(tonight.as_of, "held", number, {}) for number in sorted(held)]
    told |= {flood.what: {"what": flood.what, "new": flood.new, "usual": flood.usual} for flood in found}
    closing.append(Event(tonight.as_of, "night", None, {"new": total, "floods": [*told.values()]}))
    for event in closing:
        book.apply(event)
    return closing


def _is_new(book: Book, event: Event, doubts: set[str]) -> bool:
    """Whether the event asks the county something new: a case found or come back, or a doubt that has become a flag."""
    if event.kind == "changed" and event.case in doubts:
        return book.cases[event.case].flagged
    return event.kind in ("found", "reopened")


def _of_this_date(case: Case, on: date) -> bool:
    return case.state == "open" and case.seen_since == on and (case.first_seen == on or case.times_opened > 1)


def _added(before: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    return {what: before.get(what, 0) + more.get(what, 0) for what in sorted({*before, *more})}


def release(ledger: Ledger, what: str, reason: str, who: str) -> int:
    """Somebody has looked at a flood (a county's code, or `rule:` and a subject): its cases are held no more. How many they were.

    Recorded under the last night's date with who and why. Raises ReconcileError E717 where nothing of the kind is held.
    """
    book = read_book(ledger.events())
    held = [case.number for case in book.cases.values() if case.held and is_in(what, case)]
    on = book.last_night
    if on is None or not held:
        why = "没有被暂缓的新增疑点，或县码、政策代码写错了"
        cure = "看 reconcile run 最后的提示，照那里的写法"
        raise ReconcileError(Problem("E717", "error", "没有可以放行的", why, cure))
    with ledger.transaction():
        ledger.append([Event(on, "approved", None, {"what": what, "reason": reason, "who": who})])
        ledger.append(Event(on, "released", number, {}) for number in sorted(held))
    return len(held)


def _in_order(book: Book, as_of: date) -> None:
    if book.last_night and as_of < book.last_night:
        raise too_early(as_of, book.last_night)
