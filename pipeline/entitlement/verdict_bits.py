"""What a rule found for a person, as one whole number: the explanation bits.

Two bits a question, the lowest first: the standing of the certificate, then every fact that the rule uses, then every
condition that is more than such a fact. A condition and a yes/no fact are 0 no, 1 yes, 2 unknown; any other fact is 1 known,
2 unknown. All rules' bits of all people are worked out in one pass over the facts, each question once however many
rules ask it. Few different numbers occur; outcomes and sentences are made of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from pipeline.entitlement.compile import DEAD, STATE, CompiledRule, standing_sql
from pipeline.entitlement.fact import Fact

_STANDINGS = ("none", "valid", "expired", "unknown")
_NO, _YES, _UNKNOWN = 0, 1, 2
_IN_A_BIGINT = 31  # questions
_WIDE = "DECIMAL(38, 0)"  # of a rule that asks more: up to 62


def bits_table_sql(
    compiled: Sequence[CompiledRule], facts: Mapping[str, Fact], as_of: date, source: str = "facts"
) -> str:
    """One row a person: person, place (of `surroundings`: county, state of the certificate, unmatchable), and `bits_<n>` of the n-th rule.

    Reads `source`, `parameters`, `unmatchable` and `surroundings`.
    """
    asked = dict.fromkeys(question for one in compiled for question in _questions(one, facts).values())
    codes = {question: f"code_{n}" for n, question in enumerate(asked)}
    # in a select of its own: what is worked out there is worked out once
    inner = "".join(
        f",\n  cast(coalesce(cast(({question}) as int), {_UNKNOWN}) as bigint) as {column}"
        for question, column in codes.items()
    )
    bits = "".join(f",\n  {_sum(one, facts, codes)} as bits_{n}" for n, one in enumerate(compiled))
    return f"""select f.person, f.place{bits}
from (
select f.person, n.place,
  cast({_number(standing_sql(as_of))} as bigint) as standing{inner}
from {source} as f
join parameters as q on q.county_code = f.county_code
left join unmatchable as m on m.person = f.person
join surroundings as n on n.county_code = f.county_code and n.state = coalesce(f."{STATE}", '')
  and n.unmatchable = (m.person is not null)
) as f"""


def _number(standing: str) -> str:
    whens = " ".join(f"when '{name}' then {place}" for place, name in enumerate(_STANDINGS))
    return f"case {standing} {whens} end"


def _sum(compiled: CompiledRule, facts: Mapping[str, Fact], codes: Mapping[str, str]) -> str:
    kind = _kind(compiled, facts)
    places = enumerate(_questions(compiled, facts).values(), 1)
    parts = [f"cast(f.{codes[question]} as {kind}) * {4**place}" for place, question in places]
    return " + ".join([f"cast(f.standing as {kind})", *parts])


def _questions(compiled: CompiledRule, facts: Mapping[str, Fact]) -> dict[str, str]:
    """Name of the column of the verdict row: the question as SQL over `facts` (alias f) and `parameters` (alias q)."""
    named = {
        name: f'f."{name}"' if facts[name].is_yes_no else f'nullif(f."{name}" is not null, false)'
        for name in (*compiled.facts, DEAD)
    }
    asked = set(named.values())
    return named | {c.column: c.sql for c in compiled.clauses if c.sql not in asked}


def kind_of_bits(compiled: Sequence[CompiledRule], facts: Mapping[str, Fact]) -> str:
    """The SQL type that holds the bits of all these rules."""
    return _WIDE if any(_kind(one, facts) == _WIDE for one in compiled) else "BIGINT"


def _kind(compiled: CompiledRule, facts: Mapping[str, Fact]) -> str:
    return "BIGINT" if len(_questions(compiled, facts)) < _IN_A_BIGINT else _WIDE


def verdicts_sql(compiled: CompiledRule, facts: Mapping[str, Fact]) -> str:
    """The columns of a verdict row out of `bits` and `state`: `standing`, `due`, a verdict for every condition and yes/no fact;
    any other fact is true where it is known."""
    places = {column: place for place, column in enumerate(_questions(compiled, facts), 1)}
    standing = " ".join(f"when {place} then '{name}'" for place, name in enumerate(_STANDINGS))
    columns = [f'{_three(place)} as "{column}"' for column, place in places.items() if column != STATE]
    same = {question: column for column, question in _questions(compiled, facts).items()}
    columns += [
        f"{_three(places[same[c.sql]])} as {c.column}" for c in compiled.clauses if c.column not in places
    ]
    return f'case {_at(0)} {standing} end as standing, state as "{STATE}", ' + ", ".join(columns)


def answered_sql(
    compiled: CompiledRule, facts: Mapping[str, Fact], said: Callable[[str, str], str]
) -> list[str]:
    """For the standing and every condition and yes/no fact SQL over `bits`: the text `said(question, answer)`, null where unknown."""
    told = [
        (0, "standing", {answer: place for place, answer in enumerate(_STANDINGS) if answer != "unknown"})
    ]
    for place, column in enumerate(_questions(compiled, facts), 1):
        if column not in facts or facts[column].is_yes_no:
            told.append((place, column, {"no": _NO, "yes": _YES}))
    return [
        f"case {_at(place)} "
        + " ".join(
            f"when {code * 4**place} then '{said(question, answer)}'" for answer, code in answers.items()
        )
        + " end"
        for place, question, answers in told
    ]


def _three(place: int) -> str:
    one = 4**place
    return f"case {_at(place)} when {_YES * one} then true when {_NO * one} then false end"


def _at(place: int) -> str:
    """The two bits of a question where they stand. (Divisions and shifts mean different things in different databases.)"""
    return f"((bits % {4 ** (place + 1)}) - (bits % {4**place}))"
