"""What is read in a row of a list: who its own person is, and what it says of him, under one name in every list."""

from __future__ import annotations

import re

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.own_number import RowPerson


def carried_fields(dataset: Dataset) -> list[str]:
    """Fields that travel with the linked rows: what the facts are made of, the family, and what the fuzzy stage learns
    of a person (account, house head) or counts rows by (`unique_by`)."""
    text = " ".join([dataset.live, *(fact.of for fact in dataset.facts.values())])
    words = {*re.findall(r"[A-Za-z_]+", text), *(dataset.unique_by or ()), dataset.person.account}
    if dataset.household:
        words |= {dataset.household.family, dataset.household.head_id}
    return [name for name in dataset.fields if name in words]


# What a row says of its person, under one name in every list; what a list does not hold is null.
FEATURES: dict[str, str] = {
    "r_name": "varchar",
    "r_number": "varchar",  # the sound number, though it may be another person's
    "r_typed": "varchar",  # the damaged identity number as it was typed
    "r_problem": "varchar",  # of the identity number (id_number.PROBLEMS)
    "r_typed_certificate": "varchar",
    "r_birth_date": "date",
    "r_sex": "varchar",
    "r_area": "varchar",
    "r_address": "varchar",
    "r_account": "varchar",
    "r_phone": "varchar",
    "r_guardian_name": "varchar",
    "r_guardian_id": "varchar",
    "r_head_name": "varchar",
    "r_head_id": "varchar",
    "r_category": "varchar",
    "r_level": "varchar",
}


def features_sql(dataset: Dataset) -> dict[str, str]:
    """SQL over the list (alias l) for every one of FEATURES."""
    roles, who, house = dataset.person, RowPerson.of(dataset), dataset.household
    relation = house.relation if house else None
    head = (
        house if house and (who.id != house.head_id) else None
    )  # a house list's head is its person, not a relative
    own_head = f"case when l.{relation} = '户主' then null else {{}} end" if relation else "{}"

    def column(name: str | None, kind: str = "varchar") -> str:
        return f"cast(l.{name} as {kind})" if name else f"cast(null as {kind})"

    return {
        "r_name": column(who.name),
        "r_number": number_sql(dataset),
        "r_typed": column(f"{who.id}_typed" if who.id else None),
        "r_problem": column(f"{who.id}_problem" if who.id else None),
        "r_typed_certificate": _typed_certificate(who),
        "r_birth_date": column(who.birth_date, "date"),
        "r_sex": column(who.sex),
        "r_area": column(roles.area),
        "r_address": column(roles.address),
        "r_account": column(roles.account),
        "r_phone": column(roles.phone),
        "r_guardian_name": column(roles.guardian_name),
        "r_guardian_id": column(roles.guardian_id),
        "r_head_name": own_head.format(column(head.head_name if head else None)),
        "r_head_id": own_head.format(column(head.head_id if head else None)),
        "r_category": column(roles.category),
        "r_level": column(roles.level),
    }


def number_sql(dataset: Dataset) -> str:
    """The sound number of a row (alias l): the ID column's, else the one inside its certificate number."""
    who = RowPerson.of(dataset)
    numbers = [f"l.{who.id}"] if who.id else []
    numbers += [f"l.{who.certificate}_id"] if who.certificate else []
    return f"coalesce({', '.join(numbers)})" if len(numbers) > 1 else numbers[0]


def _typed_certificate(who: RowPerson) -> str:
    """A certificate number that names nobody: as typed, or of the right shape around a damaged ID."""
    parts = []
    if who.certificate:
        parts += [
            f"l.{who.certificate}_typed",
            f"case when l.{who.certificate}_id is null then l.{who.certificate} end",
        ]
    if who.id:
        parts.append(f"case when l.{who.id} is null then l.{who.id}_certificate end")
    return f"coalesce({', '.join([*parts, 'null'])})"
