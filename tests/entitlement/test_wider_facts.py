"""Facts of the wider catalogue as they are declared in schemas/: what a row says, and where it leaves them unknown."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.contracts.columns import field_columns
from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.entitlement.fact import declared_facts
from pipeline.entitlement.facts import list_facts_sql

AS_OF = date(2026, 10, 31)
DATASETS = load_datasets(Path(__file__).parents[2] / "schemas")
FACTS = declared_facts(DATASETS)
SURE, DOUBT = "linked", "review"
PLACE = {"source_file": "VARCHAR", "sheet": "VARCHAR", "source_row": "BIGINT"}
Row = dict[str, Any]


def _columns(dataset: Dataset) -> dict[str, str]:
    plain = {name: field_columns(name, spec)[name] for name, spec in dataset.fields.items()}
    return {"person": "BIGINT", "decision": "VARCHAR", **PLACE, **plain}


def _fill(con: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], rows: list[Row]) -> None:
    said = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    con.execute(f"create table {table} ({said})").fetchall()
    for row in rows:
        values = [row.get(name) for name in columns]
        con.execute(f"insert into {table} values ({', '.join('?' * len(values))})", values).fetchall()


def seen(name: str, *rows: Row, register: dict[int, str] | None = None) -> Any:
    """The declared fact of person 1 over the rows of its list; a row without `person` is about somebody unknown.

    `register`: state of the certificate by person. Rows of a roster are the family's, in one delivery.
    """
    fact = FACTS[name]
    dataset, table = fact.dataset, fact.dataset.table
    columns = _columns(dataset)
    placed = [
        {"decision": SURE, "source_file": "f", "sheet": "", "source_row": n, **row}
        for n, row in enumerate(rows)
    ]
    with duckdb.connect() as con:
        listed = {n: kind for n, kind in columns.items() if n not in ("person", "decision")}
        _fill(con, f"list_{table}", listed, placed)
        about = [row for row in placed if row.get("person")]
        _fill(con, f"linked_{table}", columns, [r for r in about if r["decision"] == SURE])
        _fill(con, f"doubtful_{table}", columns, [r for r in about if r["decision"] != SURE])
        _fill(
            con,
            "people",
            {"person": "BIGINT", "state": "VARCHAR"},
            [{"person": person, "state": state} for person, state in (register or {1: "正常"}).items()],
        )
        found = con.execute(list_facts_sql(dataset, [fact], AS_OF)).fetchall()
    return dict(found).get(1, "no row")


def pupil(**more: Any) -> Row:
    return {"person": 1, "stage": "小学", "state": "在读", "way": "普通就读", "aid": "否", **more}


@pytest.mark.parametrize(
    ("name", "row", "answer"),
    [
        ("到校就读", pupil(), True),
        ("到校就读", pupil(way="特校就读"), True),
        ("到校就读", pupil(way="送教上门"), False),
        ("到校就读", pupil(way=None), None),  # at school or taught at home: nobody says
        ("到校就读", pupil(way=None, state="毕业"), False),
        ("送教上门", pupil(way="送教上门"), True),
        ("送教上门", pupil(way=None), None),
        ("送教上门", pupil(way="送教上门", state="未入学"), False),
        ("送教未入籍", pupil(way="送教上门", state="未入学"), True),
        ("送教未入籍", pupil(way="送教上门", state="辍学"), True),
        ("送教未入籍", pupil(way="送教上门"), False),
        ("送教未入籍", pupil(way="送教上门", state=None), None),
        ("小学初中资助", pupil(aid="是"), True),
        ("小学初中资助", pupil(aid=None), None),
        ("小学初中资助", pupil(aid="是", stage="高中"), False),
        ("小学初中在读", pupil(stage="学前"), False),
        ("小学初中学段", pupil(stage="初中"), "初中"),
        ("小学初中学段", pupil(stage="高中"), None),
        ("学前高中在读", pupil(stage="学前"), True),
        ("学前高中在读", pupil(), False),
        ("学前高中资助", pupil(stage="高中", aid="是"), True),
        ("学前高中资助", pupil(stage="大学", aid="是"), False),
    ],
)
def test_what_a_school_list_says(name: str, row: Row, answer: object) -> None:
    assert seen(name, row) == answer


def insured(**more: Any) -> Row:
    return {"person": 1, "kind": "居民", "state": "正常参保", "year": 2026, "aid": "低保对象", **more}


@pytest.mark.parametrize(
    ("name", "rows", "answer"),
    [
        ("医保资助标识", [insured()], "低保对象"),
        ("医保资助标识", [insured(aid="无")], "无"),
        ("医保资助标识", [insured(aid=None)], None),
        ("医保资助标识", [insured(kind="职工")], None),
        ("医保资助标识", [insured(), insured(year=2025, aid="特困人员")], "低保对象"),
        ("医保资助标识", [insured(), insured(aid="特困人员")], None),
        ("医保资助标识", [insured(decision=DOUBT)], None),
        ("职工医保", [insured(kind="职工")], True),
        ("职工医保", [insured()], False),
        ("职工医保", [insured(kind="职工", state="终止参保")], False),
    ],
)
def test_what_an_insurance_list_says(name: str, rows: list[Row], answer: object) -> None:
    assert seen(name, *rows) == answer


@pytest.mark.parametrize(
    ("name", "row", "answer"),
    [
        ("低保满三月", {"state": "在保", "start": date(2026, 7, 1)}, True),
        ("低保满三月", {"state": "在保", "start": date(2026, 8, 1)}, False),
        ("低保满三月", {"state": "在保"}, None),
        ("低保满三月", {"state": "停保", "start": date(2020, 1, 1)}, False),
        ("低保停保", {"state": "停保"}, True),
        ("低保停保", {"state": "在保"}, False),
        ("特困满三月", {"state": "在供", "start": date(2026, 7, 1)}, True),
        ("特困满三月", {"state": "在供", "start": date(2026, 8, 1)}, False),
    ],
)
def test_how_long_a_person_is_in_support(name: str, row: Row, answer: bool | None) -> None:
    assert seen(name, {"person": 1, "fam": "1", **row}) is answer


def member(born: int, state: str = "在保", **more: Any) -> Row:
    return {"fam": "1", "id": f"533401{born}01010010", "state": state, **more}


CHILD = member(2017, person=1)
HOLDERS = {1: "正常", 2: "正常"}


@pytest.mark.parametrize(
    ("others", "answer"),
    [
        ([member(1985)], False),  # a parent of full age without a certificate
        ([member(1985, person=2)], True),
        ([member(1985, person=2), member(2015)], True),
        ([member(1950)], True),
        ([member(1950), member(1985)], False),
        ([member(1985, state="停保"), member(1950)], True),  # a stopped member is no member
        ([], False),  # alone on the list: a single-person dibao child has parents elsewhere
        ([member(1985, person=2, decision=DOUBT)], None),
        ([{**member(1985), "id": None}], None),  # an age nobody can tell
    ],
)
def test_a_family_without_an_able_adult(others: list[Row], answer: bool | None) -> None:
    assert seen("低保户无健全成年人", CHILD, *others, register=HOLDERS) is answer


def test_old_or_disabled_is_narrower_than_no_able_adult() -> None:
    family = (CHILD, member(2015), member(1950))
    assert seen("低保户无健全成年人", *family) is True
    assert seen("低保户其他人均老或残", *family) is False


def test_members_in_pay_and_holders_among_them() -> None:
    family = (CHILD, member(1985, person=2), member(1990), member(1960, state="停保"))
    assert seen("低保户人数", *family, register=HOLDERS) == 3
    assert seen("低保户持证人数", *family, register=HOLDERS) == 2
    assert seen("低保户持证人数", *family, register={1: "正常", 2: "注销"}) == 1


def test_a_marginal_familys_facts_are_of_its_own_list() -> None:
    child, father = member(2017, "有效", person=1), member(1985, "有效", person=2)
    assert seen("边缘户无健全成年人", child, father, register=HOLDERS) is True
    assert seen("边缘户其他人均老或残", child, father, register=HOLDERS) is True
    assert seen("边缘户人数", child, father, register=HOLDERS) == 2
    assert seen("边缘户持证人数", child, father, register=HOLDERS) == 2
    assert seen("边缘户人数", child, member(1985, "无效")) == 1
