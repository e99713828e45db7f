"""Which pairs the clerk is asked about, and in which order."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import review_table as table
from review_table import DIBAO, PENSION, key, one, usual

from pipeline.contracts.problem import ReconcileError
from pipeline.desk.review_pairs import Shown, doubtful_pairs, known_pairs, shown


def people(pairs: pl.DataFrame) -> list[int]:
    return [int(person, 16) for person in pairs["person_key"]]


def test_only_doubtful_pairs_row_by_row_the_likeliest_candidate_first(tmp_path: Path) -> None:
    pairs = doubtful_pairs(table.write(tmp_path))
    assert people(pairs) == [1, 2, 3, 4, 6, 8]
    assert pairs["pair"].to_list() == [1, 2, 3, 4, 5, 6]
    assert pairs["candidate"].to_list() == [1, 1, 2, 3, 1, 1]
    assert pairs["candidates"].to_list() == [1, 3, 3, 3, 1, 1]
    assert pairs["repeats"].to_list() == [0] * 6


def test_the_order_of_the_table_does_not_matter(tmp_path: Path) -> None:
    straight = doubtful_pairs(table.write(tmp_path / "a"))
    assert doubtful_pairs(table.write(tmp_path / "b", usual()[::-1])).equals(straight)


def test_rows_with_the_same_content_are_asked_once(tmp_path: Path) -> None:
    again = one(40, 1, row_key=key(5)), one(41, 1, row_key=key(5)), one(41, 9, row_key=key(5))
    pairs = doubtful_pairs(table.write(tmp_path, [*usual(), *again]))
    first = pairs.filter(pl.col("row_key") == key(5))
    assert people(first) == [1, 9]
    assert first["source_row"].to_list() == [5, 41]
    assert first["repeats"].to_list() == [2, 2]
    assert first["candidates"].to_list() == [2, 2]


def test_one_list(tmp_path: Path) -> None:
    out = table.write(tmp_path)
    assert people(doubtful_pairs(out, PENSION)) == [8]
    assert known_pairs(out, PENSION)["person_key"].to_list() == [key(8)]
    assert known_pairs(out).height == len(usual())
    assert known_pairs(out).columns == ["dataset", "row_key", "person_key"]


def test_shown() -> None:
    assert shown(table.shown([("姓名", "王芳", None)])) == [Shown("姓名", "王芳", None)]


def refusal(out: Path, dataset: str = "") -> str:
    with pytest.raises(ReconcileError) as caught:
        doubtful_pairs(out, dataset)
    return caught.value.problem.line()


def test_refusals_name_the_cure(tmp_path: Path) -> None:
    assert "E522" in refusal(tmp_path)
    assert "reconcile run" in refusal(tmp_path)
    (tmp_path / "results").mkdir()
    path = tmp_path / "results" / "pairs.parquet"
    path.write_bytes(b"no parquet")
    assert "E522" in refusal(tmp_path)
    pl.DataFrame(usual()).drop("shown", "row_key").write_parquet(path)
    assert "缺少 row_key、shown 列" in refusal(tmp_path)
    table.write(tmp_path)
    unknown = refusal(tmp_path, "civil_affairs/dibo")
    assert "E527" in unknown
    assert DIBAO in unknown


def test_no_doubtful_pair_is_no_fault(tmp_path: Path) -> None:
    assert doubtful_pairs(table.write(tmp_path, [one(1, 1, decision="linked")])).is_empty()
