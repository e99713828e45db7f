"""The reason of an answer in one Chinese sentence: which list of which date, and what was or was not seen in it.

Built as SQL over a verdict row (alias v: `standing`, `due`, `unmatchable`, a column for every condition and every fact) and the
coverage row of the county (alias c). Two parts of a sentence differ from person to person and are told apart from the rest,
which few different people's answers have in many copies: the certificate (`CERTIFICATE`, with which some sentences
begin) and the values by which the conditions were decided (`valued`, a text in v.said).
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.entitlement.compile import CATEGORY, DEAD, LEVEL, STATE, UNTIL, Clause, CompiledRule
from pipeline.entitlement.facts import Fact


def text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


def joined(parts: list[str], separator: str) -> str:
    """concat_ws passes over NULL parts."""
    return f"concat_ws({text(separator)}, {', '.join(parts)})" if parts else "''"


def listed(fact: Fact) -> str:
    """《名册》（date）of the county's accepted snapshot."""
    table = fact.dataset.table
    return f"concat({text(f'《{fact.dataset.title}》')}, case when c.\"{table}__date\" is null then '' else concat('（', c.\"{table}__date\", '）') end)"


def seen(fact: Fact, positive: bool) -> str:
    """《名册》（date）中有… / 中未见…"""
    return (
        f"concat({listed(fact)}, {text(('中有' if positive else '中未见') + (fact.spec.say or fact.name))})"
    )


CERTIFICATE = (
    f"concat('残疾人证', coalesce(v.\"{CATEGORY}\", '类别不明'), "
    f"case v.\"{LEVEL}\" when 1 then '一级' when 2 then '二级' when 3 then '三级' when 4 then '四级' else '' end, "
    f"'，', coalesce(concat('有效期至', cast(v.\"{UNTIL}\" as varchar)), '有效期不明'))"
)
STATE_SAID = f"concat('证件状态', coalesce(v.\"{STATE}\", '不明'))"
_UNLISTED = ("register", "deaths")


def _list_facts(clauses: tuple[Clause, ...], facts: Mapping[str, Fact]) -> list[Fact]:
    names = dict.fromkeys(name for clause in clauses for name in clause.facts)
    return [
        facts[name] for name in names if facts[name].is_yes_no and facts[name].dataset.role not in _UNLISTED
    ]


def shown(clauses: tuple[Clause, ...], facts: Mapping[str, Fact]) -> list[str]:
    """What the lists positively show for these conditions, one SQL part a fact (NULL where not shown)."""
    return [f'case when v."{fact.name}" then {seen(fact, True)} end' for fact in _list_facts(clauses, facts)]


def valued(clauses: tuple[Clause, ...], facts: Mapping[str, Fact]) -> str | None:
    """The numbers, dates and words that the conditions were decided by: a text over `facts` (alias v), None where no fact has such.

    NULL for a person of whom nothing was seen.
    """
    names = dict.fromkeys(name for clause in clauses for name in clause.facts)
    some = [facts[n] for n in names if not facts[n].is_yes_no and facts[n].dataset.role not in _UNLISTED]
    parts = [
        f'case when v."{fact.name}" {"> 0" if fact.sql_type == "BIGINT" else "is not null"}'
        f" then concat({listed(fact)}, {text(f'中{fact.spec.say or fact.name}为')}, {_value(fact)}) end"
        for fact in some
    ]
    return f"nullif({joined(parts, '；')}, '')" if parts else None


def told(compiled: CompiledRule) -> tuple[Clause, ...]:
    """The conditions of which a sentence tells what was seen: those of who, and what was compared for certain (择高)."""
    return (*compiled.who, *(clause for clause in compiled.excluded if clause.certain))


def _value(fact: Fact) -> str:
    """Money is kept in fen and told in yuan; a month without its day."""
    column, kind = f'v."{fact.name}"', fact.dataset.fields[fact.field].type if fact.field else ""
    if kind == "amount" and fact.kind != "sharing":
        return f"concat(cast(cast(floor({column} / 100) as bigint) as varchar), '元')"
    said = f"cast({column} as varchar)"
    return f"substr({said}, 1, 7)" if kind == "month" else said


def unknown_facts(compiled: CompiledRule, facts: Mapping[str, Fact]) -> list[str]:
    """Which unknown facts keep an answer open: those of the conditions that are themselves unknown."""
    parts = []
    clauses = compiled.may_be_open
    asked: dict[str, list[str]] = {}
    for clause in clauses:
        open_ = f"v.{clause.column} is null" + (" and v.due" if clause is compiled.received else "")
        for name in clause.facts:
            asked.setdefault(name, []).append(open_)
    for name, opens in asked.items():
        fact = facts[name]
        title = f"《{fact.dataset.title}》"
        if fact.dataset.role == "register":
            said = text(f"{title}中{name}不明")
        else:
            said = (
                f'case when not c."{fact.dataset.table}" then {text(f"本县没有可用的{title}")}'
                f" when v.unmatchable then {text(f'本人证件号码有误，无法比对{title}')}"
                f" else {text(f'{title}中{fact.spec.say or name}不明或存疑')} end"
            )
        parts.append(f'case when v."{name}" is null and ({" or ".join(opens)}) then {said} end')
    return parts + [_no_local_value(clause) for clause in clauses if clause.parameters]


def _no_local_value(clause: Clause) -> str:
    """A condition open although all its facts are known: nobody has said the place's value of a parameter."""
    known = "".join(f' and v."{name}" is not null' for name in clause.facts)
    names = "、".join(clause.parameters)
    return f"case when v.{clause.column} is null{known} then {text(f'规则中没有本地的“{names}”')} end"


def _received_facts(compiled: CompiledRule, facts: Mapping[str, Fact]) -> list[Fact]:
    return [facts[name] for name in compiled.received.facts] if compiled.received else []


def denied(compiled: CompiledRule) -> list[str]:
    """Why certainly nothing is due: the certificate, a condition that fails, an exclusion that holds."""
    dead = f"case when v.\"{DEAD}\" then '本人在死亡名单上' else concat('残疾人证无有效状态（', {STATE_SAID}, '）') end"
    parts = [f"case when v.standing = 'none' then {dead} end"]
    parts += [f"case when not v.{c.column} then {text(f'不符合“{c.say}”')} end" for c in compiled.who]
    parts += [f"case when v.{c.column} then {text(f'属于“{c.say}”')} end" for c in compiled.excluded]
    return parts


def begins_with_certificate_sql() -> str:
    """Whether the sentence of a benefit's outcome (v.outcome) begins with the person's certificate."""
    return "v.outcome in ('missing', 'renew_first')"


def benefit_reason_sql(compiled: CompiledRule, facts: Mapping[str, Fact]) -> str:
    """The sentence of a benefit's outcome after the certificate, as an expression over v (with v.outcome and v.said) and c."""
    receipt = _received_facts(compiled, facts)
    not_seen = [seen(fact, False) for fact in receipt]
    is_seen = [f'case when v."{fact.name}" then {seen(fact, True)} end' for fact in receipt]
    who = text("符合：" + "；".join(c.say for c in compiled.who))
    due = joined([who, *shown(told(compiled), facts), "v.said"], "；")
    gaps = joined(
        [*unknown_facts(compiled, facts), "case when v.standing = 'unknown' then '证件状态或有效期不明' end"],
        "；",
    )
    return f"""concat(case v.outcome
    when 'missing' then concat('；', {due}, '；但', {joined(not_seen, "，")})
    when 'receiving' then {joined(is_seen, "，")}
    when 'renew_first' then concat('，已过期，请先换证；', {text("其余条件符合：" + "；".join(c.say for c in compiled.who))},
      case when v.received then concat('；目前', {joined(is_seen, "，")}) when not v.received then concat('；目前', {joined(not_seen, "，")}) else '' end)
    when 'receiving_not_due' then concat({joined(is_seen, "，")}, '，但', {joined(denied(compiled), "；")}, '，请核实')
    when 'verify' then concat('有记录存疑，待核实：', {gaps})
    else concat('暂不能判断：', {gaps}) end, c.note, '。')"""


def finding_reason_sql(compiled: CompiledRule, facts: Mapping[str, Fact], outside: bool = False) -> str:
    """The sentence of a finding (v.said: its values): after the certificate what the rule says, what the lists show."""
    evidence = [
        f'case when v."{fact.name}" then {seen(fact, True)} else {seen(fact, False)} end'
        for fact in _list_facts(compiled.who, facts)
    ]
    # the state is said already; a condition about nothing else would only say it twice
    says = [text(c.say) for c in compiled.who if outside or set(c.facts) != {STATE}]
    parts = [*([] if outside else [STATE_SAID]), *says, *evidence, "v.said"]
    return f"concat({text('' if outside else '；')}, {joined(parts, '；')}, c.note, '。')"
