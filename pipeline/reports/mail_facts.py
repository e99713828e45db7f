"""What the mail to a county tells: counts of its report, which lists were wanting, by when to answer. Nobody's name or number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from pipeline.reports.case_words import AGAIN, NEW, OVERDUE, REOPENED
from pipeline.reports.letter_text import discreet
from pipeline.reports.night import STATUS_WORDS, NightForReports
from pipeline.reports.reminders import SHEET as REMINDERS
from pipeline.reports.reminders import reminder_rows
from pipeline.reports.rows import MAIN, QUOTA, case_rows
from pipeline.reports.table_sheet import SHEETS
from pipeline.reports.wanting import refused_lists, undecided, waiting_people

Kind = Literal["report", "notice"]
Lock = Literal["", "zip", "xlsx"]


@dataclass(frozen=True)
class CountyCounts:
    """Rows of a county's report. `open` is what is to be done: the rows of its CSV (疑点清单 and 项目类); new, reopened, again
    (复核) and overdue are among them, one row in one of these at most. `sheets` has every sheet with rows."""

    open: int = 0
    new: int = 0
    reopened: int = 0
    again: int = 0
    overdue: int = 0
    sheets: tuple[tuple[str, int], ...] = ()
    escalated: int = 0  # people on 换证提醒 who are to be told in person


@dataclass(frozen=True)
class Wanting:
    """A list that was not accepted for the county, in words without disability, and how many people wait for it."""

    department: str
    title: str
    status: str
    people: int


@dataclass(frozen=True)
class MailFacts:
    """Everything subject and body are made of. `undecided` counts people × benefits that could not be judged for any reason.

    Of a notice: `reminded` cases soon or past due, `corrected` case numbers that need no answer any more, `urgent` cases that do not
    wait for the period.
    """

    kind: Kind
    county: str
    month: str  # 2026-11
    number: int | None
    due_on: date | None
    counts: CountyCounts
    wanting: tuple[Wanting, ...] = ()
    undecided: int = 0
    reminded: int = 0
    corrected: tuple[str, ...] = ()
    urgent: int = 0
    attachments: tuple[str, ...] = ()
    lock: Lock = ""
    workdays: int = 10
    contact: str = ""


def county_counts(night: NightForReports) -> dict[str, CountyCounts]:
    """Of every county that gets a report; once a night."""
    rows = case_rows(night).select("county_code", "sheet", "standing")
    by_sheet = _counted(rows.group_by("county_code", "sheet").len())
    to_do = rows.filter(pl.col("sheet").is_in([MAIN, QUOTA]), pl.col("standing").is_not_null())
    standing = _counted(to_do.group_by("county_code", "standing").len())
    reminded = reminder_rows(night)
    people = dict(reminded.group_by("county_code").len().iter_rows())
    escalated = dict(reminded.filter("escalated").group_by("county_code").len().iter_rows())
    found = {}
    for code in night.reported_counties():
        own = [(name, by_sheet.get((code, key), 0)) for key, name in SHEETS]
        own.append((REMINDERS, people.get(code, 0)))
        found[code] = CountyCounts(
            open=by_sheet.get((code, MAIN), 0) + by_sheet.get((code, QUOTA), 0),
            new=standing.get((code, NEW), 0),
            reopened=standing.get((code, REOPENED), 0),
            again=standing.get((code, AGAIN), 0),
            overdue=standing.get((code, OVERDUE), 0),
            sheets=tuple((name, count) for name, count in own if count),
            escalated=escalated.get(code, 0),
        )
    return found


def mail_facts(
    night: NightForReports,
    code: str,
    counts: Mapping[str, CountyCounts],
    *,
    reminded: int = 0,
    corrected: Sequence[str] = (),
    urgent: int = 0,
    due_on: date | None = None,
    attachments: Sequence[str] = (),
    lock: Lock = "",
) -> MailFacts:
    """Of one county: a report where `night.period` goes tonight, else a notice. `counts` are `county_counts`, `due_on` the day by
    which a notice's urgent cases are to be answered, `attachments` names, `lock` how they are locked up."""
    period, settings = night.period, night.settings
    waiting = waiting_people(night)
    wanting = [
        Wanting(
            discreet(night.datasets[key].department) if key in night.datasets else "",
            discreet(night.list_title(key)),
            STATUS_WORDS.get(status, status),
            waiting.get((key, code), 0),
        )
        for key, status in refused_lists(night, code).items()
    ]
    return MailFacts(
        "report" if period else "notice",
        night.county_name(code),
        period.month if period else f"{night.as_of:%Y-%m}",
        period.number if period else None,
        period.due_on if period else due_on,
        counts.get(code, CountyCounts()),
        tuple(sorted(wanting, key=lambda one: (-one.people, one.department, one.title))),
        sum(one.people for one in undecided(night, code)),
        reminded,
        tuple(corrected),
        urgent,
        tuple(attachments),
        lock,
        settings.period.workdays_to_answer,
        settings.mail.contact,
    )


def _counted(counted: pl.DataFrame) -> dict[tuple[str, str], int]:
    return {(county, key): count for county, key, count in counted.iter_rows()}
