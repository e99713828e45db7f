"""The signs of risk: their cases, each part of each condition, a second engine, and what was lost since an earlier night."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.visit_signs import VisitSigns, load_visit_signs
from pipeline.entitlement import declared_facts
from pipeline.entitlement.dates import date_words
from pipeline.entitlement.expression import half_width, names_in, parse
from pipeline.entitlement.kept_night import earlier_night, keep_night
from pipeline.entitlement.parameters import value_at
from pipeline.entitlement.visit_cases import run_sign_cases
from pipeline.entitlement.visit_signs import (
    build_visit_parameters,
    compile_signs,
    note_visits,
    rehearse_visits,
    sign_statements,
    visit_rows,
)

ROOT = Path(__file__).parents[2]
FACTS = declared_facts(load_datasets(ROOT / "schemas"))
BEFORE, DAY = date(2026, 9, 30), date(2026, 10, 31)
_LOADED = load_visit_signs(ROOT / "rules")
assert _LOADED is not None
SIGNS: VisitSigns = _LOADED
_KINDS = {"BOOLEAN": pl.Boolean, "BIGINT": pl.Int64, "VARCHAR": pl.String, "DATE": pl.Date}


def replaced(**keys: object) -> VisitSigns:
    return SIGNS.model_copy(update=keys)


def failing(signs: VisitSigns) -> list[str]:
    with duckdb.connect() as con:
        return [result.case.name for result in run_sign_cases(con, signs, FACTS) if not result.passed]


def test_the_cases_pass() -> None:
    assert failing(SIGNS) == []


def test_the_signs_of_the_issue_are_there() -> None:
    assert {sign.id for sign in SIGNS.signs} == {
        "失去保障",
        "重度无救助",
        "医疗自付较大",
        "以老养残",
        "一户多残",
    }


@pytest.mark.parametrize(
    ("sign", "old", "new"),
    [
        ("重度无救助", "残疾等级 <= 2", "残疾等级 <= 3"),
        ("重度无救助", "not 低保 and", ""),
        ("重度无救助", "not 低保边缘 and", ""),
        ("重度无救助", "not 特困供养 and", ""),
        ("重度无救助", "and not 在领两项补贴", ""),
        ("重度无救助", "and not (年龄 < 18 and 孤儿保障)", ""),
        ("重度无救助", "年龄 < 18", "年龄 < 19"),
        ("重度无救助", "年龄 < 18", "年龄 < 17"),
        ("医疗自付较大", ">=", ">"),
        ("医疗自付较大", "* 100", "* 99"),
        ("以老养残", "between 16", "between 17"),
        ("以老养残", "between 16", "between 15"),
        ("以老养残", "and 59", "and 60"),
        ("以老养残", "and 59", "and 58"),
        ("以老养残", "低保户人数 >= 2", "低保户人数 >= 1"),
        ("以老养残", "边缘户人数 >= 2", "边缘户人数 >= 1"),
        ("以老养残", "监测户人数 >= 2", "监测户人数 >= 1"),
        ("以老养残", "or (监测户人数 >= 2 and 监测户其他人均老或残)", ""),
        ("以老养残", "or (边缘户人数 >= 2 and 边缘户其他人均老或残)", ""),
        ("以老养残", "(低保户人数 >= 2 and 低保户其他人均老或残) or", ""),
        ("以老养残", "and 低保户其他人均老或残", ""),
        ("一户多残", "低保户持证人数 >= 2", "低保户持证人数 >= 1"),
        ("一户多残", "边缘户持证人数 >= 2", "边缘户持证人数 >= 1"),
        ("一户多残", "监测户持证人数 >= 2", "监测户持证人数 >= 3"),
        ("一户多残", "between 1 and 同一监护人上限", "between 0 and 同一监护人上限"),
        ("一户多残", "between 1 and 同一监护人上限", "between 1 and 2"),
        ("一户多残", "between 1 and 同一监护人上限", ">= 1"),
        ("失去保障", "not 特困供养", "1 = 1"),
    ],
)
def test_no_part_of_a_condition_can_change_unseen(sign: str, old: str, new: str) -> None:
    changed = []
    for one in SIGNS.signs:
        if one.id == sign:
            assert old in one.when
            one = one.model_copy(update={"when": one.when.replace(old, new, 1)})
        changed.append(one)
    assert failing(replaced(signs=tuple(changed)))


@pytest.mark.parametrize("name", SIGNS.lost)
def test_no_benefit_that_can_be_lost_can_go_unseen(name: str) -> None:
    fewer = [
        one.model_copy(update={"lost": tuple(n for n in one.lost if n != name)}) if one.lost else one
        for one in SIGNS.signs
    ]
    assert failing(replaced(signs=tuple(fewer)))


def test_who_is_monitored_cannot_change_unseen() -> None:
    assert failing(replaced(monitored="not 监测对象"))
    assert failing(replaced(monitored="1 = 1"))


def test_a_second_engine_agrees_on_random_people() -> None:
    """The file's own expressions as polars runs them, on people with unknowns in every fact."""
    dice = random.Random(7)
    used = [n for s in SIGNS.signs for n in names_in(parse(s.when)) if n in FACTS]
    names = list(dict.fromkeys([*used, *SIGNS.lost, "监测对象", "死亡", "证件状态"]))
    values = {"证件状态": ["正常", "过期", "注销"], "残疾等级": [1, 2, 3], "年龄": [15, 16, 17, 18, 59, 60]}
    values |= {n: [0, 1, 2, 3, 4] for n in names if n.endswith("人数")}
    values |= {"本年自付金额": [0, 1_999_999, 2_000_000], "死亡": [True, False, False, False]}

    def column(name: str, rows: int) -> pl.Series:
        choice = [*values.get(name, [True, False, False]), None]
        kind = _KINDS[FACTS[name].sql_type]
        return pl.Series(name, [dice.choice(choice) for _ in range(rows)], dtype=kind)

    rows = 20_000
    people = pl.DataFrame([pl.Series("person", range(rows)), *(column(n, rows) for n in names)])
    people = people.with_columns(pl.lit("533401").alias("county_code"))
    then = pl.DataFrame([pl.Series("person", range(rows)), *(column(n, rows) for n in SIGNS.lost)])
    con = duckdb.connect()
    for table, frame in (("facts", people), ("visit_earlier", then)):
        arrow = frame.to_arrow()  # noqa: F841 DuckDB finds it by its name
        con.execute(f"create table {table} as select * from arrow").fetchall()
    build_visit_parameters(con, SIGNS, ["533401"], DAY)
    for statement in sign_statements(compile_signs(SIGNS, FACTS, DAY), FACTS):
        con.execute(statement).fetchall()
    got = set(con.execute("select person, sign from visit_signs").fetchall())

    parameters = {n: pl.lit(float(value_at(p, "533401", DAY) or 0)) for n, p in SIGNS.parameters.items()}
    known = people.with_columns(**parameters).filter(
        pl.col("证件状态").is_in(["正常", "过期"]) & ~pl.col("死亡").fill_null(False)
    )
    known = known.join(then.rename({n: f"then_{n}" for n in SIGNS.lost}), on="person")
    assert not set(date_words(DAY)) & set(used)  # else they would have to be filled in here
    expected = set()
    for sign in SIGNS.signs:
        held = known.filter(pl.sql_expr(half_width(sign.when)).fill_null(False))
        if sign.lost:
            gone = [(pl.col(n).not_() & pl.col(f"then_{n}")).fill_null(False) for n in sign.lost]
            held = held.filter(pl.any_horizontal(gone))
        expected |= {(person, sign.id) for person in held["person"]}
    assert got == expected
    assert all(sum(1 for _, sign in got if sign == one.id) > 50 for one in SIGNS.signs)


# ---- what was lost since an earlier night ----


def a_night(people: list[tuple[str, str | None, bool | None]]) -> duckdb.DuckDBPyConnection:
    """A database as `decide` leaves it: certificate, identity number, 低保 of each; nothing else is known."""
    con = duckdb.connect()
    columns = ", ".join(f'"{fact.name}" {fact.sql_type}' for fact in FACTS.values())
    con.execute(f"create table facts (person bigint, county_code varchar, {columns})").fetchall()
    con.execute(
        "create table people (person bigint, certificate_number varchar, id_number varchar, name varchar, county_code varchar,"
        " address varchar, birth_date date)"
    ).fetchall()
    for n, (certificate, number, dibao) in enumerate(people, start=1):
        con.execute(
            "insert into people values (?, ?, ?, '甲', '533401', '', null)", [n, certificate, number]
        ).fetchall()
        con.execute(
            'insert into facts (person, county_code, "证件状态", "死亡", "特困供养", "低保") values (?, ?, ?, ?, ?, ?)',
            [n, "533401", "正常", False, False, dibao],
        ).fetchall()
    con.execute("create table facts_sure as select * from facts where false").fetchall()
    con.execute("create table matchable as select person from people").fetchall()
    con.execute("create table covered as select '533401' as county_code").fetchall()
    return con


def lost(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    rows = visit_rows(con)
    return list(rows.select("certificate_number", "lost").iter_rows())


def test_a_benefit_that_was_there_last_month_and_is_not_now_is_lost(tmp_path: Path) -> None:
    then = [("A43", "ida", True), ("B43", "idb", True), ("C43", "idc", False), ("D43", "idd", None)]
    keep_night(a_night(then), tmp_path, FACTS, BEFORE)
    # numbered anew: somebody has come in front of them; B is unknown now
    con = a_night(
        [
            ("0", "id0", False),
            ("A43", "ida", False),
            ("B43", "idb", None),
            ("C43", "idc", False),
            ("D43", "idd", False),
        ]
    )
    compared = note_visits(con, SIGNS, FACTS, tmp_path, DAY)
    assert (compared.earlier, compared.left_out) == (BEFORE, ())
    assert lost(con) == [("A43", "在保的低保记录")]


def test_a_person_is_known_again_when_the_certificate_or_the_identity_number_changes(tmp_path: Path) -> None:
    keep_night(
        a_night([("A42", "ida", True), ("B42", None, True), ("C42", "idc", True)]), tmp_path, FACTS, BEFORE
    )
    con = a_night([("A43", "ida", False), ("B42", "idb", False), ("X42", None, False)])
    note_visits(con, SIGNS, FACTS, tmp_path, DAY)
    assert [certificate for certificate, _ in lost(con)] == ["A43", "B42"]


def test_people_without_a_number_are_not_taken_for_each_other(tmp_path: Path) -> None:
    keep_night(a_night([("", None, True)]), tmp_path, FACTS, BEFORE)
    con = a_night([("", None, False)])
    note_visits(con, SIGNS, FACTS, tmp_path, DAY)
    assert lost(con) == []


def test_a_second_run_of_the_day_gives_the_same_answer(tmp_path: Path) -> None:
    keep_night(a_night([("A43", "ida", True)]), tmp_path, FACTS, BEFORE)
    answers = []
    for _ in range(3):
        con = a_night([("A43", "ida", False)])
        answers.append((note_visits(con, SIGNS, FACTS, tmp_path, DAY), lost(con)))
        keep_night(con, tmp_path, FACTS, DAY)
    assert answers[0][1] == [("A43", "在保的低保记录")]
    assert answers == [answers[0]] * 3


def test_without_an_earlier_night_nothing_is_lost_and_it_is_said(tmp_path: Path) -> None:
    con = a_night([("A43", "ida", False)])
    assert note_visits(con, SIGNS, FACTS, tmp_path, DAY).earlier is None
    assert lost(con) == []
    keep_night(a_night([("A43", "ida", True)]), tmp_path, FACTS, DAY)  # of the same date: no earlier one
    assert note_visits(con, SIGNS, FACTS, tmp_path, DAY).earlier is None
    assert lost(con) == []


def test_a_fact_that_was_declared_otherwise_is_left_out_and_named(tmp_path: Path) -> None:
    other = {**FACTS, "低保": FACTS["低保边缘"]}
    keep_night(a_night([("A43", "ida", True)]), tmp_path, other, BEFORE)
    con = a_night([("A43", "ida", False)])
    compared = note_visits(con, SIGNS, FACTS, tmp_path, DAY)
    assert (compared.earlier, compared.left_out) == (BEFORE, ("低保",))
    assert lost(con) == []


@pytest.mark.parametrize("name", ["facts.parquet", "people.parquet"])
def test_an_earlier_night_that_is_damaged_is_none_and_stops_nothing(tmp_path: Path, name: str) -> None:
    keep_night(a_night([("A43", "ida", True)]), tmp_path, FACTS, BEFORE)
    (tmp_path / "night" / name).write_bytes(b"PAR1 and not much else")
    con = a_night([("A43", "ida", False)])
    assert earlier_night(tmp_path, DAY) is not None
    assert note_visits(con, SIGNS, FACTS, tmp_path, DAY).earlier is None
    assert lost(con) == []


def test_without_signs_the_tables_are_there_and_empty(tmp_path: Path) -> None:
    con = a_night([("A43", "ida", False)])
    note_visits(con, None, FACTS, tmp_path, DAY)
    assert visit_rows(con).is_empty()
    assert con.execute("select count(*) from visit_monitored").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"monitored": "监测"}, "E305"),
        ({"monitored": "残疾等级"}, "E310"),
        ({"monitored": "coalesce(监测对象, true)"}, "E304"),
        ({"signs": (SIGNS.signs[1].model_copy(update={"when": "年龄 < 本日"}),)}, "E310"),
        ({"signs": (SIGNS.signs[0].model_copy(update={"lost": ("年龄",)}),)}, "E310"),
        ({"signs": (SIGNS.signs[0].model_copy(update={"lost": ("低宝",)}),)}, "E305"),
        ({"signs": (SIGNS.signs[0].model_copy(update={"lost": ("本日",)}),)}, "E305"),
    ],
)
def test_signs_that_cannot_run_are_refused_before_a_night(keys: dict[str, object], code: str) -> None:
    with pytest.raises(ReconcileError) as caught:
        rehearse_visits(replaced(**keys), FACTS, DAY)
    assert caught.value.problem.code == code
    assert caught.value.problem.cure


def test_the_shipped_signs_and_no_signs_are_rehearsed_without_complaint() -> None:
    rehearse_visits(SIGNS, FACTS, DAY)
    rehearse_visits(None, FACTS, DAY)
