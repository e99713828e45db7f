"""All letters of a night: each county's report or notice, each department's quality letter, finished and with what is expected of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

import polars as pl

from pipeline.cases import Ledger
from pipeline.cases.person_rights import Correction, corrections
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.delivery.compose import Words, about, letters, report_files, sealed
from pipeline.delivery.envelope import build
from pipeline.delivery.expected import (
    NightTables,
    expected_of,
    expected_of_notice,
    nothing_of_people,
    tables_of,
)
from pipeline.delivery.holds import reasons_to_hold
from pipeline.delivery.letter import CSV, Attachment, Expected, Kind, Letter
from pipeline.delivery.notice import numbers_file, told_numbers, urgent_files, with_rows
from pipeline.delivery.outbox import Cargo
from pipeline.delivery.plan import MailPlan
from pipeline.delivery.rules_mark import as_known, rules_mark
from pipeline.delivery.secrets import Secrets
from pipeline.reports import NightForReports, mail_words, quality_letter
from pipeline.reports.county import full_ids
from pipeline.reports.mail_facts import CountyCounts, MailFacts, county_counts, mail_facts
from pipeline.reports.rows import case_rows

_DAYS_BETWEEN = 7  # quality letters to one department, but with the period


@dataclass(frozen=True)
class Made:
    """A finished letter and what is known of it. `about`: a digest of what it says, `rules`: of the rules that it rests on."""

    letter: Letter
    message: bytes = field(repr=False)
    expected: Expected = field(repr=False)
    about: str
    rules: str
    cargo: Cargo
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Desk:
    """What every county's letter is made from; once a night."""

    plan: MailPlan
    night: NightForReports
    out: Path
    secrets: Secrets
    tables: NightTables
    counts: Mapping[str, CountyCounts]
    rules: str

    @cached_property
    def rows(self) -> pl.DataFrame:
        """The night's `case_rows`: a notice has some of them."""
        return case_rows(self.night)


def night_letters(
    ledger: Ledger,
    plan: MailPlan,
    night: NightForReports,
    out: Path,
    secrets: Secrets,
    problems: list[Problem],
) -> list[Made]:
    """In the order of counties and departments. A county that cannot be served is told in `problems`."""
    made: list[Made] = []
    if night.settings.recipients:
        desk = _Desk(plan, night, out, secrets, tables_of(night), county_counts(night), rules_mark(night))
        counties = night.reported_counties()
        problems += [
            _unknown(county) for county in sorted(night.settings.recipients) if county not in counties
        ]
        for county in counties:
            if not night.settings.recipients.get(county):
                problems.append(_nobody(night, county))
            elif plan.period is not None or county in plan.cargo:
                try:
                    made += _to_county(desk, county)
                except ReconcileError as refused:
                    problems.append(refused.problem)
    return [*made, *_to_departments(ledger, plan, night)]


def _nobody(night: NightForReports, county: str) -> Problem:
    what = f"{night.county_name(county)}没有收件人，报告没有发出"
    cure = "在 reconcile.toml 的 [recipients] 里写上该县的邮箱；不用邮件的县，下发后用 `reconcile outbox handed` 登记"
    return Problem("E810", "warning", what, "设置里没有写", cure, county=county)


def _unknown(county: str) -> Problem:
    what = f"设置里的收件人 {county} 不是本次的县"
    cure = "核对 [recipients] 里的六位区划代码；写错了，那个县就收不到"
    return Problem("E813", "warning", what, "名册里没有这个县的人", cure, county=county)


def _too_large(night: NightForReports, county: str, size: int) -> ReconcileError:
    most = night.settings.mail.largest_mb
    what = f"{night.county_name(county)}的报告没有发出"
    why = f"邮件有 {size / 1e6:.0f} MB，设置的上限是 {most} MB"
    cure = "问清邮件服务器的上限，改 mail.largest_mb；或另行交付后用 `reconcile outbox handed` 登记"
    return ReconcileError(Problem("E814", "error", what, why, cure, county=county), exit_code=6)


def _to_county(desk: _Desk, county: str) -> Iterator[Made]:
    """Raises ReconcileError E811 where whole numbers are wanted and there is no password."""
    plan, settings = desk.plan, desk.night.settings
    cargo = plan.cargo.get(county, Cargo())
    kind: Kind = "report" if plan.period is not None else "notice"
    if kind == "notice":
        cargo = replace(cargo, asked=with_rows(desk.rows, county, cargo.asked))
        if not (cargo.asked or cargo.reminded or cargo.corrected):
            return
    facts = _facts(desk, county, cargo)
    stem = mail_words.stem(facts)
    plain = _of_people(desk, county, cargo, stem, facts.month)
    files = sealed(plain, county, settings, desk.secrets, stem, facts.month)
    numbers = (numbers_file(desk.night, cargo, stem),) if kind == "notice" and told_numbers(cargo) else ()
    files = (*files, *numbers)  # never locked up: there is no person in them
    facts = _facts(desk, county, cargo, files)
    words = Words(mail_words.subject(facts), mail_words.body(facts), stem)
    addresses = settings.recipients[county]

    def key(to: str) -> str:
        return plan.key_of(county, to) if kind == "report" else f"n{plan.key}"

    rules = as_known(plan.box.rules, desk.rules)
    held = reasons_to_hold(plan.box, county, addresses, desk.night.floods, rules, settings.approval)
    named = [
        one for to in addresses for one in letters(kind, key(to), plan.as_of, county, (to,), words, files)
    ]
    for letter in named:
        message = build(letter, settings.mail)
        if len(message) > settings.mail.largest_mb * 1_000_000:
            raise _too_large(desk.night, county, len(message))
        expected = _expected(desk, county, letter.to, cargo)
        yield Made(letter, message, expected, about(words, (*plain, *numbers)), desk.rules, cargo, held)


def _of_people(desk: _Desk, county: str, cargo: Cargo, stem: str, month: str) -> tuple[Attachment, ...]:
    """The report as it lies in its folder; of a notice the rows that it asks about and no other."""
    if desk.plan.period is not None:
        return report_files(desk.out / "reports" / county, stem, month)
    if not cargo.asked or cargo.due_on is None:
        return ()
    return urgent_files(desk.night, desk.rows, county, cargo.asked, cargo.due_on, stem)


def _expected(desk: _Desk, county: str, to: str, cargo: Cargo) -> Expected:
    if desk.plan.period is not None:
        return expected_of(desk.night, county, to, tables=desk.tables)
    return expected_of_notice(desk.night, county, to, desk.tables, cargo.asked, told_numbers(cargo))


def _facts(desk: _Desk, county: str, cargo: Cargo, files: tuple[Attachment, ...] = ()) -> MailFacts:
    setting = desk.night.settings.counties.get(county)
    locked = setting is not None and full_ids(desk.night, county) and bool(cargo.asked or desk.plan.period)
    return mail_facts(
        desk.night,
        county,
        desk.counts,
        reminded=len(cargo.reminded),
        corrected=[word.split(":")[0] for word in cargo.corrected],
        urgent=len(cargo.asked) if desk.plan.period is None else 0,
        due_on=cargo.due_on,
        attachments=[file.name for file in files],
        lock=setting.seal if setting is not None and locked else "",
    )


def _to_departments(ledger: Ledger, plan: MailPlan, night: NightForReports) -> Iterator[Made]:
    settings = night.settings
    if not settings.departments:
        return
    asked = _asked(ledger, plan)
    told = quality_letter.quality_letters(night, asked)
    for place, addresses in sorted(settings.departments.items()):
        found = told.get(place)
        if found is None:
            continue
        words = Words(found.subject, found.body, found.stem)
        files = (Attachment(f"{found.stem}.csv", f"quality-{plan.as_of:%Y-%m-%d}.csv", CSV, found.csv_bytes),)
        digest = about(_undated(words, plan.as_of), files)
        if not _worth_saying(plan, place, digest):
            continue
        named = frozenset(number for one in asked if one.department == place for number in one.waiting)
        for letter in letters("quality", f"q{plan.as_of:%Y%m%d}", plan.as_of, place, addresses, words, files):
            expected = nothing_of_people(place, letter.to, found.rows, quality_letter.COLUMNS, cases=named)
            yield Made(letter, build(letter, settings.mail), expected, digest, "", Cargo())


def _undated(words: Words, on: date) -> Words:
    """The words without the night's day, which alone makes no news, and as no line is broken (a longer day breaks other ones)."""
    body = "".join(words.body.split()).replace(f"{on.year}年{on.month}月{on.day}日", "", 1)
    return Words(words.subject.replace(on.isoformat(), ""), body, "")


def _asked(ledger: Ledger, plan: MailPlan) -> list[Correction]:
    """Corrections that no letter has brought yet: noted since the last one that reached the department before
    tonight. One that was refused, withdrawn or is in doubt has brought nothing."""
    brought: dict[str, date] = {}
    for letter in plan.box.letters.values():
        if letter.kind == "quality" and letter.state == "sent" and letter.on < plan.as_of:
            brought[letter.place] = max(letter.on, brought.get(letter.place, date.min))
    noted = corrections(ledger)
    return [x for x in noted if x.on >= brought.get(x.department, date.min)]


def _worth_saying(plan: MailPlan, place: str, digest: str) -> bool:
    """Not the same again, and not every night. What never went was not said."""
    box = [x for x in plan.box.letters.values() if x.state not in ("withdrawn", "refused", "given_up")]
    earlier = [x for x in box if x.place == place and x.kind == "quality" and x.on < plan.as_of]
    if not earlier:
        return True
    last = max(earlier, key=lambda one: one.on)
    long_ago = last.on + timedelta(days=_DAYS_BETWEEN) <= plan.as_of
    return last.about != digest and (plan.period is not None or long_ago)
