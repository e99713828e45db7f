"""File names: what is free in them, what is not, and what lies in an inbox that is no delivery."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.settings import CountySetting, Settings
from pipeline.intake.find import county_code, find, newest, newest_date, snapshot_date

FIELD = {"title": "姓名", "type": "name", "headers": ["姓名"]}


def _dataset(key: str, by: str, role: str = "list") -> Dataset:
    raw = {
        "dataset": key,
        "title": "名单",
        "department": "某局",
        "grain": "一行一人",
        "role": role,
        "fields": {"name": FIELD},
    }
    return Dataset.model_validate(raw | {"delivery": {"by": by, "stale_after_days": 62}})


DATASETS = {key: _dataset(key, by) for key, by in (("a/whole", "prefecture"), ("a/parts", "county"))}


def _put(inbox: Path, *files: str) -> None:
    for file in files:
        (inbox / file).parent.mkdir(parents=True, exist_ok=True)
        (inbox / file).write_text("x", encoding="utf-8")


def _codes(inbox: Path, settings: Settings | None = None) -> list[tuple[str, str]]:
    return [(p.code, p.file) for p in find(inbox, DATASETS, settings or Settings())[1]]


@pytest.mark.parametrize(
    "name",
    [
        "名册_20261031.csv",
        "名册20261031.csv",
        "名册_２０２６１０３１.xlsx",
        "名册_20261031(1).csv",
        "名册_20261031（2）.csv",
        "名册_20261031 (1).csv",
        "名册_20261031 - 副本.csv",
        "名册_20261031 - 副本 (2).csv",
        "名册_20261031[1].csv",
        "名册_20261031 - Copy.csv",
        "名册_20261031.xlsx.csv",
        "名册_2026-10-31.csv",
        "539901_县（区）名册 2026年10月31日.xls",
        "20260101起名册_20261031",
    ],
)
def test_the_date_is_found_at_the_end(name: str) -> None:
    assert snapshot_date(name) == date(2026, 10, 31)


@pytest.mark.parametrize(
    "name", ["名册.csv", "名册_20261331.csv", "20261031名册.csv", "名册_120261031.csv", "名册_202610.csv"]
)
def test_no_date_is_guessed(name: str) -> None:
    assert snapshot_date(name) is None


def test_the_code_in_front() -> None:
    assert county_code("539901_示例市名册_20261031.csv") == "539901"
    assert county_code("５３９９０１示例市名册_20261031.csv") == "539901"
    assert county_code("20261031.csv") == county_code("名册539901_20261031.csv") == ""


def test_lists_are_found_by_county_and_for_the_prefecture(tmp_path: Path) -> None:
    _put(
        tmp_path,
        "a/whole/名册[1]_20261031.csv",
        "a/parts/539901_甲_20261031.csv",
        "a/parts/539902乙_20261031.xls",
    )
    _put(tmp_path, "feedback/539901_回复_20261031.xlsx", "a/parts/Thumbs.db")
    candidates, problems = find(tmp_path, DATASETS, Settings())
    assert [(c.dataset, c.county, c.snapshot_date) for c in candidates] == [
        ("a/parts", "539901", date(2026, 10, 31)),
        ("a/parts", "539902", date(2026, 10, 31)),
        ("a/whole", "", date(2026, 10, 31)),
    ]
    assert candidates[2].file == "a/whole/名册[1]_20261031.csv"
    assert problems == []
    assert newest_date(tmp_path, DATASETS, Settings()) == date(2026, 10, 31)


def test_an_abolished_county_code_is_todays(tmp_path: Path) -> None:
    _put(tmp_path, "a/parts/533421_香格里拉县名册_20261031.csv")
    assert [c.county for c in find(tmp_path, DATASETS, Settings())[0]] == ["533401"]


def test_a_county_of_the_settings_is_known(tmp_path: Path) -> None:
    _put(tmp_path, "a/parts/539977_开发区_20261031.csv")
    assert _codes(tmp_path) == [("E223", "a/parts/539977_开发区_20261031.csv")]
    own = Settings(counties={"539977": CountySetting(name="示例开发区")})
    assert [c.county for c in find(tmp_path, DATASETS, own)[0]] == ["539977"]


def test_what_is_no_delivery_is_named(tmp_path: Path) -> None:
    _put(tmp_path, "a/parts/名册_20261031.csv", "a/parts/539901_甲.csv", "a/whole/539901_甲_20261031.csv")
    _put(
        tmp_path, "a/whole/old/名册_20261031.csv", "b/whole/x_20261031.csv", "a/whol/x_20261031.csv", "x.csv"
    )
    _put(tmp_path, "a/whole/~$名册_20261031.xlsx", "a/whole/.~lock.名册_20261031.xlsx#")
    _put(tmp_path, "a/whole/名册_20261031.xlsx.part", "a/whole/未确认 1234.crdownload")
    (tmp_path / "a/whole/链接_20261031.csv").symlink_to(tmp_path / "x.csv")
    assert sorted(_codes(tmp_path)) == [
        ("E208", "a/whole/.~lock.名册_20261031.xlsx#"),
        ("E208", "a/whole/~$名册_20261031.xlsx"),
        ("E209", "a/whole/名册_20261031.xlsx.part"),
        ("E209", "a/whole/未确认 1234.crdownload"),
        ("E220", "a/whole/old"),
        *[("E221", file) for file in ("a/whol", "b", "x.csv")],
        ("E222", "a/parts/名册_20261031.csv"),
        ("E225", "a/whole/539901_甲_20261031.csv"),
        ("E226", "a/parts/539901_甲.csv"),
        ("E230", "a/whole/链接_20261031.csv"),
    ]
    near = [p.why for p in find(tmp_path, DATASETS, Settings())[1] if p.file == "a/whol"]
    assert near == ["最接近的是 a/whole"]


def test_the_newest_not_after_the_day_is_used(tmp_path: Path) -> None:
    _put(tmp_path, *(f"a/whole/名册_2026{md}.csv" for md in ("0831", "0930", "1130")))
    candidates, _ = find(tmp_path, DATASETS, Settings())
    chosen, notes = newest(candidates, date(2026, 10, 31))
    dates = [[c.snapshot_date.month for c in files] for files in chosen["a/whole", ""]]
    assert dates == [[9], [8]]
    assert sorted((p.code, p.severity, p.file[-8:-4]) for p in notes) == [
        ("E227", "note", "0831"),
        ("E227", "note", "1130"),
    ]


def test_an_unfinished_file_does_not_hide_an_older_whole_one(tmp_path: Path) -> None:
    _put(tmp_path, "a/whole/名册_20260930.csv", "a/whole/名册_20261031.csv.part")
    chosen, notes = newest(find(tmp_path, DATASETS, Settings())[0], date(2026, 10, 31))
    assert [[c.file for c in files] for files in chosen["a/whole", ""]] == [["a/whole/名册_20260930.csv"]]
    assert notes == []


def test_the_default_day_is_the_newest_in_the_inbox_but_no_misspelt_year(tmp_path: Path) -> None:
    datasets = {**DATASETS, "a/people": _dataset("a/people", "prefecture", "register")}
    _put(tmp_path, "a/whole/名册_20621031.csv", "a/whole/~$名册_20991231.xlsx", "a/whole/x_20991231.csv.part")
    (tmp_path / "a/whole/旧_20991230").mkdir()
    assert newest_date(tmp_path, datasets, Settings()) == date(2062, 10, 31)
    _put(
        tmp_path, "a/people/名册_20260930.csv", "a/people/名册_20261031.csv", "a/people/~$名册_20991231.xlsx"
    )
    _put(tmp_path, "a/people/名册_20261130.csv.crdownload", "a/people/.~lock.名册_20261231.xlsx#")
    (tmp_path / "a/people/旧_20991231").mkdir()
    assert newest_date(tmp_path, datasets, Settings()) == date(2026, 10, 31)
    _put(tmp_path, "a/whole/名册_20261105.csv")  # a list may come after the register
    assert newest_date(tmp_path, datasets, Settings()) == date(2026, 11, 5)
