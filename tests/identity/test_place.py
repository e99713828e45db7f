"""Township and village out of addresses as registers write them."""

from __future__ import annotations

import polars as pl
import pytest

from pipeline.identity.place import township_and_village

CASES = [
    ("迪庆藏族自治州", "德钦县", "迪庆藏族自治州德钦县云岭乡下坡村7", "云岭乡", "下坡村"),
    ("迪庆藏族自治州", "香格里拉市", "香格里拉市建塘镇南坡社区8", "建塘镇", "南坡社区"),
    ("迪庆藏族自治州", "香格里拉市", "香格里拉县三坝纳西族乡东坝村委会", "三坝纳西族乡", "东坝村"),
    ("迪庆藏族自治州", "维西傈僳族自治县", "云南省迪庆州维西县保和镇新庄社区居委会3组", "保和镇", "新庄社区"),
    ("迪庆藏族自治州", "德钦县", "升平镇大村村2", "升平镇", "大村村"),
    ("迪庆藏族自治州", "德钦县", "德钦县云岭乡下坡村民委员会", "云岭乡", "下坡村"),
    ("甘孜藏族自治州", "乡城县", "甘孜藏族自治州乡城县香巴拉镇香巴拉村", "香巴拉镇", "香巴拉村"),
    ("甘孜藏族自治州", "康定市", "甘孜藏族自治州康定市榆林街道办事处下岭社区1", "榆林街道", "下岭社区"),
    ("锡林郭勒盟", "苏尼特左旗", "锡林郭勒盟苏尼特左旗巴彦苏木乌兰嘎查", "巴彦苏木", "乌兰嘎查"),
    ("迪庆藏族自治州", "德钦县", "四川省甘孜藏族自治州康定市新都桥镇北村村", "新都桥镇", "北村村"),
    ("迪庆藏族自治州", "德钦县", "德钦县红旗镇新市村", "红旗镇", "新市村"),
    ("迪庆藏族自治州", "德钦县", "红旗镇新市居委会", "红旗镇", "新市居委会"),
    ("示例州", "东川示例县", "示例州东川示例县 云岭乡 下坡村", "云岭乡", "下坡村"),
    ("迪庆藏族自治州", "德钦县", "云岭乡", "云岭乡", None),
    ("迪庆藏族自治州", "德钦县", "德钦县", None, None),
    ("迪庆藏族自治州", "德钦县", "", None, None),
    ("", "", "云岭乡下坡村", "云岭乡", "下坡村"),
]


@pytest.mark.parametrize(("region", "county", "address", "township", "village"), CASES)
def test_an_address_names_its_township_and_village(
    region: str, county: str, address: str, township: str | None, village: str | None
) -> None:
    places = township_and_village(pl.col("address"), region, county)
    found = pl.DataFrame({"address": [address]}).select(places[0].alias("t"), places[1].alias("v"))
    assert found.row(0) == (township, village)


def test_no_address_is_no_place() -> None:
    places = township_and_village(pl.col("address"), "示例州", "示例市")
    found = pl.DataFrame({"address": [None]}, schema={"address": pl.String}).select(
        places[0].alias("t"), places[1].alias("v")
    )
    assert found.row(0) == (None, None)
