"""Precision and recall by threshold, calibration, and what to expect where nobody has judged.

Intervals: Wilson (1927), 95 %. Without labels: the expected share of false links is the mean of 1 - p over what is
linked, the expected share of missed ones the p of what is not (T. Enamorado, B. Fifield, K. Imai, "Using a
Probabilistic Model to Assist Merging of Large-Scale Administrative Records", APSR 113 (2019), section 2.3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.desk.tune_labels import Labelled

ALL = ""  # the key of all lists together
THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
BINS = (0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.98, 0.99, 0.999)
_Z = 1.959963985  # 97.5 % point of the normal distribution

Interval = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """What linking from a threshold on would be like, for one list or ALL.

    `linked` counts rows; `right`, `wrong` those of them that are known. `matches`: labelled pairs that are right at any
    probability. The expectations are sums of probabilities. `exact_*` and `due` only with a truth file, else None.
    """

    dataset: str
    threshold: float
    linked: int
    right: int
    wrong: int
    matches: int
    expected_wrong: float
    expected_matches: float  # among all pairs told, linked or not
    exact_right: int | None = None
    exact_wrong: int | None = None
    due: int | None = None

    @property
    def precision(self) -> float | None:
        """Of the links beyond equal numbers whose truth is known."""
        return _share(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float | None:
        """With a truth file: of all rows due, links by number included; with judgements: of the pairs judged to be one
        person (what blocking never brought is in neither).
        """
        if self.due is None or self.exact_right is None:
            return _share(self.right, self.matches)
        return _share(self.right + self.exact_right, self.due)

    @property
    def precision_of_all(self) -> float | None:
        """Links by number included; only with a truth file."""
        if self.exact_right is None or self.exact_wrong is None:
            return None
        right = self.right + self.exact_right
        return _share(right, right + self.wrong + self.exact_wrong)

    @property
    def expected_precision(self) -> float | None:
        return 1 - self.expected_wrong / self.linked if self.linked else None

    @property
    def expected_recall(self) -> float | None:
        """Of the matches among the pairs that were compared."""
        if not self.expected_matches:
            return None
        return (self.linked - self.expected_wrong) / self.expected_matches


def by_threshold(labelled: Labelled, thresholds: Sequence[float]) -> list[Line]:
    """One line a list and threshold, ALL first, then the lists in order."""
    keys = sorted(
        set(labelled.pairs["dataset"]) | set(labelled.due["dataset"] if labelled.due is not None else [])
    )
    return [_line(labelled, key, threshold) for key in [ALL, *keys] for threshold in sorted(thresholds)]


def _line(labelled: Labelled, key: str, threshold: float) -> Line:
    mine = pl.lit(True) if key == ALL else pl.col("dataset") == key
    pairs = labelled.pairs.filter(mine)
    linked = pairs.filter(pl.col("best"), pl.col("score") >= threshold)
    counts = (
        linked.height,
        int(linked["right"].sum()),
        int((~linked["right"]).sum()),
        int(pairs["right"].sum()),
        math.fsum(1 - p for p in linked["score"]),
        math.fsum(pairs["score"]),
    )
    if labelled.exact is None or labelled.due is None:
        return Line(key, threshold, *counts)
    exact, due = labelled.exact.filter(mine)["right"], labelled.due.filter(mine)["due"]
    return Line(key, threshold, *counts, int(exact.sum()), int((~exact).sum()), int(due.sum()))


@dataclass(frozen=True)
class Bin:
    """Pairs whose probability lies in [low, high): how many, what they promise, and how many were right."""

    low: float
    high: float
    pairs: int
    mean: float
    known: int
    right: int

    @property
    def share(self) -> float | None:
        return _share(self.right, self.known)


def calibration(pairs: pl.DataFrame) -> list[Bin]:
    """The bins that hold a pair. `pairs`: scored, with `right`."""
    found = []
    for low, high in zip(BINS, (*BINS[1:], math.inf), strict=True):
        some = pairs.filter(pl.col("score") >= low, pl.col("score") < high)
        if some.height:
            known = some["right"].drop_nulls()
            mean = math.fsum(some["score"]) / some.height
            found.append(Bin(low, min(high, 1.0), some.height, mean, len(known), int(known.sum())))
    return found


def wilson(successes: int, trials: int) -> Interval | None:
    """The 95 % interval of a share (Wilson score, no continuity correction); None of no trials."""
    if not trials:
        return None
    share, z2 = successes / trials, _Z * _Z
    centre = share + z2 / (2 * trials)
    spread = _Z * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    scale = 1 + z2 / trials
    low, high = (centre - spread) / scale, (centre + spread) / scale
    return min(max(low, 0.0), share), max(min(high, 1.0), share)  # the ends, but for rounding, at 0 and at 1


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
