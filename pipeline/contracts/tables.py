"""The tables that stages hand to each other and to the world: column names and polars types, in order.

These are contracts with other programs (docs/architecture.md, part 3): a column is never renamed or moved.
"""

from __future__ import annotations

import polars as pl

LINKS: dict[str, type[pl.DataType]] = {
    "dataset": pl.String,
    "source_file": pl.String,  # relative to the inbox
    "source_row": pl.Int64,  # physical line of the CSV, row of the sheet, from 1
    "certificate_number": pl.String,
    "id_number": pl.String,
    "method": pl.String,
    "match_probability": pl.Float64,
    "decision": pl.String,  # linked | review
}

OUTCOMES: dict[str, type[pl.DataType]] = {
    "certificate_number": pl.String,
    "id_number": pl.String,
    "name": pl.String,
    "county_code": pl.String,
    "benefit": pl.String,
    "outcome": pl.String,
    "strength": pl.String,
    "reason": pl.String,
    "rule_version": pl.String,
}

# What is missed in money, of the people who miss it (missing, renew_first, verify): null where nobody has said how much.
MONEY: dict[str, type[pl.DataType]] = {
    "certificate_number": pl.String,
    "county_code": pl.String,
    "benefit": pl.String,
    "outcome": pl.String,
    "strength": pl.String,
    "yuan_a_month": pl.Float64,
    "yuan_once": pl.Float64,
}

# The two-by-two comparisons of departments (P0 … P8): every answer and finding of the rules that belong to them.
COMPARISONS: dict[str, type[pl.DataType]] = {
    "pair": pl.String,
    "county_code": pl.String,
    "certificate_number": pl.String,
    "id_number": pl.String,
    "name": pl.String,
    "subject": pl.String,  # benefit or finding
    "outcome": pl.String,  # an outcome, or `found`
    "strength": pl.String,
    "reason": pl.String,
}

FINDINGS: dict[str, type[pl.DataType]] = {
    "certificate_number": pl.String,
    "id_number": pl.String,
    "name": pl.String,
    "county_code": pl.String,
    "finding": pl.String,
    "reason": pl.String,
}

# Families at risk, for the visits (early warning): one row a person with at least one sign.
VISITS: dict[str, type[pl.DataType]] = {
    "certificate_number": pl.String,
    "county_code": pl.String,
    "signs": pl.String,  # joined by +, the heaviest first
    "weight": pl.Int64,
    "monitored": pl.Boolean,  # null: unknown
}

# Certificates that run out within six months, or have within the last three: one row a person.
REMINDERS: dict[str, type[pl.DataType]] = {
    "certificate_number": pl.String,
    "id_number": pl.String,
    "county_code": pl.String,
    "valid_until": pl.Date,
    "stage": pl.String,  # 6_months | 1_month | expired
    "times_reminded": pl.Int64,
    "last_reminded": pl.Date,
    "escalated": pl.Boolean,  # a month or less is left, and fewer than two reminders went out
    "benefits": pl.String,  # received or due, joined by +
}

CASES: dict[str, type[pl.DataType]] = {
    "case_number": pl.String,
    "certificate_number": pl.String,
    "id_number": pl.String,
    "county_code": pl.String,
    "subject": pl.String,
    "state": pl.String,
    "first_seen": pl.Date,
    "last_seen": pl.Date,
    "settled_on": pl.Date,
    "times_sent": pl.Int64,
    "due_on": pl.Date,
}

# What reports tell of a case besides; not in cases.parquet.
CASES_TOLD: dict[str, type[pl.DataType]] = {
    "kind": pl.String,  # the outcome, or `found`
    "why": pl.String,  # it is over, or not judged tonight
    "first_sent": pl.Date,
    "last_sent": pl.Date,
    "answered_on": pl.Date,
    "result": pl.String,  # of the last answer
    "days_open": pl.Int64,  # and could be judged
    "times_opened": pl.Int64,
    "overdue": pl.Boolean,
    "judged": pl.Boolean,  # false: for want of a list nothing can be said tonight
    "suppressed": pl.Boolean,
    "again": pl.Boolean,
    "held": pl.Boolean,
}

COVERAGE: dict[str, type[pl.DataType]] = {
    "dataset": pl.String,
    "county_code": pl.String,
    "status": pl.String,  # accepted | missing | quarantined | stale
    "snapshot_date": pl.Date,
    "rows": pl.Int64,
    "why": pl.String,
}

# A row that is about somebody on the register by its number, but was not linked on it: for the matching issue.
UNLINKED: dict[str, type[pl.DataType]] = {
    "dataset": pl.String,
    "source_file": pl.String,
    "source_row": pl.Int64,
    "certificate_number": pl.String,  # the register person whose number stands in the row
    "reason": pl.String,
}

# A family connection: a row that names a house head, to the register people of that family.
FAMILY_LINKS: dict[str, type[pl.DataType]] = {
    "dataset": pl.String,
    "source_file": pl.String,
    "source_row": pl.Int64,
    "certificate_number": pl.String,
    "through": pl.String,  # the roster that knows the family, or "self"
    "family": pl.String,
    "decision": pl.String,
}

# Compared pairs of a list's row and a register person (the fuzzy fallback; exact links are not among them).
PAIRS: dict[str, type[pl.DataType]] = {
    "dataset": pl.String,
    "source_file": pl.String,
    "sheet": pl.String,
    "source_row": pl.Int64,
    "certificate_number": pl.String,
    "id_number": pl.String,
    "county_code": pl.String,
    "method": pl.String,
    "decision": pl.String,  # linked | review | none
    "match_probability": pl.Float64,  # after assignment
    "match_weight": pl.Float64,  # bits, with the prior
    "keys": pl.String,  # the blocking keys that brought the pair, joined by +
    "identity": pl.String,
    "name": pl.String,
    "place": pl.String,
    "relation": pl.String,
    "disability": pl.String,
    "identity_weight": pl.Float64,
    "name_weight": pl.Float64,
    "place_weight": pl.Float64,
    "relation_weight": pl.Float64,
    "disability_weight": pl.Float64,
    "prior_weight": pl.Float64,
    "row_key": pl.String,
    "person_key": pl.String,
    "shown": pl.String,  # JSON: what a clerk compares
}

# What each kind of blocking key brought to a list, and what it cost.
BLOCKING: dict[str, type[pl.DataType]] = {
    "dataset": pl.String,
    "kind": pl.String,
    "pairs": pl.Int64,
    "alone": pl.Int64,  # found by no other kind of key
    "linked": pl.Int64,
    "linked_alone": pl.Int64,
    "review": pl.Int64,
    "keys_left_out": pl.Int64,  # key values shared by too many
    "pairs_left_out": pl.Int64,
}

# Identity numbers found in delivered rows that could not be read: these rows may be about the people they name.
UNREADABLE: dict[str, type[pl.DataType]] = {
    "dataset": pl.String,
    "source_file": pl.String,
    "sheet": pl.String,
    "source_row": pl.Int64,
    "number": pl.String,
}
