"""A filled-in table comes back: sorted, cut down, widened, saved as CSV, half wrong. Nothing is guessed, nothing is lost."""

from __future__ import annotations

import csv
import io
import random
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
import review_table as table
from openpyxl.worksheet.worksheet import Worksheet
from review_table import DIBAO, PENSION, key

from pipeline.contracts.problem import ReconcileError
from pipeline.desk.review_answers import read_answers, understood
from pipeline.desk.review_import import Taken, report, take
from pipeline.desk.review_pairs import doubtful_pairs, known_pairs
from pipeline.desk.review_workbook import ANSWER, PERSON_KEY, ROW_KEY, SHEET, WHO, review_workbook
from pipeline.matching.judgements import Judgement

AT = "2026-11-05T09:30:00+08:00"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return table.write(tmp_path / "out")


@pytest.fixture
def exported(tmp_path: Path, out: Path) -> Path:
    path = tmp_path / "review.xlsx"
    path.write_bytes(review_workbook(doubtful_pairs(out), {}, datetime(2026, 11, 5)))
    return path


def opened(path: Path) -> tuple[openpyxl.Workbook, Worksheet, dict[str, int]]:
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    return book, sheet, {cell.value: cell.column for cell in sheet[1]}


def filled(path: Path, answers: dict[int, object], who: str = "核查人甲") -> Path:
    """Writes answers by the number of the pair (row - 1)."""
    book, sheet, columns = opened(path)
    for number, answer in answers.items():
        sheet.cell(number + 1, columns[ANSWER], answer)
        sheet.cell(number + 1, columns[WHO], who)
    book.save(path)
    return path


def taken(path: Path, out: Path, who: str = "", standing: tuple[Judgement, ...] = ()) -> Taken:
    return take(path, known_pairs(out), {each.pair: each for each in standing}, who, AT)


def answers(result: Taken) -> dict[int, str]:
    return {int(each.person_key, 16): each.answer for each in result.judgements}


def counts(result: Taken) -> tuple[int, int, int]:
    return result.received, len(result.judgements), len(result.returned)


def test_answers_come_back_with_name_time_and_list(exported: Path, out: Path) -> None:
    result = taken(filled(exported, {1: "同一人", 2: "不是", 6: "不确定"}), out)
    assert answers(result) == {1: "same", 2: "different", 8: "unsure"}
    assert result.judgements[0] == Judgement(key(5), key(1), DIBAO, "same", "核查人甲", AT)
    assert result.judgements[2].dataset == PENSION
    assert counts(result) == (3, 3, 0)
    assert result.blank == 3
    assert report(result) == ["收 3，采纳 3，退回 0。另有 3 行没有填判断。"]


def test_sorted_with_rows_deleted_and_columns_added_and_moved(exported: Path, out: Path) -> None:
    filled(exported, {1: "同一人", 3: "不是", 4: "不是", 6: "同一人"})
    book, sheet, _ = opened(exported)
    head, *rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    del rows[2]
    random.Random(7).shuffle(rows)
    order = list(range(len(head)))
    random.Random(8).shuffle(order)
    new = book.create_sheet("改过的", 0)
    new.append(["某县核对结果（请勿外传）"])
    new.append(["备注", *(f" {head[at]} " for at in order), "又一列"])
    for row in rows:
        new.append(["见过本人", *(row[at] for at in order), None])
        new.append([])
    del book[SHEET]
    book.save(exported)
    assert answers(taken(exported, out)) == {1: "same", 4: "different", 8: "same"}


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ","), ("gb18030", ","), ("utf-16", "\t"), ("utf-8", ";")]
)
def test_as_text(exported: Path, out: Path, tmp_path: Path, encoding: str, delimiter: str) -> None:
    filled(exported, {1: "是", 4: 2})
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    for row in opened(exported)[1].iter_rows(values_only=True):
        writer.writerow(["" if cell is None else cell for cell in row])
    path = tmp_path / "review.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    assert answers(taken(path, out)) == {1: "same", 4: "different"}


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        *((words, "same") for words in ("同一人", "是", "同", "一致", "1", "１", " 同一人。", "√", "'1")),
        *((words, "different") for words in ("不是", "否", "不同", "2", "×", "不是同一人")),
        *((words, "unsure") for words in ("不确定", "不清楚", "3", "?", "？")),
        *((words, None) for words in ("", "可能是", "是，不是", "4", "12", "同一人王芳", "同一户")),
    ],
)
def test_words(words: str, answer: str | None) -> None:
    assert understood(words) == answer


def test_numbers_typed_into_the_cells_are_understood(exported: Path, out: Path) -> None:
    assert answers(taken(filled(exported, {1: 1, 2: 2.0, 3: 3}), out)) == {
        1: "same",
        2: "different",
        3: "unsure",
    }


def test_what_is_not_understood_is_returned_with_its_row_and_without_its_words(
    exported: Path, out: Path
) -> None:
    filled(exported, {1: "是王芳的弟弟", 2: "同一人", 3: "不是", 4: "不是", 5: "是", 6: "是"})
    book, sheet, columns = opened(exported)
    sheet.cell(3, columns[ROW_KEY], 1.2e30)
    sheet.cell(4, columns[PERSON_KEY]).value = None
    sheet.cell(5, columns[ROW_KEY], "r" + key(99))
    sheet.cell(6, columns[WHO]).value = None
    book.save(exported)
    result = taken(exported, out)
    assert answers(result) == {8: "same"}
    assert counts(result) == (6, 1, 5)
    assert [(problem.code, problem.row) for problem in result.returned] == [
        ("E525", row) for row in range(2, 7)
    ]
    lines = report(result)
    assert not any("王芳" in line for line in lines)
    assert "review.xlsx [待核对] 第2行" in lines[0]
    assert len({line.split("：退回：")[1] for line in lines[:-1]}) == 4  # both damaged keys say the same
    assert lines[-1] == "收 6，采纳 1，退回 5。"


def test_the_name_given_with_the_command_counts_where_a_row_names_nobody(exported: Path, out: Path) -> None:
    result = taken(filled(exported, {1: "是"}, who=""), out, who="核查人乙")
    assert [each.who for each in result.judgements] == ["核查人乙"]
    assert counts(taken(exported, out)) == (1, 0, 1)


def test_two_answers_for_one_pair_are_both_returned(exported: Path, out: Path) -> None:
    filled(exported, {1: "同一人", 2: "同一人"})
    book, sheet, columns = opened(exported)
    copy = [cell.value for cell in sheet[2]]
    sheet.append([*copy[: columns[ANSWER] - 1], "不是", *copy[columns[ANSWER] :]])
    sheet.append([cell.value for cell in sheet[3]])  # the same answer twice is one
    book.save(exported)
    result = taken(exported, out)
    assert answers(result) == {2: "same"}
    assert [(problem.code, problem.row) for problem in result.returned] == [("E528", 2), ("E528", 8)]
    assert counts(result) == (4, 1, 2)
    assert result.known == 1


def test_what_was_judged_otherwise_is_taken_and_said(exported: Path, out: Path) -> None:
    before = (
        Judgement(key(5), key(1), DIBAO, "different", "核查人乙", AT),
        Judgement(key(9), key(6), DIBAO, "same", "核查人乙", AT),
    )
    result = taken(filled(exported, {1: "同一人", 5: "同一人"}), out, standing=before)
    assert answers(result) == {1: "same"}
    assert result.known == 1
    (note,) = result.notes
    assert (note.code, note.row) == ("E529", 2)
    assert "原来判为“不是”，现在改为“同一人”" in note.what


def test_a_row_that_is_two_people_is_said(exported: Path, out: Path) -> None:
    before = (Judgement(key(7), key(2), DIBAO, "same", "核查人乙", AT),)
    result = taken(filled(exported, {3: "同一人", 4: "不是"}), out, standing=before)
    assert answers(result) == {3: "same", 4: "different"}
    assert [(note.code, note.row) for note in result.notes] == [("E529", 4)]


def test_pairs_that_are_no_longer_doubtful_may_be_answered(exported: Path, tmp_path: Path) -> None:
    linked = [{**row, "decision": "linked"} for row in table.usual()]
    later = table.write(tmp_path / "later", linked)
    assert answers(taken(filled(exported, {1: "不是"}), later)) == {1: "different"}


def test_hidden_sheets_are_not_read(exported: Path, out: Path) -> None:
    book, sheet, _ = opened(filled(exported, {1: "同一人"}))
    sheet.sheet_state = "hidden"
    book.save(exported)
    with pytest.raises(ReconcileError):
        taken(exported, out)


@pytest.mark.parametrize(
    "what", ["missing", "empty", "folder", "rubbish", "zip", "pdf", "csv", "quote", "bytes"]
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "x.xlsx"
    head = f"{ANSWER},{ROW_KEY},{PERSON_KEY}\n".encode()
    contents = {
        "empty": b"", "rubbish": b"\0\1\2", "zip": b"PK\3\4rest", "pdf": b"%PDF-1.7", "csv": b"a,b\n1,2\n",
        "quote": head + b'"' + b"x" * 200_000, "bytes": head + b"\xff\xff\n",
    }  # fmt: skip
    if what == "folder":
        path.mkdir()
    elif what != "missing":
        path.write_bytes(contents[what])
    with pytest.raises(ReconcileError) as caught:
        read_answers(path)
    assert caught.value.problem.code == "E524"
    assert caught.value.problem.file == "x.xlsx"
