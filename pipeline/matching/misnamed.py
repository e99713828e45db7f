"""A county's list whose people live in another county: its name says the wrong county, so it is believed for none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import duckdb
import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import Intake
from pipeline.contracts.problem import Problem
from pipeline.identity.mask import mask_text

FEWEST = 5  # below this many linked people a share says nothing

_AT_HOME = """
select count(distinct l.person) as people, count(distinct case when p.county_code = '{county}' then l.person end) as at_home
from linked_{table} as l join people as p on p.person = l.person
where l.source_file = '{file}'"""


def refuse_misnamed(
    con: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset], delivered: Intake
) -> Intake:
    """The delivery with such lists refused for the county of their name (`quarantined`, E248).

    What their rows show of anybody still stands; only absence from them says nothing any more.
    """
    problems, coverage = list(delivered.problems), delivered.coverage
    for snapshot in delivered.snapshots:
        if not snapshot.county:
            continue
        query = _AT_HOME.format(
            county=snapshot.county,
            table=datasets[snapshot.dataset].table,
            file=snapshot.source_file.replace("'", "''"),
        )
        people, at_home = con.execute(query).fetchall()[0]
        if people < FEWEST or at_home * 2 >= people:
            continue
        why = f"能对上的 {people} 人中只有 {at_home} 人住在这个县"
        cure = "核对文件名前的县代码；确是该县的，请报送单位说明后改名重报"
        problems.append(
            Problem(
                *("E248", "error", "名单中的人多数属于别的县", why, cure, mask_text(snapshot.source_file)),
                dataset=snapshot.dataset,
                county=snapshot.county,
            )
        )
        here = (pl.col("dataset") == snapshot.dataset) & (pl.col("county_code") == snapshot.county)
        coverage = coverage.with_columns(
            status=pl.when(here).then(pl.lit("quarantined")).otherwise("status"),
            why=pl.when(here).then(pl.lit(f"名单中的人多数属于别的县（{why}）")).otherwise("why"),
        )
    return replace(delivered, problems=tuple(sorted(problems)), coverage=coverage)
