"""The access log: what a line says and does not say, the chain, and when a reason must be said."""

from __future__ import annotations

import json
import os
import pwd
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline import access_log
from pipeline.access_log import asked_for, check, note, person_mark, read, reason_for
from pipeline.cases import Event, case_number, open_ledger
from pipeline.cli import app
from pipeline.cli_access import access_app
from pipeline.contracts.problem import ReconcileError

ID = "539901196503170011"
SHANGHAI = timezone(timedelta(hours=8))


def at(year: int, month: int = 11, day: int = 5) -> datetime:
    return datetime(year, month, day, 9, 30, tzinfo=SHANGHAI)


def files(state: Path) -> list[Path]:
    return sorted((state / "access").iterdir())


def codes(state: Path) -> list[tuple[str, int]]:
    return [(problem.code, problem.row) for problem in check(state)]


def test_a_line_says_when_who_what_and_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "wangfang")
    monkeypatch.setenv("LOGNAME", "somebody-else")
    number = case_number.make("XGLL", date(2026, 10, 31), 1)
    note(tmp_path, "cases show", "", "本人来电", [number], at=at(2026))
    (path,) = files(tmp_path)
    assert path.name == "2026.jsonl"
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    told = json.loads(path.read_text("utf-8"))
    assert told == {
        "at": "2026-11-05T09:30:00+08:00",
        "who": pwd.getpwuid(os.getuid()).pw_name,
        "sudo": "wangfang",
        "command": "cases show",
        "what": "",
        "cases": [number],
        "case_count": 1,
        "reason": "本人来电",
        "before": "0" * 64,
    }


def test_no_number_reaches_the_log(tmp_path: Path) -> None:
    with open_ledger(tmp_path):
        pass
    for typed in (ID, f" {ID} ", f"{ID}41", "539901 19650317 0011"):
        what, numbers = asked_for(tmp_path, typed)
        assert numbers == ()
        note(tmp_path, "explain", what, f"查 {ID} 和 13812345678、53990119650317", at=at(2026))
    note(tmp_path, "accept", f"a/b {ID}", "", at=at(2026))
    text = files(tmp_path)[0].read_text("utf-8")
    assert not any(secret in text for secret in (ID, "19650317", "13812345678"))
    marks = {one.what for one in read(tmp_path)}
    assert len(marks) == 3  # the identity number, the certificate, the list
    assert person_mark(tmp_path, ID) == person_mark(tmp_path, ID.replace("", " "))
    assert all(len(mark) == 7 + 16 for mark in marks if mark.startswith("person:"))
    with open_ledger(tmp_path) as ledger:
        assert person_mark(tmp_path, ID)[7:] == ledger.key.of("id", ID)[:16]


def test_without_a_key_nothing_stands_for_the_person(tmp_path: Path) -> None:
    assert asked_for(tmp_path, ID) == ("person", ())
    assert list(tmp_path.iterdir()) == []


def test_the_chain_goes_over_the_years(tmp_path: Path) -> None:
    for year in (2025, 2026, 2026, 2027):
        note(tmp_path, "explain", "", "核对", at=at(year))
    note(tmp_path, "explain", "", "钟被拨回去了", at=at(2026))
    assert [path.name for path in files(tmp_path)] == ["2025.jsonl", "2026.jsonl", "2027.jsonl"]
    assert codes(tmp_path) == []
    assert len(read(tmp_path)) == 5
    assert len(read(tmp_path, date(2026, 1, 1))) == 4
    files(tmp_path)[0].unlink()  # what retention does
    assert codes(tmp_path) == []
    files(tmp_path)[0].unlink()
    files(tmp_path)[0].write_bytes(b"")
    assert codes(tmp_path) == []


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_nothing_in_the_middle_can_be_changed(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Any byte of any line but the last changed, any line but the last taken out, two exchanged: it is noticed."""
    state = tmp_path_factory.mktemp("log")
    for number in range(4):
        note(state, "explain", "", f"原因{number}", at=at(2026, day=1 + number))
    (path,) = files(state)
    lines = path.read_bytes().splitlines(keepends=True)
    row = data.draw(st.integers(0, 2))
    match data.draw(st.sampled_from(["byte", "line", "swap"])):
        case "byte":
            place = data.draw(st.integers(0, len(lines[row]) - 2))
            other = data.draw(st.integers(0, 255).filter(lambda b: b != lines[row][place]))
            lines[row] = lines[row][:place] + bytes([other]) + lines[row][place + 1 :]
        case "line":
            # the first line of the oldest file may be gone by retention of whole years only: see below
            del lines[max(row, 1)]
        case _:
            lines[row], lines[row + 1] = lines[row + 1], lines[row]
    path.write_bytes(b"".join(lines))
    assert check(state)


def test_a_torn_line_is_told_and_the_next_stands_by_itself(tmp_path: Path) -> None:
    note(tmp_path, "explain", "", "一", at=at(2026))
    note(tmp_path, "explain", "", "二", at=at(2026))
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes()[:-9])
    note(tmp_path, "explain", "", "三", at=at(2026))
    assert codes(tmp_path) == [("E874", 2)]
    assert [one.reason for one in read(tmp_path)] == ["一", "三"]


def test_many_writers_make_one_chain(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: note(tmp_path, "explain", "", f"第{n}个", at=at(2026)), range(60)))
    assert codes(tmp_path) == []
    assert len({one.reason for one in read(tmp_path)}) == 60


def test_where_it_cannot_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "access").write_text("a file in the folder's place")
    with pytest.raises(ReconcileError) as caught:
        note(tmp_path, "explain", "", "核对")
    assert caught.value.problem.code == "E872"


def test_a_reason_is_needed_in_production_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    state = tmp_path / "state"
    assert reason_for(state, "") == access_log.UNSAID
    assert not state.exists()
    with open_ledger(state) as ledger, ledger.transaction():
        ledger.append([Event(date(2026, 10, 31), "sent", None, {})])
    assert reason_for(state, "") == access_log.UNSAID
    assert reason_for(state, "  本人 来电\n") == "本人 来电"
    config = tmp_path / "other.toml"
    assert refused(state, "", config) == "E870"
    assert refused(state, "长" * 201, None) == "E871"
    with open_ledger(state) as ledger, ledger.transaction():
        ledger.append([Event(date(2026, 10, 31), "mail_sent", None, {"letter": "a"})])
    assert refused(state, " \n", None) == "E870"
    (tmp_path / "reconcile.toml").touch()
    assert refused(tmp_path / "none", "", None) == "E870"


def test_a_ledger_that_cannot_be_read_counts_as_production(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger, ledger.transaction():
        ledger.append([Event(date(2026, 10, 31), "night", None, {"new": {}, "floods": []})])
    (tmp_path / "ledger/ledger.sqlite").write_bytes(b"nothing")
    assert refused(tmp_path, "", None) == "E870"


def refused(state: Path, reason: str, config: Path | None) -> str:
    with pytest.raises(ReconcileError) as caught:
        reason_for(state, reason, config)
    return caught.value.problem.code


# ---- the command ----


def listed(*arguments: object) -> tuple[int, str]:
    parent = typer.Typer()
    parent.add_typer(access_app, name="access")
    done = CliRunner().invoke(parent, ["access", "list", *map(str, arguments)])
    return done.exit_code, done.output


def test_list_and_check(tmp_path: Path) -> None:
    assert listed("--state", tmp_path) == (0, "没有查看记录。\n")
    note(tmp_path, "explain", "person:0123456789abcdef", "一", at=at(2026, 10))
    note(tmp_path, "cases export", "539901", "二", ["XGLL-2611-0382-7"] * 300, at=at(2026, 11))
    code, text = listed("--state", tmp_path, "--since", "2026-11-01", "--check")
    assert code == 0
    assert "一" not in text.splitlines()[0]
    assert "cases export  539901  300件疑点  二" in text
    assert text.endswith("记录链完整：2条。\n")
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes().replace("一".encode(), "七".encode()))
    code, text = listed("--state", tmp_path, "--check")
    assert (code, "E873 access/2026.jsonl 第2行" in text) == (7, True)
    assert listed("--since", "gestern")[0] == 1


def test_every_command_shows_two_examples() -> None:
    help_text = listed("--help")[1]
    assert help_text.count("reconcile access list") >= 2


def test_a_command_that_is_refused_for_want_of_a_reason_shows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reconcile.toml").touch()
    for words in (
        ["explain", ID, "--out", "out"],
        ["review", "--out", "out"],
        ["review", "--out", "out", "--export", "x.xlsx"],
        ["cases", "export", "--county", "539901", "--out", "x.xlsx"],
    ):
        done = CliRunner().invoke(app, words)
        assert isinstance(done.exception, ReconcileError), words
        assert done.exception.problem.code == "E870"
        assert done.output == ""
    assert [path.name for path in tmp_path.iterdir()] == ["reconcile.toml"]


def test_a_letter_can_be_told_from_another(tmp_path: Path) -> None:
    for letter in ("2026p1-533423-1a2b3c4d5e", "n20261114-533423-1a2b3c4d5e", "q20261114-yibao-1a2b3c4d5e"):
        note(tmp_path, "outbox show", letter, "复核", at=at(2026))
        assert read(tmp_path)[-1].what == letter
    for typed in (f"n{ID}", f"n20261314-{ID}", f"n20261114-{ID}"):
        note(tmp_path, "outbox show", typed, "复核", at=at(2026))
        assert "19650317" not in files(tmp_path)[0].read_text("utf-8")
