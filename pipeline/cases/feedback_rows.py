"""The rows of a returned sheet that answer something: which case, what is said, or why the row comes back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pipeline.cases.case_number import read
from pipeline.cases.feedback_answer import Said, said
from pipeline.cases.feedback_columns import (
    ANSWERS,
    MONTH,
    NUMBER,
    PROGRESS,
    RESULT,
    TIMES_SENT,
    Columns,
    cell_text,
    columns_of,
)
from pipeline.cases.feedback_problems import MORE_CELLS, NO_NUMBER, TWO_NUMBERS, WRONG_NUMBER, Refusal
from pipeline.cases.feedback_table import Table
from pipeline.intake.header_text import holds_number

# Below the table: totals and signatures, never an answer. A row of people has more cells.
_FOOTER = re.compile(
    "^(?:合计|小计|总计|制表|填表|填报|审核|审批|负责人|经办|分管|联系人|联系电话|单位|盖章|备注:|说明:|注:)"
)
_FOOTER_OR_COUNT = re.compile(f"{_FOOTER.pattern}|^[0-9]{{1,6}}$")
_FOOTER_CELLS = 4
# A case number with some characters wrong; an ID begins with digits, a name has no digit.
_LIKE_A_NUMBER = re.compile("[A-Z][A-Z0-9]{8,15}")
_LONGEST_SHOWN = 30
_REVIEW = "复核"  # as reports/case_words.py prints it


@dataclass(frozen=True)
class Row:
    """A row that names a case or answers something. `number` is None only where `said` is a Refusal.

    `said` is None where the row answers nothing. `written` is the number as it stood there, "" where it could be an ID.
    `others` are the words the row has besides number and answers, to tell a copy of a row from another case's. `asked`: the how
    many-th time that the case was sent, as the row has it printed; `review`: it is printed as 复核; `month`: the month of the list
    it was printed in, as YYYY-MM.
    """

    sheet: str
    row: int
    number: str | None
    written: str
    said: Said | Refusal | None
    others: frozenset[str]
    asked: int | None = None
    review: bool = False
    month: str | None = None


def rows_of(table: Table, as_of: date) -> Iterator[Row]:
    """The rows below a header; each further header (two tables one below the other) counts from there on."""
    for header, below in _sections(table):
        columns = (
            header if NUMBER in header.at else _with_number_column(header, [cells for _, cells in below])
        )
        for at, cells in below:
            row = _row(table, at, cells, columns, as_of)
            if row:
                yield row


def _sections(table: Table) -> list[tuple[Columns, list[tuple[int, list[str]]]]]:
    """Every header with the rows below it that are not empty."""
    found: list[tuple[Columns, list[tuple[int, list[str]]]]] = []
    for at, cells in table.rows:
        header = columns_of(cells)
        if header:
            found.append((header, []))
        elif found and any(cells):
            found[-1][1].append((at, cells))
    return found


def _with_number_column(columns: Columns, rows: Sequence[Sequence[str]]) -> Columns:
    """The only column with case numbers counts as theirs if no answered row is without a text there.

    Others' numbers (同户疑点) must not be taken for the rows' own: they leave rows blank, or their header says so.
    """
    holding = {at for cells in rows for at, cell in enumerate(cells) if read(cell_text(cell))}
    holding -= {at for many in columns.at.values() for at in many}
    answered = [cells for cells in rows if columns.texts(cells, RESULT) and not _has_footer_word(cells)]
    if len(holding) != 1:
        return columns
    (column,) = holding
    if not columns.may_be_number(column) or not all(_filled(cells, column) for cells in answered):
        return columns
    return replace(columns, at={**columns.at, NUMBER: (column,)})


def _filled(cells: Sequence[str], at: int) -> bool:
    return at < len(cells) and bool(cell_text(cells[at]))


def _row(table: Table, at: int, cells: Sequence[str], columns: Columns, as_of: date) -> Row | None:
    answer = said({field: columns.texts(cells, field) for field in ANSWERS}, as_of)
    texts = columns.texts(cells, NUMBER)
    number = _number(texts)
    if answer and table.is_text and any(cell_text(cell) for cell in cells[len(columns.header) :]):
        answer = MORE_CELLS
    others = columns.others(cells)
    if not isinstance(number, Refusal):
        asked = _asked(columns.texts(cells, TIMES_SENT))
        review = any(_REVIEW in text for text in columns.texts(cells, PROGRESS))
        month = _month(columns.texts(cells, MONTH))
        return Row(table.name, at, number, number, answer, others, asked, review, month)
    if answer is None or (isinstance(answer, Refusal) and _is_footer(cells, texts)):
        return None
    return Row(table.name, at, None, _shown(texts[0]) if texts else "", number, others)


def _asked(texts: Sequence[str]) -> int | None:
    return int(texts[0]) if len(texts) == 1 and re.fullmatch("[1-9][0-9]{0,2}", texts[0]) else None


def _month(texts: Sequence[str]) -> str | None:
    found = re.fullmatch("(20[0-9]{2})(?:年|[-./])(0?[1-9]|1[0-2])月?", texts[0]) if len(texts) == 1 else None
    return f"{found[1]}-{int(found[2]):02d}" if found else None


def _number(texts: Sequence[str]) -> str | Refusal:
    numbers = {read(text) for text in texts}
    if len(numbers) > 1:
        return TWO_NUMBERS
    return (numbers.pop() or WRONG_NUMBER) if numbers else NO_NUMBER


def _is_footer(cells: Sequence[str], number_texts: Sequence[str]) -> bool:
    words = {_bare(cell) for cell in cells} - {""}
    few = len(words) <= _FOOTER_CELLS and _has_footer_word(cells) and not holds_number(list(words))
    return few and all(_FOOTER_OR_COUNT.match(_bare(text)) for text in number_texts)


def _has_footer_word(cells: Sequence[str]) -> bool:
    return any(_FOOTER.match(_bare(cell)) for cell in cells)


def _bare(cell: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", cell_text(cell)))


def _shown(written: str) -> str:
    """What was written for a number, if it looks like one of ours: anything else could be an ID or a name."""
    bare = re.sub("[ —_-]", "", unicodedata.normalize("NFKC", written)).upper()
    return written if _LIKE_A_NUMBER.fullmatch(bare) and len(written) <= _LONGEST_SHOWN else ""
