"""The purge: two years of a state in which everything that may go goes by its class, and nothing else, twice over."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cases import open_ledger
from pipeline.cases.event import Event
from pipeline.contracts.mail_settings import Retention
from pipeline.private_process import scratch
from pipeline.retention import needed_snapshots, purge, purge_temporary, settled_letters

AS_OF = date(2026, 11, 20)
MONTHS = [date(year, month, 28) for year in (2024, 2025, 2026) for month in range(1, 13)]
DELIVERED = [day for day in MONTHS if date(2024, 10, 1) < day < AS_OF]  # 25 months
LISTS = (("federation/register", "all"), ("finance/payments", "all"), ("civil_affairs/dibao", "533423"))


def sha_of(dataset: str, day: date) -> str:
    return hashlib.sha256(f"{dataset}{day}".encode()).hexdigest()


def put(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def put_snapshot(state: Path, dataset: str, county: str, day: date, sha: str, name: str = "") -> Path:
    place = state / "store" / dataset / county / (name or f"{day:%Y%m%d}")
    put(place / "settled-00000.parquet", "rows")
    put(place / "manifest.json", json.dumps({"sha256": sha, "rows": 1, "parts": 1, "source_file": "x"}))
    return place


def accepted(dataset: str, county: str, day: date, on: date, **more: object) -> Event:
    body = {
        "dataset": dataset,
        "county": "" if county == "all" else county,
        "snapshot_date": day.isoformat(),
        "sha256": sha_of(dataset, day),
        "rows": 1,
        "rows_by_county": {"533401": 1, "533423": 1} if county == "all" else {},
        "damaged": 0,
        "vanished": -1,
        "held": {},
    }
    return Event(on, "accepted", None, {**body, **more})  # type: ignore[arg-type]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two years of everything that the program writes."""
    state, out = tmp_path / "state", tmp_path / "out"
    for day in DELIVERED:
        for dataset, county in LISTS:
            put_snapshot(state, dataset, county, day, sha_of(dataset, day))
        put(state / "nights" / day.isoformat() / "people.parquet")
        put(state / "backup" / f"ledger-{day.isoformat()}-00000100.sqlite")
        put(state / "mail" / f"p{day:%y%m}-533423-1.eml")
        put(state / "log" / f"{day:%Y-%m}.jsonl")
        put(out / "receipts" / "533423" / f"回执_{day.isoformat()}_1.csv")
    for year in range(2021, 2027):
        put(state / "access" / f"{year}.jsonl")
    put(out / "run.json", json.dumps({"as_of": AS_OF.isoformat()}))
    put(out / "quarantine.csv")
    return state, out


def left(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() or path.is_symlink()
    }


def done(name: str) -> date | None:
    """The letters of 533423 were settled a day after their month's 28th."""
    return date(2000 + int(name[1:3]), int(name[3:5]), 28) + timedelta(days=1)


def test_each_class_by_its_own_age(folders: tuple[Path, Path]) -> None:
    state, out = folders
    report = purge(state, out, Retention(), AS_OF, done_on=done)
    cut = AS_OF - timedelta(days=400)
    kept = [day for day in DELIVERED if day >= cut]
    for dataset, county in LISTS:
        there = sorted(path.name for path in (state / "store" / dataset / county).iterdir())
        assert there == [f"{day:%Y%m%d}" for day in kept]
    assert sorted(path.name for path in (state / "nights").iterdir()) == [day.isoformat() for day in kept]
    assert len(list((state / "backup").iterdir())) == 3  # two are young enough, three are always kept
    assert [path.name for path in (state / "mail").iterdir()] == ["p2610-533423-1.eml"]
    assert min(path.name for path in (state / "log").iterdir()) == "2025-10.jsonl"
    assert min(path.name for path in (state / "access").iterdir()) == "2023.jsonl"
    assert [path.name for path in (out / "receipts" / "533423").iterdir()] == ["回执_2026-10-28_1.csv"]
    assert (out / "quarantine.csv").is_file()
    snapshots = len(LISTS) * (len(DELIVERED) - len(kept))
    assert report.classes["snapshots"].files == 2 * snapshots
    assert report.classes["snapshots"].bytes > 2 * snapshots
    assert report.classes["mail"].files == len(DELIVERED) - 1
    assert report.problems == ()
    assert any("名单快照" in line for line in report.lines())


def test_twice_is_once(folders: tuple[Path, Path]) -> None:
    state, out = folders
    purge(state, out, Retention(), AS_OF, done_on=done)
    before = left(state), left(out)
    again = purge(state, out, Retention(), AS_OF, done_on=done)
    assert again.files == 0
    assert again.counts() == {}
    assert again.lines() == ["没有到期的内容，什么也没有删除"]
    assert (left(state), left(out)) == before


def test_file_times_do_not_matter(folders: tuple[Path, Path]) -> None:
    state, out = folders
    for path in state.rglob("*"):
        os.utime(path, (0, 0))
    purge(state, out, Retention(), date(2024, 11, 1))
    assert len(list((state / "store" / LISTS[0][0] / "all").iterdir())) == len(DELIVERED)


def test_letters_whose_fate_is_open_stay(folders: tuple[Path, Path]) -> None:
    state, out = folders
    put(state / "mail" / "note.txt")
    purge(state, out, Retention(), AS_OF)
    assert len(list((state / "mail").iterdir())) == len(DELIVERED) + 1


def test_zero_days_mean_for_ever(folders: tuple[Path, Path]) -> None:
    state, out = folders
    before = left(state), left(out)
    for_ever = Retention(snapshots=0, quarantine=0, nights=0, mail=0, backups=0)
    assert purge(state, out, for_ever, AS_OF, done_on=done).classes["snapshots"].files == 0
    gone = before[0] - left(state)
    assert gone
    assert all(name.startswith(("log", "access")) for name in gone)
    assert left(out) == before[1]


def test_the_last_accepted_of_every_list_stays_however_old(tmp_path: Path) -> None:
    state, out = tmp_path / "state", tmp_path / "out"
    old = [date(2021, month, 28) for month in (1, 2, 3)]
    for day in old:
        put_snapshot(state, "health/deaths", "all", day, sha_of("health/deaths", day))
    put(state / "nights" / "2021-03-28" / "people.parquet")
    purge(state, out, Retention(), AS_OF)
    assert sorted(path.name for path in (state / "store/health/deaths/all").iterdir()) == [
        "20210228",
        "20210328",
    ]
    assert (state / "nights" / "2021-03-28").is_dir()


def test_what_the_history_compares_with_stays(tmp_path: Path) -> None:
    """A county that was held for two years is compared with the file that was last accepted for it, also where that
    snapshot was replaced by another of the same date."""
    state, out = tmp_path / "state", tmp_path / "out"
    dataset, first = "finance/payments", date(2024, 10, 28)
    days = [first, *[day for day in DELIVERED if day > first]]
    aside = put_snapshot(
        state, dataset, "all", first, sha_of(dataset, first), f"{first:%Y%m%d}-{sha_of(dataset, first)}"
    )
    put_snapshot(state, dataset, "all", first, "0" * 64)
    for day in days[1:]:
        put_snapshot(state, dataset, "all", day, sha_of(dataset, day))
    with open_ledger(state) as ledger:
        with ledger.transaction():
            ledger.append([accepted(dataset, "all", first, first)])
            ledger.append([accepted(dataset, "all", d, d, held={"533423": "行数太少"}) for d in days[1:]])
        needed = needed_snapshots(ledger, AS_OF)
    assert (dataset, "", first, sha_of(dataset, first)) in needed
    purge(state, out, Retention(), AS_OF, needed)
    names = {path.name for path in (state / "store" / dataset / "all").iterdir()}
    assert aside.name in names
    assert f"{first:%Y%m%d}" not in names  # the one that replaced it was compared with by nobody
    assert f"{days[1]:%Y%m%d}" not in names


def test_a_night_that_is_run_again_finds_what_it_compared_with(tmp_path: Path) -> None:
    """Accepted tonight: yesterday's is still needed, for tonight may be run again."""
    state = tmp_path / "state"
    dataset, before = "finance/payments", date(2024, 1, 28)
    with open_ledger(state) as ledger:
        with ledger.transaction():
            ledger.append([accepted(dataset, "all", before, before), accepted(dataset, "all", AS_OF, AS_OF)])
        needed = needed_snapshots(ledger, AS_OF)
    assert {one[2] for one in needed} == {before, AS_OF}


def test_only_our_names_and_no_links(folders: tuple[Path, Path], tmp_path: Path) -> None:
    state, out = folders
    elsewhere = tmp_path / "elsewhere"
    precious = put(elsewhere / "20200101" / "settled-00000.parquet")
    place = state / "store" / LISTS[0][0] / "all"
    (place / "20200101").symlink_to(elsewhere / "20200101")
    (state / "store" / "justice").symlink_to(elsewhere)
    (state / "nights" / "2020-01-01").symlink_to(elsewhere)
    (state / "mail" / "old.eml").symlink_to(precious)
    (state / "backup" / "ledger-2020-01-01-00000001.sqlite").symlink_to(precious)
    (state / "log" / "2020-01.jsonl").symlink_to(precious)
    others = [
        put(place / "20200101.bak" / "x"),
        put(place / "20209999" / "x"),
        put(place / "2020-01-01" / "x"),
        put(state / "nights" / "2020-01-01-mine" / "x"),
        put(state / "log" / "notes 2020-01.jsonl"),
        put(state / "backup" / "ledger-2020-01-01.sqlite"),
        put(state / "ledger" / "ledger.sqlite"),
        put(state / "key" / "person.key"),
        put(state / "witness" / "ledger-head.json"),
        put(state / "journal" / "mail.jsonl"),
        put(state / "mail" / "Übersicht.eml"),
        put(out / "receipts" / "533423" / "回执_2020.csv"),
        put(out / "receipts" / "533423 old" / "回执_2020-01-01_1.csv"),
    ]
    links = [path for path in (*state.rglob("*"), *out.rglob("*")) if path.is_symlink()]
    purge(state, out, Retention(), AS_OF, done_on=lambda name: date(2020, 1, 1))
    purge_temporary(state, out)
    assert precious.read_text() == "x"
    assert all(path.is_file() for path in others)
    assert all(path.is_symlink() for path in links)


def test_a_state_folder_that_is_a_link_is_purged(folders: tuple[Path, Path], tmp_path: Path) -> None:
    state, out = folders
    (tmp_path / "named").symlink_to(state)
    put(state / "spill" / "duckdb_temp_storage-0.tmp")
    assert purge(tmp_path / "named", out, Retention(), AS_OF).classes["snapshots"].files
    assert purge_temporary(tmp_path / "named", out).files == 1


def test_a_quarantine_that_no_night_replaces_goes(folders: tuple[Path, Path]) -> None:
    state, out = folders
    purge(state, out, Retention(), AS_OF + timedelta(days=31))
    assert not (out / "quarantine.csv").exists()
    assert (out / "run.json").is_file()


def test_what_killed_runs_left_goes(tmp_path: Path) -> None:
    state, out = tmp_path / "state", tmp_path / "out"
    gone = [
        put(state / "spill" / "duckdb_temp_storage-0.tmp"),
        put(state / "intake" / "tmpabc" / "00001" / "open-00000.parquet"),
        put(state / "tmp" / "xlsx" / "sheet1.xml"),
        put(state / "night.part" / "facts.parquet"),
        put(state / "night.old" / "facts.parquet"),
        put(state / "plan-abc123" / "duckdb_temp_storage-0.tmp"),
        put(state / "explain-x_1" / "duckdb_temp_storage-0.tmp"),
        put(state / ".heartbeat.json.new"),
        put(state / "nights" / ".2026-10-31.part" / "people.parquet"),
        put(state / "mail" / ".2026p1-533423-ab.eml.new"),
        put(state / "store" / "finance" / "payments" / "all" / "20261031" / ".tmp-open-00000.parquet.part"),
        put(state / "night" / ".tmp-people.parquet.part"),
        put(state / "night-before" / ".tmp-facts.parquet.part"),
        put(state / "nights" / "2026-10-31" / ".tmp-answers.parquet.part"),
        put(out / "results" / ".tmp-links.parquet.part"),
        put(out / "results" / "links.part"),
        put(out / "reports" / "533423" / ".tmp-k2j3" / "book.xlsx"),
    ]
    kept = [
        put(state / "night" / "facts.parquet"),
        put(state / "mail" / "2026p1-533423-ab.eml"),
        put(state / "store" / "finance" / "payments" / "all" / "20261031" / "open-00000.parquet"),
        put(state / "nights" / ".2026-10-31.old" / "people.parquet"),  # the archive puts it back
        put(state / "nights" / "2026-10-31" / "people.parquet"),
        put(out / "results" / "links.parquet"),
        put(out / "reports" / "533423" / "discrepancies.xlsx"),
        put(out / "reports" / "mine" / ".tmp-x" / "y"),
    ]
    report = purge_temporary(state, out)
    assert not any(path.exists() for path in gone)
    assert all(path.is_file() for path in kept)
    assert report.files == len(gone)
    assert purge_temporary(state, out).files == 0


def test_a_command_that_lives_keeps_its_folder(tmp_path: Path) -> None:
    with scratch(tmp_path, "plan-") as folder:
        put(Path(folder) / "duckdb_temp_storage-0.tmp")
        assert purge_temporary(tmp_path, tmp_path / "out").files == 0
        assert Path(folder).is_dir()
    assert not Path(folder).exists()


def test_nothing_there_is_nothing_to_do(tmp_path: Path) -> None:
    assert purge(tmp_path / "no", tmp_path / "nor", Retention(), AS_OF).files == 0
    assert purge_temporary(tmp_path / "no", tmp_path / "nor").files == 0


@settings(deadline=None, max_examples=50)  # files are written
@given(
    days=st.lists(st.dates(date(2020, 1, 1), date(2030, 1, 1)), min_size=1, max_size=30, unique=True),
    as_of=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    keep=st.integers(min_value=1, max_value=1000),
)
def test_no_young_snapshot_goes_and_the_newest_never(
    tmp_path_factory: pytest.TempPathFactory, days: list[date], as_of: date, keep: int
) -> None:
    state = tmp_path_factory.mktemp("state")
    for day in days:
        put_snapshot(state, "finance/payments", "all", day, sha_of("", day))
    purge(state, state / "out", Retention(snapshots=keep), as_of)
    there = {path.name for path in (state / "store/finance/payments/all").iterdir()}
    young = {f"{day:%Y%m%d}" for day in days if day >= as_of - timedelta(days=keep)}
    newest = {f"{day:%Y%m%d}" for day in sorted(days)[-2:]}
    assert there == young | newest


def test_a_letter_that_no_ledger_knows_goes_by_its_age_on_the_disk(tmp_path: Path) -> None:
    old, young = (put(tmp_path / "state/mail" / f"2026p1-533423-{n}.eml") for n in "ab")
    for path, day in ((old, date(2026, 3, 1)), (young, date(2026, 11, 1))):
        noon = datetime.combine(day, time(12), tzinfo=UTC).timestamp()
        os.utime(path, (noon, noon))
    with open_ledger(tmp_path / "state") as ledger:
        purge(tmp_path / "state", tmp_path / "out", Retention(), AS_OF, done_on=settled_letters(ledger))
    assert (old.exists(), young.exists()) == (False, True)
