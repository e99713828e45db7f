"""A generated prefecture a month later passes; each of its lists cut, doubled or without a county is held."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.contracts.delivered import Intake, Snapshot
from pipeline.contracts.list_history import ListHistory
from pipeline.contracts.settings import Settings
from pipeline.intake.find import Candidate
from pipeline.intake.history_rows import rows_of
from pipeline.intake.past import Delivered, Past, Verdict
from pipeline.intake.store import write_part
from pipeline.intake.take_in import take_in
from pipeline.sample import make_sample

DATASETS = load_datasets(Path(__file__).parents[2] / "schemas")
OCTOBER, NOVEMBER = date(2026, 10, 31), date(2026, 11, 30)
REGISTER = "federation/register"
Change = Callable[[pl.DataFrame], pl.DataFrame]


class World:
    """October as accepted, and files of November made of it."""

    def __init__(self, root: Path, october: Intake) -> None:
        self._root, self.october, self._written = root, october, 0
        self._settled = self._past()
        register = next(s for s in october.snapshots if s.dataset == REGISTER)
        self._settled.judge(self._delivered(register, lambda rows: rows))

    def judge(self, snapshot: Snapshot, change: Change) -> Verdict:
        """A list of October, changed, comes in November."""
        past = self._past() if snapshot.dataset == REGISTER else self._settled
        return past.judge(self._delivered(snapshot, change))

    def _past(self) -> Past:
        history = ListHistory({one.key: (one,) for one in self.october.accepted})
        return Past(history, self._root / "state", DATASETS, Settings().thresholds)

    def _delivered(self, snapshot: Snapshot, change: Change) -> Delivered:
        self._written += 1
        folder = self._root / f"november-{self._written}"
        folder.mkdir()
        parts = write_part(change(whole(snapshot)), DATASETS[snapshot.dataset], folder)
        candidate = Candidate(snapshot.dataset, snapshot.county, NOVEMBER, snapshot.source_file, folder)
        return Delivered(candidate, f"{self._written}", NOVEMBER, parts)


@pytest.fixture(scope="module", params=[(600, 11), (3000, 12)], ids=["small", "larger"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    people, seed = request.param
    root = tmp_path_factory.mktemp("world")
    make_sample(people, root / "inbox", seed=seed)
    return World(root, take_in(root / "inbox", root / "state", DATASETS, OCTOBER, Settings(), ListHistory()))


def whole(snapshot: Snapshot) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(file) for file in snapshot.files]).sort("sheet", "source_row")


def number(dataset: Dataset) -> str:
    """The column of the row's own number."""
    return (
        dataset.person.id
        or (dataset.household and dataset.household.head_id)
        or f"{dataset.person.certificate}_id"
    )


def a_month_later(dataset: Dataset, seed: int) -> Change:
    """4 % leave, 8 % come (25 % to short lists), 8 % of the sound numbers are damaged; all anywhere in the list."""
    column = number(dataset)

    def change(rows: pl.DataFrame) -> pl.DataFrame:
        if not rows.height:
            return rows
        stay = rows.sample(rows.height - rows.height * 4 // 100, seed=seed).sort("sheet", "source_row")
        come = stay.sample(stay.height * (25 if rows.height < 200 else 8) // 100, seed=seed + 1).with_columns(
            pl.format("9999992000{}", pl.int_range(pl.len()) + 10_000_000).alias(column),
            pl.col("source_row") + 1_000_000,
        )
        both = pl.concat([stay, come])
        spoilt = pl.Series("spoilt", range(both.height)).sample(both.height, seed=seed + 2, shuffle=True)
        return both.with_columns(
            pl.when(spoilt < both.height * 8 // 100).then(None).otherwise(column).alias(column)
        )

    return change


def test_an_ordinary_month_passes(world: World) -> None:
    for snapshot in world.october.snapshots:
        for seed in range(2):
            verdict = world.judge(snapshot, a_month_later(DATASETS[snapshot.dataset], seed))
            assert (snapshot.dataset, verdict.doubt, verdict.held) == (snapshot.dataset, None, {})


def test_an_unchanged_list_passes(world: World) -> None:
    for snapshot in world.october.snapshots:
        verdict = world.judge(snapshot, lambda rows: rows)
        assert (snapshot.dataset, verdict.doubt, verdict.held) == (snapshot.dataset, None, {})


@pytest.mark.parametrize("at_random", [True, False])
def test_every_list_cut_to_a_third_is_held(world: World, at_random: bool) -> None:
    def cut(rows: pl.DataFrame) -> pl.DataFrame:
        left = round(0.3 * rows.height)
        return rows.sample(left, seed=5) if at_random else rows.head(left)

    looked = 0
    for snapshot in (s for s in world.october.snapshots if s.rows >= 5):
        looked += 1
        verdict = world.judge(snapshot, cut)
        assert verdict.doubt or len(verdict.held) > 0, snapshot.dataset
        if snapshot.rows >= 200:
            assert verdict.doubt, snapshot.dataset
    assert looked > 25


def test_every_list_cut_at_its_end_is_held(world: World) -> None:
    """By 5 %, where that is 30 rows: twenty known people must have gone."""
    long = [s for s in world.october.snapshots if s.rows >= 500]
    assert long
    for snapshot in long:
        verdict = world.judge(snapshot, lambda rows: rows.head(rows.height * 95 // 100))
        assert verdict.doubt is not None, snapshot.dataset
        assert verdict.doubt.code == "E253", snapshot.dataset


def test_every_list_twice_in_one_file_is_held(world: World) -> None:
    for snapshot in (s for s in world.october.snapshots if s.rows >= 5):
        verdict = world.judge(snapshot, lambda rows: pl.concat([rows, rows]))
        assert verdict.doubt is not None, snapshot.dataset
        assert verdict.doubt.code == "E255", snapshot.dataset


def test_a_county_taken_out_is_held_there_alone(world: World) -> None:
    register = next(one for one in world.october.accepted if one.dataset == REGISTER)
    homes = rows_of(
        next(s for s in world.october.snapshots if s.dataset == REGISTER).files, DATASETS[REGISTER]
    )
    known = homes.select("number", pl.col("county").alias("home")).drop_nulls().unique("number", keep="first")
    for told in (one for one in world.october.accepted if not one.county):
        snapshot = next(s for s in world.october.snapshots if s.dataset == told.dataset)
        places = rows_of(snapshot.files, DATASETS[told.dataset], known if told is not register else None)
        for code, rows in told.rows_by_county.items():
            if rows < 3:
                continue
            kept = pl.concat([pl.read_parquet(f) for f in snapshot.files]).filter(
                places["county"] != int(code)
            )
            verdict = world.judge(snapshot, lambda _, kept=kept: kept)
            if told is register:
                assert verdict.doubt is not None
            else:
                assert (told.dataset, [*verdict.held], verdict.doubt) == (told.dataset, [code], None)
