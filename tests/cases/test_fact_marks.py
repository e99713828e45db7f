"""Marks of what an answer rests on: other facts are another mark, another month or another row is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipeline.cases.fact_marks import (
    answer_marks,
    baseline,
    finding_marks,
    is_other,
    outside_marks,
    steady_facts,
)
from pipeline.cases.person_key import PersonKey
from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.rule import RegionValues, Rule, load_rules
from pipeline.entitlement import compile_rules, declared_facts
from pipeline.entitlement.compile import CompiledRule
from pipeline.entitlement.fact import Fact
from pipeline.entitlement.parameters import build_parameters
from pipeline.entitlement.verdict_bits import _questions

HOUSE = Path(__file__).resolve().parents[2]
OCT, NOV = date(2026, 10, 31), date(2026, 11, 30)
KEY = PersonKey(b"k" * 32)


@pytest.fixture(scope="module")
def facts() -> dict[str, Fact]:
    return declared_facts(load_datasets(HOUSE / "schemas"))


@pytest.fixture(scope="module")
def rules(facts: Mapping[str, Fact]) -> dict[str, CompiledRule]:
    return {c.rule.code: c for c in compile_rules(load_rules(HOUSE / "rules"), facts, OCT)}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def mark(
    con: duckdb.DuckDBPyConnection,
    compiled: CompiledRule,
    facts: Mapping[str, Fact],
    values: Mapping[str, object],
    bits: int = 5,
    as_of: date = OCT,
    key: PersonKey = KEY,
) -> str:
    """The mark of one person's line, whose facts have these values."""
    columns = ", ".join(f'"{name}" {fact.sql_type}' for name, fact in facts.items())
    con.execute(f"create or replace table facts (person bigint, county_code varchar, {columns})")
    con.execute("insert into facts (person, county_code) values (1, '539901')")
    build_parameters(con, {compiled.rule.code: compiled.rule}, ["539901"], as_of)
    for name, value in values.items():
        con.execute(f'update facts set "{name}" = $value', {"value": value})
    con.execute(
        "create or replace table answer_lines as select 1 as person, $code as code, 'missing' as outcome, $version as version, "
        "cast($bits as bigint) as bits",
        {"code": compiled.rule.code, "version": compiled.version, "bits": bits},
    )
    ((person, code, outcome, found),) = answer_marks(con, [compiled], facts, ["missing"], as_of, key)
    assert (person, code, outcome) == (1, compiled.rule.code, "missing")
    return found


def test_another_level_is_another_mark_though_every_condition_says_the_same(
    con: duckdb.DuckDBPyConnection, rules: Mapping[str, CompiledRule], facts: Mapping[str, Fact]
) -> None:
    first = mark(con, rules["nursing_subsidy"], facts, {"残疾等级": 1, "残疾类别": "肢体"})
    second = mark(con, rules["nursing_subsidy"], facts, {"残疾等级": 2, "残疾类别": "肢体"})
    assert is_other(first, second)
    assert not is_other(
        first, mark(con, rules["nursing_subsidy"], facts, {"残疾等级": 1, "残疾类别": "肢体"})
    )
    assert is_other(
        first, mark(con, rules["nursing_subsidy"], facts, {"残疾等级": 1, "残疾类别": "肢体"}, bits=6)
    )


def test_what_moves_by_itself_or_is_not_read_changes_no_mark(
    con: duckdb.DuckDBPyConnection, rules: Mapping[str, CompiledRule], facts: Mapping[str, Fact]
) -> None:
    """A year older, a month later, a renewed certificate, the next month's payment."""
    nursing, dead = rules["nursing_subsidy"], rules["subsidy_paid_after_death"]
    values = {"残疾等级": 1, "年龄": 40, "证件有效期至": date(2030, 1, 1)}
    older = {"残疾等级": 1, "年龄": 41, "证件有效期至": date(2036, 1, 1)}
    assert mark(con, nursing, facts, values) == mark(con, nursing, facts, older, as_of=NOV)
    paid = {"死亡": True, "死亡日期": date(2026, 2, 11), "补贴最近到账月份": date(2026, 9, 1)}
    later = paid | {"补贴最近到账月份": date(2026, 10, 1)}
    assert mark(con, dead, facts, paid) == mark(con, dead, facts, later)
    assert is_other(
        mark(con, dead, facts, paid), mark(con, dead, facts, paid | {"死亡日期": date(2026, 3, 1)})
    )


def test_no_rule_of_the_house_reads_a_fact_that_moves(
    rules: Mapping[str, CompiledRule], facts: Mapping[str, Fact]
) -> None:
    read = {name for rule in rules.values() for name in steady_facts(rule, facts, OCT)}
    assert {"残疾等级", "死亡日期", "证件有效期至", "同类护理补贴月额"} <= read
    assert not read & {"年龄", "学龄", "本年自付金额", "补贴最近到账月份"}
    assert not any(facts[name].kind == "age" for name in read)


def test_a_list_that_is_missing_says_less_and_nothing_else(
    con: duckdb.DuckDBPyConnection, rules: Mapping[str, CompiledRule], facts: Mapping[str, Fact]
) -> None:
    """A payment that is not due, laid to rest: the answers of a withheld list brought it back as 复核."""
    nursing = rules["nursing_subsidy"]
    one = 4 ** (1 + list(_questions(nursing, facts)).index("在领护理补贴"))
    whole = mark(con, nursing, facts, {"残疾等级": 3, "残疾类别": "肢体"}, bits=5 + one)
    withheld = mark(
        con, nursing, facts, {"残疾类别": "肢体"}, bits=5 + 2 * one
    )  # whether received is unknown
    assert withheld != whole
    assert not is_other(whole, withheld)
    assert baseline(whole, withheld) == whole
    assert not is_other(
        withheld, whole
    )  # the first night of a state, or of this program, was without the list
    assert baseline(withheld, whole) == whole
    assert is_other(whole, mark(con, nursing, facts, {"残疾等级": 3, "残疾类别": "肢体"}, bits=5))


def test_what_a_missing_list_said_is_remembered_while_something_else_changes(
    con: duckdb.DuckDBPyConnection, rules: Mapping[str, CompiledRule], facts: Mapping[str, Fact]
) -> None:
    nursing = rules["nursing_subsidy"]
    one = 4 ** (1 + list(_questions(nursing, facts)).index("在领护理补贴"))
    before = mark(con, nursing, facts, {"残疾等级": 3, "残疾类别": "肢体"}, bits=5 + one)
    other = mark(con, nursing, facts, {"残疾类别": "视力"}, bits=5 + 2 * one)
    assert is_other(before, other)
    kept = baseline(before, other)
    back = mark(con, nursing, facts, {"残疾等级": 3, "残疾类别": "视力"}, bits=5 + one)
    assert not is_other(kept, back)
    assert baseline(kept, back) in (kept, back)
    assert is_other(kept, mark(con, nursing, facts, {"残疾等级": 4, "残疾类别": "视力"}, bits=5 + one))
    assert is_other(kept, mark(con, nursing, facts, {"残疾等级": 3, "残疾类别": "视力"}, bits=5))


def edited(rule: Rule, facts: Mapping[str, Fact], as_of: date = OCT, **change: object) -> CompiledRule:
    (compiled,) = compile_rules({"rule": rule.model_copy(update=change)}, facts, as_of)
    return compiled


def test_other_words_of_a_rule_are_no_other_fact_and_another_condition_is(
    con: duckdb.DuckDBPyConnection, rules: Mapping[str, CompiledRule], facts: Mapping[str, Fact]
) -> None:
    nursing = rules["nursing_subsidy"]
    values = {"残疾等级": 1, "残疾类别": "肢体"}
    before = mark(con, nursing, facts, values)
    who = nursing.rule.who
    said = tuple(c.model_copy(update={"say": f"{c.say}。", "law": "另一部法"}) for c in who)
    words = edited(nursing.rule, facts, title="护理补贴", who=said, not_checked=("另一句",), urgency=9)
    assert words.version != nursing.version
    assert mark(con, words, facts, values) == before
    spaced = tuple(c.model_copy(update={"when": c.when.replace(" ", "  ")}) for c in who)
    assert mark(con, edited(nursing.rule, facts, who=spaced), facts, values) == before
    first = who[0].model_copy(update={"when": f"({who[0].when}) or 残疾等级 = 4"})
    assert is_other(before, mark(con, edited(nursing.rule, facts, who=(first, *who[1:])), facts, values))
    assert is_other(before, mark(con, edited(nursing.rule, facts, received=""), facts, values))


def test_a_threshold_that_comes_into_force_in_the_county_is_another_mark(
    con: duckdb.DuckDBPyConnection, rules: Mapping[str, CompiledRule], facts: Mapping[str, Fact]
) -> None:
    of_rule = {
        code: [name for clause in c.clauses for name in clause.parameters]
        for code, c in rules.items()
        if c.rule.subject == "register"
    }
    code = next(code for code in sorted(of_rule) if of_rule[code])
    rule, name = rules[code].rule, of_rule[code][0]
    before = mark(con, rules[code], facts, {})
    table = rule.parameters[name]

    def with_values(**change: object) -> CompiledRule:
        return edited(rule, facts, parameters={**rule.parameters, name: table.model_copy(update=change)})

    announced = with_values(values={**table.values, date(2026, 11, 1): "7"})
    assert mark(con, announced, facts, {}) == before
    assert is_other(before, mark(con, announced, facts, {}, as_of=NOV))
    elsewhere = RegionValues(values={date(2020, 1, 1): "7"}, confirmed=True)
    assert mark(con, with_values(regions={"12": elsewhere}), facts, {}) == before
    assert is_other(before, mark(con, with_values(regions={"5399": elsewhere}), facts, {}))


def test_a_mark_cannot_be_tried_out_without_the_key(
    con: duckdb.DuckDBPyConnection, rules: Mapping[str, CompiledRule], facts: Mapping[str, Fact]
) -> None:
    own = mark(con, rules["nursing_subsidy"], facts, {"残疾等级": 1})
    other = mark(con, rules["nursing_subsidy"], facts, {"残疾等级": 1}, key=PersonKey(b"l" * 32))
    assert own != other


def found(
    con: duckdb.DuckDBPyConnection,
    *,
    typed: str = "5339011",
    names: tuple[str, ...] = ("王五",),
    row: int = 7,
) -> dict[str, str]:
    """Person 1 has a damaged number, person 2 stands in a list under these names."""
    con.execute("create or replace table facts as select * from (values (1), (2)) as v (person)")
    con.execute("create or replace table counts_as (person bigint, counting bigint)")
    con.execute(
        "create or replace table people as select * from (values (1, 'a', null, null, 'c', '甲', 'f', 's', 1), "
        "(2, 'b', 'n', 'n', 'n', '乙', 'f', 's', 2)) as v (person, certificate_number, id_number, delivered_id, "
        "delivered_certificate_id, name, source_file, sheet, source_row)"
    )
    con.execute(
        "create or replace table register as select 'f' as source_file, 's' as sheet, 1 as source_row, $typed as id_typed, "
        "'' as cert_typed",
        {"typed": typed},
    )
    con.execute(
        "create or replace table links (dataset varchar, source_file varchar, sheet varchar, source_row bigint, decision varchar)"
    )
    con.execute(
        "create or replace table unlinked (person bigint, dataset varchar, source_file varchar, sheet varchar, source_row bigint, "
        "row_name varchar, other_name boolean)"
    )
    for at, name in enumerate(names):
        con.execute(
            "insert into unlinked values (2, $d, 'x', '', $r, $n, true)",
            {"d": f"d{at}", "r": row + at, "n": name},
        )
    con.execute(
        "create or replace table other_findings as select * from (values (1, 'register_id_damaged'), (2, 'id_name_conflict')) "
        "as v (person, finding)"
    )
    return {finding: mark for _, finding, mark in finding_marks(con, KEY)}


def test_a_finding_is_marked_by_what_it_says_and_not_by_where_it_stood(
    con: duckdb.DuckDBPyConnection,
) -> None:
    before = found(con)
    assert found(con, row=9) == before
    other = found(con, typed="5339012", names=("赵六",))
    for finding in ("register_id_damaged", "id_name_conflict"):
        assert is_other(before[finding], other[finding])
    assert not any(text in "".join(before.values()) for text in ("5339011", "王五"))


def test_a_name_that_is_gone_for_a_night_with_its_list_is_no_other_name(
    con: duckdb.DuckDBPyConnection,
) -> None:
    both, one, three = (
        found(con, names=names)["id_name_conflict"]
        for names in (("王五", "赵六"), ("王 五",), ("王五", "赵六", "钱七"))
    )
    assert not is_other(both, one)
    assert baseline(both, one) == both
    assert is_other(both, three)
    assert baseline(both, three) == three


def test_marks_of_different_makings_are_not_compared() -> None:
    for old in ("", "0123456789ab", "2:0123456789ab"):
        assert not is_other(old, "3:ab")
        assert baseline(old, "3:ab") == "3:ab"
    assert is_other("a", "b")


def test_who_is_off_the_register_is_marked_by_the_facts_of_the_rule(
    con: duckdb.DuckDBPyConnection, rules: Mapping[str, CompiledRule], facts: Mapping[str, Fact]
) -> None:
    compiled = next(c for c in rules.values() if c.rule.subject == "outside_register")
    finding = str(compiled.rule.finding)
    columns = ", ".join(f'"{name}" {facts[name].sql_type}' for name in compiled.facts)
    name = next(n for n in compiled.facts if facts[n].is_yes_no)
    con.execute(f"create table outside_facts_{finding} (id_number varchar, {columns})")
    con.execute(f"insert into outside_facts_{finding} (id_number) values ('x'), ('y')")
    con.execute(
        "create table other_findings as select cast(null as bigint) as person, 'x' as id_number, '539901' as county_code, "
        "$f as finding",
        {"f": finding},
    )
    build_parameters(con, {finding: compiled.rule}, ["539901"], OCT)
    con.execute(f'update outside_facts_{finding} set "{name}" = false')
    first = outside_marks(con, [compiled], facts, OCT, KEY)
    assert set(first) == {("x", finding)}
    con.execute(f'update outside_facts_{finding} set "{name}" = true')
    assert is_other(first["x", finding], outside_marks(con, [compiled], facts, OCT, KEY)["x", finding])
