"""The measure of rightness, on worlds small enough to be judged by hand."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from score import MADE, below_floor, measure

INSURED, DIBAO, REGISTER = "medical_insurance/insured", "civil_affairs/dibao", "federation/register"


def world(
    folder: Path, outcomes: list[tuple[str, str, str]], links: list[tuple[str, int, str, str]]
) -> dict[str, float]:
    """Two holders A, B and a person without a certificate; A misses x and receives y, B receives x."""
    truth, results = folder / "truth", folder / "results"
    truth.mkdir()
    results.mkdir()
    tables = {
        "people": (
            ["person", "id_number", "certificate_number"],
            [("0", "i", "A"), ("1", "j", "B"), ("2", "k", "")],
        ),
        "entitlements": (
            ["person", "certificate_number", "county_code", "benefit", "answer"],
            [
                ("0", "A", "1", "x", "missing"),
                ("0", "A", "1", "y", "receiving"),
                ("1", "B", "1", "x", "receiving"),
            ],
        ),
        "rows": (
            ["dataset", "source_file", "source_row", "person", "damage"],
            [
                (INSURED, "f", "2", "0", "masked"),
                (INSURED, "f", "3", "1", ""),
                (INSURED, "f", "4", "2", ""),
                (DIBAO, "g", "2", "0", ""),
                (REGISTER, "r", "2", "0", ""),
            ],
        ),
        "findings": (["person", "id_number", "certificate_number", "finding"], [("0", "i", "A", "late")]),
    }
    for name, (columns, lines) in tables.items():
        pl.DataFrame(lines, schema=columns, orient="row").write_csv(truth / f"{name}.csv")
    found = {
        "outcomes": (["certificate_number", "benefit", "outcome"], outcomes),
        "links": (
            ["dataset", "source_file", "source_row", "certificate_number", "decision"],
            [
                (dataset, "f" if dataset == INSURED else "g", row, who, what)
                for dataset, row, who, what in links
            ],
        ),
        "findings": (["certificate_number", "id_number", "finding"], [("A", "i", "late")]),
    }
    for name, (columns, lines) in found.items():
        pl.DataFrame(lines, schema=columns, orient="row").write_parquet(results / f"{name}.parquet")
    return measure(truth, results)


def test_everything_right(tmp_path: Path) -> None:
    told = world(
        tmp_path,
        [("A", "x", "missing"), ("A", "y", "receiving"), ("B", "x", "receiving")],
        [(INSURED, 2, "A", "linked"), (INSURED, 3, "B", "linked"), (DIBAO, 2, "A", "linked")],
    )
    assert (told["f1"], told["needless_verify_share"], told["links_recall"]) == (1.0, 0.0, 1.0)
    assert (told["links_due"], told["four_due"], told["four_recall"], told["four_wrong"]) == (3, 2, 1.0, 0)


def test_what_is_wrong_is_counted_where_it_is_wrong(tmp_path: Path) -> None:
    """A is asked about what he misses; B is flagged though he receives; y is asked about though A receives it."""
    told = world(
        tmp_path,
        [("A", "x", "verify"), ("A", "y", "verify"), ("B", "x", "missing"), ("B", "y", "missing")],
        [(INSURED, 2, "A", "review"), (INSURED, 3, "A", "linked"), (INSURED, 4, "B", "review")],
    )
    assert (told["due"], told["hit"], told["verify_hit"], told["lost"]) == (1, 0, 1, 0)
    assert told["false_flags"] == 2  # B receives x, and y is not due to him
    assert (told["needless_verify"], told["judged"]) == (1, 3)
    assert told["needless_verify_share"] == pytest.approx(1 / 3)
    assert (told["review_right"], told["review_wrong"]) == (1, 1)
    assert (told["links_wrong"], told["links_precision"], told["links_recall"]) == (1, 0.0, 0.0)
    assert (told["four_due"], told["four_wrong"]) == (2, 1)


def test_floors_hold_from_below_and_ceilings_from_above() -> None:
    figures = {"f1": 0.9, "four_wrong": 2, "needless_verify_share": 0.01, "review_right": 5}
    held = {"w": {"f1": 0.9, "four_wrong": 2, "needless_verify_share": 0.01}}
    assert below_floor("w", figures, held) == []
    assert below_floor("another", figures, held) == []
    broken = {"w": {"f1": 0.91, "four_wrong": 1, "needless_verify_share": 0.003, "review_right": 5}}
    assert len(below_floor("w", figures, broken)) == 3


def test_the_generated_worlds_are_of_several_kinds() -> None:
    assert [made.name for made in MADE] == ["sample", "twice", "masked", "elsewhere", "numbers"]
    assert all(5000 <= made.people <= 15_000 for made in MADE)
    assert len({made.seed for made in MADE}) == len(MADE)
