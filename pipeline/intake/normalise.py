"""A block of records as read becomes a block of the normalised snapshot (contracts/columns.py), and is counted.

Only rows without any identifier are looked at one by one (totals, footers, repeated headers); everything else runs
over whole columns or over a column's distinct texts. A row is never dropped because its ID is damaged, nor for
garbled text where it has a sound identifier; of a dropped row the ID numbers in it are told (`Counts.unreadable`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_

import polars as pl

from pipeline.contracts.columns import snapshot_columns
from pipeline.contracts.dataset import Dataset
from pipeline.contracts.problem import Problem
from pipeline.identity import id_number, id_repair
from pipeline.intake import fields, values
from pipeline.intake.columns_read import Coded
from pipeline.intake.counts import KEPT_PROBLEMS, Counts, FieldCounts
from pipeline.intake.find import is_known_county
from pipeline.intake.mojibake import blanked, spoilt_cells
from pipeline.intake.repair_places import repair_places
from pipeline.intake.totals import RowKind, classify, stated_total
from pipeline.intake.unreadable import Number, numbers_in

Column = pl.Series | Coded
SERIES_TYPES = frozenset({"id", "certificate", "name", "text"})  # the other types are read as Coded
_TEXTS = ("name", "text")  # garbled, they are no reason to lose a row
_FIFTEEN_LEFT = "^\\x01?[1-9][0-9]{16}[0-9]$"  # 18 digits, though the last three are lost
_VISIBLE = 10
POLARS_TYPES = {"VARCHAR": pl.String, "BIGINT": pl.Int64, "DATE": pl.Date}


@dataclass(frozen=True)
class Raw:
    """Records as read: the mapped fields' columns (texts for SERIES_TYPES, else Coded) and the physical rows."""

    columns: dict[str, Column]
    source_row: pl.Series
    headers: dict[str, str]  # by field, for messages

    def rows(self, keep: pl.Series) -> Raw:
        columns: dict[str, Column] = {
            name: column.rows(keep) if isinstance(column, Coded) else column.filter(keep)
            for name, column in self.columns.items()
        }
        return Raw(columns, self.source_row.filter(keep), self.headers)


@dataclass(frozen=True)
class Source:
    """Where the records come from, and what list it is."""

    file: str
    sheet: str
    dataset: Dataset
    county: str
    own_counties: frozenset[str] = frozenset()  # counties that only the settings know


# The kinds of records by their places in the block, and the total a record states.
Judge = Callable[[list[int]], list[tuple[RowKind, int | None]]]


def normalise(raw: Raw, source: Source, judge: Judge) -> tuple[pl.DataFrame, Counts]:
    """The snapshot's rows of this block, and the counts. `judge` is asked only about rows without identifiers."""
    ids = {
        name: id_number.normalise(column)
        for name, column in raw.columns.items()
        if isinstance(column, pl.Series) and source.dataset.fields[name].type in ("id", "certificate")
    }
    data, totals = _data_rows(raw, source.dataset, ids, judge)
    spoilt = spoilt_cells(raw.columns)
    garbled = _any(spoilt.values(), len(data)) & data
    texts = [name for name in spoilt if source.dataset.fields[name].type in _TEXTS]
    lost = _lost(raw, [bad for name, bad in spoilt.items() if name not in texts], ids) & data
    outside = _outside(raw, source) & data & ~lost
    keep = data & ~lost & ~outside
    mended = garbled & keep
    problems = (
        *_row_problems(raw, source, lost, "E235"),
        *_row_problems(raw, source, outside, "E241"),
        *_row_problems(raw, source, mended, "E235", "warning"),
    )
    numbers = _numbers(raw, lost | outside, source.sheet)
    raw = replace(raw, columns=blanked(raw.columns, {name: spoilt[name] for name in texts}))
    if not keep.all():
        raw = raw.rows(keep)
        ids = {name: frame.filter(keep) for name, frame in ids.items()}
    frame, counted = _build(raw, source, ids)
    counts = Counts(
        rows=frame.height,
        broken=_count(lost) + _count(outside),
        garbled=_count(garbled),
        mended=_count(mended),
        outside=_count(outside),
        usable=_count(_usable(frame, source.dataset)),
        totals=totals,
        fields=counted,
        problems=problems,
        unreadable=numbers,
    )
    return frame, counts


def judged(cells: list[str], columns: dict[str, int], dataset: Dataset) -> tuple[RowKind, int | None]:
    """What kind of row it is, and the number of people it states if it is a total."""
    kind = classify(cells, columns, dataset)
    return kind, stated_total(cells, columns, dataset) if kind is RowKind.TOTAL else None


def county_field(dataset: Dataset) -> str | None:
    """The field that says where a person of the register lives: its first division code."""
    return next((name for name, spec in dataset.fields.items() if spec.type == "region"), None)


def empty_snapshot(dataset: Dataset) -> pl.DataFrame:
    """A snapshot without rows."""
    return pl.DataFrame(schema={name: POLARS_TYPES[kind] for name, kind in snapshot_columns(dataset).items()})


def _data_rows(
    raw: Raw, dataset: Dataset, ids: dict[str, pl.DataFrame], judge: Judge
) -> tuple[pl.Series, tuple[int, ...]]:
    """Which rows are people's, and the totals that the others state."""
    holds = (
        f["problem"].is_null() | f["problem"].is_in(fields.HOLDS_DIGITS).fill_null(False)
        for f in ids.values()
    )
    sure = _any([*holds, _coded_throughout(raw, dataset)], len(raw.source_row))
    others = (~sure).arg_true()
    kinds = judge(others.to_list()) if len(others) else []
    is_data = pl.Series([kind is RowKind.DATA for kind, _ in kinds], dtype=pl.Boolean)
    totals = tuple(total for kind, total in kinds if kind is RowKind.TOTAL and total is not None)
    return sure.scatter(others, is_data) if len(others) else sure, totals


def _coded_throughout(raw: Raw, dataset: Dataset) -> pl.Series:
    """Which rows hold a known, written code in every required coded column (two at least): no total or heading does."""
    masks = []
    for name, spec in dataset.fields.items():
        column = raw.columns.get(name)
        if (
            spec.required
            and spec.type == "code"
            and "" not in sum(spec.codes.values(), ())
            and isinstance(column, Coded)
        ):
            masks.append(column.mapped(values.code_parser(spec.codes), pl.String).is_not_null())
    return reduce(and_, masks) if len(masks) >= 2 else _any([], len(raw.source_row))


def _lost(raw: Raw, decisive: list[pl.Series], ids: dict[str, pl.DataFrame]) -> pl.Series:
    """Which rows cannot be used: garbled in an identifier or a coded cell (`decisive`), without a sound identifier."""
    sound = (f["id"].is_not_null() | f["certificate"].is_not_null() for f in ids.values())
    return _any(decisive, len(raw.source_row)) & ~_any(sound, len(raw.source_row))


def _numbers(raw: Raw, dropped: pl.Series, sheet: str) -> tuple[Number, ...]:
    """The ID numbers in the mapped cells of the dropped rows."""
    if not dropped.any():
        return ()
    texts = [
        pl.Series(column.distinct, dtype=pl.String).gather(column.index.filter(dropped))
        if isinstance(column, Coded)
        else column.filter(dropped)
        for column in raw.columns.values()
    ]
    return numbers_in(texts, raw.source_row.filter(dropped), sheet)


def _outside(raw: Raw, source: Source) -> pl.Series:
    """Which register rows have no division code or one in no known county."""
    name = county_field(source.dataset)
    column = raw.columns.get(name or "")
    if source.dataset.role != "register" or not isinstance(column, Coded):
        return _any([], len(raw.source_row))

    def unknown(text: str) -> bool:
        code = values.region(text)
        return code is None or not is_known_county(code[:6], source.own_counties)

    return column.mapped(unknown, pl.Boolean)


_ROW_PROBLEMS = {
    ("E235", "error"): (
        "文字是乱码，此行不用",
        "源系统转换编码时已经损坏，行中没有可用的证件号码",
        "请报送单位改正后重报",
    ),
    ("E235", "warning"): (
        "文字是乱码，坏格按空白算",
        "源系统转换编码时已经损坏",
        "请报送单位改正后重报",
    ),
    ("E241", "error"): (
        "不认识的区划代码，或没有区划代码",
        "区划表和设置中都没有它，不能归到任何县",
        "改正该行；若确有此县，在 reconcile.toml 的 counties 中登记",
    ),
}


def _row_problems(
    raw: Raw, source: Source, mask: pl.Series, code: str, severity: str = "error"
) -> Iterable[Problem]:
    told = _ROW_PROBLEMS[code, severity]
    place = {"file": source.file, "sheet": source.sheet, "dataset": source.dataset.dataset}
    column = raw.headers.get(county_field(source.dataset) or "", "") if code == "E241" else ""
    for row in raw.source_row.filter(mask).head(KEPT_PROBLEMS):
        yield Problem(code, severity, *told, row=row, column=column, county=source.county, **place)


def _build(
    raw: Raw, source: Source, ids: dict[str, pl.DataFrame]
) -> tuple[pl.DataFrame, dict[str, FieldCounts]]:
    """The snapshot's columns in their order, and the counts of every field the file has."""
    rows = len(raw.source_row)
    done: dict[str, pl.Series] = {"source_row": raw.source_row}
    counted: dict[str, FieldCounts] = {}
    for name, spec in source.dataset.fields.items():
        column = raw.columns.get(name)
        if isinstance(column, Coded):
            done[name], counted[name] = fields.parsed(column, spec)
        elif column is not None and name in ids:
            done |= fields.identifier(name, spec, column, ids[name])
            counted[name] = fields.identifier_counts(ids[name]["problem"])
        elif column is not None:
            done[name] = fields.clean(column)
            counted[name] = fields.text_counts(column, done[name])
        if column is not None:
            read = ids[name]["problem"] if name in ids else done[name]
            where = repair_places(column, read, counted[name], spec, raw.source_row, source.sheet)
            counted[name] = replace(counted[name], places=where)
    _mark_names(source.dataset, done, counted)
    texts = {"source_file": source.file, "sheet": source.sheet}
    frame = pl.DataFrame(
        [
            done[name].alias(name)
            if name in done
            else pl.Series(name, [texts.get(name)], dtype=POLARS_TYPES[kind]).new_from_index(0, rows)
            for name, kind in snapshot_columns(source.dataset).items()
        ]
    )
    return frame, counted


def _mark_names(dataset: Dataset, done: dict[str, pl.Series], counted: dict[str, FieldCounts]) -> None:
    """Marks the unknown spellings of coded columns that the block's name columns hold, too."""
    people = [done[n] for n, spec in dataset.fields.items() if spec.type == "name" and n in done]
    for name, counts in counted.items():
        if dataset.fields[name].type == "code" and counts.kinds:
            kinds = list(counts.kinds)
            also = frozenset(text for names in people for text in names.filter(names.is_in(kinds)))
            counted[name] = replace(counts, names=also)


def _usable(frame: pl.DataFrame, dataset: Dataset) -> pl.Series:
    """Which rows hold an identifier of their person (of the house's head, where a list names only heads).

    A number of which a spreadsheet left fifteen digits, or a mask ten, still finds its person by the name beside it.
    """
    names = [n for n in (dataset.person.id, dataset.person.certificate) if n]
    if not names and dataset.household and dataset.household.head_id:
        names = [dataset.household.head_id]
    columns = [
        column
        for name in names
        for column in (name, f"{name}_id", f"{name}_certificate")
        if column in frame.columns
    ]
    typed = [frame[f"{name}_typed"] for name in names if f"{name}_typed" in frame.columns]
    left = [
        *(texts.str.contains(_FIFTEEN_LEFT).fill_null(False) for texts in typed),
        *(_much_visible(texts) for texts in typed),
    ]
    return _any([*(frame[column].is_not_null() for column in columns), *left], frame.height)


def _much_visible(typed: pl.Series) -> pl.Series:
    """Which numbers are masked and still show ten characters or more."""
    pattern = id_repair.masked(typed)["pattern"]
    return (pattern.str.count_matches("[^?]") >= _VISIBLE).fill_null(False)


def _any(masks: Iterable[pl.Series], rows: int) -> pl.Series:
    return reduce(or_, masks, pl.Series([False], dtype=pl.Boolean).new_from_index(0, rows))


def _count(mask: pl.Series) -> int:
    return int(mask.sum())
