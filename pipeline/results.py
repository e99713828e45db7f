"""Writes the night's result tables (docs/architecture.md, part 3): Parquet, fixed columns, totally ordered, byte-equal.

Queries are ordered by small integers (people are numbered in the order of their certificate numbers, files in the
order of their names), and what a number stands for is filled in batch by batch: sorting wide rows costs more than all
the rules. Row groups have a fixed size and files are renamed into place, so the same inputs give the same bytes
whatever the threads, and a reader never sees half a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contracts import tables

ROW_GROUP = 131_072
_BUFFER = 1 << 20  # bytes gathered for one write: Arrow asks for one for every column's header else
_ALL_DIFFERENT = {"certificate_number", "id_number", "source_row"}  # a dictionary of these only costs

_ARROW = {
    pl.String: pa.string(),
    pl.Int64: pa.int64(),
    pl.Float64: pa.float64(),
    pl.Date: pa.date32(),
    pl.Boolean: pa.bool_(),
}

# Each refers to people by their number and to files by theirs; the rest is written as it comes.
_LINKS = """
select f.file, l.source_row, l.person, l.method, l.match_probability, l.decision
from links as l
join result_files as f on f.dataset = l.dataset and f.source_file = l.source_file and f.sheet = l.sheet
order by f.file, l.source_row, l.person"""

_OUTCOMES = """
select l.person, l.rule + 1 as rule, l.outcome, l.sentence
from answer_lines as l where l.outcome <> 'found' order by l.person, l.rule"""

_MONEY = """
select p.certificate_number, p.county_code, o.benefit, o.outcome, o.strength,
  cast(o.yuan_a_month as double) as yuan_a_month, cast(o.yuan_once as double) as yuan_once
from outcomes as o join people as p on p.person = o.person
where o.outcome in ('missing', 'renew_first', 'verify') and (o.yuan_a_month is not null or o.yuan_once is not null)
order by o.person, o.benefit"""

# What a comparison is for: what is missed, doubtful or contradicts; who simply receives is counted, not named.
_COMPARISONS = """
select c.pair, p.county_code, p.certificate_number, p.id_number, p.name, o.benefit as subject, o.outcome, o.strength, o.reason
from outcomes as o join people as p on p.person = o.person join rule_pairs as c on c.code = o.benefit
where o.outcome in ('missing', 'renew_first', 'verify', 'receiving_not_due')
union all
select c.pair, f.county_code, f.certificate_number, f.id_number, f.name, f.finding as subject, 'found' as outcome,
  '' as strength, f.reason
from findings as f join rule_pairs as c on c.code = f.finding
order by 1, 2, 3 nulls last, 4, 6, 7, 5, 9"""

_FINDINGS = """
select certificate_number, id_number, name, county_code, finding, reason
from findings order by finding, certificate_number nulls last, id_number, county_code, name, reason"""

_VISITS = """
select p.certificate_number, p.county_code, string_agg(v.sign, '+' order by v.weight desc, v.sign) as signs,
  cast(sum(v.weight) as bigint) as weight, m.monitored
from visit_signs as v
join people as p on p.person = v.person
left join visit_monitored as m on m.person = v.person
group by v.person, p.certificate_number, p.county_code, m.monitored
order by v.person"""

_NO_VISITS = """
select '' as certificate_number, '' as county_code, '' as signs, 0 as weight, false as monitored where false"""

_UNLINKED = """
select u.dataset, u.source_file, u.source_row, p.certificate_number, u.reason
from unlinked as u join people as p on p.person = u.person
order by u.dataset, u.source_file, u.sheet, u.source_row, u.person, u.reason"""

_FAMILY_LINKS = """
select f.dataset, f.source_file, f.source_row, p.certificate_number, f.through, f.family, f.decision
from family_links as f join people as p on p.person = f.person
order by f.dataset, f.source_file, f.source_row, p.certificate_number, f.through, f.family"""

_PAIRS = """
select * from pairs
order by dataset, source_file, sheet, source_row, certificate_number, id_number, person_key"""

_UNREADABLE = "select * from unreadable order by dataset, source_file, sheet, source_row, number"

_BLOCKS = "select * from blocks order by dataset, kind"

_FILES = """
create or replace table result_files as
select row_number() over (order by dataset, source_file, sheet) as file, dataset, source_file, sheet
from (select distinct dataset, source_file, sheet from links) as d"""

_FILE_NAMES = "select dataset, source_file from result_files order by file"
_PEOPLE = """
select p.certificate_number, p.id_number, p.name, p.county_code, k.said as certificate
from people as p left join certificates as k on k.person = p.person order by p.person"""
_RULES = "select code as benefit, strength, version as rule_version from rule_lines order by rule"
_SENTENCES = "select begins_with_certificate, said from sentences order by sentence"


def write_results(
    con: duckdb.DuckDBPyConnection, coverage: pl.DataFrame, cases: pl.DataFrame, folder: Path
) -> None:
    """All result files of a night, empty where there is nothing. `cases`: CASES, by case number."""
    folder.mkdir(parents=True, exist_ok=True)
    con.execute(_FILES).fetchall()
    people = con.sql(_PEOPLE).to_arrow_table().combine_chunks()
    places = con.sql(_FILE_NAMES).to_arrow_table().combine_chunks()
    rules, sentences = (con.sql(query).to_arrow_table().combine_chunks() for query in (_RULES, _SENTENCES))

    def write(name: str, query: str, columns: Mapping[str, type[pl.DataType]], **known: pa.Table) -> None:
        write_batches(filled(batches(con.cursor(), query), known), columns, folder / f"{name}.parquet")

    def write_outcomes() -> None:
        lines = filled(
            batches(con.cursor(), _OUTCOMES), {"person": people, "rule": rules, "sentence": sentences}
        )
        write_batches(map(_with_reason, lines), tables.OUTCOMES, folder / "outcomes.parquet")

    # the two large files side by side: each is one thread's work
    with ThreadPoolExecutor(2) as pool:
        large = [
            pool.submit(write, "links", _LINKS, tables.LINKS, person=people, file=places),
            pool.submit(write_outcomes),
        ]
        for task in large:
            task.result()
    write("money", _MONEY, tables.MONEY)
    write("comparisons", _COMPARISONS, tables.COMPARISONS)
    write("pairs", _PAIRS, tables.PAIRS)
    write("blocking", _BLOCKS, tables.BLOCKING)
    write("unreadable", _UNREADABLE, tables.UNREADABLE)
    write("findings", _FINDINGS, tables.FINDINGS)
    # a night whose caller asks for no signs has an empty table all the same
    write("visits", _VISITS if _has(con, "visit_signs") else _NO_VISITS, tables.VISITS)
    write("unlinked", _UNLINKED, tables.UNLINKED)
    write("family_links", _FAMILY_LINKS, tables.FAMILY_LINKS)
    ordered = coverage.select(list(tables.COVERAGE)).sort("dataset", "county_code")
    write_batches(ordered.to_arrow().to_batches(), tables.COVERAGE, folder / "coverage.parquet")
    write_batches(
        cases.select(list(tables.CASES)).to_arrow().to_batches(), tables.CASES, folder / "cases.parquet"
    )


def _has(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(con.execute("select 1 from duckdb_tables() where table_name = ?", [table]).fetchall())


def batches(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.RecordBatch]:
    """An ordered query, batch by batch."""
    yield from con.sql(query).to_arrow_reader(ROW_GROUP)


def filled(source: Iterable[pa.RecordBatch], known: Mapping[str, pa.Table]) -> Iterator[pa.RecordBatch]:
    """Numbers (from 1) in the columns named by `known` replaced by the columns of the row they stand for."""
    for batch in source:
        columns = {name: batch.column(name) for name in batch.schema.names if name not in known}
        for number, table in known.items():
            rows = pa.compute.subtract(batch.column(number), 1)
            columns |= {name: table.column(name).chunk(0).take(rows) for name in table.column_names}
        yield pa.RecordBatch.from_pydict(columns)


def _with_reason(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The sentence after the person's certificate, where it begins with it."""
    begin = pa.compute.if_else(batch.column("begins_with_certificate"), batch.column("certificate"), "")
    return batch.append_column("reason", pa.compute.binary_join_element_wise(begin, batch.column("said"), ""))


def write_batches(
    source: Iterable[pa.RecordBatch], columns: Mapping[str, type[pl.DataType]], path: Path
) -> None:
    """Batches in their order, cut into row groups of a fixed size, under the contract's columns."""
    schema = pa.schema([(name, _ARROW[kind]) for name, kind in columns.items()])
    part = path.with_suffix(".part")
    waiting: list[pa.RecordBatch] = []
    rows = 0
    low = [name for name in schema.names if name not in _ALL_DIFFERENT]
    with (
        pa.BufferedOutputStream(pa.OSFile(str(part), "wb"), _BUFFER) as stream,
        pq.ParquetWriter(
            stream, schema, compression="zstd", use_dictionary=low, store_schema=False
        ) as writer,
    ):
        for batch in source:
            waiting.append(batch)
            rows += batch.num_rows
            while rows >= ROW_GROUP:
                table = pa.Table.from_batches(waiting)
                writer.write_table(_as(table.slice(0, ROW_GROUP), schema), row_group_size=ROW_GROUP)
                waiting = table.slice(ROW_GROUP).to_batches()
                rows -= ROW_GROUP
        if rows:
            writer.write_table(_as(pa.Table.from_batches(waiting), schema), row_group_size=ROW_GROUP)
    part.replace(path)


def _as(table: pa.Table, schema: pa.Schema) -> pa.Table:
    return table.select(schema.names).cast(schema)
