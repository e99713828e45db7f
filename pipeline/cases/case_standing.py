"""How a case stands with a county: what that county was sent and answered. A person who moves takes the case to another
county, which was never asked: there it begins anew, and what the old county knows is kept apart.

The county of a sending is the one whose letter brought it: a letter that waited may reach the old county after the move.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.identity import region

# delivery.compose.letter_id: the occasion, the county, a hash of the address
_OF_LETTER = re.compile(r"[a-z0-9]+-([0-9]{6})-[0-9a-f]{10}")


@dataclass(frozen=True)
class Standing:
    """With a county that the case has left, or that heard of it only afterwards. `left_on`: since when it is none of its cases."""

    county: str
    left_on: date
    state: str = "open"
    times_sent: int = 0
    first_sent: date | None = None
    last_sent: date | None = None
    due_on: date | None = None
    answer: Mapping[str, Any] | None = None
    answered_on: date | None = None
    last_answer: Mapping[str, Any] | None = None
    sent_when_answered: int = 0

    @property
    def waits(self) -> bool:
        """It was asked and goes on looking: somebody must tell it that it need not."""
        if self.last_sent is None or self.left_on < self.last_sent:
            return False
        return self.answered_on is None or self.answered_on < self.last_sent


def same_county(one: str, other: str) -> bool:
    """Also under the code that it has had since it became a city."""
    return one == other or region.successor(one) == region.successor(other)


def county_of_letter(letter_id: str) -> str:
    """Whose letter brought a case, "" where it was no letter to a county."""
    found = _OF_LETTER.fullmatch(letter_id)
    return found[1] if found else ""
