"""Where a person stands in a department's lists as last kept: list, county, file, row. What the department has to look at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.cases.person_rights import ListPlace
from pipeline.contracts.dataset import Dataset
from pipeline.desk.person_asked import Whom, refused
from pipeline.desk.person_rows import PLACE, Kept, Links, kept_files, stands
from pipeline.desk.person_section import hidden


@dataclass(frozen=True)
class Meant:
    """Which of a department's lists a correction is about, and its column ("": not said)."""

    datasets: Mapping[str, Dataset]
    column: str = ""


def meant(datasets: Mapping[str, Dataset], department: str, listed: str, column: str) -> Meant:
    """`listed`: a list by key (dibao, civil_affairs/dibao) or title; `column`: by title or header. Raises ReconcileError E883."""
    own = {key: dataset for key, dataset in datasets.items() if key.split("/")[0] == department}
    if listed:
        names = {key: (key, key.split("/")[1], dataset.title) for key, dataset in own.items()}
        found = {key: own[key] for key in own if listed in names[key]}
        if not found:
            raise _unknown("没有这份名册", f"该部门的名册：{'、'.join(own)}", "改写 --list")
        own = found
    if not column:
        return Meant(own)
    named = {key: dataset for key, dataset in own.items() if _has(dataset, column)}
    if not named:
        shown = "、".join(dict.fromkeys(spec.title for d in own.values() for spec in d.fields.values()))
        raise _unknown("名册中没有这一列", f"有：{shown}", "改写 --column，或用 --list 写明名册")
    return Meant(named, column)


def list_places(
    state: Path, one: Whom, links: Links, datasets: Mapping[str, Dataset], about: Meant
) -> tuple[ListPlace, ...]:
    """His own rows, or where he has none those that name him; of each list and county the newest kept file. A list in which he does
    not stand is a place without a row, if it is the only one that is meant. Raises as `kept_files`."""
    found = [
        place
        for kept in _newest(kept_files(state, datasets))
        if kept.dataset.dataset in about.datasets
        for place in _rows(kept, one, links, about.column)
    ]
    if found or len(about.datasets) > 1:
        return tuple(sorted(set(found)))
    (key,) = about.datasets
    return (ListPlace(key, one.somebody.county, column=about.column),)


def _newest(files: Iterator[Kept]) -> list[Kept]:
    counted = [kept for kept in files if not kept.replaced]
    last = {(kept.dataset.dataset, kept.county): kept.day for kept in sorted(counted, key=lambda k: k.day)}
    return [kept for kept in counted if last[kept.dataset.dataset, kept.county] == kept.day]


def _rows(kept: Kept, one: Whom, links: Links, column: str) -> Iterator[ListPlace]:
    where = stands(kept, one, links)
    if not where.anywhere:
        return
    mask = where.own if where.own.any() else where.guardian | where.head
    county = kept.county or one.somebody.county
    for file, sheet, row in pl.read_parquet(kept.path, columns=list(PLACE)).filter(mask).iter_rows():
        yield ListPlace(kept.dataset.dataset, county, hidden(file), hidden(sheet or ""), row, column)


def _has(dataset: Dataset, column: str) -> bool:
    return any(column == spec.title or column in spec.headers for spec in dataset.fields.values())


def _unknown(what: str, why: str, cure: str) -> Exception:
    return refused("E883", what, why, cure)
