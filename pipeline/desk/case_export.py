"""`reconcile cases export`: a county's 工作台账, every case with what became of it (handbook G), as a workbook to file and print."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.cases.case_state import OVER, Case, read_book
from pipeline.cases.ledger import open_ledger
from pipeline.desk.case_list import check_county, must_exist, night_of, refused
from pipeline.desk.case_people import Named, named_people
from pipeline.desk.case_words import KINDS, Titles, county_words, notes_of, result_of, state_words
from pipeline.identity import region
from pipeline.identity.place import township_and_village
from pipeline.reports.guide import Guide
from pipeline.reports.listing import Listing
from pipeline.reports.rows import UNKNOWN_PLACE
from pipeline.reports.safe_text import masked_text, no_formula
from pipeline.reports.workbook import write_workbook
from pipeline.system_files import publish

SHEET = "工作台账"
# Character widths, together under 270: one A4 page's width.
WIDTHS = {
    "疑点编号": 15, "乡镇": 9, "村(社区)": 9, "姓名": 8, "身份证号": 19.5, "事项": 16, "类型": 8, "性质": 6.5,
    "疑点描述": 30, "状态": 15, "首次发现": 10.5, "下发次数": 5, "首次下发": 10.5, "最近下发": 10.5, "反馈截止": 10.5, "反馈日期": 10.5,
    "核查结果": 8, "情况说明": 12, "处理措施": 8.5, "办结日期": 10.5, "销号日期": 10.5, "未结天数": 5, "备注": 14,
}  # fmt: skip
_CENTRED = ("类型", "性质", "下发次数", "未结天数", "核查结果")
_TEXTS = ("姓名", "疑点描述", "情况说明", "备注", "乡镇", "村(社区)")


@dataclass(frozen=True)
class Results:
    """What the last night's result tables say besides: `numbers`: case → certificate, identity number; `reasons`: certificate
    or, where there is none, identity number, and subject → sentence; `names` of people off the register by number."""

    numbers: Mapping[str, tuple[str, str]]
    reasons: Mapping[tuple[str, str], str]
    names: Mapping[str, str]


def export_cases(state: Path, results: Path, county: str, out: Path, titles: Titles) -> str:
    """Writes the workbook, 0600, numbers masked; says how many cases it holds.

    Raises ReconcileError E715, E744 (no case of the county), E747 (no results there), E748 (the file exists or cannot be
    written), as the ledger and the kept night.
    """
    must_exist(state)
    with open_ledger(state) as ledger:
        book = read_book(ledger.events())
        people = named_people(book, ledger.key, state)
    on = night_of(book)
    check_county(book, county)
    told = _read_results(results)
    cases = [case for _, case in sorted(book.cases.items()) if case.county == county]
    rows = [_row(case, _who(case, people, told), told, titles, on) for case in cases]
    table = _with_places(pl.DataFrame(rows, infer_schema_length=None), county)
    _write(out, table, county, on)
    return f"{county_words(county)} {len(cases):,} 件已写入 {out}"


def _read_results(folder: Path) -> Results:
    try:
        cases, outcomes, findings = (
            pl.read_parquet(folder / f"{name}.parquet") for name in ("cases", "outcomes", "findings")
        )
        numbers = {
            number: (certificate or "", identity or "")
            for number, certificate, identity in cases.select(
                "case_number", "certificate_number", "id_number"
            ).iter_rows()
        }
        who = pl.coalesce("certificate_number", "id_number")
        sentences = pl.concat(
            [
                outcomes.select(who.alias("who"), pl.col("benefit").alias("subject"), "reason"),
                findings.select(who.alias("who"), pl.col("finding").alias("subject"), "reason"),
            ]
        )
        outside = findings.filter(pl.col("certificate_number").is_null())
        return Results(
            numbers,
            {(w, s): reason for w, s, reason in sentences.iter_rows()},
            dict(outside.select("id_number", "name").iter_rows()),
        )
    except (OSError, pl.exceptions.PolarsError):
        why = "没有 cases.parquet 等结果表，或文件缺损"
        cure = "用 --results 指到最近一次 `reconcile run` 的 OUT/results"
        raise refused("E747", "结果表读不出来", why, cure) from None


def _who(case: Case, people: Mapping[int, Named], told: Results) -> Named:
    """Of the register as the kept night has him; off it as the results do."""
    known = people.get(case.person)
    if known is not None:
        return known
    certificate, number = told.numbers.get(case.number, ("", ""))
    return Named(told.names.get(number) or "", number, certificate)


def _row(case: Case, who: Named, told: Results, titles: Titles, on: date) -> dict[str, str]:
    answer = case.answer or {}
    over = case.state in OVER
    reason = told.reasons.get((who.certificate_number or who.id_number, case.subject), "")
    return {
        "疑点编号": case.number,
        "address": who.address,
        "姓名": who.name,
        "身份证号": who.masked_id,
        "事项": titles.subject(case.subject),
        "类型": KINDS.get(case.kind, case.kind),
        "性质": titles.nature(case.subject),
        "疑点描述": "" if over else reason,
        "状态": state_words(case, on),
        "首次发现": _day(case.first_seen),
        "下发次数": str(case.times_sent),
        "首次下发": _day(case.first_sent),
        "最近下发": _day(case.last_sent),
        "反馈截止": _day(case.due_on),
        "反馈日期": _day(case.answered_on),
        "核查结果": result_of(case),
        "情况说明": str(answer.get("reason") or ""),
        "处理措施": str(answer.get("measure") or ""),
        "办结日期": str(answer.get("done_on") or ""),
        "销号日期": _day(case.over_on),
        "未结天数": "" if over else str(case.days_open(on)),
        "备注": notes_of(case),
    }


def _day(on: date | None) -> str:
    return on.isoformat() if on else ""


def _with_places(rows: pl.DataFrame, county: str) -> pl.DataFrame:
    """WIDTHS's columns by township, village and number; unknown places last; no formula, no number of a person."""
    places = township_and_village(
        pl.col("address"), region.prefecture_name(county) or "", county_words(county)
    )
    township, village = (
        place.fill_null(UNKNOWN_PLACE).alias(name)
        for place, name in zip(places, ("乡镇", "村(社区)"), strict=True)
    )
    placed = rows.with_columns(township, village).sort(
        pl.col("乡镇") == UNKNOWN_PLACE, "乡镇", pl.col("村(社区)") == UNKNOWN_PLACE, "村(社区)", "疑点编号"
    )
    safe = (
        no_formula(masked_text(pl.col(name)) if name in _TEXTS else pl.col(name)).alias(name)
        for name in WIDTHS
    )
    return placed.select(safe)


def _write(out: Path, table: pl.DataFrame, county: str, on: date) -> None:
    if out.exists():
        raise refused("E748", "工作台账写不出来", "文件已经存在，不会覆盖", "换一个 --out 文件名")
    title = f"{county_words(county)}　残疾人惠民政策疑点工作台账（{on.year}年{on.month}月{on.day}日）"
    guide = Guide(
        title,
        (
            ("这是什么", f"截至{on:%Y-%m-%d}的全部疑点和办理情况，共{table.height}件，含已落实和已关闭的。"),
            (
                "怎样看",
                "“状态”以名册数据为准：已落实、已关闭都由名册显示，不凭口头答复。本表只看不填；反馈请填疑点清单。",
            ),
            ("保管", "含个人信息，只供承办单位内部使用，不得公开张贴，不得通过公共邮箱、微信转发。"),
        ),
        (),
        (),
    )
    listing = Listing(SHEET, WIDTHS, _CENTRED, table)
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".tmp-") as scratch:
            beside = Path(scratch) / "book.xlsx"
            write_workbook(beside, on, guide, (), pl.DataFrame(), Path(scratch), (listing,))
            publish(beside, out)
    except OSError:
        raise refused(
            "E748", "工作台账写不出来", "文件夹不存在，或没有写权限", "换一个 --out 文件名"
        ) from None
