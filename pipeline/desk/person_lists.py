"""A person's rows of the departments' lists, as they are kept, for the person to read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.own_number import RowPerson
from pipeline.desk.person_asked import Whom
from pipeline.desk.person_rows import Kept, Links, kept_files, stands
from pipeline.desk.person_section import Section, own_name, own_number, own_words, until, words

OWN, GUARDIAN, HEAD = "本人", "他人记录中的监护人", "他人记录中的户主"
_HEAD = ("名单日期", "报送县", "文件", "工作表", "行", "身份")


def list_sections(
    state: Path, datasets: Mapping[str, Dataset], one: Whom, links: Links, days: int
) -> list[Section]:
    """A section a list in which he stands. `days`: [retention] snapshots. Raises OSError, polars errors (damaged store)."""
    found: dict[str, list[tuple[str, ...]]] = {}
    last: dict[str, str] = {}
    for kept in kept_files(state, datasets):
        rows = list(_rows(kept, one, links))
        if rows:
            key = kept.dataset.dataset
            found.setdefault(key, []).extend(rows)
            last[key] = until(kept.day, days)
    return [
        Section(
            datasets[key].title,
            f"state/store/{key}",
            f"各份名单保存{days}天（最近一份到 {last[key]}）；最后采用的一份留到有新的为止"
            if days
            else last[key],
            (*_HEAD, *(_title(datasets[key], name) for name in datasets[key].fields)),
            tuple(rows),
        )
        for key, rows in found.items()
    ]


def _title(dataset: Dataset, name: str) -> str:
    return dataset.fields[name].title


def _rows(kept: Kept, one: Whom, links: Links) -> Iterable[tuple[str, ...]]:
    where = stands(kept, one, links)
    if not where.anywhere:
        return
    frame = pl.read_parquet(kept.path)
    roles = kept.dataset.person
    house = kept.dataset.household
    told = {
        OWN: (where.own, None),
        GUARDIAN: (where.guardian, {roles.guardian_name, roles.guardian_id}),
        HEAD: (where.head, {house.head_name, house.head_id} if house else set()),
    }
    for role, (mask, only) in told.items():
        for row in frame.filter(mask).iter_rows(named=True):
            place = (
                str(kept.day),
                kept.county,
                *(words(row.get(n)) for n in ("source_file", "sheet", "source_row")),
            )
            cells = [
                _cell(kept.dataset, name, row, one, role) if only is None or name in only else ""
                for name in kept.dataset.fields
            ]
            yield (*place, role, *cells)


def _cell(dataset: Dataset, name: str, row: Mapping[str, Any], one: Whom, role: str) -> str:
    spec, who = dataset.fields[name], RowPerson.of(dataset)
    value = row.get(name)
    if spec.type == "name":
        if name == who.name and role == OWN:
            return words(value)
        if role != OWN:  # the guardian or head is he himself
            return words(value)
        return own_name(value, one)
    if spec.type in ("id", "certificate"):
        typed = row.get(f"{name}_typed")
        if value is not None:
            return own_number(value, one)
        # what was typed wrongly in his own row is his; in another's column it is another's
        return words(typed) if name in (who.id, who.certificate) else own_number(typed, one)
    # a division's code of twelve digits is a place, and nobody's number
    if spec.type == "region" or name in (dataset.person.phone, dataset.person.account):
        return words(value)
    return own_words(value, one)
