"""Whole nights with mail: the period goes once, what fails goes later, what must be looked at waits, what is wrong goes nowhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from types import SimpleNamespace

import killed_nights
import plain
import polars as pl
import pytest
from courier_certificates import TlsFiles
from courier_server import SmtpServer
from killed_nights import NOVEMBER, OCTOBER
from openpyxl import load_workbook
from typer.testing import CliRunner

from pipeline.cases import Event, open_ledger, read_book
from pipeline.cases.people import Somebody
from pipeline.cases.person_rights import note_correction
from pipeline.cli import app
from pipeline.delivery import compose, mail_night, plan
from pipeline.delivery.dispatch import case_events
from pipeline.delivery.letter import Attachment, Letter
from pipeline.delivery.outbox import Cargo, Outbox, queued, read_outbox
from pipeline.desk.outbox_page import letter_page
from pipeline.private_process import rights
from pipeline.run import Night, Request, run

FIRST, SECOND = "zhang@example.gov.cn", "li@example.gov.cn"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return killed_nights.make_world(tmp_path_factory.mktemp("mail"))


@pytest.fixture
def place(world: Path, tmp_path: Path) -> Path:
    for name in ("inbox-10", "inbox-11", "schemas", "rules"):
        shutil.copytree(world / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def server(make_smtp_server: Callable[..., SmtpServer]) -> SmtpServer:
    return make_smtp_server()


@pytest.fixture
def settings(place: Path, server: SmtpServer, tls_files: TlsFiles) -> Callable[..., None]:
    """Writes reconcile.toml: recipients of the one county, further tables as text."""

    def write(*recipients: str, more: str = "", port: int = 0, minutes: int = 0) -> None:
        named = ", ".join(f'"{address}"' for address in recipients)
        text = f"""
[mail]
host = "localhost"
port = {port or server.port}
ca_file = "{tls_files.ca}"
sender = "hedui@example.gov.cn"
allowed_domains = ["example.gov.cn"]
timeout_seconds = 2
minutes_between_tries = {minutes}
[recipients]
{plain.COUNTY} = [{named}]
{more}
"""
        (place / "reconcile.toml").write_text(text, encoding="utf-8")

    write(FIRST)
    return write


def night(place: Path, on: date = OCTOBER, *, send: bool = True, month: int = 0) -> Night:
    return run(
        Request(
            place / f"inbox-{month or on.month}",
            place / "out",
            place / "state",
            place / "schemas",
            place / "rules",
            as_of=on,
            config=place / "reconcile.toml",
            send=send,
        )
    )


def reconcile(place: Path, *words: str) -> tuple[int, str]:
    where = ["--state", str(place / "state")]
    config = ["--config", str(place / "reconcile.toml")] if words[0] == "approve" or "retry" in words else []
    done = CliRunner().invoke(app, [*words, *where, *config])
    return done.exit_code, f"{done.output}{done.exception or ''}"


def cases(place: Path) -> pl.DataFrame:
    return pl.read_parquet(place / "out/results/cases.parquet")


def read(content: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    return message


def states(place: Path) -> list[str]:
    with open_ledger(place / "state") as ledger:
        return [letter.state for letter in read_outbox(ledger).letters.values()]


def test_the_period_goes_once_and_its_cases_are_sent(
    place: Path, server: SmtpServer, settings: object
) -> None:
    first = night(place)
    assert (first.exit_code, len(server.messages)) == (0, 1)
    to, content = server.messages[0]
    assert to == FIRST
    message = read(content)
    assert "第1期" in message["Subject"]
    assert "残疾" not in message["Subject"] + message.get_body().get_content()  # type: ignore[union-attr]
    names = [part.get_filename() for part in message.iter_attachments()]
    assert [name.rsplit(".")[-1] for name in names if name] == ["csv", "xlsx"]
    table = cases(place)
    assert set(table["state"]) == {"sent"}
    assert set(table["times_sent"]) == {1}
    assert set(table["due_on"]) == {date(2026, 11, 13)}
    csv = (place / "out/reports" / plain.COUNTY / "discrepancies.csv").read_text(encoding="utf-8-sig")
    assert "2026-11-13" in csv
    again = night(place)
    assert (again.exit_code, len(server.messages)) == (0, 1)
    assert cases(place).equals(table)


def test_without_send_nothing_leaves_and_nothing_is_used_up(
    place: Path, server: SmtpServer, settings: object
) -> None:
    assert night(place, send=False).exit_code == 0
    assert server.messages == []
    letters = sorted((place / "out/mail").rglob("letter.eml"))
    assert [read(letter.read_bytes())["To"] for letter in letters] == [FIRST]
    assert set(cases(place)["state"]) == {"open"}
    assert night(place).exit_code == 0
    assert len(server.messages) == 1


def test_the_next_month_keeps_the_day_of_what_was_not_answered(
    place: Path, server: SmtpServer, settings: object
) -> None:
    night(place)
    before = {row["case_number"]: row for row in cases(place).iter_rows(named=True)}
    assert night(place, NOVEMBER).exit_code == 0
    assert "第2期" in read(server.messages[-1][1])["Subject"]
    for row in cases(place).filter(pl.col("state") == "sent").iter_rows(named=True):
        old = before.get(row["case_number"])
        assert row["times_sent"] == (2 if old else 1)
        assert row["due_on"] == (old["due_on"] if old else date(2026, 12, 14))
    assert cases(place).filter(pl.col("state") == "sent").height > 10


def test_between_the_periods_a_late_answer_is_asked_for_once(
    place: Path, server: SmtpServer, settings: object
) -> None:
    night(place)
    due = cases(place)["due_on"][0]
    assert night(place, due - timedelta(days=1), month=10).exit_code == 0
    assert len(server.messages) == 2
    notice = read(server.messages[1][1])
    assert "催办" in notice["Subject"]
    (numbers,) = [part.get_content() for part in notice.iter_attachments()]
    text = numbers if isinstance(numbers, str) else numbers.decode("utf-8-sig")
    assert all(number in text for number in cases(place)["case_number"])
    night(place, due, month=10)
    assert len(server.messages) == 2
    night(place, due + timedelta(days=3), month=10)  # late, but the last letter was only four days ago
    assert len(server.messages) == 2
    night(place, due + timedelta(days=6), month=10)
    assert "催办" in read(server.messages[2][1])["Subject"]


def test_a_server_that_is_down_is_6_and_the_letter_goes_on_another_night(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    settings(FIRST, port=1)
    assert night(place).exit_code == 6
    assert states(place) == ["later"]
    assert set(cases(place)["state"]) == {"open"}
    settings(FIRST)
    assert night(place, OCTOBER + timedelta(days=1), month=10).exit_code == 0
    assert len(server.messages) == 1
    assert set(cases(place)["state"]) == {"sent"}
    assert set(cases(place)["times_sent"]) == {1}


def test_a_server_that_defers_the_first_try_is_asked_again_after_some_minutes(
    place: Path, server: SmtpServer, settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(mail_night, "time", SimpleNamespace(sleep=waited.append))
    asked: list[str] = []

    def greylisted(address: str) -> str:
        asked.append(address)
        return "451 4.7.1 try again later" if len(asked) == 1 else ""

    server.answer_rcpt = greylisted
    settings(FIRST, SECOND, minutes=7)
    assert night(place).exit_code == 0
    assert waited == [420.0]
    assert sorted(to for to, _ in server.messages) == sorted([FIRST, SECOND])
    assert states(place) == ["sent", "sent"]


def test_changed_recipients_wait_for_approval_by_hash(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    night(place)
    settings(FIRST, SECOND)
    held = night(place, NOVEMBER)
    assert (held.exit_code, len(server.messages)) == (4, 1)
    assert "待批准" in held.screen
    code, page = reconcile(place, "approve")
    assert code == 0
    assert "收件人有变动" in page
    number = page.split("批号 ")[1].split()[0]
    assert reconcile(place, "approve", "0" * 12, "--reason", "猜的")[0] == 1
    assert reconcile(place, "approve", number)[0] == 1  # without a reason
    code, said = reconcile(place, "approve", number, "--reason", "已与县里核对")
    assert (code, "2 封" in said) == (0, True)
    code, said = reconcile(place, "outbox", "retry")
    assert (code, "已发 2" in said) == (0, True)
    assert sorted(to for to, _ in server.messages[1:]) == [SECOND, FIRST]
    assert reconcile(place, "outbox", "list", "--status", "sent")[1].count("已发") == 3


def test_a_second_person_must_approve_where_the_settings_say_so(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    settings(FIRST, more="[approval]\nalways = true\nsecond_person = true\n")
    assert night(place).exit_code == 4
    number = reconcile(place, "approve")[1].split("批号 ")[1].split()[0]
    code, said = reconcile(place, "approve", number, "--reason", "自己批")
    assert code == 1
    assert "E825" in said
    assert server.messages == []


def test_what_a_person_holds_stays_until_he_releases_it(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    settings(FIRST, port=1)
    night(place)
    assert reconcile(place, "outbox", "hold", "all", "--reason", "名册要更正")[0] == 0
    settings(FIRST)
    night(place, OCTOBER + timedelta(days=1), month=10)
    assert server.messages == []
    assert reconcile(place, "outbox", "release", "all", "--reason", "已更正")[0] == 0
    assert reconcile(place, "outbox", "retry")[0] == 0
    assert len(server.messages) == 1


def test_a_wrong_attachment_stops_all_mail(
    place: Path, server: SmtpServer, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault in making the letters: the check opens the final bytes and knows nothing of how they were made."""
    real = compose.report_files

    def mixed_up(folder: Path, stem: str, month: str) -> tuple[Attachment, ...]:
        csv, book = real(folder, stem, month)
        other = csv.data.replace("示例市".encode(), "邻县".encode())
        return Attachment(csv.name, csv.plain_name, csv.kind, other), book

    monkeypatch.setattr("pipeline.delivery.letters.report_files", mixed_up)
    stopped = night(place)
    assert (stopped.exit_code, server.messages) == (8, [])
    assert "出门检查" in stopped.screen
    assert states(place) == []
    monkeypatch.undo()
    assert night(place).exit_code == 0
    assert len(server.messages) == 1


def test_sending_without_a_server_or_anybody_to_send_to_is_1(place: Path) -> None:
    (place / "reconcile.toml").write_text("", encoding="utf-8")
    with pytest.raises(Exception, match="E812") as refused:
        night(place)
    assert refused.value.exit_code == 1  # type: ignore[attr-defined]
    assert not (place / "state").exists()


def test_a_report_that_went_by_another_way_counts_as_sent(place: Path, settings: object) -> None:
    night(place, send=False)
    code, said = reconcile(place, "outbox", "handed", "all", "--reason", "政务微信")
    assert code == 0
    assert "已登记下发" in said
    night(place, OCTOBER, send=False)
    assert set(cases(place)["state"]) == {"sent"}


def periods(place: Path) -> list[tuple[int, str, str]]:
    with open_ledger(place / "state") as ledger:
        return [(one.number, one.month, one.why) for one in read_outbox(ledger).periods]


def test_reports_handed_to_all_are_the_period_of_the_month(place: Path, settings: object) -> None:
    """An office without mail: the next month's reports are 第2期, and what was sent keeps the day it was told."""
    night(place, send=False)
    assert "E826" in reconcile(place, "outbox", "handed", "539999", "--reason", "会议")[1]  # no such county
    reconcile(place, "outbox", "handed", "all", "--reason", "会议发放")
    assert periods(place) == [(1, "2026-10", "by_hand")]
    assert "已登记下发 0 件" in reconcile(place, "outbox", "handed", "all", "--reason", "会议发放")[1]
    assert len(periods(place)) == 1
    night(place, NOVEMBER, send=False)
    book = load_workbook(place / "out/reports" / plain.COUNTY / "discrepancies.xlsx", read_only=True)
    assert "2026年11月　第2期" in str(book["填写说明"]["A1"].value)


def test_what_is_held_as_a_flood_is_not_handed_over_with_the_rest(place: Path, settings: object) -> None:
    night(place, send=False)
    held, *others = cases(place)["case_number"].to_list()
    with open_ledger(place / "state") as ledger, ledger.transaction():
        ledger.append([Event(OCTOBER, "held", held, {})])
    assert (
        f"已登记下发 {len(others)} 件" in reconcile(place, "outbox", "handed", "all", "--reason", "会议")[1]
    )
    with open_ledger(place / "state") as ledger:
        book = read_book(ledger.events())
    assert {number for number, case in book.cases.items() if case.state == "sent"} == set(others)
    assert book.cases[held].held


def test_a_letter_whose_report_was_handed_over_is_withdrawn(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    settings(FIRST, port=1)  # nobody listens there
    assert night(place).exit_code == 6
    assert states(place) == ["later"]
    code, said = reconcile(place, "outbox", "handed", plain.COUNTY, "--reason", "政务微信")
    assert (code, states(place)) == (0, ["withdrawn"])
    assert "1 封" in said
    settings(FIRST)
    night(place, OCTOBER + timedelta(days=1), month=10)
    assert server.messages == []
    assert set(cases(place)["times_sent"]) == {1}


def test_no_letter_carries_a_whole_number(place: Path, server: SmtpServer, settings: object) -> None:
    night(place)
    numbers = pl.read_parquet(place / "out/results/outcomes.parquet")["id_number"].drop_nulls().unique()
    message = read(server.messages[0][1])
    texts = [message["Subject"], str(message.get_body().get_content())]  # type: ignore[union-attr]
    for part in message.iter_attachments():
        content = part.get_content()
        texts.append(content if isinstance(content, str) else content.decode("utf-8", errors="replace"))
    assert not [number for number in numbers if any(number in text for text in texts)]


def test_recipients_of_a_county_that_is_not_there_are_told(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    settings(FIRST)
    text = (place / "reconcile.toml").read_text(encoding="utf-8")
    (place / "reconcile.toml").write_text(
        text.replace(
            "[recipients]", 'operator = ["ops@example.gov.cn"]\n[recipients]\n539999 = ["x@example.gov.cn"]'
        ),
        encoding="utf-8",
    )
    done = night(place)
    assert done.exit_code == 0
    assert "E813" in done.screen  # nobody lives in 539999: the code is probably wrong
    assert [to for to, _ in server.messages] == [FIRST]


def test_the_command_tells_the_operators_and_leaves_log_and_heartbeat(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    text = (place / "reconcile.toml").read_text(encoding="utf-8")
    (place / "reconcile.toml").write_text(
        text.replace("[recipients]", 'operator = ["ops@example.gov.cn"]\n[recipients]'), encoding="utf-8"
    )
    words = ["run", "--inbox", place / "inbox-10", "--out", place / "out", "--state", place / "state"]
    where = ["--schemas", place / "schemas", "--rules", place / "rules", "--config", place / "reconcile.toml"]
    done = CliRunner().invoke(app, [str(word) for word in (*words, *where, "--send")])
    assert done.exit_code == 0, done.output
    assert [to for to, _ in server.messages] == [FIRST, "ops@example.gov.cn"]
    assert "2026-10-31" in read(server.messages[1][1]).get_body().get_content()  # type: ignore[union-attr]
    assert (place / "state/heartbeat.json").is_file()
    assert list((place / "state/log").glob("*.jsonl"))
    shutil.rmtree(place / "inbox-10/federation/register")
    failed = CliRunner().invoke(app, [str(word) for word in (*words, *where, "--send")])
    assert failed.exit_code == 1
    assert "失败" in read(server.messages[-1][1])["Subject"]


def test_a_letter_that_is_too_large_does_not_go(
    place: Path, server: SmtpServer, settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = compose.report_files
    text = (place / "reconcile.toml").read_text(encoding="utf-8")
    (place / "reconcile.toml").write_text(text.replace("[mail]", "[mail]\nlargest_mb = 1"), encoding="utf-8")

    def padded(folder: Path, stem: str, month: str) -> tuple[Attachment, ...]:
        csv, book = real(folder, stem, month)
        return Attachment(csv.name, csv.plain_name, csv.kind, csv.data + b"\r\n" * 500_000), book

    monkeypatch.setattr("pipeline.delivery.letters.report_files", padded)
    done = night(place)
    assert done.exit_code == 6
    assert "E814" in done.screen
    assert not server.messages


# ---- what waits for somebody keeps waiting ----


def shorter(place: Path, month: int) -> None:
    """The list of the insured lacks its last row: another report on the same night."""
    (path,) = [p for p in (place / f"inbox-{month}/medical_insurance/insured").rglob("*") if p.is_file()]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def stopped_night(place: Path) -> None:
    """A night whose letters stay in the outbox."""
    (place / "state").mkdir()
    (place / "state/STOP_MAIL").touch()
    night(place)
    (place / "state/STOP_MAIL").unlink()


def test_changed_rules_wait_until_somebody_approves(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    night(place)
    rule = place / "rules/medical_insurance.yaml"
    rule.write_text(rule.read_text(encoding="utf-8").replace("title: ", "title: 新", 1), encoding="utf-8")
    assert night(place, NOVEMBER).exit_code == 4
    shorter(place, 11)
    assert night(place, NOVEMBER).exit_code == 4  # with other words, and still nobody has looked
    assert states(place) == ["sent", "held"]
    number = reconcile(place, "approve")[1].split("批号 ")[1].split()[0]
    assert reconcile(place, "approve", number, "--reason", "看过")[0] == 0
    assert night(place, NOVEMBER).exit_code == 0
    assert len(server.messages) == 2


def test_a_recipient_nobody_approved_is_still_new_in_the_next_period(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    night(place)
    settings(FIRST, SECOND)
    assert night(place).exit_code == 4  # the same night again: only the new one waits
    assert night(place, NOVEMBER).exit_code == 4
    assert [to for to, _ in server.messages] == [FIRST]


@pytest.mark.parametrize("on", [OCTOBER, NOVEMBER])
def test_what_a_person_holds_is_not_let_go_by_a_newer_letter(
    place: Path, server: SmtpServer, settings: Callable[..., None], on: date
) -> None:
    stopped_night(place)
    assert reconcile(place, "outbox", "hold", "all", "--reason", "名册要更正")[0] == 0
    shorter(place, on.month)
    again = night(place, on)
    assert server.messages == []
    assert "1 封由人暂停着" in again.screen
    assert again.mails["paused"] == 1
    assert reconcile(place, "outbox", "release", "all", "--reason", "已更正")[0] == 0
    assert reconcile(place, "outbox", "retry")[0] == 0
    assert len(server.messages) == 1


def test_a_letter_whose_file_is_gone_is_not_put_back(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    server.answer_rcpt = lambda _address: "550 5.1.1 unknown"
    assert night(place).exit_code == 6
    (file,) = (place / "state/mail").glob("*.eml")
    file.unlink()  # as the purge does with what is refused
    server.answer_rcpt = lambda _address: ""
    code, said = reconcile(place, "outbox", "retry", file.stem, "--again", "--reason", "地址已改")
    assert code == 1
    assert "E821" in said
    assert states(place) == ["refused"]
    after = night(place, OCTOBER + timedelta(days=1), month=10)
    assert "E821" not in after.screen  # it stops nobody's mail
    assert (after.exit_code, "被拒收 1 封" in after.screen) == (6, True)  # but the county has nothing yet


def test_letters_of_a_dry_run_do_not_outlive_the_next_night(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    night(place, send=False)
    assert list((place / "out/mail").rglob("*.eml"))
    night(place)
    assert not (place / "out/mail").exists()


def test_an_urgent_case_keeps_the_day_that_came_first(place: Path, settings: Callable[..., None]) -> None:
    """A notice that waits while the period goes: the report takes its place, and its cases are not sent twice."""
    night(place, send=False)
    with open_ledger(place / "state") as ledger:
        book, box = read_book(ledger.events()), read_outbox(ledger)
    number = next(n for n, case in sorted(book.cases.items()) if case.state == "open")
    cargo = Cargo(OCTOBER + timedelta(days=3), (number,))
    made = Letter("n20261030-a", "notice", OCTOBER, plain.COUNTY, FIRST, "主题", "正文")
    about = {"batch": "20261030", "by": "x", "about": "y", "rules": "z"}
    box.apply(queued(made, "0" * 64, cargo=cargo, reasons=(), **about))
    report = Letter("2026p1-a", "report", OCTOBER, plain.COUNTY, FIRST, "主题", "正文")
    assert [x.letter_id for x in mail_night._older(box, report)] == ["n20261030-a"]
    sent = {"due_on": "2026-11-13", "letter": "2026p1-a"}
    book.apply(Event(OCTOBER, "sent", number, sent))
    (event,) = case_events(book, box, box.letters["n20261030-a"], OCTOBER)
    assert event.body["due_on"] == "2026-11-13"


def test_a_correction_reaches_its_department_though_others_hear_first(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    settings(
        FIRST,
        more='[departments]\nfederation = ["f@example.gov.cn"]\nfinance = ["g@example.gov.cn"]\n',
    )
    night(place)
    person, note = Somebody(0, "", plain.number("19700101", 999), "", plain.COUNTY), "状态已过时"
    with open_ledger(place / "state") as ledger:
        note_correction(ledger, person, (), "finance", note)
    server.answer_rcpt = lambda address: "451 4.3.0 later" if address.startswith("g@") else ""
    with open_ledger(place / "state") as ledger:
        note_correction(ledger, person, (), "federation", "出生日期有误")
    night(place, NOVEMBER)  # one department hears, the other's server is down
    server.answer_rcpt = lambda _address: ""
    night(place, NOVEMBER + timedelta(days=8), month=11)
    told = [read(content).get_body().get_content() for to, content in server.messages if to[0] == "g"]  # type: ignore[union-attr]
    assert any(note in text for text in told)


def test_a_letter_that_waits_has_told_nothing_yet() -> None:
    """A newer one takes its place: what it was to say is said there."""
    box = Outbox()
    word = "SL-2611-0001-6:late:2026-11-13"
    made = Letter("n20261114-a", "notice", NOVEMBER, plain.COUNTY, FIRST, "主题", "正文")
    about = {"batch": "20261114", "by": "x", "about": "y", "rules": "z"}
    box.apply(queued(made, "0" * 64, cargo=Cargo(NOVEMBER, reminded=(word,)), reasons=(), **about))
    assert not plan._said(box).reminded
    box.apply(Event(NOVEMBER, "mail_claimed", None, {"letter": "n20261114-a", "first_tonight": True}))
    box.apply(Event(NOVEMBER, "mail_sent", None, {"letter": "n20261114-a"}))
    assert plan._said(box).reminded == {word}


def test_a_letter_that_is_shown_lies_there_for_its_owner_only(
    place: Path, server: SmtpServer, settings: object
) -> None:
    night(place)
    before = os.umask(0o022)
    try:
        with open_ledger(place / "state") as ledger:
            (one,) = read_outbox(ledger).letters.values()
        letter_page(place / "state", one, place / "look")
    finally:
        os.umask(before)
    assert rights(place / "look") == 0o700
    assert rights(place / "look" / one.file) == 0o600


def test_a_letter_that_is_named_goes_alone(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    settings(FIRST, SECOND, port=1)
    assert night(place).exit_code == 6
    settings(FIRST, SECOND)
    with open_ledger(place / "state") as ledger:
        mine = next(one.letter_id for one in read_outbox(ledger).letters.values() if one.to == SECOND)
    assert reconcile(place, "outbox", "retry", mine)[0] == 0
    assert [to for to, _ in server.messages] == [SECOND]
    assert sorted(states(place)) == ["later", "sent"]
