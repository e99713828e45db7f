"""Typed values to what stands in the cells: codes, dates, months and amounts in the file's notation, damage, noise."""

from __future__ import annotations

import polars as pl

from pipeline.sample import words
from pipeline.sample.damage import damage_kinds, damaged_numbers
from pipeline.sample.lists import Column
from pipeline.sample.names import delivered_names
from pipeline.sample.plan import FilePlan
from pipeline.sample.troubled import as_numbers, numeric_rows
from pipeline.sample.world import World

WORKBOOKS = ("xlsx", "biff")


def dressed(world: World, plan: FilePlan, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """The cells as text (null: empty) under the fields' names, and the damage of each row's number (null: none)."""
    export = plan.export
    kinds = damage_kinds(world, export, rows)
    cells = {
        column.key: _written(world, column, notation, rows)
        for column, notation in zip(export.columns, plan.notations, strict=True)
    }
    own_name = "hname" if export.damaged == "hid" else "name"
    cells[own_name] = delivered_names(world, export, rows, own_name)
    cells[export.damaged] = damaged_numbers(world, export, rows, kinds)
    if world.trouble.numeric:
        kinds = _numbered(world, plan, rows, cells, kinds)
    # An empty text would be written as "" in quotes; an empty cell is a null.
    frame = pl.DataFrame(cells).with_columns(pl.all().replace({"": None}))
    return frame, kinds


def _numbered(
    world: World, plan: FilePlan, rows: pl.DataFrame, cells: dict[str, pl.Series], kinds: pl.Series
) -> pl.Series:
    """Writes the ID columns of a file of numbers; gives the damage as it shows in this kind of file."""
    here = numeric_rows(world, plan.export.key, rows)
    shown = "sci" if plan.form in WORKBOOKS else "sci_text"
    for column in plan.export.columns:
        if column.type == "id":
            cells[column.key] = as_numbers(cells[column.key], here, shown == "sci_text")
    lost = here & kinds.eq_missing("sci")
    return pl.repeat(shown, rows.height, eager=True).zip_with(lost, kinds).alias("damage")


def numeric_columns(world: World, plan: FilePlan) -> frozenset[str]:
    """Fields whose cells are numbers in a workbook: years, counts, tiers, amounts without separators, and the IDs of a
    file that is asked to have them so."""
    numbered = world.trouble.is_numeric(plan.export.key, plan.county)
    pairs = zip(plan.export.columns, plan.notations, strict=True)
    return frozenset(
        column.key
        for column, notation in pairs
        if column.type in ("year", "integer")
        or column.key == "tier"
        or (column.type == "amount" and notation % 3 == 0)
        or (column.type == "id" and numbered)
    )


def _written(world: World, column: Column, notation: int, rows: pl.DataFrame) -> pl.Series:
    values = rows[column.key]
    match column.type:
        case "date":
            return values.cast(pl.Date).dt.strftime(words.DATE_NOTATIONS[notation % 5])
        case "month":
            return values.cast(pl.Date).dt.strftime(words.MONTH_NOTATIONS[notation % 5])
        case "amount":
            return _yuan(values, notation % 3)
        case "code" if column.spellings:
            return _spelled(world, column, notation, rows)
        case _:
            return values.cast(pl.String)


def _yuan(fen: pl.Series, notation: int) -> pl.Series:
    """1200, 1200.00 or 1,200."""
    yuan = fen.cast(pl.Int64) // 100
    if notation == 0:
        return yuan.cast(pl.String)
    if notation == 1:
        return yuan.cast(pl.String) + "." + (fen % 100).cast(pl.String).str.zfill(2)
    thousands = (yuan // 1000).cast(pl.String) + "," + (yuan % 1000).cast(pl.String).str.zfill(3)
    return thousands.zip_with((yuan >= 1000).fill_null(False), yuan.cast(pl.String))


def _spelled(world: World, column: Column, notation: int, rows: pl.DataFrame) -> pl.Series:
    """The code in one spelling a file and column, or, for the few that offices mix, one a row."""
    ways = max(len(spellings) for spellings in column.spellings.values())
    versions = []
    for way in range(ways):
        table = {code: spelt[way % len(spelt)] for code, spelt in column.spellings.items()}
        versions.append(rows[column.key].cast(pl.String).replace(table))
    if not column.mixed:
        return versions[notation % ways]
    second = world.rolls(rows, "_key").chance(f"spelling {column.key}", 0.25)
    return versions[1].zip_with(second, versions[0])
