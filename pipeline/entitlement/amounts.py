"""What a benefit is worth to a person: yuan a month as SQL over the person's facts and the county's parameters.

The rule says it in `amount`: a parameter, or a table over a fact (`{残疾等级: {1: 一级护理补贴标准, …}}`). Where the fact or
the parameter is unknown, or the table has no line for the value, the money is unknown (NULL): never nought. Money is DECIMAL,
so that sums are the same whatever the order in which they are made.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.contracts.rule import Amount, Rule
from pipeline.entitlement.cases import UNKNOWN, fact_literal
from pipeline.entitlement.compile import CompiledRule
from pipeline.entitlement.compile import amount_facts as amount_facts
from pipeline.entitlement.fact import Fact
from pipeline.entitlement.parameters import column_of, sql_type

# a twelfth of a yearly amount has no end: with eight places three million of them are still right to a fen
MONEY = "decimal(18, 8)"
_NOTHING = f"cast(null as {MONEY})"


def amount_sql(
    compiled: CompiledRule, facts: Mapping[str, Fact], *, person: str = "f", parameters: str = "q"
) -> str:
    """Yuan a month (a yearly amount: its twelfth), as DECIMAL(18, 8); NULL where unknown, and for what is paid once.

    `person` is the alias of a row with the columns of `facts` (also those of `amount_facts`), `parameters` the alias of
    the row of table `parameters` of the person's county. Raises ReconcileError E307 where a value in the table cannot be
    one of the fact's.
    """
    amount = compiled.rule.amount
    if amount is None or amount.per == "once":
        return _NOTHING
    value = _value_sql(compiled.rule, amount, facts, person, parameters)
    return f"cast({value} / 12 as {MONEY})" if amount.per == "year" else value


def once_sql(
    compiled: CompiledRule, facts: Mapping[str, Fact], *, person: str = "f", parameters: str = "q"
) -> str:
    """Yuan paid once, as DECIMAL(18, 8); NULL where unknown, and for what is paid by the month or year."""
    amount = compiled.rule.amount
    if amount is None or amount.per != "once":
        return _NOTHING
    return _value_sql(compiled.rule, amount, facts, person, parameters)


def _value_sql(rule: Rule, amount: Amount, facts: Mapping[str, Fact], person: str, parameters: str) -> str:
    """The amount as it is written in the rule. Where several facts are looked up, exactly one line must fit for certain."""
    if isinstance(amount.value, str):
        return _parameter_sql(rule, amount.value, parameters)
    lines = [
        (f'{person}."{name}" = {fact_literal(facts[name], value)}', _parameter_sql(rule, chosen, parameters))
        for name, table in amount.value.items()
        for value, chosen in table.items()
        if value not in UNKNOWN  # an unknown fact is no value that could be looked up
    ]
    if not lines:
        return _NOTHING
    if len(amount.value) == 1:
        return "case " + " ".join(f"when {test} then {value}" for test, value in lines) + " end"
    fits = " + ".join(f"cast({test} as integer)" for test, _ in lines)
    chosen = "coalesce(" + ", ".join(f"case when {test} then {value} end" for test, value in lines) + ")"
    return f"case when {fits} = 1 then {chosen} end"


def _parameter_sql(rule: Rule, name: str, parameters: str) -> str:
    """A parameter as money; one that holds no number (a text that came through) is unknown."""
    if sql_type(rule.parameters[name]) != "DOUBLE":
        return _NOTHING
    return f'cast({parameters}."{column_of(rule, name)}" as {MONEY})'
