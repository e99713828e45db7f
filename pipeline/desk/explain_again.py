"""Facts and answers of a few people once more: from the rows that the night linked to them, by the night's own code.

`results/` says which rows are whose; they are read from the accepted snapshots into the same tables that matching
makes (`linked_<list>`, `doubtful_<list>`, `family_links` …), and `pipeline.entitlement` does the rest. That takes
seconds at any size, and what clerks have judged since does not change what is explained.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipeline import entitlement
from pipeline.contracts.columns import snapshot_columns
from pipeline.contracts.dataset import Dataset
from pipeline.desk.explain_night import LastNight
from pipeline.matching.exact import RowPerson, carried_fields
from pipeline.matching.people import run_sql
from pipeline.matching.store import keep

# Kinds of places, strongest first: what a row has to do with a person.
LINKED, DOUBTFUL, SEVERAL, UNREADABLE, DENIED, SIMILAR, FAMILY = (
    *("linked", "doubtful", "several", "unreadable", "denied", "similar", "family"),
)
OWN = "own"  # the row of somebody on no register: its own number is his
_UNLIKELY = -6.6439  # bits: a pair of which less than one in a hundred is a match is not worth a line

_ASKED = """
create or replace table asked as
select p.person, p.certificate_number, p.id_number, coalesce(list(distinct k.number) filter (where k.number is not null), []) as numbers
from people as p
join asked_numbers as a on a.person = p.person
left join every_key as k on k.person = p.person
group by p.person, p.certificate_number, p.id_number"""

# Every row that the night has told of these people. The sheet is known of compared pairs only.
_TOLD = f"""
create or replace table told_places as
select case when l.decision = 'linked' then '{LINKED}' else '{DOUBTFUL}' end as kind, l.dataset, l.source_file, p.sheet,
  l.source_row, a.person, l.method, l.match_probability, cast(null as varchar) as why, cast(null as varchar) as family, l.decision
from night_links as l
join asked as a on a.certificate_number = l.certificate_number and a.id_number is not distinct from l.id_number
left join night_pairs as p on p.dataset = l.dataset and p.source_file = l.source_file and p.source_row = l.source_row
  and p.certificate_number = l.certificate_number and p.id_number is not distinct from l.id_number and p.decision = l.decision
union
select case when p.decision = 'linked' then '{LINKED}' when p.decision = 'review' then '{DOUBTFUL}' else '{SIMILAR}' end,
  p.dataset, p.source_file, p.sheet, p.source_row, a.person, p.method, p.match_probability, null, null, p.decision
from night_pairs as p
join asked as a on a.certificate_number = p.certificate_number and a.id_number is not distinct from p.id_number
where p.decision <> 'none' or p.match_weight > {_UNLIKELY}
union
select '{SEVERAL}', u.dataset, u.source_file, null, u.source_row, a.person, null, null, u.reason, null, 'review'
from night_unlinked as u cross join asked as a
where u.reason = 'several_people'
union
select '{DENIED}', u.dataset, u.source_file, null, u.source_row, a.person, null, null, u.reason, null, 'none'
from night_unlinked as u join asked as a on a.certificate_number = u.certificate_number
where u.reason <> 'several_people'
union
select '{FAMILY}', f.dataset, f.source_file, null, f.source_row, a.person, null, null, f.through, f.family, f.decision
from night_family_links as f join asked as a on a.certificate_number = f.certificate_number"""

_UNREAD = f"""
create or replace table places as
select '{UNREADABLE}' as kind, u.dataset, u.source_file, u.sheet, u.source_row, k.person, cast(null as varchar) as method,
  cast(null as double) as match_probability, 'unreadable' as why, cast(null as varchar) as family, 'review' as decision
from unreadable as u
join keys as k on k.number = u.number and k.kind = 'id'
join asked as a on a.person = k.person"""


def recompute(night: LastNight, people: Sequence[int]) -> None:
    """Creates `places` (every row about these people), `facts`, `outcomes`, `sure_outcomes` and what they are made of.

    From here on `people` holds them only. Afterwards `linked_<list>` and `doubtful_<list>` hold their rows.
    """
    con = night.con
    keep(con, "asked_numbers", pl.DataFrame({"person": list(people)}, schema={"person": pl.Int64}))
    run_sql(con, ";\n".join([_ASKED, _TOLD, _UNREAD]))
    lists = [d for d in night.datasets.values() if d.role != "register"]
    for dataset in lists:
        run_sql(con, _placed_sql(dataset))
        run_sql(con, _rows_sql(dataset))
    parts = [f"select person from doubtful_{d.table}" for d in lists]
    doubted = "\nunion\n".join([*parts, "select person from family_links where decision <> 'linked'"])
    run_sql(con, f"{_FAMILY_LINKS};\ncreate or replace table doubted as\n{doubted};\n{_ONLY_THESE}")
    _decide(night)


_FAMILY_LINKS = f"""
create or replace table family_links as
select distinct dataset, source_file, sheet, source_row, person, why as through, family, decision
from places where kind = '{FAMILY}'"""

_ONLY_THESE = """
create or replace table these_people as select p.* from people as p join asked as a on a.person = p.person;
create or replace table people as select * from these_people"""


def _placed_sql(dataset: Dataset) -> str:
    """`places` of one list, with their sheet. Of two sheets that both have the row, the one that bears his number counts;
    a row with two people's numbers is about those whose numbers it bears.
    """
    bears = f"list_has_any(a.numbers, [{', '.join(_numbers(dataset)) or repr('')}])"
    return f"""
insert into places
select t.kind, t.dataset, t.source_file, t.at_sheet, t.source_row, t.person, t.method, t.match_probability, t.why, t.family,
  t.decision
from (
  select t.*, l.sheet as at_sheet, {bears} as bears,
    row_number() over (
      partition by t.kind, t.source_file, t.source_row, t.person, t.sheet, t.why, t.family order by {bears} desc, l.sheet
    ) as place
  from told_places as t
  join list_{dataset.table} as l on l.source_file = t.source_file and l.source_row = t.source_row
  join asked as a on a.person = t.person
  where t.dataset = '{dataset.dataset}' and (t.sheet is null or t.sheet = l.sheet)
) as t
where t.place = 1 and (t.kind <> '{SEVERAL}' or t.bears)"""


def _numbers(dataset: Dataset) -> list[str]:
    """The numbers of a row (alias l) by which the night may have linked it, none of them null."""
    who, house = RowPerson.of(dataset), dataset.household
    columns = []
    if who.id:
        columns += [f"l.{who.id}", f"substr(l.{who.id}_certificate, 1, 20)"]
    if who.certificate:
        columns += [f"l.{who.certificate}_id", f"substr(l.{who.certificate}, 1, 20)"]
    if house and house.head_id:
        columns.append(f"l.{house.head_id}")
    return [f"coalesce({column}, '')" for column in columns]


def _rows_sql(dataset: Dataset) -> str:
    """`linked_<list>` and `doubtful_<list>` of these people, as matching makes them."""
    table = dataset.table
    types = snapshot_columns(dataset)
    said = "".join(f'l."{name}", ' for name in carried_fields(dataset))
    nothing = "".join(f'cast(null as {types[name]}) as "{name}", ' for name in carried_fields(dataset))
    there = f"""from places as p
join list_{table} as l on l.source_file = p.source_file and l.sheet = p.sheet and l.source_row = p.source_row
where p.dataset = '{dataset.dataset}'"""
    return f"""
create or replace table linked_{table} as
select distinct p.source_file, p.sheet, p.source_row, {said}p.person, p.method, p.match_probability, 'linked' as decision
{there} and p.kind = '{LINKED}';
create or replace table doubtful_{table} as
select distinct p.source_file, p.sheet, p.source_row, {said}p.person, 'review' as decision
{there} and p.kind in ('{DOUBTFUL}', '{SEVERAL}')
union all
select p.source_file, p.sheet, p.source_row, {nothing}p.person, 'review' as decision
from places as p where p.dataset = '{dataset.dataset}' and p.kind = '{UNREADABLE}'"""


def _decide(night: LastNight) -> None:
    """The night's facts and outcomes, for these people. (What it found stands in `night_findings`.)"""
    con, as_of, rules = night.con, night.as_of, list(night.rules)
    counties = night.coverage["county_code"].unique().to_list()
    entitlement.load_coverage(con, night.datasets, night.delivered)
    entitlement.build_parameters(con, {c.rule.code: c.rule for c in rules}, counties, as_of)
    used = {name: night.facts[name] for name in entitlement.facts_used(rules)}
    entitlement.build_facts(con, night.datasets, used, as_of)
    benefits = [compiled for compiled in rules if compiled.rule.benefit]
    entitlement.decide_people(con, benefits, night.facts, as_of)
