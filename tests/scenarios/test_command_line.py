"""The command as a user and cron start it: exit codes, other working folders, and nothing personal in what it prints."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import nights
import pytest


def reconcile(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_a_whole_night_from_another_folder_is_0_and_says_where_to_look(world: Path, tmp_path: Path) -> None:
    done = reconcile("run", "--inbox", world, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "summary.html" in done.stdout
    people = nights.table(tmp_path / "out", "outcomes")
    for secret in people["id_number"].drop_nulls().to_list() + people["certificate_number"].to_list():
        assert secret not in done.stdout + done.stderr


def test_a_list_that_is_missing_is_3(world: Path, tmp_path: Path) -> None:
    inbox = nights.copy_of(world, tmp_path)
    nights.one(inbox, "civil_affairs/tekun").unlink()
    done = reconcile("run", "--inbox", inbox, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 3
    assert "特困人员救助供养名册" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "--inbox"),
        (["run", "--inbox", "nowhere"], "E210"),
        (["run", "--inbox", ".", "--as-of", "2026-13-01"], "E403"),
        (["run", "--inbox", ".", "--send", "--dry-run"], "E402"),
        (["run", "--inbox", ".", "--send"], "E812"),
        (["run", "--inbox", ".", "--config", "nowhere.toml"], "E105"),
        (["run", "--inbox", ".", "--rules", "nowhere"], "E108"),
        (["no-such-command"], "no-such-command"),
    ],
)
def test_what_the_user_got_wrong_is_1_and_touches_nothing(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = reconcile(*arguments, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written_is_1(world: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    done = reconcile("run", "--inbox", world, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 1
    assert "E405" in done.stderr


def test_a_second_run_on_the_same_state_is_5(world: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    handle = os.open(state / "lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = reconcile("run", "--inbox", world, "--out", tmp_path / "out", "--state", state, cwd=tmp_path)
    finally:
        os.close(handle)
    assert done.returncode == 5
    assert "E401" in done.stderr


def test_a_refused_register_names_the_line_to_add(world: Path, tmp_path: Path) -> None:
    inbox = nights.copy_of(world, tmp_path)
    path = nights.one(inbox, "federation/register", ".csv")
    encoding = "utf-8-sig" if path.read_bytes().startswith(b"\xef\xbb\xbf") else "gb18030"
    head, rest = path.read_bytes().decode(encoding).split("\r\n", 1)
    state = next(header for header in head.split(",") if header in ("证件状态", "状态"))
    path.write_bytes(f"{head.removesuffix(state)}证件状态栏\r\n{rest}".encode(encoding))
    done = reconcile("run", "--inbox", inbox, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 1
    assert "reconcile alias add federation/register state 证件状态栏" in done.stderr
