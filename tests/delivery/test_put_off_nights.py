"""A server that puts a report off night after night: the county gets its workdays to answer all the same, and one letter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import plain
import pytest
from courier_server import SmtpServer
from killed_nights import OCTOBER
from test_notice_nights import (
    FIRST,
    SECOND,
    body,
    cases,
    files,
    night,
    outbox,
    place,
    read,
    reconcile,
    rows,
    server,
    settings,
    world,
)
from typer.testing import CliRunner

from pipeline.cases import Book, Event
from pipeline.cli import app
from pipeline.contracts.settings import Settings
from pipeline.contracts.workdays import Workdays
from pipeline.delivery.anew import AnewPlan, plan_anew
from pipeline.delivery.compose import letter_id
from pipeline.delivery.letter import Letter
from pipeline.delivery.outbox import Cargo, Outbox, Posted, queued
from pipeline.delivery.outbox import withdrawn as withdrawn_event
from pipeline.delivery.period import Period
from pipeline.delivery.plan import MailPlan
from pipeline.delivery.unserved import unserved
from pipeline.run import Request, run

_ = (place, server, settings, world)  # fixtures
TRIES = (0, 1, 2, 4, 8)  # days after the first try
DUE = date(2026, 11, 13)


def later(_to: str) -> str:
    return "451 4.3.0 later"


def put_off(place: Path, server: SmtpServer, *days: int) -> None:
    server.answer_rcpt = later
    for day in days:
        assert night(place, OCTOBER + timedelta(days=day)).exit_code == 6
    server.answer_rcpt = lambda _: ""


def withdrawn(place: Path, letter: str) -> int:
    words = ["outbox", "withdraw", letter, "--reason", "措辞要改", "--state", str(place / "state")]
    return CliRunner().invoke(app, words).exit_code


def state_of(place: Path) -> list[tuple[str, int]]:
    return [(x.state, x.tried) for x in outbox(place).letters.values()]


def test_a_report_that_was_put_off_for_long_asks_for_an_answer_by_a_later_day(
    place: Path, server: SmtpServer, settings: object
) -> None:
    put_off(place, server, *TRIES[:3])
    (old,) = outbox(place).letters
    assert outbox(place).letters[old].cargo.due_on == DUE
    on = OCTOBER + timedelta(days=TRIES[3])
    assert night(place, on - timedelta(days=1)).exit_code == 6  # not its turn: nothing is made anew
    assert list(outbox(place).letters) == [old]
    assert night(place, on).exit_code == 0
    ((to, content),) = server.messages
    due = Workdays().after(on, 10)
    assert (to, due > DUE) == (FIRST, True)
    assert f"{due.year}年{due.month}月{due.day}日前" in body(read(content))
    assert "第1期" in read(content)["Subject"]
    assert old not in read(content)["Message-ID"]
    assert {row["反馈截止日"] for row in rows(files(read(content))["csv"])} == {due.isoformat()}
    table = cases(place)
    assert (set(table["due_on"]), set(table["times_sent"]), set(table["state"])) == ({due}, {1}, {"sent"})
    assert state_of(place) == [("withdrawn", 3), ("sent", 1)]
    for day in (on, on + timedelta(days=1)):
        assert night(place, day).exit_code == 0
    assert len(server.messages) == 1


def test_a_report_put_off_for_a_night_or_two_goes_as_it_was_made(
    place: Path, server: SmtpServer, settings: object
) -> None:
    put_off(place, server, *TRIES[:2])
    (old,) = outbox(place).letters
    assert night(place, OCTOBER + timedelta(days=TRIES[2])).exit_code == 0
    ((_, content),) = server.messages
    assert old in read(content)["Message-ID"]
    assert set(cases(place)["due_on"]) == {DUE}


def test_who_is_put_off_for_ever_is_given_up_after_as_many_nights(
    place: Path, server: SmtpServer, settings: object
) -> None:
    """Made anew or not: five nights, the times between them growing as for one letter."""
    put_off(place, server, *TRIES[:4])
    assert state_of(place) == [("withdrawn", 3), ("later", 1)]
    (_, new) = outbox(place).letters.values()
    assert new.next_on == OCTOBER + timedelta(days=TRIES[4])
    put_off(place, server, TRIES[4])
    assert state_of(place) == [("withdrawn", 3), ("given_up", 2)]
    night(place, OCTOBER + timedelta(days=19))
    assert state_of(place) == [("withdrawn", 3), ("given_up", 2)]
    code, said = reconcile(place, "outbox", "retry", new.letter_id, "--again", "--reason", "已通")
    assert (code, "反馈截止日已过" in said, "outbox withdraw" in said) == (1, True, True)
    assert not server.messages


def test_made_anew_twice_it_has_three_names(place: Path, server: SmtpServer, settings: object) -> None:
    """A name that the server has seen is never given to other bytes, and the same night again makes no third letter."""
    config = place / "reconcile.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("timeout_seconds", "nights = 9\ntimeout_seconds"), encoding="utf-8")
    put_off(place, server, *TRIES, 12)
    letters = outbox(place).letters
    assert [(x.state, x.tried) for x in letters.values()] == [
        ("withdrawn", 3),
        ("withdrawn", 2),
        ("later", 1),
    ]
    put_off(place, server, 12)
    assert outbox(place).letters == letters
    assert len({x.sha256 for x in letters.values()}) == 3
    assert night(place, OCTOBER + timedelta(days=16)).exit_code == 0
    assert len(server.messages) == 1


def test_what_was_made_up_and_put_off_is_made_anew_too(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    """Made up for a corrected address: its name is not given again when it is stale, or the old bytes would go with the old day."""
    server.answer_rcpt = lambda _to: "550 5.1.1 unknown"
    assert night(place).exit_code == 6
    settings(SECOND)
    put_off(place, server, 1, 2, 3)
    on = OCTOBER + timedelta(days=15)
    for _ in range(2):  # run again it sends nothing more
        night(place, on)
        ((to, content),) = server.messages
        due = Workdays().after(on, 10)
        assert (to, {row["反馈截止日"] for row in rows(files(read(content))["csv"])}) == (
            SECOND,
            {due.isoformat()},
        )
        assert state_of(place) == [("refused", 1), ("withdrawn", 3), ("sent", 1)]


A, B = "539901", "539902"


class Period1:
    """An outbox of one period with two counties, and its nights without a server."""

    settings = Settings.model_validate(
        {
            "recipients": {A: (FIRST,), B: (SECOND,)},
            "mail": {"sender": FIRST, "allowed_domains": ("example.gov.cn",)},
        }
    )

    def __init__(self) -> None:
        self.box = Outbox()
        self.box.apply(Period(OCTOBER, 1, "2026-10", DUE, "complete", {}).event())
        for county, to in ((A, FIRST), (B, SECOND)):
            self.put("2026p1", OCTOBER, county, to)

    def put(self, key: str, on: date, county: str, to: str) -> None:
        letter = Letter(letter_id(key, county, to), "report", on, county, to, "主题", "正文")
        assert letter.letter_id not in self.box.letters
        about = {"batch": "2026p1", "by": "x", "about": "y", "rules": "z"}
        self.box.apply(queued(letter, "0" * 64, cargo=Cargo(DUE), reasons=("待批准",), **about))

    def names(self, on: date) -> dict[str, str]:
        """By county what the names of the letters begin with that are to be made."""
        plan = plan_anew(Book(), MailPlan(on, self.box, None, {}), self.settings)
        return {c: plan.key_of(c, to) for c, (to,) in plan.recipients.items()} if plan else {}

    def withdraw(self, county: str, on: date, *, anew: bool = True) -> None:
        for letter in self.box.in_state("held"):
            if letter.place == county:
                self.box.apply(withdrawn_event(letter, on, "w", anew=anew))


def test_a_name_of_an_earlier_night_is_never_given_again() -> None:
    """Both withdrawn, one of them once more, the other handed over: fewer letters are to be made anew than rounds were."""
    period, day = Period1(), [OCTOBER + timedelta(days=n) for n in range(3)]
    for county in (A, B):
        period.withdraw(county, day[0])
    made = period.names(day[1])
    assert made[A] == made[B]
    for county, to in ((A, FIRST), (B, SECOND)):
        period.put(made[county], day[1], county, to)
    assert period.names(day[1]) == made  # the same night again
    period.withdraw(A, day[1])
    again = period.names(day[1])  # and once more: who has one of tonight's keeps its name
    assert (again[A] != made[A], again[B]) == (True, made[B])
    period.box.apply(Event(day[1], "handed", None, {"county": B}))
    period.withdraw(B, day[1], anew=False)
    assert period.names(day[2]) == {A: again[A]}
    period.put(again[A], day[2], A, FIRST)


def test_a_letter_that_cannot_be_queued_for_its_name_is_told(
    place: Path, server: SmtpServer, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_off(place, server, 0)
    (old,) = outbox(place).letters
    assert withdrawn(place, old) == 0
    monkeypatch.setattr(AnewPlan, "key_of", lambda *_: "2026p1")
    done = night(place, OCTOBER + timedelta(days=1))
    assert (done.exit_code, "E828" in done.screen, server.messages) == (6, True, [])
    assert done.mail_places["unmade"] == (plain.COUNTY,)


def test_who_has_it_is_not_written_to_again_because_a_second_address_is_put_off(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    settings(FIRST, SECOND)
    server.answer_rcpt = lambda to: "451 4.3.0 later" if to == SECOND else ""
    for day in TRIES[:3]:
        assert night(place, OCTOBER + timedelta(days=day)).exit_code == 6
    server.answer_rcpt = lambda _: ""
    assert night(place, OCTOBER + timedelta(days=TRIES[3])).exit_code == 0
    assert sorted(to for to, _ in server.messages) == sorted([FIRST, SECOND])
    assert {str(read(content)["Message-ID"])[:8] for _, content in server.messages} == {"<2026p1-"}
    assert set(cases(place)["due_on"]) == {DUE}  # both say the same day


def test_a_reminder_that_was_withdrawn_keeps_the_next_one_waiting_no_week(
    place: Path, server: SmtpServer, settings: object
) -> None:
    assert night(place).exit_code == 0
    soon = DUE - timedelta(days=1)
    server.answer_rcpt = later
    night(place, soon)
    (reminder,) = [x for x in outbox(place).letters.values() if x.kind == "notice"]
    server.answer_rcpt = lambda _: ""
    assert withdrawn(place, reminder.letter_id) == 0
    night(place, DUE)
    assert ["催办" in str(read(content)["Subject"]) for _, content in server.messages] == [False, True]
    night(place, DUE + timedelta(days=3))  # one that went counts
    assert len(server.messages) == 2


# ---- letters that may have gone ----


def box_of(*events: Event) -> Outbox:
    box = Outbox()
    period = Period(OCTOBER, 1, "2026-10", DUE, "complete", {})
    made = Letter("2026p1-a", "report", OCTOBER, plain.COUNTY, FIRST, "主题", "正文")
    about = {"batch": period.key, "by": "x", "about": "y", "rules": "z"}
    box.apply(period.event())
    box.apply(queued(made, "0" * 64, cargo=Cargo(DUE, ("A",)), reasons=(), **about))
    for event in events:
        box.apply(event)
    return box


def tried(fate: str, on: date, next_on: date | None = None) -> list[Event]:
    words = {"code": 451, "words": "", "next_on": next_on.isoformat() if next_on else None}
    return [
        Event(on, "mail_claimed", None, {"letter": "2026p1-a", "first_tonight": True}),
        Event(on, "mail_failed", None, {"letter": "2026p1-a", "fate": fate, **words}),
    ]


def test_who_is_let_go_again_is_tried_on_as_many_nights_as_a_new_letter() -> None:
    box = box_of(*tried("later", OCTOBER, OCTOBER))
    new = Letter("2026p1r1-a", "report", DUE, plain.COUNTY, FIRST, "主题", "正文")
    about = {"batch": box.periods[0].key, "by": "x", "about": "y", "rules": "z"}
    box.apply(withdrawn_event(box.letters["2026p1-a"], DUE, "有了更新的一封"))
    box.apply(queued(new, "0" * 64, cargo=Cargo(DUE), reasons=(), **about))
    assert box.tries(box.letters[new.letter_id]) == 1
    claim = Event(DUE, "mail_claimed", None, {"letter": new.letter_id, "first_tonight": True})
    ended = {"letter": new.letter_id, "fate": "given_up", "code": 451, "words": "", "next_on": None}
    box.apply(claim)
    box.apply(Event(DUE, "mail_failed", None, ended))
    box.apply(Event(DUE, "mail_released", None, {"letter": new.letter_id, "who": "x", "reason": "已通"}))
    box.apply(claim)
    assert box.tries(box.letters[new.letter_id]) == 1


@pytest.mark.parametrize("named", [False, True])
def test_a_retry_between_the_nights_sends_no_report_whose_day_is_over(
    place: Path, server: SmtpServer, settings: object, named: bool
) -> None:
    put_off(place, server, 0)
    where = [place / name for name in ("inbox-10", "out", "state", "schemas", "rules")]
    run(Request(*where, as_of=DUE, config=place / "reconcile.toml"))  # a night that does not send
    code, said = reconcile(place, "outbox", "retry", *(outbox(place).letters if named else ()))
    assert (server.messages, "反馈截止日已过" in said) == ([], True)
    assert code == 0
    assert state_of(place) == [("later", 1)]
    assert night(place, DUE + timedelta(days=1)).exit_code == 0
    assert state_of(place) == [("withdrawn", 1), ("sent", 1)]


@pytest.mark.parametrize("doubtful", [False, True])
def test_what_was_in_doubt_keeps_its_name_for_ever(doubtful: bool) -> None:
    """Sent again because a person said so, and then put off: a server that has the first one after all knows the second by its
    Message-ID."""
    again = Event(OCTOBER, "mail_released", None, {"letter": "2026p1-a", "who": "x", "reason": "没有收到"})
    told = tried("doubtful", OCTOBER) if doubtful else []
    events = [*told, *([again] if doubtful else []), *tried("later", OCTOBER, OCTOBER + timedelta(days=1))]
    box = box_of(*events)
    config = Settings.model_validate(
        {
            "recipients": {plain.COUNTY: (FIRST,)},
            "mail": {"sender": FIRST, "allowed_domains": ("example.gov.cn",)},
        }
    )
    (letter,) = box.letters.values()
    assert letter.maybe_gone is doubtful
    expected = {} if doubtful else {plain.COUNTY: (FIRST,)}
    assert unserved(box, box.periods[0], config, DUE + timedelta(days=3)) == expected


def test_a_letter_in_doubt_is_never_made_anew() -> None:
    box = box_of(*tried("doubtful", OCTOBER))
    config = Settings.model_validate(
        {
            "recipients": {plain.COUNTY: (FIRST,)},
            "mail": {"sender": FIRST, "allowed_domains": ("example.gov.cn",)},
        }
    )
    assert unserved(box, box.periods[0], config, DUE + timedelta(days=3)) == {}
    assert isinstance(box.letters["2026p1-a"], Posted)
