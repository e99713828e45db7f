"""Every SQL text of matching and entitlement stays in the subset that sqlglot carries to Spark with the same meaning.

The texts are those that a whole night executes, over the real schemas and rules and empty lists. What sqlglot carries
wrongly without a word (`x[1:17]`, regexp_full_match, try_strptime, printf, age, hash, SIMILAR TO, list(a order by b),
macros, asof joins, `//`, …) is kept out by an allow-list of node types, not by a list of the wrong ones.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import sqlglot
from sqlglot import exp

from pipeline import entitlement, matching
from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.delivered import Intake
from pipeline.contracts.rule import load_rules
from pipeline.contracts.tables import COVERAGE
from pipeline.entitlement.expression import parse, to_sql
from pipeline.identity.region import successor

ROOT = Path(__file__).parents[2]
DAY = date(2026, 10, 31)
STATEMENTS = (exp.Create, exp.Insert, exp.Select, exp.Union)
SHAPE = [
    "Alias",
    "Case",
    "Cast",
    "Column",
    "ColumnDef",
    "Create",
    "DataType",
    "DataTypeParam",  # of DECIMAL alone
    "Distinct",
    "Filter",
    "From",
    "Group",
    "Having",
    "Identifier",
    "If",
    "In",
    "Insert",
    "Join",
    "Literal",
    "Order",
    "Ordered",
    "Paren",
    "Schema",
    "Select",
    "Semicolon",
    "Star",
    "Subquery",
    "Table",
    "TableAlias",
    "Tuple",
    "Union",
    "Values",
    "Where",
    "Window",
]
OPERATORS = [
    "Add",
    "And",
    "Between",
    "Boolean",
    "Div",
    "EQ",
    "GT",
    "GTE",
    "Is",
    "LT",
    "LTE",
    "Mod",
    "Mul",
    "NEQ",
    "Neg",
    "Not",
    "Null",
    "Or",
    "Placeholder",
    "Sub",
]
FUNCTIONS = [
    "Coalesce",
    "Concat",
    "ConcatWs",
    "Count",
    "Day",
    "Floor",
    "Length",
    "LogicalOr",
    "Max",
    "Min",
    "Month",
    "Nullif",
    "RowNumber",
    "Substring",
    "Sum",
    "Year",
]
ALLOWED = {*SHAPE, *OPERATORS, *FUNCTIONS}
TYPES = {
    "TEXT",
    "VARCHAR",
    "BIGINT",
    "INT",
    "DATE",
    "BOOLEAN",
    "DOUBLE",
    "DECIMAL",
}  # money adds up in any order


class Recorder:
    """A connection that keeps the texts it is given."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        self.texts: list[str] = []

    def execute(self, text: Any, *values: Any) -> Any:
        self.texts.append(text if isinstance(text, str) else text.query)
        return self.con.execute(text, *values)

    def sql(self, text: str) -> Any:
        self.texts.append(text)
        return self.con.sql(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.con, name)


def a_night() -> list[str]:
    """The statements of a night on empty lists, each once."""
    datasets, rules = load_datasets(ROOT / "schemas"), load_rules(ROOT / "rules")
    con: Any = Recorder()
    matching.open_lists(con, datasets, ())
    matching.load_people(con, next(d for d in datasets.values() if d.role == "register"), successor)
    matching.link_exactly(con, datasets)
    matching.link_fuzzily(con, datasets, matching.Matcher(), successor)
    matching.finish_links(con, datasets)
    matching.link_families(con, datasets, matching.Matcher(), successor)
    nothing = Intake(DAY, (), (), (), (), coverage=pl.DataFrame(schema=COVERAGE))
    entitlement.load_coverage(con, datasets, nothing)
    facts = entitlement.declared_facts(datasets)
    entitlement.build_parameters(con, rules, ["533401", "513322"], DAY)
    entitlement.build_facts(con, datasets, facts, DAY)  # all that are declared, used or not
    entitlement.decide(con, entitlement.compile_rules(rules, facts, DAY), facts, datasets, DAY)
    rooms = [ROOT / "pipeline" / room for room in ("matching", "entitlement")]
    files = [path.read_text(encoding="utf-8") for room in rooms for path in sorted(room.rglob("*.sql"))]
    return list(dict.fromkeys([*con.texts, *files]))


TREES = [
    tree for text in a_night() for tree in sqlglot.parse(text, read="duckdb") if isinstance(tree, STATEMENTS)
]


def outside(tree: exp.Expr) -> list[str]:
    """What of the tree is not in the subset."""
    found = [type(node).__name__ for node in tree.walk() if type(node).__name__ not in ALLOWED]
    found += [f"{kind}" for node in tree.find_all(exp.DataType) if (kind := node.this.name) not in TYPES]
    found += ["count(distinct a, b)" for node in tree.find_all(exp.Distinct) if len(node.expressions) > 1]
    found += ["distinct on" for node in tree.find_all(exp.Distinct) if node.args.get("on")]
    found += [f"{join.method} join" for join in tree.find_all(exp.Join) if join.method]
    found += ["star with more" for star in tree.find_all(exp.Star) if any(star.args.values())]
    found += ["join using" for join in tree.find_all(exp.Join) if join.args.get("using")]
    return found


def test_a_whole_night_was_seen() -> None:
    assert len(TREES) > 150
    words = " ".join(tree.sql("duckdb") for tree in TREES)
    assert all(
        table in words
        for table in ("candidates_", "linked_", "family_links", "facts_", "outcomes", "findings")
    )


def test_every_statement_is_in_the_subset() -> None:
    assert {name: tree.sql("duckdb")[:200] for tree in TREES for name in outside(tree)} == {}


def test_every_statement_goes_to_spark_without_complaint() -> None:
    for tree in TREES:
        carried = tree.sql("spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
        again = sqlglot.parse_one(carried, read="spark")
        for kind in (
            exp.Select,
            exp.Join,
            exp.Union,
            exp.Case,
            exp.Window,
            exp.Filter,
            exp.Group,
            exp.Having,
        ):
            assert len([*again.find_all(kind)]) == len([*tree.find_all(kind)])


def test_the_order_of_nulls_is_said_in_sparks_words() -> None:
    """DuckDB sorts NULL last whatever the direction, Spark first where it ascends."""
    for tree in TREES:
        for ordered in sqlglot.parse_one(tree.sql("spark"), read="spark").find_all(exp.Ordered):
            assert not ordered.args.get("nulls_first")


def test_a_missing_part_of_a_joined_text_is_passed_over_in_spark_too() -> None:
    """DuckDB's concat passes over NULL, Spark's becomes NULL."""
    carried = sqlglot.transpile("select concat(a, 'x')", read="duckdb", write="spark")[0]
    assert "COALESCE(a, '')" in carried


@pytest.mark.parametrize(
    "text",
    [
        "select x[1:17]",
        "select regexp_full_match(a, b)",
        "select try_strptime(a, b)",
        "select printf('%d', a)",
        "select age(a)",
        "select hash(a)",
        "select a similar to 'b'",
        "select list(a order by b)",
        "select damerau_levenshtein(a, b)",
        "select a // b",
        "select * from a asof join b on a.t >= b.t",
        "select * from a positional join b",
        "select * exclude (a) from t",
        "select distinct on (a) b from t",
        "select try_cast(a as date)",
        "select a::struct(x int)",
        "select string_agg(a, ',')",
        "select * from a join b using (c)",
        "select a from t qualify row_number() over () = 1",
        "select a from t limit 1",
        "select a from t order by all",
        "select a || b",
        "select a glob 'x'",
        "select regexp_matches(a, 'x')",
        "select strftime(a, '%Y')",
        "select list_contains(a, b)",
        "select levenshtein(a, b)",
        "with t as materialized (select 1) select * from t",
        "create macro m(a) as a + 1",
        "pragma x",
    ],
)
def test_what_is_not_carried_faithfully_would_be_found(text: str) -> None:
    trees = sqlglot.parse(text, read="duckdb")
    assert any(not isinstance(tree, STATEMENTS) or outside(tree) for tree in trees if tree is not None)


def test_a_division_is_guarded_in_the_subset() -> None:
    tree = sqlglot.parse_one("select " + to_sql(parse("a / b > 1 and c in (1, 2)"), str), read="duckdb")
    assert outside(tree) == []
    assert "NULLIF(b, 0)" in tree.sql("spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
