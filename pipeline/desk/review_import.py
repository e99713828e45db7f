"""Takes a filled-in file back: what is understood is to be stored, what is not is said with its row; nothing is guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.contracts.problem import Problem
from pipeline.desk.review_answers import Line, key, read_answers, understood
from pipeline.desk.review_words import ANSWER_WORDS
from pipeline.desk.review_workbook import ANSWER, PERSON_LETTER, ROW_KEY, ROW_LETTER, WHO
from pipeline.matching.judgements import SAME, Judgement, Pair, is_name


@dataclass(frozen=True)
class Taken:
    """What a file brought: rows with an answer (`received`) are new `judgements`, `known` already, or `returned`."""

    received: int
    blank: int
    known: int  # the same as the answer in force, or as another row of the file
    judgements: tuple[Judgement, ...]
    returned: tuple[Problem, ...]  # E525, E528
    notes: tuple[Problem, ...]  # E529: taken, and worth a look


_Refusal = tuple[str, str, str, str, str]  # code, column, what, why, cure
_WORDS = "、".join(ANSWER_WORDS.values())
_UNKNOWN_WORDS = ("E525", ANSWER, "看不懂这个判断", "不在认识的写法里", f"改成 {_WORDS} 之一后再收")
_NO_KEYS = ("E525", ROW_KEY, "认不出是哪一对", "标识列是空的或被改动过", "从导出的原表把最后两列抄回来后再收")
_NO_PAIR = (
    *("E525", ROW_KEY, "现在的比对结果里没有这一对", "名册或持证名册的内容已经变了，或收错了输出文件夹"),
    "重新导出后再核",
)
_NOBODY = ("E525", WHO, "不知道是谁核的", "没有写姓名，或写得太长", f"在“{WHO}”列写姓名，或用 --who 写明")
_CONFLICT = ("E528", ANSWER, "同一对在文件里有两种判断", "不知道以哪一行为准", "留下对的一行后再收")


def take(path: Path, known: pl.DataFrame, standing: Mapping[Pair, Judgement], who: str, at: str) -> Taken:
    """Reads the file against the pairs there are (`known_pairs`) and the answers in force. Stores nothing.

    `who` counts where a row names nobody; `at` is the time of all. Raises ReconcileError E524.
    """
    lines = read_answers(path)
    answered = [line for line in lines if line.answer]
    datasets = _datasets(known, answered)
    read = [_judged(line, datasets, who, at) for line in answered]
    said = {(j.pair, j.answer) for j in read if isinstance(j, Judgement)}
    answers = Counter(pair for pair, _ in said)
    returned: list[Problem] = []
    fresh: dict[Pair, tuple[Line, Judgement]] = {}
    for line, judged in zip(answered, read, strict=True):
        if not isinstance(judged, Judgement):
            returned.append(_returned(path, line, judged))
        elif answers[judged.pair] > 1:
            returned.append(_returned(path, line, _CONFLICT))
        elif judged.pair not in standing or standing[judged.pair].answer != judged.answer:
            fresh.setdefault(judged.pair, (line, judged))
    return Taken(
        received=len(answered),
        blank=len(lines) - len(answered),
        known=len(answered) - len(returned) - len(fresh),
        judgements=tuple(judgement for _, judgement in fresh.values()),
        returned=tuple(returned),
        notes=(*_changed(path, fresh, standing), *_two_people(path, fresh, standing)),
    )


def report(taken: Taken) -> list[str]:
    """What is said on the screen: every row returned or worth a look, and the counts."""
    more = [
        f"{count} 行{words}"
        for count, words in ((taken.known, "与已有判断（或文件里另一行）相同"), (taken.blank, "没有填判断"))
        if count
    ]
    counts = f"收 {taken.received}，采纳 {len(taken.judgements)}，退回 {len(taken.returned)}。"
    lines = [problem.line() for problem in (*taken.notes, *taken.returned)]
    return [*lines, counts + (f"另有 {'，'.join(more)}。" if more else "")]


def _datasets(known: pl.DataFrame, lines: Sequence[Line]) -> dict[Pair, str]:
    """The list of each pair that the file names and the comparison knows."""
    named = [(key(line.row_key, ROW_LETTER), key(line.person_key, PERSON_LETTER)) for line in lines]
    frame = pl.DataFrame(named, {"row_key": pl.String, "person_key": pl.String}, orient="row")
    found = known.join(frame, on=["row_key", "person_key"], how="semi")
    return {(row, person): dataset for dataset, row, person in found.iter_rows()}


def _judged(line: Line, datasets: Mapping[Pair, str], who: str, at: str) -> Judgement | _Refusal:
    row_key, person_key = key(line.row_key, ROW_LETTER), key(line.person_key, PERSON_LETTER)
    answer, name = understood(line.answer), line.who or who
    if answer is None:
        return _UNKNOWN_WORDS
    if not row_key or not person_key:
        return _NO_KEYS
    if (row_key, person_key) not in datasets:
        return _NO_PAIR
    if not is_name(name):
        return _NOBODY
    return Judgement(row_key, person_key, datasets[row_key, person_key], answer, name, at)


def _changed(
    path: Path, fresh: Mapping[Pair, tuple[Line, Judgement]], standing: Mapping[Pair, Judgement]
) -> Iterator[Problem]:
    for pair, (line, judgement) in fresh.items():
        if pair in standing:
            before, now = ANSWER_WORDS[standing[pair].answer], ANSWER_WORDS[judgement.answer]
            what = f"原来判为“{before}”，现在改为“{now}”"
            yield _noted(path, line, what, "后来的判断为准，原来的也留着", "改错了的，在核对页上改回来")


def _two_people(
    path: Path, fresh: Mapping[Pair, tuple[Line, Judgement]], standing: Mapping[Pair, Judgement]
) -> Iterator[Problem]:
    after = {pair: judgement.answer for pair, judgement in standing.items()}
    after |= {pair: judgement.answer for pair, (_, judgement) in fresh.items()}
    people = Counter(row for (row, _), answer in after.items() if answer == SAME)
    for (row, _), (line, judgement) in fresh.items():
        if judgement.answer == SAME and people[row] > 1:
            what = "名册的这一行判给了两个人"
            yield _noted(path, line, what, "一行最多是一个人", "在核对页上把不是的那位改为“不是”")


def _returned(path: Path, line: Line, refusal: _Refusal) -> Problem:
    code, column, what, why, cure = refusal
    return Problem(
        code, "error", f"退回：{what}", why, cure, path.name, sheet=line.sheet, row=line.row, column=column
    )


def _noted(path: Path, line: Line, what: str, why: str, cure: str) -> Problem:
    return Problem("E529", "warning", what, why, cure, path.name, sheet=line.sheet, row=line.row)
