"""What people do about mail between the nights: approve, hold, withdraw, hand over, erase; and what the nights say of mail that is stuck."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import plain
import polars as pl
import pytest
from courier_server import SmtpServer
from killed_nights import OCTOBER
from test_mail_nights import (
    FIRST,
    SECOND,
    cases,
    night,
    place,
    read,
    reconcile,
    server,
    settings,
    states,
    stopped_night,
    world,
)
from typer.testing import CliRunner

from pipeline.cases import open_ledger
from pipeline.cli import app
from pipeline.delivery.outbox import Posted, read_outbox
from pipeline.desk.watch import watch
from pipeline.heartbeat import Heartbeat, write_heartbeat
from pipeline.run import Night, Request, run
from pipeline.system_files import give_back

_ = (place, server, settings, world)  # fixtures
NEXT = OCTOBER + timedelta(days=1)
ALWAYS = "[approval]\nalways = true\n"
Settings = Callable[..., None]
ROOT_ONLY = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives away files"
)


def letters(place: Path) -> dict[str, Posted]:
    with open_ledger(place / "state") as ledger:
        return read_outbox(ledger).letters


def number(place: Path) -> str:
    return reconcile(place, "approve")[1].split("批号 ")[1].split()[0]


def refused_night(place: Path, server: SmtpServer) -> Night:
    server.answer_rcpt = lambda _address: "550 5.1.1 unknown"
    done = night(place)
    server.answer_rcpt = lambda _address: ""
    return done


# ---- a second person ----


def test_the_rule_of_the_night_holds_whatever_settings_are_given(
    place: Path, server: SmtpServer, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(FIRST, more=f"{ALWAYS}second_person = true\n")
    assert night(place).exit_code == 4
    batch = number(place)
    assert "须由另一个人批准" in reconcile(place, "approve")[1]
    settings(FIRST, more=ALWAYS)  # relaxed since
    assert "E825" in reconcile(place, "approve", batch, "--reason", "自己批")[1]
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # no reconcile.toml: the defaults
    words = ["approve", batch, "--reason", "自己批", "--state", str(place / "state")]
    assert "E825" in str(CliRunner().invoke(app, words).exception)
    assert states(place) == ["held"]
    monkeypatch.setenv("SUDO_USER", "lisi")  # another person, by the same account
    assert CliRunner().invoke(app, words).exit_code == 0
    assert states(place) == ["queued"]


def test_settings_that_ask_for_it_since_count_too(
    place: Path, server: SmtpServer, settings: Settings
) -> None:
    settings(FIRST, more=ALWAYS)
    night(place)
    settings(FIRST, more=f"{ALWAYS}second_person = true\n")
    assert "E825" in reconcile(place, "approve", number(place), "--reason", "自己批")[1]


def test_one_person_is_the_same_whether_he_becomes_the_service_or_root(
    place: Path, server: SmtpServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(FIRST, more=f"{ALWAYS}second_person = true\n")
    monkeypatch.setenv("SUDO_USER", "zhangsan")
    night(place)
    (letter,) = letters(place).values()
    assert letter.by == "zhangsan"
    assert "E825" in reconcile(place, "approve", number(place), "--reason", "自己批")[1]
    monkeypatch.setenv("SUDO_USER", "lisi")
    assert reconcile(place, "approve", number(place), "--reason", "看过")[0] == 0


def of_whom(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in (folder, *folder.rglob("*"))}


@ROOT_ONLY
def test_who_approves_as_root_leaves_nothing_of_roots(
    place: Path, server: SmtpServer, settings: Settings
) -> None:
    settings(FIRST, more=ALWAYS)
    night(place)
    shutil.rmtree(place / "state/access", ignore_errors=True)
    for path in (place / "state", *(place / "state").rglob("*")):
        os.chown(path, 65534, 65534)
    code, said = reconcile(place, "approve", number(place), "--reason", "看过")
    assert (code, (place / "state/access").is_dir()) == (0, True), said
    assert of_whom(place / "state") == {65534}
    as_service = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    writable = "test -w witness/ledger-head.json -a -w access && test -w ledger/ledger.sqlite"
    subprocess.run(["chmod", "o+x", *place.parents[:2], place], check=True)
    done = subprocess.run([*as_service, "sh", "-c", writable], cwd=place / "state", check=False)
    assert done.returncode == 0
    assert night(place).exit_code == 0  # by root, too
    assert of_whom(place / "state") == {65534}


@ROOT_ONLY
def test_what_lies_elsewhere_too_is_not_given_away(tmp_path: Path) -> None:
    """The service could put a second name of, or a link to, a file of root's into its folder."""
    (tmp_path / "state").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "other").mkdir()
    os.link(tmp_path / "secret", tmp_path / "state/hard")
    (tmp_path / "state/soft").symlink_to(tmp_path / "secret")
    (tmp_path / "state/door").symlink_to(tmp_path / "other")
    (tmp_path / "other/file").write_text("x")
    (tmp_path / "state/own").write_text("x")
    os.chown(tmp_path / "state", 65534, 65534)
    give_back(tmp_path / "state")
    assert (tmp_path / "state/own").stat().st_uid == 65534
    assert {(tmp_path / name).stat().st_uid for name in ("secret", "other", "other/file")} == {0}


# ---- nights that do not advance ----


def test_a_sending_night_without_a_date_says_that_it_does_not_advance(
    place: Path, server: SmtpServer, settings: Settings
) -> None:
    folders = (place / name for name in ("inbox-10", "out", "state", "schemas", "rules"))
    done = run(Request(*folders, config=place / "reconcile.toml", send=True))
    assert (done.exit_code, len(server.messages)) == (0, 1)
    assert "E406" in done.screen
    assert "--as-of" in done.screen
    assert "E406" not in night(place).screen


def test_what_is_put_off_is_told_with_its_day_until_it_goes(
    place: Path, server: SmtpServer, settings: Settings
) -> None:
    server.answer_rcpt = lambda _address: "450 4.2.0 later"
    first = night(place)
    assert (first.exit_code, "2026-11-01 再试" in first.screen) == (6, True)
    again = night(place)  # the same date: not its turn yet
    assert (again.exit_code, "2026-11-01 再试" in again.screen) == (6, True)
    server.answer_rcpt = lambda _address: ""
    done = night(place, NEXT, month=10)
    assert (done.exit_code, "再试" in done.screen, len(server.messages)) == (0, False, 1)


# ---- refused ----


def heard(place: Path, done: Night) -> str:
    from pipeline import clock

    beat = Heartbeat(
        done.as_of, clock.now(), done.exit_code, 5, 5, 1, done.mails, {}, done.mail_places
    )  # as the watched night writes it
    write_heartbeat(place / "state", beat)
    return "\n".join(problem.line() for problem in watch(place / "state", 30, clock.now()).problems)


def test_a_refused_letter_is_told_every_night_until_it_is_settled(
    place: Path, server: SmtpServer, settings: Settings
) -> None:
    assert refused_night(place, server).exit_code == 6
    for days in (1, 2):
        after = night(place, OCTOBER + timedelta(days=days), month=10)
        assert after.exit_code == 6
        assert "被拒收 1 封" in after.screen
        assert plain.COUNTY in after.screen
        assert "outbox withdraw" in after.screen
        assert after.mails["refused"] == 1
        said = heard(place, after)
        assert "E855" in said
        assert plain.COUNTY in said
    told = json.loads((place / "out/run.json").read_text("utf-8"))
    assert (told["exit_code"], told["mail_places"]) == (6, {"refused": [plain.COUNTY]})
    assert reconcile(place, "outbox", "handed", plain.COUNTY, "--reason", "政务微信")[0] == 0
    settled = night(place, OCTOBER + timedelta(days=3), month=10)
    assert (settled.exit_code, "被拒收" in settled.screen, heard(place, settled)) == (0, False, "")
    assert server.messages == []


def test_a_corrected_address_gets_the_report_of_the_period_on_the_next_night(
    place: Path, server: SmtpServer, settings: Settings
) -> None:
    refused_night(place, server)
    settings(SECOND)
    (old,) = letters(place)
    assert reconcile(place, "outbox", "withdraw", old)[0] != 0  # without a reason
    code, said = reconcile(place, "outbox", "withdraw", old, "--reason", "地址写错")
    assert (code, "已撤回 1 封" in said) == (0, True)
    done = night(place, NEXT, month=10)
    assert (done.exit_code, [to for to, _ in server.messages]) == (0, [SECOND])
    message = read(server.messages[0][1])
    assert "第1期" in message["Subject"]
    assert old not in message["Message-ID"]
    assert set(cases(place)["state"]) == {"sent"}
    assert set(cases(place)["due_on"]) == {date(2026, 11, 13)}
    assert set(cases(place)["times_sent"]) == {1}
    assert night(place, NEXT, month=10).exit_code == 0  # the same night again
    assert night(place, NEXT + timedelta(days=1), month=10).exit_code == 0
    assert len(server.messages) == 1


def test_only_who_has_nothing_gets_it_anew(place: Path, server: SmtpServer, settings: Settings) -> None:
    settings(FIRST, SECOND)
    server.answer_rcpt = lambda address: "550 5.1.1 unknown" if address == SECOND else ""
    night(place)
    server.answer_rcpt = lambda _address: ""
    (old,) = [one.letter_id for one in letters(place).values() if one.state == "refused"]
    reconcile(place, "outbox", "withdraw", old, "--reason", "邮箱已开通")
    assert night(place).exit_code == 0  # the period's own night again
    assert sorted(to for to, _ in server.messages) == sorted([FIRST, SECOND])
    assert set(cases(place)["times_sent"]) == {1}


def test_a_letter_that_went_cannot_be_withdrawn(place: Path, server: SmtpServer, settings: Settings) -> None:
    night(place)
    assert "E827" in reconcile(place, "outbox", "withdraw", *letters(place), "--reason", "想收回")[1]
    assert states(place) == ["sent"]


def test_retry_says_what_did_not_go(place: Path, server: SmtpServer, settings: Settings) -> None:
    stopped_night(place)
    settings(SECOND)
    code, said = reconcile(place, "outbox", "retry")
    assert (code, "E822" in said) == (6, True)
    assert server.messages == []
    told = night(place, NEXT, month=10)
    assert (told.exit_code, "E822" in told.screen) == (6, True)
    assert told.mail_places["unaddressed"] == (plain.COUNTY,)


def test_a_letter_that_could_not_be_made_is_told_with_its_county(
    place: Path, server: SmtpServer, settings: Settings
) -> None:
    settings(FIRST, more=f'[counties.{plain.COUNTY}]\nfull_ids = true\nfull_ids_reason = "批文"\n')
    done = night(place)  # and no password for it
    assert (done.exit_code, done.mails["unmade"], server.messages) == (6, 1, [])
    said = heard(place, done)
    assert "没有做成" in said
    assert plain.COUNTY in said
    assert "没有说明" not in said


# ---- erased ----


def erase(place: Path, person: str) -> str:
    where = {"state": "state", "results": "out/results", "schemas": "schemas", "rules": "rules"}
    folders = [word for name, at in where.items() for word in (f"--{name}", str(place / at))]
    done = CliRunner().invoke(app, ["person", "erase", person, "--yes", "--reason", "本人申请", *folders])
    assert done.exit_code == 0, f"{done.output}{done.exception}"
    return done.output


def test_who_is_erased_stands_in_no_letter_that_still_goes(
    place: Path, server: SmtpServer, settings: Settings
) -> None:
    settings(FIRST, more=ALWAYS)
    night(place)
    someone = cases(place).row(0, named=True)
    (old,) = letters(place)
    assert "已撤回" in erase(place, someone["id_number"])
    assert states(place) == ["withdrawn"]
    assert not (place / "state/mail" / f"{old}.eml").exists()
    for path in (place / "inbox-10").rglob("*"):  # and the departments take him off their lists
        if path.is_file():
            rows = path.read_bytes().splitlines(keepends=True)
            path.write_bytes(b"".join(row for row in rows if someone["id_number"].encode() not in row))
    assert night(place, NEXT, month=10).exit_code == 4  # it waits for approval as the first one did
    assert states(place) == ["withdrawn", "held"]
    assert reconcile(place, "approve", number(place), "--reason", "看过")[0] == 0
    assert night(place, NEXT, month=10).exit_code == 0
    ((_, content),) = server.messages
    csv = next(
        p for p in read(content).iter_attachments() if str(p.get_filename()).endswith("csv")
    ).get_content()
    text = csv if isinstance(csv, str) else csv.decode("utf-8-sig")
    assert someone["case_number"] not in text
    assert pl.read_csv(text.encode()).height == cases(place).filter(pl.col("state") == "sent").height


def test_what_somebody_holds_stays_held_when_it_is_made_anew(
    place: Path, server: SmtpServer, settings: Settings
) -> None:
    stopped_night(place)
    reconcile(place, "outbox", "hold", "all", "--reason", "名册要更正")
    erase(place, cases(place)["id_number"][0])
    night(place, NEXT, month=10)
    assert server.messages == []
    assert states(place) == ["withdrawn", "held"]
    assert reconcile(place, "outbox", "release", "all", "--reason", "已更正")[0] == 0
    assert night(place, NEXT, month=10).exit_code == 0
    assert len(server.messages) == 1


# ---- a damaged letter ----


@pytest.mark.parametrize("how", ["damaged", "missing"])
def test_a_damaged_letter_stops_the_mail_and_not_the_record_of_the_night(
    place: Path, server: SmtpServer, settings: Settings, how: str
) -> None:
    stopped_night(place)
    (file,) = (place / "state/mail").glob("*.eml")
    if how == "damaged":
        file.write_bytes(file.read_bytes() + b"x")
    else:
        file.unlink()
    shutil.rmtree(place / "state/backup")
    stopped = night(place, NEXT, month=10)
    assert (stopped.exit_code, server.messages) == (8, [])
    assert "E821" in stopped.screen
    assert plain.COUNTY in stopped.screen
    assert file.stem in stopped.screen
    told = json.loads((place / "out/run.json").read_text("utf-8"))
    assert (told["as_of"], told["exit_code"]) == (NEXT.isoformat(), 8)
    assert told["mail_places"] == {"stopped": [plain.COUNTY]}
    assert list((place / "state/backup").glob("ledger-*.sqlite"))
    reconcile(place, "outbox", "hold", "all", "--reason", "损坏")
    assert "E821" in reconcile(place, "outbox", "release", "all", "--reason", "放行")[1]
    assert states(place) == ["held"]
    assert reconcile(place, "outbox", "withdraw", file.stem, "--reason", "文件损坏")[0] == 0
    reconcile(place, "outbox", "release", "all", "--reason", "重做")
    night(place, NEXT + timedelta(days=1), month=10)  # held as the first one was
    reconcile(place, "outbox", "release", "all", "--reason", "已重做")
    assert night(place, NEXT + timedelta(days=2), month=10).exit_code == 0
    assert len(server.messages) == 1


# ---- one letter out of a batch ----


def test_one_letter_is_taken_out_of_a_batch_and_approved_by_itself(
    place: Path, server: SmtpServer, settings: Settings
) -> None:
    settings(FIRST, SECOND, more=ALWAYS)
    night(place)
    (one,) = [x.letter_id for x in letters(place).values() if x.to == SECOND]
    before = number(place)
    code, said = reconcile(place, "outbox", "release", "all", "--reason", "放行")
    assert (code, "approve" in said) == (1, True)  # it is no approval
    code, said = reconcile(place, "outbox", "hold", one, "--reason", "这一县有误")
    assert (code, "已移出" in said) == (0, True)
    assert "E824" in reconcile(place, "approve", before, "--reason", "看过")[1]  # no more what was looked at
    assert "1 封" in reconcile(place, "approve", number(place), "--reason", "看过")[1]
    done = night(place)
    assert ([to for to, _ in server.messages], "1 封由人暂停着" in done.screen) == ([FIRST], True)
    code, said = reconcile(place, "outbox", "release", one, "--reason", "已核对")
    assert (code, "还要批准" in said) == (0, True)
    assert night(place).exit_code == 4
    assert len(server.messages) == 1
    assert reconcile(place, "approve", number(place), "--reason", "看过")[0] == 0
    assert night(place).exit_code == 0
    assert [to for to, _ in server.messages] == [FIRST, SECOND]


# ---- the operators ----


def test_operators_who_cannot_be_told_are_told_of(
    place: Path, server: SmtpServer, settings: Settings
) -> None:
    text = (place / "reconcile.toml").read_text("utf-8")
    text = text.replace("[recipients]", 'operator = ["ops@elsewhere.example"]\n[recipients]')
    (place / "reconcile.toml").write_text(text, encoding="utf-8")
    folders = {"inbox": "inbox-10", "out": "out", "state": "state", "schemas": "schemas", "rules": "rules"}
    words = [word for name, at in folders.items() for word in (f"--{name}", str(place / at))]
    words += ["--config", str(place / "reconcile.toml"), "--as-of", "2026-10-31", "--send"]
    done = CliRunner().invoke(app, ["run", *words])
    assert (done.exit_code, [to for to, _ in server.messages]) == (0, [FIRST])
    assert "E856" in done.output
    assert "elsewhere" not in done.output
    (log,) = (place / "state/log").glob("*.jsonl")
    assert json.loads(log.read_text().splitlines()[-1])["codes"]["E856"] == 1
