"""Precision and recall by threshold as one static SVG, a panel a list: no script, no font file, no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from pipeline.desk.tune_scores import ALL, Interval, Line, wilson

_WIDTH, _HEIGHT = 420, 250  # of a panel, user units
_LEFT, _TOP, _RIGHT, _BOTTOM = 52, 34, 14, 40  # its margins
_ACROSS = 2  # panels side by side
_PRECISION, _RECALL, _EXPECTED = "#0b5cad", "#c0501a", "#8a8a8a"

Rate = Callable[[Line], float | None]


def plot(lines: Sequence[Line], titles: Mapping[str, str], in_force: float, *, intervals: bool) -> str:
    """The SVG. Lists without a fuzzy link are left out. `intervals`: also the 95 % intervals (a sample)."""
    keys = [key for key in dict.fromkeys(x.dataset for x in lines) if key == ALL or _told(lines, key)]
    rows = -(-len(keys) // _ACROSS)
    width, height = _ACROSS * _WIDTH, rows * _HEIGHT + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="sans-serif" font-size="12" role="img">',
        "<title>精确率与召回率随阈值的变化</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *_legend(),
    ]
    for n, key in enumerate(keys):
        mine = [line for line in lines if line.dataset == key]
        title = "全部名单" if key == ALL else titles.get(key, key)
        x, y = n % _ACROSS * _WIDTH, 40 + n // _ACROSS * _HEIGHT
        parts.append(f'<g transform="translate({x},{y})">{_panel(mine, title, in_force, intervals)}</g>')
    return "\n".join([*parts, "</svg>", ""])


def _told(lines: Sequence[Line], key: str) -> bool:
    return any(x.dataset == key and (x.linked or x.matches) for x in lines)


def _legend() -> list[str]:
    said = [("精确率", _PRECISION, ""), ("召回率", _RECALL, ""), ("按概率估计的精确率", _EXPECTED, "4 3")]
    parts = []
    for n, (words, colour, dashes) in enumerate(said):
        x = 20 + n * 110
        stroke = f' stroke-dasharray="{dashes}"' if dashes else ""
        parts.append(
            f'<line x1="{x}" y1="20" x2="{x + 24}" y2="20" stroke="{colour}" stroke-width="2"{stroke}/>'
        )
        parts.append(f'<text x="{x + 30}" y="24">{words}</text>')
    parts.append('<text x="480" y="24" fill="#555555">横轴：阈值；竖线：现用阈值</text>')
    return parts


def _panel(lines: Sequence[Line], title: str, in_force: float, intervals: bool) -> str:
    rates: list[tuple[Rate, str, str]] = [
        (lambda x: x.expected_precision, _EXPECTED, "4 3"),
        (lambda x: x.recall, _RECALL, ""),
        (lambda x: x.precision, _PRECISION, ""),
    ]
    known = [value for rate, _, _ in rates for line in lines if (value := rate(line)) is not None]
    floor = _floor(min(known, default=0.0))
    parts = [f'<text x="{_LEFT}" y="20" font-size="14">{escape(title)}</text>', *_axes(lines, floor)]
    at = [n for n, line in enumerate(lines) if line.threshold == in_force]
    for n in at:
        x = _x(n, len(lines))
        parts.append(
            f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_HEIGHT - _BOTTOM}" stroke="#b0b0b0"/>'
        )
    for rate, colour, dashes in rates:
        parts += _curve(lines, rate, colour, dashes, floor)
    if intervals:
        parts += _whiskers(lines, floor)
    return "".join(parts)


def _floor(lowest: float) -> float:
    """The lowest round number below the curves, so that what differs can be seen."""
    return next(floor for floor in (0.999, 0.99, 0.95, 0.9, 0.8, 0.5, 0.0) if floor <= lowest or not floor)


def _x(n: int, count: int) -> float:
    return _LEFT + (n + 0.5) * (_WIDTH - _LEFT - _RIGHT) / count


def _y(share: float, floor: float) -> float:
    inside = _HEIGHT - _TOP - _BOTTOM
    return _TOP + (1 - (max(share, floor) - floor) / (1 - floor)) * inside


def _axes(lines: Sequence[Line], floor: float) -> list[str]:
    parts = []
    for step in range(5):
        share = floor + (1 - floor) * step / 4
        y = _y(share, floor)
        parts.append(
            f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#e4e4e4"/>'
        )
        parts.append(
            f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end" font-size="10">{share * 100:.5g}%</text>'
        )
    for n, line in enumerate(lines):
        x = _x(n, len(lines))
        parts.append(
            f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle" font-size="10">{line.threshold:g}</text>'
        )
    return parts


def _curve(lines: Sequence[Line], rate: Rate, colour: str, dashes: str, floor: float) -> list[str]:
    """A line through the known points and a dot on each, with its value as a tooltip."""
    known = [(n, value) for n, line in enumerate(lines) if (value := rate(line)) is not None]
    points = [(_x(n, len(lines)), _y(value, floor), value) for n, value in known]
    stroke = f' stroke-dasharray="{dashes}"' if dashes else ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    parts = (
        [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{stroke}/>']
        if path
        else []
    )
    return parts + [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{value:.4%}</title></circle>'
        for x, y, value in points
    ]


def _whiskers(lines: Sequence[Line], floor: float) -> list[str]:
    """The 95 % intervals of precision (a little to the left) and recall (a little to the right)."""
    parts = []
    for n, line in enumerate(lines):
        sides: list[tuple[Interval | None, str, int]] = [
            (wilson(line.right, line.right + line.wrong), _PRECISION, -2),
            (wilson(line.right, line.matches), _RECALL, 2),
        ]
        for interval, colour, aside in sides:
            if interval:
                x = _x(n, len(lines)) + aside
                low, high = _y(interval[0], floor), _y(interval[1], floor)
                parts.append(
                    f'<line x1="{x:.1f}" y1="{low:.1f}" x2="{x:.1f}" y2="{high:.1f}" stroke="{colour}"/>'
                )
    return parts
