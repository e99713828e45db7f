"""Yuan a month of a rule for a person: by parameter, by a table over a fact, unknown where it is not known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.rule import Rule, load_rule, load_rules
from pipeline.entitlement import build_parameters, declared_facts
from pipeline.entitlement.amounts import amount_facts, amount_sql, once_sql
from pipeline.entitlement.compile import compile_rule, compile_rules

ROOT = Path(__file__).parents[2]
FACTS = declared_facts(load_datasets(ROOT / "schemas"))
DAY = date(2026, 10, 31)
YUNNAN, JIANGXI, SICHUAN, BEIJING = "533401", "361102", "513322", "110101"


def rule(**changed: Any) -> Rule:
    """A benefit of 1,200 yuan (1,300 in Yunnan), or as asked."""
    return Rule.model_validate(
        {
            "benefit": "made_up",
            "title": "某补助",
            "owner": "民政",
            "law": "某文",
            "since": "2016-01-01",
            "who": [{"id": "低保", "say": "在低保中", "when": "低保"}],
            "received": "在领生活补贴",
            "cases": [{"name": "甲", "expect": "undetermined"}],
            "parameters": {
                "标准": {
                    "unit": "元",
                    "values": {"2016-01-01": "1200"},
                    "regions": {"53": {"values": {"2026-01-01": "1300"}}},
                },
                "高": {"unit": "元", "values": {"2016-01-01": "77.5"}},
                "低": {"unit": "元", "values": {}},
                "文": {"unit": "", "values": {"2016-01-01": "由县定"}},
            },
            **changed,
        }
    )


def money(one: Rule, county: str, **facts: str) -> tuple[Decimal | None, Decimal | None]:
    """(a month, once) for one person; facts are SQL, those not given are unknown."""
    con = duckdb.connect()
    build_parameters(con, {one.code: one}, [county], DAY)
    compiled = compile_rule(one, FACTS, DAY)
    names = [*amount_facts(one), "残疾等级"]
    row = ", ".join(
        f'cast({facts.get(n, "null")} as {FACTS[n].sql_type}) as "{n}"' for n in dict.fromkeys(names)
    )
    month, once = (
        sql(compiled, FACTS, person="a", parameters="b").replace("\n", " ") for sql in (amount_sql, once_sql)
    )
    found = con.execute(
        f"select {month}, {once}, typeof({month}), typeof({once})"
        f" from (select '{county}' as county_code, {row}) as a join parameters as b on b.county_code = a.county_code"
    ).fetchone()
    assert found is not None
    assert found[2:] == ("DECIMAL(18,8)", "DECIMAL(18,8)")
    return found[0], found[1]


@pytest.mark.parametrize(
    ("per", "county", "month", "once"),
    [
        ("month", BEIJING, "1200", None),
        ("month", YUNNAN, "1300", None),
        ("year", BEIJING, "100", None),
        ("year", YUNNAN, "108.33333333", None),
        ("once", YUNNAN, None, "1300"),
    ],
)
def test_a_parameter_by_month_year_and_once(
    per: str, county: str, month: str | None, once: str | None
) -> None:
    found = money(rule(amount={"per": per, "value": "标准"}), county)
    assert found == (Decimal(month) if month else None, Decimal(once) if once else None)


def test_yearly_amounts_of_millions_add_up_to_a_fen() -> None:
    month, _ = money(rule(amount={"per": "year", "value": "标准"}), YUNNAN)
    assert month is not None
    assert abs(month * 3_000_000 - Decimal(1300) * 3_000_000 / 12) < Decimal("0.05")


@pytest.mark.parametrize("value", ["低", "文"])
def test_without_a_number_the_money_is_unknown(value: str) -> None:
    assert money(rule(amount={"per": "month", "value": value}), YUNNAN) == (None, None)


def test_a_rule_without_an_amount_has_no_money() -> None:
    assert money(rule(), YUNNAN) == (None, None)
    assert amount_facts(rule()) == ()


@pytest.mark.parametrize(
    ("county", "level", "month"),
    [
        (YUNNAN, "1", "110"),
        (YUNNAN, "2", "100"),
        (YUNNAN, "3", None),  # Yunnan has no standard for those levels
        (SICHUAN, "1", "110"),
        (SICHUAN, "2", "80"),
        (SICHUAN, "3", "80"),
        (JIANGXI, "4", "110"),
        (BEIJING, "1", None),  # no standard of the country
        (JIANGXI, "null", None),
        (JIANGXI, "5", None),  # no line
    ],
)
def test_the_nursing_subsidy_by_level(county: str, level: str, month: str | None) -> None:
    nursing = load_rule(ROOT / "rules" / "nursing_subsidy.yaml")
    assert amount_facts(nursing) == ("残疾等级",)
    assert money(nursing, county, 残疾等级=level) == (Decimal(month) if month else None, None)


def test_a_table_over_a_word_and_over_yes_and_no() -> None:
    words = rule(amount={"per": "year", "value": {"残疾类别": {"智力": "标准", "精神": "高"}}})
    assert money(words, BEIJING, 残疾类别="'智力'") == (Decimal(100), None)
    assert money(words, BEIJING, 残疾类别="'肢体'") == (None, None)
    yes_no = rule(amount={"per": "once", "value": {"低保": {"yes": "标准", "no": "高"}}})
    assert money(yes_no, BEIJING, 低保="true") == (None, Decimal(1200))
    assert money(yes_no, BEIJING, 低保="false") == (None, Decimal("77.5"))
    assert money(yes_no, BEIJING) == (None, None)


def test_unknown_is_no_line_of_a_table() -> None:
    table = rule(amount={"per": "month", "value": {"低保": {"unknown": "标准"}}})
    assert money(table, BEIJING) == (None, None)


@pytest.mark.parametrize(
    ("level", "dibao", "month"),
    [
        ("1", "false", "1200"),
        ("2", "true", "77.5"),
        ("1", "true", None),  # both lines fit: nothing is chosen silently
        ("2", "false", None),
        ("1", "null", None),  # the other might fit too
    ],
)
def test_a_table_over_two_facts_must_fit_once(level: str, dibao: str, month: str | None) -> None:
    table = rule(
        amount={"per": "month", "value": {"残疾等级": {"1": "标准"}, "低保": {"yes": "高"}}},
    )
    assert money(table, BEIJING, 残疾等级=level, 低保=dibao) == (Decimal(month) if month else None, None)


def test_a_value_that_the_fact_cannot_have_is_refused() -> None:
    table = rule(amount={"per": "month", "value": {"残疾等级": {"重度": "标准"}}})
    with pytest.raises(ReconcileError, match="E307"):
        amount_sql(compile_rule(table, FACTS, DAY), FACTS)


@pytest.mark.parametrize("value", ["没有的标准", {"没有的事实": {"1": "没有的标准"}}])
def test_an_amount_that_names_what_is_not_there_is_refused_before_the_night(value: Any) -> None:
    rules = load_rules(Path(__file__).parents[2] / "rules")
    facts = declared_facts(load_datasets(Path(__file__).parents[2] / "schemas"))
    rule = rules["living_subsidy"]
    assert rule.amount is not None
    bad = rule.model_copy(update={"amount": rule.amount.model_copy(update={"value": value})})
    with pytest.raises(ReconcileError, match=r"E305.*没有的标准"):
        compile_rules({"living_subsidy": bad}, facts, date(2026, 10, 31))
