"""The outbox: what the ledger's events say of every letter. Its states follow from the events, like those of cases.

queued ─▶ claimed ─▶ sent                     held ─(approved, released)─▶ queued
             │──▶ later (again on a set night) ─▶ claimed …  ─▶ given up
             │──▶ refused
             └──▶ doubtful: nobody knows whether it went; never sent again unless a person says so (RFC 1047)
Any that has not gone can be withdrawn: a newer one takes its place, the report went by another way, or it is to be made anew.
What a person holds (`outbox hold`) while it waits for approval waits for both: his release and the approval.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from pipeline.cases import Event, Ledger
from pipeline.cases.event import JSON
from pipeline.delivery.letter import Letter
from pipeline.delivery.period import Period

State = Literal["queued", "held", "claimed", "sent", "later", "refused", "doubtful", "given_up", "withdrawn"]
_BY_HAND = "人工暂停"
EVERY_COUNTY = "all"  # of a `handed` event
ENDED = ("sent", "refused", "doubtful", "given_up", "withdrawn")
WAITING = ("queued", "later")
_SELECT = "SELECT on_date, kind, body FROM events WHERE kind IN ('period', 'handed') OR kind LIKE 'mail%' ORDER BY sequence"


@dataclass(frozen=True)
class Cargo:
    """What a letter does to cases when it has gone. `asked` get `due_on`; `again` keep their own day; `reminded` and `corrected`
    are only remembered."""

    due_on: date | None = None
    asked: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    reminded: tuple[str, ...] = ()  # case number:due or case number:late
    corrected: tuple[str, ...] = ()

    def body(self) -> dict[str, Any]:
        return {
            "due_on": self.due_on.isoformat() if self.due_on else None,
            "asked": list(self.asked),
            "again": list(self.again),
            "reminded": list(self.reminded),
            "corrected": list(self.corrected),
        }

    @staticmethod
    def read(body: Mapping[str, Any]) -> Cargo:
        due = body["due_on"]
        lists = [tuple(body[name]) for name in ("asked", "again", "reminded", "corrected")]
        return Cargo(date.fromisoformat(due) if due else None, *lists)


@dataclass(frozen=True)
class Posted:
    """A letter in the outbox. `sha256` is of the finished bytes that were checked; `batch` the night that made it."""

    letter_id: str
    kind: str
    on: date
    place: str
    to: str
    subject: str
    sha256: str
    batch: str
    by: str  # who ran the night
    about: str  # digest of what it says, so that the same is not said twice
    rules: str  # digest of the rules that it rests on, "" for letters without any
    cargo: Cargo
    state: State = "queued"
    reasons: tuple[str, ...] = ()  # held for
    tried: int = 0  # nights on which it was tried
    allowed_again: bool = False  # a person has said so, though the journal knows it
    maybe_gone: bool = False  # it was in doubt once, and a person has said that it goes again
    next_on: date | None = None
    done_on: date | None = None
    code: int = 0
    words: str = ""
    second_person: bool = False  # the settings of its night asked for a second person to approve
    approved: bool = False  # by a person who looked at it: what waited for that
    anew: bool = False  # withdrawn so that the next night makes it once more

    @property
    def by_hand_held(self) -> bool:
        """Held by a person (`outbox hold`): it waits for his release, whatever else it waits for."""
        return self.state == "held" and bool(self.paused_for)

    @property
    def paused_for(self) -> tuple[str, ...]:
        """What a person said who held it (`outbox hold`)."""
        return tuple(reason for reason in self.reasons if reason.startswith(_BY_HAND))

    @property
    def never_approved(self) -> bool:
        """It was made to wait for approval, and nobody has given it (also where it was withdrawn meanwhile)."""
        return bool(self.unapproved_for)

    @property
    def unapproved_for(self) -> tuple[str, ...]:
        """The reasons for which it waits for approval."""
        return tuple(reason for reason in self.reasons if not reason.startswith(_BY_HAND))

    @property
    def file(self) -> str:
        return f"{self.letter_id}.eml"


@dataclass
class Outbox:
    """Everything that was ever to be sent. `apply` is the only way in."""

    letters: dict[str, Posted] = field(default_factory=dict)
    periods: list[Period] = field(default_factory=list)
    approvals: dict[str, list[str]] = field(default_factory=dict)  # hash -> who
    rules: str = ""  # digest of the rules of the last letter that went, or that somebody has approved
    # reports that went by another way: when, to which county
    handed: list[tuple[date, str]] = field(default_factory=list)

    def apply(self, event: Event) -> None:
        """Raises ValueError where an event cannot follow on what was before."""
        body: Mapping[str, Any] = event.body
        if event.kind == "period":
            self.periods.append(Period.read(event))
        elif event.kind == "handed":
            self.handed.append((event.on, str(body.get("county", ""))))
            self._handed(str(body.get("county", "")))
        elif event.kind == "mail":
            letter = _posted(event)
            self.letters[letter.letter_id] = letter
        elif event.kind == "mail_approved":
            self.approvals.setdefault(str(body["hash"]), []).append(str(body["who"]))
            for letter_id in body["letters"]:
                self._change(letter_id, "held", state="queued", reasons=(), approved=True)
                self.rules = self.letters[letter_id].rules or self.rules
        else:
            before, fields = _CHANGES[event.kind](event, self.letters.get(str(body["letter"])))
            self._change(str(body["letter"]), before, **fields)
            if event.kind == "mail_sent":
                self.rules = self.letters[str(body["letter"])].rules or self.rules

    def _handed(self, county: str) -> None:
        """A report that went by another way is not made anew any more."""
        for letter_id, letter in self.letters.items():
            if letter.anew and county in (EVERY_COUNTY, letter.place):
                self.letters[letter_id] = replace(letter, anew=False)

    def _change(self, letter_id: str, before: str | Sequence[str], **fields: Any) -> None:
        letter = self.letters.get(letter_id)
        if letter is None or letter.state not in ((before,) if isinstance(before, str) else before):
            raise ValueError("an event that does not fit the letter's state")
        if fields.pop("tried_once_more", False):
            fields["tried"] = letter.tried + 1
        self.letters[letter_id] = replace(letter, **fields)

    def due(self, as_of: date) -> list[Posted]:
        """What may be tried on that night, reports first, in a fixed order."""
        ready = [
            letter
            for letter in self.letters.values()
            if letter.state in WAITING and (letter.next_on is None or letter.next_on <= as_of)
        ]
        return sorted(ready, key=lambda one: (_ORDER.index(one.kind), one.on, one.letter_id))

    def in_state(self, *states: str) -> list[Posted]:
        return [letter for _, letter in sorted(self.letters.items()) if letter.state in states]

    def tries(self, letter: Posted) -> int:
        """Nights on which the letter was tried, and those that it took the place of because they had been put off for too long. Who was
        told to try it again (`outbox retry`) gets all nights: then its own tries count only."""
        if letter.allowed_again:
            return letter.tried
        same = (letter.kind, letter.batch, letter.place, letter.to)
        before = [
            x.tried
            for x in self.letters.values()
            if x.state == "withdrawn" and not x.anew and (x.kind, x.batch, x.place, x.to) == same
        ]
        return letter.tried + sum(before)

    def last_to(self, place: str, *kinds: str) -> Posted | None:
        """The last letter to a place that has gone."""
        gone = [
            x for x in self.letters.values() if x.place == place and x.kind in kinds and x.state == "sent"
        ]
        return max(gone, key=lambda one: (one.done_on or one.on, one.letter_id), default=None)


_ORDER = ("report", "notice", "quality", "operator")


def read_outbox(ledger: Ledger) -> Outbox:
    """The outbox as the events make it (their chain is checked where the book is read). Raises ReconcileError as Ledger.query."""
    box = Outbox()
    for on, kind, body in ledger.query(_SELECT):
        box.apply(Event(date.fromisoformat(on), kind, None, json.loads(body)))
    return box


def queued(
    letter: Letter,
    sha256: str,
    *,
    batch: str,
    by: str,
    about: str,
    rules: str,
    cargo: Cargo,
    reasons: Iterable[str],
    second_person: bool = False,
) -> Event:
    """The event of a letter that is finished, checked and kept beside."""
    body: dict[str, JSON] = {
        "letter": letter.letter_id,
        "kind": letter.kind,
        "place": letter.place,
        "to": letter.to,
        "subject": letter.subject,
        "sha256": sha256,
        "batch": batch,
        "by": by,
        "about": about,
        "rules": rules,
        "cargo": cargo.body(),
        "held": list(reasons),
    }
    if second_person:  # bound to the letter: other settings on the day of approval make it no easier
        body["second_person"] = True
    return Event(letter.on, "mail", None, body)


def withdrawn(letter: Posted, on: date, why: str, who: str = "", *, anew: bool = False) -> Event:
    """The event of a letter that has not gone and need not go any more; `anew`: the next night is to make it once more."""
    body: dict[str, JSON] = {"letter": letter.letter_id, "why": why}
    if who:
        body["who"] = who
    if anew:
        body["anew"] = True
    return Event(on, "mail_withdrawn", None, body)


def withdrawals(
    letters: Iterable[Posted], on: date, why: str, who: str = "", *, anew: bool = False
) -> list[Event]:
    """The events that take letters out of the outbox. One that has come to an end is taken up again first: no end leads to another."""
    events = []
    for letter in letters:
        if letter.state in ENDED:
            told: dict[str, JSON] = {"letter": letter.letter_id, "reason": why, "who": who}
            events.append(Event(on, "mail_released", None, told))
        events.append(withdrawn(letter, on, why, who, anew=anew))
    return events


def _posted(event: Event) -> Posted:
    body: Mapping[str, Any] = event.body
    named = ("kind", "place", "to", "subject", "sha256", "batch", "by", "about", "rules")
    texts: dict[str, Any] = {name: str(body[name]) for name in named}
    return Posted(
        letter_id=str(body["letter"]),
        on=event.on,
        cargo=Cargo.read(body["cargo"]),
        state="held" if body["held"] else "queued",
        reasons=tuple(body["held"]),
        second_person=bool(body.get("second_person", False)),
        **texts,
    )


def _claimed(event: Event, _: Posted | None) -> tuple[Sequence[str], dict[str, Any]]:
    return WAITING, {"state": "claimed", "tried_once_more": bool(event.body["first_tonight"])}


def _sent(event: Event, _: Posted | None) -> tuple[Sequence[str], dict[str, Any]]:
    return ("claimed",), {"state": "sent", "done_on": event.on, "words": str(event.body.get("words", ""))}


def _failed(event: Event, _: Posted | None) -> tuple[Sequence[str], dict[str, Any]]:
    """Fates of one try: later, refused, doubtful; given_up when it was tried on enough nights."""
    body: Mapping[str, Any] = event.body
    next_on = date.fromisoformat(body["next_on"]) if body.get("next_on") else None
    told = {"code": int(body["code"]), "words": str(body["words"])}
    done = event.on if body["fate"] in ENDED else None
    return ("claimed",), {"state": body["fate"], "next_on": next_on, "done_on": done, **told}


def _held(event: Event, letter: Posted | None) -> tuple[Sequence[str], dict[str, Any]]:
    """Beside the reasons for which it waits for approval: a release must not stand for an approval."""
    before = letter.reasons if letter else ()
    return (*WAITING, "held"), {"state": "held", "reasons": (*before, f"{_BY_HAND}：{event.body['reason']}")}


def _released(event: Event, letter: Posted | None) -> tuple[Sequence[str], dict[str, Any]]:
    """Somebody looked: what he held goes on; what is in doubt, refused or given up is tried once more.

    What waits for approval too keeps waiting for it. (An event that names nobody is recovery's: it knows that the letter was tried.)
    """
    if letter is not None and letter.state == "held" and letter.never_approved and event.body.get("who"):
        return ("held",), {"reasons": letter.unapproved_for}
    return ("held", "doubtful", "refused", "given_up", "later"), {
        "state": "queued", "reasons": (), "next_on": None, "tried": 0, "done_on": None, "allowed_again": True,
        "maybe_gone": letter is not None and (letter.maybe_gone or letter.state == "doubtful"),
    }  # fmt: skip


def _withdrawn(event: Event, _: Posted | None) -> tuple[Sequence[str], dict[str, Any]]:
    return ("queued", "later", "held"), {
        "anew": bool(event.body.get("anew", False)),
        "state": "withdrawn",
        "done_on": event.on,
        "words": str(event.body["why"]),
    }


_CHANGES = {
    "mail_claimed": _claimed,
    "mail_sent": _sent,
    "mail_failed": _failed,
    "mail_held": _held,
    "mail_released": _released,
    "mail_withdrawn": _withdrawn,
}
