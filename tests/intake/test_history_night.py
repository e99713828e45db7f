"""Nights with a history: real files, one thing wrong at a time; ordinary months pass; the register refuses the night."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import deliveries as d
import pytest
from months import DECEMBER, DIBAO, INSURED, NOVEMBER, OCTOBER, REGISTER, Months, codes, first_month, statuses

from pipeline.contracts.list_history import AcceptedByHand, RegisterHeld

Rows = list[tuple[object, ...]]


@pytest.fixture
def months(tmp_path: Path) -> Months:
    return first_month(tmp_path)


def _damaged(rows: Rows, share: float) -> Rows:
    every = round(1 / share)
    return [(row[0], row[1] if n % every or not n else "5.399E+17", *row[2:]) for n, row in enumerate(rows)]


def test_the_first_night_is_judged_by_itself(tmp_path: Path) -> None:
    months = Months(tmp_path)
    months.put(OCTOBER, REGISTER, d.register_rows(4))
    months.put(OCTOBER, INSURED, d.insured_rows(3))
    intake = months.night(OCTOBER)
    assert set(statuses(intake, INSURED).values()) == {"accepted"}
    [told] = [one for one in intake.accepted if one.dataset == INSURED]
    assert (told.rows, told.damaged, told.vanished, dict(told.held)) == (3, 0, -1, {})
    assert dict(told.rows_by_county) == {"539901": 2, "539902": 1}  # by where the register says they live


def test_without_a_history_nothing_is_remembered(months: Months) -> None:
    intake = d.take(months.inbox, months.state)
    assert (intake.accepted, intake.held) == ((), ())


WRONG: list[tuple[str, Callable[[], Rows]]] = [
    ("E250", lambda: d.dibao_rows(0, 75)),
    ("E250", lambda: d.dibao_rows(0, 124)),
    ("E251", lambda: d.dibao_rows(0, 760)),
    ("E252", lambda: d.dibao_rows(60, 250)),
    ("E253", lambda: d.dibao_rows(0, 229)),
    ("E253", lambda: [*d.dibao_rows(0, 225), *d.dibao_rows(800, 40)[1:]]),
    ("E254", lambda: _damaged(d.dibao_rows(0, 250), 0.25)),
    ("E255", lambda: [*d.dibao_rows(0, 250), *d.dibao_rows(0, 250)[1:]]),
]


@pytest.mark.parametrize(("code", "rows"), WRONG, ids=[f"{code}-{n}" for n, (code, _) in enumerate(WRONG)])
def test_what_no_month_does_is_held(months: Months, code: str, rows: Callable[[], Rows]) -> None:
    file = months.put(NOVEMBER, DIBAO, rows(), "539901")
    intake = months.night(NOVEMBER)
    assert codes(intake, DIBAO) == {code}
    assert statuses(intake, DIBAO) == {"539901": "quarantined", "539902": "accepted"}
    assert file not in {s.source_file for s in intake.snapshots}
    [held] = intake.held
    assert (held.key, held.status, held.by_history) == ((DIBAO, "539901"), "quarantined", True)
    [problem] = [p for p in intake.problems if p.code == code]
    assert f"reconcile accept {DIBAO} 539901 --reason" in problem.cure


RIGHT: dict[str, Callable[[], Rows]] = {
    "a quarter more": lambda: d.dibao_rows(0, 313),
    "15 people in the middle left": lambda: [*d.dibao_rows(0, 100), *d.dibao_rows(115, 135)[1:]],
    "19 at the end left": lambda: d.dibao_rows(0, 231),
    "a tenth damaged": lambda: _damaged(d.dibao_rows(0, 250), 0.1),
    "other order": lambda: [d.dibao_rows(0)[0], *reversed(d.dibao_rows(0, 250)[1:])],
    "a few rows twice": lambda: [*d.dibao_rows(0, 250), *d.dibao_rows(0, 20)[1:]],
}


@pytest.mark.parametrize("rows", RIGHT.values(), ids=RIGHT)
def test_ordinary_months_pass(months: Months, rows: Callable[[], Rows]) -> None:
    months.put(NOVEMBER, DIBAO, rows(), "539901")
    intake = months.night(NOVEMBER)
    assert codes(intake, DIBAO) == set()
    assert set(statuses(intake, DIBAO).values()) == {"accepted"}


def test_a_damaged_number_is_no_absence(months: Months) -> None:
    """A sixth of the numbers damaged: the names tell that the people are still there."""
    months.put(NOVEMBER, DIBAO, _damaged(d.dibao_rows(0, 250), 1 / 6), "539901")
    [told] = [one for one in months.night(NOVEMBER).accepted if one.key == (DIBAO, "539901")]
    assert (told.damaged, told.vanished) == (41, 0)


def test_one_county_taken_out_of_a_prefecture_wide_list(months: Months) -> None:
    rows = d.insured_rows(300)
    file = months.put(NOVEMBER, INSURED, [rows[0], *rows[1::2]])  # the even ones live in 539901
    intake = months.night(NOVEMBER)
    assert statuses(intake, INSURED) == {"539901": "accepted", "539902": "quarantined"}
    assert file in {s.source_file for s in intake.snapshots}  # what it shows of anybody stands
    assert codes(intake, INSURED) == {"E250"}
    [told] = [one for one in intake.accepted if one.dataset == INSURED]
    assert list(told.held) == ["539902"]
    months.remember(intake)
    months.put(DECEMBER, INSURED, rows)  # the county is back: compared with October, when it was accepted
    assert set(statuses(months.night(DECEMBER), INSURED).values()) == {"accepted"}


def test_a_list_that_fails_everywhere_is_refused_whole(months: Months) -> None:
    file = months.put(NOVEMBER, INSURED, d.insured_rows(90))
    intake = months.night(NOVEMBER)
    assert set(statuses(intake, INSURED).values()) == {"quarantined"}
    assert file not in {s.source_file for s in intake.snapshots}


def test_the_same_file_again_keeps_its_first_date_and_grows_stale(months: Months) -> None:
    months.put(NOVEMBER, DIBAO, d.dibao_rows(0, 250), "539901")
    intake = months.night(NOVEMBER)
    assert codes(intake, DIBAO) == {"E257"}
    [row] = intake.coverage.filter(dataset=DIBAO, county_code="539901").iter_rows(named=True)
    assert (row["status"], row["snapshot_date"]) == ("accepted", OCTOBER)
    months.remember(intake)
    months.put(DECEMBER, DIBAO, d.dibao_rows(0, 250), "539901")
    january = date(2027, 1, 2)
    assert statuses(months.night(january), DIBAO)["539901"] == "stale"
    [stale] = [one for one in months.night(january).held if one.county == "539901"]
    assert (stale.status, stale.by_history) == ("stale", True)
    looked = AcceptedByHand(DIBAO, "539901", "", stale.sha256, january)
    assert statuses(months.night(january, looked), DIBAO)["539901"] == "accepted"


def test_a_list_of_a_few_is_the_same_each_month_and_grows_not_stale(tmp_path: Path) -> None:
    months = Months(tmp_path)
    for on in (OCTOBER, NOVEMBER, DECEMBER):
        months.put(on, REGISTER, d.register_rows(400))
        months.put(on, DIBAO, d.dibao_rows(0, 3), "539901")
        months.remember(months.night(on))
    night = months.night(date(2027, 1, 2))
    [row] = night.coverage.filter(dataset=DIBAO, county_code="539901").iter_rows(named=True)
    assert (row["status"], row["snapshot_date"]) == ("accepted", DECEMBER)


def test_an_older_file_is_refused(months: Months) -> None:
    months.put(NOVEMBER, DIBAO, d.dibao_rows(0, 260), "539901")
    months.remember(months.night(NOVEMBER))
    for file in (months.inbox / DIBAO).glob("539901_*"):
        file.unlink()
    months.put(date(2026, 11, 15), DIBAO, d.dibao_rows(0, 255), "539901")
    assert codes(months.night(DECEMBER), DIBAO) == {"E256"}
    months.put(DECEMBER, DIBAO, d.dibao_rows(0, 250), "539901")  # October's bytes under December's name
    assert codes(months.night(DECEMBER), DIBAO) == {"E256"}
    months.put(DECEMBER, DIBAO, d.dibao_rows(0, 261), "539901")
    assert codes(months.night(DECEMBER), DIBAO) == set()


def test_the_held_file_is_taken_after_a_look_and_only_this_file(months: Months) -> None:
    months.put(NOVEMBER, DIBAO, d.dibao_rows(0, 75), "539901")
    [held] = months.night(NOVEMBER).held
    looked = AcceptedByHand(*held.key, "", held.sha256, NOVEMBER)
    assert statuses(months.night(NOVEMBER, looked), DIBAO)["539901"] == "accepted"
    months.put(NOVEMBER, DIBAO, d.dibao_rows(0, 74), "539901")
    assert statuses(months.night(NOVEMBER, looked), DIBAO)["539901"] == "quarantined"


def test_one_county_is_taken_after_a_look(months: Months) -> None:
    rows = d.insured_rows(300)
    months.put(NOVEMBER, INSURED, [rows[0], *rows[1::2]])
    [told] = [one for one in months.night(NOVEMBER).accepted if one.dataset == INSURED]
    looked = AcceptedByHand(INSURED, "", "539902", told.sha256, NOVEMBER)
    assert set(statuses(months.night(NOVEMBER, looked), INSURED).values()) == {"accepted"}
    other = AcceptedByHand(INSURED, "", "539901", told.sha256, NOVEMBER)
    assert statuses(months.night(NOVEMBER, other), INSURED)["539902"] == "quarantined"


def test_a_list_of_other_people_every_month_is_asked_about_once(months: Months) -> None:
    months.put(NOVEMBER, DIBAO, d.dibao_rows(300, 250), "539901")
    [held] = months.night(NOVEMBER).held
    months.remember(months.night(NOVEMBER, AcceptedByHand(*held.key, "", held.sha256, NOVEMBER)))
    months.put(DECEMBER, DIBAO, d.dibao_rows(600, 250), "539901")
    assert statuses(months.night(DECEMBER), DIBAO)["539901"] == "accepted"


@pytest.mark.parametrize(
    "rows",
    [
        lambda: d.register_rows(160),
        lambda: d.register_rows(370),
        lambda: [d.register_rows(1)[0], *d.register_rows(400)[1::2]],
    ],
    ids=["a half gone", "cut at the end", "one county gone"],
)
def test_a_register_that_cannot_be_refuses_the_night(months: Months, rows: Callable[[], Rows]) -> None:
    months.put(NOVEMBER, REGISTER, rows())
    with pytest.raises(RegisterHeld) as refused:
        months.night(NOVEMBER)
    assert (refused.value.problem.code, refused.value.exit_code) == ("E210", 1)
    assert {p.code for p in refused.value.others if p.severity == "error"} <= {"E250", "E252", "E253"}
    held = refused.value.held
    looked = AcceptedByHand(*held.key, "", held.sha256, NOVEMBER)
    assert months.night(NOVEMBER, looked).snapshots


def test_the_same_night_again_is_the_same(months: Months) -> None:
    months.put(NOVEMBER, DIBAO, d.dibao_rows(0, 260), "539901")
    months.put(NOVEMBER, DIBAO, d.dibao_rows(0, 20), "539902")
    first, again = months.night(NOVEMBER), months.night(NOVEMBER)
    assert (first.accepted, first.held, first.problems) == (again.accepted, again.held, again.problems)
    assert first.coverage.equals(again.coverage)


def test_what_another_file_of_its_date_replaces_stays_the_measure(months: Months) -> None:
    """November is compared with what October's night accepted, also after a corrected file of October's date."""
    corrected = [row for n, row in enumerate(d.dibao_rows(0, 250)) if n % 10 or not n]
    months.put(OCTOBER, DIBAO, corrected, "539901")
    months.night(NOVEMBER)
    intake = months.night(NOVEMBER)
    [told] = [one for one in intake.accepted if one.key == (DIBAO, "539901")]
    assert told.vanished == 100  # 25 of October's 250; compared with itself it would be 0
