"""Township and village out of a register address, as column expressions.

`迪庆藏族自治州德钦县云岭乡下坡村7` → 云岭乡, 下坡村. Province, prefecture and county are taken off first, because their names
may themselves hold 乡 or 镇 (乡城县, 镇雄县).
"""

from __future__ import annotations

import re

import polars as pl

_PROVINCE = "(?:[^乡镇村]{2,6}?(?:省|自治区))?"
# For addresses that name neither the prefecture nor the county we expect. 红旗镇 and 新市镇 must survive it.
_UNITS = "省|自治区|自治州|地区|盟|自治县|自治旗|[左右前后中]旗|县|市|区"
_ANY_UNITS = f"^(?:[^乡镇村街社]{{2,12}}?(?:{_UNITS})){{0,4}}"
_TOWNSHIP = "民族乡|街道办事处|街道|苏木|乡|镇|农场|林场|牧场"
# 村村: 大村村 is a village named 大村. The longer names of the village's committee mean the same village.
_VILLAGE = "社区居民委员会|社区居委会|居民委员会|居委会|社区|嘎查|村民委员会|村委会|村村|村"


def _aliases(name: str) -> list[str]:
    """How an address may write a county or prefecture: 维西傈僳族自治县 also 维西县, 香格里拉市 also 香格里拉县."""
    if name.endswith("自治县"):
        return [name, f"{name[:2]}县"]
    if name.endswith("自治州"):
        return [name, f"{name[:2]}州"]
    if len(name) > 2 and name[-1] in "县市区":
        return [name[:-1] + unit for unit in "县市区"]
    return [name] if name else []


def _optional(names: list[str]) -> str:
    longest_first = sorted(set(names), key=lambda name: (-len(name), name))
    return f"(?:{'|'.join(map(re.escape, longest_first))})?" if names else ""


def township_and_village(address: pl.Expr, region: str, county: str) -> tuple[pl.Expr, pl.Expr]:
    """The two places of each address (String), null where the address does not name one.

    `region` and `county` are the full names of the prefecture and of the county whose addresses these are.
    """
    upper = f"^{_PROVINCE}{_optional(_aliases(region))}"
    clean = address.str.replace_all(r"\s", "").str.replace(upper, "")
    stripped = clean.str.replace(f"^{_optional(_aliases(county))}", "")
    local = pl.when(stripped == clean).then(clean.str.replace(_ANY_UNITS, "")).otherwise(stripped)
    township = local.str.extract(f"^(.+?(?:{_TOWNSHIP}))", 1)
    rest = local.str.replace(f"^.+?(?:{_TOWNSHIP})", "")
    village = (
        rest.str.extract(f"^(.+?(?:{_VILLAGE}))", 1)
        .str.replace("村(?:民委员会|委会)$", "村")
        .str.replace("社区(?:居民委员会|居委会)$", "社区")
    )
    return township.str.replace("街道办事处$", "街道"), village
