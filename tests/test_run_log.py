"""The night's witnesses: run log, heartbeat, and a process that leaves nothing for others."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import clock, private_process
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.heartbeat import Heartbeat, read_heartbeat, write_heartbeat
from pipeline.run_log import LogLine, RunLog, read_log

ROOT = Path(__file__).parent.parent
NIGHT = datetime(2026, 11, 21, 1, 45, 3, tzinfo=clock.SHANGHAI)
AS_OF = date(2026, 11, 20)
CANARY = "539999196503170010"
BEAT = Heartbeat(AS_OF, NIGHT, 3, 40, 42, 4, {"sent": 3, "later": 1}, {"reconcile": "0.1.0"})


def log_of(state: Path) -> RunLog:
    return RunLog(state, AS_OF, now=lambda: NIGHT)


def lines(state: Path) -> list[dict[str, object]]:
    return read_log(state / "log" / "2026-11.jsonl")


def test_one_line_a_step(tmp_path: Path) -> None:
    log = log_of(tmp_path)
    with log.step("take_in") as counts:
        counts.add(files=3, rows=10)
        counts.add(rows=5)
    log.done(3, ["E214", "E214", "E227"])
    first, last = lines(tmp_path)
    assert first["step"] == "take_in"
    assert first["counts"] == {"files": 3, "rows": 15}
    assert first["as_of"] == "2026-11-20"
    assert first["at"] == "2026-11-21T01:45:03+08:00"
    assert first["exit_code"] is None
    assert last["exit_code"] == 3
    assert last["codes"] == {"E214": 2, "E227": 1}
    path = tmp_path / "log" / "2026-11.jsonl"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_problems_may_come_counted(tmp_path: Path) -> None:
    log_of(tmp_path).done(0, {"E227": 7})
    assert lines(tmp_path)[0]["codes"] == {"E227": 7}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ReconcileError(Problem("E210", "error", CANARY, CANARY, CANARY, file=CANARY)), "E210"),
        (ValueError(f"could not convert {CANARY}"), "E500"),
        (KeyboardInterrupt(), "E404"),
    ],
)
def test_a_step_that_fails_says_the_class_and_never_the_text(
    tmp_path: Path, error: BaseException, code: str
) -> None:
    with pytest.raises(type(error)), log_of(tmp_path).step("match"):
        raise error
    assert lines(tmp_path)[0]["failed"] == type(error).__name__
    assert lines(tmp_path)[0]["codes"] == {code: 1}
    assert CANARY not in (tmp_path / "log" / "2026-11.jsonl").read_text(encoding="utf-8")


@given(word=st.text(min_size=1))
def test_no_word_from_outside_gets_in(word: str) -> None:
    """A step or counter named by data is a bug of ours, and is refused."""
    if re.fullmatch("[a-z][a-z_]{0,39}|E[0-9]{3}", word):
        return
    for told in ({"step": word}, {"counts": {word: 1}}, {"codes": {word: 1}}):
        with pytest.raises(ValueError, match="run log"):
            LogLine(NIGHT, AS_OF, **{"step": "x", "seconds": 0.0, **told})  # type: ignore[arg-type]


def test_a_count_is_a_number() -> None:
    with pytest.raises(ValueError, match="whole number"):
        LogLine(NIGHT, AS_OF, "take_in", 0.0, {"rows": "539999196503170010"})  # type: ignore[dict-item]


def test_a_torn_line_spoils_no_other(tmp_path: Path) -> None:
    log_of(tmp_path).done(0)
    path = tmp_path / "log" / "2026-11.jsonl"
    path.write_bytes(path.read_bytes()[:-9])  # a power cut
    log_of(tmp_path).done(5)
    assert [line["exit_code"] for line in lines(tmp_path)] == [5]
    assert path.read_text(encoding="utf-8").count("\n") == 2


def test_a_log_that_cannot_be_written_stops_no_night(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("in the way")
    log = log_of(tmp_path)
    with log.step("take_in"):
        pass
    assert log.problem is not None
    assert log.problem.code == "E850"


def test_a_log_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "2026-11.jsonl").symlink_to(tmp_path / "elsewhere")
    log = log_of(tmp_path)
    log.done(0)
    assert log.problem is not None
    assert not (tmp_path / "elsewhere").exists()


def test_the_heartbeat_comes_back(tmp_path: Path) -> None:
    path = write_heartbeat(tmp_path, BEAT)
    assert read_heartbeat(tmp_path) == BEAT
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_no_heartbeat_is_none(tmp_path: Path) -> None:
    assert read_heartbeat(tmp_path) is None
    assert read_heartbeat(tmp_path / "nowhere") is None


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"format": 2}', "[" * 90_000])
def test_a_damaged_heartbeat_is_said(tmp_path: Path, damage: str) -> None:
    (tmp_path / "heartbeat.json").write_text(damage)
    with pytest.raises(ReconcileError, match="E851"):
        read_heartbeat(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("finished", "2026-11-21T01:45:03"), ("finished", 7), ("accepted", "40"), ("as_of", "x"), ("mails", [])],
)
def test_a_heartbeat_of_another_form_is_said(tmp_path: Path, key: str, value: object) -> None:
    told = json.loads(write_heartbeat(tmp_path, BEAT).read_text(encoding="utf-8"))
    (tmp_path / "heartbeat.json").write_text(json.dumps({**told, key: value}))
    with pytest.raises(ReconcileError, match="E851"):
        read_heartbeat(tmp_path)


@pytest.mark.parametrize("code", [0, 3, 4, 6])
def test_answers_are_no_failure(code: int) -> None:
    assert not Heartbeat(AS_OF, NIGHT, code, accepted=1).failed


@pytest.mark.parametrize("code", [1, 2, 5, 7, 8, 130])
def test_other_exit_codes_are(code: int) -> None:
    assert Heartbeat(AS_OF, NIGHT, code, accepted=1).failed


def test_a_night_that_accepted_nothing_is_a_failure() -> None:
    assert Heartbeat(AS_OF, NIGHT, 0, accepted=0, expected=40).failed


def test_the_clock_is_in_china() -> None:
    assert clock.now().utcoffset() == timedelta(hours=8)
    assert clock.now().isoformat().endswith("+08:00")
    assert abs(clock.now() - datetime.now(clock.SHANGHAI)) < timedelta(minutes=1)


def test_nothing_of_the_night_reads_a_clock() -> None:
    """What a night says follows from its as-of date. Who may look at the time, and why, is listed here."""
    reads = re.compile(
        r"\b(?:datetime\.(?:now|today|utcnow)|date\.today|time\.time)\(|clock\.(?:now|today)\b"
    )
    found = {
        str(path.relative_to(ROOT / "pipeline"))
        for path in (ROOT / "pipeline").rglob("*.py")
        if reads.search(path.read_text(encoding="utf-8"))
    }
    night = {
        name
        for name in found
        if name.split("/")[0] in ("identity", "intake", "matching", "entitlement", "cases")
    }
    assert night == set()


HARDENED = """
import os, resource, sys, tempfile
from pathlib import Path
from pipeline.private_process import harden, private_temporary
harden()
Path("made").write_text("x")
print(oct(Path("made").stat().st_mode & 0o777), resource.getrlimit(resource.RLIMIT_CORE))
with private_temporary(Path("state")) as folder:
    name = tempfile.NamedTemporaryFile(delete=False).name
    import xlsxwriter
    book = xlsxwriter.Workbook("book.xlsx"); book.add_worksheet().write_string(0, 0, "x")
    print(Path(name).parent == folder.absolute(), oct(folder.stat().st_mode & 0o777), os.environ["TMPDIR"] == str(folder.absolute()))
    if len(sys.argv) > 1:
        os.kill(os.getpid(), 9)
    book.close()
print(folder.exists(), tempfile.gettempdir() == str(Path("state/tmp").absolute()))
"""


def hardened(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = [sys.executable, "-c", HARDENED, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(code, cwd=folder, capture_output=True, text=True, env=environment)


def test_a_process_that_leaves_nothing(tmp_path: Path) -> None:
    told = hardened(tmp_path)
    assert told.stdout.splitlines() == ["0o600 (0, 0)", "True 0o700 True", "False False"]
    assert told.stderr == ""


def test_what_a_killed_process_left_goes_at_the_next_start(tmp_path: Path) -> None:
    assert hardened(tmp_path, "kill").returncode == -9
    assert any((tmp_path / "state" / "tmp").iterdir())
    assert hardened(tmp_path).returncode == 0
    assert not (tmp_path / "state" / "tmp").exists()


def test_the_temporary_folder_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/somewhere")
    monkeypatch.setattr(tempfile, "tempdir", "/somewhere")
    with pytest.raises(RuntimeError), private_process.private_temporary(tmp_path):
        raise RuntimeError
    assert tempfile.tempdir == "/somewhere"
    assert os.environ["TMPDIR"] == "/somewhere"


def test_a_link_in_the_temporary_folders_place_is_not_emptied(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "x").write_text("x")
    (tmp_path / "tmp").symlink_to(precious)
    with private_process.private_temporary(tmp_path):
        pass
    assert (precious / "x").read_text() == "x"


def test_whose_folder_it_is(tmp_path: Path) -> None:
    assert private_process.is_own(tmp_path) is True
    assert private_process.rights(tmp_path) == tmp_path.stat().st_mode & 0o777
    with private_process.scratch(tmp_path, "plan-") as folder:
        assert not private_process.abandoned(Path(folder))
    left = tmp_path / "plan-left"
    left.mkdir()
    assert private_process.abandoned(left)
    assert not private_process.abandoned(tmp_path / "nowhere")
