"""Holds every table of a letter's files against what is expected of it: columns, rows, county, cases, people, numbers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from pipeline.delivery.egress_workbook import open_workbook
from pipeline.delivery.expected import CSV_TABLE, GUIDE, NUMBERS_TABLE, TOWNSHIPS
from pipeline.delivery.letter import CSV, Attachment, Expected
from pipeline.identity.number_net import MASKED, MASKED_NUMBER, has_number, other_cases
from pipeline.reports.safe_text import FORMULA_START

COUNTY, CASE, NAME, MONTH, TOWNSHIP = "县(市、区)", "疑点编号", "姓名", "比对月份", "乡镇"
NUMBERS = ("身份证号", "残疾人证号")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_LONE_LINE_END = re.compile(r"(?<!\r)\n|\r(?!\n)")
_FORMULA = re.compile(FORMULA_START)
_NO_CHARACTER = re.compile(
    r"_x[0-9A-Fa-f]{4}_|[\x00-\x1f\x7f]"
)  # how a workbook writes control characters, and they
_COUNTY_CODE = re.compile(r"[0-9]{6}")


@dataclass(frozen=True)
class Held:
    """What tables are held against."""

    expected: Expected
    on: date
    contact: str  # whom to ask: a telephone number that stands on the first sheet
    people: frozenset[tuple[str, str]] = field(repr=False)

    @staticmethod
    def of(expected: Expected, on: date, contact: str) -> Held:
        people = frozenset((_same(name), number) for name, number in expected.people)
        return Held(expected, on, contact, people)

    @property
    def of_county(self) -> bool:
        return bool(_COUNTY_CODE.fullmatch(self.expected.place))


@dataclass
class Found:
    """Reasons, and rows by table, of the county's own files and of its townships'."""

    reasons: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    of_townships: dict[str, int] = field(default_factory=dict)
    workbooks: int = 0


def check_file(file: Attachment, held: Held, found: Found, *, township: bool) -> None:
    """One CSV or workbook. `township`: one of the split files, which have a township's rows each."""
    if file.kind == CSV:
        _check_csv(file.data, held, found, township=township)
    else:
        _check_workbook(file.data, held, found, township=township)


def check_numbers(file: Attachment, held: Held, found: Found) -> None:
    """The CSV of case numbers beside a notice: it travels unlocked, so whole numbers are none of it whatever the county gets."""
    where = "编号 CSV"
    bare = replace(held, expected=replace(held.expected, full_ids=False))
    rows = _csv_rows(file.data, where, found)
    body = _check_table(NUMBERS_TABLE, where, rows, bare, found.rows, found.reasons)
    if any(MASKED.search(cell) for row in rows for cell in row):
        found.reasons.append(f"{where}有人的号码，而那里不该有")
    twice = len({tuple(row[:1]) for row in body}) != len(body)
    if twice or any(not row[0] for row in body):
        found.reasons.append(f"{where}的疑点编号有空的或重复的")


def _csv_rows(data: bytes, where: str, found: Found) -> list[list[str]]:
    text = data.decode("utf-8")
    bare = _QUOTED.sub("", text)
    if not text.startswith("\ufeff") or _LONE_LINE_END.search(bare) or not bare.endswith("\r\n"):
        found.reasons.append(f"{where}不是带 BOM、以 CRLF 换行的格式")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
    if any(_FORMULA.match(cell) for row in rows for cell in row):
        found.reasons.append(f"{where}里有会被当作公式的单元格")
    return rows


def _check_csv(data: bytes, held: Held, found: Found, *, township: bool) -> None:
    where = "CSV（乡镇目录）" if township else "CSV"
    rows = _csv_rows(data, where, found)
    columns = held.expected.columns.get(CSV_TABLE)
    if township or columns == ():  # no people in it: which file is whose, or places in a department's files
        found.reasons += _free(where, rows, held, masked=True)
        if not township:
            found.rows[CSV_TABLE] = found.rows.get(CSV_TABLE, 0) + max(0, len(rows) - 1)
    else:
        _check_table(CSV_TABLE, where, rows, held, found.rows, found.reasons)


def _check_workbook(data: bytes, held: Held, found: Found, *, township: bool) -> None:
    book = open_workbook(data)
    found.workbooks += not township
    found.reasons += book.reasons
    if book.month != (held.on.year, held.on.month):
        found.reasons.append("工作簿不是本月做的")
    counts = found.of_townships if township else found.rows
    for sheet, rows in book.sheets.items():
        columns = held.expected.columns.get(sheet)
        where = f"工作表“{sheet}”" if columns is not None else "工作表"
        if columns is None or sheet == CSV_TABLE:
            found.reasons.append("工作簿里有不认识的工作表")
            found.reasons += _free(where, rows, held)
        elif not columns:
            found.reasons += _free(where, rows, held, masked=township or sheet == TOWNSHIPS)
            title = "".join(rows[0]) if rows else ""
            if sheet == GUIDE and held.of_county and held.expected.county_name not in title:
                found.reasons.append(f"{where}不是该县的")
        else:
            if sheet in book.numbers:
                found.reasons.append(f"{where}有不是文本的单元格")
            body = _check_table(sheet, where, rows, held, counts, found.reasons)
            places = {row[columns.index(TOWNSHIP)] for row in body} if TOWNSHIP in columns else set()
            if township and len(places) > 1:
                found.reasons.append(f"乡镇分表的{where}有几个乡镇的人")


def _check_table(
    key: str, where: str, rows: list[list[str]], held: Held, counts: dict[str, int], reasons: list[str]
) -> list[list[str]]:
    """Adds to the counts and reasons; returns the rows, each as long as the columns."""
    columns = held.expected.columns.get(key, ())
    head = next((at for at in (0, 1) if at < len(rows) and _trimmed(rows[at]) == columns), None)
    if head is None or not columns or any(len(_trimmed(row)) > 1 for row in rows[:head]):
        reasons.append(f"{where}的列与规定的不一致")
        reasons += _free(where, rows, held)
        return []
    body = rows[head + 1 :]
    if any(len(_trimmed(row)) > len(columns) for row in body):
        reasons.append(f"{where}有行比表头长")
    body = [[*row, *[""] * len(columns)][: len(columns)] for row in body]
    counts[key] = counts.get(key, 0) + len(body)
    reasons += _bad_rows(key, where, columns, body, held)
    reasons += _cells(where, rows[:head], held)
    return body


def _bad_rows(
    key: str, where: str, columns: tuple[str, ...], body: list[list[str]], held: Held
) -> Iterable[str]:
    """One reason a kind, with the number of rows it is true of."""
    expected, at = held.expected, {column: place for place, column in enumerate(columns)}
    month = f"{held.on.year}年{held.on.month:02d}月"
    numbers = [at[column] for column in NUMBERS if column in at]

    def told(what: str, bad: Sequence[bool]) -> Iterable[str]:
        if any(bad):
            yield f"{where}有{sum(bad)}行{what}"

    if COUNTY in at and held.of_county:
        name = _same(expected.county_name)
        yield from told("不是该县的", [_same(row[at[COUNTY]]) != name for row in body])
    if CASE in at:
        listed = expected.listed.get(key)
        known = {"", *expected.cases} if listed is None else listed
        yield from told("的疑点编号不是该县的", [row[at[CASE]] not in known for row in body])
    if MONTH in at:
        yield from told("不是本月比对的", [row[at[MONTH]] != month for row in body])
    if NAME in at:
        yield from told("的人不是该县的", [not _is_known(row, at[NAME], numbers, held) for row in body])
    elif numbers:
        yield from told("有证件号码而没有姓名", [any(row[place] for place in numbers) for row in body])
    if not expected.full_ids:
        bare = [any(not MASKED_NUMBER.fullmatch(row[place]) for place in numbers) for row in body]
        yield from told("的证件号码没有掩码", bare)
    yield from _cells(where, body, held)


def _is_known(row: list[str], name: int, numbers: Collection[int], held: Held) -> bool:
    """Every number of the row belongs, with the name, to one of the county's people; without a number the name does."""
    own = [
        row[place].removesuffix("\t") for place in numbers
    ]  # a CSV with whole numbers has a tab behind each
    return all((_same(row[name]), number) in held.people for number in ([one for one in own if one] or [""]))


def _cells(where: str, rows: list[list[str]], held: Held) -> Iterable[str]:
    """The net: no unmasked number in any cell of a masked report, no case of another county in any."""
    cells = {cell for row in rows for cell in row}
    if not held.expected.full_ids and any(has_number(cell) for cell in cells):
        yield f"{where}有未掩码的号码"
    if any(other_cases(cell, held.expected.cases) for cell in cells):
        yield f"{where}提到了不是该县的疑点编号"


def _free(where: str, rows: list[list[str]], held: Held, *, masked: bool = False) -> Iterable[str]:
    """A table without rows of people: no number of a person, and no case of another county. `masked`: numbers may stand there
    as everywhere in this letter, in a township's name that was read out of an address or in the name of a department's file."""
    if not masked and any(MASKED.search(cell) for row in rows for cell in row):
        yield f"{where}有人的号码，而那里不该有"
    if not masked and held.expected.full_ids and any(has_number(cell) for cell in _asking(rows, held)):
        yield f"{where}有人的号码，而那里不该有"
    yield from _cells(where, [_asking(rows, held)], held)


def _asking(rows: list[list[str]], held: Held) -> list[str]:
    """The cells without whom to ask: his telephone number is meant to be read."""
    return [cell.replace(held.contact, " ") if held.contact else cell for row in rows for cell in row]


def _trimmed(row: list[str]) -> tuple[str, ...]:
    cells = list(row)
    while cells and not cells[-1]:
        cells.pop()
    return tuple(cells)


def _same(text: str) -> str:
    """A name without what CSV and workbook write differently: control characters, apostrophes against formulas."""
    return _NO_CHARACTER.sub("", text).replace("'", "")
