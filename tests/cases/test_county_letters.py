"""Letters of counties: initials, unique, the same every time."""

from __future__ import annotations

import pytest

from pipeline.cases.case_number import LETTERS
from pipeline.cases.county_letters import county_letters
from pipeline.identity.region import counties_of, county_name


@pytest.mark.parametrize(
    ("name", "letters"),
    [("香格里拉市", "XGLL"), ("德钦县", "DQ"), ("维西傈僳族自治县", "WX"), ("五华区", "WH"), ("陇县", "LN")],
)
def test_initials_without_the_kind_of_county(name: str, letters: str) -> None:
    assert county_letters(name, ()) == letters


def test_a_county_whose_initials_are_taken_gets_others() -> None:
    taken: list[str] = []
    for _ in range(700):
        taken.append(county_letters("德钦县", taken))
    assert taken[0] == "DQ"
    assert len(set(taken)) == 700


@pytest.mark.parametrize("prefix", ["53", "51", "33", "11"])
def test_all_counties_of_a_province_get_letters_that_a_case_number_can_carry(prefix: str) -> None:
    names = [county_name(code) or "" for code in counties_of(prefix)]
    assert len(names) > 10
    given: list[str] = []
    for name in names:
        given.append(county_letters(name, given))
    assert len(set(given)) == len(given)
    assert all(2 <= len(one) <= 5 and set(one) <= set(LETTERS) for one in given)
    again: list[str] = []
    for name in names:
        again.append(county_letters(name, again))
    assert again == given


def test_a_name_without_characters_is_refused() -> None:
    with pytest.raises(ValueError, match="without Chinese characters"):
        county_letters("", ())
