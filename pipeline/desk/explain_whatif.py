"""What would have to change for a condition to turn: one fact at a time, tried by the condition's own SQL.

The values tried are the other ones a fact can have: yes and no, the codes of its column, and of a number every
value up to 120 (ages, levels, counts) or the ones next to the numbers that the condition itself names (money).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.desk.explain_night import LastNight
from pipeline.desk.explain_person import Person
from pipeline.desk.explain_rules import Answer, Condition, Kind, Verdict, outcome_if
from pipeline.entitlement.facts import Fact

SMALL = 120  # ages in years; levels and counts stay below it
_QUOTED = re.compile("'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True)
class Change:
    """One fact and the values with which the condition would come out as wished, in order."""

    fact: str
    values: tuple[object, ...]


def wish(condition: Condition) -> bool:
    """The verdict with which somebody misses the benefit: all conditions, no exclusion, nothing received."""
    return condition.kind == "who"


def receives(answer: Answer) -> Condition | None:
    """The condition of receipt, where the lists show that the benefit is received."""
    return next((c for c in answer.conditions if c.kind == "received" and c.verdict), None)


def in_the_way(answer: Answer) -> list[Condition]:
    """The conditions for which the benefit is not certainly due and missing, the certain ones first; receipt is no
    obstacle, but not knowing of it is.
    """
    found = [c for c in answer.conditions if c.verdict is not wish(c) and c is not receives(answer)]
    return sorted(found, key=lambda c: c.verdict is None)


def changes(night: LastNight, person: Person, condition: Condition) -> list[Change]:
    """Single facts that would turn the condition as wished; empty where only several together could."""
    found = []
    for name, now in condition.facts:
        values = [value for value in _candidates(night.facts[name], condition) if value != now]
        turned = _turning(night, person, condition, name, values) if values else ()
        if turned:
            found.append(Change(name, turned))
    return found


def _turning(
    night: LastNight, person: Person, condition: Condition, name: str, values: list[object]
) -> tuple[object, ...]:
    """The values of the fact with which the condition's own SQL comes out as wished."""
    kind = night.facts[name].sql_type
    query = f"""select f.tried, ({condition.clause.sql})
from (
  select f.* replace (cast(v.tried as {kind}) as "{name}"), v.tried
  from facts as f cross join (select unnest($values) as tried) as v
  where f.person = $person
) as f
join parameters as q on q.county_code = f.county_code"""
    rows = night.con.execute(query, {"values": values, "person": person.number}).fetchall()
    good = {tried for tried, verdict in rows if verdict is wish(condition)}
    return tuple(value for value in values if value in good)


def _candidates(fact: Fact, condition: Condition) -> Sequence[object]:
    if fact.sql_type == "BOOLEAN":
        return [True, False]
    codes = list(fact.dataset.fields[fact.field].codes) if fact.field else []
    if codes:
        return [int(code) for code in codes] if fact.sql_type == "BIGINT" else list(codes)
    if fact.sql_type != "BIGINT":
        return []  # dates and free text: the sentence of the condition says enough
    named = [int(n) for n in re.findall(r"\b[0-9]+\b", _QUOTED.sub("", condition.clause.sql))]
    named += [int(value) for _, value in condition.parameters if isinstance(value, int | float)]
    if max(named, default=0) <= SMALL:
        return list(range(SMALL + 1))
    return sorted({max(n + step, 0) for n in named for step in (-1, 0, 1)})


def if_all_turned(night: LastNight, answer: Answer) -> str:
    """The outcome if the certificate were valid and every condition came out as wished; what is received stays so."""
    return outcome_if(night, answer.rule, "valid", True, receives(answer) is not None)


def if_turned(night: LastNight, answer: Answer, turned: Condition) -> str:
    """The outcome if only this condition came out as wished."""
    verdicts = [(c.kind, wish(c) if c is turned else c.verdict) for c in answer.conditions]
    due = _due([(kind, verdict) for kind, verdict in verdicts if kind != "received"])
    received = next((verdict for kind, verdict in verdicts if kind == "received"), None)
    return outcome_if(night, answer.rule, answer.standing, due, received)


def _due(verdicts: list[tuple[Kind, Verdict]]) -> Verdict:
    """All of who and none of except, Kleene."""
    wished = [None if v is None else v is (kind == "who") for kind, v in verdicts]
    return False if False in wished else None if None in wished else True
