"""The doubtful pairs as a workbook, for those without a browser: text cells, one pair a row, a dropdown for the answer.

The keys under which an answer is stored stand in the last two columns, for all to see, with a letter in front so that no
spreadsheet takes one for a number. Nothing is hidden; there is no macro and no formula.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from math import ceil
from typing import Any

import polars as pl
import xlsxwriter

from pipeline.desk.review_diff import Piece, sides
from pipeline.desk.review_pairs import shown
from pipeline.desk.review_words import ANSWER_WORDS, county_words, probability_words
from pipeline.reports.methods import method_words
from pipeline.reports.safe_text import FORMULA_START

SHEET, GUIDE = "待核对", "填写说明"
ANSWER, WHO, ROW_KEY, PERSON_KEY = "判断", "核查人", "行标识", "人标识"
ROW_LETTER, PERSON_LETTER = "r", "p"
_FRONT = ("编号", "名册", "县(市、区)", "文件", "工作表", "行号", "本行候选")
_BACK = ("概率", "方式", ANSWER, WHO, ROW_KEY, PERSON_KEY)
_NARROWEST, _WIDEST = 7, 36  # of a column, in digits
_LINE = 15  # points
_LONGEST = 16_000  # a cell holds 32,767 UTF-16 units
_FORMULA = re.compile(FORMULA_START)

_GUIDE = (
    (
        "这是什么",
        "比对中拿不准的对：左边是名册里的一行，右边是持证残疾人名册里的一个人。请判断是不是同一个人。",
    ),
    (
        "怎样填",
        f"只填黄色两列。“{ANSWER}”从下拉框选：{'、'.join(ANSWER_WORDS.values())}；“{WHO}”写姓名。两边不同的字是红色带下划线的。不填的行不算。",
    ),
    ("几位候选", "“本行候选”写着 2/3，就是名册这一行有三位候选，这是第二位；最多一位是本人。"),
    ("可以做", "排序、筛选、删行、加列、分给几个人填都可以。最后两列是收回时认这一对用的，请不要改动。"),
    ("怎样收回", "reconcile review --out 输出文件夹 --import 填好的文件.xlsx（另存成 CSV 的也行）。"),
    ("保管", "表中有完整证件号码，是敏感个人信息：只给核对的人，不用网盘和外网邮件传，收回后删除。"),
)

_Cell = Sequence[Piece]


def review_workbook(pairs: pl.DataFrame, titles: Mapping[str, str], made: datetime) -> bytes:
    """The xlsx file. `pairs` as `doubtful_pairs` gives them; `titles` of lists by key; `made`: its date of creation."""
    labels = list(dict.fromkeys(item.label for text in pairs["shown"] for item in shown(text)))
    columns = (*_FRONT, *(f"{label}（{side}）" for label in labels for side in ("名册", "持证")), *_BACK)
    rows = [_row(row, titles, labels) for row in pairs.iter_rows(named=True)]
    content = BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    book.set_properties({"title": "人工核对", "created": made.replace(tzinfo=None, microsecond=0)})
    looks = _looks(book)
    _write_guide(book.add_worksheet(GUIDE), looks)
    sheet = book.add_worksheet(SHEET)
    widths = [_column_width(name, [row[at] for row in rows]) for at, name in enumerate(columns)]
    _write_head(sheet, looks, columns, widths, len(rows))
    for at, row in enumerate(rows, start=1):
        lines = max(ceil(_width(_text(cell)) * 1.1 / width) for cell, width in zip(row, widths, strict=True))
        sheet.set_row(at, _LINE * max(1, lines) + 4)  # not every program heightens a row for wrapped text
        for column, cell in enumerate(row):
            _write(sheet, at, column, cell, looks, "answer" if columns[column] in (ANSWER, WHO) else "text")
    book.close()
    return content.getvalue()


def _row(row: Mapping[str, Any], titles: Mapping[str, str], labels: Sequence[str]) -> list[_Cell]:
    front = (
        str(row["pair"]),
        titles.get(row["dataset"], row["dataset"]),
        county_words(row["county_code"]),
        row["source_file"].rpartition("/")[2],
        row["sheet"] or "",
        str(row["source_row"]),
        f"{row['candidate']}/{row['candidates']}",
    )
    said = {item.label: item for item in shown(row["shown"])}
    compared = [
        side or ()
        for item in (said.get(label) for label in labels)
        for side in (sides(item.row, item.register) if item else ((), ()))
    ]
    back = (
        probability_words(row["match_probability"]),
        method_words(row["method"] or ""),
        "",
        "",
        ROW_LETTER + row["row_key"],
        PERSON_LETTER + row["person_key"],
    )
    return [*(_plain(text) for text in front), *compared, *(_plain(text) for text in back)]


def _plain(text: str) -> _Cell:
    return ((text, ""),)


def _text(cell: _Cell) -> str:
    return "".join(text for text, _ in cell)


def _looks(book: Any) -> dict[str, Any]:
    base = {"font_name": "等线", "font_size": 11, "valign": "vcenter", "num_format": "@"}
    cell = {**base, "text_wrap": True, "border": 1, "border_color": "#BFC5CC"}
    other = {"bold": True, "font_color": "#C00000", "underline": 1}
    head = {**cell, "bold": True, "align": "center", "bg_color": "#DCE6F0"}
    return {
        "text": book.add_format(cell),
        "answer": book.add_format({**cell, "bg_color": "#FFFBE6"}),
        "head": book.add_format(head),
        "answer_head": book.add_format({**head, "bg_color": "#FFE699"}),
        "label": book.add_format({**cell, "bold": True, "bg_color": "#DCE6F0", "valign": "top"}),
        "same_part": book.add_format({**base}),
        "other_part": book.add_format({**base, **other}),
        "all_other": book.add_format({**cell, **other}),
    }


def _write_guide(sheet: Any, looks: Mapping[str, Any]) -> None:
    sheet.set_column(0, 0, 14)
    sheet.set_column(1, 1, 100)
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    for at, (label, words) in enumerate(_GUIDE):
        sheet.set_row(at, 36)
        sheet.write_string(at, 0, label, looks["label"])
        sheet.write_string(at, 1, words, looks["text"])


def _write_head(
    sheet: Any, looks: Mapping[str, Any], columns: Sequence[str], widths: Sequence[int], last: int
) -> None:
    """Header, widths, filter, dropdown, print settings."""
    for column, (name, width) in enumerate(zip(columns, widths, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, name, looks["answer_head" if name in (ANSWER, WHO) else "head"])
    sheet.set_row(0, 2 * _LINE)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, last, len(columns) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{last + 1}"})
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    at, words = columns.index(ANSWER), list(ANSWER_WORDS.values())
    choose = {
        "validate": "list",
        "source": words,
        "error_title": ANSWER,
        "error_message": f"请选：{'、'.join(words)}",
    }
    if last:
        sheet.data_validation(1, at, last, at, choose)


def _column_width(name: str, cells: Sequence[_Cell]) -> int:
    widest = max((_width(_text(cell)) for cell in cells), default=0)
    return min(max(widest + 2, ceil(_width(name) / 2) + 3, _NARROWEST), _WIDEST)


def _width(text: str) -> int:
    """Columns a text takes: a Chinese character takes two."""
    return (len(text.encode()) + len(text)) // 2


def _write(sheet: Any, row: int, column: int, cell: _Cell, looks: Mapping[str, Any], form: str) -> None:
    pieces = [(text, kind) for text, kind in cell if text]
    text = _text(pieces)
    if not text:
        sheet.write_blank(row, column, None, looks[form])
        return
    # `<r>`: xlsxwriter takes such a string for ready-made XML.
    if _FORMULA.match(text) or text.startswith("<r>"):
        pieces.insert(0, ("'", ""))
    if len(pieces) == 1 or len(text) > _LONGEST:
        look = looks["all_other"] if pieces[-1][1] == "other" and len(pieces) == 1 else looks[form]
        sheet.write_string(row, column, _text(pieces)[:_LONGEST], look)
        return
    parts = [
        part
        for text, kind in pieces
        for part in (looks["other_part" if kind == "other" else "same_part"], text)
    ]
    sheet.write_rich_string(row, column, *parts, looks[form])
