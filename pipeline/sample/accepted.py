"""The same lists written straight into the store, as intake would have accepted them (for benchmarks).

Layout: `<accepted>/store/<department>/<dataset>/<county or all>/<YYYYMMDD>/`, in it what `intake.store` writes.
"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from pipeline.contracts.columns import snapshot_columns
from pipeline.contracts.dataset import load_datasets
from pipeline.installed_folders import schemas_folder
from pipeline.intake.normalise import empty_snapshot
from pipeline.intake.store import write_part
from pipeline.sample.damage import READABLE, damage_kinds, damaged_numbers
from pipeline.sample.lists import Column, Export
from pipeline.sample.troubled import as_numbers, numeric_rows
from pipeline.sample.world import World

_PART_ROWS = 500_000
_PROBLEM = {
    "missing": "missing",
    "typo": "checksum",
    "swap": "checksum",
    "cut": "length",
    "sci": "excel_zeros",
    "sci_text": "scientific",
    "masked": "masked",
}
_TYPES: dict[str, type[pl.DataType]] = {
    "date": pl.Date,
    "month": pl.Date,
    "year": pl.Int64,
    "amount": pl.Int64,
    "integer": pl.Int64,
}


class Store:
    """Buffers rows per snapshot and writes a part whenever enough have come."""

    def __init__(self, world: World, accepted: Path) -> None:
        self._world = world
        self._root = accepted / "store"
        self._waiting: dict[tuple[str, str], list[pl.DataFrame]] = {}
        self._rows: dict[tuple[str, str], int] = {}
        self._parts: dict[tuple[str, str], int] = {}
        self._datasets = load_datasets(schemas_folder(None))
        self._sources: dict[tuple[str, str], str] = {}

    def add(self, export: Export, rows: pl.DataFrame) -> pl.DataFrame:
        """Takes a chunk's rows; gives `dataset, source_file, source_row, person, damage` of each."""
        if not export.by_county:
            return self._add(export, "all", rows)
        counties = self._world.county_codes
        return pl.concat(
            [self._add(export, code, rows.filter(pl.col("_county") == code)) for code in counties]
        )

    def _add(self, export: Export, county: str, rows: pl.DataFrame) -> pl.DataFrame:
        kinds = damage_kinds(self._world, export, rows)
        place = (export.key, county)
        first = self._rows.get(place, 0) + 2
        front = "" if county == "all" else f"{county}_"
        file = f"{export.key}/{front}{export.title}_{self._world.as_of:%Y%m%d}.csv"
        self._sources[place] = file
        source = {
            "source_file": pl.repeat(file, rows.height, eager=True),
            "sheet": pl.repeat("", rows.height, eager=True),
            "source_row": pl.int_range(first, first + rows.height, eager=True),
        }
        frame = pl.DataFrame({**source, **normalised(self._world, export, rows, kinds)})
        self._rows[place] = first - 2 + rows.height
        self._waiting.setdefault(place, []).append(frame)
        if sum(part.height for part in self._waiting[place]) >= _PART_ROWS:
            self._flush(place)
        dataset = pl.repeat(export.key, rows.height, eager=True)
        return frame.select(dataset.alias("dataset"), "source_file", "source_row").with_columns(
            person=rows["_person"], damage=kinds
        )

    def _flush(self, place: tuple[str, str]) -> None:
        number = self._parts.get(place, 0)
        folder = self._folder(place)
        folder.mkdir(parents=True, exist_ok=True)
        whole = pl.concat(self._waiting.pop(place))
        dataset = self._datasets[place[0]]
        # a list may say more than these exports do; a column that did not come is empty, as after intake
        written = pl.concat([empty_snapshot(dataset), whole], how="diagonal")
        write_part(written.select(list(snapshot_columns(dataset))), dataset, folder, number)
        self._parts[place] = number + 1

    @property
    def paths(self) -> list[str]:
        return [f"{dataset}/{county}" for dataset, county in self._rows]

    def close(self) -> None:
        for place in list(self._waiting):
            self._flush(place)
        for place, rows in self._rows.items():
            parts = len(list(self._folder(place).glob("*.parquet")))
            told = {"rows": rows, "source_file": self._sources[place], "parts": parts}
            text = json.dumps(told, ensure_ascii=False, sort_keys=True)
            (self._folder(place) / "manifest.json").write_text(text + "\n", encoding="utf-8")

    def _folder(self, place: tuple[str, str]) -> Path:
        return self._root / place[0] / place[1] / f"{self._world.as_of:%Y%m%d}"


def normalised(world: World, export: Export, rows: pl.DataFrame, kinds: pl.Series) -> dict[str, pl.Series]:
    """The normalised columns of every field, in order."""
    columns: dict[str, pl.Series] = {}
    typed = damaged_numbers(world, export, rows, kinds)
    if world.trouble.numeric:
        typed = as_numbers(typed, numeric_rows(world, export.key, rows), scientific=False)
    for column in export.columns:
        if column.type in ("id", "certificate"):
            broken = column.key == export.damaged
            columns |= _number(column, rows, kinds if broken else None, typed)
        else:
            columns[column.key] = rows[column.key].cast(_type(column))
    return columns


def _type(column: Column) -> type[pl.DataType]:
    return pl.Int64 if column.whole_number else _TYPES.get(column.type, pl.String)


def _number(
    column: Column, rows: pl.DataFrame, kinds: pl.Series | None, typed: pl.Series
) -> dict[str, pl.Series]:
    """An ID or certificate column: the sound number or its problem and the text that stood there."""
    key, values = column.key, rows[column.key]
    if kinds is None:
        kinds = pl.repeat(None, rows.height, dtype=pl.String, eager=True)
    lost = kinds.is_not_null() & ~kinds.is_in([*READABLE, "guardian"])
    frame = pl.DataFrame(
        {
            "value": values,
            "kind": kinds,
            "lost": lost,
            "typed": typed,
            "head": rows["_head_id"],
            "cert": rows["_cert"],
        }
    )
    sound: pl.Expr = (
        pl.when("lost").then(None).when(pl.col("kind") == "guardian").then("head").otherwise("value")
    )
    text = pl.when(pl.col("lost") & (pl.col("typed") != "")).then("typed")
    problem: pl.Expr = pl.when("lost").then(pl.col("kind").replace(_PROBLEM))
    problem = (
        pl.when(text.is_not_null() & (pl.col("kind") == "missing"))
        .then(pl.lit("placeholder"))
        .otherwise(problem)
    )
    problem = pl.when(pl.col("value").is_null()).then(pl.lit("missing")).otherwise(problem)
    if column.type == "id":
        other = pl.when(pl.col("kind") == "cert").then("cert").alias(f"{key}_certificate")
    else:
        other = sound.str.slice(0, 18).alias(f"{key}_id")
    chosen = frame.select(
        sound.alias(key), other, problem.alias(f"{key}_problem"), text.alias(f"{key}_typed")
    )
    return {name: chosen[name] for name in chosen.columns}
