"""Writes the night's result tables (docs/architecture.md, part 3): Parquet, fixed columns, totally ordered, byte-equal.

Row groups have a fixed size and files are renamed into place, so the same inputs give the same bytes whatever the
threads, and a reader never sees half a file.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contracts import tables

ROW_GROUP = 131_072

_LINKS = """
select l.dataset, l.source_file, l.source_row, p.certificate_number, p.id_number, l.method, l.match_probability, l.decision
from links as l join people as p on p.person = l.person
order by l.dataset, l.source_file, l.sheet, l.source_row, p.certificate_number"""

_OUTCOMES = """
select certificate_number, id_number, name, county_code, benefit, outcome, strength, reason, rule_version
from outcomes order by certificate_number, benefit, id_number, county_code, name"""

_FINDINGS = """
select certificate_number, id_number, name, county_code, finding, reason
from findings order by finding, certificate_number nulls last, id_number, county_code, name"""

_UNLINKED = """
select dataset, source_file, source_row, certificate_number, reason
from unlinked order by dataset, source_file, source_row, certificate_number, reason"""

_FAMILY_LINKS = """
select f.dataset, f.source_file, f.source_row, p.certificate_number, f.through, f.family, f.decision
from family_links as f join people as p on p.person = f.person
order by f.dataset, f.source_file, f.source_row, p.certificate_number, f.through, f.family"""


def write_results(con: duckdb.DuckDBPyConnection, coverage: pl.DataFrame, folder: Path) -> None:
    """All result files of a night, empty where there is nothing; `cases.parquet` waits for the case ledger."""
    folder.mkdir(parents=True, exist_ok=True)
    write_query(con, _LINKS, tables.LINKS, folder / "links.parquet")
    write_query(con, _OUTCOMES, tables.OUTCOMES, folder / "outcomes.parquet")
    write_query(con, _FINDINGS, tables.FINDINGS, folder / "findings.parquet")
    write_query(con, _UNLINKED, tables.UNLINKED, folder / "unlinked.parquet")
    write_query(con, _FAMILY_LINKS, tables.FAMILY_LINKS, folder / "family_links.parquet")
    ordered = coverage.select(list(tables.COVERAGE)).sort("dataset", "county_code")
    write_batches(iter(ordered.to_arrow().to_batches()), tables.COVERAGE, folder / "coverage.parquet")
    write_batches(iter(()), tables.CASES, folder / "cases.parquet")


def write_query(
    con: duckdb.DuckDBPyConnection, query: str, columns: dict[str, type[pl.DataType]], path: Path
) -> None:
    """Streams an ordered query into one Parquet file."""
    write_batches(con.sql(query).to_arrow_reader(ROW_GROUP), columns, path)


def write_batches(batches: object, columns: dict[str, type[pl.DataType]], path: Path) -> None:
    """Batches in their order, cut into row groups of a fixed size."""
    schema = pl.DataFrame(schema=columns).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    part = path.with_suffix(".part")
    waiting: list[pa.RecordBatch] = []
    rows = 0
    with pq.ParquetWriter(part, schema, compression="zstd", store_schema=False) as writer:
        for batch in batches:  # type: ignore[attr-defined]
            waiting.append(batch)
            rows += batch.num_rows
            while rows >= ROW_GROUP:
                table = pa.Table.from_batches(waiting)
                writer.write_table(table.slice(0, ROW_GROUP).cast(schema), row_group_size=ROW_GROUP)
                waiting = table.slice(ROW_GROUP).to_batches()
                rows -= ROW_GROUP
        if rows:
            writer.write_table(pa.Table.from_batches(waiting).cast(schema), row_group_size=ROW_GROUP)
    part.replace(path)
