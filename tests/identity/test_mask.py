"""Masks: what may be shown of an ID, in columns, single values and sentences."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.identity.mask import mask_id, mask_text, mask_value

MASKED = {
    "539999196503170010": "539999********0010",
    "53999919650317001X": "539999********001X",
    "53999919650317001042": "539999********001042",
    "53999919650317001042B1": "539999********001042B1",
    "539999650317001": "*" * 15,
    "5399991965031700109": "*" * 19,
    "张三": "**",
    "12\n34": "*" * 5,
    "": "",
}


@pytest.mark.parametrize(("number", "shown"), MASKED.items())
def test_one_value(number: str, shown: str) -> None:
    assert mask_value(number) == shown


def test_a_column_is_masked_like_its_values() -> None:
    frame = pl.DataFrame({"n": [*MASKED, None]})
    assert frame.select(mask_id(pl.col("n"))).to_series().to_list() == [*MASKED.values(), None]


def test_a_sentence_keeps_all_but_the_numbers() -> None:
    text = "20261031 第3行 539999196503170010、53999919650317001x42b1，卡6222021234567890123，手机13800138000，区划539901001001，1200.00元"
    assert mask_text(text) == (
        "20261031 第3行 539999********0010、539999********001X42B1，卡*******************，手机***********，区划539901001001，1200.00元"
    )
    assert mask_text("旧号539999650317001。") == "旧号***************。"
    assert mask_text("1号（539999196503170010）") == "1号（539999********0010）"


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.text(alphabet="0123456789XB*张 ", max_size=24))
def test_no_birth_date_and_no_odd_value_is_shown(number: str) -> None:
    shown = mask_value(number)
    assert len(shown) == len(number)
    assert set(shown) <= {"*"} or (
        shown[6:14] == "*" * 8 and shown[:6] + shown[14:] == number[:6] + number[14:]
    )
    assert pl.select(mask_id(pl.lit(number))).item() == shown


def test_masking_twice_shows_nothing_more() -> None:
    assert mask_value(mask_value("539999196503170010")) == "*" * 18
    assert mask_text(mask_text("号539999196503170010")) == "号539999********0010"


@pytest.mark.parametrize(
    "written",
    [
        "５３９９９９１９６５０３１７００１０",
        "539999 19650317 0010",
        "539999-19650317-0010",
        "5 3 9 9 9 9 1 9 6 5 0 3 1 7 0 0 1 0",
        "+86 13987654321",
        "８６13987654321",
        "139 8765 4321",
    ],
)
def test_numbers_written_otherwise_are_masked_too(written: str) -> None:
    masked = mask_text(f"号码{written}，云岭乡")
    digits = "".join(c for c in unicodedata.normalize("NFKC", masked) if c.isdigit())
    assert len(digits) <= 10, masked
    assert masked.startswith("号码")
    assert masked.endswith("，云岭乡")


@pytest.mark.parametrize(
    "text", ["2026-10-31 2026-11-30 第12期", "533423 2026-11 3 45", "见第 12、13、14 行"]
)
def test_dates_and_counts_stay(text: str) -> None:
    assert mask_text(text) == text
