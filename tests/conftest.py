"""No test may print, or leave in a file that is not made for people, the whole number of anybody: `canary.py` says what that is.

Looked at: what a test printed, what a command printed through typer's runner, and of the files under its `tmp_path` those that are
logs or tell of a run. A test that means to show a number says so with the mark `shows_numbers`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

sys.path.append(str(Path(__file__).parent))

from canary import sound_numbers

_TOLD = (
    *("run.json", "heartbeat.json", "quarantine.csv", "follow_up.csv", "needs.csv", "summary.html"),
    *("2*.jsonl", "mail.jsonl"),  # logs of a year or a month, the sent-journal
)
_LARGEST = 4_000_000  # bytes of a file, or characters of what was printed, that are looked at
_ASKED = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "shows_numbers: this test prints or writes whole numbers of people on purpose"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """A test that passed and leaked has failed."""
    report: pytest.TestReport = yield
    if call.when != "call" or not report.passed or item.get_closest_marker("shows_numbers"):
        return report
    told = [text for _, text in report.sections] + item.stash.get(_ASKED, [])
    leaked = sum(sound_numbers(text[:_LARGEST]) for text in told)
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    files = [path.name for path in _logs(folder) if sound_numbers(_content(path))] if folder else []
    if leaked or files:
        report.outcome = "failed"
        report.longrepr = f"{leaked} whole numbers of people were printed; files with such numbers: {files}"
    return report


@pytest.fixture(autouse=True)
def _what_is_printed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remembers what pytest does not see: what commands print that typer's runner runs, what a test took from `capsys`."""
    said: list[str] = []
    request.node.stash[_ASKED] = said
    invoke, readouterr = CliRunner.invoke, pytest.CaptureFixture.readouterr

    def invoked(self: CliRunner, *arguments: Any, **named: Any) -> Any:
        done = invoke(self, *arguments, **named)
        said.append(done.output)
        return done

    def taken(self: pytest.CaptureFixture[Any]) -> Any:
        told = readouterr(self)
        said.extend(text for text in told if isinstance(text, str))
        return told

    monkeypatch.setattr(CliRunner, "invoke", invoked)
    monkeypatch.setattr(pytest.CaptureFixture, "readouterr", taken)


def _logs(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names if any(fnmatch(name, one) for one in _TOLD))


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode("utf-8", errors="replace")
    except OSError:
        return ""
