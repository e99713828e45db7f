"""The value of a fact from a person's rows (alias r, of which some may be in doubt), three-valued, as a SQL aggregate.

A row that is doubtful, or of which it is unknown whether it counts, can only make the value unknown; rows that disagree
leave an attribute unknown: nothing is chosen silently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.contracts.dataset import Dataset
from pipeline.entitlement.expression import check_names, parse, to_sql
from pipeline.entitlement.fact import OF_FIELD, Fact

MEMBER_HOLDS, MEMBER_AGE = "成员持证", "成员年龄"
_OF_MEMBERS = {MEMBER_HOLDS: "r.member_holds", MEMBER_AGE: "r.member_age"}


def condition_sql(text: str, dataset: Dataset, words: Mapping[str, str], where: str, alias: str = "r") -> str:
    """A fact's condition over the columns of one row: a linked one (alias r) or the register's own (g)."""
    tree = parse(text, blanks=True, fields=dataset.fields)
    check_names(tree, text, [*dataset.fields, "live", *words], where)
    return to_sql(tree, lambda name: words.get(name, f'{alias}."{name}"'))


def fact_condition_sql(fact: Fact, words: Mapping[str, str]) -> str:
    """The condition of a fact over one row; of a family's facts also over the member that the row is about."""
    more = _OF_MEMBERS if fact.of_members else {}
    every_row = "true" if fact.kind in OF_FIELD else ""
    where = f"{fact.dataset.dataset} 的事实“{fact.name}”"
    return f"({condition_sql(fact.condition or every_row, fact.dataset, {**words, **more}, where)})"


def value_sql(fact: Fact, words: Mapping[str, str]) -> str:
    """The aggregate over a person's rows."""
    condition = fact_condition_sql(fact, words)
    if fact.of_members:
        return _of_members(fact, condition)
    sure = f"({condition} and r.decision = 'linked')"
    open_ = f"bool_or({condition} is null or ({condition} and r.decision <> 'linked'))"
    if fact.kind == "any":
        return f"case when bool_or({sure}) then true when {open_} then cast(null as boolean) else false end"
    if fact.kind == "count":
        return _whole(open_, f"count(*) filter (where {sure})")
    if fact.kind == "counties":
        return _whole(open_, f"count(distinct r.delivered_by) filter (where {sure})")
    column = f'r."{fact.field}"'
    if fact.kind == "sharing":
        return _whole(open_, f"coalesce(max({sharers_of(fact)}.others) filter (where {sure}), 0)")
    unread = f"bool_or({condition} and {column} is null)"
    if fact.kind == "sum":
        return _whole(f"{open_} or {unread}", f"coalesce(sum({column}) filter (where {sure}), 0)")
    if fact.kind in ("latest", "earliest"):
        most = "max" if fact.kind == "latest" else "min"
        return f"case when {open_} or {unread} then null else {most}({column}) filter (where {sure}) end"
    one = f"count(distinct {column}) filter (where {sure}) = 1"
    return f"case when {open_} then null when {one} then min({column}) filter (where {sure}) end"


def _whole(unknown: str, value: str) -> str:
    """A number that is unknown as soon as any part of it is."""
    return f"case when {unknown} then cast(null as bigint) else cast({value} as bigint) end"


def _of_members(fact: Fact, condition: str) -> str:
    """Over the rows of the person's family, `r.own` on his own. Who may belong to two families has no known one."""
    unclear = "bool_or(r.decision <> 'linked') or count(distinct concat(r.source_file, '|', r.family)) > 1"
    others = "filter (where not r.own)"
    holds, open_ = f"bool_or({condition}) {others}", f"bool_or({condition} is null) {others}"
    if fact.kind == "members":
        return _whole(f"{unclear} or bool_or({condition} is null)", f"count(*) filter (where {condition})")
    if fact.kind == "others_any":
        known = f"when coalesce({holds}, false) then true when coalesce({open_}, false) then null else false"
    else:
        fails = f"bool_or(not {condition}) {others}"
        known = (
            f"when count(*) {others} = 0 or coalesce({fails}, false) then false"
            f" when coalesce({open_}, false) then null else true"
        )
    return f"case when {unclear} then cast(null as boolean) {known} end"


def sharers_of(fact: Fact) -> str:
    """Alias of the table of values that several people of the list share."""
    return f'"s_{fact.name}"'


def sharers_join_sql(fact: Fact, words: Mapping[str, str], live: str) -> str:
    """How many other people (sound numbers) have the row's value in the list, by value."""
    number = fact.dataset.person.id
    condition = fact_condition_sql(fact, words)
    return f"""
left join (
  select r."{fact.field}" as value, count(distinct r."{number}") - 1 as others
  from (select r.*, ({live}) as live from list_{fact.dataset.table} as r) as r
  where {condition} and r."{number}" is not null
  group by r."{fact.field}"
) as {sharers_of(fact)} on {sharers_of(fact)}.value = r."{fact.field}\""""


def register_sharers_join_sql(fact: Fact, words: Mapping[str, str]) -> str:
    """How many other register people (rows in force) have the value of the person's own row (alias g), for those that have one."""
    condition = condition_sql(fact.condition or "true", fact.dataset, words, fact.name, alias="o")
    mine = condition_sql(fact.condition or "true", fact.dataset, words, fact.name, alias="g")
    alias = sharers_of(fact)
    return f"""left join (
  select o."{fact.field}" as value, count(*) - 1 as others
  from people as p join register as o
    on o.source_file = p.source_file and o.sheet = p.sheet and o.source_row = p.source_row
  where {condition} and o."{fact.field}" is not null
  group by o."{fact.field}"
) as {alias} on {alias}.value = g."{fact.field}" and {mine}"""


def fields_used(dataset: Dataset) -> list[str]:
    """Fields that the list's facts are made of."""
    text = " ".join([dataset.live, *(spec.of for spec in dataset.facts.values())])
    words = set(re.findall(r"[A-Za-z_]+", text))
    return [name for name in dataset.fields if name in words]
