"""Two texts of a rule: whatever is written otherwise is told, with its place; values in force by county and day."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.rule import Rule, load_rule
from pipeline.desk.plan_rules import (
    RuleChange,
    changed_rules,
    chosen,
    later_dates,
    text_changes,
    value_changes,
)
from pipeline.entitlement.compile import rule_version

RULES = Path(__file__).parents[2] / "rules"
NURSING = load_rule(RULES / "nursing_subsidy.yaml")
LIVING = load_rule(RULES / "living_subsidy.yaml")
TEKUN = load_rule(RULES / "findings" / "subsidy_with_tekun.yaml")
DAY = date(2026, 10, 31)


def raw(rule: Rule) -> dict[str, Any]:
    return rule.model_dump(mode="json", by_alias=True)


def changed(rule: Rule, *path: str | int, to: Any) -> Rule:
    """The rule with one place of it written otherwise."""
    data = raw(rule)
    place: Any = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = to
    return Rule.model_validate(data)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every scalar and every key of a rule's data."""
    inner: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(value, dict):
        inner = iter(value.items())
    elif isinstance(value, list):
        inner = iter(enumerate(value))
    for key, one in inner:
        yield (*path, key)
        yield from places(one, (*path, key))


@pytest.mark.parametrize(
    ("rule", "path", "to", "line"),
    [
        (NURSING, ("title",), "护理补贴", "名称：重度残疾人护理补贴 → 护理补贴"),
        (NURSING, ("until",), "2027-12-31", "终止日期：（无） → 2027-12-31"),
        (NURSING, ("question_if_not_due",), False, "不应享而在领时提问：是 → 否"),
        (NURSING, ("strength",), "quota", "性质：entitlement → quota"),
        (NURSING, ("who", 0, "when"), "残疾等级 <= 2", None),
        (NURSING, ("except", 1, "say"), "工伤", "排除 工伤 文字：已领取工伤保险生活护理费 → 工伤"),
        (NURSING, ("amount", "per"), "year", "金额 周期：month → year"),
        (NURSING, ("amount", "value", "残疾等级", "2"), "一级护理补贴标准", None),
        (
            NURSING,
            ("parameters", "智力精神扩大到", "values", "2016-01-01"),
            "3",
            "参数 智力精神扩大到 2016-01-01：2 → 3",
        ),
        (
            NURSING,
            ("parameters", "智力精神扩大到", "regions", "51", "values", "2024-07-01"),
            "4",
            "参数 智力精神扩大到 地区 51 2024-07-01：3 → 4",
        ),
        (TEKUN, ("urgency",), 1, f"缓急：{TEKUN.urgency} → 1"),
    ],
)
def test_a_place_is_told_in_words(rule: Rule, path: tuple[str | int, ...], to: Any, line: str | None) -> None:
    (told,) = text_changes(rule, changed(rule, *path, to=to))
    assert told == line or (line is None and "→" in told)


def test_a_region_more_is_told_value_by_value() -> None:
    more = {"values": {"2027-01-01": "3"}, "law": "某文"}
    told = list(
        text_changes(NURSING, changed(NURSING, "parameters", "智力精神扩大到", "regions", "5334", to=more))
    )
    assert told == [
        "参数 智力精神扩大到 地区 5334 2027-01-01：（无） → 3",
        "参数 智力精神扩大到 地区 5334 依据：（无） → 某文",
    ]


def test_rules_new_and_gone_and_cases() -> None:
    assert list(text_changes(None, NURSING)) == ["整条规则：新加"]
    assert list(text_changes(NURSING, None)) == ["整条规则：删去"]
    assert list(text_changes(NURSING, changed(NURSING, "cases", to=raw(NURSING)["cases"][1:]))) == [
        "用例：有改动"
    ]


def test_no_change_of_a_rule_goes_untold() -> None:
    """Whatever is left out of a rule or exchanged in it: a different rule is a difference that is told."""
    dice = random.Random(7)
    told = 0
    for rule in (NURSING, LIVING, TEKUN):
        for path in places({k: v for k, v in raw(rule).items() if k != "cases"}):
            data = copy.deepcopy(raw(rule))
            place: Any = data
            for part in path[:-1]:
                place = place[part]
            if dice.random() < 0.5 or not isinstance(place[path[-1]], str):
                del place[path[-1]]
            else:
                place[path[-1]] += "0"
            try:
                other = Rule.model_validate(data)
            except ValueError:
                continue
            if rule_version(other) != rule_version(rule):
                assert list(text_changes(rule, other)), path
                told += 1
    assert told > 60


def test_only_rules_that_differ_and_hold_are_compared() -> None:
    later = changed(LIVING, "since", to="2027-01-01")
    old = {"nursing_subsidy": NURSING, "living_subsidy": LIVING, "subsidy_with_tekun": TEKUN}
    new = {"living_subsidy": later, "nursing_subsidy": NURSING}
    changes, idle = changed_rules(old, new, DAY)
    assert [(c.code, c.old, c.new) for c in changes] == [
        ("living_subsidy", LIVING, None),  # not yet
        ("subsidy_with_tekun", TEKUN, None),
    ]
    assert idle == []
    changes, idle = changed_rules({}, {"living_subsidy": later}, DAY)
    assert (changes, idle) == ([], ["living_subsidy"])
    changes, _ = changed_rules({}, {"living_subsidy": later}, date(2027, 1, 1))
    assert [c.new for c in changes] == [later]


def test_values_in_force_by_county_and_day() -> None:
    more = {"values": {"2026-10-31": "3", "2027-01-01": "4"}}
    new = changed(NURSING, "parameters", "智力精神扩大到", "regions", "5334", to=more)
    change = RuleChange("nursing_subsidy", NURSING, new, ())
    counties = ["361102", "533401", "533423", "530102"]
    (found,) = value_changes(change, counties, DAY)
    assert found == ("智力精神扩大到", "级", "2", "3", ["533401", "533423"])
    assert value_changes(change, counties, date(2026, 10, 30)) == []
    assert value_changes(change, counties, date(2027, 1, 1))[0][3] == "4"
    assert later_dates([change], DAY) == [date(2027, 1, 1)]
    assert later_dates([change], date(2026, 10, 30)) == [DAY, date(2027, 1, 1)]
    gone = value_changes(RuleChange("nursing_subsidy", NURSING, None, ()), ["361102"], DAY)
    assert ("智力精神扩大到", "级", "4", "（无）", ["361102"]) in gone
    assert later_dates([RuleChange("nursing_subsidy", NURSING, None, ())], DAY) == []


def test_values_that_do_not_count_are_none() -> None:
    strict = changed(NURSING, "only_confirmed", to=True)
    found = value_changes(RuleChange("nursing_subsidy", NURSING, strict, ()), ["110101"], DAY)
    assert ("智力精神扩大到", "级", "2", "（无）", ["110101"]) in found


def test_a_rule_is_chosen_by_code_or_title() -> None:
    assert (
        chosen([NURSING, LIVING], "living_subsidy")
        == chosen([NURSING, LIVING], LIVING.title)
        == "living_subsidy"
    )
    with pytest.raises(ReconcileError, match=r"E554.*living_subsidy"):
        chosen([NURSING, LIVING], "living_subsidies")
