"""Which of several answers to one case counts: the later one, where it is certain which that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.cases.event import JSON
from pipeline.cases.feedback_file import Answer
from pipeline.intake.find import snapshot_date

# checked on, asked, month of the printed list, dated, printed as 复核
_Time = tuple[date | None, int | None, str | None, date | None, bool | None]


@dataclass(frozen=True)
class Dated:
    """An answer with what tells its time: the day of checking it names, which sending it answers, which month's list it was
    printed in, the date in its file's name, whether it was printed as 复核."""

    answer: Answer
    dated: date | None
    first_on: date  # the night on which the file was read first
    unseen: bool = True  # the ledger does not know the file yet

    def is_after(self, other: Dated) -> bool:
        """Certainly later; False also where nobody can tell."""
        return _after(self._time, other._time)

    def is_before(self, body: Mapping[str, JSON], asked: int | None) -> bool:
        """Certainly earlier than an answer in the ledger, which was given when the case had been sent `asked` times."""
        checked_on, source, month = body.get("checked_on"), body.get("source"), body.get("month")
        known = (
            date.fromisoformat(checked_on) if isinstance(checked_on, str) else None,
            asked,
            month if isinstance(month, str) else None,
            snapshot_date(source.rpartition("/")[2]) if isinstance(source, str) else None,
            None,
        )
        return _after(known, self._time)

    @property
    def _time(self) -> _Time:
        answer = self.answer
        return answer.said.checked_on, answer.asked, answer.month, self.dated, answer.review


def latest(answers: Sequence[Dated]) -> Dated | None:
    """Of those that say the same, if all do, the first that answers the last asking; else the one later than all that say
    otherwise; None if there is none."""
    if len({one.answer.said for one in answers}) == 1:
        return max(answers, key=lambda one: one.answer.asked or 0)
    return next((one for one in answers if _beats_all(one, answers)), None)


def _beats_all(one: Dated, answers: Sequence[Dated]) -> bool:
    return all(one.is_after(other) for other in answers if other.answer.said != one.answer.said)


def _after(first: _Time, second: _Time) -> bool:
    """By the day of checking; where that does not part them by the sending that was answered, then by the month of the list, the files'
    dates, and whether one was printed as 复核."""
    for own, other in zip(first, second, strict=True):
        if own is not None and other is not None and own != other:
            return own > other  # type: ignore[operator]
    return False
