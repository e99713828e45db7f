"""Facts about the members of a person's family in a roster, and those that count over other people's rows."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from pipeline.contracts.dataset import Dataset, FactSpec
from pipeline.contracts.problem import ReconcileError
from pipeline.entitlement.fact import read_fact
from pipeline.entitlement.facts import list_facts_sql

AS_OF = date(2026, 10, 31)
ROSTER = Dataset.model_validate(
    {
        "dataset": "civil_affairs/dibao",
        "title": "低保名册",
        "department": "民政",
        "grain": "一行一人",
        "delivery": {"by": "county", "stale_after_days": 62},
        "person": {"id": "id"},
        "household": {"family": "fam"},
        "live": "state = '在保'",
        "fields": {
            "fam": {"title": "家庭编号", "type": "text", "headers": ["家庭编号"]},
            "id": {"title": "身份证号", "type": "id", "headers": ["身份证号"]},
            "bank": {"title": "账号", "type": "text", "headers": ["账号"]},
            "month": {"title": "月份", "type": "month", "headers": ["月份"]},
            "state": {
                "title": "状态",
                "type": "code",
                "headers": ["状态"],
                "codes": {"在保": ["在保"], "停保": ["停保"]},
            },
        },
        "facts": {
            "甲": {
                "of": "any(live and blank(bank) and blank(month) and id = '')"
            }  # carries every field the tests ask for
        },
    }
)
COLUMNS = (
    "source_file varchar, sheet varchar, source_row bigint, fam varchar, id varchar, bank varchar, month date, "
    "state varchar"
)
SURE, DOUBT = "linked", "review"


def born(year: int, order: int = 1) -> str:
    return f"533401{year}0101{order:03d}0"


def night(
    rows: list[dict[str, Any]], links: list[tuple[int, int, str]], states: dict[int, str]
) -> duckdb.DuckDBPyConnection:
    """`rows` from row 1 on; `links`: (person, row, decision); `states`: the register's people."""
    con = duckdb.connect()
    table = "civil_affairs__dibao"
    con.execute(f"create table list_{table} ({COLUMNS})").fetchall()
    for at, row in enumerate(rows, 1):
        said = [
            "f",
            "",
            at,
            *(row.get(name) for name in ("fam", "id", "bank", "month")),
            row.get("state", "在保"),
        ]
        said[0] = row.get("file", "f")
        con.execute(f"insert into list_{table} values (?, ?, ?, ?, ?, ?, ?, ?)", said).fetchall()
    for kind, decision in (("linked", SURE), ("doubtful", DOUBT)):
        con.execute(f"create table {kind}_{table} (person bigint, decision varchar, {COLUMNS})").fetchall()
        for person, row, decided in links:
            if decided == decision:
                con.execute(
                    f"insert into {kind}_{table} select ?, ?, * from list_{table} where source_row = ?",
                    [person, decision, row],
                ).fetchall()
    con.execute("create table people (person bigint, state varchar)").fetchall()
    for person, state in states.items():
        con.execute("insert into people values (?, ?)", [person, state]).fetchall()
    con.execute(f"create table doubted as select distinct person from doubtful_{table}").fetchall()
    con.execute(
        "create table delivered_files as select 'civil_affairs/dibao' as dataset, f as source_file, c as county_code"
        " from (values ('f', '533401'), ('g', '533422')) as v(f, c)"
    ).fetchall()
    return con


def value(of: str, con: duckdb.DuckDBPyConnection, person: int = 1, *, sure: bool = False) -> Any:
    fact = read_fact("乙", FactSpec(of=of), ROSTER)
    found = con.execute(list_facts_sql(ROSTER, [fact], AS_OF, sure=sure)).fetchall()
    return dict(found).get(person, "no row")


FAMILY = [
    {"fam": "1", "id": born(1950)},
    {"fam": "1", "id": born(1990)},
    {"fam": "1", "id": born(1948)},
    {"fam": "2", "id": born(1980)},
]
CARER_AGES = "others_all(成员年龄 >= 60 or 成员持证)"


def test_members_are_those_of_the_own_family_alone() -> None:
    con = night(FAMILY, [(1, 2, SURE), (4, 4, SURE)], {1: "正常", 4: "正常"})
    assert value("members(live)", con) == 3
    assert value("members(live and 成员持证)", con) == 1
    assert value("members(live)", con, person=4) == 1
    assert value("members(live)", con, person=9) == "no row"


def test_a_disabled_adult_who_lives_with_the_old_alone() -> None:
    con = night(FAMILY, [(1, 2, SURE)], {1: "正常"})
    assert value(CARER_AGES, con) is True
    younger = night([*FAMILY, {"fam": "1", "id": born(1985)}], [(1, 2, SURE)], {1: "正常"})
    assert value(CARER_AGES, younger) is False
    assert value("others_any(成员年龄 < 60)", younger) is True


def test_a_member_who_holds_a_certificate_counts_by_the_register() -> None:
    family = [*FAMILY, {"fam": "1", "id": born(1985)}]
    links = [(1, 2, SURE), (5, 5, SURE)]
    assert value(CARER_AGES, night(family, links, {1: "正常", 5: "正常"})) is True
    assert value(CARER_AGES, night(family, links, {1: "正常", 5: "注销"})) is False
    con = night(family, [(1, 2, SURE), (5, 5, DOUBT)], {1: "正常", 5: "正常"})
    assert value(CARER_AGES, con) is None  # whether the doubtful member holds one is not known
    assert value("members(成员持证)", con) is None


def test_who_lives_alone_has_no_others() -> None:
    con = night(FAMILY, [(4, 4, SURE)], {4: "正常"})
    assert value(CARER_AGES, con, person=4) is False
    assert value("others_any(live)", con, person=4) is False


def test_a_member_without_a_sound_number_has_no_known_age() -> None:
    con = night([*FAMILY, {"fam": "1"}], [(1, 2, SURE)], {1: "正常"})
    assert value(CARER_AGES, con) is None
    assert value("others_any(成员年龄 >= 60)", con) is True
    assert value("members(成员年龄 >= 60)", con) is None
    assert value("members(live)", con) == 4


def test_a_doubtful_own_row_and_two_families_leave_it_open() -> None:
    assert value("members(live)", night(FAMILY, [(1, 2, DOUBT)], {1: "正常"})) is None
    two = night(FAMILY, [(1, 2, SURE), (1, 4, SURE)], {1: "正常"})
    assert value("members(live)", two) is None
    beside = night(FAMILY, [(1, 2, SURE), (1, 3, DOUBT)], {1: "正常"})
    assert value("members(live)", beside) == 3  # the sure row settles the family
    assert value("members(live)", beside, sure=True) == 3


def test_the_same_family_code_in_another_delivery_is_another_family() -> None:
    con = night([*FAMILY, {"fam": "1", "id": born(1960), "file": "g"}], [(1, 2, SURE)], {1: "正常"})
    assert value("members(live)", con) == 3


# ---- over other people's rows, and the greatest and least ----


def test_sharing_counts_the_other_people_with_the_same_value() -> None:
    rows = [
        {"id": born(1950), "bank": "A"},
        {"id": born(1960), "bank": "A"},
        {"id": born(1960), "bank": "A"},  # the same person twice
        {"id": born(1970), "bank": "A", "state": "停保"},
        {"id": born(1980), "bank": "B"},
        {"bank": "A"},  # nobody knows who
        {"id": born(1990)},
    ]
    con = night(rows, [(1, 1, SURE), (5, 5, SURE), (7, 7, SURE), (2, 2, DOUBT)], {})
    assert value("sharing(bank where live)", con) == 1
    assert value("sharing(bank)", con) == 2
    assert value("sharing(bank where live)", con, person=5) == 0
    assert value("sharing(bank where live)", con, person=7) == 0
    assert value("sharing(bank where live)", con, person=2) is None


def test_counties_are_those_of_the_deliveries() -> None:
    rows = [{"id": born(1950)}, {"id": born(1950)}, {"id": born(1950), "file": "g"}]
    con = night(rows, [(1, 1, SURE), (1, 2, SURE), (1, 3, SURE)], {})
    assert value("counties(live)", con) == 2
    assert value("counties(live)", night(rows, [(1, 1, SURE), (1, 3, DOUBT)], {})) is None
    assert value("counties(state = '停保')", con) == 0


@pytest.mark.parametrize(
    ("of", "rows", "answer"),
    [
        ("latest(month where live)", [date(2026, 3, 1), date(2026, 2, 1)], date(2026, 3, 1)),
        ("earliest(month)", [date(2026, 3, 1), date(2026, 2, 1)], date(2026, 2, 1)),
        ("latest(month)", [date(2026, 3, 1), None], None),  # the one that nobody can read may be later
        ("latest(month where state = '停保')", [date(2026, 3, 1)], None),
    ],
)
def test_the_greatest_and_the_least(of: str, rows: list[date | None], answer: date | None) -> None:
    con = night([{"month": month} for month in rows], [(1, at, SURE) for at in range(1, len(rows) + 1)], {})
    assert value(of, con) == answer


def test_a_doubtful_row_leaves_the_greatest_open() -> None:
    con = night([{"month": AS_OF}, {"month": AS_OF}], [(1, 1, SURE), (1, 2, DOUBT)], {})
    assert value("latest(month)", con) is None
    assert value("latest(month)", con, sure=True) == AS_OF


@pytest.mark.parametrize("of", ["members(live)", "others_any(live)", "sharing(bank)"])
def test_these_need_a_family_or_a_number(of: str) -> None:
    without = ROSTER.model_copy(
        update={"household": None, "person": ROSTER.person.model_copy(update={"id": None})}
    )
    with pytest.raises(ReconcileError) as caught:
        read_fact("乙", FactSpec(of=of), without)
    assert caught.value.problem.code == "E106"
