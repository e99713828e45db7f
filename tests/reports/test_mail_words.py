"""Subject and body of the county's mail: what they say, and what they must never say."""

from __future__ import annotations

import dataclasses
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import report_nights as nights
from hypothesis import given, settings
from hypothesis import strategies as st
from test_case_words import a_case

from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import CASES, CASES_TOLD
from pipeline.reports.county import write_county_reports
from pipeline.reports.letter_text import WIDE, columns, discreet, wrapped
from pipeline.reports.mail_facts import CountyCounts, MailFacts, Wanting, county_counts, mail_facts
from pipeline.reports.mail_words import MOST_LINES, body, stem, subject
from pipeline.reports.night import NightForReports

GOLDEN = Path(__file__).parent / "golden"
COUNTS = CountyCounts(
    open=40,
    new=12,
    reopened=1,
    again=2,
    overdue=3,
    sheets=(
        ("疑点清单", 30),
        ("项目类（排队）", 10),
        ("待核实", 3),
        ("线索（走访参考）", 5),
        ("换证提醒", 7),
    ),
    escalated=2,
)
REPORT = MailFacts(
    kind="report",
    county="维西县",
    month="2026-11",
    number=3,
    due_on=date(2026, 12, 4),
    counts=COUNTS,
    wanting=(
        Wanting("民政", "临时救助台账", "未到", 25),
        Wanting("医保", "基本医疗保险参保人员信息", "未通过检查", 0),
    ),
    undecided=31,
    attachments=("维西县_2026-11_第3期.csv", "维西县_2026-11_第3期.xlsx"),
    contact="迪庆州联合会 0887-8220000",
)
NOTICE = dataclasses.replace(
    REPORT,
    kind="notice",
    number=None,
    reminded=3,
    corrected=("WX-2611-0382-7",),
    urgent=2,
    attachments=("维西县_2026-11_通知.xlsx", "维西县_2026-11_通知_编号.csv"),
)
NOTHING = dataclasses.replace(REPORT, counts=CountyCounts(), wanting=(), undecided=0, contact="")
LETTERS = {
    "report": REPORT,
    "report_locked": dataclasses.replace(REPORT, lock="zip", attachments=("维西县_2026-11_第3期.zip",)),
    "report_locked_workbook": dataclasses.replace(REPORT, lock="xlsx"),
    "nothing": NOTHING,
    "notice": NOTICE,
    "correction": dataclasses.replace(NOTICE, reminded=0, urgent=0),
}


@pytest.mark.parametrize("name", LETTERS)
def test_the_words_are_those_that_were_read_and_approved(name: str) -> None:
    facts = LETTERS[name]
    assert f"{subject(facts)}\n\n{body(facts)}" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_subjects() -> None:
    assert subject(REPORT) == "[核对]维西县 2026-11 第3期 新增12 待办40"
    assert subject(NOTHING) == "[核对]维西县 2026-11 第3期 无新增 待办0"
    assert subject(NOTICE) == "[核对]维西县 2026-11 催办3 更正1 急件2"
    assert subject(dataclasses.replace(NOTICE, reminded=0, urgent=0)) == "[核对]维西县 2026-11 更正1"
    assert (stem(REPORT), stem(NOTICE)) == ("维西县_2026-11_第3期", "维西县_2026-11_通知")


@pytest.mark.parametrize("name", LETTERS)
def test_no_letter_speaks_of_disability_or_of_a_password_s_value(name: str) -> None:
    words = subject(LETTERS[name]) + body(LETTERS[name])
    assert "残" not in words
    assert ("密码" in words) == bool(LETTERS[name].lock)
    assert not re.search("[0-9]{8}", words)


many = st.integers(0, 99_999)
texts = st.text(alphabet="名册台账乡村发放（）、。A1", min_size=1, max_size=60)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.data())
def test_every_body_fits_a_mail_program(data: st.DataObject) -> None:
    wanting = st.builds(Wanting, texts, texts, texts, many)
    counts = CountyCounts(
        *(data.draw(many) for _ in range(5)), sheets=COUNTS.sheets, escalated=data.draw(many)
    )
    facts = dataclasses.replace(
        data.draw(st.sampled_from(list(LETTERS.values()))),
        counts=counts,
        wanting=tuple(data.draw(st.lists(wanting, max_size=30))),
        undecided=data.draw(many),
        corrected=tuple(f"XGLL-2611-{n:04d}-0" for n in range(data.draw(st.integers(0, 200)))),
        attachments=tuple(f"{'长' * 12}{n}.xlsx" for n in range(data.draw(st.integers(0, 60)))),
    )
    lines = body(facts).splitlines()
    assert max(map(columns, lines)) <= WIDE
    assert len(lines) <= MOST_LINES


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.text(alphabet="中文，。）》 ab1-", max_size=200))
def test_cutting_loses_nothing(text: str) -> None:
    cut = wrapped([text])
    assert all(columns(line) <= WIDE for line in cut.splitlines())
    assert re.sub(r"\s", "", cut) == re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("残疾人两项补贴发放花名册", "两项补贴发放花名册"),
        ("持证残疾人名册", "持证人员名册"),
        ("残疾评定结果", "评定结果"),
        ("重度残疾人护理补贴", "护理补贴"),
        ("残疾人证已过期", "证件已过期"),
        ("最低生活保障对象花名册", "最低生活保障对象花名册"),
    ],
)
def test_titles_without_the_word(title: str, said: str) -> None:
    assert discreet(title) == said


@dataclasses.dataclass(frozen=True)
class Third:
    number: int = 3
    month: str = "2026-10"
    due_on: date = date(2026, 11, 13)


def with_cases(night: NightForReports) -> NightForReports:
    """Every missing benefit has a case; of county 539901 one is late, one back, one to be looked at again, the rest new."""
    rows = night.outcomes.filter(pl.col("outcome").is_in(["missing", "renew_first"])).to_dicts()
    said = [
        {"overdue": True, "state": "sent", "due_on": date(2026, 10, 20), "first_sent": date(2026, 9, 30)},
        {"times_opened": 2},
        {"again": True},
    ]
    mine = [row for row in rows if row["county_code"] == "539901"]
    others = [row for row in rows if row["county_code"] != "539901"]
    cases = [
        a_case(night, row, number=f"XX-2610-{n:04d}-0", **(said[n] if n < len(said) else {}))
        for n, row in enumerate([*mine, *others])
    ]
    return dataclasses.replace(night, cases=pl.DataFrame(cases, schema=CASES | CASES_TOLD), period=Third())


def test_the_counts_are_those_of_the_files(tmp_path: Path) -> None:
    night = with_cases(nights.full_night())
    counts = county_counts(night)
    write_county_reports(night, tmp_path)
    for code in nights.COUNTIES:
        csv = (tmp_path / f"reports/{code}/discrepancies.csv").read_text("utf-8-sig")
        assert counts[code].open == csv.count("\n") - 1
        for word, count in (("【新增】", counts[code].new), ("【再次出现】", counts[code].reopened)):
            assert csv.count(word) == count
        assert csv.count("【复核】") == counts[code].again
        assert csv.count("【超期11天】") == counts[code].overdue
    mine = counts["539901"]
    assert (mine.overdue, mine.reopened, mine.again) == (1, 1, 1)
    assert mine.new > 0
    assert counts["539924"] == CountyCounts()


def test_what_was_wanting_is_told_with_the_department_and_the_people(tmp_path: Path) -> None:
    office = Settings.model_validate({"mail": {"contact": "0887-8220000"}})
    night = dataclasses.replace(with_cases(nights.full_night()), settings=office)
    facts = mail_facts(night, "539902", county_counts(night), attachments=("a.xlsx",))
    assert facts.wanting == (Wanting("民政", "最低生活保障对象花名册", "未到", 10),)
    assert facts.undecided == 10 + 3  # living subsidies, nursing subsidies
    words = body(facts)
    assert "民政《最低生活保障对象花名册》未到，10人等它才能判断。" in words
    assert "2026年11月13日前（含当日）" in words
    assert subject(facts).startswith("[核对]东川示例县 2026-10 第3期 新增")
    assert "示例1" not in words  # nobody's name
    between = mail_facts(
        dataclasses.replace(night, period=None), "539902", {}, urgent=1, due_on=date(2026, 11, 6)
    )
    assert subject(between) == "[核对]东川示例县 2026-10 急件1"
    assert "2026年11月6日前" in body(between)
