"""The only clock of the night-watch: what is done on what day is asked of the as-of date, when it was done of this one.

China has had one zone and no summer time since 1991, so the offset is fixed and no zone file is needed (Windows has none).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


def now() -> datetime:
    """The time in Asia/Shanghai, to the second; its `isoformat` ends in +08:00."""
    return datetime.now(SHANGHAI).replace(microsecond=0)


def today() -> date:
    """The day in Asia/Shanghai, wherever the machine believes to be."""
    return now().date()
