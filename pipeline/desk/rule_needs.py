"""Which list of which department each part of a rule needs, and where its unknown comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.rule import Rule
from pipeline.entitlement.compile import DEAD, STATE, UNTIL
from pipeline.entitlement.expression import names_in, parse
from pipeline.entitlement.facts import Fact

RECEIVED, CERTIFICATE, AMOUNT = "是否已享受", "持有效证件", "金额"
_MISSING = "名单没有采用、本人号码有误或记录存疑：未知"
_ONLY_CERTAIN = "未知按不成立，不影响结论"


@dataclass(frozen=True)
class Need:
    """One fact that a part of the rule asks for. `title` and `department` are its list's."""

    part: str
    fact: str
    dataset: str
    title: str
    department: str
    unknown: str


def needs(rule: Rule, facts: Mapping[str, Fact]) -> tuple[Need, ...]:
    """Every fact of every part in the rule's order; the certificate, which no benefit writes down, comes last."""
    certain = _certain_parts(rule)
    return tuple(
        Need(
            part,
            name,
            fact.dataset.dataset,
            fact.dataset.title,
            fact.dataset.department,
            _ONLY_CERTAIN if part in certain else unknown_of(fact),
        )
        for part, names in _parts(rule)
        for name in names
        if (fact := facts.get(name)) is not None
    )


def lists_needed(rule: Rule, facts: Mapping[str, Fact]) -> dict[str, tuple[str, ...]]:
    """Dataset key -> the parts that need it, in the rule's order. A finding's own list counts too; what only a `certain`
    condition asks for is not needed: no answer waits for it."""
    found: dict[str, list[str]] = {rule.list: ["对象"]} if rule.list else {}
    certain = _certain_parts(rule)
    for need in (need for need in needs(rule, facts) if need.part not in certain):
        parts = found.setdefault(need.dataset, [])
        if need.part not in parts:
            parts.append(need.part)
    return {key: tuple(parts) for key, parts in found.items()}


def unknown_of(fact: Fact) -> str:
    """Where this fact's unknown comes from, in one clause."""
    if fact.dataset.role == "register":
        return "名册上没有写明：未知"
    if fact.dataset.role == "deaths":
        return "没有死亡名单：按未死亡处理"
    absent = {"BOOLEAN": "否", "BIGINT": "0", "DOUBLE": "0"}.get(fact.sql_type)
    if fact.spec.absent == "unknown" or absent is None:
        return f"名单上没有本人或没有写明：未知；{_MISSING}"
    house = "本户" if fact.spec.of_household else "本人"
    return f"名单已采用而没有{house}：{absent}；{_MISSING}"


def departments(datasets: Mapping[str, Dataset]) -> dict[str, list[Dataset]]:
    """The datasets by department, both in the order of the folder."""
    found: dict[str, list[Dataset]] = {}
    for dataset in datasets.values():
        found.setdefault(dataset.department, []).append(dataset)
    return found


def _certain_parts(rule: Rule) -> set[str]:
    return {condition.id for condition in rule.excluded if condition.certain}


def _parts(rule: Rule) -> Iterator[tuple[str, list[str]]]:
    for condition in (*rule.who, *rule.excluded):
        yield condition.id, _names(condition.when)
    if rule.received:
        yield RECEIVED, _names(rule.received)
    if rule.amount is not None and not isinstance(rule.amount.value, str):
        yield AMOUNT, list(rule.amount.value)
    if rule.benefit:
        yield CERTIFICATE, [STATE, UNTIL, DEAD]


def _names(text: str) -> list[str]:
    try:
        return names_in(parse(text))
    except ReconcileError:
        return []  # the fault itself is what `rules check` tells
