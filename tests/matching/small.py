"""A night's matching from literal rows, without files: what the exact and the fuzzy links make of them.

Rows are what a delivered row says: identifiers as they were typed (they go through the identity stage as in intake),
everything else in the schema's own values. Only the lists that are given exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipeline.contracts.columns import PLACE, field_columns, snapshot_columns
from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.contracts.own_number import settled
from pipeline.identity import id_number
from pipeline.intake.fields import identifier
from pipeline.matching import (
    Matcher,
    connect,
    finish_links,
    link_exactly,
    link_families,
    link_fuzzily,
    load_people,
    open_lists,
)
from pipeline.matching.families import is_house_list, is_roster
from pipeline.matching.store import keep

DATASETS = load_datasets(Path(__file__).parents[2] / "schemas")
REGISTER = "federation/register"
COUNTY = "539901"
INSURED, DIBAO, PUPILS = "medical_insurance/insured", "civil_affairs/dibao", "education/enrolment"
PAYMENTS, SUBSIDIES = "finance/payments", "civil_affairs/two_subsidies"
HOUSES, MARGIN = "housing/dangerous_housing", "civil_affairs/dibao_margin"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_POLARS = {"VARCHAR": pl.String, "BIGINT": pl.Int64, "DATE": pl.Date}

Row = Mapping[str, Any]


def number(birth: str, sequence: int, region: str = COUNTY) -> str:
    """A sound identity number in the unassigned region; the sequence's parity is the sex (odd: male)."""
    body = f"{region}{birth}{sequence:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


def born(id_: str) -> date:
    return date(int(id_[6:10]), int(id_[10:12]), int(id_[12:14]))


def wrong(text: str, at: int, by: int = 1) -> str:
    """The text with the digit at a place (from 0) raised by so much."""
    return text[:at] + str((int(text[at]) + by) % 10) + text[at + 1 :]


def sex(id_: str) -> str:
    return "男" if int(id_[16]) % 2 else "女"


def holder(name: str, id_: str, **other: object) -> dict[str, Any]:
    """A register row; its certificate number is the ID, category 4 and level 1. `other` replaces single columns."""
    row = {
        **{"name": name, "id": id_, "cert": f"{id_}41", "sex": sex(id_), "dob": born(id_)},
        **{"cat": "肢体", "level": 1, "area": f"{COUNTY}101201", "addr": "示例州示例市某乡某村"},
        **{"until": date(2030, 1, 1), "state": "正常"},
    }
    return {**row, **other}


# --- rows of the lists that most tests need; `other` replaces or adds single columns ------------------------------


def insured(name: str, id_: str, **other: object) -> dict[str, Any]:
    """The prefecture's list of the insured: one row a person, kind of insurance, year and state."""
    row = {"name": name, "id": id_, "kind": "居民", "state": "正常参保", "year": 2026, "area": COUNTY}
    return {**row, **other}


def dibao(name: str, id_: str, **other: object) -> dict[str, Any]:
    """A county's list: no birth date, but the family and its head."""
    return {"fam": "F1", "name": name, "id": id_, "rel": "其他", "state": "在保", **other}


def pupil(name: str, id_: str, **other: object) -> dict[str, Any]:
    """A county's list of pupils: birth date, sex and guardian."""
    return {"name": name, "id": id_, "stage": "小学", "state": "在读", "aid": "否", **other}


def payment(name: str, id_: str, bank: str, **other: object) -> dict[str, Any]:
    """The prefecture's payments: any number of rows a person, known by the account."""
    row = {
        "item": "护理补贴",
        "name": name,
        "id": id_,
        "bank": bank,
        "month": date(2026, 10, 1),
        "state": "成功",
    }
    return {**row, **other}


def subsidy(name: str, id_: str, **other: object) -> dict[str, Any]:
    """The two subsidies: certificate number, category, level and account."""
    return {"name": name, "id": id_, "kind": "护理补贴", "state": "正常", **other}


def house(head: str, id_: str, **other: object) -> dict[str, Any]:
    """A county's dangerous houses, each known by its head only."""
    return {"hname": head, "hid": id_, "grade": "D", "state": "已竣工", **other}


@dataclass(frozen=True)
class Night:
    """What came out. Register people are named by their certificate numbers, rows by their numbers in the list."""

    con: duckdb.DuckDBPyConnection

    @cached_property
    def links(self) -> pl.DataFrame:
        return self._sorted("links")

    @cached_property
    def pairs(self) -> pl.DataFrame:
        return self._frame(
            "select * from pairs order by dataset, source_file, source_row, certificate_number"
        )

    @cached_property
    def unlinked(self) -> pl.DataFrame:
        return self._sorted("unlinked")

    @cached_property
    def families(self) -> pl.DataFrame:
        return self._sorted("family_links")

    @cached_property
    def blocks(self) -> pl.DataFrame:
        return self._frame("select * from blocks order by dataset, kind")

    def _sorted(self, table: str) -> pl.DataFrame:
        query = f"select t.*, p.certificate_number from {table} as t join people as p on p.person = t.person"
        return self._frame(f"{query} order by all")

    def _frame(self, query: str) -> pl.DataFrame:
        found: pl.DataFrame = self.con.sql(query).pl()
        return found

    def linked(self, key: str) -> dict[int, tuple[str, str]]:
        """Row → (certificate number, method) of the linked rows of a list."""
        mine = self.links.filter(pl.col("dataset") == key, pl.col("decision") == "linked")
        found = mine.select("source_row", "certificate_number", "method").rows()
        assert len({row for row, *_ in found}) == len(found), "a row is linked twice"
        return {row: (certificate, method) for row, certificate, method in found}

    def people_of(self, key: str) -> dict[int, str]:
        """Row → certificate number of the linked rows of a list."""
        return {row: certificate for row, (certificate, _) in self.linked(key).items()}

    def review(self, key: str) -> dict[int, set[str]]:
        """Row → the certificate numbers of those for whom a clerk must look at the row."""
        mine = self.pairs.filter(pl.col("dataset") == key, pl.col("decision") == "review")
        found: dict[int, set[str]] = {}
        for row, certificate in mine.select("source_row", "certificate_number").iter_rows():
            found.setdefault(row, set()).add(certificate)
        return found

    def pair(self, key: str, row: int, certificate: str) -> dict[str, Any]:
        """The told pair of a row and a person; fails where there is none."""
        place = (pl.col("dataset") == key, pl.col("source_row") == row)
        return self.pairs.filter(*place, pl.col("certificate_number") == certificate).row(0, named=True)


def match(
    register: Sequence[Row],
    lists: Mapping[str, Sequence[Row]],
    matcher: Matcher | None = None,
    *,
    threads: int = 1,
) -> Night:
    """Links of the rows of some lists (`department/dataset`) to the register's people. A row may say its own
    `source_file` and `source_row`; else it stands in one file, from row 2 on."""
    datasets = {REGISTER: DATASETS[REGISTER], **{key: DATASETS[key] for key in lists}}
    con = fill(datasets, {REGISTER: register, **lists}, threads)
    how = matcher or Matcher()
    link_exactly(con, datasets)
    link_fuzzily(con, datasets, how, successor)
    finish_links(con, datasets)
    if any(map(is_house_list, datasets.values())) and any(map(is_roster, datasets.values())):
        link_families(con, datasets, how, successor)
    return Night(con)


def successor(code: str) -> str:
    """No county of these tests was abolished."""
    return code


def fill(
    datasets: Mapping[str, Dataset], rows: Mapping[str, Sequence[Row]], threads: int = 1
) -> duckdb.DuckDBPyConnection:
    """A database with every list of `datasets`, its people and their keys: all that linking starts from."""
    con = connect(1.0, threads, "")
    open_lists(con, {}, ())
    files: set[tuple[str, str, str, str | None]] = set()
    for key, dataset in datasets.items():
        frame = as_snapshot(dataset, rows.get(key, ()))
        keep(con, f"list_{dataset.table}", frame)
        keep(con, f"unsure_{dataset.table}", frame.filter(~settled(dataset)))
        county = COUNTY if dataset.delivery.by == "county" else None
        files |= {(key, dataset.title, file, county) for file in frame["source_file"].unique()}
    columns = dict.fromkeys(("dataset", "title", "source_file", "county"), pl.String)
    keep(con, "list_files", pl.DataFrame(sorted(files), schema=columns, orient="row"))
    load_people(con, datasets[REGISTER], successor)
    return con


def as_snapshot(dataset: Dataset, rows: Sequence[Row]) -> pl.DataFrame:
    """The rows in the columns of the dataset's snapshot."""
    known = {*dataset.fields, *PLACE}
    strange = {name for row in rows for name in row} - known
    assert not strange, f"{dataset.dataset} has no field {sorted(strange)}"
    placed = [
        {"source_file": f"{dataset.dataset}/名单.csv", "sheet": "", "source_row": at, **row}
        for at, row in enumerate(rows, 2)
    ]
    columns: dict[str, pl.Series] = {name: _cells(placed, name, kind) for name, kind in PLACE.items()}
    for name, spec in dataset.fields.items():
        if spec.type in ("id", "certificate"):
            cells = _cells(placed, name, "VARCHAR")
            columns |= identifier(name, spec, cells.fill_null(""), id_number.normalise(cells))
        else:
            columns[name] = _cells(placed, name, field_columns(name, spec)[name])
    return pl.DataFrame(columns).select(list(snapshot_columns(dataset)))


def _cells(rows: Sequence[Row], name: str, kind: str) -> pl.Series:
    return pl.Series(name, [row.get(name) for row in rows], dtype=_POLARS[kind])
