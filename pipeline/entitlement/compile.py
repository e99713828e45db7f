"""A rule becomes one SELECT: every condition's verdict for every person, unknown as NULL (Kleene logic is SQL's own).

`verdict_sql` is what a night runs and what a rule's cases run; a second engine evaluates the same expressions in the
tests as an independent check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import Rule
from pipeline.entitlement.dates import date_words
from pipeline.entitlement.expression import check_names, names_in, parse, to_sql
from pipeline.entitlement.facts import Fact
from pipeline.entitlement.parameters import column_of

# Facts that the engine itself asks of every holder (entitlements.md, "Holds a valid certificate").
STATE, UNTIL, DEAD = "证件状态", "证件有效期至", "死亡"
CATEGORY, LEVEL = "残疾类别", "残疾等级"
OWN_FACTS = (STATE, UNTIL, DEAD, CATEGORY, LEVEL)


@dataclass(frozen=True)
class Clause:
    """One condition of a rule, compiled. `facts` and `parameters` are those it uses.

    With `certain` its verdict is never unknown: what is not known to hold does not hold.
    """

    id: str
    say: str
    column: str  # name of the verdict column
    sql: str
    facts: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    certain: bool = False


@dataclass(frozen=True)
class CompiledRule:
    """A rule with its conditions as SQL over `facts` (alias f) and `parameters` (alias q)."""

    rule: Rule
    who: tuple[Clause, ...]
    excluded: tuple[Clause, ...]
    received: Clause | None
    version: str

    @property
    def clauses(self) -> tuple[Clause, ...]:
        return (*self.who, *self.excluded, *((self.received,) if self.received else ()))

    @property
    def facts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for clause in self.clauses for name in clause.facts))

    @property
    def may_be_open(self) -> tuple[Clause, ...]:
        """The clauses that can be unknown and so keep an answer open."""
        return tuple(clause for clause in self.clauses if not clause.certain)


def compile_rule(rule: Rule, facts: Mapping[str, Fact], as_of: date) -> CompiledRule:
    """Raises ReconcileError E304/E305 (expression, unknown name) naming the rule and the condition."""
    words = date_words(as_of)
    known = [*facts, *rule.parameters, *words]

    def column(name: str) -> str:
        if name in rule.parameters:
            return f'q."{column_of(rule, name)}"'
        return words.get(name, f'f."{name}"')

    def clause(id_: str, say: str, when: str, verdict: str, certain: bool = False) -> Clause:
        tree = parse(when)
        check_names(tree, when, known, f"规则 {rule.code} 的条件“{id_}”")
        used = tuple(name for name in names_in(tree) if name in facts)
        own = tuple(name for name in names_in(tree) if name in rule.parameters)
        sql = to_sql(tree, column)
        return Clause(id_, say, verdict, f"coalesce({sql}, false)" if certain else sql, used, own, certain)

    return CompiledRule(
        rule,
        tuple(clause(c.id, c.say, c.when, f"who_{n}") for n, c in enumerate(rule.who)),
        tuple(clause(c.id, c.say, c.when, f"except_{n}", c.certain) for n, c in enumerate(rule.excluded)),
        clause("received", "已享受", rule.received, "received") if rule.received else None,
        rule_version(rule),
    )


def compile_rules(rules: Mapping[str, Rule], facts: Mapping[str, Fact], as_of: date) -> list[CompiledRule]:
    """The rules in force at the date, compiled, in the order given."""
    for name in OWN_FACTS:
        if name not in facts:
            raise ReconcileError(
                Problem(
                    "E306",
                    "error",
                    f"没有声明事实“{name}”",
                    "判断残疾人证是否有效需要它",
                    "在 schemas/ 的名册或死亡名单里补上该事实",
                )
            )
    in_force = [r for r in rules.values() if r.since <= as_of and (r.until is None or as_of <= r.until)]
    for rule in in_force:
        _check_amount(rule, facts)
    return [compile_rule(rule, facts, as_of) for rule in in_force]


def _check_amount(rule: Rule, facts: Mapping[str, Fact]) -> None:
    """Raises ReconcileError E305 where the amount names what is not there: before anything is read, not in the night."""
    if rule.amount is None:
        return
    value = rule.amount.value
    named = [value] if isinstance(value, str) else [p for table in value.values() for p in table.values()]
    wrong = [name for name in named if name not in rule.parameters]
    wrong += [name for name in amount_facts(rule) if name not in facts]
    if wrong:
        what = f"规则 {rule.code} 的 amount 用到了没有的名称“{'、'.join(wrong)}”"
        cure = "改正它，或在 parameters 里补上；运行 `reconcile rules check` 看所在的行"
        raise ReconcileError(Problem("E305", "error", what, "它不是本规则的参数，也不是已声明的事实", cure))


def amount_facts(rule: Rule) -> tuple[str, ...]:
    """Facts by which the amount is told apart."""
    return () if rule.amount is None or isinstance(rule.amount.value, str) else tuple(rule.amount.value)


def rule_version(rule: Rule) -> str:
    """Short content hash: the same text is the same version, whatever file or day."""
    digest = hashlib.sha256(rule.model_dump_json(by_alias=True).encode("utf-8")).hexdigest()
    return f"{rule.code}@{digest[:10]}"


def facts_used(rules: Iterable[CompiledRule]) -> list[str]:
    """Every fact that some rule (its conditions or its amount) or the engine uses, each once, in order of first use."""
    named = [name for rule in rules for name in (*rule.facts, *amount_facts(rule.rule))]
    return list(dict.fromkeys([*OWN_FACTS, *named]))


def verdict_sql(compiled: CompiledRule, as_of: date, source: str = "facts") -> str:
    """One row a person: all columns of `facts`, the verdict of every condition, `due`, `standing`.

    `due` is Kleene: all of who and none of except. `standing` is `valid`, `expired`, `unknown` or `none`. A death
    list that was never delivered counts as not dead.
    """
    clauses = "".join(f",\n    ({c.sql}) as {c.column}" for c in compiled.clauses)
    return f"""select v.*, ({due_sql(compiled)}) as due
from (
  select f.*,
    {standing_sql(as_of)} as standing{clauses}
  from {source} as f
  join parameters as q on q.county_code = f.county_code
) as v"""


def due_sql(compiled: CompiledRule) -> str:
    """All of who and none of except, in Kleene's logic, over the columns of a verdict row."""
    return " and ".join([*(c.column for c in compiled.who), *(f"not {c.column}" for c in compiled.excluded)])


def standing_sql(as_of: date) -> str:
    """The certificate's standing as an expression over `facts` (alias f): `valid`, `expired`, `unknown` or `none`."""
    today = date_words(as_of)["本日"]
    alive = f'not coalesce(f."{DEAD}", false)'
    valid = f'f."{STATE}" = \'正常\' and f."{UNTIL}" >= {today} and {alive}'
    expired = f"f.\"{STATE}\" in ('正常', '过期') and (f.\"{UNTIL}\" < {today} or f.\"{STATE}\" = '过期') and {alive}"
    return f"""case when {valid} then 'valid' when {expired} then 'expired'
      when ({valid}) is null or ({expired}) is null then 'unknown' else 'none' end"""


def outcome_sql(compiled: CompiledRule) -> str:
    """The outcome of a benefit as an expression over the verdict row (entitlements.md, "Outcomes")."""
    question = "when received then 'receiving_not_due'" if compiled.rule.question_if_not_due else ""
    nothing = f"case {question} else 'not_due' end" if question else "'not_due'"
    return f"""case standing
    when 'valid' then case
      when due is null then 'undetermined'
      when not due then {nothing}
      when received is null then 'undetermined'
      when received then 'receiving'
      else 'missing' end
    when 'expired' then case when due is null then 'undetermined' when due then 'renew_first' else {nothing} end
    when 'unknown' then case when due is null or due then 'undetermined' else {nothing} end
    else {nothing} end"""
