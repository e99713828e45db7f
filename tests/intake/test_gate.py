"""The gate at its edges: totals, unusable identifiers, unknown codes, swapped columns; and what it may say aloud."""

from __future__ import annotations

from collections import Counter

import pytest
from deliveries import DATASETS
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.settings import Thresholds
from pipeline.intake.counts import Counts, Delivery, FieldCounts
from pipeline.intake.gate import judge, quality, speakable
from pipeline.intake.mojibake import is_spoilt
from pipeline.intake.normalise import Source

SOURCE = Source("civil_affairs/dibao/某县_20261031.csv", "", DATASETS["civil_affairs/dibao"], "539901")
HEADERS = {"name": "姓名", "id": "身份证号", "amount": "月保障金额", "state": "状态"}


def _codes(*sheets: Counts) -> list[str]:
    return [p.code for p in judge(Delivery((), sheets, HEADERS), SOURCE, Thresholds())]


def _counts(rows: int = 100, usable: int = 100, **fields: FieldCounts) -> Counts:
    return Counts(rows=rows, usable=usable, fields=fields)


@pytest.mark.parametrize(
    ("totals", "expected"),
    [((), ["E242"]), ((0,), []), ((0, 0), []), ((5,), ["E242"]), ((0, 5), ["E242"])],
)
def test_an_empty_list_must_say_so(totals: tuple[int, ...], expected: list[str]) -> None:
    assert _codes(Counts(totals=totals)) == expected


@pytest.mark.parametrize(
    ("totals", "expected"),
    [((100,), []), ((101,), ["E243"]), ((40, 60), []), ((40, 60, 100), []), ((0,), ["E243"])],
)
def test_a_stated_total_must_be_the_number_of_rows(totals: tuple[int, ...], expected: list[str]) -> None:
    assert _codes(Counts(rows=99, usable=99, broken=1, totals=totals)) == expected


def test_every_sheet_has_its_own_total() -> None:
    one, two = Counts(rows=3, usable=3, totals=(3,)), Counts(rows=4, usable=4, totals=(4,))
    assert _codes(one, two) == []
    assert _codes(one, Counts(rows=4, usable=4, totals=(3,))) == ["E243"]


def test_the_message_of_a_total_names_both_numbers() -> None:
    [problem] = judge(Delivery((), (Counts(rows=9, usable=9, totals=(8,)),), HEADERS), SOURCE, Thresholds())
    assert "8" in problem.why
    assert "9" in problem.why


@pytest.mark.parametrize(
    ("rows", "usable", "expected"), [(100, 50, []), (100, 49, ["E245"]), (4, 0, []), (5, 0, ["E245"])]
)
def test_half_of_the_rows_need_a_usable_identifier(rows: int, usable: int, expected: list[str]) -> None:
    assert _codes(_counts(rows, usable)) == expected


@pytest.mark.parametrize(("broken", "expected"), [(1, []), (2, ["E234"])])
def test_one_row_in_a_hundred_may_be_broken(broken: int, expected: list[str]) -> None:
    assert _codes(Counts(rows=100 - broken, usable=98, broken=broken)) == expected


def test_register_rows_of_no_county_do_not_refuse_the_file() -> None:
    assert _codes(Counts(rows=50, usable=50, broken=50, outside=50)) == []


@pytest.mark.parametrize(("garbled", "expected"), [(1, []), (2, ["E236"])])
def test_two_spoilt_rows_in_a_thousand_refuse_the_file(garbled: int, expected: list[str]) -> None:
    assert _codes(Counts(rows=1000 - garbled, usable=900, broken=garbled, garbled=garbled)) == expected


def test_unknown_spellings_of_a_required_column() -> None:
    assert _codes(_counts(state=FieldCounts(damaged=1, kinds=Counter({"在册": 1})))) == []
    assert _codes(_counts(state=FieldCounts(blank=2))) == ["E244"]
    counts = _counts(state=FieldCounts(blank=1, damaged=5, kinds=Counter({"在册": 4, "张三丰": 1})))
    [problem] = judge(Delivery((), (counts,), HEADERS), SOURCE, Thresholds())
    assert (problem.code, problem.column, problem.county) == ("E244", "状态", "539901")
    assert "在册" in problem.why
    assert "空白1行" in problem.why
    assert "张三丰" not in problem.line()
    assert "schemas/civil_affairs/dibao.yaml" in problem.cure
    assert '["在册"]' in problem.cure


def test_swapped_columns_are_told_from_bad_numbers() -> None:
    names = FieldCounts(alike=0, looked=100)
    numbers = FieldCounts(alike=95, looked=100)
    assert _codes(_counts(usable=0, id=names, name=numbers)) == ["E246"]
    assert _codes(_counts(usable=0, id=names, name=names)) == ["E245"]
    assert _codes(_counts(usable=100, id=numbers, name=numbers)) == []


def test_only_harmless_spellings_are_told() -> None:
    kinds = Counter({"在册": 3, "539901196503170010": 9, "一位很长很长的填写说明文字": 5, "李四": 1})
    assert speakable(kinds) == (("在册", 3),)
    assert speakable(Counter({f"姓{n}": 2 for n in range(40)})) == ()


def test_the_quality_page_counts_what_it_does_not_tell() -> None:
    counts = _counts(
        state=FieldCounts(damaged=4, kinds=Counter({"在册": 3, "李四": 1})),
        id=FieldCounts(damaged=2, kinds=Counter(checksum=2)),
    )
    told = {q.field: q.by_kind for q in quality(Delivery((), (counts,), HEADERS), SOURCE)}
    assert told == {"state": (("在册", 3), ("其他", 1)), "id": (("checksum", 2),)}


@settings(derandomize=True, deadline=None)
@given(st.lists(st.integers(0, 50), max_size=6))
def test_counts_add_up_in_any_grouping(rows: list[int]) -> None:
    parts = [_counts(n, n, state=FieldCounts(blank=n, kinds=Counter(a=n))) for n in rows]
    left = sum(parts, Counts())
    right = Counts()
    for part in reversed(parts):
        right = part + right
    assert left == right
    assert left.rows == sum(rows)


def test_spoilt_text_is_known_and_names_are_not_suspected() -> None:
    for text in ("张三丰", "正常参保", "肢体残疾", "困难残疾人生活补贴"):
        assert is_spoilt(text.encode().decode("gbk", "ignore"))
        assert not is_spoilt(text)
    for name in ("斯那尼玛", "鲁茸培楚", "曲木·子呷", "䶮㛃", "𠮷祥", "欧阳娜娜", "李淇澳", "浣妮"):
        assert not is_spoilt(name)
    for sign in ("\ufeff张".encode().decode("gbk", "ignore"), "锟斤拷", "\ufffd\ufffd"):
        assert is_spoilt(sign)
