"""Who counts as a county's recipients: who accepted its last report or was approved, not an address that refused it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from courier_server import SmtpServer
from killed_nights import NOVEMBER, OCTOBER
from test_notice_nights import (
    FIRST,
    SECOND,
    approval,
    night,
    outbox,
    place,
    reconcile,
    server,
    settings,
    world,
)

from pipeline.cases import Event
from pipeline.contracts.mail_settings import Approval
from pipeline.delivery.holds import reasons_to_hold
from pipeline.delivery.letter import Letter
from pipeline.delivery.outbox import Cargo, Outbox, queued

_ = (place, server, settings, world)  # fixtures
THIRD = "wang@example.gov.cn"
CHANGED, FIRST_TIME = "收件人有变动", "第一次给该县发信"


def test_a_corrected_address_that_was_approved_is_no_change_in_the_next_period(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    assert night(place).exit_code == 0  # the first one accepts
    server.answer_rcpt = lambda to: "550 5.1.1 unknown" if to == FIRST else ""
    assert night(place, NOVEMBER, month=11).exit_code == 6
    settings(SECOND)
    held = night(place, NOVEMBER + timedelta(days=1), month=11)
    assert CHANGED in reconcile(place, "approve")[1]
    assert held.mails["held"] == 1
    assert reconcile(place, "approve", approval(place), "--reason", "县里来函")[0] == 0
    night(place, NOVEMBER + timedelta(days=2), month=11)
    assert [to for to, _ in server.messages] == [FIRST, SECOND]
    night(place, date(2026, 12, 20), month=11)  # the next period
    assert [to for to, _ in server.messages] == [FIRST, SECOND, SECOND]
    assert not outbox(place).in_state("held")


class Letters:
    """An outbox in which another county has got something, by short steps."""

    def __init__(self) -> None:
        self.box = Outbox()
        self.made("x", "539902", FIRST, OCTOBER, "sent", batch="2026p0")

    def made(
        self, name: str, place: str, to: str, on: date, *fates: str, batch: str = "2026p1", held: str = ""
    ) -> None:
        letter = Letter(name, "report", on, place, to, "主题", "正文")
        about = {"batch": batch, "by": "x", "about": "y", "rules": "r", "cargo": Cargo()}
        self.box.apply(queued(letter, "0" * 64, reasons=(held,) if held else (), **about))
        for fate in fates:
            for event in self._events(name, on, fate):
                self.box.apply(event)

    @staticmethod
    def _events(name: str, on: date, fate: str) -> list[Event]:
        claim = Event(on, "mail_claimed", None, {"letter": name, "first_tonight": True})
        failed = {"letter": name, "fate": fate, "code": 550, "words": "", "next_on": None}
        return {
            "sent": [claim, Event(on, "mail_sent", None, {"letter": name})],
            "approved": [Event(on, "mail_approved", None, {"hash": "h", "who": "b", "letters": [name]})],
            "withdrawn": [Event(on, "mail_withdrawn", None, {"letter": name, "why": "w"})],
            "anew": [Event(on, "mail_withdrawn", None, {"letter": name, "why": "w", "anew": True})],
        }.get(fate, [claim, Event(on, "mail_failed", None, failed)])

    def reasons(self, *addresses: str) -> tuple[str, ...]:
        return reasons_to_hold(self.box, "539901", addresses, (), "r", Approval())


HERE, LATER = "539901", OCTOBER + timedelta(days=2)


@pytest.mark.parametrize(
    ("steps", "now", "expected"),
    [
        ([], [FIRST], FIRST_TIME),
        ([(FIRST, OCTOBER, "refused")], [FIRST], FIRST_TIME),  # nobody accepted anything
        ([(FIRST, OCTOBER, "sent")], [FIRST], ""),
        ([(FIRST, OCTOBER, "sent")], [SECOND], CHANGED),
        ([(FIRST, OCTOBER, "sent")], [FIRST, SECOND], CHANGED),
        ([(FIRST, OCTOBER, "sent"), (SECOND, OCTOBER, "sent")], [FIRST], CHANGED),
        # refused, corrected: the corrected one alone is known
        ([(FIRST, OCTOBER, "refused"), (SECOND, LATER, "sent")], [SECOND], ""),
        ([(FIRST, OCTOBER, "refused"), (SECOND, LATER, "sent")], [FIRST], CHANGED),
        ([(FIRST, OCTOBER, "refused"), (SECOND, LATER, "sent")], [FIRST, SECOND], CHANGED),
        # one of two refuses: nothing has changed, and leaving it out is no change of who accepted
        ([(FIRST, OCTOBER, "sent"), (SECOND, OCTOBER, "refused")], [FIRST, SECOND], ""),
        ([(FIRST, OCTOBER, "sent"), (SECOND, OCTOBER, "refused")], [FIRST], ""),
        ([(FIRST, OCTOBER, "sent"), (SECOND, OCTOBER, "refused")], [FIRST, THIRD], CHANGED),
        # withdrawn as wrong and made anew to another: both who accepted are known, the wrong one is not
        ([(FIRST, OCTOBER, "sent"), (SECOND, OCTOBER, "anew"), (THIRD, LATER, "sent")], [FIRST, THIRD], ""),
        ([(FIRST, OCTOBER, "sent"), (SECOND, OCTOBER, "anew"), (THIRD, LATER, "sent")], [FIRST, SECOND], CHANGED),
        # an approval stands, also where the letter was put off and made anew, refused, or corrected once more
        ([(SECOND, LATER, "held approved withdrawn")], [SECOND], ""),
        ([(SECOND, LATER, "held approved refused")], [SECOND], ""),
        ([(SECOND, OCTOBER, "held approved refused"), (THIRD, LATER, "held approved sent")], [THIRD], ""),
        ([(SECOND, OCTOBER, "held approved refused")], [THIRD], CHANGED),
        ([(SECOND, OCTOBER, "held approved anew")], [SECOND], FIRST_TIME),  # it was taken back
        # nobody approved: not known
        ([(FIRST, OCTOBER, "sent"), (SECOND, OCTOBER, "held")], [FIRST, SECOND], CHANGED),
        ([(FIRST, OCTOBER, "sent"), (SECOND, LATER, "held withdrawn")], [SECOND], CHANGED),
    ],
)  # fmt: skip
def test_whether_the_recipients_have_changed(
    steps: list[tuple[str, date, str]], now: list[str], expected: str
) -> None:
    letters = Letters()
    for at, (to, on, fates) in enumerate(steps):
        held = CHANGED if "held" in fates else ""
        letters.made(f"a{at}", HERE, to, on, *fates.replace("held", "").split(), held=held)
    assert letters.reasons(*now) == ((expected,) if expected else ())


def test_who_is_left_out_and_approved_is_left_out_for_good() -> None:
    letters = Letters()
    for at, to in enumerate((FIRST, SECOND)):
        letters.made(f"a{at}", HERE, to, OCTOBER, "sent")
    letters.made("b", HERE, FIRST, NOVEMBER, "approved", batch="2026p2", held=CHANGED)
    assert letters.reasons(FIRST) == ()
    assert letters.reasons(FIRST, SECOND) == (CHANGED,)


def test_who_accepted_and_is_left_out_is_missed_though_all_refused_since() -> None:
    letters = Letters()
    for at, to in enumerate((FIRST, SECOND)):
        letters.made(f"a{at}", HERE, to, OCTOBER, "sent")
    for at, to in enumerate((FIRST, THIRD)):
        letters.made(f"b{at}", HERE, to, NOVEMBER, "approved", "refused", batch="2026p2", held=CHANGED)
    assert letters.reasons(THIRD) == (CHANGED,)
    assert letters.reasons(FIRST, THIRD) == ()  # as it was approved
