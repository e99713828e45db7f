"""Events: one canonical text for what is the same, another hash for whatever differs."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cases.event import GENESIS, Event, chained

texts = st.text(st.characters(codec="utf-8"), max_size=20)
plain = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
keys = texts.map(lambda text: unicodedata.normalize("NFC", text))
bodies = st.dictionaries(
    keys,
    st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=10),
    max_size=5,
)
events = st.builds(
    Event,
    st.dates(),
    st.from_regex(r"[a-z][a-z0-9_.]{0,39}", fullmatch=True),
    st.none() | st.from_regex(r"[A-Z0-9-]{1,40}", fullmatch=True),
    bodies,
)
EVENT = Event(date(2026, 11, 5), "found", "XGLL-2611-0382-7", {"b": "é", "a": [1, None, True]})


def test_the_canonical_text() -> None:
    assert EVENT.text() == '{"a":[1,null,true],"b":"é"}'
    assert replace(EVENT, body={"b": "e\u0301", "a": (1, None, True)}).text() == EVENT.text()
    assert replace(EVENT, body={"z": "行\n", "a": {}}).text() == '{"a":{},"z":"行\\n"}'


@settings(deadline=None)  # the machine is shared
@given(events)
def test_a_text_reads_back_and_is_its_own_canonical_form(event: Event) -> None:
    text = event.text()
    assert replace(event, body=json.loads(text)).text() == text
    assert "\n" not in text
    assert unicodedata.normalize("NFC", text) == text


@settings(deadline=None)  # the machine is shared
@given(events, events, st.integers(1, 2**40))
def test_different_events_have_different_hashes(one: Event, other: Event, sequence: int) -> None:
    def content(event: Event) -> tuple[Any, ...]:
        return event.on, event.kind, event.case, event.text()

    same = content(one) == content(other)
    assert (chained(GENESIS, sequence, one) == chained(GENESIS, sequence, other)) == same


@pytest.mark.parametrize(
    "other",
    [
        replace(EVENT, on=date(2026, 11, 6)),
        replace(EVENT, kind="sent"),
        replace(EVENT, case=None),
        replace(EVENT, case="XGLL-2611-0382-8"),
        replace(EVENT, body={"b": "é", "a": [1, None, False]}),
        replace(EVENT, body={}),
    ],
)
def test_every_field_counts(other: Event) -> None:
    assert chained(GENESIS, 1, other) != chained(GENESIS, 1, EVENT)


def test_place_and_predecessor_count() -> None:
    hashes = {chained(GENESIS, 1, EVENT), chained(GENESIS, 2, EVENT), chained("1" * 64, 1, EVENT)}
    assert len(hashes) == 3
    assert all(len(one) == 64 for one in hashes)


@pytest.mark.parametrize(
    "body",
    [
        {"a": 1.5},
        {"a": float("nan")},
        {"a": [0.0]},
        {"a": 2**53},
        {"a": {1: 2}},
        {"a": b"x"},
        {"a": date(2026, 1, 1)},
        {"a": "\ud800"},
        {"\udfff": 1},
        {"é": 1, "e\u0301": 2},
    ],
)
def test_what_has_no_canonical_form_is_refused(body: Any) -> None:
    with pytest.raises(ValueError, match=r"^[a-z ,]+$|NFC"):
        Event(date(2026, 11, 5), "found", None, body).text()


def test_nesting_is_bounded() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ValueError, match="deeply"):
        replace(EVENT, body={"a": deep}).text()


@pytest.mark.parametrize(
    "fields",
    [
        {"on": datetime(2026, 11, 5)},
        {"on": "2026-11-05"},
        {"kind": "Found"},
        {"kind": ""},
        {"kind": "a\nb"},
        {"case": ""},
        {"case": "一"},
        {"case": "A\n"},
        {"body": []},
    ],
)
def test_fields_out_of_form_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"form|date|mapping"):
        replace(EVENT, **fields)
