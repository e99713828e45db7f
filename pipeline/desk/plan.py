"""`reconcile plan`: two rule folders on the last night's facts. Nothing is read from the inbox, nothing is changed.

A rule whose text is the same in both folders gives the same answers and is not looked at again; the others are evaluated
on both sides by the night's own SQL over the facts that it kept (`STATE/night/`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from pipeline import entitlement, matching
from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.rule import load_rules
from pipeline.contracts.settings import Settings, load_settings
from pipeline.desk.plan_answers import Side, evaluate, reasons
from pipeline.desk.plan_compare import Group, Sample, Shift, compare, samples, shifts
from pipeline.desk.plan_rules import RuleChange, changed_rules, chosen, later_dates, value_changes
from pipeline.entitlement.amounts import amount_facts
from pipeline.entitlement.compile import OWN_FACTS, compile_rule
from pipeline.entitlement.fact import Fact
from pipeline.entitlement.kept_night import KeptNight, check_declared, kept_night, open_night
from pipeline.identity import region
from pipeline.locked_database import folders_of_a_night
from pipeline.private_process import scratch

ValueChange = tuple[str, str, str, str, list[str]]


@dataclass(frozen=True)
class PlanRequest:
    """What is compared. `as_of`: the day whose parameters and rules count (None: the night's); `benefit`: only this rule."""

    state: Path
    schemas: Path
    rules: Path
    against: Path
    as_of: date | None = None
    benefit: str = ""
    samples: int = 5
    config: Path | None = None


@dataclass(frozen=True)
class Difference:
    """One changed rule and what it does. `groups` are all people by county and outcomes, also the unchanged ones."""

    change: RuleChange
    values: list[ValueChange]
    groups: list[Group]
    shifts: list[Shift]
    samples: list[tuple[Sample, str, str]]  # with the reason before and after

    @property
    def matters(self) -> bool:
        """Whether an outcome, an amount or a condition's verdict differs for anybody."""
        return bool(self.shifts) or any(group.differs for group in self.groups)


@dataclass(frozen=True)
class Plan:
    """The whole comparison."""

    request: PlanRequest
    night: KeptNight
    day: date  # of the parameters and of the rules in force
    people: int
    counties: Mapping[str, str]
    same: int  # rules with the same text
    idle: list[str]  # changed, but in force on neither side
    outside: list[RuleChange]  # about people off the register: the kept facts do not hold them
    later: list[date]
    differences: list[Difference]


@dataclass(frozen=True)
class _Where:
    """The counties, the day of the parameters and the night's day."""

    counties: Sequence[str]
    day: date
    as_of: date


def plan(request: PlanRequest) -> Plan:
    """Compares. Raises ReconcileError E550-E553 (the kept night), E554 (no such rule), E30x (a rule that cannot be used)."""
    settings, night = load_settings(request.config), kept_night(request.state)
    facts = entitlement.declared_facts(load_datasets(request.schemas))
    old, new = load_rules(request.against), load_rules(request.rules)
    if request.benefit:
        code = chosen([*new.values(), *old.values()], request.benefit)
        old, new = ({c: r for c, r in rules.items() if c == code} for rules in (old, new))
    day = request.as_of or night.as_of
    changes, idle = changed_rules(old, new, day)
    outside = [c for c in changes if any(r.subject != "register" for r in (c.old, c.new) if r)]
    inside = [c for c in changes if c not in outside]
    with scratch(request.state, "plan-") as spill:
        con = matching.connect(
            settings.limits.memory_gb, settings.limits.threads, spill, folders_of_a_night(request.state)
        )
        try:
            _open(con, night, inside, facts)
            codes = [row[0] for row in con.execute("select county_code from covered order by 1").fetchall()]
            count = con.execute("select count(*) from facts").fetchall()[0][0]
            where = _Where(codes, day, night.as_of)
            differences = [_difference(con, change, facts, where, request.samples) for change in inside]
        finally:
            con.close()
    same = len({**new, **old}) - len(changes) - len(idle)
    names = _county_names(codes, settings)
    later = later_dates(changes, day)
    return Plan(request, night, day, count, names, same, idle, outside, later, differences)


def _open(
    con: duckdb.DuckDBPyConnection, night: KeptNight, changes: Sequence[RuleChange], facts: Mapping[str, Fact]
) -> None:
    """The kept tables with the facts that the changed rules use; a fact that the night lacks is refused before that."""
    rules = [rule for change in changes for rule in (change.old, change.new) if rule]
    compiled = [compile_rule(rule, facts, night.as_of) for rule in rules]
    names = [
        *OWN_FACTS,
        *(n for c in compiled for n in c.facts),
        *(n for rule in rules for n in amount_facts(rule)),
    ]
    check_declared(night, names, facts)
    open_night(con, night, names)


def _difference(
    con: duckdb.DuckDBPyConnection, change: RuleChange, facts: Mapping[str, Fact], where: _Where, limit: int
) -> Difference:
    """One rule on both sides; its tables are written over by the next one's."""
    old, new = (
        Side(
            name,
            compile_rule(rule, facts, where.as_of) if rule else None,
            where.counties,
            where.day,
            where.as_of,
        )
        for name, rule in (("old", change.old), ("new", change.new))
    )
    for side in (old, new):
        evaluate(con, side, facts)
    groups, moved = compare(con, old, new, bool(change.rule.finding)), shifts(con, old, new)
    shown = samples(con, limit)
    before, after = (reasons(con, side, [s.person for s in shown], facts) for side in (old, new))
    told = [(s, before.get(s.person, ""), after.get(s.person, "")) for s in shown]
    return Difference(change, value_changes(change, where.counties, where.day), groups, moved, told)


def _county_names(codes: Sequence[str], settings: Settings) -> dict[str, str]:
    own = {code: settings.counties[code].name for code in codes if code in settings.counties}
    return {code: own.get(code) or region.county_name(code) or code for code in codes}
