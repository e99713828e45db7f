"""`reconcile rules test`: the cases in the rule files, run by the night's own engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import Rule
from pipeline.desk.check_rules import read_all
from pipeline.desk.complaints import all_of, at
from pipeline.entitlement import declared_facts
from pipeline.entitlement.cases import CaseResult, run_rule_cases
from pipeline.entitlement.facts import Fact
from pipeline.locked_database import in_memory


def test_rules(rules: Path, schemas: Path) -> tuple[list[str], bool]:
    """One line a failing case, the count last, and whether any failed. Raises ReconcileError for broken schemas."""
    facts = declared_facts(load_datasets(schemas))
    read, problems = read_all(rules)
    total = 0
    with in_memory() as con:
        for path, rule in read.items():
            problems += case_failures(con, path, rule, facts)
            total += len(rule.cases)
    count = f"{len(read)} 条规则，{total} 个用例，{len(problems)} 个不符"
    return [*(problem.line() for problem in problems), count], bool(problems)


test_rules.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for a test


def case_failures(
    con: duckdb.DuckDBPyConnection, path: Path, rule: Rule, facts: Mapping[str, Fact]
) -> Iterator[Problem]:
    """A problem for every case of the rule that comes out otherwise than expected, or cannot be run."""
    try:
        results = run_rule_cases(con, rule, facts)
    except ReconcileError:
        yield from _one_by_one(con, path, rule, facts)
        return
    for n, result in enumerate(results):
        if not result.passed:
            yield at(path, _difference(result), "cases", str(n))


def _one_by_one(
    con: duckdb.DuckDBPyConnection, path: Path, rule: Rule, facts: Mapping[str, Fact]
) -> Iterator[Problem]:
    """Some case (or the rule itself) cannot be run: which, and how the others come out."""
    for n, case in enumerate(rule.cases):
        try:
            result = run_rule_cases(con, rule.model_copy(update={"cases": (case,)}), facts)[0]
        except ReconcileError as error:
            yield from (at(path, problem, "cases", str(n)) for problem in all_of(error))
            continue
        if not result.passed:
            yield at(path, _difference(result), "cases", str(n))


def _difference(result: CaseResult) -> Problem:
    case = result.case
    expected = case.expect + (f"（{'、'.join(case.because)}）" if case.because else "")
    got = result.outcome + (f"（{'、'.join(result.because)}）" if result.because else "")
    what = f"规则 {result.rule} 的用例“{case.name}”应为 {expected}，得到 {got}"
    return Problem("E312", "error", what, "括号里是起决定作用的条件", "改正条件、参数或用例")
