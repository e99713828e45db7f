"""The numbers of `reconcile tune`: labels, precision and recall by threshold, intervals, calibration, blocking keys."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tune_table import FILES, INSURED, PENSION, answers, frame, links, pair

from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.tables import BLOCKING
from pipeline.desk.tune_keys import keys_table
from pipeline.desk.tune_labels import Labelled, by_judgements, by_truth, read_truth
from pipeline.desk.tune_pairs import read_pairs, scored
from pipeline.desk.tune_scores import ALL, Line, by_threshold, calibration, wilson

TRUTH = {
    "dataset": pl.String,
    "source_file": pl.String,
    "source_row": pl.Int64,
    "certificate_number": pl.String,
}


def truth(*lines: tuple[str, int, str]) -> pl.DataFrame:
    return pl.DataFrame([(d, FILES[d], row, c) for d, row, c in lines], schema=TRUTH, orient="row")


def line(labelled: Labelled, dataset: str, threshold: float) -> Line:
    return next(
        x for x in by_threshold(labelled, [threshold]) if (x.dataset, x.threshold) == (dataset, threshold)
    )


# ---- by judgements ----


def test_precision_and_recall_follow_the_threshold() -> None:
    a, b, c, d = (pair(n, f"c{n}", p) for n, p in ((1, 0.999), (2, 0.96), (3, 0.9), (4, 0.3)))
    judged = answers((a, "same"), (b, "different"), (c, "same"), (d, "same"))
    labelled = by_judgements(scored(frame(a, b, c, d)), judged)
    strict, loose = line(labelled, ALL, 0.98), line(labelled, ALL, 0.9)
    assert (strict.linked, strict.right, strict.wrong) == (1, 1, 0)
    assert (strict.precision, strict.recall) == (1.0, pytest.approx(1 / 3))
    assert (loose.linked, loose.right, loose.wrong) == (3, 2, 1)
    assert (loose.precision, loose.recall) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert loose.expected_wrong == pytest.approx(0.001 + 0.04 + 0.1)
    assert loose.expected_matches == pytest.approx(0.999 + 0.96 + 0.9 + 0.3)


def test_who_was_not_sure_says_nothing() -> None:
    a, b = pair(1, "c1", 0.999), pair(2, "c2", 0.999)
    labelled = by_judgements(scored(frame(a, b)), answers((a, "unsure")))
    assert labelled.source == "none"
    assert line(labelled, ALL, 0.9).precision is None
    assert line(labelled, ALL, 0.9).linked == 2


def test_rows_that_say_the_same_count_one_judgement_once() -> None:
    first = pair(1, "c1", 0.99)
    again = pair(2, "c1", 0.99, row_key=first["row_key"])
    found = line(by_judgements(scored(frame(first, again)), answers((first, "same"))), ALL, 0.9)
    assert (found.linked, found.right) == (2, 1)


def test_a_judged_pair_keeps_the_score_of_its_own_weights() -> None:
    same = pair(1, "c1", 0.4, decision="linked", method="reviewed")
    other = pair(2, "c2", 0.7, decision="none", method="reviewed")
    sure = frame(
        {**same, "match_probability": 1.0, "match_weight": 60.0}, {**other, "match_probability": 0.0}
    )
    assert scored(sure)["score"].to_list() == pytest.approx([0.4, 0.7], abs=1e-4)


def test_a_row_is_linked_to_its_most_probable_person_only() -> None:
    labelled = by_judgements(
        scored(frame(pair(1, "c1", 0.55), pair(1, "c2", 0.6), pair(2, "c1", 0.7))), answers()
    )
    assert line(labelled, ALL, 0.5).linked == 2
    assert scored(frame(pair(1, "c1", 0.4), pair(1, "c2", 0.4)))["best"].sum() == 1


# ---- by truth ----


def test_with_a_truth_links_by_number_count_too() -> None:
    pairs = scored(frame(pair(1, "c1", 0.999), pair(2, "c9", 0.999), pair(3, "c3", 0.5, dataset=PENSION)))
    exact = links((INSURED, 4, "c4"), (PENSION, 5, "c5"))
    known = truth(
        *((INSURED, 1, "c1"), (INSURED, 2, ""), (PENSION, 3, "c3")),
        *((INSURED, 4, "c4"), (PENSION, 5, "c6"), (INSURED, 6, "c6"), (INSURED, 7, "")),
    )
    fuzzy = pairs.filter(pl.col("decision") == "linked")
    every = pl.concat([exact, fuzzy.select(exact.columns)])
    labelled = by_truth(pairs, every, known, set(FILES.values()))
    found, pension = line(labelled, ALL, 0.98), line(labelled, PENSION, 0.5)
    assert (found.linked, found.right, found.wrong, found.precision) == (2, 1, 1, 0.5)
    assert (found.exact_right, found.exact_wrong, found.due) == (1, 1, 5)
    assert found.recall == pytest.approx(2 / 5)
    assert found.precision_of_all == pytest.approx(2 / 4)
    assert (pension.right, pension.due, pension.recall) == (1, 2, 0.5)


def test_rows_of_files_that_were_not_used_are_not_due() -> None:
    pairs = scored(frame(pair(1, "c1", 0.999)))
    known = truth((INSURED, 1, "c1"), (PENSION, 2, "c2"))
    labelled = by_truth(pairs, links(), known, {FILES[INSURED]})
    assert line(labelled, ALL, 0.9).due == 1


def test_a_truth_may_be_one_file_or_a_folder(tmp_path: Path) -> None:
    place = f"{INSURED},{FILES[INSURED]}"
    (tmp_path / "one.csv").write_text(
        f"\ufeffdataset,source_file,source_row,certificate_number\n{place},3,c1\n{place},4,\n",
        encoding="utf-8",
    )
    (tmp_path / "rows.csv").write_text(
        f"dataset,source_file,source_row,person,damage\n{place},3,p1,\n{place},4,p2,cut\n", encoding="utf-8"
    )
    (tmp_path / "people.csv").write_text("person,certificate_number\np1,c1\np2,\n", encoding="utf-8")
    expected = truth((INSURED, 3, "c1"), (INSURED, 4, ""))
    assert read_truth(tmp_path / "one.csv").equals(expected)
    assert read_truth(tmp_path).equals(expected)


@pytest.mark.parametrize(
    "text",
    [
        "dataset,source_file,certificate_number\na,b,c\n",
        "dataset,source_file,source_row,certificate_number\na,b,third,c\n",
        "dataset,source_file,source_row,certificate_number\n,b,3,c\n",
    ],
)
def test_a_truth_that_cannot_be_used_is_refused_without_its_values(tmp_path: Path, text: str) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReconcileError) as caught:
        read_truth(path)
    assert caught.value.problem.code == "E537"
    assert "third" not in str(caught.value)


def test_a_truth_in_another_encoding_or_absent_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_bytes("名单,文件\n".encode("gb18030"))
    for each in (path, tmp_path / "none.csv"):
        with pytest.raises(ReconcileError) as caught:
            read_truth(each)
        assert caught.value.problem.code == "E537"


# ---- intervals and calibration ----


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (95, 100, 0.8882, 0.9785), (1, 2, 0.0945, 0.9055)],
)
def test_wilsons_interval_is_the_published_one(right: int, of: int, low: float, high: float) -> None:
    assert wilson(right, of) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
    assert wilson(0, 0) is None


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(derandomize=True, deadline=None)
def test_an_interval_holds_its_share(trial: tuple[int, int]) -> None:
    right, of = trial
    found = wilson(right, of)
    assert found is not None
    assert 0 <= found[0] <= right / of <= found[1] <= 1


def test_calibration_compares_what_is_promised_with_what_came() -> None:
    lines = [pair(n, f"c{n}", 0.9 + n / 1000) for n in range(40)]
    judged = [(x, "same" if n % 4 else "different") for n, x in enumerate(lines)]
    bins = calibration(by_judgements(scored(frame(*lines, pair(99, "c99", 1.0))), answers(*judged)).pairs)
    first, last = bins[0], bins[-1]
    assert (first.low, first.high, first.pairs, first.known, first.right) == (0.9, 0.95, 40, 40, 30)
    assert first.mean == pytest.approx(math.fsum(0.9 + n / 1000 for n in range(40)) / 40)
    assert first.share == 0.75
    assert (last.low, last.high, last.pairs, last.known) == (0.999, 1.0, 1, 0)


# ---- blocking keys ----


def test_keys_are_counted_from_the_pairs_where_the_night_wrote_no_report(tmp_path: Path) -> None:
    wrong = pair(1, "c1", 0.999, keys="name_birth+phone")
    pairs = frame(wrong, pair(2, "c2", 0.99, keys="phone"), pair(3, "c3", 0.5, keys="name_birth"))
    labelled = by_judgements(scored(pairs), answers((wrong, "different")))
    table = keys_table(tmp_path, labelled.pairs)
    found = {row["kind"]: row for row in table.iter_rows(named=True)}
    assert [found["phone"][x] for x in ("pairs", "alone", "linked", "linked_alone", "review", "wrong")] == [
        2,
        1,
        2,
        1,
        0,
        1,
    ]
    assert [found["name_birth"][x] for x in ("pairs", "alone", "linked", "review", "wrong")] == [
        2,
        1,
        1,
        1,
        1,
    ]


def test_the_nights_own_report_of_keys_is_taken(tmp_path: Path) -> None:
    report = pl.DataFrame([(INSURED, "phone", 700, 9, 2, 1, 0, 3, 40)], schema=BLOCKING, orient="row")
    report.write_parquet(tmp_path / "blocking.parquet")
    table = keys_table(tmp_path, by_judgements(scored(frame(pair(1, "c1", 0.99))), answers()).pairs)
    assert table.select(list(BLOCKING)).equals(report)
    assert table["wrong"].to_list() == [0]


def test_a_pairs_table_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    assert read_pairs(path) is None
    pl.DataFrame({"dataset": ["a"]}).write_parquet(path)
    with pytest.raises(ReconcileError) as caught:
        read_pairs(path)
    assert caught.value.problem.code == "E536"
