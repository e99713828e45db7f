"""The date words of rules and facts, computed from the as-of date; nothing reads the clock."""

from __future__ import annotations

import calendar
from datetime import date


def add_months(day: date, months: int) -> date:
    """The same day `months` calendar months on, or that month's last day where it has no such day (end-of-month safe)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def date_words(as_of: date) -> dict[str, str]:
    """SQL literal by word. 学年基准日: the latest 31 August that is not after the as-of date.

    三个月前 is the first of the third month before: payments are booked by month and a month late.
    """
    school = date(as_of.year if (as_of.month, as_of.day) >= (8, 31) else as_of.year - 1, 8, 31)
    days = {
        "本日": as_of,
        "本月初": as_of.replace(day=1),
        "上月初": add_months(as_of.replace(day=1), -1),
        "六个月前": add_months(as_of, -6),
        "一年前": add_months(as_of, -12),
        "两年前": add_months(as_of, -24),
        "三年前": add_months(as_of, -36),
        "三个月前": add_months(as_of.replace(day=1), -3),
        "一个月后": add_months(as_of, 1),
        "六个月后": add_months(as_of, 6),
        "学年基准日": school,
    }
    return {word: f"cast('{day.isoformat()}' as date)" for word, day in days.items()} | {
        "本年": str(as_of.year)
    }
