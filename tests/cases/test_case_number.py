"""Case numbers: every single error and every swap of neighbours is caught, and what people type is understood."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cases.case_number import LETTERS, make, read

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
letters = st.text(LETTERS, min_size=2, max_size=5)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31))
serials = st.integers(1, 3000) | st.integers(1, 10**7)


@settings(deadline=None)  # the machine is shared
@given(letters, days, serials)
def test_a_number_has_its_form_and_reads_back(county: str, day: date, serial: int) -> None:
    number = make(county, day, serial)
    assert re.fullmatch(rf"{county}-{day:%y%m}-(?!0000)([0-9]{{4}}|[1-9][0-9]{{4,}})-[0-9]", number)
    assert read(number) == number
    assert read(number.replace("-", "")) == number


@settings(deadline=None)
@given(letters, days, serials)
def test_every_wrong_character_is_caught(county: str, day: date, serial: int) -> None:
    number = make(county, day, serial)
    for place, character in enumerate(number):
        if character == "-":
            continue
        same = {"0": "0O", "1": "1I"}.get(character, character)
        for other in ALPHABET:
            found = read(number[:place] + other + number[place + 1 :])
            assert found == (number if other in same else None)


@settings(deadline=None)
@given(letters, days, serials)
def test_every_swap_of_neighbours_is_caught(county: str, day: date, serial: int) -> None:
    number = make(county, day, serial)
    bare = number.replace("-", "")
    for place in range(len(bare) - 1):
        if bare[place] != bare[place + 1]:
            assert read(bare[:place] + bare[place + 1] + bare[place] + bare[place + 2 :]) is None


def test_the_check_is_that_of_the_standard() -> None:
    # ISO/IEC 7064 MOD 37-2: the values of all characters, weighted by powers of two from the right, sum to 1 mod 37.
    for serial in range(1, 400):
        bare = make("XGLL", date(2026, 11, 5), serial).replace("-", "")
        assert sum(int(c, 36) << place for place, c in enumerate(reversed(bare))) % 37 == 1


def test_running_numbers_rise_without_repeating_and_grow_when_four_digits_are_used_up() -> None:
    numbers = [make("XGLL", date(2026, 11, 5), serial) for serial in range(1, 4001)]
    running = [number.split("-")[2] for number in numbers]
    assert all(int(first) < int(second) for first, second in pairwise(running))
    assert 2600 < sum(len(one) == 4 for one in running) < 2800  # ten of 37 are given out
    assert {len(one) for one in running} == {4, 5}
    # none that could be given out is left out
    every = [f"XGLL2611{n:04d}{c}" for n in range(1, 10_000) for c in range(10)]
    assert sum(read(one) is not None for one in every) == sum(len(one) == 4 for one in running)


@pytest.mark.parametrize(
    "typed",
    [
        "{}",
        " {} ",
        "\t{}\u3000",
        "{lower}",
        "{full}",
        "{bare}",
        "{spaced}",
        "{dashes}",
        "{minus}",
        "{soft}",
        "{oh}",
        "{bare_oh}",
    ],
)
def test_what_people_type_is_understood(typed: str) -> None:
    number = next(n for s in range(1, 99) if "0" in (n := make("DQ", date(2026, 10, 31), s)).split("-")[2])
    forms = {
        "lower": number.lower(),
        "full": "".join(chr(ord(c) + 0xFEE0) for c in number),
        "bare": number.replace("-", ""),
        "spaced": " ".join(number),
        "dashes": number.replace("-", "—"),
        "minus": number.replace("-", "−"),
        "soft": number.replace("-", "\u00ad"),
        "oh": number.replace("0", "O"),
        "bare_oh": number.replace("-", "").replace("0", "o"),
    }
    assert read(typed.format(number, **forms)) == number


@pytest.mark.parametrize(
    "text", ["", "-", "XGLL", "533421199001011234", "XGLL-2613-0382-7", "X" * 10_000, "个案一"]
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert read(text) is None


@settings(deadline=None)
@given(st.text(max_size=50))
def test_any_text_is_a_number_or_none(text: str) -> None:
    found = read(text)
    assert found is None or read(found) == found


@pytest.mark.parametrize(
    ("county", "serial"), [("X", 1), ("XGLLAB", 1), ("XIO", 1), ("xgll", 1), ("XGLL", 0)]
)
def test_a_number_that_could_not_be_read_back_is_not_made(county: str, serial: int) -> None:
    with pytest.raises(ValueError, match="out of form"):
        make(county, date(2026, 11, 1), serial)
