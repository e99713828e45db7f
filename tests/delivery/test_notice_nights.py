"""Nights after the period: a notice has what it asks about and nothing else; a county that was not reached is made up for."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import killed_nights
import openpyxl
import plain
import polars as pl
import pytest
from courier_certificates import TlsFiles
from courier_server import SmtpServer
from killed_nights import NOVEMBER, OCTOBER
from typer.testing import CliRunner

from pipeline.cases import open_ledger
from pipeline.cli import app
from pipeline.contracts.workdays import Workdays
from pipeline.delivery import notice
from pipeline.delivery.letter import CSV, XLSX, ZIP, Attachment
from pipeline.delivery.outbox import Outbox, read_outbox
from pipeline.delivery.sealing import is_sealed, unseal
from pipeline.run import Night, Request, run

FIRST, SECOND = "zhang@example.gov.cn", "li@example.gov.cn"
PASSWORD = "twelve-and-more-signs"
BETWEEN = date(2026, 11, 16)  # six certificates have run out; before the set day of the month
WHOLE = f'[counties.{plain.COUNTY}]\nname = "示例市"\nfull_ids = true\nfull_ids_reason = "审批3号"\n'
_KINDS = {"text/csv": CSV, XLSX: XLSX, ZIP: ZIP}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notices")
    killed_nights.make_rules(folder)
    for month, on in ((10, OCTOBER), (11, NOVEMBER)):
        killed_nights._write_month(folder / f"inbox-{on.month}", on, month)
    return folder


@pytest.fixture
def place(world: Path, tmp_path: Path) -> Path:
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def server(make_smtp_server: Callable[..., SmtpServer]) -> SmtpServer:
    return make_smtp_server()


@pytest.fixture
def settings(place: Path, server: SmtpServer, tls_files: TlsFiles) -> Callable[..., None]:
    def write(*recipients: str, more: str = "") -> None:
        named = ", ".join(f'"{address}"' for address in recipients)
        text = f"""
[mail]
host = "localhost"
port = {server.port}
ca_file = "{tls_files.ca}"
sender = "hedui@example.gov.cn"
allowed_domains = ["example.gov.cn"]
timeout_seconds = 2
tries_a_night = 1
[recipients]
{plain.COUNTY} = [{named}]
{more}
"""
        (place / "reconcile.toml").write_text(text, encoding="utf-8")

    write(FIRST)
    return write


def night(place: Path, on: date = OCTOBER, *, month: int = 10) -> Night:
    where = [place / name for name in (f"inbox-{month}", "out", "state", "schemas", "rules")]
    return run(Request(*where, as_of=on, config=place / "reconcile.toml", send=True))


def between_periods(place: Path) -> None:
    """November's lists come on the 16th, but for one that is still October's: no period."""
    for path in sorted((place / "inbox-11").rglob("*_20261130.csv")):
        path.rename(path.with_name(path.name.replace("20261130", f"{BETWEEN:%Y%m%d}")))
    shutil.rmtree(place / "inbox-11/finance")
    shutil.copytree(place / "inbox-10/finance", place / "inbox-11/finance")


def set_password(place: Path) -> None:
    path = place / "secrets.toml"
    path.write_text(f'[county_passwords]\n{plain.COUNTY} = "{PASSWORD}"\n', encoding="utf-8")
    path.chmod(0o400)


def outbox(place: Path) -> Outbox:
    with open_ledger(place / "state") as ledger:
        return read_outbox(ledger)


def cases(place: Path) -> pl.DataFrame:
    return pl.read_parquet(place / "out/results/cases.parquet")


def read(content: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage) -> str:
    return str(message.get_body().get_content()).replace("\n", "")  # type: ignore[union-attr]


def files(message: EmailMessage) -> dict[str, bytes]:
    """By ending or, of the numbers, by the end of the name; what is locked is opened."""
    found = {}
    for part in message.iter_attachments():
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        name = part.get_filename() or ""
        one = Attachment(name, "", _KINDS[part.get_content_type()], data)
        for file in unseal(one, PASSWORD) if is_sealed(one) else (one,):
            found["numbers" if name.endswith("_编号.csv") else file.name.rpartition(".")[2]] = file.data
    return found


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


# ---- notices ----


@pytest.mark.parametrize("seal", ["", "zip", "xlsx"])
def test_a_notice_has_the_urgent_rows_alone_and_every_number_it_takes_back(
    place: Path, server: SmtpServer, settings: Callable[..., None], seal: str
) -> None:
    whole = f'{WHOLE}seal = "{seal}"\n' if seal else ""
    set_password(place)
    settings(FIRST, more=f'[period]\nurgent = ["certificate_expired"]\n{whole}')
    assert night(place).exit_code == 0
    between_periods(place)
    told = night(place, BETWEEN, month=11)
    assert (told.exit_code, len(server.messages)) == (0, 2)
    message = read(server.messages[1][1])
    table = cases(place)
    new = table.filter(pl.col("first_seen") == BETWEEN)
    urgent = set(new.filter(pl.col("subject") == "certificate_expired")["case_number"])
    ordinary = set(new["case_number"]) - urgent
    over = set(table.filter(pl.col("times_sent") > 0, pl.col("settled_on").is_not_null())["case_number"])
    assert (len(urgent), len(ordinary), len(over)) == (6, 22, 17)
    assert ("更正17" in message["Subject"], "急件6" in message["Subject"]) == (True, True)
    found = files(message)
    if seal != "xlsx":
        assert {row["疑点编号"] for row in rows(found["csv"])} == urgent
    book = openpyxl.load_workbook(io.BytesIO(found["xlsx"]))
    assert book.sheetnames[:2] == ["填写说明", "疑点清单"]
    assert {str(row[1]) for row in list(book["疑点清单"].values)[1:]} == urgent
    guide = " ".join(str(cell or "") for row in book["填写说明"].values for cell in row)
    assert "两期之间的急件通知" in guide
    assert "急件通知）" in guide
    assert {row["疑点编号"] for row in rows(found["numbers"])} == over
    assert "编号都在附件里" in body(message)
    due = Workdays().after(BETWEEN, 10)
    assert set(table.filter(pl.col("state") == "sent")["due_on"]) == {due}
    assert set(table.filter(pl.col("case_number").is_in(list(urgent)))["state"]) == {"sent"}
    assert set(table.filter(pl.col("case_number").is_in(list(ordinary)))["state"]) == {"open"}
    assert not list((place / "out").glob(".tmp-*"))


def test_a_notice_with_one_row_too_many_stops_all_mail(
    place: Path, server: SmtpServer, settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(FIRST, more='[period]\nurgent = ["certificate_expired"]\n')
    night(place)
    between_periods(place)
    real = notice.write_county_notice

    def everybody(night_, everything, code, numbers, due_on, folder):  # type: ignore[no-untyped-def]
        real(night_, everything, code, everything["case_number"].drop_nulls(), due_on, folder)

    monkeypatch.setattr(notice, "write_county_notice", everybody)
    assert night(place, BETWEEN, month=11).exit_code == 8
    assert len(server.messages) == 1


# ---- rules ----


def test_a_changed_finding_waits_for_approval(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    night(place)
    rule = place / "rules/findings/subsidy_twice.yaml"
    rule.write_text(rule.read_text(encoding="utf-8").replace("title: ", "title: 新", 1), encoding="utf-8")
    assert night(place, NOVEMBER, month=11).exit_code == 4
    assert len(server.messages) == 1
    held = [x for x in outbox(place).letters.values() if x.state == "held"]
    assert [x.reasons for x in held] == [("上次发送以后规则有改动",)]


def test_a_letter_that_an_older_program_marked_is_no_change_of_rules(
    place: Path, server: SmtpServer, settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.delivery import letters
    from pipeline.delivery.holds import rules_digest

    old = lambda night: rules_digest(night.outcomes["rule_version"].unique().to_list())  # noqa: E731
    monkeypatch.setattr(letters, "rules_mark", old)
    night(place)
    assert "." not in outbox(place).rules
    monkeypatch.undo()
    assert night(place, NOVEMBER, month=11).exit_code == 0
    assert "." in outbox(place).rules
    assert len(server.messages) == 2


# ---- counties that the period has not reached ----


def test_a_county_without_a_password_gets_its_report_when_there_is_one(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    settings(FIRST, more=WHOLE)
    assert night(place).exit_code == 6
    again = night(place, OCTOBER + timedelta(days=1))
    assert (again.exit_code, "E811" in again.codes) == (6, True)  # it is told until it is mended
    set_password(place)
    on = OCTOBER + timedelta(days=2)
    assert night(place, on).exit_code == 0
    (one,) = server.messages
    assert "第1期" in read(one[1])["Subject"]
    due = Workdays().after(on, 10)
    assert f"{due.year}年{due.month}月{due.day}日前" in body(read(one[1]))
    table = cases(place)
    assert (set(table["due_on"]), set(table["times_sent"]), set(table["state"])) == ({due}, {1}, {"sent"})
    assert {row["反馈截止日"] for row in rows(files(read(one[1]))["csv"])} == {due.isoformat()}
    guide = openpyxl.load_workbook(place / "out/reports" / plain.COUNTY / "discrepancies.xlsx")["填写说明"]
    night(place, on)  # the same night again: nothing more goes, and the report stays the period's
    again_guide = openpyxl.load_workbook(place / "out/reports" / plain.COUNTY / "discrepancies.xlsx")
    assert again_guide["填写说明"]["A1"].value == guide["A1"].value
    assert "第1期" in str(guide["A1"].value)
    assert cases(place).equals(table)
    night(place, on + timedelta(days=1))
    assert len(server.messages) == 1
    assert [period.number for period in outbox(place).periods] == [1]


def test_a_county_without_recipients_gets_its_report_when_it_has_one_but_not_when_it_was_handed_over(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    settings(more='[departments]\nfinance = ["f@example.gov.cn"]\n')
    text = (place / "reconcile.toml").read_text(encoding="utf-8")
    (place / "reconcile.toml").write_text(text.replace("[]", '[]\n539999 = ["x@example.gov.cn"]'), "utf-8")
    night(place)
    assert not server.messages
    handed = place.parent / f"{place.name}-handed"
    shutil.copytree(place, handed)
    settings(FIRST)
    shutil.copy(place / "reconcile.toml", handed)
    night(place, OCTOBER + timedelta(days=1))
    assert [to for to, _ in server.messages] == [FIRST]
    words = ["outbox", "handed", plain.COUNTY, "--reason", "会议", "--state", str(handed / "state")]
    assert CliRunner().invoke(app, words).exit_code == 0
    night(handed, OCTOBER + timedelta(days=1))
    assert len(server.messages) == 1


def test_a_corrected_address_gets_the_report_that_the_wrong_one_refused(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    server.answer_rcpt = lambda to: "550 5.1.1 unknown" if to == FIRST else ""
    assert night(place).exit_code == 6
    night(place, OCTOBER + timedelta(days=1))
    assert not server.messages
    assert len(outbox(place).letters) == 1  # the same address: nothing has changed
    settings(SECOND)
    night(place, OCTOBER + timedelta(days=2))
    assert [to for to, _ in server.messages] == [SECOND]
    night(place, OCTOBER + timedelta(days=3))
    assert len(server.messages) == 1
    assert set(cases(place)["times_sent"]) == {1}


def test_where_it_may_have_gone_nothing_is_made_up(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    server.answer_rcpt = lambda _: "451 4.3.0 later"
    assert night(place).exit_code == 6
    settings(FIRST, SECOND)
    night(place, OCTOBER + timedelta(days=1))
    assert [x.state for x in outbox(place).letters.values()] == ["later"]  # it is being tried
    server.answer_rcpt = lambda _: ""
    night(place, OCTOBER + timedelta(days=3))
    night(place, OCTOBER + timedelta(days=4))
    assert [to for to, _ in server.messages] == [FIRST]


# ---- a letter that waits for approval ----


def test_what_is_approved_late_still_leaves_the_workdays_to_answer(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    settings(FIRST, more="[approval]\nalways = true\n")
    assert night(place).exit_code == 4
    first = approval(place)
    on = date(2026, 11, 14)  # the first letter asked for answers until the 13th
    for day in (OCTOBER + timedelta(days=1), on):
        assert night(place, day).exit_code == 4
    assert [x.state for x in outbox(place).letters.values()] == ["withdrawn", "withdrawn", "held"]
    number = approval(place)
    assert first != number
    assert reconcile(place, "approve", first, "--reason", "看过")[0] == 1  # it is not what was looked at
    assert reconcile(place, "approve", number, "--reason", "看过")[0] == 0
    assert night(place, on + timedelta(days=1)).exit_code == 0  # what was approved leaves as it is
    (one,) = server.messages
    due = Workdays().after(on, 10)
    assert f"{due.year}年{due.month}月{due.day}日前" in body(read(one[1]))
    assert "第1期" in read(one[1])["Subject"]
    table = cases(place)
    assert (set(table["due_on"]), set(table["times_sent"])) == ({due}, {1})
    printed = rows(files(read(one[1]))["csv"])
    assert {(row["反馈截止日"], row["进展"]) for row in printed} == {(due.isoformat(), "【新增】")}


def reconcile(place: Path, *words: str) -> tuple[int, str]:
    where = ["--state", str(place / "state"), "--config", str(place / "reconcile.toml")]
    done = CliRunner().invoke(app, [*words, *where])
    return done.exit_code, done.output


def approval(place: Path) -> str:
    return reconcile(place, "approve")[1].split("批号 ")[1].split()[0]


# ---- a person who moves ----

HERE, THERE = plain.COUNTY, "539902"


def two_counties(inbox: Path, on: date, moved: int) -> None:
    """Thirty people in each of two counties, every fifth not insured; the first `moved` of the first county live in the other."""
    lists: dict[str, dict[str, list[dict[str, str]]]] = {HERE: {}, THERE: {}}
    for home in (HERE, THERE):
        for n in range(30):
            who, id_ = f"示例{home[-1]}{n}", plain.number(f"19{60 + n}0317", 100 + n, home)
            lives = THERE if n < moved else home
            row = {
                "name": who,
                "id": id_,
                "kind": "城乡居民基本医疗保险",
                "state": "正常参保",
                "year": "2026",
            }
            mine = lists[lives]
            mine.setdefault("federation/register", []).append(plain.holder(who, id_, area=f"{lives}101201"))
            if n % 5:
                mine.setdefault("medical_insurance/insured", []).append(row)
    for key in killed_nights.LISTS:
        by_county = plain.DATASETS[key].delivery.by == "county"
        everybody = [row for county in lists for row in lists[county].get(key, [])]
        for county, name in ((HERE, "示例市"), (THERE, "东川示例县")):
            start = f"{county}_{name}名单" if by_county else "名单"
            rows_ = lists[county].get(key, []) if by_county else everybody
            plain.write_list(inbox / key / f"{start}_{on:%Y%m%d}.csv", key, rows_)


def test_who_moves_is_new_in_the_new_county_and_the_old_one_need_not_look(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    shutil.rmtree(place / "inbox-10")
    shutil.rmtree(place / "inbox-11")
    settings(FIRST, more=f'{THERE} = ["{SECOND}"]\n')
    two_counties(place / "inbox-10", OCTOBER, moved=0)
    assert night(place).exit_code == 0
    before = cases(place).filter(pl.col("county_code") == HERE)
    two_counties(place / "inbox-11", BETWEEN, moved=1)
    shutil.rmtree(place / "inbox-11/finance")
    shutil.copytree(place / "inbox-10/finance", place / "inbox-11/finance")
    assert night(place, BETWEEN, month=11).exit_code == 0
    after = cases(place)
    (number,) = after.filter(pl.col("case_number").is_in(before["case_number"].to_list())).filter(
        pl.col("county_code") == THERE
    )["case_number"]
    notices = {to: read(content) for to, content in server.messages[2:]}
    assert "更正1" in notices[FIRST]["Subject"]
    assert number in body(notices[FIRST])
    others = rows(files(notices[SECOND])["numbers"])  # its own late cases, and not the one it was never sent
    assert number not in {row["疑点编号"] for row in others}
    two_counties(place / "inbox-11", NOVEMBER, moved=1)
    assert night(place, NOVEMBER, month=11).exit_code == 0
    period = {to: read(content) for to, content in server.messages[4:]}
    assert number not in {row["疑点编号"] for row in rows(files(period[FIRST])["csv"])}
    (row,) = [row for row in rows(files(period[SECOND])["csv"]) if row["疑点编号"] == number]
    due = Workdays().after(NOVEMBER, 10)
    assert (row["进展"], row["下发次数"], row["首次下发日"], row["反馈截止日"]) == (
        "【新增】",
        "1",
        NOVEMBER.isoformat(),
        due.isoformat(),
    )
