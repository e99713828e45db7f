"""A rule as the parts of a page, everything already in words: what `rules show` prints and the catalogue draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from pipeline.contracts.rule import Case, Condition, Parameter, Rule
from pipeline.desk import rule_words as words
from pipeline.desk.rule_needs import Need, needs
from pipeline.entitlement.compile import rule_version
from pipeline.entitlement.facts import Fact
from pipeline.entitlement.parameters import value_at


@dataclass(frozen=True)
class Standard:
    """What the benefit is worth in one region at the day: (tier, amount); a tier is "" where there is only one."""

    region: str
    tiers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DatedValue:
    """One line of a parameter's history. `in_force`: the region's value at the day."""

    region: str
    since: str
    value: str
    law: str
    in_force: bool


@dataclass(frozen=True)
class ParameterPage:
    """A parameter with all its values, the nation first, then regions by code, each by date."""

    name: str
    unit: str
    law: str
    values: tuple[DatedValue, ...]


@dataclass(frozen=True)
class CasePage:
    """A worked case as a sentence: its name, where and when, what is known, the answer."""

    name: str
    place: str
    given: str
    answer: str


@dataclass(frozen=True)
class RulePage:
    """The whole rule. `kind` is 应享, 名额, 线索 or 核查提示, `kind_said` what that means."""

    rule: Rule
    day: str
    version: str
    kind: str
    kind_said: str
    period: str
    subject: str
    pairs: str  # of which comparisons of departments it is part
    who: tuple[Condition, ...]
    excluded: tuple[Condition, ...]
    received: str
    amount: str
    standards: tuple[Standard, ...]
    parameters: tuple[ParameterPage, ...]
    needs: tuple[Need, ...]
    cases: tuple[CasePage, ...]
    unconfirmed: int  # how often the file says 待核


def rule_page(rule: Rule, facts: Mapping[str, Fact], day: date) -> RulePage:
    """Everything a page about the rule says, with the values in force at the day."""
    said = words.FINDING_SAID if rule.finding else words.STRENGTH_SAID[rule.strength]
    until = f"至{words.day_words(rule.until)}" if rule.until else "起"
    received = facts[rule.received].spec.say if rule.received in facts else ""
    return RulePage(
        rule=rule,
        day=words.day_words(day),
        version=rule_version(rule),
        kind=kind_of(rule),
        kind_said=said,
        period=words.day_words(rule.since) + until,
        subject=words.SUBJECTS[rule.subject],
        pairs="；".join(f"{code} {words.PAIRS[code]}" for code in rule.pairs),
        who=rule.who,
        excluded=tuple(_said(condition) for condition in rule.excluded),
        received=f"{rule.received}（{received}）" if received else rule.received,
        amount=_amount(rule),
        standards=tuple(_standards(rule, day)),
        parameters=tuple(_parameter(name, p, day) for name, p in rule.parameters.items()),
        needs=needs(rule, facts),
        cases=tuple(_case(case) for case in rule.cases),
        unconfirmed=rule.model_dump_json().count(words.UNCONFIRMED),
    )


def _said(condition: Condition) -> Condition:
    """Its sentence says where it counts only if it certainly holds."""
    if not condition.certain:
        return condition
    return condition.model_copy(update={"say": f"{condition.say}（{words.ONLY_CERTAIN}）"})


def kind_of(rule: Rule) -> str:
    """应享, 名额, 线索; 核查提示 for findings."""
    return words.FINDING if rule.finding else words.STRENGTHS[rule.strength]


def tiers_of(rule: Rule) -> list[tuple[str, str]]:
    """(tier in words, parameter) of the amount; one nameless tier where it is the same for everybody."""
    if rule.amount is None:
        return []
    if isinstance(rule.amount.value, str):
        return [("", rule.amount.value)]
    return [
        (f"{fact} {code}", name) for fact, table in rule.amount.value.items() for code, name in table.items()
    ]


def _amount(rule: Rule) -> str:
    if rule.amount is None:
        return ""
    if isinstance(rule.amount.value, str):
        return f"{words.PER[rule.amount.per]}，按“{rule.amount.value}”"
    return f"{words.PER[rule.amount.per]}，按{'、'.join(rule.amount.value)}分档"


def _standards(rule: Rule, day: date) -> Iterator[Standard]:
    tiers = [(tier, name) for tier, name in tiers_of(rule) if name in rule.parameters]
    regions = {prefix for _, name in tiers for prefix in rule.parameters[name].regions}
    for prefix in ["", *sorted(regions)]:
        values = [
            (tier, rule.parameters[name], value_at(rule.parameters[name], prefix, day))
            for tier, name in tiers
        ]
        if any(value is not None for _, _, value in values):
            said = tuple((tier, words.value_words(value, p.unit)) for tier, p, value in values)
            yield Standard(words.region_words(prefix), said)


def _parameter(name: str, parameter: Parameter, day: date) -> ParameterPage:
    tables = [("", parameter.values, parameter.law, parameter.confirmed)]
    tables += [(p, r.values, r.law, r.confirmed) for p, r in sorted(parameter.regions.items())]
    lines = []
    for prefix, values, law, confirmed in tables:
        started = [start for start in values if start <= day]
        for start, value in sorted(values.items()):
            said = words.value_words(value, parameter.unit)
            region = words.region_words(prefix)
            basis = law + ("（已核）" if confirmed else "")
            lines.append(
                DatedValue(region, start.isoformat(), said, basis, start == max(started, default=None))
            )
    return ParameterPage(name, parameter.unit, parameter.law, tuple(lines))


def _case(case: Case) -> CasePage:
    place = f"{words.region_words(case.region)}，{words.day_words(case.as_of)}"
    return CasePage(case.name, place, words.given_words(case), words.answer_words(case))
