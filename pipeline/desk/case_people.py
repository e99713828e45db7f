"""Who the people of the ledger are: the ledger itself names nobody, the kept night does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.cases.case_state import Book
from pipeline.cases.people import Somebody, recognise
from pipeline.cases.person_key import PersonKey
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.entitlement.kept_night import kept_night
from pipeline.identity.mask import mask_text, mask_value


@dataclass(frozen=True)
class Named:
    """A person as the kept night has him; "" where nothing is known."""

    name: str = ""
    id_number: str = ""
    certificate_number: str = ""
    address: str = ""

    @property
    def masked_id(self) -> str:
        return mask_value(self.id_number) if self.id_number else ""

    @property
    def masked_name(self) -> str:
        """The first character only: 和**."""
        name = mask_text(self.name)
        return name[:1] + "*" * (len(name) - 1)


def named_people(book: Book, key: PersonKey, state: Path) -> Mapping[int, Named]:
    """The ledger's person → who it is, for everybody of whom the kept night (`STATE/night`) knows.

    Raises ReconcileError E550 where no night is kept, E553 where it is damaged.
    """
    kept = _people(kept_night(state).folder)
    tonight = [
        Somebody(row, certificate or "", number or "", name or "", county or "", born)
        for row, certificate, number, name, county, born in kept.select(
            "person", "certificate_number", "id_number", "name", "county_code", "birth_date"
        ).iter_rows()
    ]
    rows = recognise(book.people, tonight, key)
    addresses: dict[int, str | None] = dict(kept.select("person", "address").iter_rows())
    by_row = {one.row: one for one in tonight}
    return {
        person: Named(
            by_row[row].name, by_row[row].id_number, by_row[row].certificate_number, addresses[row] or ""
        )
        for row, person in rows.items()
    }


def _people(night: Path) -> pl.DataFrame:
    """Whom the night judged. A night kept by an older version has no addresses and birth dates."""
    try:
        people = pl.read_parquet(night / "people.parquet")
        judged = pl.read_parquet(night / "facts.parquet", columns=["person"])
    except (OSError, pl.exceptions.PolarsError):
        why, cure = (
            "文件缺损，或新的一次比对正在替换它",
            "等比对结束后再运行一次；仍不行就重新运行 `reconcile run`",
        )
        raise ReconcileError(
            Problem("E553", "error", "上次比对的事实读不出来", why, cure, file=night.name)
        ) from None
    absent = {"address": pl.String, "birth_date": pl.Date}
    filled = [pl.lit(None, dtype=kind).alias(name) for name, kind in absent.items() if name not in people]
    return people.join(judged, on="person", how="semi").with_columns(filled)
