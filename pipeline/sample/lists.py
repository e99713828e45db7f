"""What the 23 departments' exports look like: titles, headers and written values, read from `exports.txt`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Spellings = Mapping[str, tuple[str, ...]]

_CATEGORIES = ("视力", "听力", "言语", "肢体", "智力", "精神", "多重")
_AS_IT_IS: Spellings = {}
_MIXED = ("subsidy", "grade", "built")
# How codes are written, by canonical code. A file keeps to one way a column, but for those that offices mix.
_SPELLINGS: dict[str, Spellings] = {
    "category_long": {name: (name + "残疾",) for name in _CATEGORIES},
    "category": {name: (name + "残疾", name, str(i)) for i, name in enumerate(_CATEGORIES, 1)},
    "level_long": {str(i): (name + "级",) for i, name in enumerate("一二三四", 1)},
    "level": {str(i): (name + "级", f"{i}级", str(i)) for i, name in enumerate("一二三四", 1)},
    "grade": {grade: (grade + "级", grade) for grade in "ABCD"},
    "subsidy": {
        "生活补贴": ("困难残疾人生活补贴", "生活补贴"),
        "护理补贴": ("重度残疾人护理补贴", "护理补贴"),
    },
    "item": {
        "生活补贴": ("残疾人两项补贴—困难残疾人生活补贴",),
        "护理补贴": ("残疾人两项补贴—重度残疾人护理补贴",),
    },
    "insurance": {"居民": ("城乡居民基本医疗保险",), "职工": ("职工基本医疗保险",)},
    "pension": {"居民": ("城乡居民基本养老保险",), "职工": ("企业职工基本养老保险",)},
    "blank": {"无": ("",)},
    "built": {"未改造": ("未改造", "")},
}


@dataclass(frozen=True)
class Column:
    """One field: its type (as in the schemas), its two headers, and how codes are written (empty: as they are)."""

    key: str
    type: str
    headers: tuple[str, str]
    spellings: Spellings
    whole_number: bool = False  # the code is a number (level)
    mixed: bool = False  # one file writes the code now so, now so


@dataclass(frozen=True)
class Export:
    """One dataset. `damaged` is the column whose number breaks at times; `share` sizes the list: rows a person."""

    key: str
    title: str
    by_county: bool
    share: float
    damaged: str
    columns: tuple[Column, ...]


def _column(line: str) -> Column:
    key, kind, *headers = line.split()
    kind, _, spelt = kind.partition(":")
    spellings = _SPELLINGS[spelt] if spelt else _AS_IT_IS
    return Column(key, kind, (headers[0], headers[-1]), spellings, spelt.startswith("level"), spelt in _MIXED)


def _read(text: str) -> tuple[Export, ...]:
    found = []
    for block in text.split("\n\n")[1:]:
        head, *lines = block.strip().splitlines()
        key, title, delivery, share, damaged = head.split()
        columns = tuple(_column(line) for line in lines)
        found.append(Export(key.strip("[]"), title, delivery == "county", float(share), damaged, columns))
    return tuple(found)


EXPORTS: tuple[Export, ...] = _read((Path(__file__).parent / "exports.txt").read_text(encoding="utf-8"))
