"""The header row under titles and merges, in every disguise; and what is said when it is not there."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.dataset import Dataset, FieldSpec
from pipeline.intake.header import HeaderProblem, MissingColumns, locate_header
from pipeline.intake.header_text import plain
from pipeline.intake.sheets import pick_sheets
from pipeline.intake.workbook import read_workbook

ID = "539901199001011234"


def _field(kind: str, *headers: str, required: bool = False, county: Sequence[str] = ()) -> FieldSpec:
    return FieldSpec.model_validate(
        {
            "title": headers[0],
            "type": kind,
            "required": required,
            "headers": headers,
            "county_headers": {"539901": county} if county else {},
        }
    )


DIBAO = Dataset.model_validate(
    {
        "dataset": "civil_affairs/dibao",
        "title": "最低生活保障对象花名册",
        "department": "民政局",
        "grain": "人",
        "delivery": {"by": "county", "stale_after_days": 60},
        "fields": {
            "fam": _field("text", "家庭编号", "低保证号", required=True),
            "hname": _field("name", "户主姓名", "户主"),
            "hid": _field("id", "户主身份证号"),
            "name": _field("name", "姓名", "保障对象姓名", required=True),
            "id": _field("id", "身份证号", "公民身份号码", required=True, county=["证件号"]),
            "rel": _field("text", "与户主关系", required=True),
            "amount": _field("amount", "月保障金额", "月保障金(元)"),
        },
    }
)
HEADER = ["家庭编号", "户主姓名", "户主身份证号", "姓名", "身份证号", "与户主关系", "月保障金额"]
COLUMNS = {"fam": 0, "hname": 1, "hid": 2, "name": 3, "id": 4, "rel": 5, "amount": 6}
DATA = ["DB1", "王五", ID, "王五", ID, "户主", "700"]


def _problems(rows: Sequence[Sequence[str]], county: str = "539901") -> HeaderProblem:
    with pytest.raises(HeaderProblem) as caught:
        locate_header(rows, DIBAO, county)
    return caught.value


FRONTS = [
    [],
    [["539901示例市最低生活保障对象花名册_20261031", "", "", "", "", "", ""]],
    [["最低生活保障对象花名册"] * 7, ["填报单位：示例市民政局", "", "", "填报时间：2026年10月", "", "", ""]],
    [["花名册", "", "", "", "", "", ""], ["填报单位", "示例市民政局", "", "", "单位:元", "", ""], [""] * 7],
    [[""] * 7] * 15 + [["花名册", "", "", "", "", "", "单位：元"]],
]


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("counter", [0, 1])
def test_titles_and_a_counter_in_front(front: list[list[str]], counter: int) -> None:
    extra = [["序号"], ["1"]] if counter else [[], []]
    blank = [""] * counter
    rows = [*(blank + row for row in front), extra[0] + HEADER, extra[1] + DATA]
    header = locate_header(rows, DIBAO, "539901")
    assert header.row == len(front) + 1
    assert header.columns == {name: at + counter for name, at in COLUMNS.items()}
    assert header.ignored == ()


@given(
    st.permutations(range(7)),
    st.lists(st.sampled_from([" ", "\n", "\u3000", "\u200b", "\ufeff", "\xa0"]), min_size=7, max_size=7),
)
@settings(derandomize=True, deadline=None)
def test_order_and_white_space_do_not_matter(order: list[int], spaces: list[str]) -> None:
    names = [HEADER[at][:1] + space + HEADER[at][1:] + space for at, space in zip(order, spaces, strict=True)]
    header = locate_header([names, [DATA[at] for at in order]], DIBAO, "")
    assert header.columns == {name: order.index(at) for name, at in COLUMNS.items()}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("月保障金（元）", True),
        ("月保障金 (元)", True),
        ("月保障金额（元）", True),
        ("*月保障金额", True),
        ("月保障金额（元/月）", True),
        ("月保障金额（万元）", False),
        ("月保障金", False),
        ("保障金额", False),
    ],
)
def test_units_in_brackets(text: str, found: bool) -> None:
    header = locate_header([[*HEADER[:6], text], DATA], DIBAO, "")
    assert ("amount" in header.columns) == found
    assert [column.header for column in header.ignored] == (
        [] if found else [text.replace("（", "(").replace("）", ")")]
    )


def test_a_county_may_have_headers_of_its_own() -> None:
    rows = [[*HEADER[:4], "证件号", *HEADER[5:]], DATA]
    assert locate_header(rows, DIBAO, "539901").columns["id"] == 4
    (problem,) = _problems(rows, "539902").problems
    assert (problem.code, problem.row) == ("E214", 1)


GROUPS = ["序号", "低保证号", "户主", "户主", "家庭成员", "家庭成员", "家庭成员", "备注"]
UNDER = ["序号", "低保证号", "姓名", "身份证号", "姓名", "身份证号", "与户主关系", "备注"]
MERGED = {"fam": 1, "hname": 2, "hid": 3, "name": 4, "id": 5, "rel": 6}
PERSON = ["1", "DB1", "王五", ID, "赵六", ID, "配偶", ""]


def test_merged_headings_filled_by_the_workbook() -> None:
    header = locate_header([["花名册"] * 8, GROUPS, UNDER, PERSON], DIBAO, "")
    assert (header.row, header.columns) == (3, MERGED)
    assert [column.header for column in header.ignored] == ["备注"]


def test_merged_headings_as_a_text_file_shows_them() -> None:
    above = ["序号", "低保证号", "户主", "", "家庭成员", "", "", "备注"]
    below = ["", "", "姓名", "身份证号", "姓名", "身份证号", "与户主关系", ""]
    header = locate_header([above, below, PERSON], DIBAO, "")
    assert (header.row, header.columns) == (2, MERGED)


def test_headings_divided_below_are_no_person() -> None:
    for fill, under in (("保障金", "姓名"), ("", "")):
        above = [*HEADER[:6], "保障金", fill]
        below = [*(HEADER[:6] if under else [""] * 6), "A类", "B类"]
        header = locate_header([above, below, [*DATA, "0"]], DIBAO, "")
        assert header.row == 2
        assert [column.header for column in header.ignored] == ["保障金/A类", "保障金/B类"]


def test_three_levels_in_a_real_workbook(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx")
    sheet = book.add_worksheet()
    sheet.merge_range(1, 1, 1, 7, "花名册")
    for column, text in ((1, "家庭编号"), (6, "与户主关系"), (7, "月保障金\n（元）")):
        sheet.merge_range(2, column, 4, column, text)
    sheet.merge_range(2, 2, 2, 5, "人员信息")
    sheet.merge_range(3, 2, 3, 3, "户主")
    sheet.merge_range(3, 4, 3, 5, "保障对象")
    sheet.write_row(4, 2, ["姓名", "身份证号", "姓名", "身份证号"])
    sheet.write_row(5, 1, ["DB1", "王五", ID, "赵六", ID, "配偶", "700"])
    book.close()
    ((_, header),) = pick_sheets(read_workbook(tmp_path / "a.xlsx", unpacked_limit_mb=64), DIBAO, "")
    assert header.row == 5
    assert header.columns == {name: at + 1 for name, at in COLUMNS.items()}


def test_another_persons_name_is_never_taken() -> None:
    """户主 over 姓名 and 身份证号, and no member: the head's columns must not become the person's."""
    fields = {name: DIBAO.fields[name] for name in ("fam", "name", "id", "rel")}
    members = DIBAO.model_copy(update={"fields": fields})
    above = ["低保证号", "户主", "户主", "成员"]
    with pytest.raises(MissingColumns) as caught:
        locate_header([above, ["低保证号", "姓名", "身份证号", "与户主关系"], DATA], members, "")
    assert [problem.column for problem in caught.value.problems] == ["姓名", "身份证号"]
    plain = Dataset.model_validate(
        {**DIBAO.model_dump(), "fields": {"name": fields["name"], "id": fields["id"]}}
    )
    with pytest.raises(HeaderProblem):
        locate_header([["户主姓名", "户主身份证号"], ["王五", ID]], plain, "")


def test_each_renamed_required_column_is_named_with_its_cure() -> None:
    for name, at in COLUMNS.items():
        rows = [[text + "吗" if here == at else text for here, text in enumerate(HEADER)], DATA]
        if DIBAO.fields[name].required:
            failure = _problems(rows)
            assert isinstance(failure, MissingColumns)
            (problem,) = failure.problems
            assert (problem.code, problem.dataset, problem.county) == (
                "E214",
                "civil_affairs/dibao",
                "539901",
            )
            line = f"`reconcile alias add civil_affairs/dibao {name} {HEADER[at]}吗 --county 539901`"
            assert line in problem.cure
            assert HEADER[at] in problem.why
        else:
            (unknown,) = locate_header(rows, DIBAO, "").ignored
            assert (unknown.nearest_field, unknown.nearest_header) == (name, HEADER[at])
            assert f"`reconcile alias add civil_affairs/dibao {name} {HEADER[at]}吗`" in unknown.cure


def test_the_line_to_add_can_be_pasted() -> None:
    (problem,) = _problems([[*HEADER[:4], "身份证号 $(rm)", *HEADER[5:]], DATA]).problems
    assert "id '身份证号$(rm)' --county 539901" in problem.cure


def test_no_header_and_a_bare_list() -> None:
    for rows in ([], [[""]], [DATA] * 5, [["本表由各乡镇填报。"]], [["姓名"], ["王五"]]):
        failure = _problems(rows)
        assert [problem.code for problem in failure.problems] == ["E211"]
        assert ID not in failure.problem.line()
        assert "王五" not in failure.problem.line()


def test_a_header_below_row_20_is_not_looked_for() -> None:
    assert _problems([*([["说明"]] * 20), HEADER, DATA]).problem.code == "E211"


def test_two_headers() -> None:
    other = HEADER[::-1]
    failure = _problems([HEADER, DATA, [], other, DATA[::-1]])
    assert [problem.code for problem in failure.problems] == ["E212"]
    assert locate_header([HEADER, DATA, HEADER, DATA], DIBAO, "").row == 1  # a page break


def test_a_field_with_two_columns() -> None:
    for second in ("身份证号", "公民身份号码"):
        (problem,) = _problems([[*HEADER, second], [*DATA, ID]]).problems
        assert problem.code == "E213"
        assert "E列“身份证号”" in problem.what
        assert f"H列“{second}”" in problem.what


def test_titles_times_merges_leave_one_header() -> None:
    for front, levels in itertools.product(FRONTS, (1, 2)):
        rows = [[*row, ""] for row in front] + ([GROUPS, UNDER] if levels == 2 else [["序号", *HEADER]])
        assert locate_header([*rows, PERSON], DIBAO, "").row == len(front) + levels


@pytest.mark.parametrize("second", ["月保障金（元）", "月保障金(元)"])
@pytest.mark.parametrize("turned", [False, True])
def test_of_an_optional_field_the_header_declared_first_is_read(second: str, turned: bool) -> None:
    header = [*HEADER[:6], second, HEADER[6]] if turned else [*HEADER, second]
    found = locate_header([header, [*DATA, "1"]], DIBAO, "")
    assert found.columns["amount"] == (7 if turned else 6)
    (spare,) = found.ignored
    assert (spare.code, spare.column, spare.nearest_header) == ("E217", 6 if turned else 7, "月保障金额")
    assert (spare.note.code, spare.note.severity) == ("E217", "note")
    assert "月保障金额" in spare.note.why


def test_the_same_header_twice_is_not_guessed() -> None:
    (problem,) = _problems([[*HEADER, "月保障金额"], [*DATA, "1"]]).problems
    assert problem.code == "E213"


@pytest.mark.parametrize(
    "text",
    [
        "身份证号(必填)",
        "*身份证号（必填项）",
        "身份证号（选填）",
        "身份证号*",
        "＊身份证号",
        "身份证号【必填】",
        "身份证号(*必填)：",
        "5.身份证号",
        "５、身份证号",
    ],
)
def test_marks_of_forms_do_not_matter(text: str) -> None:
    assert locate_header([[*HEADER[:4], text, *HEADER[5:]], DATA], DIBAO, "").columns == COLUMNS


def test_numbers_are_not_taken_for_the_mark_of_a_column() -> None:
    assert [plain(text) for text in ("12.50", "1.5", "3.", "1.2万元")] == ["12.50", "1.5", "3.", "1.2万元"]


NAMES = ["扎西卓玛", "次仁央宗", "王五", "扎西卓玛电话1381234", "138-1234-567", "扎西卓玛身份证号"]


@pytest.mark.parametrize("canary", NAMES)
def test_a_header_that_may_be_a_person_is_named_by_its_letter(canary: str) -> None:
    (unknown,) = locate_header([[*HEADER, canary], [*DATA, ""]], DIBAO, "").ignored
    assert unknown.header == "H"
    assert (unknown.note.code, unknown.note.column) == ("E215", "H")
    (problem,) = _problems([[*HEADER[:4], canary, *HEADER[5:]], DATA]).problems
    assert problem.code == "E214"
    for said in (unknown.note.line(), problem.line()):
        assert canary not in said
        assert "扎西" not in said


@pytest.mark.parametrize(
    "text", ["备注", "联系电话", "开户行", "银行账号", "是否残疾人", "户籍地址", "月保障金额度"]
)
def test_words_of_headers_are_shown(text: str) -> None:
    (unknown,) = locate_header([[*HEADER, text], [*DATA, ""]], DIBAO, "").ignored
    assert unknown.header == text


def test_a_level_above_that_may_be_a_person_is_not_shown() -> None:
    above, below = [*HEADER, "扎西卓玛"], [*HEADER, "备注"]
    (unknown,) = locate_header([above, below, [*DATA, ""]], DIBAO, "").ignored
    assert unknown.header == "H"
