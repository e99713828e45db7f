"""Findings about people of a list who are on no register: in receipt of a subsidy without being registered, and the like."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pipeline.contracts.dataset import Dataset
from pipeline.entitlement.compile import CompiledRule
from pipeline.entitlement.facts import Fact, list_facts_sql
from pipeline.entitlement.reasons import finding_reason_sql, valued


def outside_facts_sql(
    compiled: CompiledRule, facts: Mapping[str, Fact], datasets: Mapping[str, Dataset], as_of: date
) -> list[str]:
    """`outside_facts_<finding>`: people of one list with a sound ID who are on no register, with the facts the rule asks for.

    A register person with no usable number is not taken for an outsider where name and county agree.
    """
    dataset = datasets[compiled.rule.list]
    name, number = dataset.person.name, dataset.person.id
    statements = [
        f"""create or replace table outside as
select row_number() over (order by r.id_number) as person, r.*
from (
  select l.{number} as id_number, min(l.{name}) as name, min(s.county_code) as county_code
  from list_{dataset.table} as l
  join delivered_files as s on s.dataset = '{dataset.dataset}' and s.source_file = l.source_file
  left join known_numbers as k on k.number = l.{number}
  where l.{number} is not null and k.number is null
  group by l.{number}
) as r
left join (
  select distinct u.name, u.county_code from people as u
  left join matchable as m on m.person = u.person where m.person is null
) as unclear on unclear.name = r.name and unclear.county_code = r.county_code
where unclear.name is null"""
    ]
    columns, joins = [], []
    for key in dict.fromkeys(facts[name].dataset.dataset for name in compiled.facts):
        source = datasets[key]
        own = source.person.id
        some = [facts[name] for name in compiled.facts if facts[name].dataset.dataset == key]
        statements.append(
            f"create or replace table outside_rows as select l.*, o.person, 'linked' as decision"
            f" from list_{source.table} as l join outside as o on o.id_number = l.{own}"
        )
        query = list_facts_sql(source, some, as_of, rows="outside_rows")
        statements.append(f"create or replace table outside_{source.table} as\n{query}")
        columns += [f'coalesce(x_{source.table}."{fact.name}", false) as "{fact.name}"' for fact in some]
        joins.append(
            f"left join outside_{source.table} as x_{source.table} on x_{source.table}.person = o.person"
        )
    statements.append(
        f"create or replace table outside_facts_{compiled.rule.finding} as select o.person, o.county_code, o.id_number, o.name, "
        + ", ".join(columns)
        + " from outside as o "
        + " ".join(joins)
    )
    return statements


def outside_finding_sql(compiled: CompiledRule, facts: Mapping[str, Fact], as_of: date) -> str:
    """The lines of a finding about people outside the register; they have no certificate number."""
    clauses = "".join(f", ({c.sql}) as {c.column}" for c in compiled.clauses)
    due = " and ".join(
        [*(f"v.{c.column}" for c in compiled.who), *(f"not v.{c.column}" for c in compiled.excluded)]
    )
    return f"""
select cast(null as bigint) as person, cast(null as varchar) as certificate_number, v.id_number, v.name, v.county_code,
  '{compiled.rule.finding}' as finding, {finding_reason_sql(compiled, facts, outside=True)} as reason
from (
select v.*, {valued(compiled.who, facts) or "null"} as said
from (select f.*{clauses} from outside_facts_{compiled.rule.finding} as f) as v
left join covered as c on c.county_code = v.county_code
) as v
left join covered as c on c.county_code = v.county_code
where {due}"""
