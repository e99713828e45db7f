"""Rows that are no people, at every place of a list; and people who look like them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.dataset import Dataset
from pipeline.identity.id_number import NUMERIC_CELL
from pipeline.intake.totals import RowKind, classify, is_repeated_header, stated_total, without_sums

ID, CERTIFICATE = "539901199001011234", "53990119900101123441"
SUBSIDIES = Dataset.model_validate(
    {
        "dataset": "civil_affairs/two_subsidies",
        "title": "残疾人两项补贴发放花名册",
        "department": "民政局",
        "grain": "人×补贴",
        "delivery": {"by": "county", "stale_after_days": 60},
        "fields": {
            "name": {"title": "姓名", "type": "name", "required": True, "headers": ["姓名", "申请人姓名"]},
            "id": {"title": "身份证号", "type": "id", "required": True, "headers": ["身份证号"]},
            "kind": {"title": "补贴类型", "type": "text", "headers": ["补贴类型"]},
            "amount": {"title": "补贴标准", "type": "amount", "headers": ["补贴标准", "月标准(元)"]},
        },
    }
)
COLUMNS = {"name": 1, "id": 2, "kind": 3, "amount": 4}  # column 0 is 序号


def _kind(*row: str) -> RowKind:
    return classify(row, COLUMNS, SUBSIDIES)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (["1", "王五", ID, "护理补贴", "90"], RowKind.DATA),
        (["1", "王五", "", "", ""], RowKind.DATA),
        (["1", "王五", "无", "护理补贴", "90"], RowKind.DATA),
        (["", "", "539901********1234", "", ""], RowKind.DATA),
        (["", "", NUMERIC_CELL + "539901199001011264", "", ""], RowKind.DATA),
        (["1", "统计生", "", "护理补贴", "90"], RowKind.DATA),
        (["1", "", "", "护理补贴", ""], RowKind.DATA),
        (["12", "王五", "", "联系人:李四", "90"], RowKind.DATA),
        (["", "", "", "", ""], RowKind.BLANK),
        ([], RowKind.BLANK),
        (["190", "", "", "", ""], RowKind.BLANK),
        (["金江镇", "", "", "", ""], RowKind.BLANK),
        (["\u3000", "\u200b", "", "", ""], RowKind.BLANK),
        (["合计", "190人", "", "", ""], RowKind.TOTAL),
        (["", "合 计", "", "", "17100"], RowKind.TOTAL),
        (["合计", "合计", "合计", "", "17,100.00"], RowKind.TOTAL),
        (["幸福村小计", "", "", "", "900"], RowKind.TOTAL),
        (["本页合计：", "", "", "", ""], RowKind.TOTAL),
        (["总计：190人", "", "", "", ""], RowKind.TOTAL),
        (["填表人：", "", "审核人：", "", ""], RowKind.FOOTER),
        (["填表人：王五", "", "联系电话：0887-8223344", "", ""], RowKind.FOOTER),
        (["", "填报日期", "2026年10月31日", "", ""], RowKind.FOOTER),
        (["2026年10月31日", "", "单位（盖章）：", "", ""], RowKind.FOOTER),
        (["填报单位：示例市民政局", "", "", "单位：元", ""], RowKind.FOOTER),
        (["备注：本表一式两份", "", "", "", ""], RowKind.NOTE),
        (["注：1.身份证号请以文本格式填写；2.不得漏报。", "", "", "", ""], RowKind.NOTE),
        (["", "2026年10月示例市残疾人两项补贴发放花名册", "", "", ""], RowKind.NOTE),
        (["1", "2", "3", "4", "5"], RowKind.NOTE),
        (["序号", "姓名", "身份证号", "补贴类型", "补贴标准"], RowKind.REPEATED_HEADER),
        (["序号", "姓 名", "身份证号", "类型", "月标准（元）"], RowKind.REPEATED_HEADER),
    ],
)
def test_kinds_of_rows(row: list[str], kind: RowKind) -> None:
    assert classify(row, COLUMNS, SUBSIDIES) is kind


NOISE = st.sampled_from(
    ["合计", "小计：", "填表人：", "备注：无", "姓名", "身份证号", "1", "", "审核人", "总计190人"]
)
NUMBER = st.sampled_from(
    [ID, CERTIFICATE, "５３９９０１１９９００１０１１２３４", "539901 19900101 1234", ID[:17], ID[:-1] + "x"]
)


@given(st.lists(NOISE, min_size=4, max_size=4), NUMBER, st.integers(0, 4))
@settings(derandomize=True, deadline=None)
def test_a_row_with_a_number_is_always_a_person(noise: list[str], number: str, at: int) -> None:
    assert _kind(*noise[:at], number, *noise[at:]) is RowKind.DATA


@pytest.mark.parametrize(
    ("row", "count"),
    [
        (["合计", "190人"], 190),
        (["合计", "190"], 190),
        (["合计", "共190人", "", "", "17100"], 190),
        (["合计：190人"], 190),
        (["合计190人"], 190),
        (["", "合计", "", "１９０人"], 190),
        (["合计", "合计", "合计", "1,190人"], 1190),
        (["合计", "0人"], 0),
        (["合计", "50户190人"], 190),
        (["合计", "共190人，其中男100人"], 190),
        (["合计", "男100人", "女90人"], None),
        (["合计", "", "", "", "17100"], None),
        (["合计", "", "", "", "17100.00"], None),
        (["合计", "", "", "17100元"], None),
        (["合计"], None),
        (["小计", "30人"], None),
        (["本页合计", "30人"], None),
        (["幸福村合计", "30人"], None),
        (["王五", "190人"], None),
    ],
)
def test_what_a_total_row_promises(row: list[str], count: int | None) -> None:
    assert stated_total(row) == count


def test_money_right_after_the_word_is_no_count() -> None:
    row = ["", "", "", "合计", "17100"]
    assert stated_total(row) == 17100
    assert stated_total(row, COLUMNS, SUBSIDIES) is None


def test_a_repeated_header_must_stand_in_its_own_columns() -> None:
    assert is_repeated_header(["序号", "姓名", "身份证号", "补贴类型", "补贴标准"], COLUMNS, SUBSIDIES)
    assert not is_repeated_header(["姓名", "身份证号", "补贴类型", "补贴标准"], COLUMNS, SUBSIDIES)
    assert not is_repeated_header(["1", "姓名", "", "", ""], COLUMNS, SUBSIDIES)


FAMILIES = Dataset.model_validate(
    {
        **SUBSIDIES.model_dump(exclude={"fields", "person", "household", "facts"}),
        "person": {"name": "name", "id": "id"},
        "household": {"family": "fam", "head_name": "head"},
        "fields": {
            "fam": {"title": "家庭编号", "type": "text", "headers": ["家庭编号"]},
            "head": {"title": "户主", "type": "name", "headers": ["户主"]},
            "name": {"title": "姓名", "type": "name", "headers": ["姓名"]},
            "id": {"title": "身份证号", "type": "id", "headers": ["身份证号"]},
            "n": {"title": "保障人口", "type": "integer", "headers": ["保障人口"]},
            "amount": {"title": "金额", "type": "amount", "headers": ["金额"]},
        },
    }
)
OF_FAMILIES = {"fam": 0, "head": 1, "name": 2, "id": 3, "n": 4, "amount": 5}
WITHOUT_NUMBERS = {name: at for name, at in OF_FAMILIES.items() if name != "n"}


@pytest.mark.parametrize(
    ("row", "count"),
    [
        (["合计", "190人", "", "", "", ""], 190),
        (["合计", "190人", "", "", "400", "17100"], 190),
        (["合计", "60户190人", "", "", "", ""], 190),
        (["合计", "60户", "", "190人", "", ""], 190),
        (["合计", "共190人", "", "", "", ""], 190),
        (["合计", "12", "", "", "", ""], None),  # families?
        (["合计", "12", "", "", "15", "7500"], None),
        (["合计", "12户", "", "", "", ""], None),
        (["合计：12", "", "", "", "", ""], None),
        (["", "", "", "合计", "30人", ""], None),  # the column's sum
        (["", "", "", "合计", "0", ""], None),
        (["合计：30人", "", "", "", "", ""], None),  # perhaps the column's sum
        (["合计：0", "", "", "", "", ""], 0),
        (["合计：0人", "", "", "", "", ""], 0),
        (["合计", "0人", "", "", "", ""], 0),
        (["合计", "0", "", "", "", ""], 0),
    ],
)
def test_a_total_that_may_be_of_families_or_of_a_column_promises_nothing(
    row: list[str], count: int | None
) -> None:
    assert stated_total(row, OF_FAMILIES, FAMILIES) == count


@pytest.mark.parametrize("text", ["共计15人", "合计15人", "合计：15 人", "合计：共15人", "总人数：15人"])
def test_people_in_the_cell_of_the_word_are_a_promise_where_no_column_counts_people(text: str) -> None:
    assert stated_total([text], WITHOUT_NUMBERS, FAMILIES) == 15
    assert stated_total([text], COLUMNS, SUBSIDIES) == 15


def test_a_number_under_a_column_of_something_else_is_no_count() -> None:
    assert stated_total(["合计", "15", "", "", ""], COLUMNS, SUBSIDIES) == 15  # under 姓名
    assert stated_total(["", "", "合计", "15", ""], COLUMNS, SUBSIDIES) is None  # under 补贴类型
    assert stated_total(["15户", "合计", "", "", ""], COLUMNS, SUBSIDIES) is None


def test_the_sum_of_a_column_is_no_count_of_rows() -> None:
    assert without_sums((30, 15, 0), [30, 0]) == (15, 0)
