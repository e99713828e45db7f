"""Which sheets of a workbook hold the list: one, or one a township. Nobody may be lost on a sheet that is not read.

A person on an unread sheet would count as absent from the list. So a sheet that plainly holds people but no header
refuses the file, as does a hidden sheet with people who stand on no visible one; everything else unread is noted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.problem import Problem
from pipeline.intake.header import SEARCHED_ROWS, Header, locate_header
from pipeline.intake.header_problems import HeaderProblem, Place
from pipeline.intake.header_text import holds_number
from pipeline.intake.workbook import Sheet

Picked = tuple[Sheet, Header]

_ANY_LAYOUT = (
    3  # rows of numbers from which a sheet without a header holds people, wherever the numbers stand
)
_ABOUT_AS_WIDE = 0.6  # of the filled cells that the list's rows have
_SEEN_ROWS = 200  # of the list, to know how many cells its rows fill
# A cell that is an identity or certificate number and nothing else, however damaged: masked, numeric, 5.39E+17.
_NUMBER = re.compile(
    r"[\x01'=\"]*(?:[0-9*]{9,21}[0-9X*](?:[0-9]{2})?(?:B[1-9])?|[0-9](?:\.[0-9]+)?E\+?1[0-9])\"?"
)
_SPACE = re.compile(r"[\s\u200b-\u200f\ufeff-]+")


@dataclass(frozen=True)
class _Layout:
    """How the rows of the picked sheets look: columns of the person's numbers, filled cells (the typical number)."""

    numbers: frozenset[int]
    width: float


def pick_sheets(sheets: Sequence[Sheet], dataset: Dataset, county: str) -> list[Picked]:
    """The visible sheets that hold the list; sheets of instructions and codes are left out.

    Raises the likeliest sheet's HeaderProblem if none holds it; that of a visible sheet with people but without known
    columns (E211-E214); E216 for a hidden sheet with people who stand on no visible one.
    """
    picked: list[Picked] = []
    failed: list[tuple[Sheet, HeaderProblem]] = []
    for sheet in (sheet for sheet in sheets if sheet.visible):
        try:
            picked.append((sheet, locate_header(sheet.rows, dataset, county, whole=True)))
        except HeaderProblem as problem:
            failed.append((sheet, problem))
    place = Place(dataset, county)
    if not picked and not failed:
        raise HeaderProblem((place.none(0, [], SEARCHED_ROWS),))
    if not picked:
        sheet, likeliest = min(failed, key=lambda pair: _unlikely(*pair))
        raise type(likeliest)(tuple(replace(problem, sheet=sheet.name) for problem in likeliest.problems))
    layout = _layout(picked, dataset)
    for sheet, failure in failed:
        if failure.problem.code != "E211" and any(map(holds_number, sheet.rows)):
            raise type(failure)(tuple(replace(problem, sheet=sheet.name) for problem in failure.problems))
        if failure.problem.code == "E211" and _holds_people(sheet, layout):
            raise HeaderProblem((replace(_no_header(place), sheet=sheet.name),))
    for sheet in (sheet for sheet in sheets if not sheet.visible):
        if _hides_people(sheet, picked, layout, dataset, county):
            raise HeaderProblem((replace(_hidden(place), sheet=sheet.name),))
    return picked


def unread_sheets(
    sheets: Sequence[Sheet], picked: Sequence[Picked], dataset: Dataset, county: str
) -> tuple[Problem, ...]:
    """Notes on the sheets with numbers that are not read: hidden ones (E216), visible ones without a header (E218)."""
    place, read = Place(dataset, county), [id(sheet) for sheet, _ in picked]
    notes: list[Problem] = []
    for sheet in sheets:
        header = None if sheet.visible else _recognised(sheet, dataset, county)
        people = any(map(any, sheet.rows[header.row :])) if header else any(map(holds_number, sheet.rows))
        if people and id(sheet) not in read:
            told = _SAYS[sheet.visible, header is not None]
            notes.append(replace(place.problem(*told), severity="note", sheet=sheet.name))
    return tuple(notes)


_SAYS = {  # visible, with a header: the note on a sheet that is not read
    (True, False): (
        *("E218", 0, "工作表没有名单的表头，未读取", "其中有像证件号码的数字，但不成名单，像是填表说明"),
        "若其中有要算的人，请报送单位补上表头后重报；否则无须处理",
    ),
    (False, True): (
        *("E216", 0, "隐藏的工作表里也有名单，未采用", "其中的证件号码在看得见的工作表里都有"),
        "若其中另有没有证件号码的人，请报送单位取消隐藏后重报；否则无须处理",
    ),
    (False, False): (
        *("E216", 0, "隐藏的工作表未读取", "其中有像证件号码的数字，但没有名单的表头"),
        "若其中的人也要算，请报送单位取消隐藏后重报；否则无须处理",
    ),
}


def _no_header(place: Place) -> Problem:
    what, why = "工作表里有人，却没有认得的表头", "不读这张工作表，其中的人会被当作不在名单上"
    cure = "请报送单位补上与其他工作表相同的表头后重报；若不是名单，删去这张工作表"
    return place.problem("E211", 0, what, why, cure)


def _hidden(place: Place) -> Problem:
    what, why = "隐藏的工作表里有人，看得见的工作表里没有他们", "不知道隐藏的人算不算在名单上，不能猜"
    cure = "请报送单位核对：也要算的，取消隐藏；不要的，删去这张工作表，然后重报"
    return place.problem("E216", 0, what, why, cure)


def _layout(picked: Sequence[Picked], dataset: Dataset) -> _Layout:
    numbers: set[int] = set()
    widths: list[int] = []
    for sheet, header in picked:
        numbers |= _number_columns(header, dataset)
        widths += [_filled(row) for row in sheet.rows[header.row : header.row + _SEEN_ROWS] if any(row)]
    widths.sort()
    return _Layout(frozenset(numbers), widths[len(widths) // 2] if widths else 0)


def _number_columns(header: Header, dataset: Dataset) -> set[int]:
    """The columns that identify the row's person (the house's head, where a list names only heads)."""
    person, household = dataset.person, dataset.household
    names = [name for name in (person.id, person.certificate) if name]
    if not names and household and household.head_id:
        names = [household.head_id]
    if not names:
        names = [name for name, spec in dataset.fields.items() if spec.type in ("id", "certificate")]
    return {header.columns[name] for name in names if name in header.columns}


def _holds_people(sheet: Sheet, layout: _Layout) -> bool:
    """A row like the list's own is a person. Otherwise three rows of numbers are, if they are half of the sheet."""
    filled = numbered = 0
    for row in sheet.rows:
        at = {column for column, cell in enumerate(row) if cell and _NUMBER.fullmatch(_folded(cell))}
        if at & layout.numbers and _filled(row) >= _ABOUT_AS_WIDE * layout.width:
            return True
        filled += any(row)
        numbered += bool(at)
    return numbered >= _ANY_LAYOUT and numbered * 2 > filled


def _hides_people(
    sheet: Sheet, picked: Sequence[Picked], layout: _Layout, dataset: Dataset, county: str
) -> bool:
    """Whether the hidden sheet is the list, or a part of it, with a number that no visible sheet has."""
    header = _recognised(sheet, dataset, county)
    if header is not None:
        hidden = set(_numbers(sheet.rows[header.row :], _number_columns(header, dataset)))
    elif _holds_people(sheet, layout):
        hidden = set(_numbers(sheet.rows, layout.numbers))
    else:
        return False
    for seen, at in picked:
        hidden -= set(_numbers(seen.rows[at.row :], _number_columns(at, dataset)))
    return bool(hidden)


def _recognised(sheet: Sheet, dataset: Dataset, county: str) -> Header | None:
    try:
        return locate_header(sheet.rows, dataset, county, whole=True)
    except HeaderProblem:
        return None


def _numbers(rows: Sequence[Sequence[str]], columns: set[int] | frozenset[int]) -> Iterator[str]:
    """The identity numbers in the columns; of a certificate number its first 18 places."""
    for row in rows:
        for at in columns:
            number = _folded(row[at]) if at < len(row) else ""
            if _NUMBER.fullmatch(number):
                yield number.lstrip("\x01'=\"")[:18].rstrip('"')


def _folded(cell: str) -> str:
    return _SPACE.sub("", unicodedata.normalize("NFKC", cell)).upper()


def _filled(row: Sequence[str]) -> int:
    return sum(map(bool, row))


def _unlikely(sheet: Sheet, problem: HeaderProblem) -> tuple[bool, bool, int, int]:
    """Sorts the sheet that is most like the list first."""
    numbers = any(map(holds_number, sheet.rows))
    return problem.problem.code == "E211", not numbers, len(problem.problems), -len(sheet.rows)
