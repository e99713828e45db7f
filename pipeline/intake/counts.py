"""What is counted while a file is read: by block, then added up; the gate judges by it, the quality page shows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.contracts.delivered import KEPT_PLACES, Place
from pipeline.contracts.problem import Problem
from pipeline.intake.header_problems import UnknownColumn
from pipeline.intake.unreadable import Number

KEPT_PROBLEMS = 100  # a file's rows named one by one (of each severity); the others are only counted
_KEPT_SPELLINGS = 2000


@dataclass(frozen=True)
class FieldCounts:
    """One field over the counted rows. `alike` counts cells that look like an ID number among those `looked` at.

    `names`: those of `kinds` that also stand in a name column, so may be somebody's name. `places`: of FieldQuality.
    """

    blank: int = 0
    damaged: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    alike: int = 0
    looked: int = 0
    names: frozenset[str] = frozenset()
    places: dict[str, tuple[Place, ...]] = field(default_factory=dict)

    def __add__(self, other: FieldCounts) -> FieldCounts:
        kinds = self.kinds + other.kinds
        if len(kinds) > _KEPT_SPELLINGS:  # the most frequent; of two as frequent the first in order
            kinds = Counter(dict(sorted(kinds.items(), key=lambda kv: (-kv[1], kv[0]))[:_KEPT_SPELLINGS]))
        return FieldCounts(
            self.blank + other.blank,
            self.damaged + other.damaged,
            kinds,
            self.alike + other.alike,
            self.looked + other.looked,
            self.names | other.names,
            _first_places(self.places, other.places),
        )


@dataclass(frozen=True)
class Counts:
    """A file, or a part of it. `rows` are kept, `broken` quarantined; `usable` have a usable identifier."""

    rows: int = 0
    broken: int = 0
    garbled: int = 0  # text spoilt by a wrong encoding before it reached us: rows dropped, and rows mended
    mended: int = 0  # of the rows: kept without their garbled cells
    outside: int = 0  # of the broken: a register row in no known county
    usable: int = 0
    totals: tuple[int, ...] = ()  # what total rows state
    fields: dict[str, FieldCounts] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()  # rows quarantined (errors) or mended (warnings), one by one
    unreadable: tuple[Number, ...] = ()  # ID numbers found in the broken rows
    ends: Counter[int] = field(default_factory=Counter)  # lengths of the last column's cells
    end_seen: int = 0  # cells of the last column that equal the file's last cell
    short_seen: int = 0  # people's records as short as the file's last one

    @property
    def delivered(self) -> int:
        """Rows of people in the file, whether kept or not."""
        return self.rows + self.broken

    def __add__(self, other: Counts) -> Counts:
        names = [*self.fields, *(name for name in other.fields if name not in self.fields)]
        none = FieldCounts()
        return Counts(
            rows=self.rows + other.rows,
            broken=self.broken + other.broken,
            garbled=self.garbled + other.garbled,
            mended=self.mended + other.mended,
            outside=self.outside + other.outside,
            usable=self.usable + other.usable,
            totals=self.totals + other.totals,
            fields={n: self.fields.get(n, none) + other.fields.get(n, none) for n in names},
            problems=_first_of_each(self.problems + other.problems),
            unreadable=self.unreadable + other.unreadable,
            ends=self.ends + other.ends,
            end_seen=self.end_seen + other.end_seen,
            short_seen=self.short_seen + other.short_seen,
        )

    def unnamed(self, severity: str) -> int:
        """How many rows quarantined (`error`) or mended (`warning`) are only counted."""
        return (self.broken if severity == "error" else self.mended) - sum(
            p.severity == severity for p in self.problems
        )


def _first_of_each(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """The first KEPT_PROBLEMS of every severity, in order."""
    if len(problems) <= KEPT_PROBLEMS:
        return problems
    seen: Counter[str] = Counter()
    kept = []
    for problem in problems:
        seen[problem.severity] += 1
        if seen[problem.severity] <= KEPT_PROBLEMS:
            kept.append(problem)
    return tuple(kept)


def _first_places(
    one: dict[str, tuple[Place, ...]], other: dict[str, tuple[Place, ...]]
) -> dict[str, tuple[Place, ...]]:
    """The first KEPT_PLACES of every reason; `one` stands before `other` in the file."""
    if not one or not other:
        return one or other
    reasons = dict.fromkeys((*one, *other))
    return {reason: (*one.get(reason, ()), *other.get(reason, ()))[:KEPT_PLACES] for reason in reasons}


@dataclass(frozen=True)
class Delivery:
    """A file read: its normalised parts on disk (not yet in the store), counts by sheet (one for a text file),
    header texts by field, the columns that no field knows, and other notes."""

    parts: tuple[Path, ...]
    counts: tuple[Counts, ...]
    headers: dict[str, str]
    ignored: tuple[UnknownColumn, ...] = ()
    notes: tuple[Problem, ...] = ()

    @property
    def total(self) -> Counts:
        """The counts of all sheets together."""
        return sum(self.counts, Counts())
