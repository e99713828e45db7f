"""The values of a rule's parameters: of one kind, of the kind their unit says, on real dates, and there when asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from pipeline.contracts.problem import Problem
from pipeline.contracts.rule import Parameter, Rule
from pipeline.desk.complaints import WARNING, at
from pipeline.desk.expression_types import NUMBER, TEXT, YES_NO
from pipeline.desk.rule_page import tiers_of
from pipeline.desk.rule_slips import wide_in, with_hints

_NUMBER = re.compile(r"^-?[0-9]+(\.[0-9]+)?$")
_LEADING_ZERO = re.compile(r"^-?0[0-9]")
_YES_NO = ("yes", "no", "是", "否")
_NO_YES_NO = {
    "true": "yes",
    "false": "no",
    "True": "yes",
    "False": "no",
    "有": "yes",
    "无": "no",
    "对": "yes",
}
_FIRST, _LAST = date(1978, 1, 1), date(2100, 12, 31)  # pydantic reads a bare 0 as 1 January 1970


def value_problems(path: Path, rule: Rule, in_conditions: set[str]) -> Iterator[Problem]:
    """Complaints about values and dates; a used parameter without a value at the rule's start is a reminder."""
    in_amount = {name for _, name in tiers_of(rule)}
    yield from _date_problems(path, rule)
    for name, parameter in rule.parameters.items():
        found = [*_one_kind(path, name, parameter, in_amount)]
        yield from found
        if not found and name in in_conditions and parameter.values:
            yield from _starts(path, name, parameter, rule)
        if name in in_amount and not _values(parameter):
            why = "全国和各地都没有值，金额永远不明"
            problem = Problem(
                "E311", WARNING, f"参数“{name}”没有任何值", why, "补上 values 或 regions，或删去 amount"
            )
            yield at(path, problem, "parameters", name)


def _values(parameter: Parameter) -> list[tuple[tuple[str, ...], date, str]]:
    """(keys of the place, date, value) of all values."""
    tables: list[tuple[tuple[str, ...], dict[date, str]]] = [(("values",), parameter.values)]
    tables += [(("regions", prefix, "values"), r.values) for prefix, r in parameter.regions.items()]
    return [(place, start, value) for place, values in tables for start, value in values.items()]


def _one_kind(path: Path, name: str, parameter: Parameter, in_amount: set[str]) -> Iterator[Problem]:
    wanted = NUMBER if name in in_amount else YES_NO if parameter.unit == "是否" else ""
    values = _values(parameter)
    kinds = [_kind(value) for _, _, value in values]
    wanted = wanted or (max(set(kinds), key=lambda kind: (kinds.count(kind), kind)) if kinds else "")
    for (place, start, value), kind in zip(values, kinds, strict=True):
        where = ("parameters", name, *place, start.isoformat())
        if kind != wanted:
            yield at(path, _wrong_kind(name, start, value, wanted), *where)
        elif kind == NUMBER and _LEADING_ZERO.match(value):
            cure = f"写成 {int(float(value))}；若是代码，不要用作参数值"
            yield at(path, _bad(f"参数“{name}”的值 {value} 以 0 开头", "看不出是数还是代码", cure), *where)


def _kind(value: str) -> str:
    return YES_NO if value in _YES_NO else NUMBER if _NUMBER.match(value) else TEXT


def _wrong_kind(name: str, start: date, value: str, wanted: str) -> Problem:
    cure = {YES_NO: "写 yes 或 no", NUMBER: "写阿拉伯数字，单位写在 unit 里"}.get(
        wanted, "各个值写成同一种类"
    )
    if wanted == YES_NO and value in _NO_YES_NO:
        cure = f"写成 {_NO_YES_NO[value]}"
    problem = _bad(
        f"参数“{name}”{start} 的值“{value}”应为{wanted}", "它与单位或其他日期、地区的值不是一类", cure
    )
    return with_hints(problem, wide_in(value))


def _date_problems(path: Path, rule: Rule) -> Iterator[Problem]:
    places: list[tuple[tuple[str, ...], date]] = [(("since",), rule.since)]
    places += [(("until",), rule.until)] if rule.until else []
    for name, parameter in rule.parameters.items():
        places += [(("parameters", name, *place), start) for place, start, _ in _values(parameter)]
    for where, day in places:
        if not _FIRST <= day <= _LAST:
            yield at(
                path, _bad(f"日期 {day} 不合情理", "早于1978年或晚于2100年", "写成 2026-10-31 这样"), *where
            )
    if rule.until and rule.until < rule.since:
        yield at(
            path, _bad(f"until {rule.until} 早于 since {rule.since}", "规则从未有效", "改正其中一个"), "until"
        )


def _starts(path: Path, name: str, parameter: Parameter, rule: Rule) -> Iterator[Problem]:
    first = min(parameter.values)
    if first > rule.since:
        why = f"规则从 {rule.since} 起施行，全国的值从 {first} 才有，其间用到它的条件就是未知"
        problem = Problem("E311", WARNING, f"参数“{name}”起先没有值", why, "补上更早的值，或改正日期")
        yield at(path, problem, "parameters", name, "values")


def _bad(what: str, why: str, cure: str) -> Problem:
    return Problem("E309", "error", what, why, cure)
