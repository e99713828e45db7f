"""Letting held letters go: bound to the hash of what was looked at, by a second person where the settings ask for one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pipeline.cases import Book, Event, Ledger
from pipeline.cases.case_state import OVER
from pipeline.cases.event import JSON
from pipeline.contracts.mail_settings import Approval
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.delivery.holds import batch_hash, held_batches
from pipeline.delivery.outbox import Outbox, Posted

SHOWN = 12  # characters of the hash that a person types


def approve(
    ledger: Ledger, book: Book, box: Outbox, typed: str, reason: str, who: str, rules: Approval
) -> Sequence[Posted]:
    """The letters that may go now. Floods in their counties are released with them.

    Raises ReconcileError E824 where nothing held has that hash (something changed since it was looked at), E825 where the one who ran
    the night approves and a second person is asked for: by the settings now, or by those that the letters were made with.
    """
    for letters in held_batches(box).values():
        whole = batch_hash(letters)
        if len(typed) >= SHOWN and whole.startswith(typed.lower()):
            asked = rules.second_person or any(letter.second_person for letter in letters)
            if asked and any(letter.by == who for letter in letters):
                raise _same_person()
            _record(ledger, book, box, letters, whole, reason, who)
            return letters
    why = "批号不对，或看过以后待批准的邮件有了变化"
    cure = "重新运行 `reconcile approve` 看一遍，用那里的批号"
    raise ReconcileError(Problem("E824", "error", "没有这一批待批准的邮件", why, cure))


def _same_person() -> ReconcileError:
    cure = "请另一个人用自己的账号（sudo 时以本人登录名为准）运行 `reconcile approve`"
    return ReconcileError(
        Problem("E825", "error", "不能自己批准", "设置要求由第二个人批准（approval.second_person）", cure)
    )


def _record(
    ledger: Ledger, book: Book, box: Outbox, letters: Sequence[Posted], whole: str, reason: str, who: str
) -> None:
    on = book.last_night or letters[0].on
    names = [letter.letter_id for letter in letters]
    body: dict[str, JSON] = {"hash": whole, "letters": names, "reason": reason, "who": who}
    events = [Event(on, "mail_approved", None, body)]
    going = {number for letter in letters for number in (*letter.cargo.asked, *letter.cargo.again)}
    for number in sorted(going):
        case = book.cases.get(number)
        if case is not None and case.held and case.state not in OVER:
            events.append(Event(on, "released", number, {}))
    with ledger.transaction():
        ledger.append(events)
    for event in events:
        (box if event.case is None else book).apply(event)


def by_hand(
    ledger: Ledger, box: Outbox, kind: str, letters: Sequence[Posted], reason: str, who: str, on: date
) -> None:
    """`mail_held` or `mail_released` for letters that a person named; recorded with who and why."""
    events = [
        Event(on, kind, None, {"letter": letter.letter_id, "reason": reason, "who": who})
        for letter in letters
    ]
    with ledger.transaction():
        ledger.append(events)
    for event in events:
        box.apply(event)
