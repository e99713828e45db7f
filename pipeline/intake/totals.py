"""Tells the rows that are no people - totals, signatures, notes, repeated headers, blanks - from those that are.

A row with anything like an ID or certificate number is a person's, whatever else stands in it. What a 合计 row says
about the number of people is a promise that the gate checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise

from pipeline.contracts.dataset import Dataset
from pipeline.identity.id_number import NUMERIC_CELL
from pipeline.intake.header_text import holds_number, plain, plain_headers

_FIRST_CELLS = 3  # filled cells in which 合计 may stand
_NOTE_LENGTH = 12  # a single filled cell longer than this is a sentence, not a name
_WORDS = "合计|总计|小计|共计|累计|总人数"
_TOTAL = re.compile(rf"^[^:;,。]{{0,12}}?(?:{_WORDS})(?:\(?(?:人数|人|户数|金额|元)\)?)?(?:[:0-9共].*)?$")
# Of the whole list; 小计, 本页合计 and 幸福村合计 are parts of it.
_GRAND = re.compile(
    r"^(?:本表|本县|本市|全县|全市|全州|全区|全省|人数|总)?(?:合计|总计|共计|总人数)(?:\(?(?:人数|人)\)?)?(?:[:0-9共].*)?$"
)
_SIGNATURE = re.compile(
    r"^\(?(?:填表|填报|制表|制单|编制|报送|统计|审核|复核|核对|审批|经办|经手|负责|单位负责|主管|分管|联系|盖章|公章|签字|签章|打印|导出)"
    r"(?:人员?|单位|部门|机关|领导|科室)?(?:及?联系?(?:电话|方式))?(?:日期|时间|签[字名章]|\(?(?:盖章|签[字名章]|公章)\)?)*\)?(?::.*)?$"
    r"|^(?:联系)?电话(?:号码)?(?::.*)?$|^(?:日期|时间|年月日|单位)(?::.*)?$"
    r"|^\(?(?:单位)?\(?(?:盖|公)章\)?(?::.*)?$"
)
_NOTE = re.compile(r"^\(?(?:备注|说明|注意?|注意事项|填表说明|附注)\)?(?:[:0-9一].*)?$")
_SENTENCE = re.compile(r"[:;。!?]|，.*，")
_PEOPLE = re.compile(r"([0-9]+)(?:人次?|名|条|行|例)")
_PEOPLE_IN_ALL = re.compile(rf"(?:共|总|{_WORDS}):?([0-9]+)(?:人次?|名|条|行|例)")
_COUNT = re.compile(r"[0-9]{1,7}")
_NOUGHT = re.compile(r"0+(?:人次?|名|条|行|例|户)?")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3})")


class RowKind(StrEnum):
    """What a row below the header is."""

    DATA = "data"
    BLANK = "blank"
    TOTAL = "total"
    FOOTER = "footer"
    REPEATED_HEADER = "repeated_header"
    NOTE = "note"


def classify(row: Sequence[str], columns: Mapping[str, int], dataset: Dataset) -> RowKind:
    """The row's kind. `columns`: field -> index, as the header says; `row` may be shorter than the header."""
    if holds_number(row) or any(NUMERIC_CELL in cell for cell in row):
        return RowKind.DATA
    texts = [_label(cell) for cell in row]
    filled = [text for text in texts if text]
    if not filled:
        return RowKind.BLANK
    if _repeats_header(texts, columns, dataset):
        return RowKind.REPEATED_HEADER
    if any(_TOTAL.match(text) for text in _distinct(filled)[:_FIRST_CELLS]):
        return RowKind.TOTAL
    if _signature(filled):
        return RowKind.FOOTER
    if _is_note(filled) or _numbers_columns(filled):
        return RowKind.NOTE
    mapped = any(at < len(texts) and texts[at] for at in columns.values())
    return RowKind.DATA if mapped else RowKind.BLANK


def is_repeated_header(row: Sequence[str], columns: Mapping[str, int], dataset: Dataset) -> bool:
    """Whether the row is the header again (a page break): its mapped cells are headers of their own fields."""
    return _repeats_header([plain(cell) for cell in row], columns, dataset)


def _repeats_header(texts: Sequence[str], columns: Mapping[str, int], dataset: Dataset) -> bool:
    filled = same = 0
    for name, at in columns.items():
        text = texts[at].rstrip(":") if at < len(texts) else ""
        if text:
            spec = dataset.fields[name]
            filled += 1
            known = plain_headers(spec.headers).union(*map(plain_headers, spec.county_headers.values()))
            same += text in known or text.partition("(")[0] in known
    return same >= 2 and same * 2 >= filled


def stated_total(
    row: Sequence[str], columns: Mapping[str, int] | None = None, dataset: Dataset | None = None
) -> int | None:
    """How many people (rows) a 合计 row says the list has; None if it does not say, or may speak of something else.

    "190人" counts wherever it stands, but not in a column of money or numbers (known if `columns` and `dataset` are
    given), nor behind 合计 in one cell where such a column counts a family's people: that may be its sum. A bare "190"
    counts in the cell of 合计 and, under no header or a person's, in the one after it; never in a list of families,
    whose number it may be. Nought is nought of anything.
    """
    fields = dataset.fields if dataset else {}
    kinds = {at: fields[name].type for name, at in (columns or {}).items() if name in fields}
    sums = {at for at, kind in kinds.items() if kind in ("amount", "integer")}
    cells = [_THOUSANDS.sub("", plain(cell)) for cell in row]
    start = next((at for at, text in enumerate(cells) if _GRAND.match(text)), None)
    if start is None:
        return None
    own = re.sub(r"^[^0-9]*", "", cells[start])
    if _NOUGHT.fullmatch(own):
        return 0
    if own and "integer" in kinds.values():
        return None
    said = " ".join(
        _distinct(text for at, text in enumerate(cells) if text and at >= start and at not in sums)
    )
    for pattern in (_PEOPLE_IN_ALL, _PEOPLE):
        numbers = set(pattern.findall(said))
        if numbers:
            return int(numbers.pop()) if len(numbers) == 1 else None
    next_at, beside = _next_to(cells, start)
    if next_at not in sums and _NOUGHT.fullmatch(beside):
        return 0
    bare = own or ("" if next_at in _elsewhere(columns or {}, dataset) else beside)
    if not _COUNT.fullmatch(bare) or (dataset and _of_families(dataset)):
        return None
    return int(bare)


def without_sums(totals: Sequence[int], sums: Iterable[int]) -> tuple[int, ...]:
    """The stated totals that are not just the sum of a column of numbers (a family's people)."""
    known = set(sums)
    return tuple(total for total in totals if not total or total not in known)


def _next_to(cells: Sequence[str], start: int) -> tuple[int, str]:
    """The cell after 合计: where it is and what it says."""
    after = start + 1
    while after < len(cells) and cells[after] == cells[start]:
        after += 1  # 合计 merged over several columns
    return after, cells[after].removeprefix("共") if after < len(cells) else ""


def _elsewhere(columns: Mapping[str, int], dataset: Dataset | None) -> set[int]:
    """The columns in which a bare number counts no people: all but those that name the row's own person."""
    person = {dataset.person.name, dataset.person.id, dataset.person.certificate} if dataset else set()
    kinds = ("name", "id", "certificate")
    return {
        at
        for name, at in columns.items()
        if dataset and (dataset.fields[name].type not in kinds or (any(person) and name not in person))
    }


def _of_families(dataset: Dataset) -> bool:
    return dataset.household is not None and dataset.household.family is not None


def _label(cell: str) -> str:
    """As a header is compared, but a colon at the end stays: it tells a label from a name."""
    text = plain(cell)
    return f"{text}:" if text and cell.rstrip().endswith((":", "：")) else text


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _signature(filled: Sequence[str]) -> bool:
    """填表人： and the like: in the first filled cell, or in at least half of them."""
    labels = sum(":" in text and bool(_SIGNATURE.match(text)) for text in filled)
    return bool(_SIGNATURE.match(filled[0])) or labels * 2 >= len(filled)


def _is_note(filled: Sequence[str]) -> bool:
    """A remark: it begins by saying so, or it is the only text of the row and long or a sentence."""
    texts = _distinct(filled)
    if _NOTE.match(texts[0]):
        return len(texts) <= 2
    return len(texts) == 1 and (len(texts[0]) > _NOTE_LENGTH or bool(_SENTENCE.search(texts[0])))


def _numbers_columns(filled: Sequence[str]) -> bool:
    """The row under some headers that numbers the columns: 1, 2, 3 ..."""
    numbers = [text.strip("()") for text in filled]
    if len(numbers) < 3 or not all(_COUNT.fullmatch(number) for number in numbers):
        return False
    return all(int(b) - int(a) == 1 for a, b in pairwise(numbers))
