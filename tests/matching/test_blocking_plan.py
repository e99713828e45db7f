"""No join of the matching compares everything with everything: every plan is read before it is run.

One `or` in a join condition, or an inequality without an equality beside it, and DuckDB compares all rows with all
people (mismo's check_join_algorithm, after which this guard is made). Every statement with a join that linking runs is
explained on filled tables at the moment it is run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import sqlglot
from small import DATASETS, REGISTER, Matcher, fill, holder, number, successor, wrong
from sqlglot import exp

from pipeline.contracts.dataset import Dataset
from pipeline.matching import finish_links, link_exactly, link_families, link_fuzzily
from pipeline.matching.exact import RowPerson

REFUSED = {
    "NESTED_LOOP_JOIN",
    "BLOCKWISE_NL_JOIN",
    "CROSS_PRODUCT",
    "IE_JOIN",
    "PIECEWISE_MERGE_JOIN",
    "POSITIONAL_JOIN",
    "ASOF_JOIN",
}


class SlowJoin(AssertionError):
    """A join that is none by equality. Says the statement."""


def operators(plan: dict[str, Any]) -> Iterator[str]:
    yield plan["name"].strip()
    for child in plan["children"]:
        yield from operators(child)


def check(con: duckdb.DuckDBPyConnection, text: str) -> list[str]:
    """The join operators of a statement's plan. Raises SlowJoin where one compares everything, or a condition has an `or`."""
    if not text.strip().lower().startswith(("select", "create or replace table", "insert", "with")):
        return []
    conditions = [join.args.get("on") for join in _joins(text)]
    if any(condition is not None and list(condition.find_all(exp.Or)) for condition in conditions):
        raise SlowJoin(f"`or` in a join's condition:\n{text}")
    plan = json.loads(con.execute(f"explain (format json) {text}").fetchall()[0][1])
    found = [name for root in plan for name in operators(root)]
    if slow := REFUSED & set(found):
        raise SlowJoin(f"{', '.join(sorted(slow))}:\n{text}")
    return [name for name in found if name.endswith("JOIN")]


def _joins(text: str) -> Iterator[exp.Join]:
    """The joins of a text that has any and an `or` besides (`create or replace` aside); others need no reading."""
    worth_reading = {"join", "or"} <= set(re.findall("[a-z]+", text.lower().replace("create or replace", "")))
    return sqlglot.parse_one(text, dialect="duckdb").find_all(exp.Join) if worth_reading else iter(())


class Guarded:
    """A connection whose statements are checked before they run; `joins` is what their plans join by."""

    def __init__(self, con: duckdb.DuckDBPyConnection, joins: list[str]) -> None:
        self._con, self.joins = con, joins

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)

    def execute(self, statement: Any, *rest: Any) -> Any:
        self.joins += check(self._con, getattr(statement, "query", statement))
        return self._con.execute(statement, *rest)

    def sql(self, query: str) -> Any:
        self.joins += check(self._con, query)
        return self._con.sql(query)

    def cursor(self) -> Guarded:
        return Guarded(self._con.cursor(), self.joins)


def row_of(dataset: Dataset, person: dict[str, Any], typed: str, at: int) -> dict[str, Any]:
    """A row of any list about a person, with this text for a number and everything else that the list can say."""
    roles, house, who = dataset.person, dataset.household, RowPerson.of(dataset)
    coded = {name: next(iter(spec.codes)) for name, spec in dataset.fields.items() if spec.codes}
    said: dict[str | None, Any] = {
        **{name: int(code) if dataset.fields[name].whole_number else code for name, code in coded.items()},
        **{who.name: person["name"], who.id: typed, who.certificate: f"{typed}41"},
        **{roles.birth_date: person["dob"], roles.sex: person["sex"], roles.area: person["area"]},
        **{
            roles.account: f"6217{at % 150}",
            roles.guardian_name: person["gname"],
            roles.guardian_id: person["gid"],
        },
    }
    if house and house.family:
        said |= {house.family: f"F{at // 3}", house.head_name: person["gname"], house.head_id: person["gid"]}
    return {name: value for name, value in said.items() if name is not None}


def _name(at: int) -> str:
    return (
        f"{'王李张刘陈杨赵黄周吴'[at % 10]}{'小大明秋玉志国建桂春福金雪红天'[at // 10]}{'梅芳军强英'[at % 5]}"
    )


@pytest.fixture(scope="module")
def joins() -> list[str]:
    """Every list with the same 150 people, sound, damaged and under a guardian's number: linked under guard."""
    ids = [number(f"{1940 + at % 60}{1 + at % 12:02d}{1 + at % 28:02d}", 101 + 2 * at) for at in range(150)]
    parent = number("19400102", 12)
    people = [holder(_name(at), id_, gname="李大山", gid=parent) for at, id_ in enumerate(ids)]
    people[0] |= {"id": wrong(ids[0], 15), "cert": f"{wrong(ids[0], 15)}41"}
    damages = (
        str,
        lambda i: wrong(i, 15),
        lambda i: f"{i[:15]}000",
        lambda i: f"{i[:6]}********{i[14:]}",
        lambda _: parent,
    )
    typed = [damages[at % 5](id_) for at, id_ in enumerate(ids)]
    rows = {
        key: [row_of(dataset, *pair, at) for at, pair in enumerate(zip(people, typed, strict=True))]
        for key, dataset in DATASETS.items()
        if key != REGISTER
    }
    con = Guarded(fill(DATASETS, {REGISTER: people, **rows}), [])
    matcher = Matcher()
    link_exactly(con, DATASETS)  # type: ignore[arg-type]
    link_fuzzily(con, DATASETS, matcher, successor)  # type: ignore[arg-type]
    finish_links(con, DATASETS)  # type: ignore[arg-type]
    link_families(con, DATASETS, matcher, successor)  # type: ignore[arg-type]
    assert con.execute("select count(*) from links where method = 'id_repaired'").fetchall() > [(300,)]
    assert con.execute("select count(*) from family_links").fetchall() > [(20,)]
    return con.joins


def test_every_join_of_the_matching_is_by_equality(joins: list[str]) -> None:
    assert set(joins) == {"HASH_JOIN"}
    assert len(joins) > 10 * len(DATASETS)  # the guard has seen them


@pytest.mark.parametrize(
    "query",
    [
        "select 1 from rows as r join people as p on p.id = r.id or p.name = r.name",
        "create or replace table found as select 1 from rows as r join people as p on r.id = p.id and (r.id = 'x' or p.name = r.name)",
        "insert into rows select r.* from rows as r join people as p on p.id < r.id",
        "select 1 from rows as r join people as p on levenshtein(p.id, r.id) < 2",
        "select 1 from rows as r join people as p on p.id between r.id and r.name",
        "select 1 from rows as r, people as p",
        "select 1 from rows as r cross join people as p",
        "select (select count(*) from rows as r join people as q on q.id <> r.id) from people as p",
    ],
)
def test_the_guard_refuses_what_compares_everything(query: str) -> None:
    with pytest.raises(SlowJoin):
        Guarded(_tables(), []).execute(query)


@pytest.mark.parametrize(
    "query",
    [
        "select 1 from rows as r join people as p on p.id = r.id and p.name <> r.name where r.id = 'x' or r.name = 'y'",
        "create or replace table found as select r.* from rows as r left join people as p on p.id = r.id where p.id is null",
    ],
)
def test_the_guard_lets_joins_by_equality_pass(query: str) -> None:
    con = Guarded(_tables(), [])
    con.execute(query).fetchall()
    assert con.joins == ["HASH_JOIN"]


def _tables() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    for table in ("rows", "people"):
        con.execute(
            f"create table {table} as select 'i' || i as id, 'n' || i % 9 as name from range(500) as t(i)"
        ).fetchall()
    return con
