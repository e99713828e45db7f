"""A parameter over time as a small step chart: inline SVG, a line a region, its last value written at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

from pipeline.contracts.rule import Parameter
from pipeline.desk.rule_words import region_words, value_words

_WIDTH, _LEFT, _RIGHT, _TOP, _PLOT, _ROW = 440, 42, 148, 30, 78, 15  # user units
_YEAR = timedelta(days=365)  # the axis ends a year after the day or the last change
_COLOURS = ("#1f5c8c", "#a3460d", "#1d6b3f", "#6b3fa0", "#7a5200", "#0f7b83", "#99266b", "#55626d")
_DASHES = ("", "7 3", "2 3", "9 3 2 3")  # lines differ in print, too, and to who sees no colours
_YES_NO = {"yes": 1.0, "是": 1.0, "no": 0.0, "否": 0.0}


@dataclass(frozen=True)
class _Line:
    """One region's values as numbers, by date."""

    steps: tuple[tuple[date, float], ...]
    label: str  # the region and its last value


@dataclass(frozen=True)
class _Frame:
    """The axes: what stands where."""

    first: date
    last: date
    low: float
    high: float

    def x(self, when: date) -> float:
        days = max((self.last - self.first).days, 1)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (when - self.first).days / days

    def y(self, value: float) -> float:
        return _TOP + _PLOT - (_PLOT - 10) * (value - self.low) / ((self.high - self.low) or 1)


def parameter_chart(name: str, parameter: Parameter, day: date) -> str:
    """The SVG; "" where there is no value, or one that is neither number nor yes/no: a table says those better."""
    lines = _lines(parameter)
    if not lines:
        return ""
    starts = [start for line in lines for start, _ in line.steps]
    numbers = [value for line in lines for _, value in line.steps]
    frame = _Frame(min(starts), max([*starts, day]) + _YEAR, min(0.0, *numbers), max(numbers))
    height = max(_TOP + _PLOT + 24, _TOP + len(lines) * _ROW + 18)
    label = escape(f"{name}的历次规定", quote=True)
    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">',
        f'<text x="0" y="14" class="name">{escape(name)}（{escape(parameter.unit)}）</text>',
        *_value_axis(frame, sorted(set(numbers)), parameter.unit),
        *_date_axis(frame, sorted(set(starts)), day),
    ]
    places = _label_places([frame.y(line.steps[-1][1]) for line in lines])
    for n, (line, place) in enumerate(zip(lines, places, strict=True)):
        parts += _drawn(line, n, place, frame)
    return "\n".join([*parts, "</svg>"])


def _lines(parameter: Parameter) -> list[_Line]:
    tables = [("", parameter.values), *((p, r.values) for p, r in sorted(parameter.regions.items()))]
    lines = []
    for prefix, values in tables:
        if not values:
            continue
        steps = [(start, _number(value)) for start, value in sorted(values.items())]
        known = tuple((start, number) for start, number in steps if number is not None)
        if len(known) != len(steps):
            return []
        last = value_words(values[max(values)], parameter.unit)
        lines.append(_Line(known, f"{region_words(prefix)} {last}"))
    return lines


def _number(value: str) -> float | None:
    try:
        return _YES_NO.get(value) if value in _YES_NO else float(value)
    except ValueError:
        return None


def _value_axis(frame: _Frame, numbers: Sequence[float], unit: str) -> Iterator[str]:
    """The values that occur, as far as they do not touch; the greatest always."""
    above = float("-inf")
    for number in [0.0, *numbers] if unit != "是否" and 0.0 not in numbers else numbers:
        y = frame.y(number)
        yield f'<line class="axis" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>'
        if number == frame.high or (abs(y - above) >= 13 and abs(y - frame.y(frame.high)) >= 13):
            said = ("是" if number else "否") if unit == "是否" else f"{number:g}"
            yield f'<text class="soft" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{said}</text>'
            above = y


def _date_axis(frame: _Frame, starts: Sequence[date], day: date) -> Iterator[str]:
    """The months of changes, as far as they do not touch, and the day itself as a line."""
    bottom, right = _TOP + _PLOT, float("-inf")
    for start in starts:
        x = frame.x(start)
        yield f'<line class="axis" x1="{x:.1f}" y1="{bottom}" x2="{x:.1f}" y2="{bottom + 4}"/>'
        if x - right >= 46:
            yield f'<text class="soft" x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{start:%Y-%m}</text>'
            right = x
    if frame.first <= day:
        x = frame.x(day)
        yield f'<line class="today" x1="{x:.1f}" y1="{_TOP - 4}" x2="{x:.1f}" y2="{bottom}"/>'


def _label_places(wanted: Sequence[float]) -> list[float]:
    """A height for every label, near its line's end, a row apart from the others."""
    order = sorted(range(len(wanted)), key=lambda n: (wanted[n], n))
    places, above = [0.0] * len(wanted), _TOP - _ROW + 2.0
    for n in order:
        above = max(wanted[n], above + _ROW)
        places[n] = above
    overhang = max(places) - max(_TOP + _PLOT, _TOP + len(wanted) * _ROW)
    return [place - max(overhang, 0.0) for place in places]


def _drawn(line: _Line, n: int, place: float, frame: _Frame) -> Iterator[str]:
    """The steps and the label. Lines of the same height are shifted a little, or one would hide the other."""
    colour, dashes, shift = _COLOURS[n % len(_COLOURS)], _DASHES[n % len(_DASHES)], 1.5 * (n % 4)
    points, end = [], frame.x(frame.last)
    for at, (start, value) in enumerate(line.steps):
        until = frame.x(line.steps[at + 1][0]) if at + 1 < len(line.steps) else end
        y = frame.y(value) - shift
        points += [f"{frame.x(start):.1f},{y:.1f}", f"{until:.1f},{y:.1f}"]
    stroke = f' stroke-dasharray="{dashes}"' if dashes else ""
    yield f'<polyline class="step" stroke="{colour}"{stroke} points="{" ".join(points)}"/>'
    last = frame.y(line.steps[-1][1]) - shift
    yield f'<line stroke="{colour}" x1="{end:.1f}" y1="{last:.1f}" x2="{end + 8:.1f}" y2="{place:.1f}"/>'
    yield f'<text x="{end + 11:.1f}" y="{place + 4:.1f}">{escape(line.label)}</text>'
