"""A night without a register says what is wrong with the one that came; files in transfer hide nothing; totals."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from deliveries import (
    DIBAO_1,
    REGISTER,
    codes,
    dibao_rows,
    identity,
    put,
    register_rows,
    status,
    table,
    take,
    whole_inbox,
)

from pipeline.contracts.problem import ReconcileError


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    whole_inbox(tmp_path / "inbox")
    return tmp_path / "inbox"


def _refused(inbox: Path) -> ReconcileError:
    with pytest.raises(ReconcileError) as caught:
        take(inbox, inbox.parent / "state")
    assert (caught.value.problem.code, caught.value.exit_code) == ("E210", 1)
    return caught.value


def test_the_problems_of_the_register_come_with_the_refusal(inbox: Path) -> None:
    put(inbox, REGISTER, table(*register_rows()).replace("行政区划代码", "行政区划代码呀"))
    failure = _refused(inbox)
    (other,) = failure.others
    assert (other.code, other.file) == ("E214", REGISTER)
    assert "reconcile alias add federation/register area 行政区划代码呀" in other.cure
    assert "下列" in failure.problem.cure
    assert identity(0) not in other.line()


def test_a_register_with_a_wrong_name_is_said(inbox: Path) -> None:
    (inbox / REGISTER).rename(inbox / "federation/register/名册.csv")
    assert [p.code for p in _refused(inbox).others] == ["E226"]


def test_without_any_register_the_cure_is_to_deliver_one(inbox: Path) -> None:
    (inbox / REGISTER).unlink()
    failure = _refused(inbox)
    assert failure.others == ()
    assert "放入收件夹" in failure.problem.cure


def test_a_newer_file_in_transfer_leaves_the_whole_one(inbox: Path, tmp_path: Path) -> None:
    (inbox / DIBAO_1).rename(inbox / DIBAO_1.replace("1031", "0930"))
    for end in (".part", ".crdownload"):
        put(inbox, DIBAO_1 + end, b"x")
    intake = take(inbox, tmp_path / "state")
    assert status(intake, "civil_affairs/dibao") == "accepted"
    assert codes(intake, DIBAO_1 + ".part") == {"E209"}


def _book(inbox: Path, hidden: bool, header: bool) -> str:
    (inbox / DIBAO_1).unlink()
    book = openpyxl.Workbook()
    first, second = book.active, book.create_sheet("上江乡")
    for row in dibao_rows(0, 8):
        first.append(list(row))
    for row in dibao_rows(8, 1)[0 if header else 1 :]:
        second.append(list(row))
    second.sheet_state = "hidden" if hidden else "visible"
    file = DIBAO_1.replace(".csv", ".xlsx")
    book.save(inbox / file)
    return file


@pytest.mark.parametrize(
    ("hidden", "header", "code"), [(False, False, "E211"), (True, True, "E216"), (True, False, "E216")]
)
def test_nobody_is_lost_on_a_sheet_that_is_not_read(
    inbox: Path, tmp_path: Path, hidden: bool, header: bool, code: str
) -> None:
    file = _book(inbox, hidden, header)
    intake = take(inbox, tmp_path / "state")
    assert status(intake, "civil_affairs/dibao") == "quarantined"
    assert [(p.code, p.sheet) for p in intake.problems if p.file == file] == [(code, "上江乡")]


@pytest.mark.parametrize(("said", "expected"), [("10人", "accepted"), ("11人", "quarantined")])
def test_a_stated_total_that_differs_still_refuses(
    inbox: Path, tmp_path: Path, said: str, expected: str
) -> None:
    put(inbox, DIBAO_1, table(*dibao_rows(0), ("合计", said, "", "")))
    assert status(take(inbox, tmp_path / "state"), "civil_affairs/dibao") == expected
