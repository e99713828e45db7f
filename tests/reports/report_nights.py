"""Small real nights for the report tests: synthetic people of the unassigned prefecture 5399 示例州."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import FieldQuality
from pipeline.contracts.problem import Problem
from pipeline.contracts.rule import Rule
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import COVERAGE, FINDINGS, LINKS, OUTCOMES, UNLINKED
from pipeline.reports.night import NightForReports

AS_OF = date(2026, 10, 31)
COUNTIES = {"539901": "示例市", "539902": "东川示例县", "539924": "南坪示例县"}
PEOPLE_SCHEMA: dict[str, Any] = {
    "certificate_number": pl.String,
    "id_number": pl.String,
    "name": pl.String,
    "county_code": pl.String,
    "address": pl.String,
    "category": pl.String,
    "level": pl.Int64,
    "valid_until": pl.Date,
    "state": pl.String,
    "birth_date": pl.Date,
    "guardian_name": pl.String,
    "phone": pl.String,
}


def id_number(serial: int, county: str = "539901", born: str = "19800101") -> str:
    """A sound ID number of nobody."""
    body = f"{county}{born}{serial:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


def person(serial: int, county: str = "539901", **other: Any) -> dict[str, Any]:
    number = id_number(serial, county)
    return {
        "certificate_number": f"{number}41",
        "id_number": number,
        "name": f"示例{serial}",
        "county_code": county,
        "address": f"示例州{COUNTIES.get(county, '')}云岭乡下坡村{serial}",
        "category": "肢体",
        "level": 1,
        "valid_until": date(2030, 5, 1),
        "state": "正常",
        "birth_date": date(1980, 11, 1),
        "guardian_name": "监护示例",
        "phone": "13900000000",
    } | other


def outcome(who: dict[str, Any], benefit: str, code: str, **other: Any) -> dict[str, Any]:
    return {
        "certificate_number": who["certificate_number"],
        "id_number": who["id_number"],
        "name": who["name"],
        "county_code": who["county_code"],
        "benefit": benefit,
        "outcome": code,
        "strength": "quota" if benefit == "accessibility_renovation" else "entitlement",
        "reason": "《残疾人两项补贴发放花名册》（2026-10-31）中未见在领护理补贴。",
        "rule_version": "1",
    } | other


def finding(who: dict[str, Any], code: str, **other: Any) -> dict[str, Any]:
    return {
        "certificate_number": who["certificate_number"],
        "id_number": who["id_number"],
        "name": who["name"],
        "county_code": who["county_code"],
        "finding": code,
        "reason": "残疾人证有效期至2026-09-30，已过期。",
    } | other


def rule(code: str, title: str, when: str, received: str = "", **other: Any) -> Rule:
    named = {"benefit": code, "received": received} if received else {"finding": code}
    return Rule.model_validate(
        {
            **named,
            "title": title,
            "owner": "民政",
            "law": "国发〔2015〕52号",
            "since": "2016-01-01",
            "who": [{"id": "条件", "say": "条件", "when": when}],
            "cases": [{"name": "例", "expect": "undetermined"}],
        }
        | other
    )


def rules() -> dict[str, Rule]:
    all_rules = [
        rule(
            "nursing_subsidy",
            "重度残疾人护理补贴",
            "残疾等级 <= 2",
            "在领护理补贴",
            urgency=1,
            not_checked=["长期照护需求由乡镇入户核实。"],
        ),
        rule("living_subsidy", "困难残疾人生活补贴", "低保", "在领生活补贴", urgency=2),
        rule("accessibility_renovation", "家庭无障碍改造", "残疾等级 <= 2", "在领护理补贴", strength="quota"),
        rule("certificate_expired", "残疾人证已过期", "残疾等级 <= 4"),
        rule("certificate_not_issued", "已评定未办证", "残疾等级 <= 4", subject="outside_register"),
        rule("subsidy_with_tekun", "特困人员又领补贴", "低保"),
        rule("payment_failed", "补贴未到账", "低保"),
    ]
    return {one.code: one for one in all_rules}


def dataset(key: str, title: str, department: str, facts: dict[str, str], by: str = "county") -> Dataset:
    return Dataset.model_validate(
        {
            "dataset": key,
            "title": title,
            "department": department,
            "grain": "人",
            "role": "register" if key == "federation/register" else "list",
            "delivery": {"by": by, "stale_after_days": "45"},
            "person": {"name": "name", "id": "id"},
            "fields": {
                "name": {"title": "姓名", "type": "name", "required": True, "headers": ["姓名"]},
                "id": {"title": "身份证号", "type": "id", "required": True, "headers": ["身份证号"]},
                "state": {"title": "状态", "type": "code", "headers": ["状态"], "codes": {"在保": ["在保"]}},
            },
            "facts": {name: {"of": of} for name, of in facts.items()},
        }
    )


def datasets() -> dict[str, Dataset]:
    register = dataset(
        "federation/register", "持证残疾人名册", "残联", {"残疾等级": "first(state)"}, "prefecture"
    )
    dibao = dataset("civil_affairs/dibao", "最低生活保障对象花名册", "民政", {"低保": "any(live)"})
    subsidies = dataset(
        "civil_affairs/two_subsidies",
        "残疾人两项补贴发放花名册",
        "民政",
        {"在领护理补贴": "any(live)", "在领生活补贴": "any(live)"},
    )
    return {one.dataset: one for one in (register, dibao, subsidies)}


def coverage(refused: dict[tuple[str, str], str] | None = None) -> pl.DataFrame:
    refused = refused or {}
    rows = [
        (key, county, refused.get((key, county), "accepted"), AS_OF, 10, "")
        for key in datasets()
        for county in COUNTIES
    ]
    return pl.DataFrame(rows, schema=COVERAGE, orient="row")


def night(
    people: list[dict[str, Any]] | None = None,
    outcomes: list[dict[str, Any]] | None = None,
    findings: list[dict[str, Any]] | None = None,
    **other: Any,
) -> NightForReports:
    """A night of the given rows; everything else small and fixed."""
    base = NightForReports(
        as_of=AS_OF,
        region="示例州",
        counties=COUNTIES,
        people=pl.DataFrame(people or [], schema=PEOPLE_SCHEMA),
        outcomes=pl.DataFrame(outcomes or [], schema=OUTCOMES),
        findings=pl.DataFrame(findings or [], schema=FINDINGS),
        coverage=coverage(),
        links=pl.DataFrame(schema=LINKS),
        unlinked=pl.DataFrame(schema=UNLINKED),
        quality=(),
        problems=(),
        files_read=5,
        rows_read=1234,
        rows_quarantined=6,
        rules=rules(),
        datasets=datasets(),
        settings=Settings(),
    )
    return dataclasses.replace(base, **other)


def full_night(**other: Any) -> NightForReports:
    """A night with one of everything: every outcome, a refused list, dirt, problems; 539924 has nothing to report."""
    people = [person(n, "539901" if n % 2 else "539902") for n in range(1, 21)]
    outside = person(99, "539902", certificate_number=None, name="未办证例")
    codes = ("missing", "verify", "renew_first", "undetermined", "receiving", "receiving_not_due")
    outcomes = [outcome(p, "nursing_subsidy", codes[n % 6]) for n, p in enumerate(people)]
    outcomes += [outcome(p, "living_subsidy", "undetermined") for p in people if p["county_code"] == "539902"]
    outcomes += [outcome(p, "accessibility_renovation", "missing") for p in people[:3]]
    findings = [finding(people[0], "certificate_expired"), finding(outside, "certificate_not_issued")]
    whole: dict[str, Any] = {
        "coverage": coverage({("civil_affairs/dibao", "539902"): "missing"}),
        "quality": (
            FieldQuality(
                "civil_affairs/dibao", "539901", "a.csv", "id", 100, 2, 5, (("checksum", 3), ("masked", 2))
            ),
            FieldQuality("civil_affairs/dibao", "539901", "a.csv", "state", 100, 0, 4, (("在报", 4),)),
        ),
        "problems": (
            Problem("N001", "note", "多一列", "数据说明里没有", "可以不管", file="a.csv", column="备注"),
            Problem(
                "E214", "error", "缺少必需的列“姓名”", "最接近的是“姓 名”", "登记别名", file="b.csv", row=3
            ),
        ),
    }
    return dataclasses.replace(night(people, outcomes, findings), **(whole | other))
