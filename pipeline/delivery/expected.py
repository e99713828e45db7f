"""What a county's letter may hold, made from the night's tables and not from the files that were written of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import polars as pl

from pipeline.delivery.letter import Expected
from pipeline.reports import comparison_sheet, reminders, visits
from pipeline.reports.county import full_ids
from pipeline.reports.night import NightForReports
from pipeline.reports.rows import COLUMNS, LEAD, MAIN, QUOTA, VERIFY, case_rows, safe_column

CSV_TABLE = "csv"  # the key of the CSV in `rows` and `columns`
NUMBERS_TABLE = "编号"  # the key of the CSV of case numbers that goes with a notice
NUMBERS = ("疑点编号", "事项", "日期", "说明")  # its columns
GUIDE, TOWNSHIPS = "填写说明", "乡镇汇总"
# Sheets without rows of people: no columns are set, only the net for numbers is held under them.
FREE_SHEETS = (GUIDE, TOWNSHIPS, "入户核实要点")
# Said here once more and not taken from the writer of the workbook: a check must not repeat the other's mistake.
CASE_SHEETS = {MAIN: "疑点清单", QUOTA: "项目类（排队）", VERIFY: "待核实", LEAD: "线索（走访参考）"}
_WHO = ("county_code", "name", "id_number", "certificate_number")
_LISTED = (*_WHO, "case_number", "code", "sheet")
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    CSV_TABLE: COLUMNS,
    **dict.fromkeys(CASE_SHEETS.values(), COLUMNS),
    visits.SHEET: visits.COLUMNS,
    comparison_sheet.SHEET: tuple(comparison_sheet.WIDTHS),
    reminders.SHEET: tuple(reminders.WIDTHS),
    **dict.fromkeys(FREE_SHEETS, ()),
}
# A notice has no visits and no reminders: such a sheet would be one that is not known.
_NOTICE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    NUMBERS_TABLE: NUMBERS,
    **{key: _COLUMNS[key] for key in (CSV_TABLE, *CASE_SHEETS.values(), comparison_sheet.SHEET)},
    **dict.fromkeys(FREE_SHEETS, ()),
}


@dataclass(frozen=True)
class NightTables:
    """What is counted and listed once a night for all counties; each by county code."""

    rows: Mapping[str, Mapping[str, int]]  # sheet (or "csv") -> rows
    people: Mapping[str, pl.DataFrame] = field(repr=False)  # name, id_number, certificate_number
    cases: Mapping[str, frozenset[str]] = field(repr=False)
    listed: pl.DataFrame = field(repr=False)  # every row of every county: _LISTED


def tables_of(night: NightForReports) -> NightTables:
    """Counts every county's rows and gathers its people and case numbers."""
    people = _people(night)
    listed = case_rows(night).select(*_LISTED)
    return NightTables(_rows(night, listed), _by_county(people), _cases(night, people), listed)


def expected_of(night: NightForReports, code: str, to: str, *, tables: NightTables | None = None) -> Expected:
    """What the letter with the county's report to the address may hold. `tables`: made once a night, where many are asked for."""
    tables = tables or tables_of(night)
    whole = full_ids(night, code)
    rows = dict.fromkeys((key for key in _COLUMNS if key not in FREE_SHEETS), 0)
    rows |= tables.rows.get(code, {})
    mine = tables.people.get(code)
    return Expected(
        place=code,
        county_name=night.county_name(code),
        to=to,
        rows=rows,
        columns=_COLUMNS,
        cases=tables.cases.get(code, frozenset()),
        people=frozenset() if mine is None else _printed(mine, full=whole),
        full_ids=whole,
    )


def expected_of_notice(
    night: NightForReports,
    code: str,
    to: str,
    tables: NightTables,
    asked: Collection[str],
    told: Collection[str],
) -> Expected:
    """What a notice to the address may hold: the rows and people of the cases `asked` and no other, and the numbers of those
    `told` (reminders, corrections; once each), without people."""
    whole = full_ids(night, code)
    mine = tables.listed.filter(pl.col("county_code") == code, pl.col("case_number").is_in(list(asked)))
    rows: dict[str, int] = {NUMBERS_TABLE: len(told)} if told else {}
    if asked:
        rows |= dict.fromkeys((CSV_TABLE, *CASE_SHEETS.values(), comparison_sheet.SHEET), 0)
        rows |= _case_counts(night, mine).get(code, {})
    tables_of_people = dict.fromkeys((CSV_TABLE, *CASE_SHEETS.values()), frozenset(asked))
    return Expected(
        place=code,
        county_name=night.county_name(code),
        to=to,
        rows=rows,
        columns=_NOTICE_COLUMNS,
        cases=frozenset((*asked, *told)),
        people=_printed(mine.select(_WHO), full=whole),
        full_ids=whole and bool(asked),
        listed={**tables_of_people, NUMBERS_TABLE: frozenset(told)},
    )


def nothing_of_people(
    place: str,
    to: str,
    rows: int | None = None,
    columns: tuple[str, ...] = (),
    *,
    cases: frozenset[str] = frozenset(),
) -> Expected:
    """Of a letter without rows of people: `quality`, `operator`, or words alone.

    `rows`: of the CSV that goes with it, None for no CSV; `columns` its header, () for any. `cases`: those that it may name.
    """
    if rows is None:
        return Expected(place, "", to, {}, {}, cases, frozenset())
    return Expected(place, "", to, {CSV_TABLE: rows}, {CSV_TABLE: columns}, cases, frozenset())


def _rows(night: NightForReports, listed: pl.DataFrame) -> dict[str, dict[str, int]]:
    found = _case_counts(night, listed)
    if night.visits is not None:
        for county, count in (
            night.visits.rows.group_by("county_code").agg(pl.col("person").n_unique()).iter_rows()
        ):
            found.setdefault(county, {})[visits.SHEET] = count
    for county, count in reminders.reminder_rows(night).group_by("county_code").len().iter_rows():
        found.setdefault(county, {})[reminders.SHEET] = count
    return found


def _case_counts(night: NightForReports, cases: pl.DataFrame) -> dict[str, dict[str, int]]:
    """By county and sheet, of these rows: the sheets of cases, the CSV and the comparisons."""
    pairs = pl.DataFrame(
        [(code, len(rule.pairs)) for code, rule in night.rules.items()],
        schema={"code": pl.String, "pairs": pl.Int64},
        orient="row",
    )
    compared = cases.join(pairs, on="code", how="left").group_by("county_code").agg(pl.col("pairs").sum())
    found: dict[str, dict[str, int]] = {}
    for county, sheet, count in cases.group_by("county_code", "sheet").len().iter_rows():
        of = found.setdefault(county, {})
        if sheet in CASE_SHEETS:
            of[CASE_SHEETS[sheet]] = count
        if sheet in (MAIN, QUOTA):
            of[CSV_TABLE] = of.get(CSV_TABLE, 0) + count
    for county, count in compared.iter_rows():
        found.setdefault(county, {})[comparison_sheet.SHEET] = count
    return found


def _people(night: NightForReports) -> pl.DataFrame:
    """Who may be told of in a county: its register people, those its outcomes and findings name (also off the register), and
    whoever has the certificate number of one on its list of visits."""
    told = [frame.select(_WHO) for frame in (night.people, night.outcomes, night.findings)]
    if night.visits is not None:
        visited = night.visits.rows.select("county_code", "certificate_number").unique()
        register = night.people.select("name", "id_number", "certificate_number")
        told.append(visited.join(register, on="certificate_number").select(_WHO))
    return pl.concat(told).filter(pl.col("county_code").is_not_null()).unique()


def _by_county(people: pl.DataFrame) -> dict[str, pl.DataFrame]:
    parts = people.partition_by("county_code", as_dict=True, include_key=False)
    return {str(code): part for (code,), part in parts.items()}


def _cases(night: NightForReports, people: pl.DataFrame) -> dict[str, frozenset[str]]:
    """The county's cases, and those of its people that were opened elsewhere: a case keeps its number when one moves."""
    cases = night.cases.select("case_number", "county_code", "certificate_number", "id_number")
    own = [cases.select("county_code", "case_number")]
    for number in ("certificate_number", "id_number"):
        known = people.filter(pl.col(number) != "").select("county_code", number).unique()
        own.append(
            cases.select("case_number", number).join(known, on=number).select("county_code", "case_number")
        )
    grouped = pl.concat(own).drop_nulls().group_by("county_code").agg(pl.col("case_number").unique())
    return {county: frozenset(numbers) for county, numbers in grouped.iter_rows()}


def _printed(people: pl.DataFrame, *, full: bool) -> frozenset[tuple[str, str]]:
    """(name, number) with both numbers as the reports print them; "" for none."""
    shown = people.select(
        safe_column(pl.col("name"), "姓名", full_ids=full).alias("name"),
        safe_column(pl.col("id_number"), "身份证号", full_ids=full).alias("id"),
        safe_column(pl.col("certificate_number"), "残疾人证号", full_ids=full).alias("certificate"),
    )
    return frozenset(
        pair
        for name, number, certificate in shown.iter_rows()
        for pair in ((name, number), (name, certificate))
    )
