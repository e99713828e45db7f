"""The kept night: comes back as it was, belongs to its owner, is replaced whole, and refuses what it cannot answer."""

from __future__ import annotations

import json
import os
import stat
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.problem import ReconcileError
from pipeline.entitlement import declared_facts
from pipeline.entitlement.fact import Fact
from pipeline.entitlement.kept_night import (
    check_declared,
    declaration_hash,
    earlier_night,
    keep_night,
    kept_night,
    open_night,
)

ROOT = Path(__file__).parents[2]
FACTS = declared_facts(load_datasets(ROOT / "schemas"))
DAY = date(2026, 10, 31)
KEPT = ("facts.parquet", "facts_sure.parquet", "people.parquet", "covered.parquet", "night.json")


def night(level: int | None = 2) -> duckdb.DuckDBPyConnection:
    """A database as `decide` leaves it: two people, the second one unknown and not matchable."""
    con = duckdb.connect()
    con.execute(f"""
create table facts as select * from (values
  (1, '533401', {level or "null"}, true), (2, '533423', null, null)) as f(person, county_code, "残疾等级", "低保");
create table facts_sure as select * from facts where person = 2;
create table people as select * from (values
  (1, '53990119800101001X41', '53990119800101001X', '王小明', '533401', 'more', date '1980-01-01'),
  (2, '', null, null, '533423', 'more', null)
) as p(person, certificate_number, id_number, name, county_code, address, birth_date);
create table matchable as select 1 as person;
create table covered as select '533401' as county_code, '' as note, true as some__list, '2026-10-31' as some__list__date""")
    return con


def opened(state: Path, *names: str) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    open_night(con, kept_night(state), names)
    return con


def schemas_with(tmp_path: Path, old: str, new: str) -> dict[str, Fact]:
    """The facts of the project's schemas with one place of the dibao list changed."""
    folder = tmp_path / "schemas"
    for path in (ROOT / "schemas").glob("*/*.yaml"):
        copy = folder / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8")
        if path.name == "dibao.yaml":
            assert old in text
            text = text.replace(old, new, 1)
        copy.write_text(text, encoding="utf-8")
    return declared_facts(load_datasets(folder))


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    keep_night(night(), tmp_path, FACTS, DAY)
    kept = kept_night(tmp_path)
    assert kept.as_of == DAY
    assert kept.facts == {name: declaration_hash(FACTS[name]) for name in ("残疾等级", "低保")}
    con = opened(tmp_path, "低保", "残疾等级", "低保")
    assert con.execute('select person, county_code, "残疾等级", "低保" from facts order by 1').fetchall() == [
        (1, "533401", 2, True),
        (2, "533423", None, None),
    ]
    assert con.execute("select person from facts_sure").fetchall() == [(2,)]
    assert con.execute("select person from matchable").fetchall() == [(1,)]
    assert con.execute("select * from covered").fetchall() == [("533401", "", True, "2026-10-31")]
    people = con.execute("select * from people order by person").fetchall()
    assert people == [
        (1, "53990119800101001X41", "53990119800101001X", "王小明", "533401", "more", date(1980, 1, 1), True),
        (2, "", None, None, "533423", "more", None, False),
    ]


def test_only_the_facts_asked_for_are_opened(tmp_path: Path) -> None:
    keep_night(night(), tmp_path, FACTS, DAY)
    columns = [row[0] for row in opened(tmp_path, "低保").execute("describe facts").fetchall()]
    assert columns == ["person", "county_code", "低保"]


def test_only_the_owner_may_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keep_night(night(), tmp_path, FACTS, DAY)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "night").stat().st_mode) == 0o700
    assert sorted(p.name for p in (tmp_path / "night").iterdir()) == sorted(KEPT)
    for path in (tmp_path / "night").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_the_next_night_takes_its_place(tmp_path: Path) -> None:
    (tmp_path / "night.part").mkdir()
    (tmp_path / "night.part" / "half.parquet").write_text("of an interrupted night")
    keep_night(night(2), tmp_path, FACTS, DAY)
    keep_night(night(3), tmp_path, FACTS, date(2026, 11, 30))
    assert kept_night(tmp_path).as_of == date(2026, 11, 30)
    assert opened(tmp_path, "残疾等级").execute('select max("残疾等级") from facts').fetchall() == [(3,)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["night", "night-before"]


def test_a_night_that_cannot_be_kept_leaves_the_last_one(tmp_path: Path) -> None:
    keep_night(night(2), tmp_path, FACTS, DAY)
    broken = night(3)
    broken.execute("drop table covered")
    with pytest.raises(duckdb.Error):
        keep_night(broken, tmp_path, FACTS, date(2026, 11, 30))
    assert kept_night(tmp_path).as_of == DAY
    assert opened(tmp_path, "残疾等级").execute('select max("残疾等级") from facts').fetchall() == [(2,)]


@pytest.mark.parametrize(
    "manifest", [None, "", "[]", "{", '{"format": 2, "as_of": "2026-10-31", "facts": {}}', '{"format": 1}']
)
def test_no_night_is_said_so(tmp_path: Path, manifest: str | None) -> None:
    if manifest is not None:
        (tmp_path / "night").mkdir()
        (tmp_path / "night" / "night.json").write_text(manifest)
    with pytest.raises(ReconcileError, match=r"E550.*reconcile run"):
        kept_night(tmp_path)


@pytest.mark.parametrize("name", ["facts.parquet", "facts_sure.parquet", "people.parquet", "covered.parquet"])
@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_a_missing_or_damaged_file_is_refused(tmp_path: Path, name: str, how: str) -> None:
    keep_night(night(), tmp_path, FACTS, DAY)
    path = tmp_path / "night" / name
    path.unlink()
    if how == "damaged":
        path.write_bytes(b"PAR1 and not much else")
    with pytest.raises(ReconcileError, match="E553"):
        opened(tmp_path, "低保")


def test_a_night_replaced_while_it_is_read_is_refused(tmp_path: Path) -> None:
    keep_night(night(2), tmp_path, FACTS, DAY)
    kept = kept_night(tmp_path)
    keep_night(night(3), tmp_path, FACTS, date(2026, 11, 30))
    with pytest.raises(ReconcileError, match="E553"):
        open_night(duckdb.connect(), kept, ["低保"])


def test_the_same_night_twice_is_the_same_night(tmp_path: Path) -> None:
    keep_night(night(), tmp_path, FACTS, DAY)
    kept = kept_night(tmp_path)
    check_declared(kept, ["低保", "残疾等级"], FACTS)  # no complaint
    assert json.loads(kept.written)["format"] == 1


def test_a_fact_that_was_not_built_is_named(tmp_path: Path) -> None:
    keep_night(night(), tmp_path, FACTS, DAY)
    with pytest.raises(ReconcileError, match=r"E552.*特困供养、在读") as caught:
        check_declared(kept_night(tmp_path), ["低保", "特困供养", "在读", "特困供养"], FACTS)
    assert "reconcile run" in caught.value.problem.cure


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('低保: {of: "any(live)"', "低保: {of: \"any(state = '在保')\""),
        ("live: state = '在保'", "live: state <> '停保'"),
        ('低保: {of: "any(live)"', '低保: {absent: unknown, of: "any(live)"'),
    ],
)
def test_a_fact_declared_otherwise_is_named(tmp_path: Path, old: str, new: str) -> None:
    keep_night(night(), tmp_path, FACTS, DAY)
    changed = schemas_with(tmp_path, old, new)
    check_declared(kept_night(tmp_path), ["残疾等级"], changed)  # not asked for: no complaint
    with pytest.raises(ReconcileError, match=r"E551.*低保"):
        check_declared(kept_night(tmp_path), ["残疾等级", "低保"], changed)


def test_a_fact_that_is_declared_no_more_is_named(tmp_path: Path) -> None:
    keep_night(night(), tmp_path, FACTS, DAY)
    gone = {name: fact for name, fact in FACTS.items() if name != "低保"}
    with pytest.raises(ReconcileError, match=r"E551.*低保"):
        check_declared(kept_night(tmp_path), ["低保"], gone)


def test_how_a_fact_is_told_does_not_matter(tmp_path: Path) -> None:
    keep_night(night(), tmp_path, FACTS, DAY)
    changed = schemas_with(tmp_path, "say: 在保的低保记录", "say: 低保")
    check_declared(kept_night(tmp_path), ["低保"], changed)


def compared(state: Path, as_of: date) -> date | None:
    """With which date a night of this date is compared."""
    night = earlier_night(state, as_of)
    return night and night.as_of


def test_the_first_night_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    assert compared(tmp_path, DAY) is None
    keep_night(night(), tmp_path, FACTS, DAY)
    assert compared(tmp_path, DAY) is None  # nor has its second run: the one that is kept is of the same day
    assert [path.name for path in tmp_path.iterdir()] == ["night"]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([(9, 30), (10, 31)], (9, 30)),
        ([(9, 30), (10, 31), (10, 31)], (9, 30)),  # the same day again: the same answer
        ([(8, 31), (9, 30), (10, 31)], (9, 30)),
        ([(9, 30), (10, 20), (10, 31)], (9, 30)),  # a list came late: still compared with last month
        ([(9, 10), (9, 30), (10, 31)], (9, 30)),  # the last one of last month
        ([(10, 20), (10, 31)], (10, 20)),  # better than nothing
        ([(10, 20), (10, 25), (10, 31)], (10, 20)),  # and the same again as long as the month lasts
        ([(8, 31), (9, 30), (10, 31), (9, 30)], None),  # an old night once more: what was before it is gone
        ([(8, 31), (9, 30), (10, 31), (9, 30), (10, 31)], (9, 30)),
    ],
)
def test_a_night_is_compared_with_the_last_month_however_often_it_runs(
    tmp_path: Path, days: list[tuple[int, int]], expected: tuple[int, int] | None
) -> None:
    for month, day in days[:-1]:
        keep_night(night(), tmp_path, FACTS, date(2026, month, day))
    last = date(2026, *days[-1])
    wanted = expected and date(2026, *expected)
    assert compared(tmp_path, last) == wanted
    keep_night(night(), tmp_path, FACTS, last)
    assert compared(tmp_path, last) == wanted
    assert kept_night(tmp_path).as_of == last


def test_the_night_before_keeps_what_was_known_then_for_its_owner_only(tmp_path: Path) -> None:
    keep_night(night(2), tmp_path, FACTS, date(2026, 9, 30))
    keep_night(night(3), tmp_path, FACTS, DAY)
    before = earlier_night(tmp_path, DAY)
    assert before is not None
    assert before.folder == tmp_path / "night-before"
    con = duckdb.connect()
    open_night(con, before, ["残疾等级"])
    assert con.execute('select max("残疾等级") from facts').fetchall() == [(2,)]
    assert stat.S_IMODE(before.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in before.folder.iterdir()} == {0o600}


def test_a_crash_between_the_renames_loses_no_comparison(tmp_path: Path) -> None:
    keep_night(night(2), tmp_path, FACTS, date(2026, 9, 30))
    (tmp_path / "night").rename(tmp_path / "night-before")  # the new one was not yet in its place
    assert compared(tmp_path, DAY) == date(2026, 9, 30)
    keep_night(night(3), tmp_path, FACTS, DAY)
    assert compared(tmp_path, DAY) == date(2026, 9, 30)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["night", "night-before"]


def test_a_damaged_manifest_is_no_night_to_compare_with(tmp_path: Path) -> None:
    keep_night(night(), tmp_path, FACTS, date(2026, 9, 30))
    (tmp_path / "night" / "night.json").write_text("{")
    assert compared(tmp_path, DAY) is None
