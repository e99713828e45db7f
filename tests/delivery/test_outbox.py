"""The life of a letter: only lawful steps, and what may be tried on a night."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cases import Event
from pipeline.delivery.journal import CLAIMED, Journal
from pipeline.delivery.letter import Letter
from pipeline.delivery.outbox import ENDED, Cargo, Outbox, queued

ON = date(2026, 11, 5)
KINDS = ("mail_claimed", "mail_sent", "mail_failed", "mail_held", "mail_released", "mail_withdrawn")


def letter(letter_id: str = "2026p1-533423-ab", kind: str = "report") -> Letter:
    return Letter(letter_id, kind, ON, "533423", "a@dq.gov.cn", "主题", "正文")  # type: ignore[arg-type]


def posted(*reasons: str, letter_id: str = "2026p1-533423-ab", kind: str = "report") -> Event:
    made = letter(letter_id, kind)
    return queued(
        made, "0" * 64, batch="2026p1", by="x", about="y", rules="z", cargo=Cargo(ON, ("A",)), reasons=reasons
    )


def event(kind: str, on: date = ON, letter_id: str = "2026p1-533423-ab") -> Event:
    body = {
        "letter": letter_id, "first_tonight": True, "fate": "later", "code": 451, "words": "w", "why": "y",
        "reason": "r", "next_on": (on + timedelta(days=1)).isoformat(),
    }  # fmt: skip
    return Event(on, kind, None, body)


def box(*events: Event) -> Outbox:
    made = Outbox()
    for one in events:
        made.apply(one)
    return made


def test_an_event_holds_the_whole_letter() -> None:
    again = Event(ON, "mail", None, json.loads(posted().text()))
    assert box(again).letters == box(posted()).letters
    assert box(again).letters["2026p1-533423-ab"].cargo == Cargo(ON, ("A",))


def test_a_letter_that_failed_for_the_moment_waits_for_its_night() -> None:
    made = box(posted(), event("mail_claimed"), event("mail_failed"))
    assert made.due(ON) == []
    assert [x.letter_id for x in made.due(ON + timedelta(days=1))] == ["2026p1-533423-ab"]


def test_what_is_held_goes_nowhere_before_it_is_approved() -> None:
    made = box(posted("收件人有变动"))
    assert made.due(ON) == []
    with pytest.raises(ValueError, match="fit"):
        made.apply(event("mail_claimed"))
    made.apply(Event(ON, "mail_approved", None, {"hash": "h", "who": "b", "letters": ["2026p1-533423-ab"]}))
    assert len(made.due(ON)) == 1


def test_reports_go_before_notices_and_letters_to_departments() -> None:
    kinds = {"a": "quality", "b": "notice", "c": "report"}
    made = box(*(posted(letter_id=name, kind=kind) for name, kind in kinds.items()))
    assert [x.letter_id for x in made.due(ON)] == ["c", "b", "a"]


@given(st.lists(st.sampled_from(KINDS), max_size=12))
def test_no_path_leads_from_an_end_to_a_second_sending_without_a_person(kinds: list[str]) -> None:
    """Whatever is tried: a letter that is sent, withdrawn or refused is not claimed again unless somebody released it."""
    made = box(posted())
    for kind in kinds:
        before = made.letters["2026p1-533423-ab"].state
        try:
            made.apply(event(kind))
        except ValueError:
            assert made.letters["2026p1-533423-ab"].state == before  # nothing half done
            continue
        after = made.letters["2026p1-533423-ab"].state
        if before in ENDED:
            assert kind == "mail_released"
            assert before in ("doubtful", "refused", "given_up")
        if after == "sent":
            assert before == "claimed"


def test_a_torn_line_of_the_journal_swallows_no_other(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.note("first", "sent", "2026-11-05")
    path = tmp_path / "journal" / "mail.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:9])  # the power went while the next line was written
    journal.note("second", CLAIMED, "2026-11-06")
    assert journal.fates() == {"first": "sent", "second": CLAIMED}
