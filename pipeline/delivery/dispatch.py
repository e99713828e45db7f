"""Claim, send, mark: the letters that may go are sent one by one, each step made to last before the next.

Killed between claim and mark, nobody knows whether the server has the letter: it is doubtful, is told as such, and is sent again
only when a person says so (RFC 1047: exactly-once mail does not exist; lost and doubled mail can be told apart).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

from pipeline.cases import Book, Event, Ledger
from pipeline.cases.case_state import OVER
from pipeline.cases.event import JSON
from pipeline.contracts.mail_settings import Mail
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.settings import Settings
from pipeline.delivery.journal import CLAIMED, Journal
from pipeline.delivery.outbox import ENDED, Cargo, Outbox, Posted
from pipeline.delivery.places import kept_letter, stopped
from pipeline.delivery.standing import place_words

_NIGHTS_BETWEEN = (1, 1, 2, 4)  # back-off: nights until the next try


class Fate(Protocol):
    """What became of one try (`courier.Delivery`)."""

    @property
    def fate(self) -> str: ...
    @property
    def code(self) -> int: ...
    @property
    def words(self) -> str: ...


class Sender(Protocol):
    """What carries letters (`courier.Courier`). `broken`: no further letter has a chance tonight."""

    broken: bool

    def send(self, message: bytes, to: str) -> Fate: ...


@dataclass
class Tally:
    """How the night's letters fared."""

    fates: Counter[str] = field(default_factory=Counter)
    stopped: bool = False
    problems: list[Problem] = field(default_factory=list)

    @property
    def incomplete(self) -> bool:
        """Also where an address stands in the settings no more (`problems`): that letter did not go."""
        return (
            self.stopped
            or bool(self.problems)
            or any(self.fates[fate] for fate in ("later", "refused", "doubtful", "given_up"))
        )


def recover(ledger: Ledger, book: Book, box: Outbox, journal: Journal, as_of: date) -> int:
    """Letters that a killed run, or a ledger that is gone, had claimed: what the journal says, else doubtful. How many they are."""
    known = journal.fates()
    ended = 0
    for letter in box.in_state("claimed"):
        why = "上次运行在发送当中中断，不知道对方收到没有"
        _mark_recovered(ledger, book, box, letter, known.get(letter.letter_id, CLAIMED), why, as_of)
        ended += 1
    for letter in box.in_state("queued", "held"):
        told = known.get(letter.letter_id)
        if told in (CLAIMED, "sent", "doubtful") and letter.tried == 0 and not letter.allowed_again:
            if letter.state == "held":
                _record(ledger, box, [Event(as_of, "mail_released", None, {"letter": letter.letter_id})])
            claim: dict[str, JSON] = {"letter": letter.letter_id, "first_tonight": True}
            _record(ledger, box, [Event(as_of, "mail_claimed", None, claim)])
            why = "台账是从旧备份恢复的，而发件日志说这封信已经试发过"
            _mark_recovered(ledger, book, box, letter, told, why, as_of)
            ended += 1
    return ended


def _mark_recovered(
    ledger: Ledger, book: Book, box: Outbox, letter: Posted, told: str, why: str, as_of: date
) -> None:
    if told == "sent":
        _record(ledger, box, [_sent_event(letter, as_of), *case_events(book, box, letter, as_of)], book)
    elif told in ("later", "refused"):
        _record(ledger, box, [_failed(box, letter, as_of, told, 0, "上次运行的结果，取自发件日志")])
    else:
        _record(ledger, box, [_failed(box, letter, as_of, "doubtful", 0, why)])


def dispatch(
    ledger: Ledger,
    book: Book,
    box: Outbox,
    state: Path,
    settings: Settings,
    as_of: date,
    courier: Callable[[], AbstractContextManager[Sender]],
    pause: Callable[[float], None] | None = None,
    only: frozenset[str] | None = None,
    tally: Tally | None = None,
) -> Tally:
    """Tries every letter that may go; again those that failed for the moment, up to `tries_a_night`.

    `pause` waits so many seconds before each further round; None: one round only (a person is waiting, and can ask again).
    `only`: of these letters. `tally`: what is filled, so that it is known also where this raises.
    Raises ReconcileError E821 (exit 8) before a letter whose bytes are not those that were checked; all of them are named.
    """
    tally = Tally() if tally is None else tally
    journal = Journal(state)
    due = [letter for letter in box.due(as_of) if only is None or letter.letter_id in only]
    waiting = [letter.letter_id for letter in due if _may_go(letter, settings, tally)]
    if not waiting:
        return tally
    _all_whole(state, [box.letters[letter_id] for letter_id in waiting])
    rounds = settings.mail.tries_a_night if pause else 1
    broken = False
    for round_ in range(rounds):
        if not waiting or broken:
            break
        if round_ and pause:
            pause(60.0 * settings.mail.minutes_between_tries)
        with courier() as sender:
            for letter_id in list(waiting):
                if stopped(state):
                    tally.stopped = True
                    return tally
                if sender.broken:
                    break
                fate = _one(
                    ledger, book, box, journal, state, settings.mail, as_of, sender, letter_id, round_ == 0
                )
                if fate != "later":
                    waiting.remove(letter_id)
                    tally.fates[fate] += 1
            broken = sender.broken
    tally.fates["later"] += len(waiting)
    return tally


def _all_whole(state: Path, letters: list[Posted]) -> None:
    """Before anything leaves. Raises ReconcileError E821 with every letter that is not what was checked."""
    damaged = []
    for letter in letters:
        try:
            checked_letter(state, letter)
        except ReconcileError as error:
            damaged.append(error.problem)
    if damaged:
        raise ReconcileError(damaged[0], 8, tuple(damaged[1:]))


def checked_letter(state: Path, letter: Posted) -> bytes:
    """The bytes that were checked. Raises ReconcileError E821 (exit 8), which names the place."""
    try:
        return kept_letter(state, letter.file, letter.sha256)
    except ReconcileError as error:
        what = f"{place_words(letter.place)}的邮件与检查过的不一致"
        raise ReconcileError(replace(error.problem, what=what, county=letter.place), 8) from None


def _may_go(letter: Posted, settings: Settings, tally: Tally) -> bool:
    """Whether the address is still one of the place's: settings may have changed since the letter was made."""
    if letter.to in addresses(settings, letter.kind, letter.place):
        return True
    what, why = f"{place_words(letter.place)}的信没有发出", "收件人已不在设置里"
    cure = (
        "用 `reconcile outbox list` 找到它；`outbox withdraw` 撤回，下一夜按设置里的地址重新生成；或改回设置"
    )
    tally.problems.append(Problem("E822", "warning", what, why, cure, county=letter.place))
    return False


def addresses(settings: Settings, kind: str, place: str) -> tuple[str, ...]:
    """Who may get such a letter now."""
    if kind == "operator":
        return settings.mail.operator
    of: Mapping[str, tuple[str, ...]] = settings.departments if kind == "quality" else settings.recipients
    return of.get(place, ())


def _one(
    ledger: Ledger,
    book: Book,
    box: Outbox,
    journal: Journal,
    state: Path,
    mail: Mail,
    as_of: date,
    sender: Sender,
    letter_id: str,
    first: bool,
) -> str:
    """Claims, sends and marks one letter; its fate."""
    letter = box.letters[letter_id]
    message = checked_letter(state, letter)
    claim: dict[str, JSON] = {"letter": letter_id, "first_tonight": first}
    _record(ledger, box, [Event(as_of, "mail_claimed", None, claim)])
    journal.note(letter_id, CLAIMED, as_of.isoformat())
    told = sender.send(message, letter.to)
    journal.note(letter_id, told.fate, as_of.isoformat())
    letter = box.letters[letter_id]
    if told.fate == "sent":
        _record(ledger, box, [_sent_event(letter, as_of), *case_events(book, box, letter, as_of)], book)
        return "sent"
    fate = "given_up" if told.fate == "later" and box.tries(letter) >= mail.nights else told.fate
    event = _failed(box, letter, as_of, fate, told.code, told.words)
    _record(ledger, box, [event])
    return fate


def _sent_event(letter: Posted, as_of: date) -> Event:
    return Event(as_of, "mail_sent", None, {"letter": letter.letter_id})


def _failed(box: Outbox, letter: Posted, as_of: date, fate: str, code: int, words: str) -> Event:
    nights = _NIGHTS_BETWEEN[min(max(box.tries(letter), 1), len(_NIGHTS_BETWEEN)) - 1]
    next_on = (as_of + timedelta(days=nights)).isoformat() if fate not in ENDED else None
    body: dict[str, JSON] = {
        "letter": letter.letter_id, "fate": fate, "code": code, "words": words, "next_on": next_on,
    }  # fmt: skip
    return Event(as_of, "mail_failed", None, body)


def case_events(book: Book, box: Outbox, letter: Posted, as_of: date) -> list[Event]:
    """The cases that a letter brings are sent with the first letter of its batch that reaches the county."""
    twins = [
        x
        for x in box.letters.values()
        if (x.place, x.batch, x.kind) == (letter.place, letter.batch, letter.kind)
    ]
    if any(twin.state == "sent" for twin in twins):
        return []
    return cargo_events(book, letter.cargo, letter.letter_id, as_of)


def cargo_events(book: Book, cargo: Cargo, letter_id: str, as_of: date) -> list[Event]:
    """What becomes of a cargo's cases when it has reached the county. `letter_id` "" where no letter brought it."""
    events = []
    for number in (*cargo.asked, *cargo.again):
        case = book.cases.get(number)
        if case is None or case.state in OVER:
            continue
        if case.held:
            events.append(Event(as_of, "released", number, {}))
        # it keeps the day that the county was told first, also where another letter was faster
        again = case.due_on is not None and (number in cargo.again or case.state == "sent")
        day = case.due_on if again else cargo.due_on
        if day is not None:
            events.append(Event(as_of, "sent", number, {"due_on": day.isoformat(), "letter": letter_id}))
    return events


def _record(ledger: Ledger, box: Outbox, events: list[Event], book: Book | None = None) -> None:
    """One transaction; then the box and the book know it, too."""
    if not events:
        return
    with ledger.transaction():
        ledger.append(events)
    for event in events:
        if event.case is None:
            box.apply(event)
        elif book is not None:
            book.apply(event)
