"""What is said where a header is missing, doubled or misses columns: the place, the nearest name, the line to add.

Likeness (rapidfuzz) is used here only, to point at a column; a column is never accepted because it looks alike.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.problem import Problem
from pipeline.intake.header_text import letter, made_of_words, plain, shown

_ALIKE = 50.0  # of 100: below that no column is named as the nearest
_SHOWN = 60.0  # of 100: a text less like every known header may be a name or a number, and is not shown
_OTHER_SIGNS = 1  # Chinese signs that a text shown may have besides those of the known header
_MONEY = re.compile(r"\((?:单位:)?(?:人民币)?[万千百]?元[^)]{0,5}\)")
_SHELL = re.compile(r"[^\w./:·%@+=-]")  # \w: Chinese needs no quotes


@dataclass(frozen=True)
class UnknownColumn:
    """A column that is not read: no field has declared it (E215), or its field has a better one (E217).

    `header` is the text over it, or only its letter where the text may be a person's. Of an E217 the nearest are the
    field and the header that are read.
    """

    header: str
    column: int  # index from 0
    nearest_field: str | None
    nearest_header: str | None
    cure: str
    code: str = "E215"

    @property
    def note(self) -> Problem:
        """The note on it, without the file."""
        if self.code == "E217":
            what, why = "同一项的另一列，未读取", f"已采用“{self.nearest_header}”列"
        else:
            what = "不认识的列，未读取"
            why = f"最接近的是“{self.nearest_header}”" if self.nearest_header else "没有相近的列"
        return Problem(self.code, "note", what, why, self.cure, column=self.header)


class HeaderProblem(Exception):
    """No header (E211), two of them (E212), a field with two columns (E213), a hidden list (E216)."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    @property
    def problem(self) -> Problem:
        """The first of them."""
        return self.problems[0]


class MissingColumns(HeaderProblem):
    """Required fields without a column: one E214 a field."""


@dataclass(frozen=True)
class Place:
    """The list that is being read; builds its problems."""

    dataset: Dataset
    county: str

    def problem(self, code: str, row: int, what: str, why: str, cure: str, column: str = "") -> Problem:
        """An error at a physical row, from 1 (0: the whole sheet)."""
        key = self.dataset.dataset
        return Problem(
            code, "error", what, why, cure, row=row, column=column, dataset=key, county=self.county
        )

    def none(self, row: int, seen: Sequence[str], searched: int) -> Problem:
        """E211. `seen`: the fields that the likeliest row names."""
        fields = self.dataset.fields
        wanted = "、".join(spec.headers[0] for spec in fields.values() if spec.required)
        only = "、".join(fields[name].title for name in seen)
        return self.problem(
            "E211",
            row,
            f"没有找到“{self.dataset.title}”的表头",
            f"前{searched}行中没有一行含有必需的列（{wanted}）"
            + (f"，最像的一行只认出{only}" if only else ""),
            "核对是否放错了名单、是否缺表头；表头写法不同的，逐一声明："
            f"`reconcile alias add {self.dataset.dataset} 字段 表头`",
        )

    def second(self, row: int, other: int) -> Problem:
        """E212."""
        return self.problem(
            "E212",
            row,
            f"第{row}行和第{other}行都像表头，列的位置不同",
            "一张工作表只能有一份名单，否则会读错列",
            "把两份名单分到两张工作表，或删去多余的一份后重报",
        )

    def twice(self, row: int, name: str, columns: Mapping[int, str]) -> Problem:
        """E213. `columns`: index -> header text of the columns that all say they are the field."""
        which = "、".join(f"{letter(at)}列“{shown(text)}”" for at, text in columns.items())
        title = self.dataset.fields[name].title
        return self.problem(
            "E213",
            row,
            f"有{len(columns)}列都是“{title}”：{which}",
            "不知道该用哪一列，不能猜",
            "删去多余的列，或把它的表头改成别的名称后重报",
            shown(list(columns.values())[-1]),
        )

    def missing(self, row: int, name: str, unknown: Mapping[int, str]) -> Problem:
        """E214. `unknown`: index -> header text of the columns that no field knows."""
        spec = self.dataset.fields[name]
        headers = [*spec.headers, *spec.county_headers.get(self.county, ())]
        pairs = [
            (_alike(text, header), -at, text, header) for at, text in unknown.items() for header in headers
        ]
        score, at, text, header = max(pairs, default=(0.0, 0, "", ""), key=lambda pair: pair[:2])
        names = "、".join(f"“{known}”" for known in headers)
        if score >= _ALIKE and self.may_show(text):
            near = f"；不认识的列中，{letter(-at)}列“{shown(text)}”与“{header}”最接近"
            cure = f"若相同：{self.command(name, text)}；若不同：请报送单位补上这一列"
        elif score >= _ALIKE:
            near = f"；不认识的列中，{letter(-at)}列的表头与“{header}”最接近"
            cure = f"若相同（“表头”换成{letter(-at)}列的）：{self.command(name, '表头')}；若不同：请报送单位补上这一列"
        else:
            near = "；不认识的列中也没有相近的"
            cure = f"请报送单位补上这一列；若它另有名称：{self.command(name, '表头')}"
        return self.problem(
            "E214", row, f"缺少必需的列“{spec.title}”", f"表头中没有{names}{near}", cure, spec.headers[0]
        )

    def unknown(self, texts: Mapping[int, str], columns: Mapping[str, int]) -> Iterator[UnknownColumn]:
        """The ignored columns, each with the field still without a column that has the most similar header."""
        free = [
            (name, header)
            for name, spec in self.dataset.fields.items()
            if name not in columns
            for header in spec.headers
        ]
        for at, text in texts.items():
            scores = [_alike(text, header) for _, header in free]
            best = max(scores, default=0.0)
            if best < _ALIKE or not self.may_show(text):
                yield UnknownColumn(self.told(text, at), at, None, None, "无须处理")
                continue
            name, header = free[scores.index(best)]
            cure = f"若相同：{self.command(name, text)}；若不同：无须处理"
            yield UnknownColumn(shown(text), at, name, header, cure)

    def spare(self, name: str, at: int, text: str, used: str) -> UnknownColumn:
        """E217: a second column of a field, whose column under the header `used` is read."""
        cure = "若应采用这一列，请报送单位删去另一列后重报；否则无须处理"
        return UnknownColumn(self.told(text, at), at, name, shown(used), cure, "E217")

    def told(self, text: str, at: int) -> str:
        """A column as it is named in a message: by its header if that can be no person's, else by its letter."""
        return shown(text) if self.may_show(text) else letter(at)

    def may_show(self, text: str) -> bool:
        """Whether a header cannot be a name or a number: each level is near a known header or made of their words."""
        specs = self.dataset.fields.values()
        known = [
            plain(header)
            for spec in specs
            for header in (*spec.headers, *sum(spec.county_headers.values(), ()))
        ]
        levels = [text] if text in known else text.split("/")
        return all(made_of_words(level) or any(_near(level, header) for header in known) for level in levels)

    def command(self, name: str, text: str) -> str:
        """The line that declares a header, ready to be pasted into a shell."""
        where = f" --county {self.county}" if self.dataset.delivery.by == "county" and self.county else ""
        header = shlex.quote(shown(text)) if _SHELL.search(text) else shown(text)
        return f"`reconcile alias add {self.dataset.dataset} {name} {header}{where}`"


def _near(text: str, header: str) -> bool:
    text = _MONEY.sub("", text)
    other = sum(not sign.isascii() for sign in text if sign not in header)
    return other <= _OTHER_SIGNS and fuzz.ratio(text, header) >= _SHOWN


def _alike(text: str, header: str) -> float:
    return fuzz.ratio(text, plain(header))
