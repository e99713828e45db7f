"""Nights made by hand: a few people, and what is said of each subject, without any list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pipeline.cases.people import Somebody
from pipeline.cases.tonight import Flag, Tonight

BENEFITS, FINDING = ("living_subsidy", "nursing_subsidy"), "subsidy_twice"
SUBJECTS = (*BENEFITS, FINDING)
NOT_DUE = "receiving_not_due"
COUNTIES = {"539901": "香格里拉市", "539902": "德钦县"}


@dataclass
class Made:
    """One person: who he is on the register now, and what would be said of each subject if every list were there."""

    id_number: str
    certificate_number: str
    name: str
    county: str = "539901"
    birth_date: date | None = date(1965, 3, 17)
    there: bool = True  # on the register
    said: dict[str, str] = field(
        default_factory=dict
    )  # subject -> outcome; absent: nothing is due, nothing found
    facts: str = "a"


def tonight(
    as_of: date,
    people: list[Made],
    *,
    missing: frozenset[str] = frozenset(),
    register: bool = True,
    rules: tuple[str, ...] = SUBJECTS,
) -> Tonight:
    """What a night says. `missing`: subjects that cannot be judged for want of a list. Without the register nobody is gone."""
    there = {row: one for row, one in enumerate(people, 1) if one.there}
    flags: dict[tuple[int, str], Flag] = {}
    unsettled: dict[tuple[int, str], str] = {}
    for row, one in there.items():
        for subject in rules:
            said = one.said.get(subject, "")
            if subject in missing:
                if subject in BENEFITS and said != NOT_DUE:  # that nothing is due is certain without the list
                    unsettled[row, subject] = "undetermined"
            elif said in ("receiving", "undetermined"):
                unsettled[row, subject] = said
            elif said:
                flags[row, subject] = Flag(said, one.facts)

    def still_open(asked: list[tuple[int, str, str]]) -> set[tuple[int, str]]:
        unknown = [one for one in asked if one[1] == FINDING or one[2] == NOT_DUE]
        return {(row, subject) for row, subject, _ in unknown if subject in missing}

    counted: Mapping[str, int] = {code: 1000 for code in COUNTIES}
    somebodies = {
        row: Somebody(row, one.certificate_number, one.id_number, one.name, one.county, one.birth_date)
        for row, one in there.items()
    }
    return Tonight(
        as_of, somebodies, flags, unsettled, COUNTIES, frozenset(rules), still_open,
        lambda county, subject: not register, counted,
    )  # fmt: skip
