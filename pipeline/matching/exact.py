"""Exact links: a row belongs to a register person when a number of his stands in it and nothing in the row denies it.

One builder for the SQL of every list; the numbers are joined by equality, one join a number, unioned (never an `or`).
A row whose own birth date or sex contradicts the number, or whose name plainly does, is not linked: a guardian's or
house head's number stands on a child or member. It goes to `unlinked` with the reason, for the fuzzy stage; there, too,
whether its name is another person's, which a birth date that denies the number already does not say.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import polars as pl

from pipeline.contracts.columns import snapshot_columns
from pipeline.contracts.dataset import Dataset
from pipeline.contracts.own_number import RowPerson as RowPerson
from pipeline.identity.person_name import contradicts
from pipeline.matching.people import run_sql
from pipeline.matching.row_features import FEATURES as FEATURES
from pipeline.matching.row_features import carried_fields as carried_fields
from pipeline.matching.row_features import features_sql
from pipeline.matching.store import keep


def candidates_sql(dataset: Dataset) -> str:
    """`candidates_<list>`: every row × register person of which a number stands in the row, with what may deny it.

    Also the rows under a number that is asked for (method `asked`, person null): all in one pass over the list.
    """
    who = RowPerson.of(dataset)
    carried = [f'l."{name}"' for name in carried_fields(dataset)]
    features = [f"{sql} as {name}" for name, sql in features_sql(dataset).items()]
    number = ["k.birth_date as number_birth_date", "k.sex as number_sex"]
    house = dataset.household
    borrowed = (
        f"coalesce(l.{who.id} = l.{house.head_id} and l.{house.relation} <> '户主', false)"
        if who.id and house and house.head_id and house.relation
        else "false"
    )
    said = ", ".join(
        ["l.source_file", "l.sheet", "l.source_row", *carried, *features, *number, f"{borrowed} as borrowed"]
    )
    source = f"from list_{dataset.table} as l join keys_to_probe as k"
    unsure = f"from unsure_{dataset.table} as l join keys as k"  # where the ID column may not say it all
    parts = []
    if who.id:
        in_it = f"case when l.{who.id}_certificate is null then 'id' else 'certificate_in_id_column' end"
        method = f"case when k.kind = 'asked' then 'asked' else {in_it} end"
        parts.append(
            f"select {said}, k.person, {method} as method {source}"
            f" on k.number = l.{who.id} where k.kind in ('id', 'asked')"
        )
        parts.append(
            f"select {said}, k.person, 'certificate_number' as method {unsure}"
            f" on k.number = substr(l.{who.id}_certificate, 1, 20)"
            f" where k.kind = 'certificate' and l.{who.id} is null"
        )
    if who.certificate:
        beside = unsure if who.id else source
        other = f" and (l.{who.id} is null or l.{who.id} <> l.{who.certificate}_id)" if who.id else ""
        parts.append(
            f"select {said}, k.person, 'certificate_id' as method {beside}"
            f" on k.number = l.{who.certificate}_id where k.kind = 'id'{other}"
        )
        parts.append(
            f"select {said}, k.person, 'certificate_number' as method {beside}"
            f" on k.number = substr(l.{who.certificate}, 1, 20)"
            f" where k.kind = 'certificate' and l.{who.certificate}_id is null"
        )
    if who.id and house and house.head_id and house.relation:
        # the head's own row without a number: the head's number beside it is his
        parts.append(
            f"select {said}, k.person, 'head_id' as method {unsure} on k.number = l.{house.head_id}"
            f" where k.kind = 'id' and l.{who.id} is null and l.{house.relation} = '户主'"
        )
    return f"create or replace table candidates_{dataset.table} as\n" + "\nunion all\n".join(parts)


def pairs_sql(dataset: Dataset) -> str:
    """The distinct names that stand against a register name under one number in this list."""
    return (
        "select distinct p.name as register_name, c.r_name as row_name,"
        " coalesce(c.r_birth_date = c.number_birth_date, false) as confirmed"
        f" from candidates_{dataset.table} as c"
        " join people as p on p.person = c.person"
        " where c.r_name <> p.name"
    )


def linked_sql(dataset: Dataset) -> str:
    """`judged_<list>` (candidates with their veto), `linked_<list>` (one register person a row) and, of those, the places of the
    few that their own sound number alone would leave open (`linked_apart_<list>`).

    A row whose numbers name one person by two ways is linked by one of them; one that names two people is not linked.
    Rows denied, and rows under a number that is asked for, go to `unsettled_<list>` with their features.
    """
    table = dataset.table
    carried = "".join(f'j."{name}", ' for name in carried_fields(dataset))
    said = ", ".join(
        [*(f'c."{name}"' for name in carried_fields(dataset)), *(f"c.{name}" for name in FEATURES)]
    )
    of_one = f"""from judged_{table} as j
left join several_{table} as s
  on s.source_file = j.source_file and s.sheet = j.sheet and s.source_row = j.source_row
where j.veto is null and (s.person is null or (s.person = s.other and s.method = j.method))"""
    return f"""
create or replace table judged_{table} as
select
  c.*,
  case
    when c.r_birth_date <> c.number_birth_date then 'birth_date'
    when c.r_sex <> c.number_sex then 'sex'
    when n.register_name is not null then 'name'
    when c.borrowed then 'head_id'
  end as veto,
  n.register_name is not null as other_name,
  cast(case when c.r_name = p.name then 1.0 else 0.999 end as double) as match_probability
from candidates_{table} as c
join people as p on p.person = c.person
left join name_contradictions as n
  on n.register_name = p.name and n.row_name = c.r_name
  and n.confirmed = coalesce(c.r_birth_date = c.number_birth_date, false);

create or replace table several_{table} as
select source_file, sheet, source_row, min(person) as person, max(person) as other, min(method) as method
from judged_{table}
where veto is null
group by source_file, sheet, source_row
having count(*) > 1;

create or replace table linked_{table} as
select
  j.source_file, j.sheet, j.source_row, {carried}j.person, j.method, j.match_probability, 'linked' as decision
{of_one};

create or replace table linked_apart_{table} as
select distinct j.source_file, j.sheet, j.source_row
{of_one}
  and (j.method <> 'id' or substr(j.r_number, 16, 3) = '000');

{doubtful_sql(dataset)}
create or replace table denied_{table} as
select v.source_file, v.sheet, v.source_row, v.person, min(v.veto) as reason,
  min(v.r_name) as row_name, bool_or(v.other_name) as other_name
from judged_{table} as v
left join linked_{table} as l
  on l.source_file = v.source_file and l.sheet = v.sheet and l.source_row = v.source_row
where v.veto is not null and l.source_row is null
group by v.source_file, v.sheet, v.source_row, v.person;

create or replace table unsettled_{table} as
select distinct c.source_file, c.sheet, c.source_row, {said}
from candidates_{table} as c
left join asked_numbers as a on a.number = c.r_number and c.method = 'asked'
left join denied_{table} as d
  on d.source_file = c.source_file and d.sheet = c.sheet and d.source_row = c.source_row
where d.source_row is not null or (c.method = 'asked' and coalesce(a.name <> c.r_name, true));
drop table candidates_{table};

insert into unlinked
select '{dataset.dataset}' as dataset, j.source_file, j.sheet, j.source_row, j.person, j.reason, j.row_name, j.other_name
from (
  select source_file, sheet, source_row, person, reason, row_name, other_name from denied_{table}
  union all
  select s.source_file, s.sheet, s.source_row, s.person, 'several_people' as reason, null, false
  from several_{table} as s where s.person <> s.other
  union all
  select s.source_file, s.sheet, s.source_row, s.other as person, 'several_people' as reason, null, false
  from several_{table} as s where s.person <> s.other
) as j;
"""


def doubtful_sql(dataset: Dataset) -> str:
    """`doubtful_<list>`: rows that may be about a register person and cannot be said to be, or not to be.

    Rows whose numbers name two people, with what they say; rows that could not be read but hold a person's number, with
    nothing. They link nobody; the facts that they could change become unknown.
    """
    carried = carried_fields(dataset)
    said = "".join(f'j."{name}", ' for name in carried)
    types = snapshot_columns(dataset)
    nothing = "".join(f'cast(null as {types[name]}) as "{name}", ' for name in carried)
    return f"""
create or replace table doubtful_{dataset.table} as
select j.source_file, j.sheet, j.source_row, {said}j.person, 'review' as decision
from judged_{dataset.table} as j
join several_{dataset.table} as s
  on s.source_file = j.source_file and s.sheet = j.sheet and s.source_row = j.source_row
where j.veto is null and s.person <> s.other
union all
select u.source_file, u.sheet, u.source_row, {nothing}k.person, 'review' as decision
from unreadable as u
join keys as k on k.number = u.number
where k.kind = 'id' and u.dataset = '{dataset.dataset}';
"""


def link_exactly(con: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset]) -> None:
    """Creates `linked_<list>`, `doubtful_<list>` and `denied_<list>` for every list, and `unlinked` (rows denied, with
    the reason, the name that the row says, and whether that is plainly another person's). `finish_links` ends the matching.
    """
    lists = [d for d in datasets.values() if d.role != "register"]
    for dataset in lists:
        run_sql(con, candidates_sql(dataset))
    run_sql(con, UNLINKED_TABLE)
    keep(con, "name_contradictions", contradictions(con, [pairs_sql(dataset) for dataset in lists]))
    for dataset in lists:
        run_sql(con, linked_sql(dataset))
        for kind in ("judged", "several"):
            run_sql(con, f"drop table {kind}_{dataset.table}")
    run_sql(con, REVIEW_LINKS_TABLE)


def finish_links(con: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset]) -> None:
    """Creates `links` (every linked row, and the best candidate of every row for review), `doubted` (people of whom
    some row is in doubt), and takes from `unlinked` what was linked to the same person in the end.
    """
    lists = [d for d in datasets.values() if d.role != "register"]
    doubted = "\nunion\n".join(f"select person from doubtful_{d.table}" for d in lists)
    run_sql(con, f"create or replace table doubted as\n{doubted}")
    union = "\nunion all\n".join(
        f"select '{d.dataset}' as dataset, source_file, sheet, source_row, person, method, match_probability, decision"
        f" from linked_{d.table}"
        for d in lists
    )
    run_sql(con, f"create or replace view links as\n{union}\nunion all\nselect * from review_links")
    run_sql(con, STILL_UNLINKED)


STILL_UNLINKED = """
create or replace table still_unlinked as
select u.* from unlinked as u
left join links as l
  on l.dataset = u.dataset and l.source_file = u.source_file and l.sheet = u.sheet and l.source_row = u.source_row
  and l.person = u.person and l.decision = 'linked'
where l.source_row is null;
create or replace table unlinked as select * from still_unlinked;
drop table still_unlinked;
"""

REVIEW_LINKS_TABLE = """
create or replace table review_links (
  dataset varchar, source_file varchar, sheet varchar, source_row bigint, person bigint, method varchar,
  match_probability double, decision varchar
);
"""


UNLINKED_TABLE = """
create or replace table unlinked (
  dataset varchar, source_file varchar, sheet varchar, source_row bigint, person bigint, reason varchar,
  row_name varchar, other_name boolean
);
"""


def contradictions(con: duckdb.DuckDBPyConnection, queries: list[str]) -> pl.DataFrame:
    """The pairs of names that plainly belong to two people, out of all pairs that stand under one number."""
    pairs: pl.DataFrame = (
        con.sql("\nunion\n".join(queries)).pl().sort("register_name", "row_name", "confirmed")
    )
    other = contradicts(pairs["register_name"], pairs["row_name"], pairs["confirmed"])
    return pairs.filter(other)
