"""The ledger's commands: what they print, and their exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_ledger
from typer.testing import CliRunner, Result

from pipeline.cases import backups
from pipeline.cli_ledger import ledger_app
from pipeline.contracts.problem import ReconcileError


def ledger(*arguments: str | Path) -> Result:
    return CliRunner().invoke(ledger_app, [*map(str, arguments)])


def test_show_counts_and_names_no_case(tmp_path: Path) -> None:
    small_ledger.made(tmp_path, 25)
    done = ledger("show", "--state", tmp_path)
    assert done.exit_code == 0
    assert "记录 25 条，个案 7 件，2026-10-31 至 2026-11-02" in done.stdout
    assert "found  7" in done.stdout
    assert "备份 0 份" in done.stdout
    assert "XGLL" not in done.stdout


def test_check_of_a_whole_ledger(tmp_path: Path) -> None:
    small_ledger.made(tmp_path, 25)
    done = ledger("check", "--state", tmp_path)
    assert (done.exit_code, done.stdout.strip()) == (0, "台账完好：25条记录，记录链完整，与见证一致。")


def test_check_of_a_broken_ledger_is_7(tmp_path: Path) -> None:
    small_ledger.tamper(small_ledger.made(tmp_path, 25), "UPDATE events SET body = '{}' WHERE sequence = 3")
    done = ledger("check", "--state", tmp_path)
    assert done.exit_code == 7
    assert done.stdout.startswith("E706 ledger/ledger.sqlite：")


def test_backup_and_restore(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path, 20)
    assert ledger("backup", "--state", tmp_path, "--keep", "2").exit_code == 0
    assert [path.name for path in backups(places.backups)] == ["ledger-2026-11-02-00000020.sqlite"]
    assert "最新 ledger-2026-11-02-00000020.sqlite" in ledger("show", "--state", tmp_path).stdout
    small_ledger.made(tmp_path, 25)
    places.ledger.write_bytes(b"gone")
    asked = ledger("restore", "--state", tmp_path)
    assert asked.exit_code == 0
    assert "用备份 ledger-2026-11-02-00000020.sqlite 恢复（20条记录）；丢失5条记录。" in asked.stdout
    assert "什么也没有改动" in asked.stdout
    assert places.ledger.read_bytes() == b"gone"
    done = ledger("restore", "--state", tmp_path, "--yes")
    assert done.exit_code == 0
    assert "丢失5条记录" in done.stdout
    assert "ledger.sqlite.broken-1" in done.stdout
    assert ledger("check", "--state", tmp_path).exit_code == 0


def test_restore_of_the_witness_alone(tmp_path: Path) -> None:
    places = small_ledger.made(tmp_path, 20)
    places.witness.unlink()
    refused = ledger("check", "--state", tmp_path)
    assert isinstance(refused.exception, ReconcileError)
    assert refused.exception.exit_code == 7
    assert "只重写见证；见证读不出" in ledger("restore", "--state", tmp_path, "--yes").stdout.replace(
        "台账本身完整（20条记录），", ""
    )
    assert ledger("check", "--state", tmp_path).exit_code == 0


@pytest.mark.parametrize("command", ["check", "backup", "restore", "show"])
def test_a_look_at_the_wrong_folder_makes_no_ledger(tmp_path: Path, command: str) -> None:
    done = ledger(command, "--state", tmp_path)
    assert done.exit_code == 1
    assert "E715" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["check", "backup", "restore", "show"])
def test_every_command_shows_two_examples(command: str) -> None:
    assert ledger(command, "--help").stdout.count(f"reconcile ledger {command}") >= 2
