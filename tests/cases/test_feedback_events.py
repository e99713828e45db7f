"""From answers to events and receipts: what is new, known, foreign, overtaken; and what the county is told."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import feedback_made as made
import pytest
from feedback_made import AS_OF, DEQIN, KNOWN, NUMBERS, OTHERS, SHANGRILA, line

from pipeline.cases import Event
from pipeline.cases.feedback_events import KnownCase, feedback_events
from pipeline.cases.feedback_receipt import Receipt, write_receipts


def events_of(folder: Path, known: dict[str, KnownCase] = KNOWN) -> tuple[list[Event], list[Receipt]]:
    return feedback_events(made.read_folder(folder), known, AS_OF)


def put(path: Path, *answers: tuple[str, str, str]) -> None:
    """A returned file: case number, result, day of checking."""
    made.write_lines(path, [line(number, 核查结果=result, 核查日期=day) for number, result, day in answers])


def results(events: list[Event]) -> dict[str | None, object]:
    return {event.case: event.body["result"] for event in events}


def remembered(events: list[Event]) -> dict[str, KnownCase]:
    """The ledger after these events."""
    return KNOWN | {e.case: replace(KNOWN[e.case], answered=e.body) for e in events if e.case}


def told(receipt: Receipt) -> list[tuple[str, int]]:
    return [(one.problem.code, one.problem.row) for one in (*receipt.returned, *receipt.idle)]


def test_an_event_says_everything_and_where_it_stood(tmp_path: Path) -> None:
    made.write_lines(
        tmp_path / f"香格里拉市/反馈{made.ID}.csv",
        [
            line(
                NUMBERS[0],
                核查结果="不是",
                情况说明="死了",
                处理措施="停发",
                核查人="李四",
                核查日期="2026.11.5",
            )
        ],
    )
    (event,), (receipt,) = events_of(tmp_path)
    assert (event.on, event.kind, event.case) == (AS_OF, "answered", NUMBERS[0])
    assert event.body == {
        "result": "不属实",
        "reason": "死亡",
        "measure": "停发",
        "note": None,
        "done_on": None,
        "checked_by": "李四",
        "checked_on": "2026-11-05",
        "source": "香格里拉市/反馈533421********0013.csv",
        "sheet": "",
        "row": 2,
    }
    assert event.text()
    assert (receipt.county, receipt.number, receipt.counts()) == (SHANGRILA, 1, "收 1，采纳 1，退回 0")


def test_the_same_file_again_sorted_anew_and_renamed_changes_nothing(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", (NUMBERS[0], "属实", "2026-11-05"), (NUMBERS[1], "否", ""))
    first, _ = events_of(tmp_path)
    put(tmp_path / "a.csv", (NUMBERS[1], "不属实", ""), (NUMBERS[0], "是", "46331"))
    (tmp_path / "a.csv").rename(tmp_path / "b.csv")
    again, (receipt,) = events_of(tmp_path, remembered(first))
    assert len(first) == 2
    assert again == []
    assert receipt.counts() == "收 2，采纳 2，退回 0"


def test_a_changed_answer_is_news(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", (NUMBERS[0], "属实", ""))
    first, _ = events_of(tmp_path)
    put(tmp_path / "a.csv", (NUMBERS[0], "不属实", ""))
    second, _ = events_of(tmp_path, remembered(first))
    assert results(second) == {NUMBERS[0]: "不属实"}


@pytest.mark.parametrize(
    ("printed", "news"), [("2", True), ("1", False), ("3", False), ("", False), ("二", False)]
)
def test_the_same_words_to_a_later_asking_are_an_answer(tmp_path: Path, printed: str, news: bool) -> None:
    """复核: the facts have changed, the case went out again, and the county finds the same. An old file lies there, too."""
    made.write_lines(tmp_path / "a.csv", [line(NUMBERS[0], 核查结果="不属实", 情况说明="死亡", 下发次数="1")])
    first, _ = events_of(tmp_path)
    known = remembered(first)
    known[NUMBERS[0]] = replace(known[NUMBERS[0]], sent=2, sent_when_answered=1)
    made.write_lines(
        tmp_path / "b.csv", [line(NUMBERS[0], 核查结果="不属实", 情况说明="死亡", 下发次数=printed)]
    )
    again, _ = events_of(tmp_path, known)
    assert [event.body["source"] for event in again] == (["b.csv"] if news else [])


def test_of_two_undated_files_the_answer_to_the_later_asking_counts(tmp_path: Path) -> None:
    made.write_lines(tmp_path / "a.csv", [line(NUMBERS[0], 核查结果="不属实", 下发次数="2")])
    made.write_lines(tmp_path / "b.csv", [line(NUMBERS[0], 核查结果="属实", 下发次数="1")])
    events, _ = events_of(tmp_path)
    assert results(events) == {NUMBERS[0]: "不属实"}


def test_unknown_numbers_and_other_counties_come_back(tmp_path: Path) -> None:
    strange = made.case_number.make("XGLL", date(2026, 12, 1), 1)
    put(tmp_path / "德钦县/a.csv", (OTHERS[0], "属实", ""), (NUMBERS[0], "属实", ""), (strange, "属实", ""))
    put(tmp_path / "b.csv", (OTHERS[1], "属实", ""), (NUMBERS[1], "属实", ""))
    events, (of_all, of_deqin) = events_of(tmp_path)
    assert set(results(events)) == {OTHERS[0], OTHERS[1], NUMBERS[1]}
    assert told(of_deqin) == [("E728", 3), ("E727", 4)]
    assert of_deqin.counts() == "收 3，采纳 1，退回 2"
    assert (of_deqin.county, of_all.county) == (DEQIN, "000000")


def test_a_case_of_a_countys_old_code_is_its_own(tmp_path: Path) -> None:
    put(tmp_path / "533401/a.csv", (NUMBERS[0], "属实", ""))
    events, _ = events_of(tmp_path, {NUMBERS[0]: KnownCase("533421")})
    assert len(events) == 1


@pytest.mark.parametrize(
    ("one", "two", "wins"),
    [
        (("a.csv", "2026-11-05"), ("b.csv", "2026-11-06"), "b.csv"),
        (("a_20261130.csv", "2026-11-05"), ("b_20261101.csv", "2026-11-06"), "b_20261101.csv"),
        (("a_20261120.csv", ""), ("b_20261110.csv", ""), "a_20261120.csv"),
        (("a_20261110.csv", "2026-11-05"), ("b_20261120.csv", "2026-11-05"), "b_20261120.csv"),
        (("a_20261110.csv", "2026-11-09"), ("b_20261120.csv", ""), "b_20261120.csv"),
        (("a.csv", ""), ("b.csv", ""), None),
        (("a.csv", "2026-11-05"), ("b.csv", "2026-11-05"), None),
        (("a.csv", "2026-11-05"), ("b.csv", ""), None),
        (("a_20261120.csv", ""), ("b.csv", ""), None),
    ],
)
def test_of_two_files_the_later_counts_if_that_is_certain(
    tmp_path: Path, one: tuple[str, str], two: tuple[str, str], wins: str | None
) -> None:
    put(tmp_path / one[0], (NUMBERS[0], "属实", one[1]))
    put(tmp_path / two[0], (NUMBERS[0], "不属实", two[1]))
    events, receipts = events_of(tmp_path)
    assert [event.body["source"] for event in events] == ([wins] if wins else [])
    assert sum(receipt.adopted for receipt in receipts) == len(events)
    assert sum(len(receipt.returned) for receipt in receipts) == (0 if wins else 2)
    assert sum(len(receipt.idle) for receipt in receipts) == (1 if wins else 0)


def test_two_files_that_say_the_same_are_both_adopted(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        put(tmp_path / name, (NUMBERS[0], "属实", ""))
    events, receipts = events_of(tmp_path)
    assert [event.body["source"] for event in events] == ["a.csv"]
    assert [receipt.counts() for receipt in receipts] == ["收 1，采纳 1，退回 0"] * 2


def test_a_file_of_another_county_does_not_overtake_the_own_one(tmp_path: Path) -> None:
    put(tmp_path / "香格里拉市/a.csv", (NUMBERS[0], "属实", "2026-11-05"))
    put(tmp_path / "德钦县/b.csv", (NUMBERS[0], "不属实", "2026-11-20"))
    events, _ = events_of(tmp_path)
    assert results(events) == {NUMBERS[0]: "属实"}


def test_an_older_answer_that_comes_later_is_not_recorded(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", (NUMBERS[0], "属实", "2026-11-20"), (NUMBERS[1], "属实", "2026-11-20"))
    first, _ = events_of(tmp_path)
    put(tmp_path / "a.csv", (NUMBERS[0], "不属实", "2026-11-05"), (NUMBERS[1], "不属实", "2026-11-21"))
    second, (receipt,) = events_of(tmp_path, remembered(first))
    assert results(second) == {NUMBERS[1]: "不属实"}
    assert told(receipt) == [("E726", 2)]
    assert receipt.counts() == "收 2，采纳 1，退回 0；不必再记 1 行"


def test_the_order_of_files_and_rows_does_not_matter(tmp_path: Path) -> None:
    rows = [(number, "属实", "") for number in NUMBERS[:8]]
    put(tmp_path / "1/a.csv", *rows)
    put(tmp_path / "2/a.csv", *reversed(rows))
    straight, turned = events_of(tmp_path / "1")[0], events_of(tmp_path / "2")[0]
    assert [event.case for event in straight] == [event.case for event in turned] == sorted(NUMBERS[:8])


def test_receipts_as_the_county_opens_them(tmp_path: Path) -> None:
    inbox, out = tmp_path / "in", tmp_path / "out"
    put(
        inbox / "533401/=1+1.csv",
        *((n, "属实", "") for n in NUMBERS[:36]),
        ("@XGLL-2611-0001-2", "属实", ""),
        (made.ID, "是", ""),
    )
    (inbox / "533401/空.csv").write_bytes(b"")
    (inbox / "533401/~$a.csv").write_bytes(b"x")
    stale = out / "receipts/533401" / "回执_2026-11-30_9.csv"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"x")
    _, receipts = events_of(inbox)
    written = write_receipts(receipts, out, AS_OF)
    assert not stale.exists()
    assert [path.relative_to(out).as_posix() for path in written] == [
        f"receipts/533401/回执_2026-11-30_{n}.csv" for n in (1, 2)
    ]
    assert receipts[0].line() == "反馈 533401/=1+1.csv：收 38，采纳 36，退回 2"
    assert receipts[1].line() == "反馈 533401/空.csv：E206 文件是空的；收 0，采纳 0，退回 0"
    raw = written[0].read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\n") == raw.count(b"\r\n") == 4
    assert made.ID.encode() not in raw
    head, total, *back = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
    assert head == ["文件", "工作表", "行", "疑点编号", "列", "处理", "原因", "办法"]
    assert total[5] == "收 38，采纳 36，退回 2"
    assert [(row[2], row[3], row[5]) for row in back] == [("38", "", "退回"), ("39", "", "退回")]
    assert all("E721" in row[6] and row[7] for row in back)
    assert not any(cell.startswith(("=", "@", "+", "-")) for row in (total, *back) for cell in row)
    assert write_receipts(receipts, out, AS_OF)[0].read_bytes() == raw


def test_a_formula_in_a_file_name_is_text(tmp_path: Path) -> None:
    put(tmp_path / "in/=1+1.csv", (NUMBERS[0], "基本属实", ""))
    _, receipts = events_of(tmp_path / "in")
    (path,) = write_receipts(receipts, tmp_path, AS_OF)
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    assert [row[0] for row in rows[1:]] == ["'=1+1.csv"] * 2
    assert path.parent.name == "000000"
