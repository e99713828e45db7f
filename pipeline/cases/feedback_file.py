"""One returned file: every answer in it once, and every row that comes back. Whatever fails in it stays in it."""

from __future__ import annotations

import hashlib
import stat
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pipeline.cases.feedback_answer import Said
from pipeline.cases.feedback_columns import columns_of
from pipeline.cases.feedback_problems import NO_FEEDBACK, SAME_NUMBER, TWICE, Refusal
from pipeline.cases.feedback_rows import Row, rows_of
from pipeline.cases.feedback_table import MOST_BYTES, Table, read_tables
from pipeline.contracts.problem import Problem
from pipeline.identity.mask import mask_text
from pipeline.intake.find import snapshot_date
from pipeline.intake.sniff import Unreadable, open_plain


@dataclass(frozen=True)
class Answer:
    """What one row answers to one case. `file` is relative to the feedback folder, numbers of people masked in it; `asked`,
    `review` and `month`: which sending of the case the row was printed for, whether as 复核, and when (Row)."""

    case_number: str
    said: Said
    file: str
    sheet: str
    row: int
    asked: int | None = None
    review: bool = False
    month: str | None = None


@dataclass(frozen=True)
class Returned:
    """A row that is not taken (`problem.severity` is `note` where nothing needs to be done).

    `written` is the case number as it stood there, "" where it could be something else.
    """

    problem: Problem
    written: str


@dataclass(frozen=True)
class FeedbackFile:
    """`county`: code of the folder the file lies in, "" where that names none; `dated`: the date at the end of its name.

    `repeated` and `blank` count rows that say the same as another of the file, and rows with a case number and no answer.
    `problems` are the whole file's: an `error` among them means that nothing of it was read. `sha256`: of its bytes, "" where they
    are too many or cannot be read.
    """

    file: str
    county: str
    dated: date | None
    answers: tuple[Answer, ...] = ()
    returned: tuple[Returned, ...] = ()
    repeated: int = 0
    blank: int = 0
    problems: tuple[Problem, ...] = ()
    sha256: str = ""


def read_file(path: Path, file: str, county: str, as_of: date) -> FeedbackFile:
    """Reads one file. Never raises: what a library throws becomes E299 with its class name only."""
    shown = mask_text(file)
    empty = FeedbackFile(shown, county, snapshot_date(path.name))
    try:
        with suppress(OSError, Unreadable):
            empty = replace(empty, sha256=_hash_of(path))
        tables = read_tables(path)
        visible = [table for table in tables if table.visible]
        if not any(map(_has_header, visible)):
            return replace(empty, problems=(NO_FEEDBACK.at(shown, county=county),))
        notes = tuple(
            _hidden(table).at(shown, _sheet(table.name), county=county)
            for table in tables
            if _is_hidden(table)
        )
        rows = [row for table in visible for row in rows_of(table, as_of)]
        return _once_each(replace(empty, problems=notes), rows)
    except Unreadable as refusal:
        return replace(empty, problems=(replace(refusal.problem, file=shown, county=county),))
    except Exception as failure:  # one broken file must not end the night, nor tell what stood in it
        return replace(empty, problems=(_unexpected(failure).at(shown, county=county),))


def _hash_of(path: Path) -> str:
    """Empty where the file is none to be read whole. Raises OSError; what is wrong with it `read_tables` tells."""
    if not stat.S_ISREG(path.lstat().st_mode) or path.lstat().st_size > MOST_BYTES:
        return ""
    with open_plain(path) as file:
        return hashlib.sha256(file.read()).hexdigest()


def _has_header(table: Table) -> bool:
    return any(columns_of(cells) for _, cells in table.rows)


def _is_hidden(table: Table) -> bool:
    return not table.visible and _has_header(table)


def _hidden(table: Table) -> Refusal:
    why = "隐藏的内容填表的人看不见"
    return Refusal("E216", "", "隐藏的工作表没有读", why, "其中若有答案，取消隐藏后再报", "note")


def _unexpected(failure: Exception) -> Refusal:
    return Refusal(
        "E299", "", "文件读不出来", f"内部原因 {type(failure).__name__}", "用 Excel 或 WPS 另存为 xlsx 后再报"
    )


def _once_each(file: FeedbackFile, rows: Iterable[Row]) -> FeedbackFile:
    """The answers of the file, each case once."""
    by_number: dict[str, list[Row]] = defaultdict(list)
    returned: list[tuple[Row, Refusal]] = []
    for row in rows:
        if row.number is not None:
            by_number[row.number].append(row)
        elif isinstance(row.said, Refusal):
            returned.append((row, row.said))
    answers: list[Answer] = []
    repeated = blank = 0
    for number, same in by_number.items():
        taken, refused = _of_one_case(same)
        returned += refused
        blank += sum(row.said is None for row in same)
        if taken is not None and isinstance(taken.said, Said):
            where = (file.file, _sheet(taken.sheet), taken.row)
            answers.append(Answer(number, taken.said, *where, taken.asked, taken.review, taken.month))
            repeated += sum(row.said is not None for row in same) - 1 - len(refused)
    back = sorted(
        (
            Returned(why.at(file.file, _sheet(row.sheet), row.row, file.county), row.written)
            for row, why in returned
        ),
        key=lambda one: (one.problem.sheet, one.problem.row),
    )
    return replace(file, answers=tuple(answers), returned=tuple(back), repeated=repeated, blank=blank)


def _of_one_case(rows: Sequence[Row]) -> tuple[Row | None, list[tuple[Row, Refusal]]]:
    """The row that counts of those that name one case, and those that come back.

    A number that stands on rows about different things has got there by merging or filling cells: which answer is the
    case's own cannot be told if they differ, also where one of them is blank.
    """
    answered = [row for row in rows if row.said is not None]
    if not answered:
        return None, []
    different = {row.said for row in answered}
    contents = {(row.sheet, row.others) for row in rows}
    sheets = Counter(sheet for sheet, _ in contents)
    strangers = [row for row in rows if sheets[row.sheet] > 1]
    if len(different) > 1:
        why = SAME_NUMBER if strangers else TWICE
        return None, [(row, row.said if isinstance(row.said, Refusal) else why) for row in answered]
    if isinstance(answered[0].said, Refusal):
        return None, [(row, row.said) for row in answered if isinstance(row.said, Refusal)]
    if any(row.said is None for row in strangers):
        return None, [(row, SAME_NUMBER) for row in answered]
    first = answered[0]
    return first, [
        (row, SAME_NUMBER) for row in answered[1:] if row in strangers and row.others != first.others
    ]


def _sheet(name: str) -> str:
    return mask_text(name)[:40]
