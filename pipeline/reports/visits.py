"""The sheet 走访名单: families at risk by township and village, why, and what to ask, for the visits of 专职委员."""

from __future__ import annotations

import polars as pl

from pipeline.identity.mask import mask_id
from pipeline.identity.place import township_and_village
from pipeline.reports.listing import Listing
from pipeline.reports.night import NightForReports, VisitList
from pipeline.reports.safe_text import masked_text, no_formula

SHEET = "走访名单"
# Columns and their widths in characters: together under 270, so that they print on one A4 page's width.
WIDTHS = {
    "序号": 5.5, "乡镇": 10, "村(社区)": 10, "姓名": 9, "身份证号": 19.5, "残疾类别": 6, "残疾等级": 6, "年龄": 5.5, "监护人": 9,
    "风险迹象数": 6, "权重合计": 6, "风险迹象": 50, "走访时问什么": 64, "是否已是监测对象": 9,
}  # fmt: skip
COLUMNS = tuple(WIDTHS)
_CENTRED = ("序号", "残疾类别", "残疾等级", "年龄", "风险迹象数", "权重合计", "是否已是监测对象")
_BOLD = ("是否已是监测对象", "是")  # who is monitored already
UNKNOWN_PLACE = "未注明"
_LEVELS = {1: "一级", 2: "二级", 3: "三级", 4: "四级"}
_FREE_TEXT = ("乡镇", "村(社区)", "姓名", "监护人", "风险迹象")


def visit_sheet(night: NightForReports, code: str, name: str, *, full_ids: bool) -> Listing | None:
    """A county's list, by township, village, weight and number of signs, certificate; None where it has nobody on it."""
    visits = night.visits
    mine = visits.rows.filter(pl.col("county_code") == code) if visits else pl.DataFrame()
    if visits is None or mine.is_empty():
        return None
    township, village = township_and_village(pl.col("address"), night.region, name)
    rows = (
        _one_a_person(visits, mine)
        .join(_register(night), on="certificate_number", how="left", maintain_order="left")
        .with_columns(township.alias("township"), village.alias("village"))
        .sort(
            ["township", "village", "weight", "signs", "certificate_number", "person"],
            descending=[False, False, True, True, False, False],
            nulls_last=True,
        )
    )
    return Listing(SHEET, WIDTHS, _CENTRED, _printed(rows, night, full_ids), _notes(visits), _BOLD)


def _one_a_person(visits: VisitList, rows: pl.DataFrame) -> pl.DataFrame:
    """One row a person: number and weight of signs, the sentences and the questions a line each, the heaviest first."""
    words = pl.DataFrame(
        [(sign.id, sign.say, sign.ask) for sign in visits.signs.signs],
        schema={"sign": pl.String, "say": pl.String, "ask": pl.String},
        orient="row",
    )
    lost = pl.when(pl.col("lost") == "").then(pl.lit("")).otherwise(pl.format("（{}）", "lost"))
    at = pl.int_range(1, pl.len() + 1).over("person").cast(pl.String)
    return (
        rows.sort(["person", "weight", "sign"], descending=[False, True, False])
        .join(words, on="sign", how="left", maintain_order="left")
        .with_columns(
            pl.concat_str(at, pl.lit(". "), pl.col("say").fill_null(pl.col("sign")), lost).alias("say"),
            pl.concat_str(at, pl.lit(". "), pl.col("ask").fill_null("")).alias("ask"),
        )
        .group_by("person", maintain_order=True)
        .agg(
            pl.col("certificate_number", "monitored").first(),
            pl.len().cast(pl.Int64).alias("signs"),
            pl.col("weight").sum(),
            pl.col("say", "ask").str.join("\n"),
        )
    )


def _register(night: NightForReports) -> pl.DataFrame:
    columns = ["name", "id_number", "address", "category", "level", "birth_date", "guardian_name"]
    return night.people.select("certificate_number", *columns).unique(
        "certificate_number", keep="first", maintain_order=True
    )


def _notes(visits: VisitList) -> tuple[str, ...]:
    """What the list is, with which night was compared, and what it cannot see."""
    signs = visits.signs
    notes = [
        f"{signs.title}：供走访用，按迹象的权重排先后；有迹象不等于有问题，没有列入不等于没有风险。依据：{signs.law}。"
    ]
    losing = "、".join(f"“{sign.id}”" for sign in signs.signs if sign.lost)
    if losing and visits.earlier is None:
        notes.append(f"{losing}本期没有查：没有更早一次比对留下的结果可比，下期起才有。")
    elif losing:
        less = (
            f"（{'、'.join(visits.left_out)}没有比：取数的写法改过或当时没有算）" if visits.left_out else ""
        )
        notes.append(f"{losing}是与{visits.earlier:%Y-%m-%d}的比对相比{less}。")
    return (*notes, *signs.not_checked)


def _printed(rows: pl.DataFrame, night: NightForReports, full_ids: bool) -> pl.DataFrame:
    today = night.as_of.month * 100 + night.as_of.day
    born = pl.col("birth_date")
    birthday = born.dt.month().cast(pl.Int64) * 100 + born.dt.day().cast(pl.Int64)
    age = night.as_of.year - born.dt.year().cast(pl.Int64) - (birthday > today).cast(pl.Int64)
    answer = pl.when("monitored").then(pl.lit(_BOLD[1])).otherwise(pl.lit("否"))
    words = {
        "序号": pl.int_range(1, pl.len() + 1).cast(pl.String),
        "乡镇": pl.col("township").fill_null(UNKNOWN_PLACE),
        "村(社区)": pl.col("village").fill_null(UNKNOWN_PLACE),
        "姓名": pl.col("name"),
        "身份证号": pl.col("id_number") if full_ids else mask_id(pl.col("id_number")),
        "残疾类别": pl.col("category"),
        "残疾等级": pl.col("level").replace_strict(_LEVELS, default=None, return_dtype=pl.String),
        "年龄": age.cast(pl.String),
        "监护人": pl.col("guardian_name"),
        "风险迹象数": pl.col("signs").cast(pl.String),
        "权重合计": pl.col("weight").cast(pl.String),
        "风险迹象": pl.col("say"),
        "走访时问什么": pl.col("ask"),
        "是否已是监测对象": pl.when(pl.col("monitored").is_null()).then(pl.lit("不明")).otherwise(answer),
    }
    masked = () if full_ids else _FREE_TEXT
    return rows.select(
        no_formula((masked_text(words[name]) if name in masked else words[name]).fill_null("")).alias(name)
        for name in COLUMNS
    )
