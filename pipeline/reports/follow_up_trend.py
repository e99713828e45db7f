"""The cases over the last thirteen months: what came, what went, how many stood open at each month's last night."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

import polars as pl

from pipeline.reports.follow_up import MAIN, nature_of
from pipeline.reports.night import NightForReports

MONTHS = 13  # this month and the same one a year ago
_WIDTH, _LEFT, _RIGHT, _TOP, _PLOT, _LABELS = 920, 56, 20, 22, 150, 40  # user units
_BARS = (("came", "came"), ("went", "went"))  # a month's two bars: field and class


@dataclass(frozen=True)
class Month:
    """Sums of a month's nights; `open` as of its last night, also by county. `came` is new and come back, `went` settled
    and closed."""

    first: date
    new: int
    reopened: int
    settled: int
    closed: int
    open: int
    by_county: dict[str, int]

    @property
    def came(self) -> int:
        return self.new + self.reopened

    @property
    def went(self) -> int:
        return self.settled + self.closed


def months(night: NightForReports, flow: pl.DataFrame) -> list[Month]:
    """The last MONTHS up to the night, from the ledger's first on, the oldest first; without programmes and leads.

    A month without a night has zeros and as many open cases as the one before."""
    known = flow.filter(pl.col("night") <= night.as_of)
    first_night = known["night"].min()
    if not isinstance(first_night, date):
        return []
    subjects = [subject for subject in known["subject"].unique() if nature_of(night, subject) == MAIN]
    main = known.filter(pl.col("subject").is_in(subjects))
    told = (_months_before(night.as_of, back) for back in range(MONTHS - 1, -1, -1))
    return [_month_of(main, first) for first in told if first >= first_night.replace(day=1)]


def _month_of(flow: pl.DataFrame, first: date) -> Month:
    month = pl.col("night").dt.truncate("1mo")
    sums = flow.filter(month == first).select("new", "reopened", "settled", "closed").sum().row(0)
    new, reopened, settled, closed = sums
    standing = flow.filter(month <= first).group_by("county_code").agg(pl.col("open").sum())
    by_county: dict[str, int] = dict(standing.sort("county_code").iter_rows())
    return Month(first, new, reopened, settled, closed, sum(by_county.values()), by_county)


def trend_chart(told: Sequence[Month]) -> str:
    """Inline SVG: two bars a month and the open cases as a line with its numbers; "" below two months: no trend yet."""
    if len(told) < 2:
        return ""
    most = max(1, *(max(m.came, m.went, m.open) for m in told))
    parts = [
        f'<svg class="chart trend" viewBox="0 0 {_WIDTH} {_TOP + _PLOT + _LABELS}" role="img"'
        ' aria-label="各月新增、销号和月末未结的件数，数字见下表">',
        *_axis(most),
        *(part for n, month in enumerate(told) for part in _bars(n, month, len(told), most)),
        *_line(told, most),
    ]
    return "\n".join([*parts, "</svg>"])


def _months_before(on: date, months: int) -> date:
    """The first day of the month so many months before."""
    number = on.year * 12 + on.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _x(n: int, of: int) -> float:
    """The middle of the n-th month."""
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (n + 0.5) / of


def _y(value: int, most: int) -> float:
    return _TOP + _PLOT * (1 - value / most)


def _axis(most: int) -> Iterator[str]:
    yield '<g class="axis">'
    for value in sorted({0, most // 2, most}):
        y = _y(value, most)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:,}</text>'
    yield "</g>"


def _bars(n: int, month: Month, of: int, most: int) -> Iterator[str]:
    middle, wide = _x(n, of), min(22.0, (_WIDTH - _LEFT - _RIGHT) / of * 0.3)
    for place, (field, look) in enumerate(_BARS):
        value = getattr(month, field)
        x, y = middle + (place - 1) * wide, _y(value, most)
        yield f'<rect class="{look}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{_TOP + _PLOT - y:.1f}"/>'
    bottom = _TOP + _PLOT + 18
    label = escape(f"{month.first:%Y-%m}" if n == 0 or month.first.month == 1 else f"{month.first:%m}月")
    yield f'<text class="of" x="{middle:.1f}" y="{bottom}" text-anchor="middle">{label}</text>'


def _line(told: Sequence[Month], most: int) -> Iterator[str]:
    places = [(_x(n, len(told)), _y(month.open, most)) for n, month in enumerate(told)]
    yield f'<polyline class="open" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>'
    for (x, y), month in zip(places, told, strict=True):
        yield f'<circle class="open" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        yield f'<text class="share" x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle">{month.open:,}</text>'
