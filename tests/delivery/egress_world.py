"""Small prefectures of five counties with written reports, and the letters that bring them: for the egress check."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

from pipeline.cases.case_number import make
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import CASES, CASES_TOLD
from pipeline.contracts.visit_signs import VisitSigns
from pipeline.delivery.envelope import build
from pipeline.delivery.expected import expected_of, tables_of
from pipeline.delivery.letter import CSV, XLSX, Attachment, Expected, Letter
from pipeline.delivery.sealing import seal
from pipeline.delivery.township_files import as_inside_a_zip, township_files
from pipeline.reports.county import write_county_reports
from pipeline.reports.night import NightForReports, VisitList

sys.path.append(str(Path(__file__).parents[1] / "reports"))
import report_nights as nights

COUNTIES = {
    "539901": "示例市",
    "539902": "东川示例县",
    "539924": "南坪示例县",
    "539925": "北山示例县",
    "539926": "西河示例县",
}
LETTERS = dict(zip(COUNTIES, ("SLSX", "DCSX", "NPSX", "BSSX", "XHSX"), strict=True))
ON = date(2026, 11, 20)
_EXPIRING = ("certificate_expires_6_months", "certificate_expires_1_month")
_OUTCOMES = ("missing", "verify", "renew_first", "undetermined", "receiving", "receiving_not_due")
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫"
_GIVEN = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未"
_SIGNS = VisitSigns.model_validate(
    {
        "title": "风险早发现",
        "owner": "残联",
        "law": "某文〔2021〕1号",
        "signs": [{"id": "无救助", "say": "没有救助", "when": "not 低保", "weight": 5, "ask": "谁照料？"}],
        "monitored": "监测对象",
        "not_checked": ["收入看不到。"],
        "cases": [{"name": "例"}],
    }
)
_VISITS: dict[str, Any] = {
    "person": pl.Int64,
    "certificate_number": pl.String,
    "county_code": pl.String,
    "sign": pl.String,
    "weight": pl.Int64,
    "lost": pl.String,
    "monitored": pl.Boolean,
}


@dataclass(frozen=True)
class World:
    """A night, its reports as written, and each county's password."""

    night: NightForReports
    folder: Path
    passwords: dict[str, str]
    names: dict[str, set[str]]  # county -> who lives there: the truth
    made: dict[tuple[str, str], Any] = field(default_factory=dict)  # what is asked for again and again

    @property
    def settings(self) -> Settings:
        return self.night.settings

    def files(self, code: str) -> tuple[Attachment, ...]:
        return self._once("files", code, self._files)

    def _once(self, what: str, code: str, make: Callable[[str], Any]) -> Any:
        if (what, code) not in self.made:
            self.made[what, code] = make(code)
        return self.made[what, code]

    def _files(self, code: str) -> tuple[Attachment, ...]:
        folder, stem = self.folder / "reports" / code, f"{COUNTIES[code]}_{self.night.as_of:%Y-%m}_第3期"
        split = township_files(folder, stem, f"township-{code}")
        return (
            Attachment(f"{stem}.csv", f"report-{code}.csv", CSV, (folder / "discrepancies.csv").read_bytes()),
            Attachment(
                f"{stem}.xlsx", f"report-{code}.xlsx", XLSX, (folder / "discrepancies.xlsx").read_bytes()
            ),
            *split,
        )

    def locked(self, code: str, files: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
        setting = self.settings.counties[code]
        if not setting.full_ids:
            return files
        files = as_inside_a_zip(files) if setting.seal == "zip" else files
        return seal(files, setting.seal, self.passwords[code], f"{COUNTIES[code]}_第3期", f"report-{code}")

    def expected(self, code: str) -> Expected:
        to = self.settings.recipients[code][0]
        tables = self._once("tables", "", lambda _: tables_of(self.night))
        return self._once("expected", code, lambda _: expected_of(self.night, code, to, tables=tables))

    def letter(self, code: str, files: tuple[Attachment, ...] | None = None, **other: Any) -> Letter:
        if files is None:
            files = self._once("locked", code, lambda _: self.locked(code, self.files(code)))
        else:
            files = self.locked(code, files)
        words = f"[核对]{COUNTIES[code]} {self.night.as_of:%Y-%m} 第3期 新增12 待办40"
        body = f"{COUNTIES[code]}：\n附件是本期核对清单。联系：{self.settings.mail.contact}\n数据：539901_名册_20261031.csv\n"
        to = self.settings.recipients[code][0]
        letter = Letter(f"2026p3-{code}-0a1b2c3d4e", "report", self.night.as_of, code, to, words, body, files)
        return replace(letter, **other)

    def message(self, code: str, **other: Any) -> bytes:
        return build(self.letter(code, **other), self.settings.mail)


def make_world(
    seed: int,
    folder: Path,
    *,
    rich: bool = False,
    as_of: date = ON,
    full: bool | None = None,
    few: bool = False,
) -> World:
    """`rich`: every county has rows on every sheet. `full`: every county, or none, gets whole numbers. `few`: two counties."""
    dice = Random(seed)
    there = sorted(dice.sample(sorted(COUNTIES), 2)) if few else list(COUNTIES)
    names = [f"{a}{b}{c}" for a in _SURNAMES for b in _GIVEN for c in _GIVEN]
    dice.shuffle(names)
    people = [
        _person(dice, code, n, names)
        for code in there
        for n in range(dice.randint(8, 14) if rich else dice.randint(0, 9))
    ]
    if not rich and len(people) > 1 and dice.random() < 0.3:  # one certificate in two counties
        people.append({**people[0], "county_code": people[-1]["county_code"]})
    night = _night(dice, people, rich, as_of, _settings(dice, full), there)
    write_county_reports(night, folder)
    living: dict[str, set[str]] = {code: set() for code in COUNTIES}
    for who in people:
        living[who["county_code"]].add(who["name"])
    return World(night, folder, {code: f"password-{code}-{seed}" for code in COUNTIES}, living)


def _person(dice: Random, code: str, n: int, names: list[str]) -> dict[str, Any]:
    serial = dice.randrange(1000)
    born = f"19{dice.randint(30, 99)}{dice.randint(1, 12):02d}{dice.randint(1, 28):02d}"
    number = nights.id_number(serial, dice.choice([code, code, "539999"]), born)
    name = names.pop()
    mark = dice.choice(["", "", "", "", "=", "·", "<r>", "\r"]) if n > 3 else ""
    return nights.person(
        serial,
        code,
        id_number=number,
        certificate_number=f"{number}{dice.choice('1234567')}{dice.choice('1234')}{dice.choice(['', '', 'B1'])}",
        name=f"{mark}{name}",
        address=f"示例州{COUNTIES[code]}{dice.choice(['云岭乡', '升平镇'])}下坡村{dice.choice(['', number])}",
        guardian_name=dice.choice(["监护示例", number]),
        valid_until=date(2027, 2, 1) if n % 2 else date(2030, 5, 1),
    )


def _night(
    dice: Random, people: list[dict[str, Any]], rich: bool, as_of: date, settings: Settings, there: list[str]
) -> NightForReports:
    outcomes, findings = [], []
    for n, who in enumerate(people):
        kind = _OUTCOMES[n % 6] if rich else dice.choice(_OUTCOMES)
        outcomes.append(nights.outcome(who, "nursing_subsidy", kind))
        if rich or dice.random() < 0.5:
            outcomes.append(nights.outcome(who, "accessibility_renovation", "missing"))
        if rich or dice.random() < 0.3:
            outcomes.append(nights.outcome(who, "living_subsidy", "missing", strength="lead"))
        if who["valid_until"] < date(2028, 1, 1):
            findings.append(nights.finding(who, dice.choice(_EXPIRING)))
        if dice.random() < 0.1:  # off the register
            outside = {**who, "certificate_number": None}
            findings.append(nights.finding(outside, "certificate_not_issued"))
    visits = [
        {
            "person": n,
            "certificate_number": who["certificate_number"],
            "county_code": who["county_code"],
            "sign": "无救助",
            "weight": 5,
            "lost": "",
            "monitored": dice.choice([True, False, None]),
        }
        for n, who in enumerate(people)
        if rich or dice.random() < 0.4
    ]
    pairs = {"nursing_subsidy": ("P3", "P4"), "living_subsidy": ("P3",)}
    rules = {
        code: one.model_copy(update={"pairs": pairs.get(code, ())}) for code, one in nights.rules().items()
    }
    return nights.night(
        people,
        outcomes,
        findings,
        as_of=as_of,
        counties={code: COUNTIES[code] for code in there},
        rules=rules,
        settings=settings,
        cases=_cases(outcomes, findings, as_of),
        visits=VisitList(_SIGNS, pl.DataFrame(visits, schema=_VISITS)),
    )


def _cases(outcomes: list[dict[str, Any]], findings: list[dict[str, Any]], as_of: date) -> pl.DataFrame:
    rows = []
    serials = dict.fromkeys(COUNTIES, 0)
    for row in (*outcomes, *findings):
        code = row["county_code"]
        serials[code] += 1
        case: dict[str, Any] = dict.fromkeys({**CASES, **CASES_TOLD})
        case |= {key: row[key] for key in ("certificate_number", "id_number", "county_code")}
        case |= {
            "case_number": make(LETTERS[code], as_of, serials[code]),
            "subject": row.get("benefit") or row["finding"],
            "state": "sent",
            "first_seen": as_of,
            "times_sent": 1,
            "times_opened": 1,
            "days_open": 0,
            **dict.fromkeys(("suppressed", "overdue", "again", "held"), False),
        }
        rows.append(case)
    return pl.DataFrame(rows, schema=CASES | CASES_TOLD)


def _settings(dice: Random, full: bool | None) -> Settings:
    domains = ["gov.example.cn", "mail.gov.example.cn"]
    counties = {}
    for code in COUNTIES:
        whole = dice.random() < 0.5 if full is None else full
        locked = "zip" if full is not None else dice.choice(["zip"] * 4 + ["xlsx"])
        split = dice.random() < 0.3 and not (whole and locked == "xlsx")  # each workbook costs 100,000 rounds
        counties[code] = {
            "full_ids": whole,
            "full_ids_reason": "审批3号",
            "seal": locked,
            "by_township": split,
        }
    return Settings.model_validate(
        {
            "counties": counties,
            "recipients": {
                code: tuple(f"clerk{n}.{code}@{dice.choice(domains)}" for n in range(dice.randint(1, 3)))
                for code in COUNTIES
            },
            "departments": {"civil_affairs": ("quality@gov.example.cn",)},
            "mail": {
                "sender": "reconcile@gov.example.cn",
                "reply_to": dice.choice(["", "answers@gov.example.cn"]),
                "contact": dice.choice(["某科", "13800001111", "0887-8888888"]),
                "operator": ("watch@gov.example.cn",),
                "allowed_domains": domains,
            },
        }
    )
