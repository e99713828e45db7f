"""How each file of the inbox looks: its format, headers, notations, titles and footers. Drawn once from the seed."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.sample import words
from pipeline.sample.lists import EXPORTS, Export
from pipeline.sample.world import World

_FORMS = (
    ("csv", "gb18030"),
    ("xlsx", ""),
    ("csv", "utf-8-sig"),
    ("biff", ""),
    ("csv", "utf-8"),
    ("xlsx", ""),
    ("html", "utf-8"),
    ("csv", "utf-16"),
    ("text", "gb18030"),
    ("xlsx", ""),
    ("biff", ""),
    ("text", "utf-16"),
    ("csv", "gb18030"),
    ("html", "gb18030"),
)
_BIG_FORMS = tuple(form for form in _FORMS if form[0] == "csv")
_SHEET_ROWS = 60_000  # above it every list is a CSV file
_SMALL_SHEET_ROWS = 20_000  # above it no old format
_SUFFIX = {"csv": "csv", "xlsx": "xlsx", "biff": "xls", "html": "xls", "text": "xls"}


@dataclass(frozen=True)
class FilePlan:
    """One file. `notations` and `headers` stand in the order of the export's columns."""

    export: Export
    county: str  # "" for a prefecture-wide file
    path: str  # relative to the inbox
    form: str  # csv, xlsx, biff (real xls), html or text (called .xls)
    encoding: str
    headers: tuple[str, ...]
    notations: tuple[int, ...]
    title: str  # "" without a title row
    unit: str  # 填报单位, "" without
    serial: bool  # a 序号 column in front
    total: bool  # 合计 n人 and 填表人 below
    notes: bool  # a second sheet 填表说明


def has_biff() -> bool:
    """Real xls files need xlwt, a development dependency; without it the other kinds of .xls are written."""
    return importlib.util.find_spec("xlwt") is not None


def file_plans(world: World) -> Iterator[FilePlan]:
    """All files, in the order of the exports and counties."""
    turn = world.seed
    for export in EXPORTS:
        places = words.COUNTIES[: world.counties] if export.by_county else (("", words.PREFECTURE, 1.0),)
        for code, name, weight in places:
            form, encoding = _form(turn, world.people * export.share * weight)
            turn += 1
            yield _plan(world, export, code, name, form, encoding)


def _form(turn: int, rows: float) -> tuple[str, str]:
    """The kinds take turns, so that every sample has them all; big lists are CSV."""
    if rows > _SHEET_ROWS:
        return _BIG_FORMS[turn % len(_BIG_FORMS)]
    form, encoding = _FORMS[turn % len(_FORMS)]
    if form in ("xlsx", "csv") or (form == "biff" and rows < _SMALL_SHEET_ROWS and has_biff()):
        return form, encoding
    if rows < _SMALL_SHEET_ROWS and form != "biff":
        return form, encoding
    return ("html", "utf-8") if rows < _SMALL_SHEET_ROWS else ("xlsx", "")


def _plan(world: World, export: Export, code: str, name: str, form: str, encoding: str) -> FilePlan:
    rng = random.Random(f"{world.seed}:{export.key}:{code}")  # noqa: S311 - a sample, no secret
    stem = f"{export.title}_{world.as_of:%Y%m%d}.{_SUFFIX[form]}"
    sheet = form in ("xlsx", "biff", "html")
    chance = 0.45 if sheet else 0.12
    title = rng.random() < chance
    return FilePlan(
        export=export,
        county=code,
        path=f"{export.key}/{code}_{name}{stem}" if code else f"{export.key}/{stem}",
        form=form,
        encoding=encoding,
        headers=tuple(rng.choice(column.headers) for column in export.columns),
        notations=tuple(rng.randrange(60) for _ in export.columns),
        title=f"{name}{world.as_of.year}年{world.as_of.month}月{export.title}" if title else "",
        unit=f"填报单位：{name}" if title and rng.random() < 0.5 else "",
        serial=rng.random() < chance,
        total=rng.random() < chance,
        notes=form in ("xlsx", "biff") and rng.random() < 0.3,
    )
