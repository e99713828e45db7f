"""`reconcile rules catalogue`: all rules on one page for print and browser, with law, history and the lists they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.contracts.rule import Rule, load_rules
from pipeline.desk import rule_words as words
from pipeline.desk.catalogue_charts import parameter_chart
from pipeline.desk.rule_needs import CERTIFICATE, RECEIVED, departments, lists_needed
from pipeline.desk.rule_page import RulePage, kind_of, rule_page
from pipeline.desk.rule_templates import rendered, written
from pipeline.entitlement import declared_facts
from pipeline.entitlement.facts import Fact

_KINDS = [*words.STRENGTHS.values(), words.FINDING]
_SAID = {
    **{words.STRENGTHS[key]: said for key, said in words.STRENGTH_SAID.items()},
    words.FINDING: words.FINDING_SAID,
}
# How a rule needs a list: a condition, the receipt, only the certificate that every benefit asks for.
CONDITION_SIGN, RECEIPT_SIGN, BOTH_SIGN, ALWAYS_SIGN = "●", "◆", "◈", "·"


@dataclass(frozen=True)
class Entry:
    """One rule in the catalogue: its page and the charts of its parameters (SVG)."""

    page: RulePage
    charts: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """How a rule needs a list: a sign, its class, and which parts of the rule."""

    sign: str
    css: str
    parts: str


@dataclass(frozen=True)
class Row:
    """A rule's line of the matrix: one cell a list, None where the list is not needed."""

    title: str
    code: str
    cells: tuple[Cell | None, ...]


def write_catalogue(rules: Path, schemas: Path, out: Path, day: date) -> str:
    """Writes the page; returns what was written. Raises ReconcileError for broken files, E315 where it cannot be written."""
    read = load_rules(rules)
    written(out, catalogue_page(read, load_datasets(schemas), day))
    findings = sum(bool(rule.finding) for rule in read.values())
    return f"已写出 {out}：{len(read) - findings} 条规则，{findings} 条核查提示，参数取 {words.day_words(day)} 的值。"


def catalogue_page(rules: Mapping[str, Rule], datasets: Mapping[str, Dataset], day: date) -> str:
    """The whole page as HTML. The same rules, datasets and day give the same bytes."""
    facts = declared_facts(datasets)
    entries = {code: _entry(rule, facts, day) for code, rule in rules.items()}
    groups = {kind: _by_owner([e for e in entries.values() if e.page.kind == kind]) for kind in _KINDS}
    return rendered(
        "catalogue.html.j2",
        {
            "title": "残疾人惠民政策规则总目",
            "day": words.day_words(day),
            "groups": {kind: owners for kind, owners in groups.items() if owners},
            "said": _SAID,
            "counts": [(kind, sum(kind_of(rule) == kind for rule in rules.values())) for kind in _KINDS],
            "cases": sum(len(rule.cases) for rule in rules.values()),
            "unconfirmed": [e for e in entries.values() if e.page.unconfirmed],
            "departments": departments(datasets),
            "matrix": {kind: rows for kind in _KINDS if (rows := _matrix(rules, facts, datasets, kind))},
            "users": _users(rules, facts),
            "datasets": datasets,
            "signs": (CONDITION_SIGN, RECEIPT_SIGN, BOTH_SIGN, ALWAYS_SIGN),
        },
    )


def _entry(rule: Rule, facts: Mapping[str, Fact], day: date) -> Entry:
    charts = [parameter_chart(name, parameter, day) for name, parameter in rule.parameters.items()]
    return Entry(rule_page(rule, facts, day), tuple(chart for chart in charts if chart))


def _by_owner(entries: list[Entry]) -> dict[str, list[Entry]]:
    """Owners in the order of their names; within one the rules' own order."""
    owners: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda e: e.page.rule.owner):
        owners.setdefault(entry.page.rule.owner, []).append(entry)
    return owners


def _matrix(
    rules: Mapping[str, Rule], facts: Mapping[str, Fact], datasets: Mapping[str, Dataset], kind: str
) -> list[Row]:
    keys = [dataset.dataset for some in departments(datasets).values() for dataset in some]
    rows = []
    for rule in rules.values():
        if kind_of(rule) == kind:
            needed = lists_needed(rule, facts)
            cells = tuple(_cell(needed[key]) if key in needed else None for key in keys)
            rows.append(Row(rule.title, rule.code, cells))
    return rows


def _cell(parts: tuple[str, ...]) -> Cell:
    receipt = RECEIVED in parts
    conditions = [part for part in parts if part not in (RECEIVED, CERTIFICATE)]
    said = "、".join(parts)
    if receipt and conditions:
        return Cell(BOTH_SIGN, "receipt", said)
    if receipt:
        return Cell(RECEIPT_SIGN, "receipt", said)
    return Cell(CONDITION_SIGN, "need", said) if conditions else Cell(ALWAYS_SIGN, "always", said)


def _users(rules: Mapping[str, Rule], facts: Mapping[str, Fact]) -> dict[str, list[str]]:
    """Dataset key -> titles of the rules that need it for more than the certificate."""
    users: dict[str, list[str]] = {}
    for rule in rules.values():
        for key, parts in lists_needed(rule, facts).items():
            if parts != (CERTIFICATE,):
                users.setdefault(key, []).append(rule.title)
    return users
