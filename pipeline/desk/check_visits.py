"""`reconcile rules check` and `rules test` of the signs for visits: names, types, cases, each complaint with its line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from pipeline.contracts.dataset import Dataset, Strict, load_datasets
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import Parameter, RegionValues, Rule
from pipeline.contracts.visit_signs import Sign, SignCase, VisitSigns, load_visit_signs, visit_signs_file
from pipeline.desk.check_rules import vocabulary
from pipeline.desk.complaints import WARNING, all_of, at, name_of, nearest, told
from pipeline.desk.dataset_facts import CHECK_DAY
from pipeline.desk.expression_types import type_complaints
from pipeline.desk.rule_parameters import names_in_conditions, parameter_problems, region_exists
from pipeline.desk.rule_slips import expression_explained, wide_in, with_hints
from pipeline.desk.rule_values import value_problems
from pipeline.entitlement import declared_facts
from pipeline.entitlement.cases import UNKNOWN, fact_literal
from pipeline.entitlement.expression import parse
from pipeline.entitlement.fact import Fact
from pipeline.entitlement.visit_cases import SignCaseResult, run_sign_cases
from pipeline.entitlement.visit_signs import compile_signs, rehearse_visits
from pipeline.locked_database import in_memory

_ANY_DAY = date(2100, 12, 31)  # signs have no first day: no parameter can be late for it
_MODELS: dict[str, type[Strict]] = {"signs": Sign, "cases": SignCase, "parameters": Parameter}


def check_visits(rules: Path, schemas: Path) -> tuple[list[str], bool]:
    """The lines to print, the count last (none where the folder has no signs), and whether anything is wrong.

    Raises ReconcileError for broken schemas.
    """
    datasets = load_datasets(schemas)
    facts = declared_facts(datasets)
    path = visit_signs_file(rules)
    strays = [*_strays(path)]
    try:
        signs = load_visit_signs(rules)
    except ReconcileError as error:
        return told([*strays, *(_nearest_key(problem) for problem in all_of(error))], "走访迹象")
    if signs is None:
        return told(strays, "走访迹象 0 个") if strays else ([], False)
    return told([*strays, *sign_problems(path, signs, facts, datasets)], f"走访迹象 {len(signs.signs)} 个")


def test_visits(rules: Path, schemas: Path) -> tuple[list[str], bool]:
    """One line a failing case, the count last (none where the folder has no signs), and whether any failed."""
    facts = declared_facts(load_datasets(schemas))
    path = visit_signs_file(rules)
    try:
        signs = load_visit_signs(rules)
        if signs is None:
            return [], False
        with in_memory() as con:
            results = run_sign_cases(con, signs, facts)
    except ReconcileError as error:
        return [problem.line() for problem in all_of(error)], True
    failed = [
        at(path, _difference(result), "cases", str(n))
        for n, result in enumerate(results)
        if not result.passed
    ]
    count = f"走访迹象 {len(signs.signs)} 个，{len(results)} 个用例，{len(failed)} 个不符"
    return [*(problem.line() for problem in failed), count], bool(failed)


test_visits.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for a test


def sign_problems(
    path: Path, signs: VisitSigns, facts: Mapping[str, Fact], datasets: Mapping[str, Dataset]
) -> list[Problem]:
    """Everything that is wrong with signs that could be read."""
    like = _as_finding(signs)
    found = [*parameter_problems(path, like, facts), *value_problems(path, like, names_in_conditions(like))]
    found += [*_conditions(path, signs, like, facts), *_cases(path, signs, facts)]
    departments = sorted({dataset.department for dataset in datasets.values()})
    if signs.owner not in departments:
        problem = _bad(
            f"没有部门“{signs.owner}”", "数据说明里没有这个部门", f"写 {'、'.join(departments)} 之一"
        )
        found.append(at(path, problem, "owner"))
    if all(problem.severity == WARNING for problem in found):
        try:
            rehearse_visits(signs, facts, CHECK_DAY)
        except ReconcileError as error:
            found += (at(path, problem, "signs") for problem in all_of(error))
    return found


def _as_finding(signs: VisitSigns) -> Rule:
    """The signs as a rule with the same parameters and conditions, so that both are checked by one law."""
    who = [{"id": sign.id, "say": sign.say, "when": sign.when} for sign in signs.signs if sign.when]
    return Rule(
        finding="early_warning",
        title=signs.title,
        owner=signs.owner,
        law=signs.law,
        since=_ANY_DAY,
        who=[*who, {"id": "monitored", "say": "", "when": signs.monitored}],  # type: ignore[arg-type]
        parameters=signs.parameters,
        cases=[{"name": "", "expect": "found"}],  # type: ignore[arg-type]
    )


def _conditions(path: Path, signs: VisitSigns, like: Rule, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    """Each sign alone (the compiler stops at the first fault), then who is monitored."""
    words = vocabulary(like, facts)
    placed: list[tuple[tuple[str, ...], VisitSigns, str]] = []
    for n, sign in enumerate(signs.signs):
        alone = sign.model_copy(update={"lost": ()})
        placed.append((("signs", str(n), "when"), _with(signs, alone), sign.when))
        yield from _lost(path, n, sign, facts)
    nothing = Sign(id="x", say="x", when="1 = 1", weight=1, ask="x")
    only = signs.model_copy(update={"signs": (nothing,)})
    for place, one, text in [*placed, (("monitored",), only, signs.monitored)]:
        try:
            compile_signs(one, facts, CHECK_DAY)
        except ReconcileError as error:
            for problem in all_of(error):
                yield at(path, expression_explained(problem, text, words.kinds, facts), *place)
            continue
        for why in type_complaints(parse(text), words) if text else []:
            yield at(path, Problem("E310", "error", f"条件不成立：{text}", why, "按事实的种类改写"), *place)


def _with(signs: VisitSigns, sign: Sign) -> VisitSigns:
    """The file with this sign alone, and nothing said of who is monitored."""
    return signs.model_copy(update={"signs": (sign,), "monitored": "1 = 1"})


def _lost(path: Path, n: int, sign: Sign, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    yes_no = [name for name, fact in facts.items() if fact.is_yes_no]
    for name in (name for name in sign.lost if name not in yes_no):
        why = "只有是非事实才谈得上失去" if name in facts else "schemas/ 没有声明它"
        problem = _bad(f"迹象“{sign.id}”的 lost 不能写“{name}”", why, f"相近的有：{nearest(name, yes_no)}")
        yield at(path, with_hints(problem, wide_in(name)), "signs", str(n), "lost")


def _cases(path: Path, signs: VisitSigns, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    ids = [sign.id for sign in signs.signs]
    for n, case in enumerate(signs.cases):
        place = ("cases", str(n))
        for name in (name for name in case.expect if name not in ids):
            problem = _bad(f"没有迹象“{name}”", "用例的 expect 写错了", f"本文件的迹象：{'、'.join(ids)}")
            yield at(path, with_hints(problem, wide_in(name)), *place, "expect")
        for key, values in (("given", case.given), ("before", case.before)):
            for name, value in values.items():
                yield from (at(path, p, *place, key, name) for p in _value(name, value, facts))
        for name in (name for name in case.before if name in facts and name not in signs.lost):
            what = f"before 里的“{name}”没有用处"
            yield at(path, _reminder(what, "没有哪个迹象的 lost 提到它", "删去"), *place, "before", name)
        if not _is_region(case.region):
            problem = _bad(f"没有区划代码“{case.region}”", "用例的 region 写错了", "写六位区划代码，加引号")
            yield at(path, problem, *place, "region")
    yield from _not_shown(path, signs)


def _is_region(code: str) -> bool:
    """A county, or a prefecture or province filled up with zeros."""
    short = code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code
    return len(code) == 6 and code.isascii() and code.isdigit() and region_exists(short)


def _value(name: str, value: str, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    if name not in facts:
        cure = f"相近的有：{nearest(name, facts)}"
        problem = Problem("E308", "error", f"用例用到了没有的事实“{name}”", "schemas/ 没有声明它", cure)
        yield with_hints(problem, wide_in(name))
        return
    fact = facts[name]
    codes = fact.dataset.fields[fact.field].codes if fact.kind == "first" else {}
    if codes and value not in codes and value not in UNKNOWN:
        cure = f"代码有：{'、'.join(codes)}"
        yield Problem("E307", "error", f"“{value}”不是“{name}”的代码", "没有人会是这个值", cure)
        return
    try:
        fact_literal(fact, value)
    except ReconcileError as error:
        yield with_hints(error.problem, wide_in(value))


def _not_shown(path: Path, signs: VisitSigns) -> Iterator[Problem]:
    """What no case shows is a reminder."""
    for n, sign in enumerate(signs.signs):
        if not any(case.expect == (sign.id,) for case in signs.cases):
            why = "写错了也试不出来"
            problem = _reminder(f"没有只出现迹象“{sign.id}”的用例", why, f"补一个，写明 expect: [{sign.id}]")
            yield at(path, problem, "signs", str(n))
        for name in sign.lost:
            if not any(sign.id in case.expect and case.before.get(name) == "yes" for case in signs.cases):
                cure = f"补一个，写明 before: {{{name}: yes}}"
                problem = _reminder(f"没有失去“{name}”的用例", "写错了也试不出来", cure)
                yield at(path, problem, "signs", str(n), "lost")
    shown = {case.monitored for case in signs.cases}
    if absent := [word for word in ("yes", "no", "unknown") if word not in shown]:
        problem = _reminder(
            f"没有 monitored 为 {'、'.join(absent)} 的用例", "没有试过的结论可能是错的", "各补一个"
        )
        yield at(path, problem, "monitored")
    for name, count in Counter(case.name for case in signs.cases).items():
        if count > 1:
            problem = _reminder(f"有 {count} 个用例都叫“{name}”", "看不出是哪一个不符", "改名")
            yield at(path, problem, "cases")


def _strays(path: Path) -> Iterator[Problem]:
    for other in sorted(path.parent.glob("*.y*ml")):
        if other.name != path.name:
            cure = f"改名为 {path.name}，或移走"
            yield Problem(
                "E309", WARNING, "这个文件没有人读", f"走访迹象只写在 {path.name}", cure, file=name_of(other)
            )


def _nearest_key(problem: Problem) -> Problem:
    """A key that does not exist, with the nearest that does."""
    if problem.code != "E301" or not problem.why.startswith("没有这样的项"):
        return problem
    where = problem.what.split("”")[0].removeprefix("“").split(".")
    inside: type[Strict] | None = RegionValues if "regions" in where else _MODELS.get(where[0])
    model = VisitSigns if len(where) == 1 else inside
    keys = model.model_fields if model else ()
    return with_hints(problem, [f"相近的有：{nearest(where[-1], keys)}", *wide_in(where[-1])])


def _difference(result: SignCaseResult) -> Problem:
    case = result.case
    expected = "、".join(case.expect) or "没有迹象"
    got = "、".join(result.signs) or "没有迹象"
    if case.monitored is not None and set(result.signs) == set(case.expect):
        expected, got = f"monitored: {case.monitored}", f"monitored: {result.monitored or '没有迹象，没有查'}"
    what = f"走访迹象的用例“{case.name}”应为 {expected}，得到 {got}"
    return Problem("E312", "error", what, "没有给出的事实都是未知，未知的不算迹象", "改正条件、参数或用例")


def _bad(what: str, why: str, cure: str) -> Problem:
    return Problem("E309", "error", what, why, cure)


def _reminder(what: str, why: str, cure: str) -> Problem:
    return Problem("E313", WARNING, what, why, cure)
