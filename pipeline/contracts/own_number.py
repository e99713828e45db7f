"""Which rows of a list surely say whose they are: their own number is sound, and nothing in the row denies it.

Nearly every row is settled so. A snapshot keeps the others in files of their own, so that matching looks for people
behind damaged numbers in those few and reads the many only once.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.contracts.dataset import Dataset

SETTLED = (
    "settled"  # files of a snapshot named settled-*.parquet hold settled rows only; others promise nothing
)


@dataclass(frozen=True)
class RowPerson:
    """Which fields of a list name the row's own person; a house list's own person is its head."""

    name: str | None
    id: str | None
    certificate: str | None
    birth_date: str | None
    sex: str | None

    @staticmethod
    def of(dataset: Dataset) -> RowPerson:
        roles = dataset.person
        if roles.id is None and roles.certificate is None and dataset.household is not None:
            return RowPerson(dataset.household.head_name, dataset.household.head_id, None, None, None)
        return RowPerson(roles.name, roles.id, roles.certificate, roles.birth_date, roles.sex)


def settled(dataset: Dataset) -> pl.Expr:
    """Whether a row of the snapshot is settled (never null).

    Not settled: no sound number; one that ends in 000 (one in eleven that Excel cut is sound by chance); a certificate
    that does not hold the same number; another birth date; the head's number on a member. Of the sex a list says
    nothing here: whose sex contradicts his number is seen when the number is looked up.
    """
    who, house = RowPerson.of(dataset), dataset.household
    number = pl.col(who.id) if who.id else pl.col(f"{who.certificate}_id")
    agreed = [number.is_not_null(), ~number.str.ends_with("000")]
    if who.id and who.certificate:
        agreed.append((pl.col(f"{who.certificate}_id") == number) | pl.col(who.certificate).is_null())
    if who.birth_date:
        agreed.append(
            (number.str.slice(6, 8) == pl.col(who.birth_date).dt.strftime("%Y%m%d"))
            | pl.col(who.birth_date).is_null()
        )
    if who.id and house and house.head_id and house.relation:
        member = pl.col(house.relation).fill_null("") != "户主"
        agreed.append(~(member & (pl.col(house.head_id) == number)).fill_null(False))
    return pl.all_horizontal([condition.fill_null(False) for condition in agreed])
