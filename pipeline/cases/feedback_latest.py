"""Which of several answers to one case counts: the later one, where it is certain which that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.cases.event import JSON
from pipeline.cases.feedback_file import Answer
from pipeline.intake.find import snapshot_date


@dataclass(frozen=True)
class Dated:
    """An answer with what tells its time: the day of checking it names, and the date in its file's name."""

    answer: Answer
    dated: date | None

    def is_after(self, other: Dated) -> bool:
        """Certainly later; False also where nobody can tell."""
        return _after((self.answer.said.checked_on, self.dated), (other.answer.said.checked_on, other.dated))

    def is_before(self, body: Mapping[str, JSON]) -> bool:
        """Certainly earlier than an answer in the ledger."""
        checked_on, source = body.get("checked_on"), body.get("source")
        known = (
            date.fromisoformat(checked_on) if isinstance(checked_on, str) else None,
            snapshot_date(source.rpartition("/")[2]) if isinstance(source, str) else None,
        )
        return _after(known, (self.answer.said.checked_on, self.dated))


def latest(answers: Sequence[Dated]) -> Dated | None:
    """The first of those that say the same, if all do; else the one later than all that say otherwise; None if there is none."""
    if len({one.answer.said for one in answers}) == 1:
        return answers[0]
    return next((one for one in answers if _beats_all(one, answers)), None)


def _beats_all(one: Dated, answers: Sequence[Dated]) -> bool:
    return all(one.is_after(other) for other in answers if other.answer.said != one.answer.said)


def _after(first: tuple[date | None, date | None], second: tuple[date | None, date | None]) -> bool:
    """By the day of checking; by the files' dates only where that does not part them."""
    for own, other in zip(first, second, strict=True):
        if own is not None and other is not None and own != other:
            return own > other
    return False
