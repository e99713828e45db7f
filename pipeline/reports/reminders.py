"""Certificates that run out: who is to be reminded, how often that was done, what is at stake; the sheet 换证提醒.

The findings say for whom and at which stage; the ledger says how often a county was told. A person goes from one finding to
the next as the day comes nearer, so the three cases of one person count together. Who has fewer than two reminders
when only a month is left (or none) is escalated.
"""

from __future__ import annotations

import polars as pl

from pipeline.contracts.tables import REMINDERS
from pipeline.entitlement.dates import add_months
from pipeline.identity.place import township_and_village
from pipeline.reports.listing import Listing
from pipeline.reports.night import NightForReports
from pipeline.reports.rows import UNKNOWN_PLACE, safe_column
from pipeline.reports.tally import OUTCOME_WORDS

SHEET = "换证提醒"
# Columns and their widths in characters: together under 270, so that they print on one A4 page's width.
WIDTHS = {
    "序号": 5.5, "县(市、区)": 10, "乡镇": 10, "村(社区)": 10, "姓名": 9, "身份证号": 19.5, "证件有效期至": 11, "剩余天数": 10, "阶段": 9,
    "已提醒次数": 7, "上次提醒": 11, "升级": 6, "升级原因": 30, "涉及待遇": 80,
}  # fmt: skip
_CENTRED = ("序号", "证件有效期至", "剩余天数", "阶段", "已提醒次数", "上次提醒", "升级")
_BOLD = ("升级", "是")
ENOUGH = 2  # reminders, at least (迪残发〔2021〕35号, part 四)
_EXPIRED_MONTHS = 3  # how long one whose certificate has run out stays on the list
_STAGES = {
    "certificate_expires_6_months": "6_months",
    "certificate_expires_1_month": "1_month",
    "certificate_expired": "expired",
}
_STAGE_WORDS = {"6_months": "六个月内", "1_month": "一个月内", "expired": "已到期"}
_AT_STAKE = ("receiving", "missing", "renew_first")
_WHO = ["certificate_number", "id_number", "name", "county_code"]
_NUMBERS = ["certificate_number", "id_number"]  # by these a case knows its person
_NOTES = (
    f"残疾人证六个月内（含）、一个月内（含）到期，或到期不满{_EXPIRED_MONTHS}个月的人，供安排提醒和换证；一人一行。",
    f"每人应提醒不少于{ENOUGH}次。已提醒次数是上述疑点下发给县里的次数，县里自己另外通知的不在内。",
    f"“升级”为“是”的只剩一个月或已到期而提醒不足{ENOUGH}次，请当面告知本人或监护人，帮助办理换证。",
    "“涉及待遇”是本人在享、应享，没有有效的证件就会停或办不成的；没有写金额的，金额不明或不按月发。",
)


def reminder_rows(night: NightForReports) -> pl.DataFrame:
    """One row a person whose certificate runs out within six months or has within the last three: REMINDERS, and besides
    name, address, and at_stake (the benefits in words). In a total order: by REMINDERS' columns.

    Whom a county has answered for with a reason (不属实) rests here as on its list of cases.
    """
    found = _running_out(night)
    return (
        found.join(_told(night, found), on=_WHO, how="left", nulls_equal=True)
        .join(_at_stake(night, found), on=_WHO, how="left", nulls_equal=True)
        .with_columns(
            pl.col("times_reminded").fill_null(0),
            pl.col("benefits").fill_null(""),
            pl.col("at_stake").fill_null(""),
        )
        .with_columns(
            ((pl.col("stage") != "6_months") & (pl.col("times_reminded") < ENOUGH)).alias("escalated")
        )
        .select(*REMINDERS, "name", "address", "at_stake")
        .sort(*REMINDERS, "name", nulls_last=True)
    )


def reminder_sheet(
    night: NightForReports, rows: pl.DataFrame, county: str, *, full_ids: bool
) -> Listing | None:
    """The list of a county named `county`, whose `reminder_rows` these are, by township, village and how soon; None of nobody."""
    if rows.is_empty():
        return None
    township, village = township_and_village(pl.col("address"), night.region, county)
    ordered = rows.with_columns(township.alias("township"), village.alias("village")).sort(
        "township", "village", "valid_until", nulls_last=True, maintain_order=True
    )
    words = _words(night, county)
    table = ordered.select(safe_column(words[name], name, full_ids=full_ids).alias(name) for name in WIDTHS)
    return Listing(SHEET, WIDTHS, _CENTRED, table, _NOTES, _BOLD)


def _running_out(night: NightForReports) -> pl.DataFrame:
    """Who, address, valid_until, finding and stage; the nearer of two stages where a number stands on several rows."""
    until = pl.col("valid_until")
    first, last = add_months(night.as_of, -_EXPIRED_MONTHS), add_months(night.as_of, 6)
    people = night.people.select(*_WHO, "address", "valid_until").filter(until.is_between(first, last))
    resting = night.cases.filter("suppressed").select(*_numbers(), pl.col("subject").alias("finding"))
    return (
        night.findings.filter(pl.col("finding").is_in(list(_STAGES)))
        .select(*_WHO, "finding", *_numbers("case_"))
        .join(people, on=_WHO, how="inner", nulls_equal=True)
        .join(
            resting,
            left_on=["case_certificate_number", "case_id_number", "finding"],
            right_on=[*_NUMBERS, "finding"],
            how="anti",
            nulls_equal=True,
        )
        .with_columns(pl.col("finding").replace_strict(_STAGES, return_dtype=pl.String).alias("stage"))
        .sort(*_WHO, "valid_until", "stage", "address", nulls_last=True)
        .unique(_WHO, keep="first", maintain_order=True)
    )


def _numbers(prefix: str = "") -> list[pl.Expr]:
    """Certificate and ID as a case has them: null for none."""
    return [pl.when(pl.col(name) != "").then(name).alias(f"{prefix}{name}") for name in _NUMBERS]


def _told(night: NightForReports, found: pl.DataFrame) -> pl.DataFrame:
    """Who, times_reminded, last_reminded. What was sent before the last half year of this certificate was about the one before."""
    cases = night.cases.filter(pl.col("subject").is_in(list(_STAGES))).select(
        *_numbers("case_"), "times_sent", "last_sent"
    )
    keys = [f"case_{name}" for name in _NUMBERS]
    return (
        found.select(*_WHO, "valid_until", *_numbers("case_"))
        .join(
            cases.filter(~pl.all_horizontal(pl.col(keys).is_null())), on=keys, how="inner", nulls_equal=True
        )
        .filter(pl.col("last_sent") >= pl.col("valid_until").dt.offset_by("-6mo"))
        .group_by(_WHO)
        .agg(
            pl.col("times_sent").sum().alias("times_reminded"),
            pl.col("last_sent").max().alias("last_reminded"),
        )
    )


def _at_stake(night: NightForReports, found: pl.DataFrame) -> pl.DataFrame:
    """Who, benefits (codes joined by +) and the same in words. All of them need a valid certificate; a lead is no benefit."""
    outcomes = night.outcomes.filter(pl.col("outcome").is_in(list(_AT_STAKE)), pl.col("strength") != "lead")
    mine = outcomes.join(found.select(_WHO), on=_WHO, how="semi", nulls_equal=True)
    if "yuan_a_month" not in mine.columns:
        mine = mine.with_columns(pl.lit(None, dtype=pl.Float64).alias("yuan_a_month"))
    titles = {code: night.rule_title(code) for code in mine["benefit"].unique()}
    yuan = pl.col("yuan_a_month").round(2).cast(pl.String).str.replace(r"\.0$", "")
    said = pl.concat_str(
        pl.col("benefit").replace_strict(titles, return_dtype=pl.String),
        pl.lit("（"),
        pl.col("outcome").replace_strict(OUTCOME_WORDS, return_dtype=pl.String),
        pl.format("，{}元/月", yuan).fill_null(""),
        pl.lit("）"),
    )
    return (
        mine.with_columns(said.alias("at_stake"))
        .sort("benefit", "at_stake")
        .group_by(_WHO, maintain_order=True)
        .agg(pl.col("benefit").str.join("+").alias("benefits"), pl.col("at_stake").str.join("；"))
    )


def _words(night: NightForReports, county: str) -> dict[str, pl.Expr]:
    """The printed columns, before masking."""
    days = (pl.col("valid_until") - pl.lit(night.as_of)).dt.total_days()
    times = pl.col("times_reminded")
    stage = pl.col("stage").replace_strict(_STAGE_WORDS, return_dtype=pl.String)
    often = pl.when(times == 0).then(pl.lit("还没有提醒过")).otherwise(pl.format("只提醒过{}次", times))
    return {
        "序号": pl.int_range(1, pl.len() + 1).cast(pl.String),
        "县(市、区)": pl.lit(county),
        "乡镇": pl.col("township").fill_null(UNKNOWN_PLACE),
        "村(社区)": pl.col("village").fill_null(UNKNOWN_PLACE),
        "姓名": pl.col("name"),
        "身份证号": pl.col("id_number"),
        "证件有效期至": pl.col("valid_until").dt.strftime("%Y-%m-%d"),
        "剩余天数": pl.when(days > 0)
        .then(pl.format("还有{}天", days))
        .when(days == 0)
        .then(pl.lit("当天到期"))
        .otherwise(pl.format("已过{}天", -days)),
        "阶段": stage,
        "已提醒次数": times.cast(pl.String),
        "上次提醒": pl.col("last_reminded").dt.strftime("%Y-%m-%d"),
        "升级": pl.when("escalated").then(pl.lit(_BOLD[1])).otherwise(pl.lit("否")),
        "升级原因": pl.when("escalated").then(
            pl.format("{}，{}，应不少于{}次", stage, often, pl.lit(ENOUGH))
        ),
        "涉及待遇": pl.col("at_stake"),
    }
