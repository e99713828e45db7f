"""What is kept of a night: whole or not at all, nobody named, the same night replaced, old ones gone."""

from __future__ import annotations

import dataclasses
import json
import stat
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from pipeline.cases import JudgedNight, PersonKey
from pipeline.cases.night_archive import FOLDER, archive_night, archived, read_archived
from pipeline.contracts.delivered import Intake, Snapshot
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.tables import COVERAGE

NIGHT = date(2026, 10, 31)
KEY = PersonKey(b"k" * 32)
ONE, TWO, THREE = "539901196503170011", "539901197001010022", "539901198001010033"
PEOPLE = [
    (1, f"{ONE}41", ONE, "539901"),
    (2, f"{TWO}42", TWO, "539902"),
    (3, f"{THREE}43", THREE, "539901"),
    (4, f"{THREE}21", THREE, "539901"),  # a second certificate under the same number
    (5, f"{ONE}42", ONE, "539901"),  # superseded: nobody judges it
]
ANSWERS = [
    (1, "nursing_subsidy", "missing", 69),
    (2, "nursing_subsidy", "receiving", 70),
    (3, "dibao", "verify", 1),
]
OTHERS = [
    (3, f"{THREE}43", THREE, "539901", "register_id_duplicate"),
    (3, f"{THREE}43", THREE, "539901", "register_id_duplicate"),  # told twice, for two reasons
    (None, None, "539902199001010044", "539902", "certificate_not_issued"),
]
SECRETS = (ONE, TWO, THREE, "539902199001010044", ONE[:17])


def judged(as_of: date = NIGHT, people: list[tuple[Any, ...]] = PEOPLE) -> JudgedNight:
    con = duckdb.connect()
    con.execute(
        "create table people (person bigint, certificate_number varchar, id_number varchar, county_code varchar)"
    )
    con.executemany("insert into people values (?, ?, ?, ?)", people)
    con.execute("create table facts as select person from people where person <> 5")
    con.execute("create table answer_lines (person bigint, code varchar, outcome varchar, bits bigint)")
    con.executemany("insert into answer_lines values (?, ?, ?, ?)", ANSWERS)
    con.execute(
        "create table other_findings (person bigint, certificate_number varchar, id_number varchar, county_code varchar, finding varchar)"
    )
    con.executemany("insert into other_findings values (?, ?, ?, ?, ?)", OTHERS)
    coverage = pl.DataFrame(
        [
            ("a/register", "539901", "accepted", NIGHT, 4, ""),
            ("b/list", "539901", "missing", None, 0, "未到"),
        ],
        schema=COVERAGE,
        orient="row",
    )
    return JudgedNight(con, (), {}, coverage, {"539901": "示例市", "539902": "东川示例县"}, as_of)


def delivered(sha: str = "f" * 64) -> Intake:
    snapshot = Snapshot("a/register", "", NIGHT, 4, Path("x"), "x", sha)
    return Intake(NIGHT, (snapshot,), (), (), ())


def archive(state: Path, as_of: date = NIGHT, **other: Any) -> Path:
    return archive_night(state, KEY, judged(as_of, **other), delivered(), {"reconcile": "1"})


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    archive(tmp_path)
    night = read_archived(tmp_path, NIGHT)
    told = night.answers.join(night.people, on="who")
    rows = told.select("county_code", "subject", "outcome", "mark", "register").rows()
    assert sorted(rows) == [
        ("539901", "dibao", "verify", "1", True),
        ("539901", "nursing_subsidy", "missing", "69", True),
        ("539901", "register_id_duplicate", "found", "", True),
        ("539902", "certificate_not_issued", "found", "", False),
        ("539902", "nursing_subsidy", "receiving", "70", True),
    ]
    assert night.people.height == 5  # four who are judged, one outside
    assert night.people["key"].n_unique() == 5
    assert night.people["key"].is_sorted()
    assert night.coverage.select("dataset", "status", "mark").rows() == [
        ("a/register", "accepted", "f" * 16), ("b/list", "missing", ""),
    ]  # fmt: skip
    assert night.versions == {"reconcile": "1"}
    assert night.counties["539902"] == "东川示例县"
    assert night.subjects["register_id_damaged"].title == "持证名册中身份证号有误"


def test_a_person_keeps_the_key_with_another_certificate_and_another_row(tmp_path: Path) -> None:
    archive(tmp_path)
    again = [(9, f"{ONE}43", ONE, "539902"), *PEOPLE[1:4]]
    archive(tmp_path, date(2026, 11, 30), people=again)
    before, after = (read_archived(tmp_path, on).people for on in (NIGHT, date(2026, 11, 30)))
    both = before.join(after, on="key")
    assert both.height == 5
    moved = both.filter(pl.col("county_code") != pl.col("county_code_right"))
    assert moved.select("county_code", "county_code_right").rows() == [("539901", "539902")]


def test_the_ledger_s_person_is_kept_and_a_night_kept_without_it_is_read(tmp_path: Path) -> None:
    place = archive_night(tmp_path, KEY, judged(), delivered(), {}, {1: 12, 3: 5})
    people = read_archived(tmp_path, NIGHT).people
    assert sorted(people["case_person"].drop_nulls()) == [5, 12]
    people.drop("case_person").write_parquet(place / "people.parquet")
    assert read_archived(tmp_path, NIGHT).people["case_person"].null_count() == people.height


def test_nobody_is_named_in_it_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    place = archive(tmp_path)
    assert stat.S_IMODE(place.stat().st_mode) == stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    for path in place.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        told = path.read_text() if path.suffix == ".json" else str(pl.read_parquet(path).rows())
        assert not any(secret in told for secret in SECRETS)
    other = archive_night(tmp_path / "other", PersonKey(b"o" * 32), judged(), delivered(), {})
    keys = [set(read_archived(folder.parents[1], NIGHT).people["key"]) for folder in (place, other)]
    assert not keys[0] & keys[1]


def test_the_same_night_again_replaces_it_with_the_same_bytes(tmp_path: Path) -> None:
    place = archive(tmp_path)
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    assert archive(tmp_path) == place
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
    archive(tmp_path, people=PEOPLE[:3])
    assert read_archived(tmp_path, NIGHT).people.height == 4
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["2026-10-31"]


@pytest.mark.parametrize("left", ["part", "old", "both"])
def test_what_a_killed_run_left_behind_harms_nothing(tmp_path: Path, left: str) -> None:
    place = archive(tmp_path)
    part, old = (place.with_name(f".{place.name}.{end}") for end in ("part", "old"))
    if left in ("part", "both"):
        part.mkdir()
        (part / "people.parquet").write_bytes(b"half")
    if left in ("old", "both"):
        place.rename(old)  # killed between the two renames
    assert archived(tmp_path) == ([NIGHT] if left == "part" else [])
    archive(tmp_path)
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["2026-10-31"]
    assert read_archived(tmp_path, NIGHT).people.height == 5


def test_a_night_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    archive(tmp_path)
    broken = judged()
    broken.con.execute("drop table answer_lines")
    with pytest.raises(duckdb.Error):
        archive_night(tmp_path, KEY, broken, delivered(), {})
    assert read_archived(tmp_path, NIGHT).people.height == 5


def test_thirteen_months_are_kept(tmp_path: Path) -> None:
    for on in (date(2025, 9, 29), date(2025, 9, 30), date(2026, 1, 31), NIGHT):
        archive(tmp_path, on)
    assert archived(tmp_path) == [date(2025, 9, 30), date(2026, 1, 31), NIGHT]
    archive(tmp_path, date(2027, 3, 31))  # 13 months back is 28 February
    assert archived(tmp_path) == [NIGHT, date(2027, 3, 31)]


def test_a_night_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ReconcileError) as none:
        read_archived(tmp_path, NIGHT)
    assert none.value.problem.code == "E740"
    assert "还没有保存过" in none.value.problem.why
    archive(tmp_path)
    with pytest.raises(ReconcileError) as other:
        read_archived(tmp_path, date(2026, 11, 30))
    assert other.value.problem.code == "E740"
    assert "2026-10-31" in other.value.problem.why


@pytest.mark.parametrize("name", ["people.parquet", "answers.parquet", "coverage.parquet", "night.json"])
@pytest.mark.parametrize("how", ["gone", "torn", "other format"])
def test_a_damaged_night_says_so(tmp_path: Path, name: str, how: str) -> None:
    path = archive(tmp_path) / name
    if how == "gone":
        path.unlink()
    elif how == "torn":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        manifest = path.with_name("night.json")
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 99}))
    with pytest.raises(ReconcileError) as refused:
        read_archived(tmp_path, NIGHT)
    assert refused.value.problem.code == "E741"


def test_a_full_disk_is_said_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder should be")
    with pytest.raises(ReconcileError) as refused:
        archive(tmp_path)
    assert refused.value.problem.code == "E705"


def test_the_connection_is_left_as_it_was(tmp_path: Path) -> None:
    night = judged()
    before = night.con.execute("select table_name from duckdb_tables() order by 1").fetchall()
    archive_night(tmp_path, KEY, dataclasses.replace(night), delivered(), {})
    assert night.con.execute("select table_name from duckdb_tables() order by 1").fetchall() == before
