"""Which of several answers to one case counts: the later one, where it is certain which that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.cases.event import JSON
from pipeline.cases.feedback_file import Answer
from pipeline.intake.find import snapshot_date

_Time = tuple[date | None, int | None, date | None]  # checked on, asked, dated


@dataclass(frozen=True)
class Dated:
    """An answer with what tells its time: the day of checking it names, which sending it answers, the date in its file's name."""

    answer: Answer
    dated: date | None

    def is_after(self, other: Dated) -> bool:
        """Certainly later; False also where nobody can tell."""
        return _after(self._time, other._time)

    def is_before(self, body: Mapping[str, JSON], asked: int | None) -> bool:
        """Certainly earlier than an answer in the ledger, which was given when the case had been sent `asked` times."""
        checked_on, source = body.get("checked_on"), body.get("source")
        known = (
            date.fromisoformat(checked_on) if isinstance(checked_on, str) else None,
            asked,
            snapshot_date(source.rpartition("/")[2]) if isinstance(source, str) else None,
        )
        return _after(known, self._time)

    @property
    def _time(self) -> _Time:
        return self.answer.said.checked_on, self.answer.asked, self.dated


def latest(answers: Sequence[Dated]) -> Dated | None:
    """Of those that say the same, if all do, the first that answers the last asking; else the one later than all that say
    otherwise; None if there is none."""
    if len({one.answer.said for one in answers}) == 1:
        return max(answers, key=lambda one: one.answer.asked or 0)
    return next((one for one in answers if _beats_all(one, answers)), None)


def _beats_all(one: Dated, answers: Sequence[Dated]) -> bool:
    return all(one.is_after(other) for other in answers if other.answer.said != one.answer.said)


def _after(first: _Time, second: _Time) -> bool:
    """By the day of checking; where that does not part them by the sending that was answered, then by the files' dates."""
    for own, other in zip(first, second, strict=True):
        if own is not None and other is not None and own != other:
            return own > other  # type: ignore[operator]
    return False
