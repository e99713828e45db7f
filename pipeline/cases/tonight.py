"""What a night says of people and subjects, as far as cases depend on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from pipeline.cases.people import Somebody


@dataclass(frozen=True)
class Flag:
    """Something to tell a county: `kind` is the outcome (or `found`), `facts` a mark of what it rests on."""

    kind: str
    facts: str


@dataclass(frozen=True)
class Tonight:
    """`people` by row. `flags`: what is told of (row, subject). `unsettled`: (row, subject) → `receiving` or `undetermined`
    of benefits. `counties`: code → name. `subjects`: benefits and findings that are judged at the date. `still_open`: which
    of these (row, subject, kind), found before and not flagged tonight, cannot be judged tonight (a list is missing).
    `absent_open(county, subject)`: the same of somebody who is not there tonight. `register`: people by county.
    """

    as_of: date
    people: Mapping[int, Somebody]
    flags: Mapping[tuple[int, str], Flag]
    unsettled: Mapping[tuple[int, str], str]
    counties: Mapping[str, str]
    subjects: frozenset[str]
    still_open: Callable[[list[tuple[int, str, str]]], set[tuple[int, str]]]
    absent_open: Callable[[str, str], bool]
    register: Mapping[str, int]
