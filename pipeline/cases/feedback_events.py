"""From answers to events of the ledger: what is new is `answered`, what is known already changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pipeline.cases.case_state import FileKey, Told
from pipeline.cases.event import JSON, Event
from pipeline.cases.feedback_answer import Said
from pipeline.cases.feedback_file import Answer, FeedbackFile
from pipeline.cases.feedback_latest import Dated, latest
from pipeline.cases.feedback_problems import (
    NEWER,
    OTHER_COUNTY,
    TWO_FILES,
    UNCLEAR_RESULT,
    UNKNOWN,
    WAITS,
    Refusal,
)
from pipeline.cases.feedback_read import FeedbackRead
from pipeline.cases.feedback_receipt import Receipt, receipts_of
from pipeline.identity import region

KIND = "answered"


@dataclass(frozen=True)
class KnownCase:
    """A case of the ledger. `answered`: the body of its last event `answered`, also of one before it was settled and came back:
    old files stay in the folder, and what they say must not be taken for news. `sent`: how often it went to the county, and
    `sent_when_answered` how often until that answer. `gap`: it asks for something that somebody lacks. `again_on`: since when it
    waits as 复核 for another answer, None where it does not. `stands`: it is as that answer left it."""

    county_code: str
    answered: Mapping[str, JSON] | None = None
    sent: int = 0
    sent_when_answered: int = 0
    gap: bool = True
    again_on: date | None = None
    stands: bool = True

    def asked_anew(self, answer: Answer, *, unseen: bool) -> bool:
        """Whether the row was printed for an asking after the last answer: the same words once more are an answer, too (复核).

        Where nothing is ever sent, what the workbook printed counts: a list of a later month than the one in which the facts
        changed, or 复核 on a row of this month, in a file that is `unseen` so far.
        """
        if answer.asked is not None and self.sent_when_answered < answer.asked <= self.sent:
            return True
        if self.again_on is None or (answer.asked or 0) > self.sent + 1:
            return False
        since = f"{self.again_on:%Y-%m}"
        if answer.month is not None and answer.month != since:
            return answer.month > since
        return answer.review and unseen


def feedback_events(
    read: FeedbackRead,
    known: Mapping[str, KnownCase],
    as_of: date,
    receipted: Mapping[FileKey, Sequence[Told]] | None = None,
) -> tuple[list[Event], list[Receipt]]:
    """One event for every case whose answer is new, in the order of case numbers, and a receipt for every file.

    `known`: every case of the ledger by its number; `receipted`: the files that it has seen. The body has the fields of
    `Said.body` and, of the row it came from, `source` (the file), `sheet`, `row` and, where it is printed, `month`.
    """
    refused: dict[Answer, Refusal] = {}
    by_case: dict[str, list[Dated]] = defaultdict(list)
    for file in read.files:
        seen = (receipted or {}).get((file.county, file.sha256), ())
        first_on = seen[0][0] if seen else as_of
        for answer in file.answers:
            why = _foreign(answer, file, known)
            if why:
                refused[answer] = why
            else:
                by_case[answer.case_number].append(
                    Dated(answer, file.dated, first_on, unseen=bool(file.sha256) and not seen)
                )
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
    if file.county and file.county != region.successor(case.county_code):
        return OTHER_COUNTY
    # under 核查结果 of somebody who receives what is not due, 死亡 and 不符合条件 would say that it is true
    return UNCLEAR_RESULT if answer.said.implied and not case.gap else None


def _chosen(answers: Iterable[Dated], case: KnownCase) -> tuple[Answer | None, dict[Answer, Refusal]]:
    """The answer that is news, and those that are not taken."""
    rivals = list(answers)
    best = latest(rivals)
    if best is None:
        return None, {one.answer: TWO_FILES for one in rivals}
    lost = {one.answer: NEWER for one in rivals if one.answer.said != best.answer.said}
    if case.answered is None:
        return best.answer, lost
    said = best.answer.said
    if _same(said, case.answered) or (not case.stands and _is_reread(said, case.answered)):
        same = [one for one in rivals if one.answer not in lost]
        anew = next((one.answer for one in same if case.asked_anew(one.answer, unseen=one.unseen)), None)
        if anew is None and case.again_on is not None:
            lost |= {one.answer: WAITS for one in same if one.first_on > case.again_on}
        return anew, lost
    if best.is_before(case.answered, case.sent_when_answered or None):
        return None, {one.answer: NEWER for one in rivals}
    return best.answer, lost


def _same(said: Said, body: Mapping[str, JSON]) -> bool:
    """Whether the ledger's last answer says the same; from which row it came does not matter."""
    return all(body.get(key) == value for key, value in said.body().items())


def _is_reread(said: Said, body: Mapping[str, JSON]) -> bool:
    """Whether it is the ledger's last answer, of whose reason an earlier program understood nothing. A case that has come back since
    is not laid to rest by an old file."""
    return body.get("reason") is None and _same(replace(said, reason=None), body)


def _body(answer: Answer) -> dict[str, JSON]:
    printed: dict[str, JSON] = {"month": answer.month} if answer.month else {}
    return {**answer.said.body(), "source": answer.file, "sheet": answer.sheet, "row": answer.row, **printed}
