"""A rule's numbers by region and date: the longest matching code prefix that has a value at the date wins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date

import duckdb

from pipeline.contracts.rule import Parameter, RegionValues, Rule

_NUMBER = re.compile(r"^-?[0-9]+(\.[0-9]+)?$")


def value_at(parameter: Parameter, region: str, day: date, *, only_confirmed: bool = False) -> str | None:
    """The value in force for a region code (2 to 6 digits or more), or None where none is known at the date.

    With `only_confirmed` None, too, where the table that holds it is not marked as confirmed.
    """
    own = [p for p in sorted(parameter.regions, key=len) if region.startswith(p)]
    tables: list[Parameter | RegionValues] = [parameter, *(parameter.regions[prefix] for prefix in own)]
    for table in reversed(tables):
        started = [start for start in table.values if start <= day]
        if started:
            return table.values[max(started)] if table.confirmed or not only_confirmed else None
    return None


def literal(value: str | None) -> str:
    """A parameter's value as a SQL literal: yes/no, a number, or text."""
    if value is None:
        return "null"
    if value in ("yes", "no", "是", "否"):
        return "true" if value in ("yes", "是") else "false"
    if _NUMBER.match(value):
        return value
    return "'" + value.replace("'", "''") + "'"


def sql_type(parameter: Parameter) -> str:
    """BOOLEAN, DOUBLE or VARCHAR by the values written."""
    values = [*parameter.values.values(), *(v for r in parameter.regions.values() for v in r.values.values())]
    if all(value in ("yes", "no", "是", "否") for value in values):
        return "BOOLEAN"
    return "DOUBLE" if all(_NUMBER.match(value) for value in values) else "VARCHAR"


def column_of(rule: Rule, name: str) -> str:
    return f"{rule.code}__{name}"


def build_parameters(
    con: duckdb.DuckDBPyConnection, rules: Mapping[str, Rule], counties: Iterable[str], as_of: date
) -> None:
    """Creates `parameters`: county_code and a column `<rule>__<parameter>` for every parameter of every rule."""
    columns = [(rule, name, p) for rule in rules.values() for name, p in rule.parameters.items()]
    head = "".join(f', "{column_of(rule, name)}" {sql_type(p)}' for rule, name, p in columns)
    con.execute(f"create or replace table parameters (county_code varchar{head})").fetchall()
    rows = [
        ", ".join([f"'{county}'", *(_value(rule, p, county, as_of) for rule, _, p in columns)])
        for county in sorted(set(counties))
    ]
    if rows:
        con.execute(f"insert into parameters values ({'), ('.join(rows)})").fetchall()


def _value(rule: Rule, parameter: Parameter, county: str, as_of: date) -> str:
    return literal(value_at(parameter, county, as_of, only_confirmed=rule.only_confirmed))
