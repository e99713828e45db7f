"""Every case as of the night: the contract's table, and what reports tell besides."""

from __future__ import annotations

from typing import Any

import polars as pl

from pipeline.cases.case_state import Case
from pipeline.cases.night import Recorded
from pipeline.cases.tonight import Tonight
from pipeline.contracts.tables import CASES, CASES_TOLD


def case_table(recorded: Recorded, tonight: Tonight) -> pl.DataFrame:
    """One row a case in the order of the numbers: CASES and CASES_TOLD. Certificate and number are null where the person is not
    among tonight's people: the ledger knows nobody's number."""
    cases = [recorded.book.cases[number] for number in sorted(recorded.book.cases)]
    rows = [_row(case, recorded, tonight) for case in cases]
    return pl.DataFrame(rows, schema=CASES | CASES_TOLD, orient="row")


def _row(case: Case, recorded: Recorded, tonight: Tonight) -> tuple[Any, ...]:
    row = recorded.rows.get(case.person)
    one = tonight.people[row] if row is not None else None
    told = {
        "case_number": case.number,
        "certificate_number": (one.certificate_number or None) if one else None,
        "id_number": (one.id_number or None) if one else None,
        "county_code": case.county,
        "subject": case.subject,
        "state": case.state,
        "first_seen": case.first_seen,
        "last_seen": case.last_seen or tonight.as_of,
        "settled_on": case.over_on,
        "times_sent": case.times_sent,
        "due_on": case.due_on,
        "kind": case.kind,
        "why": case.why,
        "first_sent": case.first_sent,
        "last_sent": case.last_sent,
        "answered_on": case.answered_on,
        "result": (case.answer or {}).get("result"),
        "days_open": case.days_open(tonight.as_of),
        "times_opened": case.times_opened,
        "overdue": case.is_overdue(tonight.as_of),
        "judged": case.seen_since is not None,
        "suppressed": case.suppressed,
        "again": case.again,
        "held": case.held,
    }
    return tuple(told[name] for name in (*CASES, *CASES_TOLD))
