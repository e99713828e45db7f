"""The period (第N期): nights are many, reports are few.

One a month. It goes on the first night on which every expected list is accepted and the monthly ones are newer than those of the
period before; at the latest on a set day of the month, with what is wanting named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipeline.cases import Event
from pipeline.cases.event import JSON
from pipeline.contracts.dataset import Dataset
from pipeline.contracts.mail_settings import Period as PeriodSettings
from pipeline.contracts.workdays import Workdays

_MONTHLY = 62  # days after which a monthly list is stale (schemas): quarterly and yearly ones need not be new each period

COMPLETE, DEADLINE, BY_HAND = "complete", "deadline", "by_hand"


@dataclass(frozen=True)
class Period:
    """A period that goes, or went, on a day. `number` counts within the year; `lists` are the dates of the lists that it rests on."""

    on: date
    number: int
    month: str  # 2026-11
    due_on: date
    why: str  # COMPLETE, DEADLINE or BY_HAND
    lists: Mapping[str, date]

    @property
    def key(self) -> str:
        return f"{self.on.year}p{self.number}"

    def event(self) -> Event:
        body: dict[str, JSON] = {
            "number": self.number,
            "month": self.month,
            "due_on": self.due_on.isoformat(),
            "why": self.why,
            "lists": {name: day.isoformat() for name, day in sorted(self.lists.items())},
        }
        return Event(self.on, "period", None, body)

    @staticmethod
    def read(event: Event) -> Period:
        body = dict(event.body)
        lists = {str(name): date.fromisoformat(str(day)) for name, day in body["lists"].items()}  # type: ignore[union-attr]
        due_on = date.fromisoformat(str(body["due_on"]))
        return Period(event.on, int(str(body["number"])), str(body["month"]), due_on, str(body["why"]), lists)


def calendar(settings: PeriodSettings) -> Workdays:
    return Workdays(frozenset(settings.holidays), frozenset(settings.workdays))


def period_of_night(
    earlier: Sequence[Period],
    coverage: pl.DataFrame,
    datasets: Mapping[str, Dataset],
    as_of: date,
    settings: PeriodSettings,
) -> Period | None:
    """The period that goes tonight (or went tonight already, when the night is run again); None on the nights between."""
    month = f"{as_of:%Y-%m}"
    same = [period for period in earlier if period.month == month]
    if same:
        return same[-1] if same[-1].on == as_of else None
    lists = _lists(coverage)
    whole = bool((coverage["status"] == "accepted").all())
    before = earlier[-1].lists if earlier else {}
    if whole and _renewed(lists, before, datasets):
        why = COMPLETE
    elif as_of.day >= settings.latest_day:
        why = DEADLINE
    else:
        return None
    return _next(earlier, as_of, why, lists, settings)


def period_by_hand(
    earlier: Sequence[Period], coverage: pl.DataFrame, on: date, settings: PeriodSettings
) -> Period:
    """The period of a month whose reports a person took to the counties, whatever lists were there."""
    return _next(earlier, on, BY_HAND, _lists(coverage), settings)


def _next(
    earlier: Sequence[Period], on: date, why: str, lists: Mapping[str, date], settings: PeriodSettings
) -> Period:
    number = 1 + max((period.number for period in earlier if period.on.year == on.year), default=0)
    due_on = calendar(settings).after(on, settings.workdays_to_answer)
    return Period(on, number, f"{on:%Y-%m}", due_on, why, lists)


def _lists(coverage: pl.DataFrame) -> dict[str, date]:
    """The oldest accepted snapshot of each list."""
    accepted = coverage.filter(pl.col("status") == "accepted", pl.col("snapshot_date").is_not_null())
    oldest = accepted.group_by("dataset").agg(pl.col("snapshot_date").min()).sort("dataset")
    return dict(oldest.select("dataset", "snapshot_date").iter_rows())


def _renewed(lists: Mapping[str, date], before: Mapping[str, date], datasets: Mapping[str, Dataset]) -> bool:
    """Whether every monthly list is newer than at the period before."""
    monthly = [
        name for name in before if name in datasets and datasets[name].delivery.stale_after_days <= _MONTHLY
    ]
    return all(name in lists and lists[name] > before[name] for name in monthly)
