"""The gate at its edges: totals, unusable identifiers, unknown codes, swapped columns; and what it may say aloud."""

from __future__ import annotations

from collections import Counter

import pytest
from deliveries import DATASETS
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.problem import Problem
from pipeline.contracts.settings import Thresholds
from pipeline.intake.counts import Counts, Delivery, FieldCounts
from pipeline.intake.gate import judge, quality, remarks, speakable
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
    ("rows", "usable", "expected"),
    [(100, 50, []), (100, 49, ["E245"]), (4, 0, ["E245"]), (4, 2, []), (1, 0, ["E245"])],
)
def test_half_of_the_rows_need_a_usable_identifier(rows: int, usable: int, expected: list[str]) -> None:
    assert _codes(_counts(rows, usable)) == expected


@pytest.mark.parametrize(("broken", "expected"), [(1, []), (2, ["E234"])])
def test_one_row_in_a_hundred_may_be_broken(broken: int, expected: list[str]) -> None:
    assert _codes(Counts(rows=100 - broken, usable=98, broken=broken)) == expected


def test_register_rows_of_no_county_do_not_refuse_the_file() -> None:
    counts = Counts(rows=50, usable=50, broken=50, outside=50)
    assert _codes(counts) == []
    [remark] = remarks(Delivery((), (counts,), HEADERS), SOURCE, Thresholds())
    assert (remark.code, remark.severity, remark.row) == ("E241", "error", 0)
    few = Counts(rows=99, usable=99, broken=1, outside=1)
    assert remarks(Delivery((), (few,), HEADERS), SOURCE, Thresholds()) == []


@pytest.mark.parametrize(("outside", "expected"), [(9, ["E241"]), (0, ["E234"])])
def test_a_file_without_one_usable_row_is_refused(outside: int, expected: list[str]) -> None:
    everything = Thresholds(broken_rows=1)
    counts = Counts(broken=9, outside=outside)
    assert [p.code for p in judge(Delivery((), (counts,), HEADERS), SOURCE, everything)] == expected


@pytest.mark.parametrize(
    ("field", "damaged", "expected"),
    [("year", 51, ["E247"]), ("year", 50, []), ("addr", 100, []), ("aid", 100, ["E244"])],
)
def test_a_required_column_must_be_readable(field: str, damaged: int, expected: list[str]) -> None:
    source = Source("medical/insured/参保_20261031.csv", "", DATASETS["medical/insured"], "")
    headers = {"year": "年度", "addr": "地址", "aid": "资助"}
    problems = judge(
        Delivery((), (_counts(**{field: FieldCounts(damaged=damaged)}),), headers), source, Thresholds()
    )
    assert [p.code for p in problems] == expected
    assert [p.column for p in problems] == [headers[field]] * len(expected)


def test_a_blank_is_not_an_unreadable_value() -> None:
    source = Source("medical/insured/参保_20261031.csv", "", DATASETS["medical/insured"], "")
    delivery = Delivery((), (_counts(year=FieldCounts(blank=90, damaged=10)),), {"year": "年度"})
    assert judge(delivery, source, Thresholds()) == []


def test_the_first_problems_of_each_severity_are_kept() -> None:
    def some(severity: str, rows: range) -> Counts:
        many = tuple(Problem("E235", severity, "", "", "", row=row) for row in rows)
        return Counts(**{"broken" if severity == "error" else "mended": len(rows)}, problems=many)

    counts = some("warning", range(150)) + some("error", range(3)) + some("warning", range(5))
    assert Counter(p.severity for p in counts.problems) == {"warning": 100, "error": 3}
    assert (counts.unnamed("warning"), counts.unnamed("error")) == (55, 0)


@pytest.mark.parametrize(("garbled", "expected"), [(1, []), (2, ["E236"])])
def test_two_spoilt_rows_in_a_thousand_refuse_the_file(garbled: int, expected: list[str]) -> None:
    assert _codes(Counts(rows=1000 - garbled, usable=900, broken=garbled, garbled=garbled)) == expected


def test_unknown_spellings_of_a_required_column() -> None:
    assert _codes(_counts(state=FieldCounts(damaged=1, kinds=Counter({"在册": 1})))) == []
    assert _codes(_counts(state=FieldCounts(blank=2))) == ["E244"]
    counts = _counts(state=FieldCounts(blank=1, damaged=6, kinds=Counter({"在册": 5, "张三丰": 1})))
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
    kinds = Counter({"在册": 5, "539901196503170010": 9, "一位很长很长的填写说明文字": 5, "李四": 1})
    assert speakable(FieldCounts(kinds=kinds), 100) == (("在册", 5),)
    assert speakable(FieldCounts(kinds=Counter({f"姓{n}": 2 for n in range(40)})), 80) == ()


@pytest.mark.parametrize(
    ("text", "times", "rows", "told"),
    [
        ("扎西卓玛", 2, 15, False),
        ("扎西卓玛", 4, 15, False),
        ("在册", 5, 100, True),
        ("在册", 5, 101, False),
        ("曲木·子呷阿依", 4, 1000, False),
        ("户口簿上的户主", 2, 1000, True),
        ("在保（低收入）", 2, 1000, True),
        ("138-1234-567", 50, 100, False),
        ("138-123", 50, 100, True),
    ],
)
def test_what_may_be_a_name_or_a_number_is_not_told(text: str, times: int, rows: int, told: bool) -> None:
    field = FieldCounts(kinds=Counter({text: times}))
    assert speakable(field, rows) == (((text, times),) if told else ())
    assert speakable(field + FieldCounts(names=frozenset({text})), rows) == ()


def test_the_quality_page_counts_what_it_does_not_tell() -> None:
    counts = _counts(
        state=FieldCounts(damaged=7, kinds=Counter({"在册": 6, "李四": 1})),
        id=FieldCounts(damaged=2, kinds=Counter(checksum=2)),
    )
    told = {q.field: q.by_kind for q in quality(Delivery((), (counts,), HEADERS), SOURCE)}
    assert told == {"state": (("在册", 6), ("其他", 1)), "id": (("checksum", 2),)}


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
