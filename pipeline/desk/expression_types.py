"""Kinds of values in an expression: a comparison of text with a number is found before a night runs it.

DuckDB alone is too kind: it reads `'一'` beside a number as a number and a number beside a yes/no as a yes/no, and a
code that no list knows compares to nothing in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from pipeline.desk.complaints import nearest

NUMBER, TEXT, DATE, YES_NO = "数", "文字", "日期", "是非"
_OF_SQL = {"BIGINT": NUMBER, "DOUBLE": NUMBER, "VARCHAR": TEXT, "DATE": DATE, "BOOLEAN": YES_NO}
_ISO_DATE = re.compile("^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div)


def kind_of(sql_type: str) -> str:
    """What a SQL type is to the people who write rules."""
    return _OF_SQL[sql_type]


@dataclass(frozen=True)
class Vocabulary:
    """The kind of every name, and the codes that a coded name may have."""

    kinds: Mapping[str, str]
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def type_complaints(tree: exp.Expr, words: Vocabulary, wanted: str = YES_NO) -> list[str]:
    """What does not fit in an expression whose names are all known; empty if all does."""
    found: list[str] = []
    kind = _kind(tree, words, found)
    if not found and kind != wanted:
        found.append(f"整句的结果是{kind}，应为{wanted}")
    return found


def _kind(node: exp.Expr, words: Vocabulary, found: list[str]) -> str:
    if isinstance(node, exp.Column):
        return words.kinds[node.name]
    if isinstance(node, exp.Literal):
        return TEXT if node.is_string else NUMBER
    if isinstance(node, exp.Paren):
        return _kind(node.this, words, found)
    if isinstance(node, (exp.And, exp.Or)):
        _each([node.this, node.expression], YES_NO, "and / or 的两边", words, found)
    elif isinstance(node, exp.Not):
        _each([node.this], YES_NO, "not 的后面", words, found)
    elif isinstance(node, (*_COMPARISONS, exp.In, exp.Between)):
        _compared(node, words, found)
    elif isinstance(node, exp.Neg):
        _each([node.this], NUMBER, "负号的后面", words, found)
        return NUMBER
    elif isinstance(node, _ARITHMETIC):
        _each([node.this, node.expression], NUMBER, "+ - * / 的两边", words, found)
        return NUMBER
    return YES_NO  # a comparison, a yes/no constant, blank(…)


def _each(operands: list[exp.Expr], wanted: str, place: str, words: Vocabulary, found: list[str]) -> None:
    for operand in operands:
        kind = _kind(operand, words, found)
        if kind != wanted:
            found.append(f"{place}应为{wanted}，而“{_shown(operand)}”是{kind}")


def _compared(node: exp.Expr, words: Vocabulary, found: list[str]) -> None:
    left = node.this
    others = [
        part for key in ("expression", "low", "high") if (part := node.args.get(key)) is not None
    ] + node.expressions
    kind = _kind(left, words, found)
    for other in others:
        if not _alike(left, kind, other, _kind(other, words, found)):
            said = f"“{_shown(left)}”是{kind}，“{_shown(other)}”是{_kind(other, words, [])}"
            found.append(f"不同种类的值不能比较：{said}")
    by_order = not isinstance(node, (exp.EQ, exp.NEQ, exp.In))
    if (
        by_order and kind in (TEXT, YES_NO) and not isinstance(left, exp.Literal)
    ):  # a date may be written as text
        found.append(f"“{_shown(left)}”是{kind}，分不出大小，只能用 =、<> 或 in 来比较")
    if isinstance(node, (exp.EQ, exp.NEQ, exp.In)):
        _known_codes([left, *others], words, found)


def _shown(node: exp.Expr) -> str:
    return node.sql(dialect="duckdb").replace('"', "")  # fields are quoted on the way to SQL


def _alike(left: exp.Expr, left_kind: str, right: exp.Expr, right_kind: str) -> bool:
    """A date written as text counts as a date beside a date."""
    if left_kind == right_kind:
        return True
    day = right if left_kind == DATE else left if right_kind == DATE else None
    return isinstance(day, exp.Literal) and day.is_string and bool(_ISO_DATE.match(day.this))


def _known_codes(parts: list[exp.Expr], words: Vocabulary, found: list[str]) -> None:
    """A constant beside a coded name must be one of its codes, or the comparison never holds."""
    for column in parts:
        codes = words.codes.get(column.name, ()) if isinstance(column, exp.Column) else ()
        found.extend(
            f"“{literal.this}”不是“{column.name}”的代码，相近的有：{nearest(literal.this, codes)}"
            for literal in parts
            if codes and isinstance(literal, exp.Literal) and literal.this not in codes
        )
