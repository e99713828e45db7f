"""How a rule's codes, dates, regions and values are said to people who read law, not YAML."""

from __future__ import annotations

from datetime import date

from stdnum import numdb

from pipeline.contracts.rule import Case
from pipeline.identity.region import county_name, prefecture_name
from pipeline.reports.tally import OUTCOME_WORDS

STRENGTHS = {"entitlement": "应享", "quota": "名额", "lead": "线索"}
STRENGTH_SAID = {
    "entitlement": "符合条件就应当享受，没有享受的逐人提示",
    "quota": "按名额安排，没有轮到是在排队，不是差错",
    "lead": "只说明值得上门了解，是否符合由主管部门认定",
}
FINDING, FINDING_SAID = "核查提示", "两份名单互相矛盾或临近期限，请人核实，不据此停发任何待遇"
PER = {"month": "每月", "year": "每年", "once": "一次性"}
SUBJECTS = {"register": "持证残疾人", "outside_register": "名单上有、名册上没有的人"}
# The comparisons of 迪残发〔2021〕35号, part 四.
PAIRS = {
    "P0": "各部门（“两不愁三保障”信息核查）",
    "P1": "残联—人社",
    "P2": "残联—乡村振兴",
    "P3": "残联—民政—财政",
    "P4": "残疾人证—两项补贴",
    "P5": "残联—教育",
    "P6": "残联—医保",
    "P7": "残联—卫健",
    "P8": "残联—住建",
}
ANSWERS = {
    **OUTCOME_WORDS,
    "not_due": "不享受",
    "found": "提示",
    "not_found": "不提示",
}
NATION = "全国"
ONLY_CERTAIN = "只在确定时"
UNCONFIRMED = "待核"
_YES_NO = {"yes": "是", "no": "否", "true": "是", "false": "否"}


def day_words(day: date) -> str:
    """2016年1月1日."""
    return f"{day.year}年{day.month}月{day.day}日"


def region_words(prefix: str) -> str:
    """四川省（51）; "" is the whole nation; the bare code where nobody knows it."""
    if not prefix:
        return NATION
    name = county_name(prefix) if len(prefix) == 6 else prefecture_name(prefix) if len(prefix) == 4 else None
    if len(prefix) == 2 or (name is None and prefix.endswith("0000")):
        properties: dict[str, str] = numdb.get("cn/loc").info(prefix[:2])[0][1]
        name = properties.get("province")
    elif name is None and prefix.endswith("00"):
        name = prefecture_name(prefix)
    return f"{name}（{prefix}）" if name else prefix


def value_words(value: str | None, unit: str) -> str:
    """110元/月; 是; 未知 where no value is in force."""
    if value is None:
        return "未知"
    said = _YES_NO.get(value, value)
    return said if unit in ("", "是否") else f"{said}{unit}"


def given_words(case: Case) -> str:
    """低保 是，特困供养 否: what a case states; everything else is unknown there."""
    return "，".join(f"{name} {_YES_NO.get(value, value)}" for name, value in case.given.items())


def answer_words(case: Case) -> str:
    """应享未享; 不享受，因为“特困”."""
    said = ANSWERS.get(case.expect, case.expect)
    why = "、".join("是否已享受" if name == "received" else name for name in case.because)
    because = "未知的是" if case.expect == "undetermined" else "因为"
    return f"{said}（{because}：{why}）" if why else said
