"""The lists' history in the ledger: read back as written, nothing twice, by hand, until a date; and its two commands."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from pipeline.cases import Event, check, open_ledger
from pipeline.cases.list_history import list_events, list_history, register_events
from pipeline.cli_lists import lists_app
from pipeline.contracts.delivered import Intake
from pipeline.contracts.list_history import (
    AcceptedByHand,
    AcceptedList,
    HeldList,
    ListHistory,
    RegisterHeld,
)
from pipeline.contracts.problem import Problem
from pipeline.contracts.tables import COVERAGE

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 31), date(2026, 11, 30), date(2026, 12, 31)
DIBAO = AcceptedList("civil_affairs/dibao", "533422", OCTOBER, "a" * 64, 438, {}, 12)
INSURED = AcceptedList(
    *("medical_insurance/insured", "", OCTOBER, "b" * 64, 900),
    *({"533401": 500, "533422": 400}, 9, 3, {"533422": "名单比上次采用的少了一大半（上次 3 行）"}),
)
HELD = HeldList("civil_affairs/dibao", "533422", NOVEMBER, "c" * 64, "quarantined", "少了一大半", True)


def delivered(
    as_of: date, *accepted: AcceptedList, held: tuple[HeldList, ...] = (), misnamed: bool = False
) -> Intake:
    row = ("civil_affairs/dibao", "533422", "quarantined" if misnamed else "accepted", as_of, 1, "别的县")
    coverage = pl.DataFrame([row], schema=COVERAGE, orient="row")
    return Intake(as_of, (), (), (), (), coverage=coverage, accepted=accepted, held=held)


def remember(state: Path, intake: Intake) -> list[Event]:
    """What a night does."""
    with open_ledger(state) as ledger:
        events = list_events(ledger, intake)
        with ledger.transaction():
            ledger.append(events)
    return events


def history(state: Path, as_of: date) -> ListHistory:
    with open_ledger(state) as ledger:
        return list_history(ledger, as_of)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(lists_app, [*map(str, arguments)])


def accept(state: Path, *more: str) -> Result:
    return run("accept", "civil_affairs/dibao", "533422", "--reason", "年审清退", "--state", state, *more)


def test_what_was_accepted_is_read_back(tmp_path: Path) -> None:
    remember(tmp_path, delivered(OCTOBER, DIBAO, INSURED))
    known = history(tmp_path, NOVEMBER)
    assert known.accepted == {DIBAO.key: (DIBAO,), INSURED.key: (INSURED,)}
    assert known.last(INSURED.key) == INSURED
    assert known.last(INSURED.key, "533401") == INSURED
    assert known.last(INSURED.key, "533422") is None


def test_a_night_is_judged_by_what_was_before_it(tmp_path: Path) -> None:
    remember(tmp_path, delivered(OCTOBER, DIBAO))
    assert history(tmp_path, OCTOBER).accepted == {}


def test_the_same_night_again_and_an_unchanged_list_add_nothing(tmp_path: Path) -> None:
    assert len(remember(tmp_path, delivered(OCTOBER, DIBAO, INSURED))) == 2
    assert remember(tmp_path, delivered(OCTOBER, DIBAO, INSURED)) == []
    assert remember(tmp_path, delivered(NOVEMBER, DIBAO, INSURED)) == []
    assert len(remember(tmp_path, delivered(NOVEMBER, held=(HELD,)))) == 1
    assert remember(tmp_path, delivered(NOVEMBER, held=(HELD,))) == []
    assert len(remember(tmp_path, delivered(DECEMBER, DIBAO))) == 1  # said again after it had been held


def test_a_list_of_another_county_is_no_measure(tmp_path: Path) -> None:
    [event] = remember(tmp_path, delivered(OCTOBER, DIBAO, misnamed=True))
    assert (event.kind, event.body["by_history"]) == ("quarantined", False)
    assert history(tmp_path, NOVEMBER).accepted == {}


def test_a_held_register_can_be_remembered(tmp_path: Path) -> None:
    held = replace(HELD, dataset="federation/register", county="")
    refused = RegisterHeld(Problem("E210", "error", "没有名册", "少了", "重报"), (), held)
    with open_ledger(tmp_path) as ledger, ledger.transaction():
        ledger.append(register_events(ledger, NOVEMBER, refused))
        assert register_events(ledger, NOVEMBER, refused) == []
    done = run("accept", "federation/register", "all", "--reason", "并入新县", "--state", tmp_path)
    assert done.exit_code == 0
    known = history(tmp_path, NOVEMBER)
    assert known.taken_by_hand(held.key, held.sha256) is not None


def test_an_old_list_of_deaths_that_still_serves_can_be_accepted(tmp_path: Path) -> None:
    deaths = replace(DIBAO, dataset="civil_affairs/deaths", county="")
    remember(tmp_path, delivered(OCTOBER, deaths))
    old = HeldList(*deaths.key, OCTOBER, deaths.sha256, "stale", "已超过 62 天", by_history=True)
    assert len(remember(tmp_path, delivered(NOVEMBER, deaths, held=(old,)))) == 1
    assert remember(tmp_path, delivered(NOVEMBER, deaths, held=(old,))) == []
    assert "reconcile accept civil_affairs/deaths all" in run("lists", "--state", tmp_path).output
    done = run("accept", "civil_affairs/deaths", "all", "--reason", "已核实", "--state", tmp_path)
    assert done.exit_code == 0, done.output
    assert history(tmp_path, NOVEMBER).taken_by_hand(deaths.key, deaths.sha256) is not None


def test_a_county_that_is_not_on_the_list_is_said_so(tmp_path: Path) -> None:
    remember(tmp_path, delivered(OCTOBER, INSURED))
    done = run("accept", INSURED.dataset, "999999", "--reason", "已核实", "--state", tmp_path)
    assert done.exit_code == 1
    assert "没有县代码 999999" in done.output


def test_accept_takes_just_the_held_file(tmp_path: Path) -> None:
    remember(tmp_path, delivered(OCTOBER, DIBAO))
    remember(tmp_path, delivered(NOVEMBER, held=(HELD,)))
    done = accept(tmp_path)
    assert done.exit_code == 0
    assert "已记入台账" in done.stdout
    known = history(tmp_path, NOVEMBER)
    assert known.by_hand == (AcceptedByHand(*HELD.key, "", HELD.sha256, NOVEMBER),)
    assert known.taken_by_hand(HELD.key, "d" * 64) is None
    with open_ledger(tmp_path) as ledger:
        *_, stored = ledger.events()
        assert check(ledger, lambda events: {}) == []
    assert stored.event.body["reason"] == "年审清退"
    assert stored.event.body["who"]


def test_until_a_date_the_file_counts_and_then_as_if_never_accepted(tmp_path: Path) -> None:
    remember(tmp_path, delivered(OCTOBER, DIBAO))
    remember(tmp_path, delivered(NOVEMBER, held=(HELD,)))
    assert accept(tmp_path, "--until", "2026-12-31").exit_code == 0
    taken = replace(DIBAO, sha256=HELD.sha256, snapshot_date=NOVEMBER, rows=100)
    remember(tmp_path, delivered(NOVEMBER, taken))
    assert history(tmp_path, DECEMBER).last(DIBAO.key) == taken
    january = history(tmp_path, date(2027, 1, 1))
    assert january.last(DIBAO.key) == DIBAO
    assert january.by_hand == ()


def test_an_old_file_that_was_looked_at_stays_a_measure(tmp_path: Path) -> None:
    remember(tmp_path, delivered(OCTOBER, DIBAO))
    stale = HeldList(*DIBAO.key, OCTOBER, DIBAO.sha256, "stale", "过期", True)
    remember(tmp_path, delivered(date(2027, 1, 31), held=(stale,)))
    assert accept(tmp_path, "--until", "2027-02-10").exit_code == 0
    assert history(tmp_path, date(2027, 2, 28)).last(DIBAO.key) == DIBAO


def test_one_county_of_a_prefecture_wide_list(tmp_path: Path) -> None:
    remember(tmp_path, delivered(OCTOBER, INSURED))
    words = ("accept", INSURED.dataset, "--reason", "搬迁", "--state", tmp_path)
    assert "E259" in run(*words, "533401").stderr  # nothing is held there
    assert run(*words, "533422").exit_code == 0
    known = history(tmp_path, NOVEMBER)
    assert known.taken_by_hand(INSURED.key, INSURED.sha256, "533422") is not None
    assert known.taken_by_hand(INSURED.key, INSURED.sha256) is None


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ((), "没有这份名单"),
        ((replace(HELD, by_history=False),), "人工采用没有用"),
        ((replace(HELD, county=""),), "写 all"),
    ],
)
def test_what_cannot_be_accepted_is_said(tmp_path: Path, held: tuple[HeldList, ...], words: str) -> None:
    remember(tmp_path, delivered(NOVEMBER, INSURED, held=held))
    done = accept(tmp_path)
    assert (done.exit_code, words in done.stderr) == (1, True)
    assert history(tmp_path, NOVEMBER).by_hand == ()


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (["--reason", "  "], "E259"),
        (["--until", "明年"], "E403"),
        (["--until", "2026-10-01"], "E259"),
        (["--on", "20261130"], "E403"),
    ],
)
def test_words_that_cannot_be(tmp_path: Path, more: list[str], code: str) -> None:
    remember(tmp_path, delivered(NOVEMBER, held=(HELD,)))
    done = accept(tmp_path, *more)
    assert (done.exit_code, code in done.stderr) == (1, True)


def test_a_number_in_the_reason_is_masked(tmp_path: Path) -> None:
    remember(tmp_path, delivered(NOVEMBER, held=(HELD,)))
    assert accept(tmp_path, "--reason", "已问 539999196503170010 本人").exit_code == 0
    with open_ledger(tmp_path) as ledger:
        *_, stored = ledger.events()
    assert stored.event.body["reason"] == "已问 539999********0010 本人"


def test_lists_shows_what_is_accepted_and_what_is_held(tmp_path: Path) -> None:
    remember(tmp_path, delivered(OCTOBER, DIBAO, INSURED))
    remember(tmp_path, delivered(NOVEMBER, INSURED, held=(HELD,)))
    lines = run("lists", "--state", tmp_path).stdout.splitlines()
    assert lines == [
        "civil_affairs/dibao  533422 德钦县  2026-10-31 438行",
        "    未采用 2026-11-30 的一份：少了一大半。核实无误的：reconcile accept civil_affairs/dibao 533422 --reason 原因",
        "medical_insurance/insured  全州（市）  2026-10-31 900行",
        "    533422 德钦县未采用：名单比上次采用的少了一大半（上次 3 行）。核实无误的：reconcile accept"
        " medical_insurance/insured 533422 --reason 原因",
    ]


@pytest.mark.parametrize("command", [["lists"], ["accept", "a/b", "533422", "--reason", "x"]])
def test_a_look_at_the_wrong_folder_makes_no_ledger(tmp_path: Path, command: list[str]) -> None:
    done = run(*command, "--state", tmp_path)
    assert (done.exit_code, "E715" in done.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["lists", "accept"])
def test_every_command_shows_two_examples(command: str) -> None:
    assert run(command, "--help").stdout.count(f"reconcile {command}") >= 2
