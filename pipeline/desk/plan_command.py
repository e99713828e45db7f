"""`reconcile plan` as the command line calls it: the comparison as a page, its counts as a CSV where asked for."""

from __future__ import annotations

from pathlib import Path

from pipeline.desk.plan import PlanRequest, plan
from pipeline.desk.plan_csv import write_csv
from pipeline.desk.plan_page import page


def plan_rules(request: PlanRequest, out: Path | None = None) -> str:
    """The page. Raises ReconcileError as `plan` does, E555 where the CSV file cannot be written."""
    compared = plan(request)
    if out is None:
        return page(compared)
    write_csv(compared, out)
    return f"{page(compared)}\n各县人数和金额已写入 {out}"
