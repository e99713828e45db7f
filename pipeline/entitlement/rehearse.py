"""The night's facts and rules over no data: what cannot run is refused before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import duckdb
import polars as pl

from pipeline.contracts.columns import snapshot_columns
from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import Intake
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import Rule
from pipeline.contracts.tables import COVERAGE
from pipeline.entitlement.compile import compile_rules, outcome_sql, verdict_sql
from pipeline.entitlement.coverage import load_coverage
from pipeline.entitlement.fact import declared_facts
from pipeline.entitlement.facts import facts_sql, list_facts_sql
from pipeline.entitlement.parameters import build_parameters
from pipeline.locked_database import in_memory

# What matching leaves beside the lists, as far as facts read it.
_MATCHED = """
create table people (person bigint, county_code varchar, birth_date date, state varchar, source_file varchar,
  sheet varchar, source_row bigint);
create table superseded (person bigint);
create table doubted (person bigint);
create table matchable (person bigint);
create table family_links (person bigint, dataset varchar, source_file varchar, sheet varchar, source_row bigint,
  decision varchar);
"""


def rehearse(datasets: Mapping[str, Dataset], rules: Mapping[str, Rule], as_of: date) -> None:
    """Raises ReconcileError: E304, E305, E306 (a condition), E310 (one that the database does not accept)."""
    con = in_memory(optimizer=False)  # nothing is run: what is asked is whether it could be
    try:
        _no_data(con, datasets, as_of)
        facts = declared_facts(datasets)
        compiled = compile_rules(rules, facts, as_of)
        build_parameters(con, rules, [], as_of)
        for table in dict.fromkeys(fact.table for fact in facts.values() if fact.dataset.role != "register"):
            some = [fact for fact in facts.values() if fact.table == table]
            con.execute(f"describe {list_facts_sql(some[0].dataset, some, as_of)}").fetchall()
        own = {name: fact for name, fact in facts.items() if fact.dataset.role == "register"}
        for statement in facts_sql(datasets, own, as_of, sure=False):
            con.execute(statement).fetchall()
        columns = "".join(f', "{fact.name}" {fact.sql_type}' for fact in facts.values())
        con.execute(f"create or replace table facts (person bigint, county_code varchar{columns})").fetchall()
        for one in compiled:
            outcome = outcome_sql(one) if one.rule.benefit else "due"
            con.execute(
                f"describe select w.*, {outcome} as outcome from ({verdict_sql(one, as_of)}) as w"
            ).fetchall()
    except duckdb.Error as error:
        why = str(error).splitlines()[0]  # no data has been read: it can only quote the rules
        cure = "运行 `reconcile schemas check` 和 `reconcile rules check`，它们会指出文件和行"
        raise ReconcileError(Problem("E310", "error", "规则或事实的条件运行不了", why, cure)) from None
    finally:
        con.close()


def _no_data(con: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset], as_of: date) -> None:
    """Every table that facts are made of, empty."""
    for dataset in datasets.values():
        columns = ", ".join(f'"{name}" {kind}' for name, kind in snapshot_columns(dataset).items())
        con.execute(f"create table list_{dataset.table} ({columns})").fetchall()
        for kind in ("linked", "doubtful"):
            con.execute(
                f"create table {kind}_{dataset.table} as"
                f" select *, cast(null as bigint) as person, '' as decision from list_{dataset.table}"
            ).fetchall()
        if dataset.role == "register":
            con.execute(f"create view register as select * from list_{dataset.table}").fetchall()
    for statement in con.extract_statements(_MATCHED):
        con.execute(statement).fetchall()
    load_coverage(con, datasets, Intake(as_of, (), (), (), (), coverage=pl.DataFrame(schema=COVERAGE)))
