"""One word for everything that decides what a report says: benefits, findings (also those that make reminders) and signs for visits.

Other words than last time make the letters wait for approval (`holds`).
"""

from __future__ import annotations

from pipeline.delivery.holds import rules_digest
from pipeline.entitlement.compile import rule_version
from pipeline.reports import NightForReports

_BETWEEN = "."


def rules_mark(night: NightForReports) -> str:
    """`a.b`: a of the rules that the outcomes name, which is all that letters of older programs were marked with; b of everything."""
    versions = [rule_version(rule) for rule in night.rules.values()]
    signs = [night.visits.signs.model_dump_json(by_alias=True)] if night.visits is not None else []
    outcomes = rules_digest(night.outcomes["rule_version"].unique().to_list())
    return f"{outcomes}{_BETWEEN}{rules_digest([*versions, *signs])}"


def as_known(known: str, mark: str) -> str:
    """The mark in the form in which the last letter's was kept: a newer program alone is no change of rules."""
    return mark if _BETWEEN in known else mark.partition(_BETWEEN)[0]
