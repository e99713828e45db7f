"""Which returned files get a receipt tonight: old files stay in the folder, and a county is told of each once.

A file is known by the county of its folder and its bytes, whatever it is called. It gets another receipt where other rows of it
come back than before, or where an answer of it is taken after all. The same night again makes the same receipts; those of a
night that was killed before it had written them are written by the next, whatever its date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from pipeline.cases.case_state import FileKey, Told
from pipeline.cases.event import Event
from pipeline.cases.feedback_receipt import Receipt

KIND = "feedback_file"


def receipts_tonight(
    receipts: Iterable[Receipt],
    answered: Sequence[Event],
    receipted: Mapping[FileKey, Sequence[Told]],
    as_of: date,
    written: date | None = None,
) -> tuple[list[Receipt], list[Event]]:
    """The receipts to be written, counted anew, and the events that make the ledger know their files.

    `answered`: the night's answers that are new; `receipted`: what the ledger knows; `written`: the last night whose receipts are
    certainly written (None: all are taken to be). A file without a hash has a receipt each night.
    """
    taken = {event.body["source"] for event in answered}
    numbers: Counter[str] = Counter()
    shown: list[Receipt] = []
    events: dict[FileKey, Event] = {}
    for receipt in receipts:
        key = (receipt.folder, receipt.sha256)
        before = receipted.get(key, ())
        if not _is_news(receipt, before, as_of, written or as_of) and receipt.file not in taken:
            continue
        numbers[receipt.county] += 1
        shown.append(replace(receipt, number=numbers[receipt.county]))
        if receipt.sha256 and (as_of, receipt.told) not in before:
            body = {"county": receipt.folder, "sha256": receipt.sha256, "told": receipt.told}
            events[key] = Event(as_of, KIND, None, body)
    return shown, list(events.values())


def _is_news(receipt: Receipt, before: Sequence[Told], as_of: date, written: date) -> bool:
    """Not on an earlier night told the same, or told tonight: then the night is run again."""
    earlier = [told for on, told in before if on < as_of and on <= written]
    tonight = any(on == as_of for on, _ in before)
    return not receipt.sha256 or tonight or not earlier or earlier[-1] != receipt.told
