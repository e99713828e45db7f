"""`reconcile watch`: silence, failures and unsent mail are heard; a good night is not disturbed. And `reconcile purge`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline import cases, clock
from pipeline.cases.event import Event
from pipeline.cli_watch import watch_app
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.settings import Settings
from pipeline.desk import watched_night
from pipeline.desk.watch import Heard, letters, lines, watch
from pipeline.heartbeat import Heartbeat, write_heartbeat
from pipeline.run import Request

AS_OF = date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=clock.SHANGHAI)
BEAT = Heartbeat(AS_OF, NOW - timedelta(hours=6), 0, 42, 42, 4, {"sent": 8})


def codes(folder: Path, beat: Heartbeat | None, now: datetime = NOW, hours: float = 30) -> list[str]:
    if beat is not None:
        write_heartbeat(folder, beat)
    return [problem.code for problem in watch(folder, hours, now).problems]


def test_a_good_night_is_not_disturbed(tmp_path: Path) -> None:
    assert codes(tmp_path, BEAT) == []
    assert lines(watch(tmp_path, 30, NOW))[0].startswith("✓ 正常  上一夜 2026-11-20")


@pytest.mark.parametrize(
    ("beat", "expected"),
    [
        (replace(BEAT, exit_code=3), []),
        (replace(BEAT, exit_code=4), []),
        (replace(BEAT, finished=NOW - timedelta(hours=31)), ["E853"]),
        (replace(BEAT, finished=NOW + timedelta(hours=2)), ["E853"]),  # the clocks differ
        (replace(BEAT, exit_code=1, as_of=None, accepted=0), ["E854"]),
        (replace(BEAT, exit_code=2), ["E854"]),
        (replace(BEAT, exit_code=7), ["E854"]),
        (replace(BEAT, exit_code=8), ["E854"]),
        (replace(BEAT, exit_code=130), ["E854"]),
        (replace(BEAT, exit_code=137), ["E854"]),
        (replace(BEAT, accepted=0), ["E854"]),  # a night that did nothing is no success
        (replace(BEAT, exit_code=6, mails={"sent": 7, "later": 1}), ["E855"]),
        (replace(BEAT, exit_code=6), ["E855"]),
        (replace(BEAT, exit_code=4, mails={"held": 2}), ["E855"]),
        (replace(BEAT, mails={"sent": 3, "withdrawn": 1}), []),
        (replace(BEAT, mails={"made": 8, "held": 0, "sent": 8}), []),
        (replace(BEAT, mails={"made": 4, "held": 0}), []),  # written, not to be sent
        (replace(BEAT, mails={"made": 8, "sent": 7, "paused": 1}), ["E855"]),
        (replace(BEAT, exit_code=7, finished=NOW - timedelta(days=3)), ["E853", "E854"]),
    ],
)
def test_what_is_heard(tmp_path: Path, beat: Heartbeat, expected: list[str]) -> None:
    assert codes(tmp_path, beat) == expected


def test_a_failed_night_without_room_for_a_heartbeat_is_not_told_as_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_heartbeat(tmp_path, replace(BEAT, finished=clock.now()))  # yesterday all was well
    (tmp_path / "reconcile.toml").write_text(
        '[mail]\nhost = "localhost"\nsender = "a@x.gov.cn"\nallowed_domains = ["x.gov.cn"]\noperator = ["op@x.gov.cn"]\n'
    )
    told: list[Heard] = []

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(watched_night, "run", full)
    monkeypatch.setattr(watched_night, "write_heartbeat", full)
    monkeypatch.setattr(watched_night, "tell", lambda heard, *_: told.append(heard))
    nowhere = tmp_path / "none"
    request = Request(
        nowhere, nowhere, tmp_path, nowhere, nowhere, config=tmp_path / "reconcile.toml", send=True
    )
    with pytest.raises(ReconcileError, match="E290"):  # said as what it is
        watched_night.watched_night(request)
    assert [problem.code for heard in told for problem in heard.problems] == ["E854"]


def test_silence(tmp_path: Path) -> None:
    assert codes(tmp_path, None) == ["E852"]
    assert codes(tmp_path / "share that is gone", None) == ["E852"]
    (tmp_path / "heartbeat.json").write_text("{")
    assert codes(tmp_path, None) == ["E851"]


@settings(deadline=None)  # files are written
@given(hours=st.floats(0.1, 1000), age=st.floats(0, 1000))
def test_the_age_decides(tmp_path_factory: pytest.TempPathFactory, hours: float, age: float) -> None:
    folder = tmp_path_factory.mktemp("beat")
    finished = NOW - timedelta(hours=age)
    heard = codes(folder, replace(BEAT, finished=finished), hours=hours)
    assert (heard == ["E853"]) == (NOW - finished > timedelta(hours=hours))


def test_another_zone_is_the_same_moment(tmp_path: Path) -> None:
    utc = datetime.fromisoformat("2026-11-20T18:00:00+00:00")
    assert codes(tmp_path, replace(BEAT, finished=utc)) == []


def test_the_letter_says_it_and_the_same_trouble_is_the_same_letter(tmp_path: Path) -> None:
    write_heartbeat(tmp_path, replace(BEAT, exit_code=7))
    mail = {"operator": ["a@x.gov.cn", "b@x.gov.cn"]}
    set_so, heard = Settings.model_validate({"mail": mail}), watch(tmp_path, 30, NOW)
    first = letters(heard, set_so, NOW)
    assert [letter.to for letter in first] == ["a@x.gov.cn", "b@x.gov.cn"]
    assert [letter.letter_id for letter in first] == ["watch-2026-11-21-e854-1", "watch-2026-11-21-e854-2"]
    assert letters(heard, set_so, NOW + timedelta(hours=3)) == first
    assert "退出码 7" in first[0].body
    assert first[0].subject == "[值守]夜间比对失败 2026-11-21"


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_heartbeat(tmp_path, replace(BEAT, finished=clock.now()))
    assert CliRunner().invoke(watch_app, ["watch", "--state", "."]).exit_code == 0
    write_heartbeat(tmp_path, replace(BEAT, finished=clock.now() - timedelta(hours=40)))
    late = CliRunner().invoke(watch_app, ["watch", "--state", "."])
    assert late.exit_code == 1
    assert late.output.startswith("✗ 有误  E853")
    assert CliRunner().invoke(watch_app, ["watch", "--state", ".", "--max-age-hours", "50"]).exit_code == 0
    told = CliRunner().invoke(watch_app, ["watch", "--state", ".", "--mail", "--json"])
    assert told.exit_code == 1
    assert [p["code"] for p in json.loads(told.output)["problems"]] == ["E853", "E856"]  # no server is set


def test_the_purge_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    state = tmp_path / "state"
    with cases.open_ledger(state) as ledger, ledger.transaction():
        ledger.append([Event(AS_OF, "night", None, {})])
    for month in ("2025-01", "2025-10", "2026-11"):
        path = state / "log" / f"{month}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}\n")
    (state / "spill").mkdir()
    (state / "spill" / "left.tmp").write_text("x")
    arguments = ["purge", "--state", "state", "--out", "out"]
    future = CliRunner().invoke(watch_app, [*arguments, "--as-of", "2099-01-01"])
    assert future.exit_code == 1
    assert "E861" in future.output
    done = CliRunner().invoke(watch_app, arguments)
    assert done.exit_code == 0, done.output
    assert "运行日志：删除 1 个文件" in done.output
    assert "临时文件：删除 1 个文件" in done.output
    assert sorted(p.name for p in (state / "log").iterdir()) == ["2025-10.jsonl", "2026-11.jsonl"]
    assert "什么也没有删除" in CliRunner().invoke(watch_app, arguments).output
    assert CliRunner().invoke(watch_app, ["purge", "--state", "nowhere"]).exit_code == 1


OPERATOR = Settings.model_validate({"mail": {"operator": ["a@x.gov.cn"]}})


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "夜间比对正常"), (3, "夜间比对正常，有名单待补"), (4, "夜间比对正常，有内容待批准")],
)
def test_the_letter_of_a_good_night_says_so(tmp_path: Path, code: int, words: str) -> None:
    write_heartbeat(tmp_path, replace(BEAT, exit_code=code))
    (letter,) = letters(watch(tmp_path, 30, NOW), OPERATOR, NOW)
    assert letter.subject == f"[值守]{words} 2026-11-21"
    assert letter.body.startswith(f"{words}。\n")
    assert "需要处理" not in letter.body


def test_two_good_nights_of_one_day_are_two_letters(tmp_path: Path) -> None:
    names = set()
    for hours in (6, 2):
        write_heartbeat(tmp_path, replace(BEAT, finished=NOW - timedelta(hours=hours)))
        (letter,) = letters(watch(tmp_path, 30, NOW), OPERATOR, NOW)
        names.add(letter.letter_id)
    assert len(names) == 2


def test_mail_that_is_stuck_is_told_with_its_county_and_the_cure(tmp_path: Path) -> None:
    stuck = {"refused": 1, "unmade": 1}
    places = {"refused": ("533423",), "unmade": ("533401",)}
    write_heartbeat(tmp_path, replace(BEAT, exit_code=6, mails=stuck, places=places))
    (problem,) = watch(tmp_path, 30, NOW).problems
    assert "被退回 1 封（维西傈僳族自治县533423）" in problem.why
    assert "没有做成" in problem.why
    assert "533401" in problem.why
    assert "outbox withdraw" in problem.cure
    write_heartbeat(tmp_path, replace(BEAT, exit_code=6))
    (untold,) = watch(tmp_path, 30, NOW).problems
    assert "没有说明" not in untold.why


def test_a_heartbeat_of_an_older_version_is_read(tmp_path: Path) -> None:
    path = write_heartbeat(tmp_path, BEAT)
    told = json.loads(path.read_text("utf-8"))
    del told["places"]
    path.write_text(json.dumps(told), encoding="utf-8")
    assert codes(tmp_path, None) == []
