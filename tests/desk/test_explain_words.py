"""Words on the terminal: nothing delivered can rewrite it, no number is whole, and every code has its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.dataset import load_datasets
from pipeline.desk.explain_page import fact_words
from pipeline.desk.explain_text import WIDTH, Voice, columns, plain, ranges, wrapped
from pipeline.desk.yaml_text import screen_width
from pipeline.entitlement import declared_facts
from pipeline.matching import PRIORS, load_models
from pipeline.matching.blocking import KINDS
from pipeline.reports import methods

WHOLE = re.compile("[0-9]{9,}")


def test_delivered_text_cannot_rewrite_the_terminal() -> None:
    assert plain("张\x1b[2J三\x07\u202e") == "张 [2J三  "


@pytest.mark.parametrize(
    "text",
    [
        "539999196503170010",
        "11010519491231002",
        "53999919650317",
        "13800138000",
        "6222020200012345678",
        "户号539999196503170010B1",
    ],
)
def test_no_long_number_is_shown_whole(text: str) -> None:
    assert not WHOLE.search(Voice().text(text))
    assert Voice(full_ids=True).text(text) == text


def test_dates_places_and_ages_stay() -> None:
    assert Voice().text("539901_示例市名单_20261031.csv") == "539901_示例市名单_20261031.csv"
    assert Voice().value(46) == "46"


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=300))
@settings(derandomize=True, deadline=None)
def test_wrapping_keeps_every_character_and_the_width(text: str) -> None:
    lines = wrapped("  《名单》", text, 4)
    assert all(screen_width(line) <= WIDTH for line in lines)
    assert lines[0] + "".join(line.removeprefix("    ") for line in lines[1:]) == "  《名单》" + text


def test_columns_line_up_with_double_width_characters() -> None:
    lines = columns([["名单", "行"], ["a", "1,000"]])
    assert lines == ["名单     行", "a     1,000"]


def test_values_are_said_as_ranges() -> None:
    assert ranges([16, 17, 18], 120) == "16至18"
    assert ranges([0, 1, 2, 60, 119, 120], 120) == "2以下或60或119以上"
    assert ranges([True], 120) == "是"
    assert ranges(["视力", "听力"], 120) == "视力或听力"


def test_every_level_that_the_weights_know_has_words() -> None:
    fields = load_models(PRIORS).base.fields
    assert {field.name for field in fields} == set(methods.FIELDS)
    wordless = [
        (f.name, x.name) for f in fields for x in f.levels if methods.level_words(f.name, x.name) == x.name
    ]
    assert wordless == []


def test_every_kind_of_blocking_key_has_words() -> None:
    assert [kind for kind in KINDS if kind not in methods.KEYS] == []


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert methods.method_words("new_method") == "new_method"
    assert methods.level_words("name", "new_level") == "new_level"
    assert methods.key_words("number+new_key") == "号码、new_key"


def test_money_is_kept_in_fen_and_said_in_yuan() -> None:
    facts = declared_facts(load_datasets(Path(__file__).parents[2] / "schemas"))
    assert fact_words(facts["本年自付金额"], 912345, Voice()) == "本年自付金额=9,123.45元"
    assert fact_words(facts["本年自付金额"], None, Voice()) == "本年自付金额=未知"
    assert fact_words(facts["年龄"], 46, Voice()) == "年龄=46"
