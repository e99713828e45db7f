"""What becomes of a mutated rule file: refused by the check, failed by its own cases, the same, or accepted with another meaning."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import Parameter, RegionValues, Rule, load_rule
from pipeline.desk.check_rules import rule_problems
from pipeline.desk.complaints import all_of
from pipeline.desk.rule_cases import case_failures
from pipeline.desk.rule_page import tiers_of
from pipeline.desk.rule_parameters import names_in_conditions
from pipeline.desk.rule_slips import read_explained
from pipeline.entitlement import build_parameters, declared_facts
from pipeline.entitlement.compile import OWN_FACTS, compile_rule, outcome_sql, rule_version, verdict_sql
from pipeline.entitlement.facts import Fact
from pipeline.identity.region import counties_of

from mutations import Mutant  # isort: skip

# READ: the file cannot be read; CHECK: the lint refuses it; CASES: its own cases fail. The rest was accepted:
# SAME: the same rule; WORDS: other words, cases or places only; MONEY: another amount; EQUAL: written otherwise, never
# answered otherwise; CHANGED: some person gets another answer and every case still passes (a case is missing).
# PERIOD: in force from or until another day, which no case can show, but the version and `plan` do.
READ, CHECK, CASES, SAME, WORDS, MONEY, PERIOD, EQUAL, CHANGED = (
    "读不了", "检查不通过", "用例不符", "同一条规则", "只改了文字", "只改了金额", "只改了施行期间", "写法不同意思相同", "意思变了而用例都通过"
)  # fmt: skip
_DAY = date(2026, 10, 31)
_PEOPLE = 400


@dataclass(frozen=True)
class Fate:
    """`told`: the refusals, or for an accepted file its reminders."""

    mutant: Mutant
    kind: str
    told: tuple[Problem, ...]
    version_changed: bool


class Judge:
    """Reads the schemas once; one database for all trials."""

    def __init__(self, schemas: Path, folder: Path) -> None:
        self.datasets: dict[str, Dataset] = load_datasets(schemas)
        self.facts: dict[str, Fact] = declared_facts(self.datasets)
        self.folder = folder
        self.con = duckdb.connect()
        self.con.execute("set enable_progress_bar = false").fetchall()
        self.con.execute("set threads = 1").fetchall()

    def sound(self, path: Path) -> bool:
        """Whether the file itself can be used: only such files are mutated."""
        try:
            return not _errors(self._problems(path, load_rule(path)))
        except ReconcileError:
            return False

    def fate(self, mutant: Mutant) -> Fate:
        path = self.folder / mutant.path.parent.name / mutant.path.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(mutant.text, encoding="utf-8")
        before = load_rule(mutant.path)
        try:
            rule = load_rule(path)
        except ReconcileError as error:
            told = tuple(read_explained(path, problem) for problem in all_of(error))
            return Fate(mutant, READ, told, True)
        changed = rule_version(rule) != rule_version(before)
        problems = self._problems(path, rule)
        if refusals := _errors(problems):
            return Fate(mutant, CHECK, refusals, changed)
        failures = tuple(case_failures(self.con, path, rule, self.facts))
        if failures:
            return Fate(mutant, CASES, failures, changed)
        return Fate(mutant, self._accepted(before, rule), tuple(problems), changed)

    def _problems(self, path: Path, rule: Rule) -> list[Problem]:
        return rule_problems(path, rule, self.facts, self.datasets, self.con)

    def _accepted(self, before: Rule, after: Rule) -> str:
        if before == after:
            return SAME
        if _meaning(before) == _meaning(after):
            return MONEY if _money(before) != _money(after) else WORDS
        if _meaning(before) == _meaning(
            after.model_copy(update={"since": before.since, "until": before.until})
        ):
            return PERIOD
        alike = all(self._answers(before, after, day) for day in days_that_matter(before, after))
        return EQUAL if alike else CHANGED

    def _answers(self, before: Rule, after: Rule, day: date) -> bool:
        """Whether both rules answer alike for every one of many random people, condition by condition.

        The facts are drawn independently, so that a condition that differs differs for somebody to whom it matters.
        Where both count confirmed values only, all are taken as confirmed, else no value would ever matter.
        """
        if before.only_confirmed and after.only_confirmed:
            before, after = (rule.model_copy(update={"only_confirmed": False}) for rule in (before, after))
        compiled = [compile_rule(rule, self.facts, day) for rule in (before, after)]
        names = list(dict.fromkeys([*OWN_FACTS, *compiled[0].facts, *compiled[1].facts]))
        counties = _counties(before, after)
        self._people({name: self.facts[name] for name in names}, counties, (before, after), day)
        answers = []
        for rule, one in zip((before, after), compiled, strict=True):
            build_parameters(self.con, {rule.code: rule}, counties, day)
            answer = "due" if rule.finding else outcome_sql(one)
            columns = ", ".join(["person", *(clause.column for clause in one.clauses)])
            sql = f"select {columns}, {answer} as answer from ({verdict_sql(one, day)}) as w order by person"
            answers.append(self.con.execute(sql).fetchall())
        return answers[0] == answers[1]

    def _people(
        self, facts: Mapping[str, Fact], counties: list[str], rules: tuple[Rule, Rule], day: date
    ) -> None:
        dice = random.Random(7)
        near = _numbers(rules)
        rows = [
            (n, dice.choice(counties), *(None if dice.random() < 0.1 else dice.choice(_values(f, near, day)) for f in facts.values()))
            for n in range(_PEOPLE)
        ]  # fmt: skip
        columns = "".join(f', "{name}" {fact.sql_type}' for name, fact in facts.items())
        self.con.execute(
            f"create or replace table facts (person bigint, county_code varchar{columns})"
        ).fetchall()
        marks = ", ".join("?" * (len(facts) + 2))
        self.con.executemany(f"insert into facts values ({marks})", rows)


def _errors(problems: list[Problem]) -> tuple[Problem, ...]:
    """Without the reminders."""
    return tuple(problem for problem in problems if problem.severity == "error")


def _meaning(rule: Rule) -> dict[str, Any]:
    """What decides: conditions by expression in their order, receipt, parameters that conditions use, the frame."""
    used = names_in_conditions(rule)
    return {
        "who": [c.when for c in rule.who],
        "except": [(c.when, c.certain) for c in rule.excluded],
        "received": rule.received,
        "parameters": {
            name: (p.values, {prefix: r.values for prefix, r in p.regions.items()})
            for name, p in rule.parameters.items()
            if name in used
        },
        **{key: getattr(rule, key) for key in _FRAME},
    }


_FRAME = ("since", "until", "strength", "question_if_not_due", "subject", "list", "only_confirmed")


def _money(rule: Rule) -> object:
    used = {name for _, name in tiers_of(rule)}
    parameters = {
        name: (p.values, {prefix: r.values for prefix, r in p.regions.items()})
        for name, p in rule.parameters.items()
        if name in used
    }
    return rule.amount, parameters


def days_that_matter(before: Rule, after: Rule) -> list[date]:
    """Today, and each day on which something begins in one of the rules but not in the other, and the day before.

    Only days on which one of the rules is in force: on others neither is asked.
    """
    dates = [{rule.since, *_starts(rule)} for rule in (before, after)]
    days = dates[0] ^ dates[1]
    if before.parameters != after.parameters:
        days |= dates[0] | dates[1]  # a value may differ on any of them
    days = {_DAY, *days, *(day - timedelta(days=1) for day in days)}
    return sorted(day for day in days if any(_in_force(rule, day) for rule in (before, after)))


def _in_force(rule: Rule, day: date) -> bool:
    return rule.since <= day and (rule.until is None or day <= rule.until)


def _starts(rule: Rule) -> Iterator[date]:
    yield from [rule.until + timedelta(days=1)] if rule.until else []
    for parameter in rule.parameters.values():
        tables: list[Parameter | RegionValues] = [parameter, *parameter.regions.values()]
        for table in tables:
            yield from table.values


def _counties(*rules: Rule) -> list[str]:
    """A county of every region that a parameter names, and one of nowhere special."""
    prefixes = sorted({prefix for rule in rules for p in rule.parameters.values() for prefix in p.regions})
    found = [
        next(iter(counties_of(prefix[:4])), None) or next(iter(counties_of(prefix[:2])), prefix)
        for prefix in prefixes
    ]
    return [*dict.fromkeys([*found, *(prefix for prefix in prefixes if len(prefix) == 6)]), "110101"]


def _numbers(rules: tuple[Rule, Rule]) -> list[int]:
    """Numbers at the borders of the conditions and parameters."""
    texts = [c.when for rule in rules for c in (*rule.who, *rule.excluded)]
    texts += [str(rule.parameters) for rule in rules]
    found = {int(n) for text in texts for n in re.findall(r"(?<![\d-])\d{1,7}(?![\d-])", text)}
    return sorted({max(n + step, 0) for n in found for step in (-1, 0, 1)} | {0, 1, 2, 3})


def _values(fact: Fact, near: list[int], day: date) -> list[Any]:
    if fact.sql_type == "BOOLEAN":
        return [True, False]
    if fact.sql_type == "DATE":
        steps = (-1200, -366, -365, -93, -92, -31, -30, -1, 0, 1, 30, 31, 61, 184, 365)
        return [*(day + timedelta(days=n) for n in steps), day.replace(day=1), date(9999, 12, 31)]
    codes = fact.dataset.fields[fact.field].codes if fact.field in fact.dataset.fields else {}
    if codes:
        return [int(code) if fact.sql_type != "VARCHAR" else code for code in codes]
    return list(near) if fact.sql_type in ("BIGINT", "DOUBLE") else ["甲", "乙"]
