"""Case numbers and progress on a county's list."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
import report_nights as nights

from pipeline.contracts.tables import CASES, CASES_TOLD
from pipeline.reports.night import NightForReports
from pipeline.reports.rows import case_rows, county_table, sorted_county


def a_case(night: NightForReports, one: dict[str, Any], number: str, **said: Any) -> dict[str, Any]:
    """The case of an outcome, found tonight unless `said` otherwise."""
    case: dict[str, Any] = dict.fromkeys({**CASES, **CASES_TOLD})
    case |= {"case_number": number, "certificate_number": one["certificate_number"]}
    case |= {"subject": one["benefit"], "county_code": one["county_code"], "state": "open", "times_opened": 1}
    case |= {"first_seen": night.as_of, "days_open": 0, "times_sent": 0}
    return case | {"overdue": False, "again": False, "suppressed": False, "held": False} | said


def told(night: NightForReports, **said: Any) -> dict[str, str]:
    """The printed row of the first missed benefit whose case says so."""
    one = night.outcomes.filter(pl.col("outcome") == "missing", pl.col("strength") == "entitlement").row(
        0, named=True
    )
    cases = pl.DataFrame([a_case(night, one, "XGLL-2610-0001-0", **said)], schema=CASES | CASES_TOLD)
    rows = sorted_county(case_rows(replace(night, cases=cases)), night.region, "某县")
    table = county_table(rows, night, "某县", full_ids=True)
    found = table.filter(pl.col("疑点编号") != "")
    assert found.height <= 1
    return found.row(0, named=True) if found.height else {}


@pytest.mark.parametrize(
    ("said", "progress"),
    [
        ({}, "【新增】"),
        ({"first_seen": date(2026, 1, 31), "days_open": 40}, "第40天"),
        ({"first_seen": date(2026, 1, 31), "times_opened": 2}, "【再次出现】"),
        ({"first_seen": date(2026, 1, 31), "again": True}, "【复核】"),
        ({"first_seen": date(2026, 1, 31), "state": "answered"}, "已反馈"),
        ({"held": True}, "【待批准】"),
    ],
)
def test_number_and_progress(said: dict[str, Any], progress: str) -> None:
    night = nights.full_night()
    row = told(night, **said)
    assert (row["疑点编号"], row["进展"]) == ("XGLL-2610-0001-0", progress)
    assert row["首次发现"] == said.get("first_seen", night.as_of).isoformat()


OLD = date(2026, 1, 31)
SENT = {
    "state": "sent",
    "first_seen": OLD,
    "last_sent": nights.AS_OF,
    "due_on": date(2026, 11, 13),
    "days_open": 40,
}


@pytest.mark.parametrize(
    ("said", "progress"),
    [
        # found weeks ago, told tonight for the first time
        ({**SENT, "first_sent": nights.AS_OF, "times_sent": 1}, "【新增】"),
        ({**SENT, "first_sent": OLD, "times_sent": 2}, "第40天"),
        # was over and is back: until it is asked about anew, and in the period that does so
        (
            {"first_seen": OLD, "times_opened": 2, "days_open": 40, "first_sent": OLD, "times_sent": 1},
            "【再次出现】",
        ),
        ({**SENT, "times_opened": 2, "first_sent": OLD, "times_sent": 2}, "【再次出现】"),
        (
            {**SENT, "times_opened": 2, "first_sent": OLD, "times_sent": 3, "due_on": date(2026, 10, 31)},
            "第40天",
        ),
        ({**SENT, "times_opened": 2, "first_sent": OLD, "times_sent": 2, "answered_on": OLD}, "第40天"),
    ],
)
def test_what_is_new_is_new_to_the_county(said: dict[str, Any], progress: str) -> None:
    class Third:
        number, month, due_on = 3, "2026-10", date(2026, 11, 13)

    night = replace(nights.full_night(), period=Third())
    assert told(night, **said)["进展"] == progress


def test_the_first_day_it_was_sent_is_told() -> None:
    night = nights.full_night()
    assert told(night, first_sent=OLD, times_sent=2)["首次下发日"] == "2026-01-31"


def test_what_is_late_says_by_how_many_days() -> None:
    night = nights.full_night()
    row = told(night, overdue=True, state="sent", times_sent=2, due_on=night.as_of - timedelta(3))
    assert (row["进展"], row["下发次数"], row["反馈截止日"]) == (
        "【超期3天】",
        "2",
        str(night.as_of - timedelta(3)),
    )


def test_what_rests_after_a_reasoned_no_is_not_sent_again() -> None:
    night = nights.full_night()
    before = case_rows(night).height
    assert told(night, suppressed=True, state="answered") == {}
    assert told(night)["进展"] == "【新增】"
    assert case_rows(night).height == before
