"""The expression language lets nothing in but what cannot hide an unknown, and says in Chinese what it refuses."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.problem import ReconcileError
from pipeline.entitlement.expression import check_names, half_width, names_in, parse, to_sql

REFUSED = """
a is null|a is not null|a is true|a is distinct from b|a <=> b|null|coalesce(a, b)|ifnull(a, b)|nullif(a, b)
case when a then b end|if(a, b, c)|lower(a)|abs(a)|@a|random()|now()|current_date|getenv('HOME')|blank(a)
read_csv('x.csv')|a in (select 1)|a in b|a in ()|(select 1)|select 1|exists (select 1)|a = any(b)|unnest(a)
x -> x|columns('.*')|columns(*)|*|a.*|a.b|a.b.c|a; b|a;|;|a = 1; drop table t|cast(a as int)|try_cast(a as int)
a::int|date '2020-01-01'|interval 1 day|a like 'x'|a ilike 'x'|a glob 'x'|a similar to 'x'|a ~ 'x'|a 'x' 'y'
a % b|a // b|a ** b|a ^ b|a & b|~a|a[1]|{'k': a}|(a, b)|a as b|a:b|$1|?|a collate nocase|a over ()
a at time zone 'x'|a xor b|a and|and a|(a|a)|a = = b|100%|distinct a|try(a)|e'x'|x'41'|a between 1|a in (1|drop table t
"""


@pytest.mark.parametrize(
    "text", [part for line in REFUSED.strip().splitlines() for part in line.split("|")] + ["", " ", "a || b"]
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(ReconcileError) as caught:
        parse(text)
    assert caught.value.problem.code == "E304"
    assert caught.value.problem.cure


@pytest.mark.parametrize(
    "text", ["blank()", "blank('x')", "blank(a, b)", "blank(a = 1)", "blank(blank(a))", "lower(a)"]
)
def test_blank_takes_one_field(text: str) -> None:
    with pytest.raises(ReconcileError):
        parse(text, blanks=True)


def test_blank_is_for_facts_only() -> None:
    assert to_sql(parse("blank(a) and b", blanks=True), str) == "(a IS NULL) AND b"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("（等级 ＜＝ 2）", "(等级 <= 2)"),
        ("类别 in （'智力'，'精神'）", "类别 in ('智力', '精神')"),
        ("类别 = “智力”", "类别 = '智力'"),
        ("类别 = ‘智力’", "类别 = '智力'"),
        ("类别　＝　'智力'", "类别 = '智力'"),
        ("等级 ！= 3 and 金额 ＊ 2 ＞ 甲 ＋ 乙 － 丙 ／ 丁", "等级 <> 3 and 金额 * 2 > 甲 + 乙 - 丙 / 丁"),
        ("类别 = '甲（乙），“丙”'", "类别 = '甲（乙），“丙”'"),
        ("类别 = “it's”", "类别 = 'it''s'"),
        ("类别 = 'it''s'", "类别 = 'it''s'"),
    ],
)
def test_full_width_punctuation_outside_quotes_is_read_as_ascii(written: str, meant: str) -> None:
    assert parse(written).sql("duckdb") == parse(meant).sql("duckdb")


@given(st.text("（），＝＜＞‘’“”'ab ；。！", max_size=20))
@settings(derandomize=True, deadline=None)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = half_width(text)
    assert half_width(once) == once


@pytest.mark.parametrize("text", ["“张三”", "'张三'", "‘张三’"])
def test_quoted_text_is_never_a_name(text: str) -> None:
    assert names_in(parse(f"姓名 = {text}")) == ["姓名"]


def test_an_unknown_name_is_answered_by_the_nearest() -> None:
    with pytest.raises(ReconcileError) as caught:
        check_names(parse("残疾等极 <= 2"), "", ["残疾等级", "残疾类别", "低保"], "规则 x 的条件“y”")
    problem = caught.value.problem
    assert problem.code == "E305"
    assert "残疾等极" in problem.what
    assert problem.cure.startswith("相近的有：残疾等级")


# ---- a generated expression means the same after parsing and writing it again ----

NUMBERS, TRUTHS = ("甲", "乙", "金额"), ("低保", "特困", "在读")
_number = st.sampled_from(NUMBERS) | st.integers(0, 20).map(str)
_sum = st.recursive(
    _number,
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
    max_leaves=4,
)
_comparison = st.one_of(
    st.tuples(_sum, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), _sum).map(" ".join),
    st.tuples(_sum, st.lists(_number, min_size=1, max_size=3)).map(
        lambda t: f"{t[0]} in ({', '.join(t[1])})"
    ),
    st.tuples(_sum, _sum, _sum).map(lambda t: f"{t[0]} between {t[1]} and {t[2]}"),
    st.sampled_from(TRUTHS),
)
EXPRESSIONS = st.recursive(
    _comparison,
    lambda inner: (
        inner.map(lambda a: f"not ({a})")
        | st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})")
    ),
    max_leaves=6,
)
ROWS: list[dict[str, Any]] = [
    dict(zip((*NUMBERS, *TRUTHS), row, strict=True))
    for row in [
        (1, 2, 3, True, False, None),
        (None, 0, 7, False, None, True),
        (0, 0, 0, None, None, None),
        (5, None, None, True, True, False),
        (20, 1, 10, False, False, False),
    ]
]


@given(EXPRESSIONS)
@settings(derandomize=True, deadline=None, max_examples=150)
def test_round_trip(text: str) -> None:
    """Written, parsed, written, parsed: the same tree, the same names, the same value on every row, unknowns too."""
    tree = parse(text)
    again = parse(tree.sql("duckdb"))
    assert again == tree
    assert names_in(again) == names_in(tree)
    assert values(to_sql(tree, lambda name: f'f."{name}"')) == [Worker(row).truth(tree) for row in ROWS]


CON = duckdb.connect()
CON.execute(
    "create table f as select * from (values (0, 1, 2, 3, true, false, null), (1, null, 0, 7, false, null, true),"
    " (2, 0, 0, 0, null, null, null), (3, 5, null, null, true, true, false), (4, 20, 1, 10, false, false, false))"
    ' as f("n", "甲", "乙", "金额", "低保", "特困", "在读")'
).fetchall()


def values(sql: str) -> list[bool | None]:
    return [row[0] for row in CON.execute(f"select {sql} from f order by n").fetchall()]


class Worker:
    """The language in plain Python: an unknown number is None, a division by zero is unknown, and/or/not are Kleene."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row

    def truth(self, node: Any) -> bool | None:
        kind = node.key
        if kind == "paren":
            return self.truth(node.this)
        if kind == "column":
            return self.row[node.name]  # type: ignore[no-any-return]
        if kind == "not":
            inner = self.truth(node.this)
            return None if inner is None else not inner
        if kind in ("and", "or"):
            sides = {self.truth(node.this), self.truth(node.expression)}
            ending = kind == "or"
            return ending if ending in sides else None if None in sides else not ending
        if kind == "in":
            found = {self.compare("eq", node.this, other) for other in node.expressions}
            return True if True in found else None if None in found else False
        if kind == "between":
            sides = {
                self.compare("gte", node.this, node.args["low"]),
                self.compare("lte", node.this, node.args["high"]),
            }
            return False if False in sides else None if None in sides else True
        return self.compare(kind, node.this, node.expression)

    def compare(self, kind: str, left: Any, right: Any) -> bool | None:
        a, b = self.number(left), self.number(right)
        if a is None or b is None:
            return None
        return {"eq": a == b, "neq": a != b, "gt": a > b, "gte": a >= b, "lt": a < b, "lte": a <= b}[kind]

    def number(self, node: Any) -> float | None:
        if node.key == "paren":
            return self.number(node.this)
        if node.key == "column":
            return self.row[node.name]  # type: ignore[no-any-return]
        if node.key == "literal":
            return int(node.this)
        a, b = self.number(node.this), self.number(node.expression)
        if a is None or b is None or (node.key == "div" and b == 0):
            return None
        return {"add": a + b, "sub": a - b, "mul": a * b, "div": a / (b or 1)}[node.key]
