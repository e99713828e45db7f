"""Intake: what the departments delivered becomes accepted snapshots, list by list and county by county."""

from pipeline.intake.find import newest_date
from pipeline.intake.store import quarantine_frame
from pipeline.intake.take_in import take_in

__all__ = ["newest_date", "quarantine_frame", "take_in"]
