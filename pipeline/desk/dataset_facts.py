"""The facts of a dataset file, and its `live`: forms, names, kinds, codes; each complaint with its line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb

from pipeline.contracts.columns import field_columns, snapshot_columns
from pipeline.contracts.dataset import Dataset
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.desk.complaints import all_of, at, nearest
from pipeline.desk.expression_types import DATE, NUMBER, YES_NO, Vocabulary, kind_of, type_complaints
from pipeline.entitlement.dates import date_words
from pipeline.entitlement.expression import names_in, parse
from pipeline.entitlement.fact import OF_FIELD, Fact, read_fact
from pipeline.entitlement.fact_values import MEMBER_AGE, MEMBER_HOLDS, condition_sql
from pipeline.entitlement.facts import list_facts_sql

CHECK_DAY = date(2026, 1, 1)  # only the forms are checked: any day does
_WORDS = date_words(CHECK_DAY)
WORD_KINDS = {word: NUMBER if word == "本年" else DATE for word in _WORDS}
_MEMBER_KINDS = {MEMBER_HOLDS: YES_NO, MEMBER_AGE: NUMBER}  # of the facts about a family's members
_ADDED_UP = ("amount", "integer")
_ORDERED = (*_ADDED_UP, "date", "month", "year")


def fact_problems(path: Path, dataset: Dataset, con: duckdb.DuckDBPyConnection) -> Iterator[Problem]:
    """Complaints about `live` and every fact. `con` is an empty database to try the night's queries in."""
    problems = [*_live_problems(path, dataset)]
    facts: list[Fact] = []
    for name, spec in dataset.facts.items():
        place = ("facts", name)
        problems += [at(path, problem, *place) for problem in _name_problems(name)]
        try:
            fact = read_fact(name, spec, dataset)
            problems += [at(path, problem, *place) for problem in _one_fact(fact, dataset)]
            facts.append(fact)
        except ReconcileError as error:
            problems += [at(path, problem, *place) for problem in all_of(error)]
    yield from problems
    if facts and not problems and dataset.role != "register":
        yield from _by_duckdb(path, dataset, facts, con)


def vocabulary(dataset: Dataset, *, members: bool = False) -> Vocabulary:
    """The names that a condition over this dataset's rows may use; `members`: over the rows of a family."""
    kinds = {name: kind_of(field_columns(name, spec)[name]) for name, spec in dataset.fields.items()}
    codes = {name: tuple(spec.codes) for name, spec in dataset.fields.items() if spec.codes}
    more = _MEMBER_KINDS if members else {}
    return Vocabulary({**kinds, "live": YES_NO, **WORD_KINDS, **more}, codes)


def _live_problems(path: Path, dataset: Dataset) -> Iterator[Problem]:
    if not dataset.live:
        return
    found = [*_condition_problems(dataset.live, dataset, "live")]
    if not found and "live" in names_in(parse(dataset.live, blanks=True, fields=dataset.fields)):
        found = [Problem("E106", "error", "live 用到了它自己", "它说的是哪些行有效", "只用字段名来写")]
    yield from (at(path, problem, "live") for problem in found)


def _name_problems(name: str) -> Iterator[Problem]:
    """A fact must be usable as a name in rules."""
    try:
        fits = name.isidentifier() and names_in(parse(name)) == [name] and name not in _WORDS
    except ReconcileError:
        fits = False
    if not fits:
        why = "规则里要直接写它：只能用汉字、字母、数字，不以数字开头，不与日期词相同"
        yield Problem("E106", "error", f"事实名“{name}”不能用", why, "改一个名称")


def _one_fact(fact: Fact, dataset: Dataset) -> Iterator[Problem]:
    if fact.kind == "age":
        days = [word for word, kind in WORD_KINDS.items() if kind == DATE]
        if fact.condition not in days:
            yield _bad(fact, "age 的括号里应是日期词", f"相近的有：{nearest(fact.condition, days)}")
        if dataset.role != "register":
            yield _bad(fact, "age 只用于名册（role: register）", "其他名单没有可靠的出生日期")
    elif fact.condition or fact.kind not in OF_FIELD:
        where = f"事实“{fact.name}”"
        yield from _condition_problems(fact.condition, dataset, where, members=fact.of_members)
    kind = dataset.fields[fact.field].type if fact.field else ""
    if fact.kind == "sum" and kind not in _ADDED_UP:
        yield _bad(fact, f"{fact.field} 不能相加", "sum 只用于 type: amount 或 integer 的字段")
    if fact.kind in ("latest", "earliest") and kind not in _ORDERED:
        yield _bad(fact, f"{fact.field} 分不出先后", f"{fact.kind} 只用于日期、月份、年度、金额或整数字段")
    if fact.spec.of_household and (dataset.household is None or dataset.household.head_id is None):
        yield _bad(
            fact, "of_household 只用于写明户主号码的名单", "在 household 里写 head_id，或去掉 of_household"
        )
    if dataset.role == "register" and (
        fact.kind not in ("any", "first", "age", "sharing") or (fact.kind == "first" and fact.condition)
    ):
        yield _bad(fact, "名册上一人一行", "用 any(条件)、first(字段)、sharing(字段 where 条件) 或 age(日期)")


def _condition_problems(text: str, dataset: Dataset, where: str, *, members: bool = False) -> list[Problem]:
    more = dict.fromkeys(_MEMBER_KINDS, "null") if members else {}
    try:
        condition_sql(text, dataset, {**_WORDS, **more}, where)
    except ReconcileError as error:
        return all_of(error)
    words = vocabulary(dataset, members=members)
    complaints = type_complaints(parse(text, blanks=True, fields=dataset.fields), words)
    cure = "按字段的 type 和 codes 改写条件"
    return [Problem("E110", "error", f"{where} 的条件不成立", why, cure) for why in complaints]


def _by_duckdb(
    path: Path, dataset: Dataset, facts: list[Fact], con: duckdb.DuckDBPyConnection
) -> Iterator[Problem]:
    """The last word is the engine's: the night's own query over an empty table."""
    columns = ", ".join(f'"{name}" {kind}' for name, kind in snapshot_columns(dataset).items())
    try:
        con.execute(f"create or replace table list_{dataset.table} ({columns})").fetchall()
        con.execute(
            f"create or replace table linked_{dataset.table} as"
            f" select *, cast(1 as bigint) as person, '' as decision from list_{dataset.table}"
        ).fetchall()
        con.execute(
            f"create or replace table doubtful_{dataset.table} as select * from linked_{dataset.table}"
        ).fetchall()
        con.execute(
            "create or replace table family_links"
            " (person bigint, dataset varchar, source_file varchar, sheet varchar, source_row bigint, decision varchar)"
        ).fetchall()
        con.execute("create or replace table people (person bigint, state varchar)").fetchall()
        con.execute(
            "create or replace table delivered_files (dataset varchar, source_file varchar, county_code varchar)"
        ).fetchall()
        for table in dict.fromkeys(fact.table for fact in facts):
            some = [fact for fact in facts if fact.table == table]
            con.execute(f"describe {list_facts_sql(dataset, some, CHECK_DAY)}").fetchall()
    except duckdb.Error as error:
        why = str(error).splitlines()[0]
        yield at(
            path, Problem("E110", "error", "数据库不接受这些事实", why, "检查各事实的 of 和 live"), "facts"
        )


def _bad(fact: Fact, why: str, cure: str) -> Problem:
    return Problem("E106", "error", f"事实“{fact.name}”不能这样写", why, cure)
