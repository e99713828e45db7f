"""What a night leaves in the output folder besides the counties' reports: results that mail has changed, summary, run.json."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from pipeline import cases, delivery, intake, reports
from pipeline.contracts.delivered import Intake
from pipeline.contracts.tables import CASES, REMINDERS
from pipeline.identity.mask import mask_text
from pipeline.reports.reminders import reminder_rows
from pipeline.reports.safe_text import csv_cell
from pipeline.results import write_batches


def write_night(
    night: reports.NightForReports,
    delivered: Intake,
    told: cases.Followed,
    mailed: delivery.Mailed,
    out: Path,
    *,
    exit_code: int,
    versions: Mapping[str, str],
) -> None:
    """Everything but the counties' own reports. `night.cases` is as the ledger stands in the end."""
    if mailed.tally.fates["sent"]:
        batches = told.cases.select(list(CASES)).to_arrow().to_batches()
        write_batches(batches, CASES, out / "results/cases.parquet")
    write_batches(reminder_rows(night).to_arrow().to_batches(), REMINDERS, out / "results/reminders.parquet")
    reports.write_summary(night, out, told.flow)
    reports.write_follow_up(night, told.flow, out)
    cases.write_receipts(told.receipts, out, night.as_of)
    reports.write_needs(night, out)
    # file and sheet names are somebody's words, too
    said = tuple(replace(p, file=mask_text(p.file), sheet=mask_text(p.sheet)) for p in delivered.problems)
    refused = intake.quarantine_frame(said)
    words = [name for name, kind in refused.schema.items() if kind == pl.String]
    refused = refused.with_columns(csv_cell(pl.col(name)).alias(name) for name in words)
    refused.write_csv(out / "quarantine.csv", include_bom=True, line_terminator="\r\n")
    inputs = [
        {"file": mask_text(s.source_file), "dataset": s.dataset, "rows": s.rows} for s in delivered.snapshots
    ]
    reports.write_run_json(
        night,
        out,
        exit_code=exit_code,
        inputs=inputs,
        versions=dict(versions),
        mail=mailed.counts(),
        mail_places=mailed.places(),
    )


def forget_old_reports(folder: Path) -> None:
    """Last run's reports go, so that no county's old list lies beside the new ones. Only our own folders."""
    if folder.is_dir():
        for old in sorted(folder.iterdir()):
            if old.is_dir() and not old.is_symlink() and old.name.isdigit() and len(old.name) == 6:
                shutil.rmtree(old)
