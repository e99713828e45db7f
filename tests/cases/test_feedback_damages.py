"""Thousands of damaged returns: no wrong case is changed, and every good row is taken.

LEDGER_FEEDBACK=5000 for the full number (default 200). Every tenth file is a workbook, the others are text.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import feedback_damages as damages
import pytest
from feedback_damages import NUMBER, Returned, Row
from feedback_made import AS_OF, KNOWN, SHANGRILA, write_csv, write_xls
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from pipeline.cases.feedback_answer import Said
from pipeline.cases.feedback_events import feedback_events
from pipeline.cases.feedback_file import read_file
from pipeline.cases.feedback_read import FeedbackRead

FILES = int(os.environ.get("LEDGER_FEEDBACK", "200"))
BATCHES = 10
_TEXT = (("utf-8-sig", ","), ("gb18030", ","), ("utf-16", "\t"), ("utf-8", ","), ("gb18030", "\t"))


def write_workbook(path: Path, file: Returned) -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    for row in file.table():
        page.append(row)
    if file.titles:
        page.merge_cells(f"A1:{get_column_letter(len(file.heads))}1")
    for upper, _ in file.merged:
        top = len(file.titles) + 2 + file.rows.index(upper)
        letter = get_column_letter(file.heads.index(NUMBER) + 1)
        page.merge_cells(f"{letter}{top}:{letter}{top + 1}")
    if file.other_sheets:
        book.create_sheet("填写说明", 0).append(["怎样填", "只填核查结果等列"])
        book.create_sheet("部门比对").append(["疑点编号", "姓名"])
        hidden = book.create_sheet("旧")
        hidden.append(["疑点编号", "核查结果"])
        for row in file.rows:
            hidden.append([row.number, "无法核实"])
        hidden.sheet_state = "hidden"
    book.save(path)


def write(folder: Path, file: Returned, seed: int) -> Path:
    if seed % 10 == 0:
        path = folder / f"{seed}.xlsx"
        write_workbook(path, file)
        return path
    for _, lower in file.merged:  # a spreadsheet saves an empty cell where the merge had covered one
        lower.cells[NUMBER] = ""
    if seed % 50 == 1:
        path = folder / f"{seed}.xls"
        write_xls(path, file.table())
        return path
    path = folder / f"{seed}.csv"
    encoding, delimiter = _TEXT[seed % len(_TEXT)]
    wide = max(map(len, file.table()))
    write_csv(path, [row + [""] * (wide - len(row)) for row in file.table()], encoding, delimiter)
    return path


def judge_merges(file: Returned, seed: int) -> None:
    """In a workbook the upper number stands on both rows; in a text the lower one has none."""
    for upper, lower in file.merged:
        if seed % 10 == 0 and upper.truth(file.heads) != lower.truth(file.heads):
            upper.bad = True
        lower.bad = True


def expected(file: Returned) -> tuple[dict[str, Said], list[Row]]:
    """What must be taken, and the rows that must come back."""
    answered = [(row, truth) for row in file.rows if (truth := row.truth(file.heads))]
    return {row.number: truth for row, truth in answered if not row.bad}, [
        row for row, _ in answered if row.bad
    ]


def one_file(folder: Path, seed: int) -> Counter[str]:
    dice = random.Random(seed)
    file = damages.made(dice)
    chosen = dice.sample(damages.DAMAGES, dice.randint(1, 6))
    for damage in sorted(chosen, key=damages.DAMAGES.index):
        damage(file, dice)
    judge_merges(file, seed)
    good, bad = expected(file)
    path = write(folder, file, seed)
    read = read_file(path, path.name, SHANGRILA, AS_OF)
    path.unlink()
    what = f"seed {seed}: {[damage.__name__ for damage in chosen]}"
    assert {answer.case_number: answer.said for answer in read.answers} == good, what
    assert len(read.returned) == len(bad), what
    events, (receipt,) = (
        feedback_events(FeedbackRead((read,)), KNOWN, AS_OF) if good or bad or read.blank else ([], [None])
    )
    assert {event.case for event in events} == set(good), what
    assert receipt is None or (receipt.adopted, len(receipt.returned)) == (len(good), len(bad)), what
    return Counter({"files": 1, "taken": len(good), "returned": len(bad), **{d.__name__: 1 for d in chosen}})


@pytest.mark.parametrize("batch", range(BATCHES))
def test_no_wrong_case_is_changed_and_every_good_row_is_taken(tmp_path: Path, batch: int) -> None:
    counted: Counter[str] = Counter()
    for seed in range(batch, FILES, BATCHES):
        counted += one_file(tmp_path, seed)
    print(dict(counted))
    assert counted["taken"] > counted["files"]
    assert counted["returned"] > 0
    assert FILES < 1000 or {damage.__name__ for damage in damages.DAMAGES} <= set(counted)
