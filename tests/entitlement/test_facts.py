"""Facts over tiny tables: what is seen, what is absent, and every way in which something is unknown."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.dataset import Dataset, FactSpec
from pipeline.contracts.problem import ReconcileError
from pipeline.entitlement.facts import (
    Fact,
    build_facts,
    declared_facts,
    list_facts_sql,
    read_fact,
    register_fact_sql,
)

AS_OF = date(2026, 10, 31)
FIELDS = {
    "state": {
        "title": "状态",
        "type": "code",
        "headers": ["状态"],
        "codes": {"在保": ["在保"], "停保": ["停保"]},
    },
    "level": {
        "title": "等级",
        "type": "code",
        "whole_number": True,
        "headers": ["等级"],
        "codes": {"1": ["一级"], "2": ["二级"]},
    },
    "amount": {"title": "金额", "type": "amount", "headers": ["金额"]},
    "month": {"title": "月份", "type": "month", "headers": ["月份"]},
    "until": {"title": "有效期", "type": "date", "headers": ["有效期"]},
    "id": {"title": "身份证号", "type": "id", "headers": ["身份证号"]},
}
ROW = {"state": "varchar", "level": "bigint", "amount": "bigint", "month": "date", "until": "date"}


def dataset(**more: Any) -> Dataset:
    form = {
        "dataset": "civil_affairs/dibao",
        "title": "低保名册",
        "department": "民政",
        "grain": "一行一人",
        "delivery": {"by": "county", "stale_after_days": 62},
        "person": {"id": "id"},
        "fields": FIELDS,
        "live": "state = '在保'",
    }
    return Dataset.model_validate({**form, **more})


LIST = dataset()


def fact(of: str, **more: Any) -> Fact:
    return read_fact("甲", FactSpec(of=of, **more), LIST)


def value(of: str, *rows: tuple[Any, ...]) -> Any:
    """The fact of one person with these rows: (decision, state, level, amount, month, until), missing ones unknown."""
    con = duckdb.connect()
    columns = ", ".join(f"{name} {kind}" for name, kind in ROW.items())
    con.execute(
        f"create table linked_civil_affairs__dibao (person bigint, decision varchar, {columns})"
    ).fetchall()
    for row in rows:
        padded = [1, *row, *[None] * (len(ROW) + 1 - len(row))]
        con.execute("insert into linked_civil_affairs__dibao values (?, ?, ?, ?, ?, ?, ?)", padded).fetchall()
    found = con.execute(
        list_facts_sql(LIST, [fact(of)], AS_OF, rows="linked_civil_affairs__dibao")
    ).fetchall()
    return found[0][1] if found else "no row"


# ---- the forms ----


@pytest.mark.parametrize(
    ("of", "kind", "field", "condition", "sql_type"),
    [
        ("any(live)", "any", "", "live", "BOOLEAN"),
        (" any ( live and blank(until) ) ", "any", "", "live and blank(until)", "BOOLEAN"),
        ("count(live)", "count", "", "live", "BIGINT"),
        ("first(state)", "first", "state", "", "VARCHAR"),
        ("first(level)", "first", "level", "", "BIGINT"),
        ("first(until where live)", "first", "until", "live", "DATE"),
        ("sum(amount where month >= 三个月前)", "sum", "amount", "month >= 三个月前", "BIGINT"),
        ("sum(amount)", "sum", "amount", "", "BIGINT"),
        ("age(本日)", "age", "", "本日", "BIGINT"),
    ],
)
def test_a_declaration_is_taken_apart(of: str, kind: str, field: str, condition: str, sql_type: str) -> None:
    read = fact(of)
    assert (read.kind, read.field, read.condition, read.sql_type) == (kind, field, condition, sql_type)
    assert read.is_yes_no == (kind == "any")


@pytest.mark.parametrize(
    "of",
    [
        "",
        "live",
        "any",
        "any live",
        "all(live)",
        "max(amount)",
        "first()",
        "first(nothing)",
        "sum(金额)",
        "first(a.b)",
    ],
)
def test_any_other_form_is_refused(of: str) -> None:
    with pytest.raises(ReconcileError) as caught:
        fact(of)
    assert caught.value.problem.code == "E106"


@pytest.mark.parametrize(
    "of", ["any(lower(state) = 'x')", "any(state is null)", "any(state = '在保'); drop table t", "any()"]
)
def test_conditions_of_facts_are_held_to_the_language(of: str) -> None:
    with pytest.raises(ReconcileError):
        list_facts_sql(LIST, [fact(of)], AS_OF)


def test_unknown_names_in_a_condition_are_answered_by_the_nearest() -> None:
    with pytest.raises(ReconcileError) as caught:
        list_facts_sql(LIST, [fact("any(stat = '在保')")], AS_OF)
    assert caught.value.problem.code == "E305"
    assert "state" in caught.value.problem.cure


def test_a_name_declared_twice_is_refused() -> None:
    two = {"低保": {"of": "any(live)"}}
    other = dataset(dataset="civil_affairs/margin", facts=two)
    with pytest.raises(ReconcileError) as caught:
        declared_facts({"a": dataset(facts=two), "b": other})
    assert caught.value.problem.code == "E107"


# ---- one person's rows ----

SURE, DOUBT = "linked", "review"
SEEN, ENDED, ODD = "在保", "停保", None  # ODD: a spelling that no code list knows


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        ([(SURE, SEEN)], True),
        ([(SURE, ENDED)], False),
        ([(SURE, ODD)], None),
        ([(SURE, ENDED), (SURE, SEEN)], True),
        ([(SURE, ODD), (SURE, SEEN)], True),
        ([(SURE, ODD), (SURE, ENDED)], None),
        ([(DOUBT, SEEN)], None),
        ([(DOUBT, ENDED)], False),
        ([(DOUBT, ODD)], None),
        ([(DOUBT, SEEN), (SURE, ENDED)], None),
        ([(DOUBT, SEEN), (SURE, SEEN)], True),
        ([(DOUBT, ENDED), (SURE, ENDED)], False),
    ],
)
def test_any_is_kleene_and_a_doubtful_row_only_makes_it_unknown(rows: list[Any], answer: bool | None) -> None:
    assert value("any(live)", *rows) is answer


@given(
    st.lists(
        st.tuples(st.sampled_from([SURE, DOUBT]), st.sampled_from([SEEN, ENDED, ODD])), min_size=1, max_size=6
    )
)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_any_worked_in_python(rows: list[tuple[str, str | None]]) -> None:
    holds = [
        None if state is None or (state == SEEN and decision == DOUBT) else state == SEEN
        for decision, state in rows
    ]
    assert value("any(live)", *rows) is (True if True in holds else None if None in holds else False)


@pytest.mark.parametrize(
    ("of", "rows", "answer"),
    [
        ("count(live)", [(SURE, SEEN), (SURE, SEEN), (SURE, ENDED), (DOUBT, ENDED)], 2),
        ("count(live)", [(SURE, SEEN), (DOUBT, SEEN)], None),  # a doubtful row: one or two
        ("count(live)", [(SURE, SEEN), (SURE, ODD)], None),  # a state no code list knows
        ("count(live)", [(SURE, ENDED)], 0),
        ("first(level)", [(SURE, SEEN, 2), (SURE, ENDED, 2)], 2),
        ("first(level)", [(SURE, SEEN, 2), (SURE, ENDED, 1)], None),
        ("first(level where live)", [(SURE, SEEN, 2), (SURE, ENDED, 1)], 2),
        ("first(level)", [(SURE, SEEN, None), (SURE, SEEN, 1)], 1),
        ("first(level)", [(SURE, SEEN, None)], None),
        ("first(level)", [(DOUBT, SEEN, 1)], None),
        ("first(level)", [(DOUBT, SEEN, 1), (SURE, SEEN, 2)], None),
        ("first(level where live)", [(SURE, ENDED, 1)], None),
        ("first(until)", [(SURE, SEEN, 1, 5, None, date(2027, 1, 1))], date(2027, 1, 1)),
        ("sum(amount)", [(SURE, SEEN, 1, 10000), (SURE, ENDED, 1, 250)], 10250),
        (
            "sum(amount where live)",
            [(SURE, SEEN, 1, 10000), (SURE, ENDED, 1, 250), (DOUBT, SEEN, 1, 7)],
            None,
        ),
        ("sum(amount where live)", [(SURE, SEEN, 1, 10000), (SURE, ENDED, 1, 250)], 10000),
        ("sum(amount where live)", [(SURE, ENDED, 1, 250)], 0),
        ("sum(amount)", [(SURE, SEEN, 1, 10000), (SURE, SEEN, 1, None)], None),  # an amount nobody can read
        ("any(blank(until))", [(SURE, SEEN)], True),
        ("any(blank(until))", [(SURE, SEEN, 1, 5, None, date(2027, 1, 1))], False),
        ("any(until >= 本日)", [(SURE, SEEN, 1, 5, None, AS_OF)], True),
        ("any(until >= 本日)", [(SURE, SEEN, 1, 5, None, date(2026, 10, 30))], False),
        ("any(until >= 本日)", [(SURE, SEEN)], None),
        ("any(level / amount > 1)", [(SURE, SEEN, 2, 0)], None),
        ("any(amount / level > 1)", [(SURE, SEEN, 2, 3)], True),
    ],
)
def test_values_of_the_other_kinds(of: str, rows: list[Any], answer: Any) -> None:
    assert value(of, *rows) == answer


def test_a_person_without_rows_has_no_line() -> None:
    assert value("any(live)") == "no row"


# ---- where unknown comes from: the table of all people ----

REGISTER = dataset(
    dataset="federation/register",
    role="register",
    live="",
    fields={"level": FIELDS["level"], "id": FIELDS["id"], "state": FIELDS["state"]},
    facts={
        "等级": {"of": "first(level)"},
        "正常": {"of": "any(state = '在保')"},
        "年龄": {"of": "age(本日)"},
    },
)
DEATHS = dataset(dataset="civil_affairs/deaths", role="deaths", live="", facts={"死亡": {"of": "any(live)"}})
DIBAO = dataset(
    facts={
        "低保": {"of": "any(live)"},
        "次数": {"of": "count(live)"},
        "低保等级": {"of": "first(level where live)", "absent": "unknown"},
        "低保金额": {"of": "sum(amount where live)"},
    },
    household={"family": "id"},
)
HOUSES = dataset(
    dataset="housing/houses",
    person={},
    live="",
    household={"head_id": "id"},
    facts={"危房": {"of": "any(state = '在保')", "of_household": True}},
)
LISTS = {d.dataset: d for d in (REGISTER, DEATHS, DIBAO, HOUSES)}


def facts_of(
    *,
    dibao: list[tuple[Any, ...]] = [],  # noqa: B006 only read
    deaths: list[tuple[Any, ...]] = [],  # noqa: B006
    houses: list[tuple[Any, ...]] = [],  # noqa: B006
    accepted: dict[str, bool] = {},  # noqa: B006
    matchable: bool = True,
) -> dict[str, Any]:
    """The facts of the one person, county 533401; rows are (decision, state, level, amount)."""
    con = duckdb.connect()
    place = "'r' as source_file, '' as sheet, 1 as source_row"
    con.execute(
        f"create table people as select 1 as person, '533401' as county_code, cast('1966-11-01' as date) as birth_date, {place}"
    ).fetchall()
    con.execute(
        f"create table register as select {place}, cast(null as bigint) as level, '在保' as state"
    ).fetchall()
    con.execute("create table superseded (person bigint)").fetchall()
    con.execute("create table doubted as select 1 as person").fetchall()
    con.execute(f"create table matchable as select 1 as person where {matchable}").fetchall()
    given_lists = {
        "civil_affairs__dibao": True,
        "civil_affairs__deaths": True,
        "housing__houses": True,
        **accepted,
    }
    covered = ", ".join(f'{yes} as "{table}"' for table, yes in given_lists.items())
    con.execute(f"create table covered as select '533401' as county_code, {covered}").fetchall()
    columns = (
        "source_file varchar, sheet varchar, source_row bigint, state varchar, level bigint, amount bigint"
    )
    place_columns = "source_file varchar, sheet varchar, source_row bigint, decision varchar"
    con.execute(f"create table family_links (person bigint, dataset varchar, {place_columns})").fetchall()
    con.execute(f"create table list_housing__houses ({columns})").fetchall()
    for table, rows in (("civil_affairs__dibao", dibao), ("civil_affairs__deaths", deaths)):
        for kind in ("linked", "doubtful"):
            con.execute(
                f"create table {kind}_{table} (person bigint, decision varchar, {columns})"
            ).fetchall()
        for n, (decision, state, *rest) in enumerate(rows):
            line = [1, decision, "f", "", n, state, *rest, *[None] * (2 - len(rest))]
            con.execute(f"insert into linked_{table} values (?, ?, ?, ?, ?, ?, ?, ?)", line).fetchall()
    for n, (decision, state) in enumerate(houses):
        con.execute(
            "insert into list_housing__houses values ('h', '', ?, ?, null, null)", [n, state]
        ).fetchall()
        con.execute(
            "insert into family_links values (1, 'housing/houses', 'h', '', ?, ?)", [n, decision]
        ).fetchall()
    build_facts(con, LISTS, declared_facts(LISTS), AS_OF)
    return con.sql("select * from facts").pl().row(0, named=True)


def test_an_accepted_list_without_the_person_says_no() -> None:
    facts = facts_of()
    assert (facts["低保"], facts["次数"], facts["死亡"], facts["危房"]) == (False, 0, False, False)
    assert (facts["低保等级"], facts["低保金额"]) == (
        None,
        0,
    )  # an attribute is unknown; no rows are no money


def test_a_list_not_accepted_makes_its_facts_unknown_and_no_others() -> None:
    facts = facts_of(accepted={"civil_affairs__dibao": False})
    assert [facts[name] for name in ("低保", "次数", "低保等级", "低保金额")] == [None] * 4
    assert (facts["死亡"], facts["正常"]) == (False, True)


def test_what_was_seen_stays_seen_though_the_countys_own_list_is_missing() -> None:
    facts = facts_of(dibao=[(SURE, SEEN, 2, 100)], accepted={"civil_affairs__dibao": False})
    assert (facts["低保"], facts["低保等级"]) == (True, 2)
    assert (facts["次数"], facts["低保金额"]) == (None, None)  # what the home list adds is not known


def test_an_ended_row_of_another_county_says_nothing_about_a_missing_list() -> None:
    assert facts_of(dibao=[(SURE, ENDED)], accepted={"civil_affairs__dibao": False})["低保"] is None


def test_a_person_without_a_sound_number_is_unknown_on_every_list() -> None:
    facts = facts_of(matchable=False)
    assert (facts["低保"], facts["次数"], facts["危房"]) == (None, None, None)
    assert facts["正常"] is True


def test_a_doubtful_row_makes_the_fact_unknown() -> None:
    assert facts_of(dibao=[(DOUBT, SEEN)])["低保"] is None


@pytest.mark.parametrize(
    ("deaths", "accepted", "matchable", "dead"),
    [
        ([(SURE, SEEN)], True, True, True),
        ([], True, True, False),
        ([], False, True, False),  # without any death list the outcomes stand
        ([], True, False, False),
        ([(DOUBT, SEEN)], True, True, False),
    ],
)
def test_the_death_list_is_the_one_exception(
    deaths: list[Any], accepted: bool, matchable: bool, dead: bool
) -> None:
    facts = facts_of(deaths=deaths, accepted={"civil_affairs__deaths": accepted}, matchable=matchable)
    assert facts["死亡"] is dead


@pytest.mark.parametrize(
    ("houses", "accepted", "answer"),
    [
        ([(SURE, SEEN)], {}, True),
        ([(SURE, ENDED)], {}, False),
        ([(SURE, ODD)], {}, None),
        ([(DOUBT, SEEN)], {}, None),
        ([], {"housing__houses": False}, None),
        ([], {"civil_affairs__dibao": False}, None),  # without the roster nobody knows whose house it is
        ([(SURE, SEEN)], {"civil_affairs__dibao": False}, True),
        ([], {"civil_affairs__deaths": False}, False),
    ],
)
def test_a_house_is_its_familys(houses: list[Any], accepted: dict[str, bool], answer: bool | None) -> None:
    assert facts_of(houses=houses, accepted=accepted)["危房"] is answer


def test_facts_of_the_register() -> None:
    facts = facts_of()
    assert facts["等级"] is None
    assert facts["正常"] is True
    assert facts["年龄"] == 59  # 60 on the next day


@given(st.dates(date(1900, 1, 1), date(2026, 10, 31)), st.dates(date(2026, 1, 1), date(2030, 12, 31)))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_age_is_reached_on_the_birthday(born: date, as_of: date) -> None:
    """On 29 February as on any other day: who is born on it grows a year older on 1 March of a common year."""
    con = duckdb.connect()
    sql = register_fact_sql(declared_facts({"r": REGISTER})["年龄"], as_of)
    con.execute("create table p as select cast(? as date) as birth_date", [born]).fetchall()
    age = con.execute(f"select {sql} from p").fetchall()[0][0]
    assert age == as_of.year - born.year - ((as_of.month, as_of.day) < (born.month, born.day))
