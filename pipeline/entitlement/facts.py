"""Facts: what the accepted lists say of a register person, three-valued, one column a fact.

A fact is unknown (NULL) where its list was not accepted for the person's county, where a row says something no code
list knows, where a link is doubtful, or where the person has no sound number by which any list could name him.
What was seen somewhere stays seen: a positive row in another county's list is true whatever is missing at home.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from pipeline.contracts.columns import field_columns
from pipeline.contracts.dataset import Dataset, FactSpec
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.entitlement.dates import date_words
from pipeline.entitlement.expression import check_names, parse, to_sql

_CALL = re.compile(r"^\s*(any|count|first|sum|age)\s*\((.*)\)\s*$", re.DOTALL)
_WHERE = re.compile(r"^\s*([a-z_]+)\s*(?:\bwhere\b(.*))?$", re.DOTALL)


@dataclass(frozen=True)
class Fact:
    """A declared fact: its list, how it is computed, its SQL type."""

    name: str
    dataset: Dataset
    spec: FactSpec
    kind: str  # any | count | first | sum | age
    field: str  # for first and sum
    condition: str  # "" = every row
    sql_type: str

    @property
    def is_yes_no(self) -> bool:
        return self.kind == "any"


def read_fact(name: str, spec: FactSpec, dataset: Dataset) -> Fact:
    """The declaration taken apart. Raises ReconcileError E106 where it is none of the known forms."""
    call = _CALL.match(spec.of)
    if call is None:
        raise _bad_fact(
            name,
            dataset,
            "写法应为 any(条件)、count(条件)、first(字段 where 条件)、sum(字段 where 条件) 或 age(日期)",
        )
    kind, inner = call.group(1), call.group(2).strip()
    field, condition, sql_type = "", inner, "BOOLEAN"
    if kind in ("first", "sum"):
        where = _WHERE.match(inner)
        if where is None or where.group(1) not in dataset.fields:
            raise _bad_fact(name, dataset, "first/sum 的第一个词应为本数据的字段名")
        field, condition = where.group(1), (where.group(2) or "").strip()
        sql_type = "BIGINT" if kind == "sum" else field_columns(field, dataset.fields[field])[field]
    elif kind in ("count", "age"):
        sql_type = "BIGINT"
    return Fact(name, dataset, spec, kind, field, condition, sql_type)


def declared_facts(datasets: Mapping[str, Dataset]) -> dict[str, Fact]:
    """All facts by name. A name declared twice is refused (E107)."""
    found: dict[str, Fact] = {}
    for dataset in datasets.values():
        for name, spec in dataset.facts.items():
            if name in found:
                raise ReconcileError(
                    Problem(
                        "E107",
                        "error",
                        f"事实“{name}”声明了两次",
                        f"{found[name].dataset.dataset} 与 {dataset.dataset} 都有",
                        "改一个名称",
                    )
                )
            found[name] = read_fact(name, spec, dataset)
    return found


def condition_sql(text: str, dataset: Dataset, words: Mapping[str, str], where: str, alias: str = "r") -> str:
    """A fact's condition over the columns of one row: a linked one (alias r) or the register's own (g)."""
    tree = parse(text, blanks=True, fields=dataset.fields)
    check_names(tree, text, [*dataset.fields, "live", *words], where)
    return to_sql(tree, lambda name: words.get(name, f'{alias}."{name}"'))


def _value_sql(fact: Fact, words: Mapping[str, str]) -> str:
    """The aggregate over a person's rows, three-valued: a row that is doubtful, or of which it is unknown whether it
    counts, can only make the value unknown; rows that disagree leave an attribute unknown (nothing is chosen silently).
    """
    where = f"{fact.dataset.dataset} 的事实“{fact.name}”"
    every_row = "true" if fact.kind in ("first", "sum") else ""
    condition = f"({condition_sql(fact.condition or every_row, fact.dataset, words, where)})"
    sure = f"({condition} and r.decision = 'linked')"
    open_ = f"bool_or({condition} is null or ({condition} and r.decision <> 'linked'))"
    if fact.kind == "any":
        return f"case when bool_or({sure}) then true when {open_} then cast(null as boolean) else false end"
    if fact.kind == "count":
        return f"case when {open_} then cast(null as bigint) else count(*) filter (where {sure}) end"
    column = f'r."{fact.field}"'
    if fact.kind == "sum":
        unread = f"bool_or({condition} and {column} is null)"
        total = f"coalesce(sum({column}) filter (where {sure}), 0)"
        return f"case when {open_} or {unread} then cast(null as bigint) else cast({total} as bigint) end"
    one = f"count(distinct {column}) filter (where {sure}) = 1"
    return f"case when {open_} then null when {one} then min({column}) filter (where {sure}) end"


def list_facts_sql(
    dataset: Dataset, facts: list[Fact], as_of: date, rows: str = "", *, sure: bool = False
) -> str:
    """One row a person of whom the list has a row (or a house, for facts of the household): person and the facts.

    `rows` is the table of rows with `person` and `decision`, the list's own where none is given. With `sure` only
    linked rows count, and only people of whom some row is in doubt are asked about.
    """
    words = date_words(as_of)
    live = (
        condition_sql(dataset.live, dataset, words, f"{dataset.dataset} 的 live") if dataset.live else "true"
    )
    values = ",\n  ".join(f'{_value_sql(fact, words)} as "{fact.name}"' for fact in facts)
    of_household = any(fact.spec.of_household for fact in facts)
    rows = rows or (house_rows_sql(dataset, sure) if of_household else person_rows_sql(dataset, sure))
    return (
        f"select r.person,\n  {values}\n"
        f"from (select r.*, ({live}) as live from {rows} as r) as r\ngroup by r.person"
    )


def person_rows_sql(dataset: Dataset, sure: bool) -> str:
    """The rows of a list by person: the linked ones and, unless only the sure are wanted, the doubtful ones."""
    if sure:
        return f"(select l.* from linked_{dataset.table} as l join doubted as d on d.person = l.person)"
    columns = ", ".join([*(f'"{name}"' for name in _fields_used(dataset)), "person", "decision"])
    return " union all ".join(
        [f"(select {columns} from linked_{dataset.table}", f"select {columns} from doubtful_{dataset.table})"]
    )


def house_rows_sql(dataset: Dataset, sure: bool) -> str:
    """The rows of a house list by the people of the family that the house's head belongs to."""
    only = " and f.decision = 'linked'" if sure else ""
    carried = ", ".join(f'h."{name}"' for name in _fields_used(dataset))
    return (
        f"(select distinct f.person, f.source_file, f.sheet, f.source_row, f.decision, {carried} from family_links as f"
        f" join list_{dataset.table} as h"
        " on h.source_file = f.source_file and h.sheet = f.sheet and h.source_row = f.source_row"
        f" where f.dataset = '{dataset.dataset}'{only})"
    )


def _fields_used(dataset: Dataset) -> list[str]:
    """Fields that the list's facts are made of."""
    text = " ".join([dataset.live, *(spec.of for spec in dataset.facts.values())])
    words = set(re.findall(r"[A-Za-z_]+", text))
    return [name for name in dataset.fields if name in words]


def register_fact_sql(fact: Fact, as_of: date) -> str:
    """A fact of the register's own row (alias p), where every person has exactly one row."""
    words = date_words(as_of)
    if fact.kind == "age":
        day = words[fact.condition]
        number = f"(year({day}) * 10000 + month({day}) * 100 + day({day}))"
        birth = "(year(p.birth_date) * 10000 + month(p.birth_date) * 100 + day(p.birth_date))"
        return f"cast(floor(({number} - {birth}) / 10000.0) as bigint)"
    if fact.kind == "any":
        return f"({condition_sql(fact.condition, fact.dataset, words, fact.name, alias='g')})"
    return f'g."{fact.field}"'


def fact_column_sql(fact: Fact, as_of: date, rosters: list[Dataset]) -> str:
    """One column of `facts`: the value, or unknown by the rule of where unknown comes from."""
    if fact.dataset.role == "register":
        return f'{register_fact_sql(fact, as_of)} as "{fact.name}"'
    alias = f"x_{fact.dataset.table}"
    value = f'{alias}."{fact.name}"'
    absent = (
        {"BOOLEAN": "false", "BIGINT": "0"}.get(fact.sql_type, "null") if fact.spec.absent == "no" else "null"
    )
    if fact.dataset.role == "deaths":
        # entitlements.md: without any death list the outcomes stand, and say so
        return f'coalesce({value}, false) as "{fact.name}"'
    needed = [f'c."{fact.dataset.table}"']
    if fact.spec.of_household:
        needed += [f'c."{roster.table}"' for roster in rosters]
    # what was seen anywhere stands; a count or a sum is only whole where the home list is there
    seen = {"any": f"when {value} then true", "first": f"when {value} is not null then {value}"}.get(
        fact.kind, ""
    )
    return (
        f"case {seen} when not ({' and '.join(needed)}) then null when m.person is null then null"
        f' when {alias}.person is null then {absent} else {value} end as "{fact.name}"'
    )


def build_facts(
    con: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset], facts: Mapping[str, Fact], as_of: date
) -> None:
    """Creates `facts`: person, county_code and one column for every fact in `facts`, unknown as NULL.

    Also `facts_sure`, the same for the people of whom some row is in doubt, as if there were no such row. Reads
    `people`, `register`, `matchable`, `superseded`, `linked_<list>`, `doubtful_<list>`, `doubted`, `family_links` and
    `covered` (county_code and one Boolean column a list). Only the facts given are computed: pass those that rules use.
    """
    for statement in facts_sql(datasets, facts, as_of, sure=False) + facts_sql(
        datasets, facts, as_of, sure=True
    ):
        con.execute(statement).fetchall()


def facts_sql(
    datasets: Mapping[str, Dataset], facts: Mapping[str, Fact], as_of: date, *, sure: bool
) -> list[str]:
    """The statements that make `facts` or `facts_sure`: one aggregate a list, then the table of all people."""
    by_list: dict[str, list[Fact]] = {}
    for fact in facts.values():
        if fact.dataset.role != "register":
            by_list.setdefault(fact.dataset.dataset, []).append(fact)
    kind = "facts_sure" if sure else "facts"
    statements, joins = [], []
    for key, some in by_list.items():
        table = datasets[key].table
        query = list_facts_sql(datasets[key], some, as_of, sure=sure)
        statements.append(f"create or replace table {kind}_{table} as\n{query}")
        joins.append(f"left join {kind}_{table} as x_{table} on x_{table}.person = p.person")
    rosters = [d for d in datasets.values() if d.household is not None and d.household.family is not None]
    columns = ",\n  ".join(fact_column_sql(fact, as_of, rosters) for fact in facts.values())
    only = "join doubted as d on d.person = p.person\n" if sure else ""
    statements.append(
        f"create or replace table {kind} as\nselect p.person, p.county_code,\n  {columns}\nfrom people as p\n{only}"
        "join register as g on g.source_file = p.source_file and g.sheet = p.sheet and g.source_row = p.source_row\n"
        "left join superseded as o on o.person = p.person\n"
        "left join covered as c on c.county_code = p.county_code\n"
        "left join matchable as m on m.person = p.person\n" + "\n".join(joins) + "\nwhere o.person is null"
    )
    return statements


def _bad_fact(name: str, dataset: Dataset, cure: str) -> ReconcileError:
    return ReconcileError(
        Problem(
            "E106",
            "error",
            f"事实“{name}”的 of 读不懂",
            "不是约定的写法",
            cure,
            file=f"{dataset.dataset}.yaml",
        )
    )
