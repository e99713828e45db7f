"""A sheet with the rows that a county answers: one table, dropdowns, printed as a spread of two pages side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from xlsxwriter.utility import xl_col_to_name

from pipeline.contracts.answer_lists import MEASURES, REASONS, RESULTS
from pipeline.reports.rows import ANSWERS, COLUMNS, LEAD, MAIN, QUOTA, VERIFY
from pipeline.reports.sheet_parts import LINE, Look, lines, page, put_text

# The sheets of a county's workbook that it answers, in their order: what `rows.sheet` says, and the name.
SHEETS = ((MAIN, "疑点清单"), (QUOTA, "项目类（排队）"), (VERIFY, "待核实"), (LEAD, "线索（走访参考）"))
# Character widths. On one A4 page's width the letters would be under 5 points, so the table prints two pages wide: whose
# row it is and what was found on the left one; on the right one the columns up to 姓名 again, sources, dates and answers.
# The two halves must stay about as wide as each other, since the program that prints chooses the break by the widths alone.
_WIDTHS = {
    "序号": 5.5, "疑点编号": 10.5, "进展": 11.5, "比对月份": 6.5, "县(市、区)": 8.5, "乡镇": 9, "村(社区)": 8.5, "姓名": 8, "身份证号": 19.5,
    "残疾人证号": 12, "残疾类别": 4.8, "残疾等级": 4.8, "证件有效期至": 6.5, "证件状态": 4.8, "年龄": 4.8, "监护人": 8,
    "疑点类型": 7, "涉及政策": 12, "疑点描述": 60, "依据文号": 14, "预计金额": 9, "数据来源": 22, "匹配方式与置信度": 16, "责任部门": 6, "性质": 6.5,
    "反馈截止日": 6.5, "首次发现": 6.5, "首次下发日": 6.5, "下发次数": 5, "核查结果": 8.5,
    "情况说明": 12, "处理措施": 8.5, "办结日期": 8.5, "核查人": 7, "核查日期": 8.5,
}  # fmt: skip
_CENTRED = {
    "进展", "下发次数", "预计金额", "序号", "残疾类别", "残疾等级", "证件状态", "年龄", "性质", "责任部门", "疑点类型",
}  # fmt: skip
_NAME = COLUMNS.index("姓名")
_PROGRESS, _NUMBER = COLUMNS.index("进展"), COLUMNS.index("疑点编号")
_RIGHT_PAGE = COLUMNS.index("疑点描述") + 1
_WRAPPED = tuple(
    (i, _WIDTHS[name]) for i, name in enumerate(COLUMNS) if name not in ("序号", "身份证号", *ANSWERS)
)


@dataclass(frozen=True)
class Sheet:
    """A table sheet: its name and the printed rows (COLUMNS, all String)."""

    name: str
    rows: pl.DataFrame


def write_table(sheet: Any, look: Look, table: Sheet, title: str) -> None:
    """The head, the rows with what stands out marked, filter, frozen head, dropdowns."""
    last = table.rows.height
    for column, name in enumerate(COLUMNS):
        sheet.set_column(column, column, _WIDTHS[name])
    sheet.set_row(0, 32)
    for column, name in enumerate(COLUMNS):
        put_text(sheet, 0, column, name, look.answer_head if name in ANSWERS else look.head)
    for number, row in enumerate(table.rows.iter_rows(), start=1):
        _write_row(sheet, look, number, row)
    sheet.freeze_panes(1, _NAME + 1)
    sheet.autofilter(0, 0, last, len(COLUMNS) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:{xl_col_to_name(len(COLUMNS) - 1)}{last + 1}"})
    page(sheet, title, pages_wide=2)
    sheet.print_across()  # the two halves of the same rows one after the other
    sheet.set_v_pagebreaks([_RIGHT_PAGE])
    sheet.repeat_rows(0)
    sheet.repeat_columns(0, _NAME)
    if last:
        _dropdowns(sheet, last)


def _write_row(sheet: Any, look: Look, number: int, row: tuple[str, ...]) -> None:
    # Not every spreadsheet program heightens a row for wrapped text when it opens the file.
    sheet.set_row(number, LINE * max(1, *(lines(row[i], wide) for i, wide in _WRAPPED)) + 4)
    mark = look.mark(row[_PROGRESS])
    for column, (name, text) in enumerate(zip(COLUMNS, row, strict=True)):
        form = look.answer if name in ANSWERS else look.centre if name in _CENTRED else look.text
        if mark and column in (_PROGRESS, _NUMBER):
            form = mark if column == _PROGRESS else look.bold
        if text:
            put_text(sheet, number, column, text, form)
        else:
            sheet.write_blank(number, column, None, form)


def _dropdowns(sheet: Any, last: int) -> None:
    def choose(column: str, choices: tuple[str, ...], **how: Any) -> None:
        at = COLUMNS.index(column)
        sheet.data_validation(1, at, last, at, {"validate": "list", "source": list(choices), **how})

    choose("核查结果", RESULTS, error_title="核查结果", error_message=f"请从下拉框选择：{'、'.join(RESULTS)}")
    choose(
        "处理措施",
        MEASURES,
        error_type="warning",
        error_title="处理措施",
        error_message="不在常用措施中，确定这样写吗？",
    )
    choose(
        "情况说明",
        REASONS,
        show_error=False,
        input_title="情况说明",
        input_message="可选常见原因，也可自己写一句",
    )
