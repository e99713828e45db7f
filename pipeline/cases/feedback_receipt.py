"""A receipt for every returned file: how many answers were taken, and each row that was not, with why and the cure."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.cases.feedback_file import Answer, FeedbackFile, Returned
from pipeline.cases.feedback_problems import Refusal
from pipeline.cases.feedback_read import FeedbackRead
from pipeline.contracts.problem import Problem
from pipeline.contracts.spreadsheet_cell import safe_cell

NO_COUNTY = "000000"  # folder of the receipts for files that no single county can be told of
_HEADS = ("文件", "工作表", "行", "疑点编号", "列", "处理", "原因", "办法")
# As reports/safe_text.py: full-width forms too.


@dataclass(frozen=True)
class Receipt:
    """`number` counts the files of one county from 1. `returned` are rows to be answered again, `idle` rows that need nothing.

    Every row with an answer is adopted, returned or idle, except `repeated` ones, which say what another row of the file says.
    """

    county: str
    number: int
    file: str
    adopted: int
    returned: tuple[Returned, ...]
    idle: tuple[Returned, ...]
    repeated: int
    blank: int
    problems: tuple[Problem, ...]
    folder: str = ""  # county of the folder the file lies in
    sha256: str = ""

    @property
    def told(self) -> str:
        """A mark of what the county has to do about the file: what comes back of it, and why. What it is called does not matter."""
        what = [
            (one.problem.sheet, str(one.problem.row), one.problem.code, one.problem.what)
            for one in self.returned
        ]
        what += [("", "", one.code, one.what) for one in self.problems if one.severity == "error"]
        return hashlib.sha256("\n".join("\t".join(line) for line in what).encode()).hexdigest()[:16]

    @property
    def received(self) -> int:
        return self.adopted + len(self.returned) + len(self.idle)

    def counts(self) -> str:
        """收 38，采纳 36，退回 2."""
        more = "".join(
            f"；{words} {count} 行"
            for words, count in (
                ("不必再记", len(self.idle)),
                ("重复", self.repeated),
                ("未填", self.blank),
            )
            if count
        )
        return f"收 {self.received}，采纳 {self.adopted}，退回 {len(self.returned)}{more}"

    def line(self) -> str:
        """One line for the screen."""
        told = [f"{problem.code} {problem.what}" for problem in self.problems if problem.severity == "error"]
        return f"反馈 {self.file}：{'；'.join([*told, self.counts()])}"

    def path(self, out: Path, as_of: date) -> Path:
        return out / "receipts" / self.county / f"回执_{as_of.isoformat()}_{self.number}.csv"


def receipts_of(
    read: FeedbackRead, refused: Mapping[Answer, Refusal], counties: Mapping[str, str]
) -> list[Receipt]:
    """In the order of files. `counties`: case number -> county code, for files that lie in no county's folder."""
    numbers: Counter[str] = Counter()
    receipts: list[Receipt] = []
    for file in read.files:
        if not (file.answers or file.returned or file.blank) and not _failed(file):
            continue  # a lock file, half a download: nobody's answer
        county = file.county or _county_of(file, counties)
        numbers[county] += 1
        receipts.append(_receipt(file, county, numbers[county], refused))
    return receipts


def write_receipts(receipts: Iterable[Receipt], out: Path, as_of: date) -> list[Path]:
    """`out/receipts/<county code>/回执_<as_of>_<n>.csv`: BOM, CRLF, no formula; those of an earlier run of the day go. Raises OSError."""
    for stale in sorted((out / "receipts").glob(f"*/回执_{as_of.isoformat()}_*.csv")):
        stale.unlink()
    written: list[Path] = []
    for receipt in receipts:
        path = receipt.path(out, as_of)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_csv(receipt).encode("utf-8-sig"))
        written.append(path)
    return written


def _receipt(file: FeedbackFile, county: str, number: int, refused: Mapping[Answer, Refusal]) -> Receipt:
    not_taken = [
        Returned(why.at(answer.file, answer.sheet, answer.row, county), answer.case_number)
        for answer in file.answers
        if (why := refused.get(answer))
    ]
    back = sorted([*file.returned, *not_taken], key=lambda one: (one.problem.sheet, one.problem.row))
    return Receipt(
        *(county, number, file.file, len(file.answers) - len(not_taken)),
        returned=tuple(one for one in back if one.problem.severity == "error"),
        idle=tuple(one for one in back if one.problem.severity != "error"),
        repeated=file.repeated,
        blank=file.blank,
        problems=file.problems,
        folder=file.county,
        sha256=file.sha256,
    )


def _failed(file: FeedbackFile) -> bool:
    return any(problem.severity == "error" for problem in file.problems)


def _county_of(file: FeedbackFile, counties: Mapping[str, str]) -> str:
    found = {counties[answer.case_number] for answer in file.answers if answer.case_number in counties}
    return found.pop() if len(found) == 1 else NO_COUNTY


def _csv(receipt: Receipt) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_HEADS)
    writer.writerow(_safe([receipt.file, "", "", "", "", receipt.counts(), "", ""]))
    for problem in receipt.problems:
        writer.writerow(_safe(_line(problem, "", "整份文件" if problem.severity == "error" else "提示")))
    for one in receipt.returned:
        writer.writerow(_safe(_line(one.problem, one.written, "退回")))
    for one in receipt.idle:
        writer.writerow(_safe(_line(one.problem, one.written, "不必再记")))
    return text.getvalue()


def _line(problem: Problem, written: str, treated: str) -> list[str]:
    row = str(problem.row) if problem.row else ""
    why = f"{problem.code} {problem.what}：{problem.why}"
    return [problem.file, problem.sheet, row, written, problem.column, treated, why, problem.cure]


def _safe(cells: Sequence[str]) -> list[str]:
    """No cell begins a formula."""
    return [safe_cell(cell) for cell in cells]
