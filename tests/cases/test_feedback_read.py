"""Reports that come back: filled in, sorted, cut down, widened, saved by other programs, damaged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import feedback_made as made
import pytest
from feedback_made import NUMBERS, answers, codes, line, only_file

from pipeline.cases.feedback_columns import ANSWERS, NUMBER
from pipeline.contracts.answer_lists import CLAIMED, OTHER_REASON
from pipeline.reports.rows import ANSWERS as REPORTED
from pipeline.reports.rows import COLUMNS

HEADS = ["疑点编号", "姓名", "核查结果", "情况说明", "处理措施", "办结日期", "核查人", "核查日期"]


def table(*rows: Sequence[str]) -> list[list[str]]:
    return [HEADS, *([*row, *[""] * (len(HEADS) - len(row))] for row in rows)]


def test_the_houses_own_workbook_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "疑点清单.xlsx"
    made.house_workbook(path, {"疑点清单": [line(n) for n in NUMBERS[:4]], "待核实": [line(NUMBERS[4])]})
    made.fill_in(
        path,
        "疑点清单",
        {
            NUMBERS[0]: {
                "核查结果": "属实",
                "处理措施": "已申请",
                "办结日期": datetime(2026, 11, 5),
                "核查人": "李四",
            },
            NUMBERS[1]: {"核查结果": "不属实", "情况说明": "死亡", "核查日期": 46331},
            NUMBERS[2]: {"核查结果": "不是", "情况说明": "外出务工"},
        },
    )
    made.fill_in(path, "待核实", {NUMBERS[4]: {"核查结果": "已享受"}})
    file = only_file(tmp_path)
    assert answers(file) == {
        NUMBERS[0]: "属实",
        NUMBERS[1]: "不属实",
        NUMBERS[2]: "不属实",
        NUMBERS[4]: CLAIMED,
    }
    first, second, third, verified = file.answers
    assert (first.said.measure, first.said.done_on, first.said.checked_by) == (
        "已申请",
        date(2026, 11, 5),
        "李四",
    )
    assert (second.said.reason, second.said.checked_on) == ("死亡", date(2026, 11, 5))
    assert (third.said.reason, third.said.note) == (OTHER_REASON, "外出务工")
    assert (verified.sheet, verified.row, verified.file) == ("待核实", 2, "疑点清单.xlsx")
    assert (file.returned, file.problems, file.blank) == ((), (), 1)


def test_an_unanswered_report_brings_nothing_and_nothing_comes_back(tmp_path: Path) -> None:
    made.house_workbook(tmp_path / "a.xlsx", {"疑点清单": [line(n) for n in NUMBERS[:5]]})
    file = only_file(tmp_path)
    assert (file.answers, file.returned, file.problems, file.blank) == ((), (), (), 5)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_text_files_of_every_encoding(tmp_path: Path, encoding: str, delimiter: str) -> None:
    lines = [line(NUMBERS[0], 核查结果="属实", 情况说明="一户，两人"), line(NUMBERS[1], 核查结果="否")]
    made.write_lines(tmp_path / "反馈.csv", lines, encoding=encoding, delimiter=delimiter)
    assert answers(only_file(tmp_path)) == {NUMBERS[0]: "属实", NUMBERS[1]: "不属实"}


def test_an_old_excel_file_with_dates_as_dates(tmp_path: Path) -> None:
    row = [NUMBERS[0], "和某", "不属实", "迁出", "", "", "李四", date(2026, 11, 5)]
    made.write_xls(tmp_path / "反馈.xls", [["香格里拉市疑点清单"], [], HEADS, row])
    (answer,) = only_file(tmp_path).answers
    assert (answer.said.reason, answer.said.checked_on, answer.row) == (
        "迁出或户籍在外县",
        date(2026, 11, 5),
        4,
    )


def test_columns_moved_renamed_added_and_taken_away(tmp_path: Path) -> None:
    heads = [
        "县备注栏",
        "核实人员",
        "是否属实（是/否）",
        "电话",
        "*核查\n说明",
        "疑点号",
        "处置措施",
        "入户时间",
    ]
    row = ["x", "李四", "是", "13812345678", "家里困难", NUMBERS[0], "转办", "11月5日"]
    made.write_csv(tmp_path / "b.csv", [heads, row])
    (answer,) = only_file(tmp_path).answers
    assert answer.case_number == NUMBERS[0]
    assert list(answer.said.body().values()) == [
        "属实",
        None,
        "转其他部门",
        "家里困难",
        None,
        "李四",
        "2026-11-05",
    ]


def test_title_rows_footers_and_a_second_header_in_another_order(tmp_path: Path) -> None:
    rows = [
        ["香格里拉市 残疾人惠民政策疑点清单"],
        ["填报单位：某某", "", "2026年11月"],
        *table([NUMBERS[0], "甲", "属实"]),
        [],
        ["核查结果", "疑点编号", "情况说明"],
        ["不属实", NUMBERS[1], "死了"],
        ["合计", "2"],
        ["填表人：李四", "", "审核人：王五"],
    ]
    made.write_csv(tmp_path / "c.csv", rows)
    file = only_file(tmp_path)
    assert answers(file) == {NUMBERS[0]: "属实", NUMBERS[1]: "不属实"}
    assert file.returned == ()


def test_a_row_that_only_looks_like_a_footer_is_not_lost(tmp_path: Path) -> None:
    rows = table(["XGLL-2611-0000-1", "甲", "不属实", "说明：已死亡"], ["", "乙", "看不清", "注：见附件"])
    made.write_csv(tmp_path / "c.csv", rows)
    assert codes(only_file(tmp_path))[0] == ("E721", 2)


def test_numbers_as_people_type_them_and_wrong_ones(tmp_path: Path) -> None:
    good = NUMBERS[0]
    wide = "".join(chr(ord(c) + 0xFEE0) for c in NUMBERS[1])
    wrong = good[:-1] + str((int(good[-1]) + 1) % 10)
    made.write_csv(
        tmp_path / "d.csv",
        table(
            [f" {good.lower()} ", "", "属实"],
            [wide, "", "属实"],
            [NUMBERS[2].replace("-", "").replace("0", "O"), "", "属实"],
            [f'="{NUMBERS[3]}"', "", "属实"],
            [wrong, "", "属实"],
            ["", "", "属实"],
            [made.ID, "", "属实"],
            ["和某某", "", "属实"],
        ),
    )
    file = only_file(tmp_path)
    assert set(answers(file)) == set(NUMBERS[:4])
    assert codes(file) == [("E721", 6), ("E721", 7), ("E721", 8), ("E721", 9)]
    assert [one.written for one in file.returned] == [wrong, "", "", ""]  # an ID or a name is never repeated


def test_without_its_header_the_column_is_known_by_its_numbers(tmp_path: Path) -> None:
    wrong = NUMBERS[1][:-1] + "X"
    rows = [["号", "核查结果", "核查人"], [NUMBERS[0], "属实", ""], [wrong, "属实", ""], ["", "合计：2", ""]]
    made.write_csv(tmp_path / "e.csv", rows)
    file = only_file(tmp_path)
    assert answers(file) == {NUMBERS[0]: "属实"}
    assert codes(file) == [("E721", 3)]
    assert file.returned[0].written == wrong


@pytest.mark.parametrize(
    ("head", "second"),
    [
        ("编号", ["", "", "属实"]),
        ("编号", [NUMBERS[1], NUMBERS[2], "属实"]),
        ("同户编号", [NUMBERS[1], "", "属实"]),
        ("镇里意见", [NUMBERS[1], "", "属实"]),
    ],
)
def test_a_column_with_numbers_that_could_be_others_names_no_case(
    tmp_path: Path, head: str, second: list[str]
) -> None:
    made.write_csv(tmp_path / "e.csv", [[head, "参考", "核查结果"], [NUMBERS[0], "", "属实"], second])
    file = only_file(tmp_path)
    assert file.answers == ()
    assert codes(file) == [("E721", 2), ("E721", 3)]


def test_a_wrong_number_is_not_replaced_by_another_of_the_row(tmp_path: Path) -> None:
    rows = [["疑点编号", "参考", "核查结果"], ["XGLL-2611", NUMBERS[2], "属实"], ["", NUMBERS[3], "属实"]]
    made.write_csv(tmp_path / "e.csv", rows)
    file = only_file(tmp_path)
    assert file.answers == ()
    assert codes(file) == [("E721", 2), ("E721", 3)]


def test_one_case_twice(tmp_path: Path) -> None:
    made.write_csv(
        tmp_path / "f.csv",
        table(
            [NUMBERS[0], "甲", "属实"],
            [NUMBERS[0], "甲", "是"],
            [NUMBERS[1], "乙", "属实"],
            [NUMBERS[1], "乙", "不属实"],
            [NUMBERS[2], "丙", "属实"],
            [NUMBERS[2], "丙", ""],
        ),
    )
    file = only_file(tmp_path)
    assert answers(file) == {NUMBERS[0]: "属实", NUMBERS[2]: "属实"}
    assert codes(file) == [("E725", 4), ("E725", 5)]
    assert (file.repeated, file.blank) == (1, 1)


def test_merged_case_numbers_name_one_case_only(tmp_path: Path) -> None:
    rows = [
        ["疑点编号", "涉及政策", "核查结果"],
        [NUMBERS[0], "重度护理", ""],
        [
            NUMBERS[1],
            "困难生活",
            "不属实",
        ],  # the answer is the second case's, whose number the merge has deleted
        [NUMBERS[2], "重度护理", "属实"],
        [NUMBERS[3], "困难生活", "属实"],
    ]
    made.write_xlsx(tmp_path / "g.xlsx", rows, ["A2:A3", "A4:A5"])
    file = only_file(tmp_path)
    assert answers(file) == {NUMBERS[2]: "属实"}
    assert codes(file) == [("E725", 3), ("E725", 5)]


def test_an_answer_merged_over_rows_counts_for_each(tmp_path: Path) -> None:
    rows = [
        ["清单", "", "", ""],
        ["疑点编号", "姓名", "核查结果", "情况说明"],
        *([n, "甲", "不属实", "死亡"] for n in NUMBERS[:3]),
    ]
    made.write_xlsx(tmp_path / "h.xlsx", rows, ["A1:D1", "C3:C5", "D3:D5"])
    file = only_file(tmp_path)
    assert answers(file) == dict.fromkeys(NUMBERS[:3], "不属实")


def test_an_answer_merged_to_the_right_is_one_answer(tmp_path: Path) -> None:
    rows = [
        ["疑点编号", "核查结果", "情况说明", "处理措施", "办结日期"],
        [NUMBERS[0], "无法核实", "", "", ""],
    ]
    made.write_xlsx(tmp_path / "h.xlsx", rows, ["B2:E2"])
    (answer,) = only_file(tmp_path).answers
    assert (answer.said.result, answer.said.note, answer.said.done_on) == ("无法核实", None, None)


def test_line_breaks_inside_a_cell_keep_the_rows_places(tmp_path: Path) -> None:
    made.write_csv(tmp_path / "j.csv", table([NUMBERS[0], "甲", "属实", "家里\n困难"], ["", "乙", "属实"]))
    file = only_file(tmp_path)
    assert file.answers[0].said.note == "家里 困难"
    assert codes(file) == [("E721", 4)]


def test_the_answer_columns_are_those_of_the_report() -> None:
    assert ANSWERS == REPORTED
    assert NUMBER in COLUMNS
