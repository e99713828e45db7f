"""`make_sample`: a synthetic prefecture's exports of any size, chunk by chunk, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.sample.accepted import Store
from pipeline.sample.answers import Truth, entitlements, findings, people_table
from pipeline.sample.certificates import with_certificates
from pipeline.sample.entitled import with_answers
from pipeline.sample.inbox import Inbox
from pipeline.sample.lists import EXPORTS
from pipeline.sample.people import chunks
from pipeline.sample.rows import rows_of
from pipeline.sample.status import with_status
from pipeline.sample.trouble import Trouble
from pipeline.sample.words import COUNTIES
from pipeline.sample.world import World

# Households a chunk: memory follows it, the results do not depend on it.
_HOUSEHOLDS_AS_FILES = 15_000
_HOUSEHOLDS_AS_PARQUET = 60_000


@dataclass
class SampleSummary:
    """Counts of what was written. `rows` by dataset; `missing` and `findings` by code are the true ones."""

    people: int = 0
    holders: int = 0
    files: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    receiving: dict[str, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)


def make_sample(
    people: int,
    out: Path,
    seed: int = 1,
    as_of: date = date(2026, 10, 31),
    dirt: float = 1.0,
    truth: Path | None = None,
    accepted: Path | None = None,
    counties: int = 4,
    register_share: float = 0.076,
    trouble: Trouble | None = None,
) -> SampleSummary:
    """Writes a synthetic prefecture's inbox to `out` (all 23 datasets), and the truth about it to `truth`.

    With `accepted` nothing is written to `out`: the lists go as normalised Parquet to `accepted/store/…` instead.
    `dirt` scales the damage of numbers and names, `register_share` is the share of people who hold a certificate;
    `trouble` is what is asked for besides (`trouble.py`), nothing if left out.
    Real .xls files are written only where xlwt is installed. Raises ValueError on sizes that cannot be.
    """
    if people < 1 or not 1 <= counties <= len(COUNTIES) or dirt < 0 or not 0 <= register_share <= 0.4:
        raise ValueError("people >= 1, counties 1-4, dirt >= 0 and register_share 0-0.4 are possible")
    world = World(people, seed, as_of, dirt, register_share, counties, trouble or Trouble())
    answers = Truth(truth)
    sink = Inbox(world, out) if accepted is None else Store(world, accepted)
    households = _HOUSEHOLDS_AS_FILES if accepted is None else _HOUSEHOLDS_AS_PARQUET
    summary = SampleSummary()
    try:
        for members in chunks(world, households):
            everybody = with_answers(world, with_status(world, with_certificates(world, members)))
            _write_chunk(world, everybody, sink, answers, summary)
    finally:
        sink.close()
        answers.close()
    summary.files = len(sink.paths)
    return summary


def _write_chunk(
    world: World, people: pl.DataFrame, sink: Inbox | Store, answers: Truth, summary: SampleSummary
) -> None:
    due, found = entitlements(people), findings(world, people)
    answers.write("people", people_table(people))
    answers.write("entitlements", due)
    answers.write("findings", found)
    summary.people += people.height
    summary.holders += int(people["holder"].sum())
    _count(summary.missing, due.filter(pl.col("answer") == "missing")["benefit"])
    _count(summary.receiving, due.filter(pl.col("answer") == "receiving")["benefit"])
    _count(summary.findings, found["finding"])
    for export in EXPORTS:
        written = sink.add(export, rows_of(world, export, people))
        answers.write("rows", written)
        summary.rows[export.key] = summary.rows.get(export.key, 0) + written.height


def _count(counts: dict[str, int], codes: pl.Series) -> None:
    for code, number in codes.value_counts(sort=True).iter_rows():
        counts[code] = counts.get(code, 0) + number
