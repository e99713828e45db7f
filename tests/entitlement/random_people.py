"""Random register people for the tests of the rules: every fact, its borders and unknowns among the values."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.rule import Rule, load_rules
from pipeline.entitlement import declared_facts
from pipeline.entitlement.cases import DEFAULTS
from pipeline.entitlement.dates import add_months
from pipeline.entitlement.facts import Fact

ROOT = Path(__file__).parents[2]
FACTS = declared_facts(load_datasets(ROOT / "schemas"))
RULES = load_rules(ROOT / "rules")
COUNTIES = ["533401", "513322", "361102", "110101", "539902"]
PEOPLE = 1000
_KINDS: dict[str, type[pl.DataType]] = {
    "BOOLEAN": pl.Boolean,
    "BIGINT": pl.Int64,
    "DOUBLE": pl.Float64,
    "VARCHAR": pl.String,
    "DATE": pl.Date,
}


def _values(fact: Fact, day: date) -> list[Any]:
    """What a fact may be, its borders among it."""
    if fact.sql_type == "BOOLEAN":
        return [True, False]
    if fact.sql_type == "DATE":
        near = [add_months(day, n) for n in (-1, 0, 1, 6, 7)]
        return [*near, *(d + timedelta(days=n) for d in near for n in (-1, 1)), date(9999, 12, 31)]
    if fact.name in ("年龄", "学龄"):
        return [0, 5, 6, 7, 14, 15, 16, 17, 18, 59, 60, 61, 90]
    spec = fact.dataset.fields[fact.field] if fact.field else None
    if spec is not None and spec.codes:
        return [int(code) if spec.whole_number else code for code in spec.codes]
    return [0, 1, 5000, 1000000] if fact.sql_type == "BIGINT" else ["甲", "乙"]


def _given(rule: Rule, name: str) -> list[Any]:
    """What the rule's own cases say of a fact, typed; one value a case, None where a case leaves it unknown."""
    fact = FACTS[name]
    said = [{**DEFAULTS, **case.given}.get(name, "unknown") for case in rule.cases]
    kinds: dict[str, Any] = {
        "BOOLEAN": lambda v: v in ("yes", "是"),
        "BIGINT": int,
        "DOUBLE": float,
        "DATE": date.fromisoformat,
    }
    typed = kinds.get(fact.sql_type, str)
    return [None if value in ("unknown", "未知") else typed(value) for value in said]


def random_people(
    names: list[str], day: date, seed: int, unknown: float = 0.2, rule: Rule | None = None
) -> pl.DataFrame:
    """`PEOPLE` rows: person, county_code, the facts; a death is never unknown (a missing list counts as none).

    With a rule every second person is one of its cases with a fact or two changed: of many conditions that must all
    hold chance alone would never meet all.
    """
    dice = random.Random(seed)
    near = [at % 2 == 0 and rule is not None for at in range(PEOPLE)]
    case_of = [dice.randrange(len(rule.cases)) if rule else 0 for _ in range(PEOPLE)]
    changed = [set(dice.sample(names, min(len(names), dice.choice([0, 1, 2])))) for _ in range(PEOPLE)]
    columns: dict[str, Any] = {
        "person": list(range(PEOPLE)),
        "county_code": [dice.choice(COUNTIES) for _ in range(PEOPLE)],
    }
    schema: dict[str, type[pl.DataType]] = {"person": pl.Int64, "county_code": pl.String}
    for name in names:
        fact = FACTS[name]
        values = _values(fact, day)
        gaps = 0.0 if fact.dataset.role == "deaths" else unknown
        given = _given(rule, name) if rule else []
        dead = fact.dataset.role == "deaths" and fact.sql_type == "BOOLEAN"
        columns[name] = [
            (given[case_of[at]] or (False if dead else given[case_of[at]]))
            if near[at] and name not in changed[at]
            else None
            if dice.random() < gaps
            else dice.choice(values)
            for at in range(PEOPLE)
        ]
        schema[name] = _KINDS[fact.sql_type]
    return pl.DataFrame(columns, schema=schema)
