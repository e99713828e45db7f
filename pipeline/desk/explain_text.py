"""Words on the terminal: widths of Chinese characters, masked numbers, and no control characters out of delivered data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.desk.yaml_text import screen_width
from pipeline.identity.mask import mask_text, mask_value

WIDTH = 100
YES, NO, UNKNOWN = "✓", "✗", "?"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LONG_NUMBER = re.compile(r"(?<![0-9*])[0-9]{9,}[Xx]?")  # a cut or damaged number still holds a birth date
_MANY_STARS = re.compile(r"[*]{9,}")


def sign(verdict: bool | None) -> str:
    """✓ true, ✗ false, ? unknown."""
    return UNKNOWN if verdict is None else YES if verdict else NO


@dataclass(frozen=True)
class Voice:
    """How personal data are said: masked, or whole where the analyst asked for it."""

    full_ids: bool = False

    def number(self, text: str | None) -> str:
        """An identity or certificate number."""
        if not text:
            return "（空）"
        return plain(text) if self.full_ids else mask_value(text)

    def text(self, text: str) -> str:
        """Anything else that was delivered: a name, a file name, a cell."""
        if self.full_ids:
            return plain(text)
        starred = _LONG_NUMBER.sub("****", mask_text(plain(text)))
        return _MANY_STARS.sub("****", starred)

    def value(self, value: object) -> str:
        """A fact's or a cell's value."""
        if value is None:
            return "未知"
        if isinstance(value, bool):
            return "是" if value else "否"
        if isinstance(value, float):
            return f"{value:g}"
        if isinstance(value, date):
            return "长期" if value.year == 9999 else value.isoformat()
        return self.text(str(value))


def plain(text: str) -> str:
    """The text without control and direction characters, which could rewrite the terminal."""
    return _CONTROL.sub(" ", text)


def padded(text: str, columns: int) -> str:
    """The text filled with spaces to this many terminal columns."""
    return text + " " * max(columns - screen_width(text), 0)


def wrapped(lead: str, text: str, indent: int) -> list[str]:
    """`lead` and the text, broken at the terminal's width; further lines begin after `indent` columns."""
    lines = [lead]
    for character in text:
        if screen_width(lines[-1]) + screen_width(character) > WIDTH:
            lines.append(" " * indent)
        lines[-1] += character
    return lines


def columns(rows: Sequence[Sequence[str]], gap: str = "  ", numbers_from: int = 1) -> list[str]:
    """A table: columns as wide as their widest cell, those from `numbers_from` on set right."""
    widths = [max(screen_width(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            padded(cell, width) if n < numbers_from else " " * (width - screen_width(cell)) + cell
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(gap.join(cells).rstrip())
    return lines


def ranges(values: Sequence[object], top: int) -> str:
    """Values as a reader says them: 16至59, 60以上, 是, 肢体或视力. `top` is the highest number that was tried."""
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    if len(numbers) == len(values):
        return "或".join(_run_words(run, top) for run in _runs(sorted(numbers)))
    return "或".join("是" if v is True else "否" if v is False else str(v) for v in values)


def _run_words(run: list[int], top: int) -> str:
    if len(run) == 1:
        return str(run[0])
    return f"{run[-1]}以下" if run[0] == 0 else f"{run[0]}以上" if run[-1] == top else f"{run[0]}至{run[-1]}"


def _runs(numbers: list[int]) -> list[list[int]]:
    """Ascending numbers in runs without a gap."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs
