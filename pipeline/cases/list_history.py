"""The lists' history in the ledger: what every night accepted, what it held, and what somebody accepted by hand.

Events: `accepted` and `quarantined` (one a list, only where something changed), `accepted_by_hand`. None names a person.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.cases.event import JSON, Event
from pipeline.cases.ledger import Ledger
from pipeline.contracts.delivered import Intake
from pipeline.contracts.list_history import (
    AcceptedByHand,
    AcceptedList,
    HeldList,
    ListHistory,
    ListKey,
    RegisterHeld,
)

ACCEPTED, QUARANTINED, BY_HAND = "accepted", "quarantined", "accepted_by_hand"
_EVENTS = """
SELECT on_date, kind, body FROM events
WHERE kind IN ('accepted', 'quarantined', 'accepted_by_hand') AND on_date <= ? ORDER BY sequence"""


@dataclass(frozen=True)
class ListEvent:
    """One of the three, read back."""

    on: date
    kind: str
    body: Mapping[str, Any]

    @property
    def key(self) -> ListKey:
        return self.body["dataset"], self.body["county"]


def list_history(ledger: Ledger, as_of: date) -> ListHistory:
    """What the night of `as_of` judges by: what was accepted before that date, by hand until and on it.

    So the same night again is judged by the same. What was taken by hand until a date that has passed counts as never
    accepted. Raises ReconcileError as Ledger.query.
    """
    accepted: dict[ListKey, list[AcceptedList]] = {}
    by_hand: list[AcceptedByHand] = []
    expired: dict[tuple[ListKey, str], set[str]] = {}
    stale: dict[ListKey, bool] = {}
    for event in list_events_until(ledger, as_of):
        body, key = event.body, event.key
        if event.kind == BY_HAND:
            over = body["until"] and date.fromisoformat(body["until"]) < as_of
            if not over:
                by_hand.append(AcceptedByHand(*key, body["part"], body["sha256"], event.on))
            if not stale.get(key):  # an old file was accepted before anybody looked at its age
                parts = expired.setdefault((key, body["sha256"]), set())
                (parts.add if over else parts.discard)(body["part"])
            continue
        stale[key] = body.get("status") == "stale"
        if event.kind == ACCEPTED and event.on < as_of:
            accepted.setdefault(key, []).append(_accepted(body))
    history = ListHistory({key: tuple(files) for key, files in accepted.items()}, tuple(by_hand))
    return history.without({file: frozenset(parts) for file, parts in expired.items()})


def list_events(ledger: Ledger, delivered: Intake) -> list[Event]:
    """What the night adds to the ledger about its lists: only what differs from what it holds. Raises as Ledger.query."""
    refused = {
        (row["dataset"], row["county_code"]): (row["status"], row["why"])
        for row in delivered.coverage.iter_rows(named=True)
        if row["status"] != "accepted"
    }
    held = {one.key: one for one in delivered.held}
    events = []
    for one in delivered.accepted:
        status, why = refused.get(one.key, ("", ""))
        if status == "quarantined":  # matching found that it is another county's
            told = HeldList(*one.key, one.snapshot_date, one.sha256, status, why, by_history=False)
            events.append(_held_event(delivered.as_of, told))
        elif (
            one.key in held and held[one.key].status == "stale"
        ):  # an old list of deaths serves, and is to be looked at like others
            events.append(_held_event(delivered.as_of, held[one.key]))
        else:
            events.append(_accepted_event(delivered.as_of, one))
    known = {one.key for one in delivered.accepted}
    events += [_held_event(delivered.as_of, one) for one in delivered.held if one.key not in known]
    return _new(ledger, delivered.as_of, events)


def register_events(ledger: Ledger, as_of: date, refused: RegisterHeld) -> list[Event]:
    """What a night adds that ended because the history refused the register: so it can be accepted by hand."""
    return _new(ledger, as_of, [_held_event(as_of, refused.held)])


def by_hand_event(on: date, taken: AcceptedByHand, *, reason: str, who: str, until: date | None) -> Event:
    """Somebody accepts a file after a look; `until`: the last date on which that holds."""
    body = {
        "dataset": taken.dataset,
        "county": taken.county,
        "part": taken.part,
        "sha256": taken.sha256,
        "reason": reason,
        "who": who,
        "until": until.isoformat() if until else "",
    }
    return Event(on, BY_HAND, None, body)


def list_events_until(ledger: Ledger, day: date) -> Iterator[ListEvent]:
    """The lists' events of dates up to this one, in order."""
    for on, kind, body in ledger.query(_EVENTS, (day.isoformat(),)):
        yield ListEvent(date.fromisoformat(on), kind, json.loads(body))


def latest(events: Iterable[ListEvent]) -> dict[ListKey, ListEvent]:
    """Of every list what was last said of a file: accepted or quarantined."""
    return {event.key: event for event in events if event.kind != BY_HAND}


def _new(ledger: Ledger, as_of: date, events: list[Event]) -> list[Event]:
    """Those that do not say what was said last."""
    said = latest(list_events_until(ledger, as_of))
    fresh = []
    for event in events:
        last = said.get((str(event.body["dataset"]), str(event.body["county"])))
        if last is None or last.kind != event.kind or last.body != json.loads(event.text()):
            fresh.append(event)
    return fresh


def _accepted_event(on: date, one: AcceptedList) -> Event:
    body: dict[str, JSON] = {
        "dataset": one.dataset,
        "county": one.county,
        "snapshot_date": one.snapshot_date.isoformat(),
        "sha256": one.sha256,
        "rows": one.rows,
        "rows_by_county": dict(one.rows_by_county),
        "damaged": one.damaged,
        "vanished": one.vanished,
        "held": dict(one.held),
    }
    return Event(on, ACCEPTED, None, body)


def _held_event(on: date, one: HeldList) -> Event:
    body: dict[str, JSON] = {
        "dataset": one.dataset,
        "county": one.county,
        "snapshot_date": one.snapshot_date.isoformat(),
        "sha256": one.sha256,
        "status": one.status,
        "why": one.why,
        "by_history": one.by_history,
    }
    return Event(on, QUARANTINED, None, body)


def _accepted(body: Mapping[str, Any]) -> AcceptedList:
    told = {name: body[name] for name in ("rows", "rows_by_county", "damaged", "vanished", "held")}
    day = date.fromisoformat(body["snapshot_date"])
    return AcceptedList(body["dataset"], body["county"], day, body["sha256"], **told)
