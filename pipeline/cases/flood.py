"""A flood of new cases: more than a county ever had, for which a changed list or rule is likelier than as many families.

A state's first night is no flood: everything is new then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from pipeline.cases.case_state import Book, Case

FEWEST, TIMES, SHARE = 50, 3, 0.02  # new cases: at least, times the median of the nights, of the register
UNKNOWN = 0.2  # of the register, on the second night: an ordinary month brings a few in a hundred


@dataclass(frozen=True)
class Flood:
    """`what` is a county's code, or `rule:` and a subject; `usual` the median of its former nights."""

    what: str
    new: int
    usual: int


def counts_of(new: Iterable[Case]) -> dict[str, int]:
    """New cases by county and by subject."""
    cases = list(new)
    return dict(Counter([c.county for c in cases] + [f"rule:{c.subject}" for c in cases]))


def is_in(what: str, case: Case) -> bool:
    return what in (case.county, f"rule:{case.subject}")


def floods(book: Book, counts: Mapping[str, int], register: Mapping[str, int]) -> list[Flood]:
    """What is held tonight. `register`: people by county. Nights before the first are none, so the first is never held."""
    if not book.nights:
        return []
    found = []
    for what, new in sorted(counts.items()):
        # the first night finds everybody who was ever missed: it says nothing of what is usual
        usual = [night["new"].get(what, 0) for _, night in sorted(book.nights.items())][1:]
        people = sum(register.values()) if what.startswith("rule:") else register.get(what, 0)
        typical = int(median(usual)) if usual else 0
        if new > max(FEWEST, TIMES * typical) and new > (SHARE if usual else UNKNOWN) * people:
            found.append(Flood(what, new, typical))
    return found
