"""`reconcile rules check`: every rule file by itself and against the facts of the schemas; all complaints at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import Condition, Rule, load_rule
from pipeline.desk.complaints import WARNING, all_of, at, nearest, told
from pipeline.desk.dataset_facts import CHECK_DAY, WORD_KINDS
from pipeline.desk.expression_types import Vocabulary, kind_of, type_complaints
from pipeline.desk.rule_case_lint import case_problems
from pipeline.desk.rule_parameters import names_in_conditions, parameter_problems
from pipeline.desk.rule_slips import expression_explained, read_explained
from pipeline.desk.rule_values import value_problems
from pipeline.entitlement import declared_facts
from pipeline.entitlement.compile import OWN_FACTS, compile_rule, outcome_sql, verdict_sql
from pipeline.entitlement.expression import parse
from pipeline.entitlement.facts import Fact
from pipeline.entitlement.parameters import build_parameters, sql_type
from pipeline.locked_database import in_memory


def check_rules(rules: Path, schemas: Path) -> tuple[list[str], bool]:
    """The lines to print, the count last, and whether anything is wrong. Raises ReconcileError for broken schemas."""
    datasets = load_datasets(schemas)
    facts = declared_facts(datasets)
    read, problems = read_all(rules)
    problems += [*_own_facts(schemas, facts), *_twice(read)]
    with in_memory() as con:
        for path, rule in read.items():
            problems += rule_problems(path, rule, facts, datasets, con)
    return told(problems, f"{len(rule_files(rules))} 条规则")


def rule_problems(
    path: Path,
    rule: Rule,
    facts: Mapping[str, Fact],
    datasets: Mapping[str, Dataset],
    con: duckdb.DuckDBPyConnection,
) -> list[Problem]:
    """Everything that is wrong with one rule that could be read. `con` is an empty database to try its SQL in."""
    found = [*parameter_problems(path, rule, facts), *value_problems(path, rule, names_in_conditions(rule))]
    found += [*_condition_problems(path, rule, facts), *case_problems(path, rule, facts)]
    found += [*_list_problems(path, rule, datasets), *_owner_problems(path, rule, datasets)]
    wrong = any(problem.severity != WARNING for problem in found)
    return found if wrong else [*found, *_by_duckdb(path, rule, facts, con)]


def rule_files(folder: Path) -> list[Path]:
    """Benefits first, then findings, each in the order of names."""
    return [*sorted(folder.glob("*.yaml")), *sorted(folder.glob("findings/*.yaml"))]


def read_all(folder: Path) -> tuple[dict[Path, Rule], list[Problem]]:
    """The rules that can be read, by path, and the problems of the other files."""
    read: dict[Path, Rule] = {}
    problems: list[Problem] = []
    for path in rule_files(folder):
        try:
            read[path] = load_rule(path)
        except ReconcileError as error:
            problems += (read_explained(path, problem) for problem in all_of(error))
    if not rule_files(folder):
        problems.append(
            Problem(
                "E303",
                "error",
                "没有找到任何规则",
                f"{folder.name}/ 为空",
                "用 --rules 指明文件夹",
                file=folder.name,
            )
        )
    return read, problems


def _own_facts(schemas: Path, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    for name in OWN_FACTS:
        if name not in facts:
            cure = "在名册或死亡名单的数据说明里补上该事实"
            yield Problem(
                "E306",
                "error",
                f"没有声明事实“{name}”",
                "判断残疾人证是否有效需要它",
                cure,
                file=schemas.name,
            )


def _twice(read: Mapping[Path, Rule]) -> Iterator[Problem]:
    first: dict[str, Path] = {}
    for path, rule in read.items():
        if rule.code in first:
            problem = Problem(
                "E309", "error", f"代码 {rule.code} 用了两次", f"{first[rule.code].name} 已经用了它", "改名"
            )
            yield at(path, problem)
        first.setdefault(rule.code, path)


def _placed_conditions(rule: Rule) -> Iterator[tuple[tuple[str, ...], Rule, str]]:
    """Every condition as a rule of its own (the compiler stops at the first fault), its text and where it stands."""
    for key, conditions in (("who", rule.who), ("except", rule.excluded)):
        for n, condition in enumerate(conditions):
            alone = rule.model_copy(update={"who": (condition,), "excluded": (), "received": ""})
            yield (key, str(n), "when"), alone, condition.when
    if rule.received:
        receipt = Condition(id="received", say="已享受", when=rule.received)
        yield (
            ("received",),
            rule.model_copy(update={"who": (receipt,), "excluded": (), "received": ""}),
            rule.received,
        )


def _condition_problems(path: Path, rule: Rule, facts: Mapping[str, Fact]) -> Iterator[Problem]:
    words = vocabulary(rule, facts)
    for place, alone, text in _placed_conditions(rule):
        try:
            compile_rule(alone, facts, CHECK_DAY)
        except ReconcileError as error:
            for problem in all_of(error):
                yield at(path, expression_explained(problem, text, words.kinds, facts), *place)
            continue
        for why in type_complaints(parse(text), words):
            yield at(path, Problem("E310", "error", f"条件不成立：{text}", why, "按事实的种类改写"), *place)


def vocabulary(rule: Rule, facts: Mapping[str, Fact]) -> Vocabulary:
    """The names that a rule's conditions may use."""
    codes = {
        name: tuple(fact.dataset.fields[fact.field].codes)
        for name, fact in facts.items()
        if fact.kind == "first" and fact.dataset.fields[fact.field].codes
    }
    kinds = {name: kind_of(fact.sql_type) for name, fact in facts.items()}
    own = {name: kind_of(sql_type(parameter)) for name, parameter in rule.parameters.items()}
    return Vocabulary({**kinds, **WORD_KINDS, **own}, codes)


def _list_problems(path: Path, rule: Rule, datasets: Mapping[str, Dataset]) -> Iterator[Problem]:
    if rule.subject == "outside_register" and rule.list not in datasets:
        cure = f"相近的有：{nearest(rule.list, datasets)}"
        yield at(path, _bad(f"没有名单“{rule.list}”", "名册以外的人要从一份名单里找", cure), "list")
    elif rule.subject == "outside_register" and not (
        datasets[rule.list].person.id and datasets[rule.list].person.name
    ):
        why = "名册以外的人按身份证号辨认"
        yield at(
            path,
            _bad(f"名单“{rule.list}”没有写明姓名和身份证号", why, "在它的 person 里写 name 和 id"),
            "list",
        )


def _owner_problems(path: Path, rule: Rule, datasets: Mapping[str, Dataset]) -> Iterator[Problem]:
    departments = {dataset.department for dataset in datasets.values()}
    if rule.owner not in departments:
        near = nearest(rule.owner, departments)
        cure = f"写 {'、'.join(sorted(departments))} 之一" if near == "无" else f"相近的有：{near}"
        yield at(path, _bad(f"没有部门“{rule.owner}”", "数据说明里没有这个部门", cure), "owner")


def _by_duckdb(
    path: Path, rule: Rule, facts: Mapping[str, Fact], con: duckdb.DuckDBPyConnection
) -> Iterator[Problem]:
    """The last word is the engine's: the night's own query over empty tables."""
    if any(name not in facts for name in OWN_FACTS):
        return
    columns = "".join(f', "{fact.name}" {fact.sql_type}' for fact in facts.values())
    try:
        con.execute(f"create or replace table facts (person bigint, county_code varchar{columns})").fetchall()
        build_parameters(con, {rule.code: rule}, [], CHECK_DAY)
        compiled = compile_rule(rule, facts, CHECK_DAY)
        verdict = verdict_sql(compiled, CHECK_DAY)
        outcome = "due" if rule.finding else outcome_sql(compiled)
        found = con.execute(f"describe select {outcome} as outcome, w.* from ({verdict}) as w").fetchall()
    except duckdb.Error as error:
        why = str(error).splitlines()[0]
        yield at(
            path, Problem("E310", "error", "数据库不接受这些条件", why, "检查 who、except、received"), "who"
        )
        return
    kinds = {row[0]: row[1] for row in found}
    for clause in compiled.clauses:
        if kinds[clause.column] != "BOOLEAN":
            why = f"数据库说它是 {kinds[clause.column]}"
            yield at(path, Problem("E310", "error", f"条件“{clause.id}”不是是非", why, "改写条件"), "who")


def _bad(what: str, why: str, cure: str) -> Problem:
    return Problem("E309", "error", what, why, cure)
