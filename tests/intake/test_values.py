"""Cell notations: a boundary table for each type, and round trips over every notation of a date."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.intake import values
from pipeline.intake.numerals import chinese_number

DAY = date(2021, 7, 14)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20210714", DAY),
        ("2021.7.14", DAY),
        ("2021年7月14日", DAY),
        ("2021年07月14", DAY),
        ("2021-07-14", DAY),
        ("2021/7/14", DAY),
        ("2021/7/14 0:00:00", DAY),
        ("2021-07-14 00:00:00", DAY),
        ("2021-07-14T08:30:00.000Z", DAY),
        ("20210714.0", DAY),
        ("'20210714", DAY),
        ("２０２１－０７－１４", DAY),
        ("2021 年 7 月 14 日", DAY),
        ("\ufeff2021-07-14\u200b", DAY),
        ("44391", DAY),
        ("44391.0", DAY),
        ("长期", values.FOREVER),
        ("永久", values.FOREVER),
        ("99991231", values.FOREVER),
        ("9999-12-31", values.FOREVER),
        ("2024-02-29", date(2024, 2, 29)),
        ("2026-02-29", None),
        ("2026-02-30", None),
        ("20261301", None),
        ("1899-12-31", None),
        ("1900-01-01", date(1900, 1, 1)),
        ("2100-12-31", date(2100, 12, 31)),
        ("2101-01-01", None),
        ("2021-07", None),
        ("202107", None),
        ("21.7.14", None),
        ("7/14/2021", None),
        ("2021.7-14", None),
        ("09999", None),
        ("80001", None),
        ("10000", date(1927, 5, 18)),
        ("73415", date(2100, 12, 31)),
        ("73416", None),
        ("20211", None),
        ("19999", None),
        ("2021 1", None),
        ("2021 12", None),
        ("2021 07 14", DAY),
        ("20 210714", None),
        ("2020.01.01-2021.07.14", DAY),
        ("2020年1月1日至2021年7月14日", DAY),
        ("自2020年1月1日至2021年7月14日止", DAY),
        ("2020-01-01-2021-07-14", DAY),
        ("20200101～20210714", DAY),
        ("2020/1/1 — 2021/7/14", DAY),
        ("2020-01-01至长期", values.FOREVER),
        ("2021年7月14日止", DAY),
        ("至2021年7月14日", DAY),
        ("有效期至2021-07-14", DAY),
        ("2021-07-14至2020-01-01", None),
        ("30000-44391", None),
        ("不详至2021-07-14", None),
        ("不详", None),
        ("0", None),
    ],
)
def test_day(text: str, expected: date | None) -> None:
    assert values.day(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("202107", date(2021, 7, 1)),
        ("2021-07", date(2021, 7, 1)),
        ("2021.7", date(2021, 7, 1)),
        ("2021/7", date(2021, 7, 1)),
        ("2021年7月", date(2021, 7, 1)),
        ("2021年07月份", date(2021, 7, 1)),
        ("202107.0", date(2021, 7, 1)),
        ("20210714", date(2021, 7, 1)),
        ("2021-07-01 00:00:00", date(2021, 7, 1)),
        ("44391", date(2021, 7, 1)),
        ("２０２１０７", date(2021, 7, 1)),
        ("202113", None),
        ("2021", None),
        ("2021 7", date(2021, 7, 1)),
        ("2021 7 14", date(2021, 7, 1)),
        ("2030 1 1", date(2030, 1, 1)),
        ("20211", None),
        ("2020-01-01至2021-07-14", None),
        ("7月", None),
        ("长期", None),
    ],
)
def test_month(text: str, expected: date | None) -> None:
    assert values.month(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("2026", 2026), ("2026年", 2026), ("2026年度", 2026), ("2026.0", 2026), ("２０２６", 2026)],
        *[
            ("2026-10", 2026),
            ("2026-10-31", 2026),
            ("26", None),
            ("20 26", None),
            ("0000", None),
            ("本年", None),
        ],
    ],
)
def test_year(text: str, expected: int | None) -> None:
    assert values.year(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("0.00", 0),
        ("1,200.00", 120000),
        ("1，200", 120000),
        ("100元", 10000),
        ("100元/月", 10000),
        ("¥100", 10000),
        ("￥1,234,567.89", 123456789),
        ("人民币100元整", 10000),
        ("壹佰元整", 10000),
        ("壹佰贰拾叁元肆角伍分", 12345),
        ("叁仟零伍元", 300500),
        ("一百二十", 12000),
        ("-50", -5000),
        ("－50.5", -5050),
        ("(50)", -5000),
        ("1.2万", 1200000),
        ("1.2万元", 1200000),
        ("两万元", 2000000),
        ("90.0", 9000),
        ("33.335", 3334),
        ("1,20", None),
        ("1 200", None),
        ("100 元", 10000),
        ("12.3.4", None),
        ("待定", None),
        ("6222020000000000000", None),
    ],
)
def test_fen(text: str, expected: int | None) -> None:
    assert values.fen(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("3", 3), ("3.0", 3), ("3人", 3), ("三", 3), ("三人", 3), ("十二", 12), ("-1", -1), ("３", 3)],
        *[("3.5", None), ("3 4", None), ("若干", None), ("二〇二六", None), ("人", None)],
    ],
)
def test_whole(text: str, expected: int | None) -> None:
    assert values.whole(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("539901", "539901"), ("539901000000", "539901000000"), ("５３９９０１", "539901")],
        *[
            ("539901.0", "539901"),
            ("'539901001", "539901001"),
            ("5399", None),
            ("5399 01", None),
            ("5399O1", None),
        ],
    ],
)
def test_region(text: str, expected: str | None) -> None:
    assert values.region(text) == expected


def test_codes_are_compared_by_spelling_without_width_space_dash_and_case() -> None:
    parse = values.code_parser(
        {"1": ("一级", "1级", "Ⅰ级", "壹级"), "生活补贴": ("两补—生活补贴",), "A": ("A类",)}
    )
    assert [parse(t) for t in ("一级", "１级", "I级", "1.0", " 一 级\u200b", "壹级", "五级")] == ["1"] * 6 + [
        None
    ]
    assert parse("两补--生活补贴") == parse("两补－生活补贴") == parse("生活补贴") == "生活补贴"
    assert parse("a类") == "A"


def test_numerals_do_not_read_years_as_numbers() -> None:
    assert chinese_number("二〇二六") is None
    assert chinese_number("") is None
    assert chinese_number("一万零三") == 10003


@settings(derandomize=True, deadline=None)
@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.integers(0, 9))
def test_a_date_comes_back_from_every_notation(day: date, notation: int) -> None:
    y, m, d = day.year, day.month, day.day
    text = (
        *(f"{y}{m:02}{d:02}", f"{y}.{m}.{d}", f"{y}年{m}月{d}日", f"{y}-{m:02}-{d:02}", f"{y}/{m}/{d}"),
        *(f"{y}/{m}/{d} 0:00:00", f"{y}-{m:02}-{d:02}T00:00:00", f"{y}{m:02}{d:02}.0", f"'{y}-{m}-{d}"),
        str((day - date(1899, 12, 30)).days),
    )[notation]
    no_serial = notation == 9 and (len(text) != 5 or text[:2] in ("19", "20"))  # 20211 may be a month
    assert values.day(text) == (None if no_serial else day)
    if notation != 9:
        assert values.month(text) == day.replace(day=1)


@settings(derandomize=True, deadline=None)
@given(st.integers(-(10**12), 10**12), st.sampled_from(("", "元", "元/月")), st.booleans())
def test_an_amount_comes_back(cents: int, unit: str, grouped: bool) -> None:
    sign, yuan, rest = "-" * (cents < 0), abs(cents) // 100, abs(cents) % 100
    text = f"{sign}{yuan:,}.{rest:02}{unit}" if grouped else f"{sign}{yuan}.{rest:02}{unit}"
    assert values.fen(text) == cents


@settings(derandomize=True, deadline=None)
@given(st.text())
def test_no_text_makes_a_parser_fail(text: str) -> None:
    for parse in (
        values.day,
        values.month,
        values.year,
        values.fen,
        values.whole,
        values.region,
        values.code_key,
    ):
        parse(text)
