"""From answers to events of the ledger: what is new is `answered`, what is known already changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pipeline.cases.event import JSON, Event
from pipeline.cases.feedback_answer import Said
from pipeline.cases.feedback_file import Answer, FeedbackFile
from pipeline.cases.feedback_latest import Dated, latest
from pipeline.cases.feedback_problems import NEWER, OTHER_COUNTY, TWO_FILES, UNKNOWN, Refusal
from pipeline.cases.feedback_read import FeedbackRead
from pipeline.cases.feedback_receipt import Receipt, receipts_of
from pipeline.identity import region

KIND = "answered"


@dataclass(frozen=True)
class KnownCase:
    """A case of the ledger. `answered`: the body of its last event `answered`, also of one before it was settled and came back:
    old files stay in the folder, and what they say must not be taken for news. `sent`: how often it went to the county, and
    `sent_when_answered` how often until that answer."""

    county_code: str
    answered: Mapping[str, JSON] | None = None
    sent: int = 0
    sent_when_answered: int = 0

    def asked_anew(self, answer: Answer) -> bool:
        """The row was printed for a sending after the last answer: the same words once more are an answer, too (复核)."""
        return answer.asked is not None and self.sent_when_answered < answer.asked <= self.sent


def feedback_events(
    read: FeedbackRead, known: Mapping[str, KnownCase], as_of: date
) -> tuple[list[Event], list[Receipt]]:
    """One event for every case whose answer is new, in the order of case numbers, and a receipt for every file.

    `known`: every case of the ledger by its number. The body has the fields of `Said.body` and, of the row it came from,
    `source` (the file), `sheet` and `row`.
    """
    refused: dict[Answer, Refusal] = {}
    by_case: dict[str, list[Dated]] = defaultdict(list)
    for file in read.files:
        for answer in file.answers:
            why = _foreign(answer, file, known)
            if why:
                refused[answer] = why
            else:
                by_case[answer.case_number].append(Dated(answer, file.dated))
    events: list[Event] = []
    for number in sorted(by_case):
        chosen, others = _chosen(by_case[number], known[number])
        refused |= others
        if chosen is not None:
            events.append(Event(as_of, KIND, number, _body(chosen)))
    counties = {number: case.county_code for number, case in known.items()}
    return events, receipts_of(read, refused, counties)


def _foreign(answer: Answer, file: FeedbackFile, known: Mapping[str, KnownCase]) -> Refusal | None:
    case = known.get(answer.case_number)
    if case is None:
        return UNKNOWN
    elsewhere = file.county and file.county != region.successor(case.county_code)
    return OTHER_COUNTY if elsewhere else None


def _chosen(answers: Iterable[Dated], case: KnownCase) -> tuple[Answer | None, dict[Answer, Refusal]]:
    """The answer that is news, and those that are not taken."""
    rivals = list(answers)
    best = latest(rivals)
    if best is None:
        return None, {one.answer: TWO_FILES for one in rivals}
    lost = {one.answer: NEWER for one in rivals if one.answer.said != best.answer.said}
    if case.answered is None:
        return best.answer, lost
    if _same(best.answer.said, case.answered):
        return (best.answer if case.asked_anew(best.answer) else None), lost
    if best.is_before(case.answered, case.sent_when_answered or None):
        return None, {one.answer: NEWER for one in rivals}
    return best.answer, lost


def _same(said: Said, body: Mapping[str, JSON]) -> bool:
    """Whether the ledger's last answer says the same; from which row it came does not matter."""
    return all(body.get(key) == value for key, value in said.body().items())


def _body(answer: Answer) -> dict[str, JSON]:
    return {**answer.said.body(), "source": answer.file, "sheet": answer.sheet, "row": answer.row}
