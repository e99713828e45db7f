"""The expression language of rules and facts: names, literals, and/or/not, comparisons, in, between, + - * /.

Nothing else is allowed, so that *unknown* can only come from unknown: no IS NULL, COALESCE, CASE, functions or
sub-queries. sqlglot parses; an allow-list of node types is checked from the root (a deny-list misses things).
Conditions of facts (schemas/) may also say `blank(field)`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from pipeline.contracts.problem import Problem, ReconcileError

_ALLOWED: tuple[type[exp.Expr], ...] = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Paren, exp.Neg,
    exp.And, exp.Or, exp.Not,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between,
    exp.Add, exp.Sub, exp.Mul, exp.Div,
)  # fmt: skip
_FULL_WIDTH = str.maketrans("（），＝＜＞＋－＊／　；", "(),=<>+-*/ ;") | {ord("！"): "!", ord("。"): "."}
_QUOTES = {"‘": "’", "“": "”", "'": "'"}


def half_width(text: str) -> str:
    """Full-width punctuation outside quotes to ASCII; Chinese quotes to ASCII quotes.

    `（1，2）` and `“张三”` would otherwise parse silently as column names.
    """
    out: list[str] = []
    closing = ""
    for character in text:
        if closing:
            inner = "''" if character == "'" else character
            out.append("'" if character == closing else inner)
            closing = "" if character == closing else closing
        elif character in _QUOTES:
            closing = _QUOTES[character]
            out.append("'")
        else:
            out.append(character.translate(_FULL_WIDTH))
    return "".join(out)


def quote_names(text: str, names: Iterable[str]) -> str:
    """Puts the names into double quotes outside string literals: a field may be called `on` or `end`, SQL's own words."""
    word = re.compile(r"\b(" + "|".join(re.escape(name) for name in names) + r")\b")
    pieces = re.split(r"('(?:[^']|'')*'|\"[^\"]*\")", text)
    return "".join(p if p[:1] in ("'", '"') else word.sub(r'"\1"', p) for p in pieces)


def parse(text: str, *, blanks: bool = False, fields: Iterable[str] = ()) -> exp.Expr:
    """The expression's tree, every node on the allow-list. Raises ReconcileError E304 with the offending part.

    The tree is shared by all who ask for the same text: to be read, never changed.
    """
    return _parsed(text, blanks, tuple(fields))


@lru_cache(maxsize=4096)  # a night asks for every condition twice: rehearsed, then run
def _parsed(text: str, blanks: bool, fields: tuple[str, ...]) -> exp.Expr:
    plain = quote_names(half_width(text), fields) if fields else half_width(text)
    try:
        trees = [tree for tree in sqlglot.parse(plain, read="duckdb") if tree is not None]
    except SqlglotError:
        raise _refused(
            text, "读不懂这句条件", "只可用：事实名、常数、and or not、比较、in (…)、between、+ - * /"
        ) from None
    if len(trees) != 1 or trees[0] is None or ";" in _outside_quotes(half_width(text)):
        raise _refused(text, "一个条件里只能有一句表达式", "写一句条件；删去分号及其后的内容")
    return _checked(trees[0], text, blanks)


def _outside_quotes(text: str) -> str:
    return re.sub("'[^']*'|\"[^\"]*\"", "", text)


def _checked(tree: exp.Expr, text: str, blanks: bool) -> exp.Expr:
    for node in tree.walk():
        if blanks and isinstance(node, exp.Anonymous) and str(node.this).lower() == "blank":
            if [type(operand) for operand in node.expressions] != [exp.Column]:
                raise _refused(text, "blank 的括号里只能是一个字段名", "写成 blank(字段)")
            continue
        if not isinstance(node, _ALLOWED):
            raise _refused(
                text,
                f"不允许使用 {node.key.upper()}",
                "只可用：事实名、常数、and or not、比较、in (…)、between、+ - * /",
            )
        if isinstance(node, exp.Column) and len(node.parts) != 1:
            raise _refused(text, "事实名里不能有“.”", "直接写事实名")
        if isinstance(node, exp.In) and not node.expressions:
            raise _refused(text, "in 后面只能是括号里的常数", "写成 in ('甲', '乙')")
    return tree


def names_in(tree: exp.Expr) -> list[str]:
    """The names that the expression uses, in order of appearance, each once."""
    return list(dict.fromkeys(column.name for column in tree.find_all(exp.Column)))


def check_names(tree: exp.Expr, text: str, known: Iterable[str], where: str) -> None:
    """Raises ReconcileError E305 naming the nearest known names where one is unknown."""
    known = set(known)
    for name in names_in(tree):
        if name in known:
            continue
        near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.3)
        raise ReconcileError(
            Problem(
                "E305",
                "error",
                f"{where} 用到了没有的名称“{name}”",
                "它不是事实、参数或日期词",
                f"相近的有：{'、'.join(near) or '无'}；事实在 schemas/ 的 facts 里声明",
            )
        )


def to_sql(tree: exp.Expr, column: Callable[[str], str], dialect: str = "duckdb") -> str:
    """SQL text with every name replaced by `column(name)`; a division by zero is unknown, `blank(x)` is `x is null`."""

    def replace(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column):
            return _reference(column(node.name)).copy()
        if isinstance(
            node, exp.Div
        ):  # what is replaced is not walked into any more: the operands are replaced here
            divided = node.copy()
            divisor = exp.Nullif(this=node.expression.transform(replace), expression=exp.Literal.number(0))
            divided.set("this", node.this.transform(replace))
            divided.set("expression", divisor)
            return divided
        if isinstance(node, exp.Anonymous):
            operand = node.expressions[0].transform(replace)
            return exp.Paren(this=exp.Is(this=operand, expression=exp.Null()))
        return node

    return tree.transform(replace).sql(dialect=dialect)


@lru_cache(maxsize=4096)
def _reference(sql: str) -> exp.Expr:
    return exp.maybe_parse(sql, dialect="duckdb")


def _refused(text: str, what: str, cure: str) -> ReconcileError:
    return ReconcileError(
        Problem("E304", "error", f"{what}：{text}", "规则语言只含少数几种写法，以便“未知”不会被掩盖", cure)
    )
