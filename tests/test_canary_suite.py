"""The net over the whole suite (`conftest.py`) catches what it is for: a suite in a suite, one test a way to leak."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent
SUITE = """
import canary, pytest, typer
from typer.testing import CliRunner
ONE = canary.PEOPLE[0].id
app = typer.Typer()
@app.command()
def show(number: str) -> None:
    typer.echo(f"第{number}号")

def test_prints():
    print(ONE)
def test_prints_a_certificate():
    print(f"证号{ONE}41B1")
def test_a_command_prints():
    CliRunner().invoke(app, [ONE])
def test_a_log(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/run.json").write_text(ONE)
def test_an_access_log(tmp_path):
    (tmp_path / "2026.jsonl").write_text(ONE)
def test_takes_it_from_capsys(capsys):
    print(ONE)
    assert capsys.readouterr().out
def test_masked(tmp_path):
    print(ONE[:6] + "********" + ONE[-4:], "20261031", ONE[:17])
    (tmp_path / "discrepancies.csv").write_text(ONE)
    CliRunner().invoke(app, ["123"])
@pytest.mark.shows_numbers
def test_means_it():
    print(ONE)
"""


def test_the_net_catches_every_way_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "test_leaks.py").write_text(SUITE, encoding="utf-8")
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text("utf-8"), encoding="utf-8")
    (tmp_path / "canary.py").write_text((TESTS / "canary.py").read_text("utf-8"), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-rfp", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    passed = {line.split("::")[1].split(" ")[0] for line in lines if line.startswith("PASSED")}
    failed = {line.split("::")[1].split(" ")[0] for line in lines if line.startswith("FAILED")}
    assert passed == {"test_masked", "test_means_it"}, done.stdout
    assert failed == {
        "test_prints",
        "test_prints_a_certificate",
        "test_a_command_prints",
        "test_takes_it_from_capsys",
        "test_a_log",
        "test_an_access_log",
    }
