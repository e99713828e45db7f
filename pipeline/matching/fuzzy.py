"""The fuzzy fallback: open rows of every list, compared with the register people they may be about.

Per list: block (equality joins), compare (one level a field), weigh (Fellegi–Sunter, frozen weights), assign (one row to
one person, best overall), decide (linked, review, none). It adds to `linked_<list>` and `doubtful_<list>` and never
touches an exact link. Nothing in it depends on how many rows or people there are besides the compared pair's rivals
(but for key values that so many share that they are left out, `blocking.LARGEST`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import duckdb
import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.matching import blocking, pair_table
from pipeline.matching.open_rows import all_open_sql, open_rows_sql, slot_group_sql
from pipeline.matching.pair_matching import Matcher, matched
from pipeline.matching.people import run_sql
from pipeline.matching.person_features import learn, person_features
from pipeline.matching.row_features import FEATURES, carried_fields
from pipeline.matching.store import keep


def link_fuzzily(
    con: duckdb.DuckDBPyConnection,
    datasets: Mapping[str, Dataset],
    matcher: Matcher,
    successor: Callable[[str], str],
) -> None:
    """Creates `open_<list>`, `pairs` (contracts.tables.PAIRS) and `blocks` (BLOCKING); adds to linked_ and doubtful_."""
    register = next(d for d in datasets.values() if d.role == "register")
    lists = [d for d in datasets.values() if d.role != "register"]
    run_sql(con, _SEVERAL)
    numbers: pl.DataFrame = con.sql("select id_number from people order by person").pl()
    with ThreadPoolExecutor(1) as beside:  # neither keeps all processors busy
        people = beside.submit(_prepare, con.cursor(), datasets, register).result
        for place, dataset in enumerate(lists):
            run_sql(con, open_rows_sql(dataset, place))
        run_sql(con, all_open_sql(lists, "open_rows"))
        run_sql(con, _taken_sql(lists))
        blocks, decided = matched(
            con, "open_rows", people, numbers["id_number"], "people_keys", matcher, successor
        )
    keep(con, "decided", decided.select("row", "person", "method", "match_probability", "decision"))
    for dataset in lists:
        run_sql(con, _take_over_sql(dataset))
    run_sql(con, _NOW_KNOWN)
    keep(con, "pairs", pair_table.told(places(con, lists, decided), people()))
    keep(con, "blocks", pair_table.key_report([d.dataset for d in lists], blocks, decided))


def _prepare(
    con: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset], register: Dataset
) -> pl.DataFrame:
    """The people's features; in the database their keys, what exact links taught, and what to ask lists about."""
    learn(con, datasets)
    people = person_features(con, register)
    repaired: pl.DataFrame = con.sql("select person, number from repaired_numbers").pl()
    learned = {
        "accounts": con.sql("select person, number from learned_accounts").pl(),
        "heads": con.sql("select person, number from learned_heads").pl(),
    }
    keep(con, "people_keys", blocking.person_keys(people, repaired, learned))
    return people


_SEVERAL = """
create or replace table several_places as
select dataset, source_file, sheet, source_row from unlinked where reason = 'several_people'
group by dataset, source_file, sheet, source_row"""


def _taken_sql(lists: list[Dataset]) -> str:
    """`taken`: which one row of a list a person has already (dataset, person, slot_group)."""
    parts = [
        f"select distinct '{d.dataset}' as dataset, l.person, {slot_group_sql(d, 'l')} as slot_group from linked_{d.table} as l"
        for d in lists
        if d.unique_by is not None
    ]
    return "create or replace table taken as\n" + "\nunion all\n".join([_NONE_TAKEN, *parts])


_NONE_TAKEN = "select cast(null as varchar) as dataset, cast(null as bigint) as person, cast(null as varchar) as slot_group where false"

# The number that a list holds of a register person whose own is damaged is on the register, though damaged.
_NOW_KNOWN = """
insert into known_numbers
select distinct o.r_number
from open_rows as o
join decided as d on d."row" = o."row"
join people as p on p.person = d.person
where d.decision <> 'none' and p.id_number is null and o.r_number is not null"""


def places(con: duckdb.DuckDBPyConnection, lists: list[Dataset], decided: pl.DataFrame) -> pl.DataFrame:
    """The decided pairs worth telling of, with the place and the words of their rows."""
    likely = pl.col("match_probability") >= pair_table.TOLD
    some = decided.filter(likely | (pl.col("decision") != "none") | pl.col("answer").is_not_null())
    keep(con, "told_rows", some.select("row").unique())
    parts = [
        f'select o."row", o.source_file, o.sheet, o.source_row, o.county, {", ".join(FEATURES)}'
        f' from open_{d.table} as o join told_rows as t on t."row" = o."row"'
        for d in lists
    ]
    rows: pl.DataFrame = con.sql("\nunion all\n".join(parts)).pl()
    return some.join(rows, on="row", how="left", maintain_order="left")


def _take_over_sql(dataset: Dataset) -> str:
    """The decided rows join `linked_<list>` and `doubtful_<list>`; of a row denied but linked in the end nothing is told."""
    table = dataset.table
    carried = "".join(f'o."{name}", ' for name in carried_fields(dataset))
    return f"""
insert into linked_{table}
select o.source_file, o.sheet, o.source_row, {carried}d.person, d.method, d.match_probability, 'linked' as decision
from open_{table} as o join decided as d on d."row" = o."row" where d.decision = 'linked';

insert into doubtful_{table}
select o.source_file, o.sheet, o.source_row, {carried}d.person, 'review' as decision
from open_{table} as o join decided as d on d."row" = o."row" where d.decision = 'review';

insert into review_links
select '{dataset.dataset}' as dataset, b.source_file, b.sheet, b.source_row, b.person, b.method, b.match_probability, 'review' as decision
from (
  select o.source_file, o.sheet, o.source_row, d.person, d.method, d.match_probability,
    row_number() over (partition by d."row" order by d.match_probability desc, d.person) as place
  from open_{table} as o join decided as d on d."row" = o."row"
  left join (select distinct "row" from decided where decision = 'linked') as k on k."row" = d."row"
  where d.decision = 'review' and k."row" is null
) as b where b.place = 1;
"""
