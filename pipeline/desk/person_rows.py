"""A person's rows in the kept snapshots (`STATE/store`), and the places where his number stands in other people's rows.

A row is his own where its own person's number is his, or where the last night linked it to him (damaged numbers); it is not
where that night linked it to somebody else (a guardian's number in a child's row). In other people's rows he may stand as
guardian or house head.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.own_number import RowPerson
from pipeline.desk.person_asked import Whom, refused
from pipeline.intake.store import MANIFEST

PLACE = ("source_file", "sheet", "source_row")
_PLACED: dict[str, type[pl.DataType]] = {
    "dataset": pl.String,
    "source_file": pl.String,
    "source_row": pl.Int64,
}


@dataclass(frozen=True)
class Kept:
    """One Parquet file of a snapshot. `county` "" for a prefecture-wide list; `replaced`: a later file of that day counts."""

    path: Path
    dataset: Dataset
    county: str
    day: date
    replaced: bool


@dataclass(frozen=True)
class Stands:
    """Where he stands in a file: `own` rows, and by role (`guardian`, `head`) the other people's rows that name him."""

    own: pl.Series
    guardian: pl.Series
    head: pl.Series

    @property
    def anywhere(self) -> bool:
        return bool(self.own.any() or self.guardian.any() or self.head.any())


@dataclass(frozen=True)
class Links:
    """Rows that the last night linked to him (`his`; of compared pairs the sheet is known: `paired`), and to others."""

    his: pl.DataFrame
    paired: pl.DataFrame
    others: pl.DataFrame


def kept_files(state: Path, datasets: Mapping[str, Dataset]) -> Iterator[Kept]:
    """Every Parquet file of the store, in a fixed order.

    To pass over rows would be to say that there are none. So it raises OSError, ValueError where a manifest is damaged, and
    ReconcileError E882 where the store has a list that the dataset files do not know: which column names a person is not known then.
    """
    store = state / "store"
    lists = {
        manifest.parents[2].relative_to(store).as_posix() for manifest in store.glob(f"*/*/*/*/{MANIFEST}")
    }
    if unknown := sorted(lists - set(datasets)):
        why = f"{unknown[0]} 的名单还保存着，而 schemas/ 里已没有它的说明文件，不知道哪一列是人"
        cure = "把该说明文件放回 schemas/ 再做一次；也可等保存期满，由夜间清理删除"
        raise refused("E882", "保存的资料读不全，不能说“全部”", why, cure)
    for key, dataset in datasets.items():
        for manifest in sorted((store / key).glob(f"*/*/{MANIFEST}")):
            place = manifest.parent
            try:
                day = date(int(place.name[:4]), int(place.name[4:6]), int(place.name[6:8]))
            except ValueError:
                continue  # not a snapshot's name
            json.loads(manifest.read_text(encoding="utf-8"))
            county = "" if place.parent.name == "all" else place.parent.name
            for path in sorted(place.glob("*.parquet")):
                yield Kept(path, dataset, county, day, "-" in place.name)


def links_of(results: Path, one: Whom) -> Links:
    """What the last night's `links.parquet` and `pairs.parquet` say; nothing where there are none."""
    linked = _linked(results / "links.parquet", _PLACED, one)
    paired = _linked(results / "pairs.parquet", {**_PLACED, "sheet": pl.String}, one)
    return Links(
        linked.filter("mine").drop("mine"),
        paired.filter("mine").drop("mine"),
        linked.filter(~pl.col("mine")).drop("mine"),
    )


def _linked(path: Path, columns: Mapping[str, type[pl.DataType]], one: Whom) -> pl.DataFrame:
    try:
        links = pl.scan_parquet(path).filter(pl.col("decision") == "linked").with_columns(mine=one.own_row())
        return links.select(*columns, "mine").unique().collect()
    except (OSError, pl.exceptions.PolarsError):
        return pl.DataFrame(schema={**columns, "mine": pl.Boolean})


def stands(kept: Kept, one: Whom, links: Links) -> Stands:
    """Reads only the columns that can name him. Raises OSError, polars errors for a damaged file."""
    who, house, roles = RowPerson.of(kept.dataset), kept.dataset.household, kept.dataset.person
    there = pl.scan_parquet(kept.path).collect_schema().names()
    own = _any(one, there, *_numbers(who))
    if kept.dataset.role == "register":  # a guardian's number in the person's column is no sign
        certificate = _any(one, there, *_numbers(RowPerson(None, None, who.certificate, None, None)))
        own = (
            certificate | (own & pl.col(f"{who.certificate}").is_null()) if who.certificate in there else own
        )
    guardian = _any(one, there, roles.guardian_id)
    head = _any(one, there, house.head_id if house else None)
    columns = [name for name in there if name in PLACE]
    frame = pl.scan_parquet(kept.path).select(*columns, own=own, guardian=guardian, head=head).collect()
    mine = frame["own"]
    if not kept.replaced:
        mine = _with_links(kept, frame, links)
    return Stands(mine, frame["guardian"] & ~mine, frame["head"] & ~mine)


def _numbers(who: RowPerson) -> tuple[str | None, ...]:
    by_id = (who.id, f"{who.id}_certificate") if who.id else ()
    return (*by_id, *((who.certificate, f"{who.certificate}_id") if who.certificate else ()))


def _any(one: Whom, there: list[str], *columns: str | None) -> pl.Expr:
    tests = [one.own(pl.col(name)) for name in columns if name and name in there]
    return pl.any_horizontal(tests) if tests else pl.lit(False)


def _with_links(kept: Kept, frame: pl.DataFrame, links: Links) -> pl.Series:
    """The rows that bear his number but were not linked to others, and those linked to him without it.

    Of exact links the sheet is not told: a row without his number is his only where no other sheet has that row.
    """
    key = pl.col("dataset") == kept.dataset.dataset
    if kept.dataset.role == "register":
        return frame["own"]
    rows = frame.with_row_index("at")
    denied = rows.filter("own").join(links.others.filter(key), on=PLACE[::2], how="semi")["at"]
    again = rows.join(links.his.filter(key), on=PLACE[::2], how="semi")
    alone = again.filter(pl.len().over(PLACE[::2]) == 1)["at"]
    paired = rows.join(links.paired.filter(key), on=PLACE, how="semi")["at"]
    at = pl.col("at")
    theirs = at.is_in(denied.implode()) & ~at.is_in(again["at"].implode())
    mine = (pl.col("own") & ~theirs) | at.is_in(alone.implode()) | at.is_in(paired.implode())
    return rows.select(mine.alias("own")).to_series()
