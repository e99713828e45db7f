"""Administrative divisions (GB/T 2260), today's and abolished: names, and which code a county has today.

Source: the table `cn/loc` of python-stdnum (from the lists of zh.wikipedia), where names carry the years in which
they held, and `region_supplement.csv` beside this file: the fictional prefecture of the sample, and successors that
no name tells. Abolished codes stay known: IDs and old exports go on using them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from stdnum import numdb

_SUPPLEMENT = Path(__file__).with_name("region_supplement.csv")
_PERIOD = re.compile(r"^\[([0-9]*)-([0-9]*)\](.+)$")
_NO_PLACE = frozenset(
    {"市辖区", "市区", "县", "市", "省直辖县级行政单位", "省直辖行政单位", "自治区直辖县级行政单位"}
)
_PEOPLES = (
    "蒙古族|回族|藏族|维吾尔族?|苗族|彝族|壮族|布依族|朝鲜族|满族|侗族|瑶族|白族|土家族|哈尼族|哈萨克族?|傣族|黎族"
    "|傈僳族|佤族|畲族|拉祜族|水族|东乡族|纳西族|景颇族|柯尔克孜族?|土族|达斡尔族|仫佬族|羌族|布朗族|撒拉族|毛南族"
    "|仡佬族|锡伯族?|阿昌族|普米族|塔吉克族?|怒族|鄂温克族|保安族|裕固族|独龙族|鄂伦春族?|门巴族|珞巴族|基诺族"
    "|蒙古|各族"
)
_KIND = re.compile(f"(?:(?:{_PEOPLES})*自治[县旗州区]|示例自治县|示例县|特区|林区|新区|矿区|[县市区旗盟州])$")
_MUNICIPALITIES = frozenset({"11", "12", "31", "50"})


@dataclass(frozen=True)
class _Division:
    """A six-digit code with its last name; `current`: the code is in use today."""

    name: str
    current: bool
    successor: str = ""


def county_of(code: str) -> str:
    """County of a 6-, 9- or 12-digit statistical code: its first six digits; "" if it has no six."""
    return code[:6] if re.match("[0-9]{6}", code) else ""


def is_county(code: str) -> bool:
    """Whether the six digits are, or once were, a county, district, banner, county-level city or a city without any."""
    return code in _counties()


def county_name(code: str) -> str | None:
    """Today's name of a county, for an abolished code its last one; None if unknown."""
    return _divisions()[code].name if is_county(code) else None


def prefecture_name(code: str) -> str | None:
    """Name of the prefecture of a code with at least four digits; a municipality's own name for its counties."""
    province, prefecture = _divisions().get(f"{code[:2]}0000"), _divisions().get(f"{code[:4]}00")
    if code[:2] in _MUNICIPALITIES and province:
        return province.name
    if prefecture and province and prefecture.name in _NO_PLACE:
        return province.name + prefecture.name.removeprefix("省").removeprefix("自治区")
    return prefecture.name if prefecture else None


def counties_of(prefix: str) -> tuple[str, ...]:
    """Today's counties under a prefecture's four digits (or a province's two), in order."""
    return tuple(code for code in _counties() if code.startswith(prefix) and _divisions()[code].current)


def successor(code: str) -> str:
    """Today's code of an abolished county: the one in the same prefecture whose name has the same stem; else itself.

    533421 香格里拉县 → 533401 香格里拉市. Counties that were merged or renamed keep their own code: nothing is guessed.
    """
    division = _divisions().get(code)
    if division is None or division.current or not is_county(code):
        return code
    heirs = _by_stem().get((_neighbourhood(code), stem(division.name)), ())
    return division.successor or (heirs[0] if len(heirs) == 1 else code)


@lru_cache(maxsize=1)
def _by_stem() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Today's counties by neighbourhood and stem. Stems of one character (郊区, 城区) do not tell one place."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for code in counties_of(""):
        own = stem(_divisions()[code].name)
        if len(own) > 1:
            key = (_neighbourhood(code), own)
            found[key] = (*found.get(key, ()), code)
    return MappingProxyType(found)


def stem(name: str) -> str:
    """A division's name without its kind (县, 市, 自治县 …)."""
    return _KIND.sub("", name)


def _neighbourhood(code: str) -> str:
    """The prefix under which a county may have got its new code: the prefecture; the whole of a municipality."""
    if code[:4] in ("4600", "4690"):  # Hainan's own counties got new numbers in 2002
        return "46"
    return code[:2] if code[:2] in _MUNICIPALITIES else code[:4]


@lru_cache(maxsize=1)
def _divisions() -> Mapping[str, _Division]:
    """Every code known, from the table and the supplement, in the order of codes."""
    found = {}
    for _, province, _, properties, children in numdb.get("cn/loc").prefixes:
        found[f"{province}0000"] = _Division(properties["province"], True)
        for _, rest, _, county, _ in children:
            found[province + rest] = _last(county["county"])
    with _SUPPLEMENT.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            name = line["name"] or found[line["code"]].name
            found[line["code"]] = _Division(name, not line["successor"], line["successor"])
    return MappingProxyType(dict(sorted(found.items())))


def _last(names: str) -> _Division:
    """The last of `[-2000]中甸县,[2001-2013]香格里拉县`; in use today if its period has no end."""
    last = names.split(",")[-1]
    period = _PERIOD.match(last)
    return _Division(period[3], not period[2]) if period else _Division(last, True)


@lru_cache(maxsize=1)
def _counties() -> Mapping[str, None]:
    """Codes of county level in order (a mapping for its fast `in`). Cities without counties (东莞) count as one."""
    divisions = _divisions()
    real = {
        code
        for code, division in divisions.items()
        if not code.endswith("00") and division.name not in _NO_PLACE
    }
    parents = {f"{code[:4]}00" for code in real if divisions[code].current}
    alone = {
        code
        for code, division in divisions.items()
        if code.endswith("00") and not code.endswith("0000") and division.name not in _NO_PLACE
        if division.current and code not in parents
    }
    return MappingProxyType(dict.fromkeys(sorted(real | alone)))
