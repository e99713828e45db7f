"""What was accepted of every list before: what intake needs of the past, and what a night adds to it.

Intake judges by it (`intake/history_gate.py`), the ledger keeps it (`cases/list_history.py`). Nothing here names a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from pipeline.contracts.problem import Problem, ReconcileError

ListKey = tuple[str, str]  # dataset, county of the delivery ("" for a prefecture-wide list)
WHOLE = ""  # the part of a delivery that is all of it; any other part is a county's code


@dataclass(frozen=True)
class AcceptedList:
    """A file as it was accepted. `held`: counties of a prefecture-wide list for which it was not, and why in words.

    `snapshot_date` is the date under which the same bytes first came. `damaged`: rows without a sound number;
    `vanished`: people of the file before it who were not on it any more, per mille (-1: there was none to compare).
    """

    dataset: str
    county: str
    snapshot_date: date
    sha256: str
    rows: int
    rows_by_county: Mapping[str, int]
    damaged: int
    vanished: int = -1
    held: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> ListKey:
        return self.dataset, self.county


@dataclass(frozen=True)
class HeldList:
    """A file that was not accepted. `status` is `quarantined` or `stale`; only where the history was the reason, or the
    age, can it be accepted by hand (`by_history`)."""

    dataset: str
    county: str
    snapshot_date: date
    sha256: str
    status: str
    why: str
    by_history: bool

    @property
    def key(self) -> ListKey:
        return self.dataset, self.county


@dataclass(frozen=True)
class AcceptedByHand:
    """Somebody looked at a file and took it: for all of the delivery (`part` "") or one county of it, since `on`."""

    dataset: str
    county: str
    part: str
    sha256: str
    on: date


@dataclass(frozen=True)
class ListHistory:
    """`accepted`: of every list what was accepted before the night, oldest first."""

    accepted: Mapping[ListKey, tuple[AcceptedList, ...]] = field(default_factory=dict)
    by_hand: tuple[AcceptedByHand, ...] = ()

    def last(self, key: ListKey, part: str = WHOLE) -> AcceptedList | None:
        """The newest file accepted for this part of the list: for a county the newest that was not held for it."""
        fit = (one for one in reversed(self.accepted.get(key, ())) if part not in one.held)
        return next(fit, None)

    def first_seen(self, key: ListKey, sha256: str) -> AcceptedList | None:
        """The newest accepted file with just these bytes."""
        same = (one for one in reversed(self.accepted.get(key, ())) if one.sha256 == sha256)
        return next(same, None)

    def taken_by_hand(self, key: ListKey, sha256: str, part: str = WHOLE) -> AcceptedByHand | None:
        """The newest acceptance by hand of these bytes for the part or for all of the delivery."""
        fit = [
            one
            for one in self.by_hand
            if (one.dataset, one.county, one.sha256) == (*key, sha256) and one.part in (WHOLE, part)
        ]
        return max(fit, key=lambda one: one.on, default=None)

    def without(self, expired: Mapping[tuple[ListKey, str], frozenset[str]]) -> ListHistory:
        """The history as if some files (list, sha256) had not been accepted for some parts of the delivery."""
        left: dict[ListKey, tuple[AcceptedList, ...]] = {}
        for key, files in self.accepted.items():
            kept = [(one, expired.get((key, one.sha256), frozenset())) for one in files]
            left[key] = tuple(
                replace(one, held={**one.held, **dict.fromkeys(parts, "人工采用已到期")}) if parts else one
                for one, parts in kept
                if WHOLE not in parts
            )
        return replace(self, accepted=left)


class RegisterHeld(ReconcileError):
    """E210 for a register that the history refuses; `held` tells which, so that it can be accepted by hand."""

    def __init__(self, problem: Problem, others: tuple[Problem, ...], held: HeldList) -> None:
        super().__init__(problem, others=others)
        self.held = held
