"""A rule's parameters and amount: names, regions, what is used and what never has a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import Rule
from pipeline.desk.complaints import WARNING, at, nearest
from pipeline.desk.dataset_facts import WORD_KINDS
from pipeline.entitlement.expression import names_in, parse
from pipeline.entitlement.facts import Fact
from pipeline.identity.region import counties_of, is_county, prefecture_name


def parameter_problems(path: Path, rule: Rule, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    """Each complaint with its line; an unused parameter and one that most regions lack are reminders."""
    in_conditions, in_amount = names_in_conditions(rule), _in_amount(rule)
    may_be_open = names_in_conditions(
        rule.model_copy(update={"excluded": tuple(c for c in rule.excluded if not c.certain)})
    )
    yield from _amount_problems(path, rule, facts)
    for name, parameter in rule.parameters.items():
        place = ("parameters", name)
        if name in facts or name in WORD_KINDS:
            yield at(
                path, _bad(f"参数“{name}”与事实或日期词同名", "条件里分不清是哪一个", "改一个名称"), *place
            )
        if not _is_name(name):
            yield at(
                path,
                _bad(f"参数名“{name}”不能用", "条件里要直接写它", "只用汉字、字母、数字，不以数字开头"),
                *place,
            )
        for prefix in parameter.regions:
            if not region_exists(prefix):
                problem = _bad(f"没有区划代码以“{prefix}”开头的地方", "参数的地区写错了", "查对区划代码")
                yield at(path, problem, *place, "regions", prefix)
        if name not in in_conditions and name not in in_amount:
            yield at(
                path,
                _reminder(f"参数“{name}”没有用到", "条件和 amount 都没有提它", "删去，或在条件里使用"),
                *place,
            )
        elif name in may_be_open and not parameter.values:
            why = "values 为空，没有列出的地区取不到值，用到它的条件就是未知"
            yield at(
                path,
                _reminder(f"参数“{name}”没有全国通用的值", why, "补上 values，或确认只用于所列地区"),
                *place,
            )


@cache
def region_exists(prefix: str) -> bool:
    """Whether a province (two digits), prefecture (four) or county (six) has this code."""
    if len(prefix) == 6:
        return is_county(prefix)
    return bool(counties_of(prefix)) or (len(prefix) == 4 and prefecture_name(prefix) is not None)


def _is_name(name: str) -> bool:
    try:
        return name.isidentifier() and names_in(parse(name)) == [name]
    except ReconcileError:
        return False


def names_in_conditions(rule: Rule) -> set[str]:
    """Every name in the conditions and the receipt; of one that cannot be read, the parameters that stand in it."""
    found: set[str] = set()
    for text in (*(c.when for c in (*rule.who, *rule.excluded)), rule.received):
        try:
            found.update(names_in(parse(text)) if text else [])
        except ReconcileError:
            found.update(
                name for name in rule.parameters if name in text
            )  # the fault itself is told elsewhere
    return found


def _in_amount(rule: Rule) -> set[str]:
    if rule.amount is None:
        return set()
    if isinstance(rule.amount.value, str):
        return {rule.amount.value}
    return {name for table in rule.amount.value.values() for name in table.values()}


def _amount_problems(path: Path, rule: Rule, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    if rule.amount is None:
        return
    place = ("amount", "value")
    for name in sorted(_in_amount(rule) - set(rule.parameters)):
        cure = f"在 parameters 里写明标准；相近的有：{nearest(name, rule.parameters)}"
        yield at(path, _bad(f"amount 用到了没有的参数“{name}”", "金额要有标准", cure), *place)
    tables = {} if isinstance(rule.amount.value, str) else rule.amount.value
    for fact_name, table in tables.items():
        fact = facts.get(fact_name)
        if fact is None:
            cure = f"相近的有：{nearest(fact_name, facts)}"
            yield at(path, _bad(f"amount 用到了没有的事实“{fact_name}”", "schemas/ 没有声明它", cure), *place)
            continue
        codes = fact.dataset.fields[fact.field].codes if fact.kind == "first" else {}
        for value in (value for value in table if codes and value not in codes):
            cure = f"相近的有：{nearest(value, codes)}"
            yield at(
                path, _bad(f"“{value}”不是“{fact_name}”的代码", "这一档永远用不上", cure), *place, fact_name
            )


def _bad(what: str, why: str, cure: str) -> Problem:
    return Problem("E309", "error", what, why, cure)


def _reminder(what: str, why: str, cure: str) -> Problem:
    return Problem("E311", WARNING, what, why, cure)
