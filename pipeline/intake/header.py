"""Finds the header of a list among titles, 填报单位 rows and merged headings, and says which column is which field.

Names are declared in `schemas/` (and added with `reconcile alias add`), never guessed. A heading over headings
("证件" over "身份证号") is known by the joined text, else by its last level, but never where the level above names
another person (户主, 监护人 …).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.contracts.dataset import Dataset, FieldSpec
from pipeline.contracts.problem import Problem
from pipeline.intake.header_problems import HeaderProblem, MissingColumns, Place, UnknownColumn
from pipeline.intake.header_text import holds_number, plain

__all__ = [
    "Header",
    "HeaderProblem",
    "MissingColumns",
    "UnknownColumn",
    "known_headers",
    "locate_header",
]

SEARCHED_ROWS = 20
_LEVELS = 3  # rows a merged header may have
# A unit that changes nothing about a value may stand behind a name; 万元 or 元/年 may not.
_UNIT = re.compile(r"\((?:单位:)?(?:人民币)?(?:元|人|口|户|个|岁|元/月|元/人/月|元/人·月)\)$")
_LABEL = re.compile(r"^\(?(?:填报|填表|制表|编制|报送)|^\(?(?:单位|时间|日期|年度|审核)[^:]*:|:.")
_OTHER_PERSON = re.compile(
    r"户主|监护人|家长|代理人|代领人|联系人|经办人|领款人|收款人|开户人|申请人|户名|配偶|父亲|母亲|赡养|抚养"
)
_COUNTERS = frozenset({"序号", "序", "行号", "顺序号", "NO", "NO.", "No", "No."})


@dataclass(frozen=True)
class Header:
    """`row` is the physical row of the last header row, from 1; `columns` maps field -> column index from 0."""

    row: int
    columns: dict[str, int]
    ignored: tuple[UnknownColumn, ...]


def known_headers(dataset: Dataset, county: str) -> dict[str, str]:
    """Normalised header -> field; what one county has declared goes before what all write."""
    known: dict[str, str] = {}
    for name, spec in dataset.fields.items():
        for header in spec.headers:
            known.setdefault(plain(header), name)
    for name, spec in dataset.fields.items():
        known.update((plain(header), name) for header in spec.county_headers.get(county, ()))
    return known


def locate_header(
    rows: Sequence[Sequence[str]], dataset: Dataset, county: str, *, whole: bool = False
) -> Header:
    """The one header among the first 20 rows. `county`: six-digit code, "" for a prefecture-wide list.

    `whole`: `rows` are all there are, so that two columns of a field that say the same throughout are known to be one.
    Raises HeaderProblem E211 (none), E212 (two), E213 (a field with two columns), MissingColumns E214.
    """
    known, place = known_headers(dataset, county), Place(dataset, county)
    best, seen = _best_row(rows, known)
    if len(seen) < _enough(dataset):
        raise HeaderProblem((place.none(best + 1 if seen else 0, list(seen), SEARCHED_ROWS),))
    bottom = _last_level(rows, best, seen, dataset)
    paths = _paths(rows, bottom)
    hits = _assigned(paths, known)
    second = _second_header(rows, bottom, hits, known, _enough(dataset))
    if second is not None:
        raise HeaderProblem((place.second(bottom + 1, second + 1),))
    texts = {at: "/".join(path) for at, path in enumerate(paths) if path}
    below = rows[bottom + 1 :] if whole else None
    columns: dict[str, int] = {}
    doubled: list[Problem] = []
    for name in (name for name in dataset.fields if name in hits):
        one = _one_of(hits[name], paths, dataset.fields[name], county, below)
        if one is None:
            doubled.append(place.twice(bottom + 1, name, {at: texts[at] for at in hits[name]}))
        else:
            columns[name] = one
    if doubled:
        raise HeaderProblem(tuple(doubled))
    return _header(bottom + 1, columns, hits, texts, place)


def _header(
    row: int, columns: dict[str, int], hits: Mapping[str, list[int]], texts: Mapping[int, str], place: Place
) -> Header:
    """The header with what is not read of it. Raises MissingColumns."""
    named = {at for many in hits.values() for at in many}
    unknown = {at: text for at, text in texts.items() if at not in named and text not in _COUNTERS}
    fields = place.dataset.fields
    missing = [name for name, spec in fields.items() if spec.required and name not in columns]
    if missing:
        raise MissingColumns(tuple(place.missing(row, name, unknown) for name in missing))
    spare = [
        place.spare(name, at, texts[at], texts[used])
        for name, used in columns.items()
        for at in hits[name]
        if at != used
    ]
    return Header(row, columns, (*spare, *place.unknown(unknown, columns)))


def _one_of(
    many: Sequence[int],
    paths: Sequence[tuple[str, ...]],
    spec: FieldSpec,
    county: str,
    below: Sequence[Sequence[str]] | None,
) -> int | None:
    """Which of a field's columns is read; None if that would be a guess.

    Columns that say the same are one. Of an optional field the header declared first is preferred; the values of a
    required field decide about people and are not left to an order of names.
    """
    if len(many) == 1:
        return many[0]
    if below is not None:
        filled = [at for at in many if any(_cell(row, at) for row in below)]
        if all(len({_cell(row, at) for at in filled}) <= 1 for row in below):
            return (filled or many)[0]
    if spec.required:
        return None
    order = list(map(plain, (*spec.county_headers.get(county, ()), *spec.headers)))
    ranked = sorted((_preference(paths[at], order), at) for at in many)
    return ranked[0][1] if ranked[0][0] < ranked[1][0] else None


def _cell(row: Sequence[str], at: int) -> str:
    return row[at].strip() if at < len(row) else ""


def _preference(path: tuple[str, ...], order: Sequence[str]) -> int:
    """The place of the column's header among the declared ones."""
    texts = (text for texts in _spellings(path) for text in texts)
    return min((order.index(text) for text in texts if text in order), default=len(order))


def _enough(dataset: Dataset) -> int:
    """How many fields a row must name to be a header."""
    required = sum(spec.required for spec in dataset.fields.values())
    return max(2, -(-required // 2))


def _best_row(rows: Sequence[Sequence[str]], known: Mapping[str, str]) -> tuple[int, dict[str, list[int]]]:
    """The row that names most fields, the first of equals, and the fields' columns."""
    best, seen = -1, dict[str, list[int]]()
    for at in range(min(SEARCHED_ROWS, len(rows))):
        if any(rows[at]) and not holds_number(rows[at]):
            hits = _assigned(_paths(rows, at), known)
            if len(hits) > len(seen):
                best, seen = at, hits
    return best, seen


def _paths(rows: Sequence[Sequence[str]], bottom: int) -> list[tuple[str, ...]]:
    """For each column its heading texts from above to `bottom`, blank and repeated levels left out."""
    top = bottom
    while top > 0 and bottom - top < _LEVELS - 1 and _is_level(rows[top - 1]):
        top -= 1
    levels = [[plain(cell) for cell in rows[at]] for at in range(top, bottom + 1)]
    for upper, lower in pairwise(levels):
        _spread(upper, lower)
    paths: list[tuple[str, ...]] = []
    for at in range(max(map(len, levels))):
        path: list[str] = []
        for level in levels:
            text = level[at] if at < len(level) else ""
            if text and path[-1:] != [text]:
                path.append(text)
        paths.append(tuple(path))
    return paths


def _is_level(row: Sequence[str]) -> bool:
    """Whether a row above a header can be part of it: several different short texts, not a title or a 填报 row."""
    texts = {plain(cell) for cell in row} - {""}
    if len(texts) < 2 or max(map(len, texts)) > SEARCHED_ROWS or holds_number(row):
        return False
    return not any(_LABEL.search(unicodedata.normalize("NFKC", cell).strip()) for cell in row)


def _spread(upper: list[str], lower: Sequence[str]) -> None:
    """In text files a heading merged over columns stands over the first of them only: it is written to the others."""
    if any(a and a == b for a, b in pairwise(upper)):
        return  # merged cells were filled already
    for at in range(1, min(len(upper), len(lower))):
        if not upper[at] and lower[at] and lower[at - 1]:
            upper[at] = upper[at - 1]


def _assigned(paths: Sequence[tuple[str, ...]], known: Mapping[str, str]) -> dict[str, list[int]]:
    """Field -> the columns that name it; of several ways of naming only the best one counts."""
    hits: dict[str, tuple[int, list[int]]] = {}
    for at, path in enumerate(paths):
        for rank, texts in enumerate(_spellings(path)):
            name = next((known[text] for text in texts if text in known), None)
            if name is None:
                continue
            before, columns = hits.get(name, (rank, []))
            if rank <= before:
                hits[name] = (rank, [*columns, at] if rank == before else [at])
            break
    return {name: columns for name, (_, columns) in hits.items()}


def _spellings(path: tuple[str, ...]) -> tuple[list[str], ...]:
    """The texts under which a column may be known, best first: joined, without unit, last level, that without unit."""
    if not path:
        return ()
    joined = [mark.join(path[start:]) for start in range(max(1, len(path) - 1)) for mark in ("/", "")]
    last = [] if any(_OTHER_PERSON.search(level) for level in path[:-1]) else [path[-1]]
    return (
        joined,
        [_UNIT.sub("", text) for text in joined],
        last,
        [_UNIT.sub("", text) for text in last],
    )


def _last_level(
    rows: Sequence[Sequence[str]], best: int, seen: Mapping[str, list[int]], dataset: Dataset
) -> int:
    """The last row of the header that `best` belongs to: rows follow that repeat it or only divide its headings."""
    kinds = ("id", "certificate", "name")
    people = [at for name, many in seen.items() if dataset.fields[name].type in kinds for at in many]
    bottom = best
    while bottom + 1 < min(len(rows), best + _LEVELS) and _divides(rows[bottom], rows[bottom + 1], people):
        bottom += 1
    return bottom


def _divides(upper: Sequence[str], lower: Sequence[str], people: Sequence[int]) -> bool:
    """Whether the row below is a level of the header and no person: merged cells repeat, or stand blank under them."""
    above, below = [plain(cell) for cell in upper], [plain(cell) for cell in lower]
    width = min(len(above), len(below))
    if holds_number(lower) or any(text.isdigit() for text in below):
        return False
    if sum(above[at] == below[at] != "" for at in range(width)) >= 2:
        return True
    if any(at < width and below[at] for at in people):
        return False
    filled = [at for at in range(1, width) if below[at]]
    return len(filled) > 1 and any(not above[at] or above[at] == above[at - 1] for at in filled)


def _second_header(
    rows: Sequence[Sequence[str]],
    bottom: int,
    hits: Mapping[str, list[int]],
    known: Mapping[str, str],
    enough: int,
) -> int | None:
    """Another row of the first 20 that is a header of its own, with other columns (the same again is a page break)."""
    for at in range(min(SEARCHED_ROWS, len(rows))):
        if bottom - _LEVELS < at <= bottom or holds_number(rows[at]):
            continue
        other = _assigned([(text,) if (text := plain(cell)) else () for cell in rows[at]], known)
        if len(other) >= enough and any(hits.get(name) != columns for name, columns in other.items()):
            return at
    return None
