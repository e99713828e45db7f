"""Answers over several nights of an office that sends no mail: 复核 that is answered, files that stay in the folder, receipts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import feedback_made as made
import pytest
from made_nights import COUNTIES, Made, tonight

from pipeline.cases import Case, Event, Ledger, open_ledger, read_book, record_night
from pipeline.cases.feedback_read import read_feedback
from pipeline.cases.feedback_receipt import Receipt, write_receipts
from pipeline.cases.follow import taken_tonight

OCT, NOV, MID, DEC, JAN = (
    date(2026, 10, 31),
    date(2026, 11, 16),
    date(2026, 11, 23),
    date(2026, 12, 31),
    date(2027, 1, 31),
)
LIVING = "living_subsidy"


@dataclass
class Office:
    """A ledger, an inbox, and one person who seems to miss a benefit."""

    ledger: Ledger
    inbox: Path
    out: Path
    one: Made = field(
        default_factory=lambda: Made(
            "539901196503171234", "53990119650317123443", "甲某", said={LIVING: "missing"}
        )
    )

    def night(self, on: date) -> list[Receipt]:
        """The night's receipts; run again it makes no event and the same files."""
        first = self._once(on)
        written = {path: path.read_bytes() for path in self.out.rglob("*.csv")}
        head = self.ledger.head()
        again = self._once(on)
        assert self.ledger.head() == head
        assert {path: path.read_bytes() for path in self.out.rglob("*.csv")} == written
        assert again == first
        return first

    def _once(self, on: date) -> list[Receipt]:
        book = read_book(self.ledger.events())
        events, receipts = taken_tonight(book, read_feedback(self.inbox, COUNTIES, on), on)
        record_night(self.ledger, tonight(on, [self.one]), events, book)
        write_receipts(receipts, self.out, on)
        return receipts

    @property
    def case(self) -> Case:
        (case,) = read_book(self.ledger.events()).cases.values()
        return case

    def answers(self, name: str, **cells: str) -> Path:
        """A file of the county with one row, as the workbook of an office without mail prints it: always the first sending."""
        path = self.inbox / "539901" / name
        printed = {"下发次数": "1", "核查结果": "不属实", "情况说明": "职工参保"}
        made.write_lines(path, [made.line(self.case.number, **(printed | cells))])
        return path


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_ledger(tmp_path / "state") as ledger:
        yield Office(ledger, tmp_path / "inbox", tmp_path / "out")


def waiting(office: Office) -> None:
    """Answered in October's list, laid to rest; in November the facts are others and the case waits as 复核."""
    office.night(OCT)
    office.answers("十月.csv", 比对月份="2026年10月", 进展="【新增】")
    office.night(OCT)
    assert office.case.suppressed
    office.one.facts = "b"
    office.night(NOV)
    assert (office.case.state, office.case.again, office.case.again_on) == ("open", True, NOV)


def test_the_receipts_of_a_killed_night_are_written_by_the_next_one_of_another_date(office: Office) -> None:
    """Killed behind the ledger's transaction: the county never heard that its answers had come."""
    office.night(OCT)
    office.answers("十月.csv")
    book = read_book(office.ledger.events())
    events, lost = taken_tonight(book, read_feedback(office.inbox, COUNTIES, NOV), NOV, OCT)
    record_night(office.ledger, tonight(NOV, [office.one]), events, book)
    assert len(lost) == 1
    for on, written, many in ((MID, OCT, 1), (MID, OCT, 1), (DEC, MID, 0), (JAN, DEC, 0)):
        book = read_book(office.ledger.events())
        events, receipts = taken_tonight(book, read_feedback(office.inbox, COUNTIES, on), on, written)
        assert [one.counts() for one in receipts] == ["收 1，采纳 1，退回 0"] * many
        record_night(office.ledger, tonight(on, [office.one]), events, book)
    assert office.case.suppressed


@pytest.mark.parametrize(
    "printed",
    [
        {"比对月份": "2026年11月", "进展": "【复核】"},
        {"比对月份": "2026年12月", "进展": "第45天"},
        {"进展": "【复核】"},
        {"进展": "【复核】", "下发次数": ""},
    ],
)
def test_the_same_answer_to_a_review_is_taken_without_mail(office: Office, printed: dict[str, str]) -> None:
    waiting(office)
    office.answers("再报.csv", **printed)
    (receipt,) = office.night(MID)
    assert receipt.counts() == "收 1，采纳 1，退回 0"
    assert (office.case.state, office.case.suppressed, office.case.again) == ("answered", True, False)
    assert office.night(DEC) == []
    assert office.case.suppressed


@pytest.mark.parametrize(
    "printed",
    [{}, {"比对月份": "2026年10月", "进展": "【新增】"}, {"比对月份": "2026年10月", "进展": "【复核】"}],
)
def test_an_answer_from_before_the_review_is_not_taken_and_the_receipt_says_so(
    office: Office, printed: dict[str, str]
) -> None:
    waiting(office)
    office.answers("旧表.csv", **printed, 村="某村")
    (receipt,) = office.night(MID)
    assert receipt.counts() == "收 1，采纳 0，退回 1"
    assert [one.problem.code for one in receipt.returned] == ["E726"]
    assert office.case.again
    assert office.night(DEC) == []


def test_another_answer_to_a_review_is_taken_though_the_old_file_lies_there(office: Office) -> None:
    waiting(office)
    office.answers("再报.csv", 核查结果="属实", 情况说明="", 比对月份="2026年11月", 进展="【复核】")
    (receipt,) = office.night(MID)
    assert receipt.counts() == "收 1，采纳 1，退回 0"
    assert (office.case.answer or {})["result"] == "属实"
    assert office.night(DEC) == []


def test_a_second_review_is_not_answered_by_the_file_of_the_first(office: Office) -> None:
    waiting(office)
    path = office.answers("再报.csv", 比对月份="2026年11月", 进展="【复核】")
    office.night(MID)
    office.one.facts = "c"
    office.night(DEC)
    assert office.case.again
    shutil.copy(path, path.with_name("又一份.csv"))
    made.write_lines(
        path.with_name("另存.csv"),
        [
            made.line(
                office.case.number,
                下发次数="1",
                核查结果="不属实",
                情况说明="职工参保",
                比对月份="2026年11月",
                进展="【复核】",
                村="某村",
            )
        ],
    )
    office.night(JAN)
    assert office.case.again
    office.answers("一月.csv", 比对月份="2026年12月", 进展="【复核】")
    office.night(JAN)
    assert not office.case.again


def test_facts_that_change_on_the_night_of_the_answer_make_one_review(office: Office) -> None:
    waiting(office)
    office.answers("再报.csv", 比对月份="2026年11月", 进展="【复核】")
    office.one.facts = "c"
    (receipt,) = office.night(MID)
    assert receipt.counts() == "收 1，采纳 1，退回 0"
    assert (office.case.again, office.case.again_on) == (True, MID)


def test_an_old_file_has_one_receipt_and_a_changed_one_another(office: Office) -> None:
    office.night(OCT)
    path = office.answers("反馈.csv")
    assert len(office.night(OCT)) == 1
    assert office.night(NOV) == office.night(MID) == []
    path.rename(path.with_name("改名.csv"))
    assert office.night(MID) == []
    office.answers("改名.csv", 核查结果="属实")
    (receipt,) = office.night(DEC)
    assert (receipt.number, receipt.counts()) == (1, "收 1，采纳 1，退回 0")
    assert (office.case.answer or {})["result"] == "属实"
    names = sorted(path.name for path in office.out.rglob("回执_*.csv"))
    assert names == ["回执_2026-10-31_1.csv", "回执_2026-12-31_1.csv"]


def test_the_same_bytes_in_another_countys_folder_are_another_file(office: Office) -> None:
    office.night(OCT)
    path = office.answers("反馈.csv")
    office.night(OCT)
    other = office.inbox / "539902"
    other.mkdir()
    shutil.copy(path, other / "反馈.csv")
    (receipt,) = office.night(NOV)
    assert (receipt.county, receipt.counts()) == ("539902", "收 1，采纳 0，退回 1")


def test_a_file_that_is_judged_otherwise_has_another_receipt(office: Office) -> None:
    """Two files that contradict each other come back; when one is taken away the other is taken, and the county is told."""
    office.night(OCT)
    office.answers("一.csv", 核查结果="属实")
    other = office.answers("二.csv")
    assert [receipt.counts() for receipt in office.night(OCT)] == ["收 1，采纳 0，退回 1"] * 2
    assert office.night(NOV) == []
    other.unlink()
    (receipt,) = office.night(MID)
    assert receipt.counts() == "收 1，采纳 1，退回 0"
    assert office.night(DEC) == []


def test_a_broken_file_is_told_once_and_again_when_it_is_another(office: Office) -> None:
    office.night(OCT)
    path = office.inbox / "539901" / "坏.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    assert len(office.night(NOV)) == 1
    assert office.night(MID) == []
    path.write_bytes(b"\x00\x01\x02")
    assert len(office.night(DEC)) == 1


def test_a_reason_in_the_place_of_the_result_is_no_answer_about_somebody_who_receives(office: Office) -> None:
    """Of a payment that is not due 死亡 says that the finding is right: nobody can tell what was meant."""
    office.one.said = {LIVING: "receiving_not_due"}
    office.night(OCT)
    office.answers("反馈.csv", 核查结果="死亡", 情况说明="")
    (receipt,) = office.night(NOV)
    assert [one.problem.code for one in receipt.returned] == ["E722"]
    assert not office.case.suppressed
    office.answers("反馈.csv", 核查结果="不属实", 情况说明="死亡")
    office.night(MID)
    assert office.case.suppressed


@pytest.mark.parametrize(
    "cells",
    [
        {"核查结果": "不符合", "情况说明": ""},
        {"核查结果": "已死亡", "情况说明": ""},
        {"情况说明": "", "处理措施": "不符合条件"},
        {"情况说明": "不符合低保条件"},
        {"情况说明": "家里有商品房和小车"},
        {"情况说明": "特困人员，集中供养"},
    ],
)
def test_every_way_to_give_a_reason_rests_the_case_until_the_facts_change(
    office: Office, cells: dict[str, str]
) -> None:
    office.night(OCT)
    office.answers("反馈.csv", **cells)
    office.night(OCT)
    assert office.case.suppressed
    office.one.facts = "b"
    office.night(NOV)
    assert (office.case.suppressed, office.case.again) == (False, True)


@pytest.mark.parametrize("why", ["", "并非死亡", "在外县领取补贴", "已享受"])
def test_what_is_no_reason_rests_nothing(office: Office, why: str) -> None:
    office.night(OCT)
    office.answers("反馈.csv", 情况说明=why)
    office.night(OCT)
    assert (office.case.state, office.case.suppressed) == ("answered", False)


@pytest.mark.parametrize("back", [False, True])
def test_an_old_file_that_is_understood_better_rests_only_a_case_that_stands_on_it(
    office: Office, back: bool
) -> None:
    """An earlier program made no reason of a sentence; the file still lies there."""
    office.night(OCT)
    path = office.answers("反馈.csv", 情况说明="家里有商品房")
    number = office.case.number
    body = {"result": "不属实", "reason": None, "measure": None, "note": "家里有商品房", "done_on": None}
    body |= {"checked_by": None, "checked_on": None, "source": "539901/反馈.csv", "sheet": "", "row": 2}
    with office.ledger.transaction():
        office.ledger.append([Event(OCT, "answered", number, body)])
    kept = path.rename(path.with_suffix(".away"))
    if back:
        for on, said in ((NOV, "receiving"), (MID, "missing")):
            office.one.said = {LIVING: said}
            office.night(on)
        assert office.case.state == "open"
    kept.rename(path)
    office.night(DEC)
    assert office.case.suppressed is not back
