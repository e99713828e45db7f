"""跟踪落实: the counts of follow_up.csv by hand, the ranking, the months, and the section of the summary."""

from __future__ import annotations

import csv
import dataclasses
import io
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import report_nights as nights

from pipeline.cases.flow import FLOW
from pipeline.contracts.tables import CASES, CASES_TOLD
from pipeline.reports import write_follow_up, write_summary
from pipeline.reports.follow_up import LEAD, MAIN, QUOTA, CountyFollowUp, follow_up, ranking, total
from pipeline.reports.follow_up_trend import months, trend_chart
from pipeline.reports.night import NightForReports

A, B, C = nights.COUNTIES
NO_FLOW = pl.DataFrame(schema=FLOW)


def case(county: str = A, state: str = "sent", **other: Any) -> dict[str, Any]:
    """One case that was sent once and waits, as the ledger tells it."""
    told = {
        "case_number": "XGLL-2610-0001-2",
        "certificate_number": None,
        "id_number": None,
        "county_code": county,
        "subject": "nursing_subsidy",
        "state": state,
        "first_seen": date(2026, 10, 1),
        "last_seen": nights.AS_OF,
        "settled_on": None,
        "times_sent": 0 if state == "open" else 1,
        "due_on": None,
        "kind": "missing",
        "why": "",
        "first_sent": None,
        "last_sent": None,
        "answered_on": date(2026, 10, 20) if state == "answered" else None,
        "result": "属实" if state == "answered" else None,
        "days_open": 30,
        "times_opened": 1,
        "overdue": False,
        "judged": True,
        "suppressed": False,
        "again": False,
        "held": False,
    }
    assert set(told) == {*CASES, *CASES_TOLD}
    return told | other


def night(*cases: dict[str, Any], **other: Any) -> NightForReports:
    return nights.night(cases=pl.DataFrame(list(cases), schema=CASES | CASES_TOLD), **other)


def main_line(made: NightForReports, county: str = A, flow: pl.DataFrame = NO_FLOW) -> CountyFollowUp:
    (line,) = [x for x in follow_up(made, flow) if (x.code, x.nature) == (county, MAIN)]
    return line


def flow(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Rows of FLOW: night, county, subject, new, reopened, again, settled, closed, open."""
    return pl.DataFrame(rows, schema=FLOW, orient="row")


def test_every_case_is_one_of_settled_closed_refuted_and_open() -> None:
    counts = main_line(
        night(
            case(state="settled"),
            case(state="closed"),
            case(state="answered", suppressed=True, result="不属实"),
            case(state="answered"),
            case(state="answered", result="部分属实"),
            case(state="answered", result="无法核实"),
            case(state="sent", overdue=True),
            case(state="open"),
            case(state="open", held=True),
            case(state="open", again=True, judged=False),
        )
    ).counts
    assert (counts.settled, counts.closed, counts.refuted, counts.open) == (1, 1, 1, 7)
    assert counts.found == 10
    assert (counts.sent, counts.answered, counts.confirmed, counts.overdue) == (7, 4, 2, 1)
    assert (counts.unjudged, counts.held, counts.again) == (1, 1, 1)


@pytest.mark.parametrize(
    ("other", "due", "done"),
    [
        (case(state="sent"), 2, 1),  # who does not answer gains nothing
        (case(state="answered", result="无法核实"), 2, 1),
        (case(state="settled"), 2, 2),
        (case(state="settled", times_sent=0), 1, 1),  # never sent: nobody's achievement
        (case(state="open"), 1, 1),  # not sent yet
        (case(state="answered", times_sent=0), 2, 1),  # answered, so it has reached the county
        (case(state="closed"), 1, 1),
        (case(state="answered", suppressed=True, result="不属实"), 1, 1),
        (case(state="sent", judged=False), 1, 1),  # another office's list is missing
    ],
)
def test_what_had_to_be_done(other: dict[str, Any], due: int, done: int) -> None:
    counts = main_line(night(case(state="settled"), other)).counts
    assert (counts.due, counts.done) == (due, done)
    assert counts.rate == done / due


def test_nothing_sent_is_no_rate() -> None:
    assert main_line(night(case(state="open"))).counts.rate is None


def test_ages_have_inclusive_ends_and_sum_to_the_open() -> None:
    days = (0, 30, 31, 60, 61, 90, 91, 4000)
    over = [case(state="settled", days_open=5), case(state="answered", suppressed=True, days_open=5)]
    counts = main_line(night(*(case(days_open=n) for n in days), *over)).counts
    assert counts.ages == (2, 2, 2, 2)
    assert counts.open == sum(counts.ages)


def test_programmes_and_leads_are_lines_of_their_own() -> None:
    rules = nights.rules()
    rules["living_subsidy"] = rules["living_subsidy"].model_copy(update={"strength": "lead"})
    lines = follow_up(
        night(
            case(),
            case(subject="certificate_expired", kind="found"),
            case(subject="a_rule_long_gone"),
            case(subject="accessibility_renovation"),
            case(subject="living_subsidy"),
            rules=rules,
        ),
        NO_FLOW,
    )
    assert {line.nature: line.counts.found for line in lines if line.code == A} == {
        MAIN: 3,
        QUOTA: 1,
        LEAD: 1,
    }
    assert [line.counts.found for line in lines if line.code == C] == [0, 0, 0]


def test_money_is_of_who_misses_it_for_certain_tonight() -> None:
    outcomes = [
        nights.outcome(nights.person(n), "nursing_subsidy", code)
        for n, code in enumerate(("missing", "missing", "verify", "receiving"), start=1)
    ]
    frame = nights.night([], outcomes).outcomes.with_columns(yuan_a_month=pl.lit(90.0))
    made = dataclasses.replace(night(case()), outcomes=frame)
    assert main_line(made).yuan == 180.0
    assert main_line(made, B).yuan is None


def test_the_rank_is_by_rate_then_by_overdue_and_equals_share_a_place() -> None:
    made = night(
        case(A, "settled"), case(A, "sent", overdue=True),
        case(B, "settled"), case(B, "sent"),
        case(C, "settled"),
    )  # fmt: skip
    assert [(place, line.code) for place, line in ranking(follow_up(made, NO_FLOW))] == [
        (1, C),
        (2, B),
        (3, A),
    ]
    even = night(case(A, "settled"), case(A), case(B, "settled"), case(B), case(C, "open"))
    assert [(p, line.code) for p, line in ranking(follow_up(even, NO_FLOW))] == [(1, A), (1, B), (None, C)]


def test_the_total_is_the_sum() -> None:
    made = night(case(A, "settled"), case(B), case(B, "sent", overdue=True), case(C, "closed"))
    whole = total(follow_up(made, NO_FLOW), MAIN)
    assert (whole.counts.found, whole.counts.settled, whole.counts.overdue) == (4, 1, 1)
    assert whole.counts.rate == pytest.approx(1 / 3)


def test_the_csv_is_for_excel_and_names_nobody(tmp_path: Path) -> None:
    who = nights.person(1)
    tonight = flow((nights.AS_OF, A, "nursing_subsidy", 2, 1, 0, 0, 0, 3), (date(2026, 9, 30), A, "nursing_subsidy", 9, 9, 0, 0, 0, 9))  # fmt: skip
    made = night(
        case(A, "settled", id_number=who["id_number"], certificate_number=who["certificate_number"]),
        case(B, "sent"),
        counties={A: "=1+1", B: "东川示例县", C: "南坪示例县"},
    )
    raw = write_follow_up(made, tonight, tmp_path).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\r\n") == raw.count(b"\n") == 1 + 3 * (3 + 1)
    assert who["id_number"].encode() not in raw
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [(r["名次"], r["县代码"], r["性质"]) for r in rows[:4]] == [
        ("1", A, MAIN), ("2", B, MAIN), ("", C, MAIN), ("", "", MAIN),
    ]  # fmt: skip
    assert rows[0]["县(市、区)"] == "'=1+1"
    assert (rows[0]["落实率"], rows[1]["落实率"], rows[2]["落实率"], rows[3]["落实率"]) == (
        "100.0%",
        "0.0%",
        "",
        "50.0%",
    )
    assert (rows[0]["本期新增"], rows[0]["本期重开"]) == ("2", "1")
    assert [r["性质"] for r in rows[4:]] == [QUOTA] * 4 + [LEAD] * 4


def test_months_sum_their_nights_and_carry_what_is_open() -> None:
    told = flow(
        (date(2025, 8, 31), A, "nursing_subsidy", 5, 0, 0, 0, 0, 5),  # before the thirteen months
        (date(2026, 8, 10), A, "nursing_subsidy", 4, 0, 0, 0, 0, 4),
        (date(2026, 8, 20), B, "nursing_subsidy", 1, 1, 0, 2, 1, -1),
        (date(2026, 8, 20), B, "accessibility_renovation", 7, 0, 0, 0, 0, 7),  # a queue, counted apart
        (date(2026, 10, 31), A, "nursing_subsidy", 0, 0, 0, 3, 0, -3),
        (date(2026, 11, 30), A, "nursing_subsidy", 9, 0, 0, 0, 0, 9),  # after the night
    )  # fmt: skip
    found = months(night(), told)
    assert [f"{month.first:%Y-%m}" for month in found] == [
        f"{year}-{month:02d}"
        for year, month in [(2025, 10), (2025, 11), (2025, 12), *((2026, m) for m in range(1, 11))]
    ]
    august, september, october = found[-3:]
    assert (august.new, august.reopened, august.settled, august.closed, august.open) == (5, 1, 2, 1, 8)
    assert august.by_county == {A: 9, B: -1}
    assert (september.came, september.went, september.open) == (0, 0, 8)
    assert (october.went, october.open) == (3, 5)


def test_one_month_is_no_trend_two_are() -> None:
    one = months(night(), flow((nights.AS_OF, A, "nursing_subsidy", 4, 0, 0, 0, 0, 4)))
    assert (len(one), trend_chart(one)) == (1, "")
    assert months(night(), NO_FLOW) == []
    two = months(
        night(),
        flow(
            (date(2026, 9, 30), A, "nursing_subsidy", 4, 0, 0, 0, 0, 4),
            (nights.AS_OF, A, "nursing_subsidy", 2, 0, 0, 1, 0, 1),
        ),
    )
    chart = trend_chart(two)
    assert chart.count("<rect") == 4
    assert ">4</text>" in chart
    assert ">5</text>" in chart
    assert 'role="img"' in chart


def test_the_summary_has_the_section(tmp_path: Path) -> None:
    told = flow(
        (date(2026, 9, 30), A, "nursing_subsidy", 1, 0, 0, 0, 0, 1),
        (nights.AS_OF, B, "nursing_subsidy", 1, 0, 0, 0, 0, 1),
    )
    page = write_summary(night(case(A, "settled"), case(B)), tmp_path, told).read_text("utf-8")
    section = page[page.index("<h2>跟踪落实</h2>") : page.index("<h2>部门两两比对</h2>")]
    assert section.index("示例市") < section.index("东川示例县")
    assert "100.0%" in section
    assert '<svg class="chart trend"' in section
    assert section.count("<caption>") == 3
    assert section.count('scope="row"') >= 3


def test_without_a_ledger_the_section_says_so(tmp_path: Path) -> None:
    page = write_summary(nights.night(), tmp_path).read_text("utf-8")
    assert "台账里还没有疑点" in page
