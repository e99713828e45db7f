"""When a period goes: complete and renewed lists, or the set day; once a month; numbers within the year."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.mail_settings import Period as Settings
from pipeline.delivery.period import COMPLETE, DEADLINE, Period, period_of_night

DATASETS = load_datasets(Path(__file__).resolve().parents[2] / "schemas")
MONTHLY, YEARLY = "finance/payments", "education/enrolment"


def coverage(on: date, *, missing: tuple[str, ...] = (), yearly: date = date(2026, 9, 1)) -> pl.DataFrame:
    rows = [
        (name, county, "missing" if name in missing else "accepted", None if name in missing else day)
        for name, day in ((MONTHLY, on), (YEARLY, yearly))
        for county in ("533401", "533423")
    ]
    return pl.DataFrame(rows, schema=["dataset", "county_code", "status", "snapshot_date"], orient="row")


def goes(earlier: list[Period], table: pl.DataFrame, as_of: date, **settings: int) -> Period | None:
    return period_of_night(earlier, table, DATASETS, as_of, Settings(**settings))  # type: ignore[arg-type]


def test_the_first_goes_as_soon_as_every_list_is_there() -> None:
    found = goes([], coverage(date(2026, 10, 31)), date(2026, 11, 5))
    assert found is not None
    assert (found.number, found.month, found.why) == (1, "2026-11", COMPLETE)
    assert found.due_on == date(2026, 11, 19)  # ten workdays


def test_with_a_list_missing_it_waits_for_the_set_day() -> None:
    table = coverage(date(2026, 10, 31), missing=(MONTHLY,))
    assert goes([], table, date(2026, 11, 19)) is None
    late = goes([], table, date(2026, 11, 20))
    assert late is not None
    assert late.why == DEADLINE


def test_the_next_month_waits_until_the_monthly_lists_are_new() -> None:
    first = goes([], coverage(date(2026, 10, 31)), date(2026, 11, 5))
    assert first is not None
    # on the first of the month all lists are still accepted: they are last month's
    assert goes([first], coverage(date(2026, 10, 31)), date(2026, 12, 1)) is None
    second = goes([first], coverage(date(2026, 11, 30)), date(2026, 12, 4))
    assert second is not None
    assert (second.number, second.why) == (2, COMPLETE)
    assert YEARLY in second.lists  # a yearly list need not be new


def test_one_a_month_and_the_same_night_again_is_the_same_period() -> None:
    table = coverage(date(2026, 10, 31))
    first = goes([], table, date(2026, 11, 5))
    assert first is not None
    assert goes([first], coverage(date(2026, 11, 15)), date(2026, 11, 20)) is None
    assert goes([first], table, date(2026, 11, 5)) == first


def test_numbers_begin_anew_with_the_year() -> None:
    december = Period(date(2026, 12, 4), 12, "2026-12", date(2026, 12, 18), COMPLETE, {})
    january = goes([december], coverage(date(2026, 12, 31)), date(2027, 1, 6))
    assert january is not None
    assert (january.number, january.key) == (1, "2027p1")


@pytest.mark.parametrize("why", [COMPLETE, DEADLINE])
def test_an_event_holds_all_of_it(why: str) -> None:
    period = Period(date(2026, 11, 5), 3, "2026-11", date(2026, 11, 19), why, {MONTHLY: date(2026, 10, 31)})
    assert Period.read(period.event()) == period


def test_a_year_of_nights_has_twelve_periods() -> None:
    earlier: list[Period] = []
    day = date(2026, 1, 1)
    while day.year == 2026:
        lists = (
            (day.replace(day=1) - timedelta(days=1))
            if day.day >= 5
            else day.replace(day=1) - timedelta(days=32)
        )
        found = goes(earlier, coverage(lists), day)
        if found is not None:
            earlier.append(found)
        day += timedelta(days=1)
    assert [period.number for period in earlier] == list(range(1, 13))
    assert len({period.month for period in earlier}) == 12
