"""What every night did to the cases, as counts: found, come back, settled, closed, and how many more are open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

import polars as pl

from pipeline.cases.case_state import OVER, Book, Case
from pipeline.cases.chain import StoredEvent

_COUNTED = {
    "found": "new",
    "reopened": "reopened",
    "again": "again",
    "settled": "settled",
    "closed": "closed",
}
FLOWS = tuple(_COUNTED.values())
FLOW: dict[str, type[pl.DataType]] = {
    "night": pl.Date,
    "county_code": pl.String,
    "subject": pl.String,
    **dict.fromkeys(FLOWS, pl.Int64),
    "open": pl.Int64,  # more open cases than before (negative: fewer)
}
_Tally = dict[tuple[str, str], Counter[str]]  # county, subject


def case_flow(events: Iterable[StoredEvent]) -> pl.DataFrame:
    """FLOW: one row a night, county and subject in which something moved, in this order; no person in it.

    Open is a case that is neither over nor laid to rest by a county's reason; the running sum of `open` says how many
    there are. What happens between two nights counts to the later one. Raises as `Ledger.events`; ValueError.
    """
    book, waiting, nights = Book(), _Tally(), dict[date, _Tally]()
    for stored in events:
        event = stored.event
        before = book.cases.get(event.case) if event.case else None
        book.apply(event)
        if event.case is not None:
            _count(waiting, event.kind, before, book.cases[event.case])
        elif event.kind == "night":  # the last event of a night; a second run of the same night adds to it
            told = nights.setdefault(event.on, _Tally())
            for place, counts in waiting.items():
                told.setdefault(place, Counter()).update(counts)
            waiting = _Tally()
    rows = [
        (night, *place, *(counts[name] for name in (*FLOWS, "open")))
        for night, told in sorted(nights.items())
        for place, counts in sorted(told.items())
        if any(counts.values())
    ]
    return pl.DataFrame(rows, schema=FLOW, orient="row")


def _count(tally: _Tally, kind: str, before: Case | None, after: Case) -> None:
    """The event's own count, and the open cases that left one county and came to another."""
    changes = [(after, _COUNTED[kind], 1)] if kind in _COUNTED else []
    if before is not None and _is_open(before):
        changes.append((before, "open", -1))
    if _is_open(after):
        changes.append((after, "open", 1))
    for case, name, count in changes:
        tally.setdefault((case.county, case.subject), Counter())[name] += count


def _is_open(case: Case) -> bool:
    return case.state not in OVER and not case.suppressed
