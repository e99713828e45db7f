"""Returned files with their truth, and what offices do to them; every damage says which rows it makes unusable."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from feedback_made import ID, NUMBERS

from pipeline.cases.case_number import LETTERS
from pipeline.cases.feedback_answer import Said
from pipeline.cases.feedback_columns import SYNONYMS
from pipeline.contracts.answer_lists import (
    MEASURE_SPELLINGS,
    MEASURES,
    REASON_SPELLINGS,
    REASONS,
    RESULT_SPELLINGS,
    RESULTS,
)

Dice = random.Random
NUMBER, RESULT = "疑点编号", "核查结果"
OPTIONAL = ("情况说明", "处理措施", "办结日期", "核查人", "核查日期")
_PLAIN_REASONS = [reason for reason in REASONS if "已享受" not in reason]  # those change the result
_DAYS = {
    date(2026, 11, 5): ("2026-11-05", "2026.11.5", "46331", "11月5日", "2026年11月5日", "２０２６/11/05"),
    date(2026, 10, 28): ("2026-10-28", "20261028", "10月28日", "2026/10/28"),
}
_UNCLEAR = ("基本属实", "是/否", "待核实", "属实？", "不，属实", "已核实", "1", "？？")
_DASHES = "-—–−－ _"


@dataclass
class Row:
    """`cells` by the house's headers. `number` is the case it is about; `bad`: it must come back, not be taken."""

    number: str
    cells: dict[str, str]
    meant: dict[str, object]  # what its answers mean, by header; empty where it answers nothing
    bad: bool = False
    touched: bool = False  # one damage a row, so that the truth stays known

    def truth(self, heads: list[str]) -> Said | None:
        """What is to be understood from the columns that are left."""
        left = [self.meant.get(head) if head in heads else None for head in (RESULT, *OPTIONAL)]
        result, reason, measure, done_on, checked_by, checked_on = left
        if not self.meant:
            return None
        return Said(result, reason, measure, None, done_on, checked_by, checked_on)  # type: ignore[arg-type]


@dataclass
class Returned:
    """A sheet about to be written. `shown` are the headers as they are written, `merges` (first row, last row, header)."""

    heads: list[str]
    rows: list[Row]
    shown: dict[str, str] = field(default_factory=dict)
    titles: list[list[str]] = field(default_factory=list)
    footers: list[list[str]] = field(default_factory=list)
    repeated_header_at: int | None = None
    merged: list[tuple[Row, Row]] = field(default_factory=list)
    other_sheets: bool = False

    def table(self) -> list[list[str]]:
        header = [self.shown.get(head, head) for head in self.heads]
        body = [[row.cells.get(head, "") for head in self.heads] for row in self.rows]
        if self.repeated_header_at is not None:
            body[self.repeated_header_at : self.repeated_header_at] = [[], header]
        return [*self.titles, header, *body, *self.footers]


def made(dice: Dice) -> Returned:
    heads = ["序号", NUMBER, "乡镇", "姓名", "身份证号", "涉及政策", RESULT, *OPTIONAL]
    numbers = dice.sample(NUMBERS, dice.randint(4, 12))
    return Returned(heads, [_row(dice, number, at) for at, number in enumerate(numbers, start=1)])


def _row(dice: Dice, number: str, at: int) -> Row:
    cells = {
        "序号": str(at),
        NUMBER: number,
        "乡镇": "建塘镇",
        "姓名": f"和{at}",
        "身份证号": "533421********0013",
    }
    cells["涉及政策"] = dice.choice(["重度护理补贴", "困难生活补贴", "资助参保"]) + str(at)
    if dice.random() < 0.2:
        return Row(number, cells, {})
    result = dice.choice(RESULTS)
    meant: dict[str, object] = {RESULT: result}
    cells[RESULT] = _typed(dice, dice.choice([result, *RESULT_SPELLINGS[result].split()]))
    if result == "不属实" and dice.random() < 0.8:
        reason = dice.choice(_PLAIN_REASONS)
        meant["情况说明"] = reason
        cells["情况说明"] = _typed(dice, dice.choice([reason, *REASON_SPELLINGS[reason].split()]))
    if result == "属实" and dice.random() < 0.8:
        measure = dice.choice(MEASURES)
        meant["处理措施"] = measure
        cells["处理措施"] = _typed(dice, dice.choice([measure, *MEASURE_SPELLINGS[measure].split()]))
        meant["办结日期"], cells["办结日期"] = _day(dice)
    if dice.random() < 0.5:
        meant["核查人"] = cells["核查人"] = "李四"
        meant["核查日期"], cells["核查日期"] = _day(dice)
    return Row(number, cells, meant)


def _typed(dice: Dice, text: str) -> str:
    at = dice.randrange(len(text) + 1)
    return dice.choice([text, text, f"{text[:at]} {text[at:]}", f" {text}　", f"{text}。"])


def _day(dice: Dice) -> tuple[date, str]:
    day = dice.choice(list(_DAYS))
    return day, dice.choice(_DAYS[day])


def _untouched(file: Returned, dice: Dice, most: int = 3) -> list[Row]:
    """Some rows that no damage has touched; now one has."""
    rows = [row for row in file.rows if not row.touched]
    picked = dice.sample(rows, min(len(rows), dice.randint(1, most)))
    for row in picked:
        row.touched = True
    return picked


def shuffled(file: Returned, dice: Dice) -> None:
    if not file.merged:
        dice.shuffle(file.rows)


def rows_deleted(file: Returned, dice: Dice) -> None:
    for row in [row for row in file.rows if not row.touched][: dice.randint(0, 3)]:
        file.rows.remove(row)


def columns_deleted(file: Returned, dice: Dice) -> None:
    for head in dice.sample([h for h in file.heads if h not in (NUMBER, RESULT)], 3):
        file.heads.remove(head)


def number_column_deleted(file: Returned, dice: Dice) -> None:
    if file.merged or any(row.touched for row in file.rows) or dice.random() < 0.7:
        return
    file.heads.remove(NUMBER)
    for row in file.rows:
        row.bad = row.touched = True


def result_unanswered(file: Returned, dice: Dice) -> None:
    """Only a reason or a measure: whether it is true nobody says."""
    for row in _untouched(file, dice):
        if row.meant.get("处理措施") == "已纳入":  # says that the person receives it: an answer
            continue
        row.cells[RESULT] = ""
        row.bad = any(
            row.meant.get(head) and head in file.heads for head in ("情况说明", "处理措施", "办结日期")
        )
        row.meant = row.meant if row.bad else {}


def columns_moved(file: Returned, dice: Dice) -> None:
    dice.shuffle(file.heads)


def columns_added(file: Returned, dice: Dice) -> None:
    """Also one with other cases' numbers, which must not be taken for the row's own."""
    for name in dice.sample(["电话", "身份证", "组别", "镇里意见"], 2):
        file.heads.insert(dice.randrange(len(file.heads) + 1), name)
        for row in file.rows:
            row.cells[name] = dice.choice(["", "13812345678", ID, "5.33421E+17", "是", "属实"])
    if NUMBER in file.heads and file.shown.get(NUMBER) != "号":
        file.heads.insert(dice.randrange(len(file.heads) + 1), "同户疑点")
        for row in file.rows:
            row.cells["同户疑点"] = dice.choice(["", dice.choice(NUMBERS)])


def headers_renamed(file: Returned, dice: Dice) -> None:
    for head in file.heads:
        if head in SYNONYMS:
            name = dice.choice(SYNONYMS[head].split())
            file.shown[head] = dice.choice(
                [name, f"{name}（必填）", f"*{name}", f" {name[:2]}\n{name[2:]}", f"{name}(按实填写)"]
            )


def number_header_unknown(file: Returned, dice: Dice) -> None:
    if "同户疑点" not in file.heads and not any(row.touched for row in file.rows) and not file.merged:
        file.shown[NUMBER] = "号"


def title_rows(file: Returned, dice: Dice) -> None:
    file.titles = [["香格里拉市疑点清单"], [], ["填报单位：某某镇", "", "2026年11月"]][: dice.randint(1, 3)]


def footers(file: Returned, dice: Dice) -> None:
    file.footers = [["合计", str(len(file.rows))], [], ["填表人：李四", "", "审核人：王五"]][
        : dice.randint(1, 3)
    ]


def header_repeated(file: Returned, dice: Dice) -> None:
    if not file.merged:
        file.repeated_header_at = dice.randrange(len(file.rows) + 1)


def ids_destroyed(file: Returned, dice: Dice) -> None:
    for row in file.rows:
        row.cells["身份证号"] = dice.choice(["5.33421E+17", "533421196503170000", "#####", ""])


def character_changed(file: Returned, dice: Dice) -> None:
    if file.shown.get(NUMBER) == "号":
        return
    for row in _untouched(file, dice):
        places = [at for at, c in enumerate(row.number) if c != "-"]
        at = dice.choice(places)
        same = {"0": "0O", "1": "1I"}.get(row.number[at], row.number[at])
        other = dice.choice([c for c in LETTERS + "0123456789" if c not in same])
        row.cells[NUMBER] = row.number[:at] + other + row.number[at + 1 :]
        row.bad = True


def neighbours_swapped(file: Returned, dice: Dice) -> None:
    if file.shown.get(NUMBER) == "号":
        return
    for row in _untouched(file, dice):
        n = row.number
        at = dice.choice([at for at, (a, b) in enumerate(pairwise(n)) if a != b])
        row.cells[NUMBER] = n[:at] + n[at + 1] + n[at] + n[at + 2 :]
        row.bad = "-" not in n[at : at + 2]  # a hyphen in a wrong place changes nothing


def typed_otherwise(file: Returned, dice: Dice) -> None:
    for row in _untouched(file, dice, most=6):
        n = row.number
        row.cells[NUMBER] = dice.choice(
            [
                n.lower(),
                "".join(chr(ord(c) + 0xFEE0) for c in n),
                n.replace("-", ""),
                n.replace("0", "O"),
                n.replace("-", dice.choice(_DASHES)),
                " ".join(n),
                f"'{n}",
                f"\u200b{n}　",
            ]
        )


def result_unclear(file: Returned, dice: Dice) -> None:
    for row in _untouched(file, dice):
        row.cells[RESULT] = dice.choice(_UNCLEAR)
        row.meant[RESULT] = "unclear"
        row.bad = True


def row_copied(file: Returned, dice: Dice) -> None:
    for row in _untouched(file, dice, most=1):
        file.rows.append(Row(row.number, row.cells | {"序号": "99"}, row.meant, touched=True))


def row_copied_and_changed(file: Returned, dice: Dice) -> None:
    for row in _untouched(file, dice, most=1):
        if row.meant:
            other = dice.choice([r for r in RESULTS if r != row.meant[RESULT]])
            file.rows.append(
                Row(row.number, row.cells | {RESULT: other}, {RESULT: other}, bad=True, touched=True)
            )
            row.bad = True


def numbers_merged(file: Returned, dice: Dice) -> None:
    """Two rows under one merged case number: the lower one's is gone."""
    free = [pair for pair in pairwise(file.rows) if not any(row.touched for row in pair)]
    if not free or file.shown.get(NUMBER) == "号" or file.repeated_header_at is not None:
        return
    upper, lower = dice.choice(free)
    upper.touched = lower.touched = True
    file.merged.append((upper, lower))


def other_sheets(file: Returned, dice: Dice) -> None:
    file.other_sheets = True


DAMAGES: tuple[Callable[[Returned, Dice], None], ...] = (
    *(columns_added, row_copied, row_copied_and_changed, shuffled, rows_deleted, number_column_deleted),
    *(
        headers_renamed,
        number_header_unknown,
        title_rows,
        footers,
        header_repeated,
        ids_destroyed,
        numbers_merged,
    ),
    *(character_changed, neighbours_swapped, typed_otherwise, result_unclear, other_sheets, columns_moved),
    *(columns_deleted, result_unanswered),
)
