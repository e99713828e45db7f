"""The date words at hand-worked dates, and that they never depend on anything but the as-of date."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.entitlement.dates import add_months, date_words

DAYS = st.dates(date(1990, 1, 1), date(2099, 12, 31))


def days_of(as_of: date) -> dict[str, date | int]:
    words = date_words(as_of)
    row = duckdb.sql("select " + ", ".join(words.values())).fetchall()[0]
    return dict(zip(words, row, strict=True))


@pytest.mark.parametrize(
    ("as_of", "word", "meant"),
    [
        (date(2026, 10, 31), "本日", date(2026, 10, 31)),
        (date(2026, 10, 31), "本年", 2026),
        (date(2026, 10, 31), "一年前", date(2025, 10, 31)),
        (date(2024, 2, 29), "一年前", date(2023, 2, 28)),
        (date(2026, 10, 31), "一个月后", date(2026, 11, 30)),
        (date(2026, 1, 31), "一个月后", date(2026, 2, 28)),
        (date(2024, 1, 31), "一个月后", date(2024, 2, 29)),
        (date(2026, 12, 31), "一个月后", date(2027, 1, 31)),
        (date(2026, 10, 31), "六个月后", date(2027, 4, 30)),
        (date(2026, 8, 31), "六个月后", date(2027, 2, 28)),
        (date(2026, 10, 31), "学年基准日", date(2026, 8, 31)),
        (date(2026, 8, 31), "学年基准日", date(2026, 8, 31)),
        (date(2026, 8, 30), "学年基准日", date(2025, 8, 31)),
        (date(2026, 1, 1), "学年基准日", date(2025, 8, 31)),
    ],
)
def test_words_at_a_date(as_of: date, word: str, meant: date | int) -> None:
    assert days_of(as_of)[word] == meant


@given(DAYS)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_the_last_three_months_begin_on_a_first_and_cover_three_whole_months(as_of: date) -> None:
    start = days_of(as_of)["三个月前"]
    assert isinstance(start, date)
    assert start.day == 1
    assert start <= add_months(as_of.replace(day=1), -2)
    assert start >= add_months(as_of.replace(day=1), -3)


@given(DAYS, st.integers(-240, 240))
@settings(derandomize=True, deadline=None)
def test_months_are_added_end_of_month_safe(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


@given(DAYS, DAYS, st.integers(-24, 24))
@settings(derandomize=True, deadline=None)
def test_adding_months_keeps_the_order_of_days(one: date, other: date, months: int) -> None:
    assert (one <= other) <= (add_months(one, months) <= add_months(other, months))


@given(DAYS)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_the_school_day_is_the_latest_31_august_not_after(as_of: date) -> None:
    day = days_of(as_of)["学年基准日"]
    assert isinstance(day, date)
    assert (day.month, day.day) == (8, 31)
    assert day <= as_of < day.replace(year=day.year + 1)
