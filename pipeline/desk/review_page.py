"""What the review page asks and gets, without HTTP: the doubtful pairs, one of them, an answer, an undo.

Everything the page shows is put into words here; the browser only draws. Answers are read from the disk every time, so
that two reviewers, or an import meanwhile, see each other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import isnan
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.desk.review_diff import sides
from pipeline.desk.review_pairs import WEIGHED, Shown, shown
from pipeline.desk.review_words import PRIOR, county_words, field_words, probability_words
from pipeline.matching import judgements
from pipeline.matching.judgements import ANSWERS, Judgement, Pair, is_name
from pipeline.reports.methods import key_words, level_words, method_words

Reply = tuple[int, dict[str, Any]]  # HTTP status, JSON
_WHO = "请先填核查人姓名（40个字以内）"


@dataclass(frozen=True)
class Review:
    """A session: `pairs` as `doubtful_pairs` gives them, titles of lists by key, where judgements go, whose clock."""

    pairs: pl.DataFrame
    titles: Mapping[str, str]
    state: Path
    clock: Callable[[], datetime]  # must give the offset from UTC
    who: str = ""  # known beforehand: then the page does not ask
    one_at_a_time: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def now(self) -> str:
        return self.clock().isoformat(timespec="seconds")


def index(review: Review) -> Reply:
    """All pairs in brief, the filters' choices, and the answers so far."""
    brief = review.pairs.select(
        n="pair",
        list="dataset",
        county=pl.col("county_code").fill_null(""),
        row=pl.col("row_key").rank("dense"),  # pairs with the same number are candidates of one row
        candidate="candidate",
        of="candidates",
    )
    return 200, {
        "who": review.who,
        "pairs": brief.to_dicts(),
        "lists": [[key, review.titles.get(key, key)] for key in brief["list"].unique(maintain_order=True)],
        "counties": [[code, county_words(code)] for code in brief["county"].unique().sort()],
        "answers": _answers(review),
    }


def pair(review: Review, number: int) -> Reply:
    """Everything about one pair, differences marked."""
    if not 1 <= number <= review.pairs.height:
        return 404, {"problem": "没有这一对"}
    row = review.pairs.row(number - 1, named=True)
    return 200, {
        "n": number,
        "list": review.titles.get(row["dataset"], row["dataset"]),
        "file": row["source_file"],
        "sheet": row["sheet"] or "",
        "row": row["source_row"],
        "repeats": row["repeats"],
        "county": county_words(row["county_code"]),
        "method": method_words(row["method"] or ""),
        "keys": key_words(row["keys"] or ""),
        "probability": probability_words(row["match_probability"]),
        "alone": _alone(row["match_weight"], row["match_probability"]),
        "weights": _weights(row),
        "total": _bits(row["match_weight"]),
        "shown": [_compared(item) for item in shown(row["shown"])],
    }


def answer(review: Review, body: Mapping[str, Any]) -> Reply:
    """Stores an answer: `pair`, `answer`, `who`, and `before`, the answer that the page shows now.

    409 where another one is in force: whoever changes it must have seen it.
    """
    number, said, who = body.get("pair"), body.get("answer"), body.get("who")
    if not isinstance(who, str) or not is_name(who):
        return 400, {"problem": _WHO}
    if type(number) is not int or not 1 <= number <= review.pairs.height or said not in ANSWERS:
        return 400, {"problem": "没有这一对，或没有这种判断"}
    row = review.pairs.row(number - 1, named=True)
    judgement = Judgement(row["row_key"], row["person_key"], row["dataset"], said, who, review.now())
    with review.one_at_a_time:
        standing = judgements.read(review.state).in_force().get(judgement.pair)
        if (standing.answer if standing else None) != body.get("before"):
            return 409, {"problem": "这一对刚才另有判断，请看过再答", "answers": _answers(review)}
        judgements.record(review.state, [judgement])
    return 200, {"n": number, "answer": _brief(judgement)}


def undo(review: Review, body: Mapping[str, Any]) -> Reply:
    """Withdraws the latest answer of `who` about a pair of the page; `n` is its number, null if there is none."""
    who = body.get("who")
    if not isinstance(who, str) or not is_name(who):
        return 400, {"problem": _WHO}
    numbers = _numbers(review)
    with review.one_at_a_time:
        undone = judgements.undo(review.state, who, review.now(), numbers.keys())
    number = numbers[undone.pair] if undone else None
    return 200, {"n": number, "answers": _answers(review)}


def _numbers(review: Review) -> dict[Pair, int]:
    keys = review.pairs.select("row_key", "person_key", "pair")
    return {(row, person): number for row, person, number in keys.iter_rows()}


def _answers(review: Review) -> dict[int, dict[str, str]]:
    """The answers in force by the pair's number."""
    numbers = _numbers(review)
    standing = judgements.read(review.state).in_force().values()
    return {numbers[each.pair]: _brief(each) for each in standing if each.pair in numbers}


def _brief(judgement: Judgement) -> dict[str, str]:
    return {"answer": judgement.answer, "who": judgement.who, "at": judgement.at[:16].replace("T", " ")}


def _weights(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps from nothing to the total, in bits; what the fields leave unexplained is a step of its own."""
    steps: list[dict[str, Any]] = [{"field": PRIOR[0], "level": PRIOR[1], "bits": _bits(row["prior_weight"])}]
    for name in WEIGHED:
        level = level_words(name, row[name] or "unknown")
        steps.append({"field": field_words(name), "level": level, "bits": _bits(row[f"{name}_weight"])})
    rest = _bits(row["match_weight"]) - sum(step["bits"] for step in steps)
    if abs(rest) >= 0.01:
        steps.append({"field": "其他", "level": "", "bits": round(rest, 4)})
    return steps


def _alone(weight: float | None, probability: float) -> str:
    """How likely the pair is by its weight only; `probability` also knows its rivals, and is said again where they change little."""
    alone = 1 / (1 + 2 ** -_bits(weight))
    return probability_words(probability if abs(alone - probability) < 0.01 else alone)


def _bits(weight: float | None) -> float:
    """A weight that can be drawn: JSON has no infinity, and beyond a hundred bits nothing is left to doubt."""
    return 0.0 if weight is None or isnan(weight) else max(-100.0, min(100.0, weight))


def _compared(item: Shown) -> dict[str, Any]:
    """A line of the comparison: pieces of both sides (null: not said), and whether they are the same (null: unknown)."""
    row, register = sides(item.row, item.register)
    same = item.row == item.register if row and register else None
    return {"label": item.label, "row": row, "register": register, "same": same}
