"""The facts behind the opposite checks and the employment rules, read from rows as the departments deliver them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.contracts.columns import snapshot_columns
from pipeline.contracts.dataset import load_datasets
from pipeline.entitlement.facts import declared_facts, list_facts_sql

AS_OF = date(2026, 10, 31)  # 上月 is September, 近三月 starts with July
FACTS = declared_facts(load_datasets(Path(__file__).parents[2] / "schemas"))
Row = dict[str, Any]


def value(name: str, *rows: Row) -> Any:
    """The fact of the person whose own rows these are; a row with `of` is another person's (its sound number)."""
    fact = FACTS[name]
    dataset, table = fact.dataset, fact.dataset.table
    columns = {
        **snapshot_columns(dataset),
        "person": "bigint",
        "decision": "varchar",
        "delivered_by": "varchar",
    }
    con = duckdb.connect()
    head = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    con.execute(f"create table list_{table} ({head})").fetchall()
    for row in rows:
        whole = {"decision": "linked", "person": 2 if "of" in row else 1, "id": row.get("of", "own"), **row}
        given = {key: said for key, said in whole.items() if key in columns}
        names, marks = ", ".join(f'"{key}"' for key in given), ", ".join("?" for _ in given)
        con.execute(f"insert into list_{table} ({names}) values ({marks})", list(given.values())).fetchall()
    query = list_facts_sql(dataset, [fact], AS_OF, rows=f"list_{table}")
    return dict(con.execute(query).fetchall())[1]


def paid(item: str, month: str, *, state: str = "成功", **more: Any) -> Row:
    return {"item": item, "month": month, "state": state, "amount": 9000, **more}


def subsidy(kind: str, *, state: str = "正常", **more: Any) -> Row:
    return {"kind": kind, "state": state, **more}


LIVING, NURSING, BOTH = "生活补贴", "护理补贴", "生活补贴和护理补贴"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([paid(LIVING, "2026-08-01"), paid(NURSING, "2026-09-01")], date(2026, 9, 1)),
        ([paid(BOTH, "2026-09-01")], date(2026, 9, 1)),
        ([paid(LIVING, "2026-08-01"), paid(LIVING, "2026-09-01", state="失败")], date(2026, 8, 1)),
        ([paid(LIVING, "2026-08-01"), paid(LIVING, "2026-09-01", amount=-9000)], date(2026, 8, 1)),  # 追回
        ([paid(LIVING, "2026-08-01"), paid(LIVING, "2026-09-01", amount=None)], date(2026, 9, 1)),
        ([paid(LIVING, "2026-08-01"), paid("其他", "2026-09-01")], date(2026, 8, 1)),
        ([paid("其他", "2026-09-01")], None),
    ],
)
def test_the_last_month_paid_passes_over_returns_and_what_was_taken_back(
    rows: list[Row], expected: date | None
) -> None:
    assert value("补贴最近到账月份", *rows) == expected


def test_two_payments_of_one_month_are_two_and_of_two_months_one_each() -> None:
    september = paid(LIVING, "2026-09-01")
    assert value("生活补贴上月到账笔数", september, september) == 2
    assert value("生活补贴上月到账笔数", september, paid(LIVING, "2026-08-01")) == 1
    assert value("生活补贴上月到账笔数", september, paid(LIVING, "2026-09-01", amount=-9000)) == 1
    assert value("护理补贴上月到账笔数", september, paid(BOTH, "2026-09-01")) == 1


def test_a_row_for_both_subsidies_counts_for_each_and_has_no_single_amount() -> None:
    row = subsidy(BOTH, amount=20000)
    assert value("生活补贴行数", row, subsidy(LIVING)) == 2
    assert value("护理补贴行数", row, subsidy(NURSING, state="停发")) == 1
    assert value("生活补贴登记标准", row) is None
    assert value("生活补贴登记标准", subsidy(LIVING, amount=9000), subsidy(NURSING, amount=11000)) == 9000


def test_two_counties_are_counted_by_who_delivered_and_a_stopped_row_is_none() -> None:
    here, there = subsidy(LIVING, delivered_by="533401"), subsidy(NURSING, delivered_by="533422")
    assert value("领取补贴县数", here, there) == 2
    assert value("领取补贴县数", here, {**there, "state": "停发"}) == 1


def test_others_on_the_account_are_other_people_and_an_empty_account_is_nobodys() -> None:
    mine = subsidy(LIVING, bank="62")
    others = [subsidy(NURSING, bank="62", of=number) for number in ("a", "b", "b")]
    assert value("补贴账户共用人数", mine, subsidy(NURSING, bank="62"), *others) == 2
    assert value("补贴账户共用人数", mine, subsidy(NURSING, bank="62", of="a", state="停发")) == 0
    assert value("补贴账户共用人数", subsidy(LIVING, bank=None), subsidy(LIVING, bank=None, of="a")) == 0
    old = paid(LIVING, "2026-06-01", bank="62", of="a")
    assert value("到账账户共用人数", paid(LIVING, "2026-09-01", bank="62"), old) == 0


def test_rows_that_disagree_about_the_level_leave_it_unknown() -> None:
    rows = [subsidy(LIVING, level=2), subsidy(NURSING, level=3)]
    assert [value("生活补贴登记等级", *rows), value("护理补贴登记等级", *rows)] == [2, 3]
    twice = subsidy(LIVING, level=4)
    assert value("生活补贴登记等级", *rows, twice) is None
    assert value("生活补贴登记等级", *rows, {**twice, "state": "停发"}) == 2
    assert value("护理补贴登记类别", subsidy(BOTH, cat="视力")) == "视力"
    assert value("评定等级", {"level": 2}, {"level": 2}) == 2
    assert value("评定等级", {"level": 2}, {"level": 9}) is None


def test_the_stop_month_is_the_latest_and_unknown_where_one_is_not_written() -> None:
    stopped = [{"state": "停保", "stop": month} for month in ("2025-03-01", "2026-08-01")]
    assert value("低保停保年月", *stopped, {"state": "在保"}) == date(2026, 8, 1)
    assert value("低保停保年月", stopped[0], {"state": "停保"}) is None
    written = subsidy(LIVING, state="停发", stop="2026-07-01")
    assert value("生活补贴停发年月", written, subsidy(NURSING, state="停发")) == date(2026, 7, 1)
    assert value("护理补贴停发年月", written) is None


def test_a_house_job_is_planned_by_its_year_and_open_while_it_is_built() -> None:
    house = {"grade": "D", "state": "未改造", "year": None}
    planned, building, done = (
        {**house, "year": 2026},
        {**house, "state": "在建"},
        {**house, "state": "已竣工"},
    )
    answers = {
        name: [value(name, row) for row in (house, planned, building, done, {**planned, "grade": "A"})]
        for name in ("危房改造未完工", "危房未列入改造")
    }
    assert answers["危房改造未完工"] == [False, True, True, False, False]
    assert answers["危房未列入改造"] == [True, False, False, False, False]


def test_ability_and_needs_are_only_what_the_survey_says() -> None:
    assert value("劳动能力", {"able": None}) is None
    assert [value("登记无劳动能力", {"able": said}) for said in ("无", "部分", None)] == [True, False, False]
    assert [value("登记有康复需求", {"rehab": said}) for said in ("是", "否", None)] == [True, False, False]
    assert [value("登记有辅具需求", {"device": said}) for said in ("是", "否", None)] == [True, False, False]


@pytest.mark.parametrize(
    ("name", "row", "expected"),
    [
        ("近三年残联培训", {"kind": "培训", "on": "2023-10-31"}, True),
        ("近三年残联培训", {"kind": "培训", "on": "2023-10-30"}, False),
        ("近三年残联培训", {"kind": "培训", "on": "2026-11-01"}, False),
        ("近三年人社培训", {"kind": "培训", "start": "2026-05-01"}, True),
        ("近三年人社培训", {"kind": "单位就业", "start": "2026-05-01"}, False),
        ("近三年人社培训", {"kind": "培训"}, None),
        ("盲人按摩已培训", {"kind": "培训", "item": "盲人按摩培训", "on": "2019-05-01"}, True),
        ("盲人按摩已培训", {"kind": "培训", "item": "农村实用技术培训", "on": "2026-05-01"}, False),
        ("盲人按摩已培训", {"kind": "培训", "item": None, "on": "2026-05-01"}, None),
        ("近两年辅具适配", {"kind": "康复", "item": "辅具适配", "on": "2024-10-31"}, True),
        ("近两年辅具适配", {"kind": "康复", "item": "辅具适配", "on": "2024-10-30"}, False),
        ("近两年辅具适配", {"kind": "康复", "item": "康复训练", "on": "2026-05-01"}, False),
        ("近一年辅助性就业服务", {"kind": "就业", "item": "辅助性就业", "on": "2026-05-01"}, True),
        ("近一年辅助性就业服务", {"kind": "就业", "item": "职业介绍", "on": "2026-05-01"}, False),
        ("公益性岗位在岗", {"kind": "公益性岗位", "end": None}, True),
        ("公益性岗位在岗", {"kind": "公益性岗位", "end": "2026-10-30"}, False),
        ("辅助性就业在岗", {"kind": "辅助性就业", "end": "2026-10-31"}, True),
        ("失业或就业困难登记", {"kind": "未就业"}, True),
        ("失业或就业困难登记", {"kind": "灵活就业"}, False),
        ("领取任一养老金", {"kind": "职工", "state": "待遇领取"}, True),
        ("领取任一养老金", {"kind": "居民", "state": "暂停待遇"}, False),
        ("职工养老在缴", {"kind": "职工", "state": "正常缴费"}, True),
        ("职工养老在缴", {"kind": "职工", "state": "暂停缴费"}, False),
        ("职工养老在缴", {"kind": "居民", "state": "正常缴费"}, False),
        ("有生活补贴登记", subsidy(LIVING, state="待审核"), True),
        ("有生活补贴登记", subsidy(NURSING), False),
        ("无障碍改造有记录", {"state": "未验收"}, True),
        ("死亡日期", {"died": "2026-02-11"}, date(2026, 2, 11)),
        ("首次评定日期", {"on": "2026-06-01"}, date(2026, 6, 1)),
    ],
)
def test_one_row(name: str, row: Row, expected: object) -> None:
    assert value(name, row) == expected
