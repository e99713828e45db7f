"""Workdays: the official calendar, what the settings add, years that nobody has told of yet."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.workdays import Workdays, knows

DAYS = st.dates(date(2025, 1, 1), date(2028, 12, 31))


def test_the_week_of_national_day_is_left_out_and_its_saturday_is_worked() -> None:
    # 国庆 2026: 1–7 October off, Saturday 10 October worked
    assert Workdays().after(date(2026, 9, 30), 3) == date(2026, 10, 10)


def test_spring_festival_of_a_known_year() -> None:
    assert not Workdays().is_workday(date(2026, 2, 17))
    assert Workdays().is_workday(date(2026, 2, 14))  # a Saturday that is worked


def test_a_year_that_nobody_has_told_of_knows_weekends_and_fixed_days() -> None:
    assert not knows(2031)
    assert not Workdays().is_workday(date(2031, 10, 1))
    assert not Workdays().is_workday(date(2031, 1, 4))  # a Saturday
    assert Workdays().is_workday(date(2031, 1, 6))


def test_the_settings_win() -> None:
    own = Workdays(frozenset({date(2027, 2, 8)}), frozenset({date(2027, 2, 14)}))
    assert not own.is_workday(date(2027, 2, 8))
    assert own.is_workday(date(2027, 2, 14))  # a Sunday


@settings(deadline=None)
@given(DAYS, st.integers(0, 40))
def test_after_and_between_belong_together(day: date, workdays: int) -> None:
    calendar = Workdays()
    last = calendar.after(day, workdays)
    assert calendar.between(day, last) == workdays
    assert workdays == 0 or calendar.is_workday(last)
    assert calendar.between(last, day) == 0 if last > day else True


@pytest.mark.parametrize("year", [2025, 2026])
def test_each_month_has_its_workdays(year: int) -> None:
    first = date(year, 1, 1)
    days = [first + timedelta(days=n) for n in range(365)]
    assert 240 <= sum(Workdays().is_workday(day) for day in days) <= 255
