"""The words on a county's first sheet (填写说明): six lines and what could not be decided; and what to ask at the visit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipeline.reports import comparison_sheet, reminders, visits
from pipeline.reports.night import NightForReports
from pipeline.reports.wanting import refused_titles, undecided

_LISTINGS = {
    comparison_sheet.SHEET: "“部门比对”把上述各项按部门两两比对排列，另有“在领待核”（在领而看来不符合条件的），供与对方部门核对",
    visits.SHEET: "“走访名单”列有风险迹象的家庭和走访时问什么，供安排入户",
    reminders.SHEET: "“换证提醒”列残疾人证快到期和刚到期的人、已提醒几次、涉及哪些待遇，供安排提醒和换证",
}


@dataclass(frozen=True)
class Guide:
    """`lines` are (heading, words); `undecided` is (政策, 人数, 要补的名册); `unchecked` is (政策, 要请入户核的话)."""

    title: str
    lines: tuple[tuple[str, str], ...]
    undecided: tuple[tuple[str, int, str], ...]
    unchecked: tuple[tuple[str, str], ...]


def county_guide(
    night: NightForReports,
    code: str,
    name: str,
    counts: dict[str, int],
    benefits: set[str],
    listings: Sequence[str],
    township: str = "",
    urgent_by: date | None = None,
) -> Guide:
    """The guide of one county, or of one of its townships. `counts` are rows by sheet, `benefits` the rule codes that occur
    in them, `listings` the sheets that are there besides. `urgent_by`: of a notice between two periods, which has the urgent
    cases only; by when they are to be answered."""
    only_read = [words for sheet, words in _LISTINGS.items() if sheet in listings]
    waiting = undecided(night, code) if urgent_by is None else []
    lines = (
        ("这是什么", _what(counts) if urgent_by is None else _what_is_urgent(counts)),
        (
            "怎样填",
            "只填右边黄色的六列（核查结果至核查日期）：“核查结果”从下拉框选；“情况说明”写一句原因；属实的再填“处理措施”和“办结日期”。其他列请勿改动，行可以筛选，不要删除或合并。“进展”带【】的行请先办。",
        ),
        ("何时反馈、问谁", _when(night, township, urgent_by)),
        ("只看不填的表", "；".join(only_read) + "。" if only_read else "没有另附。"),
        (
            "未采用的名册",
            _refused(night, code, sum(u.people for u in waiting), township)
            if urgent_by is None
            else "不影响本通知所列各件的判断；全县（市、区）的情况随下一期清单说明。",
        ),
        ("数据日期", _dates(night, code)),
    )
    return Guide(
        title=f"{name}{township and '　' + township}　残疾人惠民政策疑点清单（{month_words(night)}{'' if urgent_by is None else '　急件通知'}）",
        lines=lines,
        undecided=tuple((night.rule_title(u.benefit), u.people, _needed(night, u.lists)) for u in waiting),
        unchecked=tuple(
            (rule.title, " ".join(rule.not_checked))
            for key, rule in night.rules.items()
            if key in benefits and rule.not_checked
        ),
    )


def month_words(night: NightForReports) -> str:
    """2026年10月; with the period that goes tonight 2026年10月　第3期."""
    as_of, period = night.as_of, night.period
    if period is None:
        return f"{as_of.year}年{as_of.month}月"
    year, _, month = period.month.partition("-")
    return f"{year}年{int(month)}月　第{period.number}期"


def _when(night: NightForReports, township: str, urgent_by: date | None) -> str:
    """By when to answer, and whom to ask. Counties answer within 5–10 working days (handbook, part G)."""
    days = night.settings.period.workdays_to_answer
    due_on = urgent_by or (night.period.due_on if night.period else None)
    by_row = ""
    if township:
        until = "在县（市、区）规定的日期前"
    elif due_on:
        until = f"反馈截止日：{due_on.year}年{due_on.month}月{due_on.day}日。请在当日前（含当日）"
        by_row = "；某行“反馈截止日”更早的，那一行以它为准"
    else:
        until = f"收到之日起{days}个工作日内，"
    asked = "县（市、区）残联" if township else f"下发本表的{night.region}残联"
    contact = "" if township else night.settings.mail.contact
    return (
        f"{until}把填好的本表原样发回{by_row}。对清单有疑问，找{asked}{f'（{contact}）' if contact else ''}；"
        "对某项政策有疑问，找该行“责任部门”。"
    )


def _what_is_urgent(counts: dict[str, int]) -> str:
    parts = _counted(counts)
    rows = f"：{'、'.join(parts)}" if parts else ""
    return (
        f"两期之间的急件通知，只列不等下一期、请先核查的{rows}。一人一项一行。其他疑点不在这里，随下一期清单下发；"
        "上一期的清单仍按原来的反馈截止日办理。疑点只是提请核查，不是结论，不得据此直接停发。"
    )


def _counted(counts: dict[str, int]) -> list[str]:
    named = (
        ("main", "疑点清单"),
        ("quota", "项目类（排队）"),
        ("verify", "待核实"),
        ("lead", "线索"),
    )
    return [f"“{words}”{counts[key]}条" for key, words in named if counts.get(key)]


def _what(counts: dict[str, int]) -> str:
    parts = _counted(counts)
    if not parts:
        return "本期比对没有发现疑点，无需填写。没有疑点也发一份，以示比对已经做过。"
    return (
        f"各部门名册比对后需要核查的人和事：{'、'.join(parts)}。一人一项一行。"
        "疑点只是提请核查，不是结论，不得据此直接停发。"
    )


def _refused(night: NightForReports, county: str, people: int, township: str) -> str:
    refused = refused_titles(night, county)
    if not refused and not people:
        return "应到的名册都已收到并采用。"
    lists = f"{'、'.join(refused)}。" if refused else "名册都已采用，个别人的必要信息空缺。"
    where = "全县（市、区）" if township else ""
    held = (
        f"因此{where}有{people}人次不能判断，没有列入清单，见下表。" if people else "不影响本清单中的判断。"
    )
    return lists + held


def _needed(night: NightForReports, lists: tuple[str, ...]) -> str:
    return "、".join(night.list_title(key) for key in lists) if lists else "名册已到，个别信息空缺"


def _dates(night: NightForReports, county: str) -> str:
    """Lists by snapshot date, newest first; lists of one date stand together."""
    accepted = (
        night.coverage.filter(
            (pl.col("county_code") == county)
            & (pl.col("status") == "accepted")
            & pl.col("snapshot_date").is_not_null()
        )
        .select("snapshot_date", "dataset")
        .unique()
        .sort(["snapshot_date", "dataset"], descending=[True, False])
    )
    by_date: dict[str, list[str]] = {}
    for on, dataset in accepted.iter_rows():
        by_date.setdefault(f"{on:%Y-%m-%d}", []).append(night.list_title(dataset))
    return "；".join(f"{on}：{'、'.join(titles)}" for on, titles in by_date.items()) or "没有可用的名册。"
