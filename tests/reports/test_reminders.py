"""Who is reminded of a certificate that runs out, how often that was, who is escalated, and what is at stake."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import polars as pl
import pytest
import report_nights as nights

from pipeline.cases import Event, open_ledger, read_book
from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.rule import load_rules
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import CASES, CASES_TOLD, OUTCOMES, REMINDERS
from pipeline.entitlement import declared_facts
from pipeline.entitlement.compile import compile_rule, verdict_sql
from pipeline.reports.county import write_county_reports
from pipeline.reports.night import NightForReports
from pipeline.reports.reminders import SHEET, WIDTHS, reminder_rows, reminder_sheet
from pipeline.run import Request, run
from pipeline.sample import make_sample

ROOT = Path(__file__).resolve().parents[2]
SIX, ONE, OVER = "certificate_expires_6_months", "certificate_expires_1_month", "certificate_expired"
SUBJECTS = (SIX, ONE, OVER)
SOON = date(2026, 11, 20)


def a_case(
    who: dict[str, Any], subject: str, sent: int = 0, last: date | None = None, **other: Any
) -> dict[str, Any]:
    case: dict[str, Any] = dict.fromkeys({**CASES, **CASES_TOLD})
    case |= {key: who[key] for key in ("certificate_number", "id_number", "county_code")}
    case |= {"case_number": "SLSX-2610-0001-0", "subject": subject, "state": "sent", "suppressed": False}
    flags = dict.fromkeys(("overdue", "again", "held"), False)
    return case | flags | {"times_opened": 1, "days_open": 0, "times_sent": sent, "last_sent": last} | other


def a_night(
    people: list[dict[str, Any]],
    stages: list[str],
    cases: list[dict[str, Any]] | None = None,
    outcomes: list[dict[str, Any]] | None = None,
    **other: Any,
) -> NightForReports:
    """The people with a finding each."""
    findings = [nights.finding(who, stage) for who, stage in zip(people, stages, strict=True)]
    told = pl.DataFrame(cases or [], schema=CASES | CASES_TOLD)
    return nights.night(people, outcomes, findings, cases=told, **other)


def printed(night: NightForReports, code: str = "539901", *, full_ids: bool = False) -> list[dict[str, str]]:
    rows = reminder_rows(night).filter(pl.col("county_code") == code)
    sheet = reminder_sheet(night, rows, nights.COUNTIES[code], full_ids=full_ids)
    return [] if sheet is None else list(sheet.rows.iter_rows(named=True))


def found_by_the_rules(people: list[dict[str, Any]], as_of: date) -> list[tuple[dict[str, Any], str]]:
    """Whom the project's own three findings name."""
    con = duckdb.connect()
    con.execute(
        'create table facts (person int, county_code varchar, "证件状态" varchar, "证件有效期至" date, "死亡" bool)'
    )
    con.execute("create table parameters as select '539901' as county_code")
    for n, who in enumerate(people):
        con.execute(
            "insert into facts values (?, '539901', ?, ?, false)", [n, who["state"], who["valid_until"]]
        )
    facts, rules = declared_facts(load_datasets(ROOT / "schemas")), load_rules(ROOT / "rules")
    found = []
    for code in SUBJECTS:
        query = verdict_sql(compile_rule(rules[code], facts, as_of), as_of)
        due = con.execute(f"select person from ({query}) where due order by person").fetchall()
        found += [(people[n], code) for (n,) in due]
    return found


@pytest.mark.parametrize(
    ("as_of", "until", "stage"),
    [
        ("2026-10-31", "2027-04-30", "6_months"),  # six months on has no 31st: its last day, inclusive
        ("2026-10-31", "2027-05-01", None),
        ("2026-08-31", "2027-02-28", "6_months"),
        ("2026-08-31", "2027-03-01", None),
        ("2026-10-15", "2027-04-15", "6_months"),
        ("2026-10-15", "2027-04-16", None),
        ("2026-10-31", "2026-12-01", "6_months"),  # one day more than a month
        ("2026-10-31", "2026-11-30", "1_month"),
        ("2026-01-31", "2026-02-28", "1_month"),
        ("2026-01-31", "2026-03-01", "6_months"),
        ("2026-10-31", "2026-10-31", "1_month"),  # it holds to the end of the day
        ("2026-10-31", "2026-10-30", "expired"),
        ("2026-10-31", "2026-07-31", "expired"),
        ("2026-10-31", "2026-07-30", None),  # for more than three months: no reminder any more
        ("2026-05-31", "2026-02-28", "expired"),
        ("2026-05-31", "2026-02-27", None),
    ],
)
def test_the_borders_of_the_stages(as_of: str, until: str, stage: str | None) -> None:
    day = date.fromisoformat(as_of)
    who = nights.person(1, valid_until=date.fromisoformat(until))
    found = found_by_the_rules([who], day)
    night = a_night([one for one, _ in found], [code for _, code in found], as_of=day)
    assert reminder_rows(night)["stage"].to_list() == ([stage] if stage else [])


def test_no_end_a_cancelled_certificate_and_an_unknown_end_are_no_reminder() -> None:
    people = [
        nights.person(1, valid_until=date(9999, 12, 31)),
        nights.person(2, valid_until=SOON, state="注销"),
        nights.person(3, valid_until=None),
        nights.person(4, valid_until=SOON),
    ]
    assert found_by_the_rules(people, nights.AS_OF) == [(people[3], ONE)]
    # a finding that contradicts the register is no reminder either
    del people[1]
    assert reminder_rows(a_night(people, [ONE] * 3))["name"].to_list() == ["示例4"]


def test_the_reminders_of_all_three_cases_of_a_person_count_and_nobody_else_s() -> None:
    who, other = (nights.person(n, valid_until=SOON) for n in (1, 2))
    cases = [
        a_case(who, SIX, 1, date(2026, 6, 5), state="settled"),
        a_case(who, ONE, 1, date(2026, 10, 25)),
        a_case(who, OVER, 3, date(2026, 10, 20)),
        a_case(who, "nursing_subsidy", 7, date(2026, 10, 30)),
        a_case(other, ONE, 1, date(2026, 10, 29)),
    ]
    first, second = printed(a_night([who, other], [ONE, ONE], cases))
    assert (first["已提醒次数"], first["上次提醒"], first["升级"], first["升级原因"]) == (
        "5",
        "2026-10-25",
        "否",
        "",
    )
    assert (second["已提醒次数"], second["上次提醒"], second["升级"]) == ("1", "2026-10-29", "是")


def test_a_reminder_about_the_certificate_before_is_none_about_this_one() -> None:
    who = nights.person(1, valid_until=date(2026, 11, 30))
    for last, times in ((date(2016, 11, 5), 0), (date(2026, 5, 29), 0), (date(2026, 5, 30), 2)):
        (row,) = reminder_rows(a_night([who], [ONE], [a_case(who, SIX, 2, last)])).iter_rows(named=True)
        assert (row["times_reminded"], row["last_reminded"]) == (times, last if times else None)


def test_who_has_no_usable_number_is_found_by_the_other_and_never_by_having_none() -> None:
    people = [
        nights.person(1, certificate_number="", valid_until=SOON),
        nights.person(2, id_number=None, valid_until=SOON),
        nights.person(3, certificate_number="", id_number=None, valid_until=SOON),
    ]
    numbers = [who | {"certificate_number": who["certificate_number"] or None} for who in people]
    cases = [
        a_case(who, ONE, n, SOON) for n, who in enumerate(numbers, start=1)
    ]  # the last: not there tonight
    rows = reminder_rows(a_night(people, [ONE] * 3, cases))
    assert dict(rows.select("name", "times_reminded").iter_rows()) == {"示例1": 1, "示例2": 2, "示例3": 0}


@pytest.mark.parametrize(
    ("stage", "until", "sent", "why"),
    [
        (SIX, date(2027, 3, 1), 0, ""),
        (ONE, SOON, 0, "一个月内，还没有提醒过，应不少于2次"),
        (ONE, SOON, 1, "一个月内，只提醒过1次，应不少于2次"),
        (ONE, SOON, 2, ""),
        (OVER, date(2026, 10, 20), 0, "已到期，还没有提醒过，应不少于2次"),
        (OVER, date(2026, 10, 20), 1, "已到期，只提醒过1次，应不少于2次"),
        (OVER, date(2026, 10, 20), 2, ""),
    ],
)
def test_fewer_than_two_reminders_are_escalated_when_a_month_is_left(
    stage: str, until: date, sent: int, why: str
) -> None:
    who = nights.person(1, valid_until=until)
    night = a_night([who], [stage], [a_case(who, stage, sent, nights.AS_OF if sent else None)])
    (row,) = printed(night)
    assert (row["升级"], row["升级原因"]) == ("是" if why else "否", why)
    assert reminder_rows(night)["escalated"].to_list() == [bool(why)]


def test_a_county_that_answered_with_a_reason_is_not_asked_to_remind() -> None:
    who = nights.person(1, valid_until=SOON)
    assert printed(a_night([who], [ONE], [a_case(who, ONE, suppressed=True)])) == []
    # an answer to the stage before does not rest this one
    assert len(printed(a_night([who], [ONE], [a_case(who, SIX, suppressed=True)]))) == 1


def test_what_is_at_stake_is_what_is_received_or_due_with_the_money_where_it_is_known() -> None:
    who, other = nights.person(1, valid_until=SOON), nights.person(2, valid_until=SOON)
    answers = [
        ("nursing_subsidy", "receiving", "entitlement", 110.0),
        ("living_subsidy", "missing", "entitlement", 8.333),
        ("accessibility_renovation", "renew_first", "quota", None),
        ("some_lead", "receiving", "lead", None),
        ("doubtful", "verify", "entitlement", 50.0),
        ("unknown", "undetermined", "entitlement", None),
        ("not_due", "receiving_not_due", "entitlement", 50.0),
    ]
    outcomes = [nights.outcome(who, b, o, strength=s) | {"yuan_a_month": y} for b, o, s, y in answers]
    frame = pl.DataFrame(outcomes, schema={**OUTCOMES, "yuan_a_month": pl.Float64})
    night = a_night([who, other], [ONE, ONE])
    night = replace(night, outcomes=frame)
    mine, nobody = printed(night)
    assert mine["涉及待遇"] == (
        "家庭无障碍改造（先换证）；困难残疾人生活补贴（应享未享，8.33元/月）；重度残疾人护理补贴（在享，110元/月）"
    )
    assert nobody["涉及待遇"] == ""
    assert reminder_rows(night)["benefits"].to_list() == [
        "accessibility_renovation+living_subsidy+nursing_subsidy",
        "",
    ]


def test_each_county_reads_of_its_own_people_by_village_and_by_how_soon() -> None:
    def at(serial: int, village: str, until: date) -> dict[str, Any]:
        return nights.person(serial, address=f"示例州示例市云岭乡{village}{serial}", valid_until=until)

    people = [
        at(1, "上坡村", date(2027, 3, 1)),
        at(2, "下坡村", date(2026, 10, 31)),
        at(3, "下坡村", date(2026, 10, 1)),
        nights.person(4, "539902", valid_until=SOON),
        nights.person(5, address=None, valid_until=SOON),
    ]
    night = a_night(people, [SIX, ONE, OVER, ONE, ONE])
    rows = printed(night)
    seen = [(r["序号"], r["村(社区)"], r["姓名"], r["剩余天数"], r["阶段"]) for r in rows]
    assert seen == [
        ("1", "上坡村", "示例1", "还有121天", "六个月内"),
        ("2", "下坡村", "示例3", "已过30天", "已到期"),
        ("3", "下坡村", "示例2", "当天到期", "一个月内"),
        ("4", "未注明", "示例5", "还有20天", "一个月内"),
    ]
    assert {r["县(市、区)"] for r in rows} == {"示例市"}
    assert [r["姓名"] for r in printed(night, "539902")] == ["示例4"]
    assert printed(night, "539924") == []


def test_numbers_are_masked_by_the_county_s_settings_and_names_are_no_formulas(tmp_path: Path) -> None:
    who = nights.person(1, name="=1+1", valid_until=SOON)
    for folder, allowed in (
        ("masked", {}),
        ("whole", {"539901": {"full_ids": True, "full_ids_reason": "某县书面申请"}}),
    ):
        night = a_night([who], [ONE], settings=Settings.model_validate({"counties": allowed}))
        write_county_reports(night, tmp_path / folder)
        sheet = openpyxl.load_workbook(tmp_path / folder / "reports/539901/discrepancies.xlsx")[SHEET]
        head, row = list(sheet.iter_rows(values_only=True))[1:]
        cells = dict(zip(head, row, strict=True))
        assert cells["姓名"] == "'=1+1"
        number = who["id_number"]
        assert cells["身份证号"] == (number if allowed else f"{number[:6]}********{number[-4:]}")
        assert (number in str(list(sheet.values))) is bool(allowed)


def test_the_sheet_as_the_clerk_opens_it(tmp_path: Path) -> None:
    people = [nights.person(1, valid_until=SOON), nights.person(2, valid_until=date(2027, 3, 1))]
    write_county_reports(a_night(people, [ONE, SIX]), tmp_path)
    book = openpyxl.load_workbook(tmp_path / "reports/539901/discrepancies.xlsx")
    sheet = book[SHEET]
    notes, head, *rows = sheet.iter_rows(values_only=True)
    assert head == tuple(WIDTHS)
    assert sum(WIDTHS.values()) < 270
    assert "不少于2次" in notes[0]
    assert [row[head.index("升级")] for row in rows] == ["是", "否"]
    column = head.index("升级") + 1
    assert (sheet.cell(3, column).font.bold, sheet.cell(4, column).font.bold) == (True, False)
    guide = {row[0]: row[1] for row in book["填写说明"].iter_rows(min_row=2, max_row=7, values_only=True)}
    assert f"“{SHEET}”" in guide["只看不填的表"]
    assert len([label for label in guide if label]) == 6
    assert SHEET not in openpyxl.load_workbook(tmp_path / "reports/539902/discrepancies.xlsx").sheetnames


def test_the_order_does_not_depend_on_the_order_of_the_tables() -> None:
    people = [nights.person(n, valid_until=SOON) for n in range(1, 9)]
    outcomes = [
        nights.outcome(p, b, "missing") for p in people for b in ("nursing_subsidy", "living_subsidy")
    ]
    cases = [a_case(p, s, 1, nights.AS_OF) for p in people for s in (SIX, ONE)]
    one = reminder_rows(a_night(people, [ONE] * 8, cases, outcomes))
    other = reminder_rows(a_night(people[::-1], [ONE] * 8, cases[::-1], outcomes[::-1]))
    assert one.equals(other)
    assert one.height == 8
    assert one["times_reminded"].to_list() == [2] * 8


def test_a_whole_night_writes_the_table_and_the_ledger_s_sendings_are_counted(tmp_path: Path) -> None:
    make_sample(600, tmp_path / "inbox", seed=12, as_of=nights.AS_OF, counties=2, register_share=0.15)
    out, state = tmp_path / "out", tmp_path / "state"
    request = Request(tmp_path / "inbox", out, state, ROOT / "schemas", ROOT / "rules", as_of=nights.AS_OF)

    def table() -> pl.DataFrame:
        run(request)
        return pl.read_parquet(out / "results/reminders.parquet")

    before = table()
    assert dict(before.schema) == REMINDERS
    found = pl.read_parquet(out / "results/findings.parquet").filter(pl.col("finding").is_in([SIX, ONE]))
    running = before.filter(pl.col("stage") != "expired")
    assert sorted(running["certificate_number"]) == sorted(found["certificate_number"])
    assert set(before["stage"]) >= {"6_months", "1_month"}
    assert set(before["times_reminded"]) == {0}
    assert before["escalated"].to_list() == (before["stage"] != "6_months").to_list()
    assert (before["benefits"] != "").any()

    with open_ledger(state) as ledger:
        cases = [case for case in read_book(ledger.events()).cases.values() if case.subject in SUBJECTS]
        with ledger.transaction():
            for on in (date(2026, 10, 31), date(2026, 11, 1)):
                body = {"period": "2026-10", "due_on": "2026-11-14"}
                ledger.append([Event(on, "sent", case.number, body) for case in cases])
    after = table()
    assert set(after["times_reminded"]) == {2}
    assert set(after["last_reminded"]) == {date(2026, 11, 1)}
    assert not after["escalated"].any()
    told = ["times_reminded", "last_reminded", "escalated"]
    assert after.drop(told).equals(before.drop(told))
