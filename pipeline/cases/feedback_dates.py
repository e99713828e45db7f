"""Days as clerks write them in an answer; a day without its year gets the only year that can be meant."""

from __future__ import annotations

import re
from datetime import date, timedelta

from pipeline.intake.values import day, visible

# Answers come within months. Later than the as-of date is possible: that is the newest list's date, not today.
_AHEAD = timedelta(92)
_BACK = timedelta(3 * 366)
_BACK_WITHOUT_YEAR = timedelta(272)  # with _AHEAD less than a year: one year at most fits
_MONTH_AND_DAY = re.compile("([0-9]{1,2})月([0-9]{1,2})[日号]?")


def answered_day(text: str, as_of: date) -> date | None:
    """The day, from every notation of the house's lists (2026.11.5, an Excel serial …) and from 11月5日.

    None where it is no day, or one that no answer of this time can have. 11.5 is none: as a number it may be 11.50.
    """
    found = _MONTH_AND_DAY.fullmatch(re.sub(r"\s+", "", visible(text)))
    if found:
        days = [_day(as_of.year + years, int(found[1]), int(found[2])) for years in (-1, 0, 1)]
        return next((d for d in days if d and as_of - _BACK_WITHOUT_YEAR <= d <= as_of + _AHEAD), None)
    full = day(text)
    return full if full and as_of - _BACK <= full <= as_of + _AHEAD else None


def _day(year: int, month: int, day_of_month: int) -> date | None:
    try:
        return date(year, month, day_of_month)
    except ValueError:
        return None
