"""What went wrong, where, why and the cure: said to the person who must act, never with a person's data.

Every refusal of the house is a `Problem`. Its code is stable (documented in docs/operations.md), its place can
be opened (file, sheet, row, column), its words are Chinese because the clerk who acts reads Chinese. No value of
a cell ever stands in it: exceptions of libraries are caught at the edge and only their class is kept.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One refusal or note. `severity` is `error` (something was not accepted), `warning` or `note`."""

    code: str  # stable, e.g. "E214"
    severity: str
    what: str  # 哪里不对
    why: str  # 为什么不能接受
    cure: str  # 怎么办
    file: str = ""  # relative to the inbox
    sheet: str = ""
    row: int = 0  # physical row, from 1; 0 = the whole file
    column: str = ""  # header or letter
    dataset: str = ""
    county: str = ""

    def line(self) -> str:
        """One line for terminal and log: code, place, what, why, cure."""
        place = " ".join(
            part
            for part in (
                self.file,
                f"[{self.sheet}]" if self.sheet else "",
                f"第{self.row}行" if self.row else "",
                f"“{self.column}”列" if self.column else "",
            )
            if part
        )
        return f"{self.code} {place}：{self.what}。{self.why}。办法：{self.cure}。".replace("。。", "。")


class ReconcileError(Exception):
    """A problem that stops the run before anything is touched (exit code 1 unless said otherwise).

    `others` are further problems of the same file, for the commands that list all of them.
    """

    def __init__(self, problem: Problem, exit_code: int = 1, others: tuple[Problem, ...] = ()) -> None:
        super().__init__(problem.line())
        self.problem = problem
        self.exit_code = exit_code
        self.others = others

    def __reduce__(self) -> tuple[type[ReconcileError], tuple[Problem, int, tuple[Problem, ...]]]:
        """Workers of other processes hand it over."""
        return ReconcileError, (self.problem, self.exit_code, self.others)
