"""Outcomes of benefits and findings: the compiled rules run over the facts, with a reason for every line.

First the explanation bits of all rules for everybody (`verdict_bits`), in portions of people; then, for those of whom a rule
says something, a line with the outcome; last a sentence for every different line. What consumers read are the views
`outcomes` and `findings`, which put certificate and sentence together again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb

from pipeline.contracts.dataset import Dataset
from pipeline.entitlement.amounts import MONEY, amount_facts, amount_sql, once_sql
from pipeline.entitlement.compile import STATE, CompiledRule, due_sql, outcome_sql
from pipeline.entitlement.facts import Fact
from pipeline.entitlement.name_conflicts import note_name_conflicts
from pipeline.entitlement.outside_findings import outside_facts_sql, outside_finding_sql
from pipeline.entitlement.reasons import (
    CERTIFICATE,
    begins_with_certificate_sql,
    benefit_reason_sql,
    finding_reason_sql,
    told,
    valued,
)
from pipeline.entitlement.register_findings import REGISTER_FINDINGS
from pipeline.entitlement.verdict_bits import bits_table_sql, kind_of_bits, verdicts_sql

PORTION = 1_000_000  # people at a time: eight bytes a rule and person are held, and the lines of the portion

# A pattern is a number of explanation bits that occurs under a rule, with its outcome (`verify` in its place where only doubtful
# rows keep the answer open). `place` numbers what sentences need besides: the county, the certificate's state, whether the
# person could be sought at all.
_TABLES = f"""
create or replace table sure_outcomes (person bigint, benefit varchar, outcome varchar);
create or replace table patterns (pattern bigint, rule bigint, bits {{kind}}, outcome varchar);
create or replace table lines
  (person bigint, place bigint, pattern bigint, doubted boolean, said varchar, yuan_a_month {MONEY}, yuan_once {MONEY});
create or replace table different (sentence bigint, place bigint, pattern bigint, doubted boolean, said varchar);
create or replace table outcome_lines
  (person bigint, pattern bigint, doubted boolean, sentence bigint, yuan_a_month {MONEY}, yuan_once {MONEY});
create or replace table sentences (sentence bigint, begins_with_certificate boolean, said varchar);
create or replace table other_findings (person bigint, certificate_number varchar, id_number varchar, name varchar, county_code varchar,
  finding varchar, reason varchar);
"""

_SURROUNDINGS = f"""
create or replace table surroundings as
select row_number() over () as place, d.*
from (
  select distinct f.county_code, coalesce(f."{STATE}", '') as state, m.person is not null as unmatchable
  from facts as f left join unmatchable as m on m.person = f.person
) as d;
"""

# a table, so that what is asked of the few different numbers is not asked of everybody first
_SEEN = "create or replace table seen as select distinct bits_{number} as bits, cast(null as varchar) as state from bits"

_ADD_LINES = """
insert into different
select (select count(*) from different) + row_number() over () as sentence, l.*
from (select distinct place, pattern, doubted, said from lines) as l;
insert into outcome_lines
select l.person, l.pattern, l.doubted, d.sentence, l.yuan_a_month, l.yuan_once
from lines as l
join different as d on d.pattern = l.pattern and d.place = l.place and d.doubted = l.doubted and d.said = l.said;
truncate lines;
"""

_VIEWS = f"""
create or replace view certificates as select v.person, {CERTIFICATE} as said from facts as v;
create or replace view answer_lines as
select l.person, r.rule, r.code, r.strength, r.version, p.bits, case when l.doubted then 'verify' else p.outcome end as outcome,
  l.sentence, l.yuan_a_month, l.yuan_once
from outcome_lines as l
join patterns as p on p.pattern = l.pattern
join rule_lines as r on r.rule = p.rule;
create or replace view outcomes as
select l.person, p.county_code, l.code as benefit, l.outcome, l.strength,
  concat(case when s.begins_with_certificate then k.said end, s.said) as reason,
  l.version as rule_version, l.yuan_a_month, l.yuan_once
from answer_lines as l
join people as p on p.person = l.person
join sentences as s on s.sentence = l.sentence
left join certificates as k on k.person = l.person
where l.outcome <> 'found';
create or replace view person_findings as
select l.person, l.code as finding, concat(k.said, s.said) as reason
from answer_lines as l
join sentences as s on s.sentence = l.sentence
left join certificates as k on k.person = l.person
where l.outcome = 'found';
create or replace view findings as
select f.person, p.certificate_number, p.id_number, p.name, p.county_code, f.finding, f.reason
from person_findings as f join people as p on p.person = f.person
union all
select person, certificate_number, id_number, name, county_code, finding, reason from other_findings;
"""


def decide(
    con: duckdb.DuckDBPyConnection,
    rules: Sequence[CompiledRule],
    facts: Mapping[str, Fact],
    datasets: Mapping[str, Dataset],
    as_of: date,
) -> None:
    """Creates `outcomes` (by person's number), `findings` and `rule_pairs` (code, pair), unsorted. Reads facts, parameters, people,
    covered, unmatchable."""
    _note_pairs(con, rules)
    decide_people(con, [c for c in rules if c.rule.subject == "register"], facts, as_of)
    note_name_conflicts(con)
    con.execute(f"insert into other_findings {REGISTER_FINDINGS}").fetchall()
    for compiled in (c for c in rules if c.rule.subject == "outside_register"):
        for statement in outside_facts_sql(compiled, facts, datasets, as_of):
            con.execute(statement).fetchall()
        con.execute(f"insert into other_findings {outside_finding_sql(compiled, facts, as_of)}").fetchall()


def decide_people(
    con: duckdb.DuckDBPyConnection,
    rules: Sequence[CompiledRule],
    facts: Mapping[str, Fact],
    as_of: date,
    source: str = "facts",
) -> None:
    """Creates `outcomes` and `findings` of rules about register people, and `sure_outcomes`: what the answer would be without
    the doubtful rows, for the people of whom there are any. `source`: all facts, or those of some people only."""
    ordered = sorted(rules, key=lambda c: c.rule.code)  # a rule's number sorts like its code
    _run(con, _TABLES.format(kind=kind_of_bits(ordered, facts)) + _SURROUNDINGS)
    _note_rules(con, ordered)
    if con.execute("select count(*) from facts_sure").fetchall() != [(0,)]:
        con.execute(
            f"create or replace table bits as {bits_table_sql(ordered, facts, as_of, 'facts_sure')}"
        ).fetchall()
        for number, compiled in enumerate(ordered):
            if compiled.rule.benefit:
                con.execute(_SEEN.format(number=number)).fetchall()
                con.execute(f"insert into sure_outcomes {_sure_sql(compiled, number, facts)}").fetchall()
    known = 0  # patterns so far
    last = con.execute(f"select coalesce(max(person), 0) from {source} as f").fetchall()[0][0]
    for first in range(1, max(last, 1) + 1, PORTION):
        people = f"(select * from {source} as f where person between {first} and {first + PORTION - 1})"
        con.execute(
            f"create or replace table bits as {bits_table_sql(ordered, facts, as_of, people)}"
        ).fetchall()
        for number, compiled in enumerate(ordered):
            con.execute(_SEEN.format(number=number)).fetchall()
            query = _patterns_sql(compiled, number, facts, known)
            added = con.execute(f"insert into patterns {query}").fetchall()[0][0]
            con.execute(f"insert into lines {_lines_sql(compiled, number, facts, known)}").fetchall()
            known += added
        _run(con, _ADD_LINES)
    said = "select distinct p.rule from different as d join patterns as p on p.pattern = d.pattern order by p.rule"
    for (number,) in con.execute(said).fetchall():
        con.execute(f"insert into sentences {_sentences_sql(ordered[number], number, facts)}").fetchall()
    _run(con, _VIEWS)
    _run(
        con,
        "drop table bits; drop table seen; drop table lines; drop table different; drop table surroundings;",
    )


def _sure_sql(compiled: CompiledRule, number: int, facts: Mapping[str, Fact]) -> str:
    return f"""select b.person, '{compiled.rule.benefit}' as benefit, a.outcome
from bits as b join ({_answers_sql(compiled, facts)}) as a on a.bits = b.bits_{number}"""


def _answers_sql(compiled: CompiledRule, facts: Mapping[str, Fact]) -> str:
    """What the rule says for every different number that occurs: bits, outcome (of a finding `found`, where it is certain)."""
    outcome = (
        "case when due then 'found' else 'not_due' end" if compiled.rule.finding else outcome_sql(compiled)
    )
    return f"""
select v.bits, {outcome} as outcome from (
select w.*, {due_sql(compiled)} as due from (
select d.bits, {verdicts_sql(compiled, facts)}
from seen as d) as w) as v"""


def _patterns_sql(compiled: CompiledRule, number: int, facts: Mapping[str, Fact], known: int) -> str:
    return f"""
select {known} + row_number() over () as pattern, {number} as rule, a.bits, a.outcome
from ({_answers_sql(compiled, facts)}) as a where a.outcome <> 'not_due'"""


def _lines_sql(compiled: CompiledRule, number: int, facts: Mapping[str, Fact], known: int) -> str:
    """The lines of one rule: of a benefit for the people to whom something is due or may be, of a finding where it is certain.

    An answer that only doubtful rows keep open is `verify`; one that a missing list or an unknown keeps open whether
    they count or not is `undetermined`. What the benefit is worth is told besides, unknown where the rule or the place says nothing.
    """
    values = valued(told(compiled), facts)
    said = f"case when u.outcome in ('missing', 'found') then {values} end" if values else "null"
    month = amount_sql(compiled, facts, person="v", parameters="a")
    once = once_sql(compiled, facts, person="v", parameters="a")
    joins = ""
    if values or amount_facts(compiled.rule):
        joins += "\njoin facts as v on v.person = u.person"
    if values:
        joins += "\nleft join covered as c on c.county_code = v.county_code"
    if compiled.rule.amount:
        joins += "\njoin surroundings as w on w.place = u.place left join parameters as a on a.county_code = w.county_code"
    verify = f"""
left join (
  select person from sure_outcomes where benefit = '{compiled.rule.code}' and outcome <> 'undetermined'
) as s on s.person = b.person and p.outcome = 'undetermined'"""
    return f"""
select u.person, u.place, u.pattern, u.doubted, coalesce({said}, ''), {month}, {once}
from (
select b.person, b.place, p.outcome, p.pattern, s.person is not null as doubted
from bits as b
join (select * from patterns where pattern > {known}) as p on p.bits = b.bits_{number}{verify}
) as u{joins}"""


def _sentences_sql(compiled: CompiledRule, number: int, facts: Mapping[str, Fact]) -> str:
    """The sentences of one rule's different lines."""
    finding = bool(compiled.rule.finding)
    begins = "true" if finding else begins_with_certificate_sql()
    reason = finding_reason_sql(compiled, facts) if finding else benefit_reason_sql(compiled, facts)
    return f"""
select v.sentence, {begins}, {reason}
from (
select w.*, {due_sql(compiled)} as due from (
select u.sentence, u.county_code, u.unmatchable, u.outcome, u.said, {verdicts_sql(compiled, facts)} from (
select d.sentence, nullif(d.said, '') as said, p.bits, n.county_code, nullif(n.state, '') as state, n.unmatchable,
  case when d.doubted then 'verify' else p.outcome end as outcome
from different as d
join patterns as p on p.pattern = d.pattern and p.rule = {number}
join surroundings as n on n.place = d.place) as u) as w) as v
left join covered as c on c.county_code = v.county_code"""


def _note_pairs(con: duckdb.DuckDBPyConnection, rules: Sequence[CompiledRule]) -> None:
    pairs = [f"('{c.rule.code}', '{pair}')" for c in rules for pair in c.rule.pairs]
    con.execute("create or replace table rule_pairs (code varchar, pair varchar)").fetchall()
    if pairs:
        con.execute(f"insert into rule_pairs values {', '.join(pairs)}").fetchall()


def _note_rules(con: duckdb.DuckDBPyConnection, rules: Sequence[CompiledRule]) -> None:
    """`rule_lines`: what is the same on every line of a rule."""
    lines = [f"({n}, '{c.rule.code}', '{c.rule.strength}', '{c.version}')" for n, c in enumerate(rules)]
    con.execute(
        "create or replace table rule_lines (rule bigint, code varchar, strength varchar, version varchar)"
    ).fetchall()
    if lines:
        con.execute(f"insert into rule_lines values {', '.join(lines)}").fetchall()


def _run(con: duckdb.DuckDBPyConnection, statements: str) -> None:
    for statement in con.extract_statements(statements):
        con.execute(statement).fetchall()
