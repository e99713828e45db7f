"""Two rule folders side by side: which rules differ, in what words, and which of them hold on the day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import Rule
from pipeline.desk.complaints import nearest
from pipeline.entitlement.compile import rule_version
from pipeline.entitlement.parameters import value_at

NOTHING = "（无）"
_WORDS = {
    "title": "名称", "owner": "主管部门", "law": "依据", "since": "起始日期", "until": "终止日期", "strength": "性质",
    "question_if_not_due": "不应享而在领时提问", "subject": "对象", "list": "名单", "urgency": "缓急",
    "who": "条件", "except": "排除", "received": "已享受", "amount": "金额",
    "parameters": "参数", "not_checked": "未核事项", "say": "文字", "when": "判断", "regions": "地区", "values": "",
    "unit": "单位", "per": "周期", "value": "标准", "benefit": "代码", "finding": "代码", "pairs": "部门比对",
    "only_confirmed": "只用已确认的数值", "confirmed": "已确认",
}  # fmt: skip


@dataclass(frozen=True)
class RuleChange:
    """A rule that is not the same in both folders; None where a folder lacks it or it does not hold on the day."""

    code: str
    old: Rule | None
    new: Rule | None
    texts: tuple[str, ...]  # what was written otherwise, one line a place

    @property
    def rule(self) -> Rule:
        """The rule by which it is called: the new one where there is one."""
        rule = self.new or self.old
        if rule is None:
            raise ValueError(self.code)
        return rule


def changed_rules(
    old: Mapping[str, Rule], new: Mapping[str, Rule], day: date
) -> tuple[list[RuleChange], list[str]]:
    """Rules that differ, in the new folder's order and then the old one's; and the codes of those that hold on neither side.

    The same text gives the same answers, so that the others need not be looked at.
    """
    changes, idle = [], []
    for code in dict.fromkeys([*new, *old]):
        before, after = old.get(code), new.get(code)
        if before and after and rule_version(before) == rule_version(after):
            continue
        texts = tuple(text_changes(before, after))
        before, after = _in_force(before, day), _in_force(after, day)
        if before is None and after is None:
            idle.append(code)
        else:
            changes.append(RuleChange(code, before, after, texts))
    return changes, idle


def chosen(rules: Iterable[Rule], asked: str) -> str:
    """The code of the rule asked for by code or title. Raises ReconcileError E554 with the nearest names."""
    names = {name: rule.code for rule in rules for name in (rule.code, rule.title)}
    if asked in names:
        return names[asked]
    why, cure = "两个文件夹里都没有它", f"相近的有：{nearest(asked, names)}"
    raise ReconcileError(Problem("E554", "error", f"没有规则“{asked}”", why, cure))


def text_changes(old: Rule | None, new: Rule | None) -> Iterator[str]:
    """Every place of the rule that is written otherwise: `place：old → new`; the cases only as a whole."""
    if old is None or new is None:
        yield "整条规则：" + ("新加" if old is None else "删去")
        return
    before, after = _places(old), _places(new)
    found = [
        f"{_place(path)}：{before.get(path, NOTHING)} → {after.get(path, NOTHING)}"
        for path in dict.fromkeys([*before, *after])
        if before.get(path) != after.get(path)
        and {before.get(path, NOTHING), after.get(path, NOTHING)} != {NOTHING, "否"}  # what comes of itself
    ]
    yield from found
    if old.cases != new.cases:
        yield "用例：有改动"
    elif not found:
        yield "只有次序或空项不同"


def value_changes(
    change: RuleChange, counties: Sequence[str], day: date
) -> list[tuple[str, str, str, str, list[str]]]:
    """Parameters whose value in force differs: (name, unit, old, new, counties), counties with the same two together."""
    names = dict.fromkeys(name for rule in (change.new, change.old) if rule for name in rule.parameters)
    found = []
    for name in names:
        places: dict[tuple[str, str], list[str]] = {}
        for county in counties:
            was, becomes = (_value(rule, name, county, day) for rule in (change.old, change.new))
            if was != becomes:
                places.setdefault((was, becomes), []).append(county)
        unit = next(r.parameters[name].unit for r in (change.new, change.old) if r and name in r.parameters)
        found += [(name, unit, *values, where) for values, where in sorted(places.items())]
    return found


def _value(rule: Rule | None, name: str, county: str, day: date) -> str:
    """As the night reads it: a rule may count confirmed values only."""
    if rule is None or name not in rule.parameters:
        return NOTHING
    return value_at(rule.parameters[name], county, day, only_confirmed=rule.only_confirmed) or NOTHING


def later_dates(changes: Iterable[RuleChange], day: date) -> list[date]:
    """Dates after the day from which the new folder has values that the old one has not."""
    found: set[date] = set()
    for change in changes:
        old, new = (_dated(rule) for rule in (change.old, change.new))
        found |= {start for _, _, start, _ in new - old if start > day}
    return sorted(found)


def _dated(rule: Rule | None) -> set[tuple[str, str, date, str]]:
    """(parameter, region, date, value) of every value written."""
    return {
        (name, prefix, start, value)
        for name, p in (rule.parameters.items() if rule else ())
        for prefix, values in (("", p.values), *((prefix, r.values) for prefix, r in p.regions.items()))
        for start, value in values.items()
    }


def _in_force(rule: Rule | None, day: date) -> Rule | None:
    holds = rule is not None and rule.since <= day and (rule.until is None or day <= rule.until)
    return rule if holds else None


def _places(rule: Rule) -> dict[tuple[str, ...], str]:
    """Every scalar of the rule by its path; conditions by their id."""
    found: dict[tuple[str, ...], str] = {}
    _walk(rule.model_dump(mode="json", by_alias=True, exclude={"cases"}), (), found)
    return found


def _walk(value: Any, path: tuple[str, ...], found: dict[tuple[str, ...], str]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _walk(inner, (*path, str(key)), found)
    elif isinstance(value, list | tuple):
        for n, inner in enumerate(value):
            known = inner.get("id") if isinstance(inner, dict) else None
            _walk(inner, (*path, str(known or n + 1)), found)
    elif value not in (None, ""):
        found[path] = ("是" if value else "否") if isinstance(value, bool) else str(value)


def _place(path: tuple[str, ...]) -> str:
    """The path in words: 参数 智力精神扩大到 地区 5334 2027-01-01."""
    return " ".join(word for word in (_WORDS.get(part, part) for part in path) if word)
