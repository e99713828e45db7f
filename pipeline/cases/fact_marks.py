"""Marks of what a flag rests on: another mark where the facts are others, and nothing to be read out of it.

A mark has a part for the conditions of the rule (not for its words), for every answer that it found and for every value that it
reads; each names its question, so that only another answer to the same question is another fact: what a missing list leaves
unknown, and what comes to be known when it is there, is none. Or it has a part for everything that a finding about the register
says; there one more is another fact. What moves by itself from month to month is left out, else every case that a county has laid to rest would come
back with the next delivery: ages, totals of a year so far, the newest month of a series, what is counted within a window of
dates. Row numbers, file names and dates of snapshots are in no mark. What such a value decides stands in the answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from hashlib import sha256

import duckdb

from pipeline.cases.person_key import PersonKey
from pipeline.entitlement.amounts import amount_facts
from pipeline.entitlement.compile import CompiledRule
from pipeline.entitlement.dates import date_words
from pipeline.entitlement.expression import parse, to_sql
from pipeline.entitlement.fact import Fact
from pipeline.entitlement.parameters import column_of
from pipeline.entitlement.verdict_bits import answered_sql

# How marks are made. Another way needs another number: marks of different makings are not compared, the first new one of a case is
# what later ones are compared with. (The first making, of the bits alone, had no number; findings had an empty mark.)
_MAKING = "3"
_LENGTH = 12  # hex digits of what a finding says
_SHORT = 5  # of a question and of an answer to it: `3f09a.77c21`
_MOST_PARTS = 20  # the number of an institution may stand beside hundreds of names
_APART, _NULL = "chr(31)", "chr(30)"


def is_other(before: str, now: str) -> bool:
    """Whether the facts have certainly changed between two marks: a question is answered otherwise, or a finding says more."""
    if _making(before) != _making(now):
        return False
    known = _answers(before)
    changed = any(known.get(question, answer) != answer for question, answer in _answers(now).items())
    return changed or bool(_parts(now) - _parts(before))


def baseline(before: str, now: str) -> str:
    """The mark with which the next night's is compared: what is not said tonight stands as it was, its list may be missing."""
    if _making(before) != _making(now):
        return now
    parts = _parts(before) if _parts(now) < _parts(before) else _parts(now)
    answers = _answers(before) | _answers(now)
    for mark in (before, now):  # the order of the parts means nothing
        if (_parts(mark), _answers(mark)) == (parts, answers):
            return mark
    told = [*sorted(parts), *(f"{question}.{answer}" for question, answer in sorted(answers.items()))]
    return f"{_making(now)}:{'+'.join(told)}"


def _making(mark: str) -> str:
    return mark.partition(":")[0] if ":" in mark else ""


def _all_parts(mark: str) -> list[str]:
    return mark.rpartition(":")[2].split("+")


def _parts(mark: str) -> set[str]:
    """What a finding says."""
    return {part for part in _all_parts(mark) if "." not in part}


def _answers(mark: str) -> dict[str, str]:
    """Question → answer."""
    return {part.partition(".")[0]: part.partition(".")[2] for part in _all_parts(mark) if "." in part}


def answer_marks(
    con: duckdb.DuckDBPyConnection,
    rules: Sequence[CompiledRule],
    facts: Mapping[str, Fact],
    outcomes: Sequence[str],
    as_of: date,
    key: PersonKey,
) -> Iterator[tuple[int, str, str, str]]:
    """Person, code, outcome and mark of every line of `answer_lines` with one of these outcomes.

    A rule at a time: of the wide `facts` only the few columns that the rule reads are joined to the few people it names.
    """
    for compiled in sorted(rules, key=lambda one: one.rule.code):
        if compiled.rule.subject != "register":
            continue
        code, salt = compiled.rule.code, _salt(key)
        values = {name: f'f."{name}"' for name in steady_facts(compiled, facts, as_of)}
        values |= {name: f'q."{column_of(compiled.rule, name)}"' for name in _thresholds(compiled)}
        answers = answered_sql(compiled, facts, partial(_part, salt))
        # Hashed before the join: DuckDB 2.0's join fails on columns of `facts` that some of its chunks hold as a dictionary.
        query = f"""
with lines as (
  select person, code, outcome, bits from answer_lines
  where code = $code and list_contains($outcomes, outcome)),
said as (
  select f.person, {_joined([_value_sql(salt, *value) for value in values.items()])} as part
  from facts as f join parameters as q on q.county_code = f.county_code
  where f.person in (select person from lines)),
found as (select bits, {_joined(answers)} as part from (select distinct bits from lines))
select l.person, l.code, l.outcome, concat_ws('+', '{_MAKING}:{_meaning(compiled, salt)}', b.part, s.part)
from lines as l join found as b on b.bits = l.bits left join said as s on s.person = l.person order by l.person"""
        asked = {"code": code, "outcomes": list(outcomes)} | ({"salt": salt} if values else {})
        yield from con.execute(query, asked).fetchall()


def _thresholds(compiled: CompiledRule) -> list[str]:
    """The parameters that the conditions name: another value in force in the county is asked about again."""
    return list(dict.fromkeys(name for clause in compiled.clauses for name in clause.parameters))


def _meaning(compiled: CompiledRule, salt: str) -> str:
    """The part for what the rule asks, whatever its words are and however its conditions are spelled."""
    rule = compiled.rule
    asked = [f"{c.certain} {_read(c.when)}" for c in (*rule.who, *rule.excluded)]
    return _part(salt, "rule", "\x1f".join([str(len(rule.who)), *asked, _read(rule.received)]))


def _read(expression: str) -> str:
    return to_sql(parse(expression), '"{}"'.format) if expression else ""


def _part(salt: str, question: str, answer: str) -> str:
    return f"{_digest(salt, question)}.{_digest(salt, question, answer)}"


def _digest(salt: str, *texts: str) -> str:
    return sha256("\x1f".join((salt, *texts)).encode()).hexdigest()[:_SHORT]


def _value_sql(salt: str, name: str, column: str) -> str:
    """The part for one value (SQL, null where nothing is known)."""
    said = f"concat($salt, {_APART}, '{name}', {_APART}, cast({column} as varchar))"
    return f"case when {column} is not null then concat('{_digest(salt, name)}.', left(sha256({said}), {_SHORT})) end"


def _joined(parts: Sequence[str]) -> str:
    return f"concat_ws('+', {', '.join(parts)})" if parts else "cast(null as varchar)"


def steady_facts(compiled: CompiledRule, facts: Mapping[str, Fact], as_of: date) -> list[str]:
    """The facts that the rule or its amount reads and whose values stand in no explanation bit, without those that move by
    themselves."""
    words = date_words(as_of)
    names = dict.fromkeys((*compiled.facts, *amount_facts(compiled.rule)))
    return [
        name
        for name in names
        if not (facts[name].is_yes_no and name in compiled.facts) and not _moves(facts[name], list(words))
    ]


def _moves(fact: Fact, date_words: Sequence[str]) -> bool:
    if fact.kind in ("age", "sum") or (fact.kind == "latest" and fact.sql_type == "DATE"):
        return True
    amount = fact.field and fact.dataset.fields[fact.field].type == "amount" and fact.kind != "sharing"
    return not amount and any(word in fact.spec.of for word in date_words)


def finding_marks(con: duckdb.DuckDBPyConnection, key: PersonKey) -> Iterator[tuple[int, str, str]]:
    """Person, finding and mark of what is found about register people. Of several certificates of a person what all say together."""
    yield from con.execute(_REGISTER, {"salt": _salt(key)}).fetchall()


def outside_marks(
    con: duckdb.DuckDBPyConnection,
    rules: Sequence[CompiledRule],
    facts: Mapping[str, Fact],
    as_of: date,
    key: PersonKey,
) -> dict[tuple[str, str], str]:
    """(ID, finding) → mark, of the findings about people who are not on the register."""
    marks: dict[tuple[str, str], str] = {}
    for compiled in rules:
        if compiled.rule.subject != "outside_register":
            continue
        finding, words = str(compiled.rule.finding), list(date_words(as_of))
        salt = _salt(key)
        values = {name: f'f."{name}"' for name in compiled.facts if not _moves(facts[name], words)}
        values |= {name: f'q."{column_of(compiled.rule, name)}"' for name in _thresholds(compiled)}
        read = [_value_sql(salt, *value) for value in values.items()]
        query = f"""
select f.id_number, {_joined([f"'{_MAKING}:{_meaning(compiled, salt)}'", *read])} from outside_facts_{finding} as f
join (
  select id_number, min(county_code) as county_code from other_findings
  where person is null and finding = $finding group by id_number
) as o on o.id_number = f.id_number
left join parameters as q on q.county_code = o.county_code"""
        asked = {"finding": finding} | ({"salt": salt} if read else {})
        marks |= {(number, finding): mark for number, mark in con.execute(query, asked).fetchall()}
    return marks


def _salt(key: PersonKey) -> str:
    """Damaged numbers and names are few enough to be tried out: without the key file nobody can."""
    return key.of("mark", "facts")


def _part_sql(columns: Sequence[str]) -> str:
    values = "".join(f", {_APART}, coalesce(cast({column} as varchar), {_NULL})" for column in columns)
    return f"left(sha256(concat($salt{values})), {_LENGTH})"


# What each finding about the register says of the person, without where it stood: a line for each thing that is said. A name in
# one more list is no other name.
_BASES = """
select p.person, 'register_id_damaged' as finding,
  concat(g.id_typed, chr(31), case when p.id_number is null then g.cert_typed end) as basis
from people as p
join register as g on g.source_file = p.source_file and g.sheet = p.sheet and g.source_row = p.source_row
where p.delivered_id is null
union all
select person, 'register_id_conflict', concat(delivered_id, chr(31), delivered_certificate_id)
from people where delivered_id <> delivered_certificate_id
union all
select p.person, 'register_id_duplicate', concat(d.id_number, chr(31), d.certificates)
from people as p
join (
  select id_number, string_agg(certificate_number, chr(31) order by certificate_number) as certificates
  from people where id_number is not null group by id_number having count(*) > 1
) as d on d.id_number = p.id_number
union all
select distinct p.person, 'id_name_conflict', concat(p.name, chr(31), regexp_replace(u.row_name, '\\s', '', 'g'))
from unlinked as u
join people as p on p.person = u.person
left join links as l
  on l.dataset = u.dataset and l.source_file = u.source_file and l.sheet = u.sheet and l.source_row = u.source_row
  and l.decision = 'linked'
where u.other_name and l.source_row is null"""

_REGISTER = f"""
select r.person, r.finding, concat('{_MAKING}:', array_to_string((list_sort(list(distinct r.part)))[:{_MOST_PARTS}], '+'))
from (
  select coalesce(c.counting, f.person) as person, f.finding, {_part_sql(["f.finding", "b.basis"])} as part
  from (select distinct person, finding from other_findings where person is not null) as f
  left join ({_BASES}) as b on b.person = f.person and b.finding = f.finding
  left join counts_as as c on c.person = f.person
  join facts as j on j.person = coalesce(c.counting, f.person)
) as r group by r.person, r.finding order by r.person, r.finding"""
