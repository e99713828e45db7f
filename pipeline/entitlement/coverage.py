"""What was accepted where, as the rules need it: `covered`, one row a county, one Boolean and one date a list."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import Intake

NO_DEATHS = "；死亡信息未比对"


def load_coverage(con: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset], intake: Intake) -> None:
    """Creates `covered` (county_code, note, `<list>`, `<list>__date`) and `delivered_files` (dataset, source_file, county_code).

    The death list is the one exception of the specification: the last accepted one serves however old it is, and
    without any the answers stand with the note that deaths were not compared.
    """
    deaths = {d.dataset for d in datasets.values() if d.role == "deaths"}
    served = {s.dataset for s in intake.snapshots}
    note = "" if deaths & served else NO_DEATHS
    counties: dict[str, dict[str, tuple[str, str]]] = {}
    for row in intake.coverage.iter_rows(named=True):
        day = row["snapshot_date"].isoformat() if row["snapshot_date"] else ""
        counties.setdefault(row["county_code"], {})[row["dataset"]] = (row["status"], day)
    head = "".join(f', "{d.table}" boolean, "{d.table}__date" varchar' for d in datasets.values())
    con.execute(f"create or replace table covered (county_code varchar, note varchar{head})").fetchall()
    for county, status in sorted(counties.items()):
        values: list[object] = [county, note]
        for key in datasets:
            state, day = status.get(key, ("missing", ""))
            values += [state == "accepted" or (key in deaths and key in served), day or None]
        marks = ", ".join("?" for _ in values)
        con.execute(f"insert into covered values ({marks})", values).fetchall()
    con.execute(
        "create or replace table delivered_files (dataset varchar, source_file varchar, county_code varchar)"
    ).fetchall()
    for snapshot in intake.snapshots:
        place = [snapshot.dataset, snapshot.source_file, snapshot.county]
        con.execute("insert into delivered_files values (?, ?, ?)", place).fetchall()
