"""A rule's cases: what they name exists, what they give can be, and no condition is left without its own cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import OUTCOMES, Case, Condition, Rule
from pipeline.desk.complaints import WARNING, at, nearest
from pipeline.desk.rule_parameters import region_exists
from pipeline.desk.rule_slips import wide_in, with_hints
from pipeline.entitlement.cases import UNKNOWN, fact_literal, run_rule_cases
from pipeline.entitlement.expression import names_in, parse
from pipeline.entitlement.facts import Fact
from pipeline.locked_database import in_memory

FINDING_OUTCOMES = ("found", "not_found", "undetermined")
_BENEFIT_WANTS = ("missing", "receiving", "not_due", "undetermined", "renew_first")
_DENIED = ("not_due", "receiving_not_due", "not_found")


def case_problems(path: Path, rule: Rule, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    """Complaints about every case with its line; what no case shows is a reminder."""
    ids = [*(c.id for c in (*rule.who, *rule.excluded)), *(["received"] if rule.received else [])]
    for n, case in enumerate(rule.cases):
        place = ("cases", str(n))
        yield from _outcome(path, rule, case, place)
        yield from _given(path, case, facts, place)
        for name in (name for name in case.because if name not in ids):
            cure = f"本规则的条件：{'、'.join(ids)}"
            problem = with_hints(_bad(f"没有条件“{name}”", "because 写错了", cure), wide_in(name))
            yield at(path, problem, *place, "because")
        yield from _where_and_when(path, rule, case, place)
    yield from _coverage(path, rule, facts)


def _outcome(path: Path, rule: Rule, case: Case, place: tuple[str, ...]) -> Iterator[Problem]:
    expected = FINDING_OUTCOMES if rule.finding else OUTCOMES
    if case.expect not in expected:
        cure = f"应为 {'、'.join(expected)} 之一"
        yield at(path, _bad(f"没有“{case.expect}”这种结论", "用例的 expect 写错了", cure), *place, "expect")


def _given(path: Path, case: Case, facts: Mapping[str, Fact], place: tuple[str, ...]) -> Iterator[Problem]:
    for name, value in case.given.items():
        where = (*place, "given", name)
        if name not in facts:
            cure = f"相近的有：{nearest(name, facts)}"
            problem = Problem("E308", "error", f"用例用到了没有的事实“{name}”", "schemas/ 没有声明它", cure)
            yield at(path, with_hints(problem, wide_in(name)), *where)
            continue
        try:
            fact_literal(facts[name], value)
        except ReconcileError as error:
            yield at(path, with_hints(error.problem, wide_in(value)), *where)
            continue
        fact = facts[name]
        codes = fact.dataset.fields[fact.field].codes if fact.kind == "first" else {}
        if codes and value not in codes and value not in UNKNOWN:
            cure = f"相近的有：{nearest(value, codes)}；代码有：{'、'.join(codes)}"
            problem = Problem("E307", "error", f"“{value}”不是“{name}”的代码", "没有人会是这个值", cure)
            yield at(path, with_hints(problem, wide_in(value)), *where)


def _where_and_when(path: Path, rule: Rule, case: Case, place: tuple[str, ...]) -> Iterator[Problem]:
    if not _is_region(case.region):
        cure = "写六位区划代码，加引号；只到省、州（市）的后面补 0"
        problem = _bad(f"没有区划代码“{case.region}”", "用例的 region 写错了", cure)
        yield at(path, with_hints(problem, wide_in(case.region)), *place, "region")
    if case.as_of < rule.since or (rule.until and case.as_of > rule.until):
        period = f"{rule.since} 起" + (f"至 {rule.until}" if rule.until else "")
        why = f"规则的有效期是 {period}，那一天并不判断"
        yield at(path, _reminder(f"用例的日期 {case.as_of} 不在有效期内", why, "改正 as_of 或 since"), *place)


def _is_region(code: str) -> bool:
    """A county, or a prefecture or province filled up with zeros."""
    if len(code) != 6 or not (code.isascii() and code.isdigit()):
        return False
    prefix = code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code
    return region_exists(prefix) or region_exists(code)


def _coverage(path: Path, rule: Rule, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    for key, conditions in (("who", rule.who), ("except", rule.excluded)):
        for n, condition in enumerate(conditions):
            yield from (at(path, problem, key, str(n)) for problem in _alone(rule, condition, facts))
    seen = {case.expect for case in rule.cases}
    wanted = [name for name in (_BENEFIT_WANTS if rule.benefit else FINDING_OUTCOMES) if name not in seen]
    if wanted:
        why = "没有试过的结论可能是错的"
        yield at(path, _reminder(f"没有结论为 {'、'.join(wanted)} 的用例", why, "各补一个"), "cases")
    if rule.received and not any(case.because == ("received",) for case in rule.cases):
        why = "应当有一个其他都符合、只有是否已享受未知的用例（because: [received]）"
        yield at(path, _reminder("没有是否已享受未知的用例", why, "补一个"), "received")
    for name, count in Counter(case.name for case in rule.cases).items():
        if count > 1:
            yield at(path, _reminder(f"有 {count} 个用例都叫“{name}”", "看不出是哪一个不符", "改名"), "cases")


def _alone(rule: Rule, condition: Condition, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    """Whether the condition alone decides in some case, and is alone unknown in some case.

    One that counts only where it is certain cannot keep an answer open: a case shows that its unknown changes nothing.
    """
    names = _names(condition)
    if names == []:
        return  # a constant: it decides nothing
    own = [case for case in rule.cases if case.because == (condition.id,)]
    cure = f"补一个，写明 because: [{condition.id}]"
    if not any(case.expect in _DENIED for case in own):
        yield _reminder(f"条件“{condition.id}”没有单独起决定作用的用例", "写错了也试不出来", cure)
    if condition.certain:
        if _can_be_unknown(names, facts) and not _unknown_is_shown(rule, condition, facts):
            what = f"条件“{condition.id}”没有未知而不影响结论的用例"
            cure = "补一个：其余条件都符合，不给它的事实，expect 写照常的结论"
            yield _reminder(what, "certain: yes 写漏了也试不出来", cure)
        return
    if not any(case.expect == "undetermined" for case in own) and _can_be_unknown(names, facts):
        yield _reminder(f"条件“{condition.id}”没有单独未知的用例", "名单缺了会怎样没有试过", cure)


def _unknown_is_shown(rule: Rule, condition: Condition, facts: Mapping[str, Fact]) -> bool:
    """Whether some case would be undetermined by this condition alone if it did not ask for certainty."""
    asked = tuple(c.model_copy(update={"certain": False}) if c is condition else c for c in rule.excluded)
    cases = tuple(case for case in rule.cases if case.expect not in ("undetermined", *_DENIED))
    try:
        with in_memory() as con:
            results = run_rule_cases(con, rule.model_copy(update={"excluded": asked, "cases": cases}), facts)
    except (ReconcileError, duckdb.Error):
        return True  # what cannot be run is told elsewhere
    return any(r.outcome == "undetermined" and r.because == (condition.id,) for r in results)


def _names(condition: Condition) -> list[str] | None:
    """The names of the condition; None where it cannot be read (told elsewhere)."""
    try:
        return names_in(parse(condition.when))
    except ReconcileError:
        return None


def _can_be_unknown(names: list[str] | None, facts: Mapping[str, Fact]) -> bool:
    """A death list that says nothing counts as not dead; every other fact may be unknown."""
    return any(name in facts and facts[name].dataset.role != "deaths" for name in names or ())


def _bad(what: str, why: str, cure: str) -> Problem:
    return Problem("E309", "error", what, why, cure)


def _reminder(what: str, why: str, cure: str) -> Problem:
    return Problem("E313", WARNING, what, why, cure)
