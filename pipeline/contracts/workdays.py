"""Workdays in China: weekends, holidays and the weekends that are worked for them (国务院办公厅 tells them each autumn).

The years come from the package chinesecalendar; what it does not know yet comes from the settings, else only the days off
that the law itself fixes by the solar calendar (全国年节及纪念日放假办法) are counted: a due date is then rather a day early.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import chinese_calendar

_FIXED = ((1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3))  # 元旦, 劳动节, 国庆节
_SATURDAY = 5


@dataclass(frozen=True)
class Workdays:
    """The calendar with what the settings add. `holidays` and `worked` win over everything else."""

    holidays: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()

    def is_workday(self, day: date) -> bool:
        if day in self.worked:
            return True
        if day in self.holidays:
            return False
        if knows(day.year):
            return bool(chinese_calendar.is_workday(day))
        return day.weekday() < _SATURDAY and (day.month, day.day) not in _FIXED

    def after(self, day: date, workdays: int) -> date:
        """The last of so many workdays that follow on a day (which does not count itself)."""
        while workdays:
            day += timedelta(days=1)
            workdays -= self.is_workday(day)
        return day

    def between(self, first: date, last: date) -> int:
        """Workdays after `first` up to and with `last`; 0 where it lies before."""
        days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
        return sum(self.is_workday(day) for day in days)


def knows(year: int) -> bool:
    """Whether the package has the holidays of that year."""
    try:
        chinese_calendar.is_workday(date(year, 1, 1))
        chinese_calendar.is_workday(date(year, 12, 31))
    except NotImplementedError:
        return False
    return True
