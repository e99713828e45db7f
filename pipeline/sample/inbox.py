"""The inbox: all files open side by side, fed chunk by chunk."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from pipeline.sample.dress import dressed, numeric_columns
from pipeline.sample.files import TableFile, open_table
from pipeline.sample.lists import Export
from pipeline.sample.plan import FilePlan, file_plans
from pipeline.sample.world import World


class OpenFile:
    """One file of the inbox with its head written."""

    def __init__(self, folder: Path, plan: FilePlan, world: World, when: str) -> None:
        self.plan = plan
        self._numeric = numeric_columns(world, plan)
        self.rows = 0
        self._table: TableFile = open_table(folder / plan.path, plan)
        front = ["序号"] if plan.serial else []
        width = len(front) + len(plan.headers)
        self._width = width
        self.physical = 0
        if plan.title:
            self._line([plan.title], title=True)
        if plan.unit:
            self._line([plan.unit, "", "", when][:width])
        self._line([*front, *plan.headers])

    def _line(self, cells: list[str], title: bool = False) -> None:
        self._table.line([*cells, *[""] * (self._width - len(cells))], title)
        self.physical += 1

    def append(self, cells: pl.DataFrame, kinds: pl.Series) -> pl.Series:
        """Writes the rows; gives their physical row numbers."""
        shift = int(self.plan.serial)
        places = {name: place + shift for place, name in enumerate(cells.columns)}
        if shift:
            serial = pl.int_range(self.rows + 1, self.rows + 1 + cells.height, eager=True).cast(pl.String)
            cells = cells.select(serial.alias("序号"), pl.all())
        numbers = {places[name] for name in self._numeric} | ({0} if shift else set())
        self._table.block(cells, frozenset(numbers), (places[self.plan.export.damaged], kinds))
        first = self.physical + 1
        self.rows += cells.height
        self.physical += cells.height
        return pl.int_range(first, first + cells.height, eager=True)

    def close(self) -> None:
        """The total and the signatures. A list without rows always says so itself: 合计 0人."""
        if self.plan.total or self.rows == 0:
            self._line(["合计", f"{self.rows}人"])
            self._line(["填表人：", "", "审核人："])
        self._table.close()


class Inbox:
    """Writes `out/<department>/<dataset>/…`; tells which physical row is about whom."""

    def __init__(self, world: World, out: Path) -> None:
        self._world = world
        when = f"填报时间：{world.as_of.year}年{world.as_of.month}月"
        self._files: dict[tuple[str, str], OpenFile] = {
            (plan.export.key, plan.county): OpenFile(out, plan, world, when) for plan in file_plans(world)
        }

    def add(self, export: Export, rows: pl.DataFrame) -> pl.DataFrame:
        """Writes a chunk's rows; gives `dataset, source_file, source_row, person, damage` of each."""
        if not export.by_county:
            return self._add(export, "", rows)
        parts = [
            self._add(export, county, rows.filter(pl.col("_county") == county))
            for county in self._world.county_codes
        ]
        return pl.concat(parts)

    def _add(self, export: Export, county: str, rows: pl.DataFrame) -> pl.DataFrame:
        file = self._files[export.key, county]
        cells, kinds = dressed(self._world, file.plan, rows)
        physical = file.append(cells, kinds)
        return pl.DataFrame(
            {
                "dataset": pl.repeat(export.key, rows.height, eager=True),
                "source_file": pl.repeat(file.plan.path, rows.height, eager=True),
                "source_row": physical,
                "person": rows["_person"],
                "damage": kinds,
            }
        )

    @property
    def paths(self) -> list[str]:
        return [file.plan.path for file in self._files.values()]

    def close(self) -> None:
        for file in self._files.values():
            file.close()
