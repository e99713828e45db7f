"""A correction that somebody asked for, in words for the department: list, county, file, row, column, what is wrong, which cases."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.cases.person_rights import Correction, ListPlace
from pipeline.reports.row_words import row_number

Namer = Callable[[str], str]
FileShown = Callable[[str], bool]


def correction_words(
    one: Correction, title: Namer, county: Namer, shown: FileShown = lambda _: True
) -> list[str]:
    """A line a place, then what is wrong. `title` of a list by its key, `county` by its code; `shown`: whether a file's name may be said."""
    places = [place_of(place, title, county, shown) for place in one.places]
    cases = f"；疑点 {'、'.join(one.waiting)}" if one.waiting else ""
    return [*places, f"{one.note}{cases}"]


def place_of(place: ListPlace, title: Namer, county: Namer, shown: FileShown = lambda _: True) -> str:
    """《…》示例市第12行“出生日期”列（文件 539901_名单_20261031.csv）"""
    name = place.file.rpartition("/")[2]
    number = row_number(place.row)
    row = f"第{number}行" if number else "" if place.row else "没有此人的行"
    column = f"“{place.column}”列" if place.column else ""
    sheet = f"，工作表 {place.sheet}" if place.sheet else ""
    file = f"（文件 {name}{sheet}）" if name and shown(name + place.sheet) else ""
    return f"《{title(place.dataset)}》{county(place.county) if place.county else ''}{row}{column}{file}"
