"""Which column of a returned sheet is which: by the header's words, wherever the column stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.intake.header_text import plain

NUMBER, RESULT, REASON, MEASURE = "疑点编号", "核查结果", "情况说明", "处理措施"
DONE_ON, CHECKED_BY, CHECKED_ON = "办结日期", "核查人", "核查日期"
ANSWERS = (RESULT, REASON, MEASURE, DONE_ON, CHECKED_BY, CHECKED_ON)
# Printed, not answered: which asking the row answers, how the case stood then, the month of the list.
TIMES_SENT, PROGRESS, MONTH = "下发次数", "进展", "比对月份"
PRINTED = (TIMES_SENT, PROGRESS, MONTH)

# The house's header -> how counties rename it (handbook G). Plain 编号, 日期 and 情况 could be anything.
SYNONYMS: Mapping[str, str] = {
    NUMBER: "疑点编号 疑点号 疑点编码 疑点序列号 个案编号 个案号 案件编号 案件号 问题编号 线索编号 疑点数据编号",
    RESULT: "核查结果 核实结果 核查结论 核实结论 调查结果 调查结论 入户核查结果 反馈结果 是否属实 核查反馈结果",
    REASON: "情况说明 核查说明 情况分类 核查情况 核实情况 核实说明 原因 原因说明 不属实原因 具体情况 具体原因 反馈说明 反馈情况 "
    "核查情况说明 核实情况说明 调查情况 说明 备注",
    MEASURE: "处理措施 处理情况 处理结果 处理方式 处置措施 处置情况 整改措施 整改情况 办理情况 落实情况 措施",
    DONE_ON: "办结日期 办结时间 完成日期 完成时间 整改完成时间 整改完成日期 办理日期 办理时间 落实日期 落实时间",
    CHECKED_BY: "核查人 核实人 核查人员 核实人员 核查人姓名 核查人签字 核查人签名 核查干部 调查人 调查人员 入户人员 入户核查人",
    CHECKED_ON: "核查日期 核查时间 核实日期 核实时间 调查日期 调查时间 入户日期 入户时间 入户核查日期 入户核查时间",
}
_FIELDS = {plain(header): field for field, headers in SYNONYMS.items() for header in headers.split()}
_FIELDS |= {plain(header): header for header in PRINTED}
_LONGEST_HEADER = 60
_CELLS_OF_A_HEADER = 3  # two are a word and what it means
_NUMBER_LIKE = re.compile("号|码|编|疑点|个案|案件|线索|ID|NO", re.IGNORECASE)
_ANOTHERS = re.compile("同|关联|相关|参|原|另|其他|其它|上级|上次|上期|家|户")
_HAN = re.compile("[\u3400-\u9fff]")
_IN_BRACKETS = re.compile(r"\([^()]*\)$")


@dataclass(frozen=True)
class Columns:
    """Column indices from 0 by field of NUMBER, ANSWERS and PRINTED, in the sheet's order; `header` is the row they were found
    in."""

    at: Mapping[str, tuple[int, ...]]
    header: tuple[str, ...]

    def texts(self, cells: Sequence[str], field: str) -> tuple[str, ...]:
        """The different texts that the row has under the field's headers, none of them empty."""
        found = (cell_text(cells[at]) for at in self.at.get(field, ()) if at < len(cells))
        return tuple(dict.fromkeys(text for text in found if text))

    def may_be_number(self, column: int) -> bool:
        """Whether case numbers without a header of the list may be the rows' own: not where it names another case's."""
        name = plain(self.header[column]) if column < len(self.header) else ""
        return not name or bool(_NUMBER_LIKE.search(name) and not _ANOTHERS.search(name))

    def others(self, cells: Sequence[str]) -> frozenset[str]:
        """The words that the row has outside the columns of number and answers: whom and what it is about.

        Without numbers: a spreadsheet damages each in its own way.
        """
        used = {at for field, many in self.at.items() if field not in (PROGRESS, MONTH) for at in many}
        texts = (cell_text(cell) for at, cell in enumerate(cells) if at not in used)
        return frozenset(text for text in texts if _HAN.search(text))


def columns_of(cells: Sequence[str]) -> Columns | None:
    """The columns, if the row is a header: two known fields at least, one of them an answer; or the result among others."""
    at: dict[str, tuple[int, ...]] = {}
    for column, cell in enumerate(cells):
        field = _field(cell) if 1 < len(cell) <= _LONGEST_HEADER else None
        if field:
            at[field] = (*at.get(field, ()), column)
    known = at.keys() - {*PRINTED}
    alone = known == {RESULT} and sum(map(bool, cells)) >= _CELLS_OF_A_HEADER
    if not alone and (len(known) < 2 or not known & set(ANSWERS)):
        return None
    return Columns(at, tuple(cells))


def cell_text(cell: str) -> str:
    """A cell without the signs that only keep a spreadsheet from reading it as a number or formula."""
    text = cell.strip()
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return text.removeprefix("'").strip()


@lru_cache(maxsize=1 << 12)  # every row is looked at, and most cells are like the one above
def _field(cell: str) -> str | None:
    """The field of a header cell; what stands in brackets behind it (是/否) only explains."""
    bare = plain(cell)
    return _FIELDS.get(bare) or _FIELDS.get(_IN_BRACKETS.sub("", bare))
