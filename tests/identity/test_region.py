"""Regions: names of today's and abolished counties, what became of them, and the fictional sample prefecture."""

from __future__ import annotations

import pytest

from pipeline.identity.region import (
    counties_of,
    county_name,
    county_of,
    is_county,
    prefecture_name,
    successor,
)

SUCCESSORS = {
    "533421": ("香格里拉县", "533401"),
    "513321": ("康定县", "513301"),
    "360727": ("龙南县", "360783"),
    "513229": ("马尔康县", "513201"),
    "533321": ("泸水县", "533301"),
    "530122": ("晋宁县", "530115"),
    "500222": ("綦江县", "500110"),  # the district once had another name
    "500239": ("黔江土家族苗族自治县", "500114"),  # municipality: from the county to the district code block
    "429001": ("随州市", "421303"),
    "460002": ("琼海市", "469002"),
    "360721": ("赣县", "360704"),  # these three by the supplement: the stem changed
    "500234": ("开县", "500154"),
    "511721": ("达县", "511703"),
}


@pytest.mark.parametrize(("code", "name", "today"), [(c, *v) for c, v in SUCCESSORS.items()])
def test_abolished_counties_are_known_and_have_an_heir(code: str, name: str, today: str) -> None:
    assert is_county(code)
    assert county_name(code) == name
    assert successor(code) == today
    assert is_county(today)
    assert successor(today) == today


@pytest.mark.parametrize("code", ["533423", "533322", "511202", "999999", "", "53"])
def test_without_an_heir_by_name_a_code_stays_itself(code: str) -> None:
    assert successor(code) == code


def test_names_of_counties_and_prefectures() -> None:
    assert county_name("533401") == "香格里拉市"
    assert county_name("533423") == "维西傈僳族自治县"
    assert county_name("429021") == "神农架林区"
    assert county_name("441900") == "东莞市"  # a city without counties is its own county
    assert prefecture_name("5334") == "迪庆藏族自治州"
    assert prefecture_name("533401") == "迪庆藏族自治州"
    assert prefecture_name("4290") == "湖北省直辖县级行政单位"
    assert prefecture_name("5001") == prefecture_name("5002") == "重庆市"
    assert prefecture_name("9999") is None


@pytest.mark.parametrize(
    "code", ["530000", "533400", "110100", "500100", "530101", "429000", "53340", "539905", "x"]
)
def test_what_is_no_county(code: str) -> None:
    assert not is_county(code)
    assert county_name(code) is None


def test_counties_of_a_prefecture_are_todays_in_order() -> None:
    assert counties_of("5334") == ("533401", "533422", "533423")
    assert counties_of("4290") == ("429004", "429005", "429006", "429021")
    assert counties_of("4419") == ("441900",)
    assert len(counties_of("3607")) == 18
    assert counties_of("9999") == ()


def test_the_sample_prefecture() -> None:
    assert prefecture_name("5399") == "示例州"
    assert counties_of("5399") == ("539901", "539902", "539923", "539924")
    assert [county_name(code) for code in counties_of("5399")] == [
        "示例市",
        "东川示例县",
        "西岭示例自治县",
        "南坪示例县",
    ]


def test_statistical_codes_begin_with_the_county() -> None:
    assert county_of("533401001001") == county_of("533401001") == county_of("533401") == "533401"
    assert county_of("5334") == county_of("") == county_of("香格里拉市") == ""


def test_every_successor_is_a_county_of_today() -> None:
    from pipeline.identity import region

    for code in region._counties():
        heir = successor(code)
        assert heir == code or (is_county(heir) and successor(heir) == heir)
