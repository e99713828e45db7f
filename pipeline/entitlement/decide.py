"""Outcomes of benefits and findings: the compiled rules run over the facts, with a reason for every line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import duckdb

from pipeline.contracts.dataset import Dataset
from pipeline.entitlement.amounts import amount_sql, once_sql
from pipeline.entitlement.compile import CompiledRule, outcome_sql, verdict_sql
from pipeline.entitlement.facts import Fact, list_facts_sql
from pipeline.entitlement.reasons import benefit_reason_sql, finding_reason_sql

_AROUND = """
left join covered as c on c.county_code = v.county_code
left join unmatchable as m on m.person = v.person
"""


def sure_sql(compiled: CompiledRule, as_of: date) -> str:
    """What the answer would be without the doubtful rows, for the people of whom there are any."""
    return f"""
select w.person, '{compiled.rule.benefit}' as benefit, {outcome_sql(compiled)} as outcome
from (
{verdict_sql(compiled, as_of, source="facts_sure")}
) as w"""


def benefit_sql(compiled: CompiledRule, facts: Mapping[str, Fact], as_of: date) -> str:
    """The lines of one benefit; people to whom nothing is due are left out.

    An answer that only doubtful rows keep open is `verify`; one that a missing list or an unknown keeps open whether
    they count or not is `undetermined`. What the benefit is worth is told besides, unknown where the rule or the place says nothing.
    """
    rule = compiled.rule
    return f"""
select v.person, v.county_code, '{rule.benefit}' as benefit, v.outcome, '{rule.strength}' as strength,
  {benefit_reason_sql(compiled, facts)} as reason,
  '{compiled.version}' as rule_version,
  {amount_sql(compiled, facts, person="v", parameters="a")} as yuan_a_month,
  {once_sql(compiled, facts, person="v", parameters="a")} as yuan_once
from (
select u.*, case when u.answer = 'undetermined' and s.outcome <> 'undetermined' then 'verify' else u.answer end as outcome
from (
select w.*, {outcome_sql(compiled)} as answer
from (
{verdict_sql(compiled, as_of)}
) as w
) as u
left join sure_outcomes as s on s.person = u.person and s.benefit = '{rule.benefit}'
) as v
{_AROUND}
left join parameters as a on a.county_code = v.county_code
where v.outcome <> 'not_due'"""


def finding_sql(compiled: CompiledRule, facts: Mapping[str, Fact], as_of: date) -> str:
    """The lines of one finding about register people."""
    return f"""
select p.certificate_number, p.id_number, p.name, v.county_code, '{compiled.rule.finding}' as finding,
  {finding_reason_sql(compiled, facts)} as reason
from (
{verdict_sql(compiled, as_of)}
) as v
join people as p on p.person = v.person
{_AROUND}
where v.due"""


def decide(
    con: duckdb.DuckDBPyConnection,
    rules: list[CompiledRule],
    facts: Mapping[str, Fact],
    datasets: Mapping[str, Dataset],
    as_of: date,
) -> None:
    """Creates `outcomes` (by person's number), `findings` and `rule_pairs` (code, pair), unsorted. Reads facts, parameters, people,
    covered, unmatchable."""
    pairs = [f"('{c.rule.code}', '{pair}')" for c in rules for pair in c.rule.pairs]
    con.execute("create or replace table rule_pairs (code varchar, pair varchar)").fetchall()
    if pairs:
        con.execute(f"insert into rule_pairs values {', '.join(pairs)}").fetchall()
    benefits = [c for c in rules if c.rule.benefit]
    doubted = con.execute("select count(*) from facts_sure").fetchall() != [(0,)]
    _one_by_one(
        con, "sure_outcomes", [sure_sql(c, as_of) for c in benefits] if doubted else [_NOBODY_DOUBTED]
    )
    _one_by_one(con, "outcomes", [benefit_sql(c, facts, as_of) for c in benefits])
    found = [REGISTER_FINDINGS]
    found += [finding_sql(c, facts, as_of) for c in rules if c.rule.finding and c.rule.subject == "register"]
    for compiled in (c for c in rules if c.rule.finding and c.rule.subject == "outside_register"):
        for statement in outside_facts_sql(compiled, facts, datasets, as_of):
            con.execute(statement).fetchall()
        found.append(outside_finding_sql(compiled, facts, as_of))
    _one_by_one(con, "findings", found)


_NOBODY_DOUBTED = "select cast(null as bigint) as person, cast(null as varchar) as benefit, cast(null as varchar) as outcome where false"


def _one_by_one(con: duckdb.DuckDBPyConnection, table: str, queries: list[str]) -> None:
    """The rows of all queries as one table. A union of sixty rules would hold what each of them needs at the same time."""
    for place, query in enumerate(queries):
        head = f"create or replace table {table} as" if not place else f"insert into {table}"
        con.execute(f"{head}\n{query}").fetchall()


# What is wrong inside the register itself is told to 残联; these come from no policy, so they are no rule files.
REGISTER_FINDINGS = """
select p.certificate_number, p.id_number, p.name, p.county_code, 'register_id_damaged' as finding,
  case when p.id_number is null
    then '《持证残疾人名册》中本人身份证号与残疾人证号都不能使用，无法与任何名册比对，请更正。'
    else '《持证残疾人名册》中身份证号不合规，暂以残疾人证号的前18位比对，请更正。' end as reason
from people as p where p.delivered_id is null
union all
select p.certificate_number, p.id_number, p.name, p.county_code, 'register_id_conflict' as finding,
  '《持证残疾人名册》中身份证号与残疾人证号的前18位不一致，请核实更正。' as reason
from people as p where p.delivered_id <> p.delivered_certificate_id
union all
select p.certificate_number, p.id_number, p.name, p.county_code, 'register_id_duplicate' as finding,
  '《持证残疾人名册》中同一身份证号有多个残疾人证，请核实注销旧证或更正号码。' as reason
from people as p
join (select id_number from people where id_number is not null group by id_number having count(*) > 1) as d
  on d.id_number = p.id_number
union all
select p.certificate_number, p.id_number, p.name, p.county_code, 'id_name_conflict' as finding,
  concat('《', c.title, '》第', cast(c.source_row as varchar), '行用的是此人的身份证号，姓名却明显不同（《持证残疾人名册》第',
    cast(p.source_row as varchar), '行）', case when c.others > 0 then concat('，另有', cast(c.others as varchar), '行') else '' end,
    '；可能是号码借用、录错，或已改名，请核对两边。') as reason
from (
  select u.person, f.title, u.source_row,
    count(*) over (partition by u.person) - 1 as others,
    row_number() over (partition by u.person order by u.dataset, u.source_file, u.sheet, u.source_row) as place
  from unlinked as u
  join list_files as f on f.dataset = u.dataset and f.source_file = u.source_file
  left join links as l
    on l.dataset = u.dataset and l.source_file = u.source_file and l.sheet = u.sheet and l.source_row = u.source_row
    and l.decision = 'linked'
  where u.reason = 'name' and l.source_row is null
) as c
join people as p on p.person = c.person
where c.place = 1
"""


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
select cast(null as varchar) as certificate_number, v.id_number, v.name, v.county_code,
  '{compiled.rule.finding}' as finding, {finding_reason_sql(compiled, facts, outside=True)} as reason
from (select f.*{clauses} from outside_facts_{compiled.rule.finding} as f) as v
left join covered as c on c.county_code = v.county_code
where {due}"""
