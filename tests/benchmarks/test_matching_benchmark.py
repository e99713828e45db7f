"""The matching benchmark at a small size: its data is what it says, and the script runs to its figures."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import matching_data
import polars as pl
import pytest
from matching_data import LIST, REGISTER, cut_state, make_state, write_splink_input
from stdnum.iso7064 import mod_11_2

from pipeline.contracts.columns import snapshot_columns
from pipeline.contracts.dataset import load_datasets

ROOT = Path(__file__).parents[2]
ROWS, PEOPLE = 20_000, 2000


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    make_state(ROWS, PEOPLE, folder)
    return folder


def snapshot(state: Path, dataset: str) -> pl.DataFrame:
    return pl.read_parquet(sorted((state / "store" / dataset / "all" / "20261031").glob("*.parquet"))).sort(
        "source_row"
    )


def test_the_list_is_as_intake_leaves_it(state: Path) -> None:
    rows = snapshot(state, LIST)
    assert rows.height == ROWS
    assert rows.columns == list(snapshot_columns(load_datasets(ROOT / "schemas")[LIST]))
    assert rows["source_row"].to_list() == list(range(2, ROWS + 2))
    assert rows["dob"].null_count() == rows["sex"].null_count() == 0


def test_two_numbers_in_a_hundred_are_damaged(state: Path) -> None:
    rows, truth = snapshot(state, LIST), pl.read_parquet(state / "truth.parquet")
    assert rows["id"].null_count() / ROWS == pytest.approx(0.02, abs=0.004)
    assert set(rows["id_problem"].drop_nulls()) >= {
        "checksum",
        "missing",
        "length",
        "masked",
        "excel_zeros",
        "scientific",
    }
    assert truth["damage"].is_not_null().mean() == pytest.approx(0.02, abs=0.01)


def test_the_truth_points_at_the_right_rows(state: Path) -> None:
    """A row without damage stands under the ID that its register person's certificate contains."""
    rows, people = snapshot(state, LIST), snapshot(state, REGISTER)
    truth = pl.read_parquet(state / "truth.parquet").join(rows, on="source_row")
    assert people.height == pytest.approx(PEOPLE, rel=0.1)
    assert truth["certificate_number"].is_in(people["cert"].implode()).all()
    sound = truth.filter(pl.col("damage").is_null())
    assert (sound["id"] == sound["certificate_number"].str.head(18)).all()
    # But for children under the number of a head who is on the register.
    nobody = rows.join(truth, on="source_row", how="anti")
    under = nobody.filter(pl.col("id").is_in(people["cert"].str.head(18).implode()))
    assert under.height < 0.001 * ROWS
    assert (under["dob"].dt.year() > 2009).all()


def test_a_province_has_prefectures_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching_data, "_PREFECTURE", 1000)
    make_state(3000, 300, tmp_path)
    rows = snapshot(tmp_path, LIST)
    assert rows.height == 3000
    assert set(rows["area"].str.head(4)) == {"5399", "5398", "5397"}
    sound = rows["id"].drop_nulls()
    assert sound.n_unique() > 0.99 * sound.len()
    assert all(mod_11_2.is_valid(number) for number in sound)
    assert rows["source_row"].to_list() == list(range(2, 3002))


def test_a_part_keeps_its_rows_and_gives_splink_its_columns(state: Path, tmp_path: Path) -> None:
    part = tmp_path / "part"
    cut_state(state, part, 500)
    write_splink_input(part)
    assert snapshot(part, LIST).equals(snapshot(state, LIST).head(500))
    assert pl.read_parquet(part / "truth.parquet")["source_row"].max() <= 501  # type: ignore[operator]
    rows, people = (pl.read_parquet(part / f"splink_{side}.parquet") for side in ("rows", "people"))
    assert (rows.height, people.height) == (500, snapshot(state, REGISTER).height)
    assert rows.columns == people.columns
    assert set(rows["unique_id"]) == {str(row) for row in range(2, 502)}


@pytest.mark.slow
def test_the_script_tells_ratio_memory_and_rightness(state: Path) -> None:
    command = [sys.executable, "benchmarks/matching.py", "--runs", "1", "--keep", str(state)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told = dict(re.findall(r"(precision|recall|due|pairs) ([0-9.]+)", done.stdout))
    assert float(told["precision"]) > 0.99
    assert float(told["recall"]) > 0.97
    assert int(told["due"]) == pl.read_parquet(state / "truth.parquet").height
    assert int(told["pairs"]) > 0
    assert re.search(r"whole_matching / exact_join, cpu: [0-9.]+ \(of 1 runs", done.stdout)
    assert re.search(r"peak of whole_matching: [0-9]+ MB", done.stdout)
