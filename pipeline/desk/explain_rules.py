"""Each rule as it came out for one person: every condition true, false or unknown, the values behind it, the outcome.

The verdicts come from the night's own SQL (`entitlement.compile.verdict_sql`), one column a condition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.desk.explain_night import LastNight
from pipeline.desk.explain_person import Person
from pipeline.entitlement.compile import Clause, CompiledRule, outcome_sql, verdict_sql
from pipeline.entitlement.expression import names_in, parse
from pipeline.entitlement.parameters import column_of

Kind = Literal["who", "except", "received"]
Verdict = bool | None  # None: unknown


@dataclass(frozen=True)
class Condition:
    """One condition's verdict. `facts` and `parameters` are the values that it is made of, in order of appearance."""

    kind: Kind
    clause: Clause
    verdict: Verdict
    facts: tuple[tuple[str, object], ...]
    parameters: tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class Answer:
    """A rule's answer. `outcome` as in outcomes.parquet, `not_due` where nothing is due; findings: `found` or not.

    `reason` is the night's sentence ("" where it wrote none), `without_doubt` the outcome if no row were in doubt.
    """

    rule: CompiledRule
    standing: str  # of the certificate: valid, expired, unknown, none
    conditions: tuple[Condition, ...]
    due: Verdict
    outcome: str
    reason: str
    without_doubt: str | None

    @property
    def title(self) -> str:
        return self.rule.rule.title


def answers(night: LastNight, person: Person) -> list[Answer]:
    """Every rule about register people in the rules' order; none for a certificate that another one supersedes."""
    facts = person_facts(night, person)
    if facts is None:
        return []
    parameters, found = _parameters(night, person), findings_of(night, person)
    return [_answer(night, person, compiled, facts, parameters, found) for compiled in night.rules]


def findings_of(night: LastNight, person: Person) -> dict[str, str]:
    """What the night found about the person: code and sentence, in the codes' order."""
    query = """select finding, reason from night_findings
where certificate_number is not distinct from $certificate and id_number is not distinct from $id
  and name is not distinct from $name order by finding, reason"""
    asked = {"certificate": person.certificate_number, "id": person.id_number, "name": person.name}
    return dict(night.con.execute(query, asked).fetchall())


def person_facts(night: LastNight, person: Person) -> dict[str, object] | None:
    """The facts of the person by name as the night computed them; None if he has none (superseded)."""
    return one_row(night, "select * from facts as w", person)


def one_row(night: LastNight, query: str, person: Person) -> dict[str, object] | None:
    """The person's row of a query (alias w, with a column `person`) by column; None where there is none."""
    found = night.con.execute(f"{query} where w.person = $person", {"person": person.number})
    names = [column[0] for column in found.description or ()]
    rows = found.fetchall()
    return dict(zip(names, rows[0], strict=True)) if rows else None


def _answer(
    night: LastNight,
    person: Person,
    compiled: CompiledRule,
    facts: dict[str, object],
    parameters: dict[str, object],
    found: dict[str, str],
) -> Answer:
    verdicts = one_row(night, f"select * from (\n{verdict_sql(compiled, night.as_of)}\n) as w", person) or {}
    conditions = tuple(
        _condition(kind, clause, when, compiled, verdicts, facts, parameters)
        for kind, clause, when in _clauses(compiled)
    )
    due = _verdict(verdicts["due"])
    standing = str(verdicts["standing"])
    if compiled.rule.finding:
        outcome = "found" if due else "not_found" if due is False else "unknown"
        return Answer(
            compiled, standing, conditions, due, outcome, found.get(compiled.rule.finding, ""), None
        )
    return Answer(compiled, standing, conditions, due, *_outcome(night, person, compiled))


def _clauses(compiled: CompiledRule) -> list[tuple[Kind, Clause, str]]:
    """Every condition with its expression as written in the rule."""
    rule = compiled.rule
    found: list[tuple[Kind, Clause, str]] = []
    found += [("who", c, said.when) for c, said in zip(compiled.who, rule.who, strict=True)]
    found += [("except", c, said.when) for c, said in zip(compiled.excluded, rule.excluded, strict=True)]
    return found + ([("received", compiled.received, rule.received)] if compiled.received else [])


def _condition(
    kind: Kind,
    clause: Clause,
    when: str,
    compiled: CompiledRule,
    verdicts: dict[str, object],
    facts: dict[str, object],
    parameters: dict[str, object],
) -> Condition:
    used = [name for name in names_in(parse(when)) if name in compiled.rule.parameters]
    values = tuple((name, parameters.get(column_of(compiled.rule, name))) for name in used)
    stated = tuple((name, facts[name]) for name in clause.facts)
    return Condition(kind, clause, _verdict(verdicts[clause.column]), stated, values)


def _verdict(value: object) -> Verdict:
    return None if value is None else bool(value)


def _parameters(night: LastNight, person: Person) -> dict[str, object]:
    """The rules' parameters in the person's county, by column of `parameters`."""
    query = "select * from parameters where county_code = $county"
    found = night.con.execute(query, {"county": person.county_code})
    names = [column[0] for column in found.description or ()]
    rows = found.fetchall()
    return dict(zip(names, rows[0], strict=True)) if rows else {}


def _outcome(night: LastNight, person: Person, compiled: CompiledRule) -> tuple[str, str, str | None]:
    """The benefit's outcome, its sentence and what it would be without the rows in doubt."""
    asked = {"person": person.number, "benefit": compiled.rule.benefit}
    where = "where person = $person and benefit = $benefit"
    sure = night.con.execute(f"select outcome from sure_outcomes {where}", asked).fetchall()
    said = night.con.execute(f"select outcome, reason from outcomes {where}", asked).fetchall()
    outcome, reason = said[0] if said else ("not_due", "")
    return outcome, reason, sure[0][0] if sure else None


def outcome_if(
    night: LastNight, compiled: CompiledRule, standing: str, due: Verdict, received: Verdict
) -> str:
    """What the answer would be with this standing of the certificate, `due` and receipt: by the night's own SQL."""
    query = f"""select {outcome_sql(compiled)}
from (select $standing as standing, cast($due as boolean) as due, cast($received as boolean) as received) as v"""
    asked = {"standing": standing, "due": due, "received": received}
    return str(night.con.execute(query, asked).fetchall()[0][0])
