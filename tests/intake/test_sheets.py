"""Several sheets in a workbook: which are read, and that nobody is lost on those that are not."""

from __future__ import annotations

import pytest

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.problem import Problem
from pipeline.identity.id_number import NUMERIC_CELL
from pipeline.intake.header import HeaderProblem, MissingColumns
from pipeline.intake.sheets import pick_sheets, unread_sheets
from pipeline.intake.workbook import Sheet


def _field(kind: str, header: str, required: bool = True) -> dict[str, object]:
    return {"title": header, "type": kind, "headers": [header], "required": required}


DIBAO = Dataset.model_validate(
    {
        "dataset": "civil_affairs/dibao",
        "title": "最低生活保障对象花名册",
        "department": "民政局",
        "grain": "人",
        "delivery": {"by": "county", "stale_after_days": 60},
        "person": {"name": "name", "id": "id"},
        "household": {"family": "fam", "head_id": "hid", "relation": "rel"},
        "fields": {
            "fam": _field("text", "家庭编号"),
            "hname": _field("name", "户主姓名", False),
            "hid": _field("id", "户主身份证号", False),
            "name": _field("name", "姓名"),
            "id": _field("id", "身份证号"),
            "rel": _field("text", "与户主关系"),
        },
    }
)
HEADER = ["家庭编号", "户主姓名", "户主身份证号", "姓名", "身份证号", "与户主关系"]


def _id(n: int) -> str:
    return f"5399011990010112{n:02}"


def _row(n: int) -> list[str]:
    return ["DB1", "王五", _id(1), f"甲{n}", _id(n), "成员"]


GOOD = [HEADER, _row(1), _row(2), _row(3)]
SAMPLES = [
    ["填表说明"],
    ["身份证号填写18位，如 " + _id(9)],
    ["示例", _id(9)],
    ["示例2", _id(9), _id(8)],
]


def _sheet(name: str, rows: list[list[str]], visible: bool = True) -> Sheet:
    return Sheet(name, rows, visible)


def _read(*sheets: Sheet) -> tuple[list[str], tuple[Problem, ...]]:
    picked = pick_sheets(sheets, DIBAO, "")
    return [sheet.name for sheet, _ in picked], unread_sheets(sheets, picked, DIBAO, "")


def _refusal(*sheets: Sheet) -> Problem:
    with pytest.raises(HeaderProblem) as caught:
        pick_sheets(sheets, DIBAO, "")
    assert caught.value.problem.severity == "error"
    return caught.value.problem


def test_sheets_of_townships_are_all_read_and_instructions_left_out() -> None:
    sheets = [
        _sheet("填表说明", [["身份证号请以文本格式填写。"], ["例：" + _id(9)]]),
        _sheet("金江镇", GOOD),
        _sheet("上江乡", [["上江乡花名册"], *GOOD]),
        _sheet("代码", [["与户主关系", "代码"], ["户主", "1"]]),
        _sheet("空", []),
    ]
    assert [(s.name, h.row) for s, h in pick_sheets(sheets, DIBAO, "")] == [("金江镇", 1), ("上江乡", 2)]
    read, notes = _read(*sheets)
    assert read == ["金江镇", "上江乡"]
    assert [(note.code, note.severity, note.sheet) for note in notes] == [("E218", "note", "填表说明")]


@pytest.mark.parametrize("number", [_id(4), "539901********1204", NUMERIC_CELL + _id(4), "5.39901E+17"])
@pytest.mark.parametrize("people", [1, 2])
def test_a_visible_sheet_with_people_and_no_header_refuses_the_file(number: str, people: int) -> None:
    rows = [[*_row(4)[:2], "", "甲4", number, "成员"]] * people
    problem = _refusal(_sheet("金江镇", GOOD), _sheet("上江乡", rows))
    assert (problem.code, problem.sheet) == ("E211", "上江乡")
    assert "补上" in problem.cure
    assert _id(4) not in problem.line()


def test_three_people_in_another_layout_refuse_the_file_too() -> None:
    rows = [["1", f"甲{n}", _id(n)] for n in (4, 5, 6)]
    assert _refusal(_sheet("金江镇", GOOD), _sheet("上江乡", rows)).sheet == "上江乡"


def test_instructions_with_sample_numbers_are_noted_only() -> None:
    read, notes = _read(_sheet("名册", GOOD), _sheet("填表说明", SAMPLES))
    assert read == ["名册"]
    assert [(note.code, note.severity, note.sheet) for note in notes] == [("E218", "note", "填表说明")]


def test_a_hidden_list_of_known_people_is_noted() -> None:
    for rows in (GOOD, [HEADER, [*_row(2)[:4], "'" + _id(2)[:6] + " " + _id(2)[6:], "成员"]], GOOD[1:]):
        read, notes = _read(
            _sheet("旧", rows, visible=False), _sheet("新", GOOD), _sheet("密", [["x"]], visible=False)
        )
        assert read == ["新"]
        assert [(note.code, note.severity, note.sheet) for note in notes] == [("E216", "note", "旧")]


def test_hidden_people_who_stand_nowhere_else_refuse_the_file() -> None:
    for rows in (
        [HEADER, _row(4)],
        [_row(4)],
        [HEADER, _row(1), [*_row(5)[:4], "539901********1205", "成员"]],
    ):
        problem = _refusal(_sheet("金江镇", GOOD), _sheet("上江乡", rows, visible=False))
        assert (problem.code, problem.sheet) == ("E216", "上江乡")
        assert "取消隐藏" in problem.cure


def test_a_hidden_member_is_not_excused_by_standing_as_a_head() -> None:
    visible = [HEADER, ["DB1", "丁", _id(7), "甲2", _id(2), "成员"]]
    hidden = [HEADER, ["DB1", "丁", _id(7), "丁", _id(7), "户主"]]
    assert _refusal(_sheet("a", visible), _sheet("b", hidden, visible=False)).code == "E216"


def test_other_hidden_sheets_with_numbers_are_noted() -> None:
    _, notes = _read(_sheet("名册", GOOD), _sheet("查询", SAMPLES, visible=False))
    assert [(note.code, note.severity, note.sheet) for note in notes] == [("E216", "note", "查询")]


def test_a_hidden_list_without_any_number_is_noted() -> None:
    rows = [HEADER, ["DB1", "王五", "", "丁", "", "成员"]]
    _, notes = _read(_sheet("名册", GOOD), _sheet("旧", rows, visible=False))
    assert [note.sheet for note in notes] == ["旧"]


def test_only_hidden_sheets_are_no_list() -> None:
    assert _refusal(_sheet("旧", GOOD, visible=False)).code == "E211"


def test_a_township_that_cannot_be_read_stops_the_file() -> None:
    renamed = [["家庭编号", "姓名", "身份证号吗", "与户主关系"], ["DB1", "王五", _id(1), "户主"]]
    problem = _refusal(_sheet("金江镇", GOOD), _sheet("上江乡", renamed))
    assert (problem.code, problem.sheet) == ("E214", "上江乡")


def test_without_any_header_the_likeliest_sheet_is_named() -> None:
    near = [[*HEADER[:4], "身份证号吗", *HEADER[5:]], ["DB1", "王五", "", "", "", ""]]
    with pytest.raises(MissingColumns) as caught:
        pick_sheets([_sheet("说明", [["请填写"]]), _sheet("名册", near)], DIBAO, "")
    assert caught.value.problem.sheet == "名册"


def test_two_columns_that_say_the_same_throughout_are_one() -> None:
    doubled = [[*row, row[4]] for row in GOOD]
    blank = [[*GOOD[0], "身份证号"], *([*row, ""] for row in GOOD[1:])]
    for rows in (doubled, blank):
        ((_, header),) = pick_sheets([_sheet("名册", rows)], DIBAO, "")
        assert header.columns["id"] == 4
        assert [(column.code, column.column) for column in header.ignored] == [("E217", 6)]
    doubled[-1][-1] = _id(9)
    assert _refusal(_sheet("名册", doubled)).code == "E213"
