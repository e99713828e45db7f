"""The settings of one synthetic prefecture, and the dates its facts hang on."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from pipeline.sample.dice import Rolls
from pipeline.sample.trouble import Trouble
from pipeline.sample.words import COUNTIES


@dataclass(frozen=True)
class World:
    """Everything the generator may know; the same values give the same bytes."""

    people: int
    seed: int
    as_of: date
    dirt: float
    register_share: float
    counties: int
    trouble: Trouble = field(default_factory=Trouble)

    @property
    def county_codes(self) -> list[str]:
        return [code for code, _, _ in COUNTIES[: self.counties]]

    @property
    def school_day(self) -> date:
        """The latest 31 August not after the as-of date: school age is the age on it."""
        this = date(self.as_of.year, 8, 31)
        return this if this <= self.as_of else date(self.as_of.year - 1, 8, 31)

    def rolls(self, frame: pl.DataFrame, key: str = "key") -> Rolls:
        return Rolls(self.seed, frame[key])


def months_later(day: date, months: int) -> date:
    """Calendar months later (earlier if negative), end-of-month safe."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def age_on(day: date) -> pl.Expr:
    """Completed years of `birth` on a day."""
    birth = pl.col("birth")
    before = birth.dt.month().cast(pl.Int64) * 100 + birth.dt.day() > day.month * 100 + day.day
    return day.year - birth.dt.year().cast(pl.Int64) - before.cast(pl.Int64)
