"""The townships that addresses name, county by county: an address is read knowing its county's name."""

from __future__ import annotations

import polars as pl

from pipeline.identity import region
from pipeline.identity.place import township_and_village

_NO_NAME = ["城乡"]  # 城乡社区卫生服务中心
_STEM = 2  # 大湾乡 became 大湾镇, 三坝乡 is 三坝纳西族乡


def townships(addresses: pl.Series, counties: pl.Series) -> pl.Series:
    """The township of each address (String, null where it names none), same length. `counties`: six-digit codes, or null.

    Work is per distinct address.
    """
    both = pl.DataFrame([addresses.alias("address"), counties.cast(pl.String).alias("county")])
    distinct = both.filter(pl.col("address").is_not_null()).unique(maintain_order=True)
    parts = [_of_one_county(str(code or ""), part.lazy()) for (code,), part in distinct.group_by("county")]
    named = pl.concat([distinct.head(0).with_columns(township=pl.lit("")), *pl.collect_all(parts)])
    keys = ["address", "county"]
    return both.join(named, on=keys, how="left", nulls_equal=True, maintain_order="left")["township"]


def _of_one_county(code: str, part: pl.LazyFrame) -> pl.LazyFrame:
    county, prefecture = region.county_name(code) or "", region.prefecture_name(code) or ""
    township, _ = township_and_village(pl.col("address"), prefecture, county)
    return part.with_columns(township=pl.when(~township.is_in(_NO_NAME)).then(township))


def same_township(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Whether two townships are one, also where it has been raised to 镇 or is written without its people."""
    return one.str.head(_STEM) == other.str.head(_STEM)
