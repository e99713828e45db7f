"""What a mail is made of, before it is a mail: one letter to one address. Pure data; nothing here knows a server.

One address a letter, so that one refused recipient stops nobody else and every letter's fate is one word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Kind = Literal[
    "report", "notice", "quality", "operator"
]  # 第N期, in between, to a department, to the operator
CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP = "application/zip"


@dataclass(frozen=True)
class Attachment:
    """One file of a letter. `name` is Chinese and says neither person nor disability; `plain_name` is ASCII: the name inside an
    encrypted zip (names there are not encrypted) and in the folder of a dry run."""

    name: str
    plain_name: str
    kind: str  # CSV, XLSX or ZIP
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Letter:
    """One mail to one address. `letter_id` never changes: the Message-ID is made from it, so a server that gets the letter twice
    can know it. `place` is the county's code or the department's key, "" for the operator."""

    letter_id: str  # [a-z0-9-]+
    kind: Kind
    on: date
    place: str
    to: str
    subject: str
    body: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class Expected:
    """What the egress check holds the finished bytes against: made from the night's tables, not from the files.

    `rows` and `columns` by sheet of the workbook, the CSV under the name "csv"; `cases` the case numbers of the county;
    `people` the pairs (name, number as printed) of the county's register people and of others told of there. Empty for letters that
    have no people in them (`quality`, `operator`): then any row with a case number or a number of a person is a failure.
    `listed`: of a table that is to have certain cases only, which; any of `cases` may stand in the others.
    """

    place: str
    county_name: str
    to: str
    rows: Mapping[str, int]
    columns: Mapping[str, tuple[str, ...]]
    cases: frozenset[str] = field(repr=False)
    people: frozenset[tuple[str, str]] = field(repr=False)
    full_ids: bool = False
    listed: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False)
