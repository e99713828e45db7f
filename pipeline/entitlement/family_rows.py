"""The rows of a roster by the register people to whose family they belong: each source's own families, never merged.

Four notions of a household disagree (handbook B3); a family is what one list calls one, in one delivery.
"""

from __future__ import annotations

from datetime import date

from pipeline.contracts.dataset import Dataset
from pipeline.entitlement.fact_values import fields_used


def family_rows_sql(dataset: Dataset, as_of: date, sure: bool) -> str:
    """One row a register person and row of his family in the roster, his own included.

    Columns: the fields that facts use, `person`, `decision` (of his link to the family), `own`, `source_file`, `family`,
    `member_holds` (the member is linked to a register person in state 正常; unknown where that is in doubt) and
    `member_age` (full years at `as_of` by the member's sound number, else unknown).
    """
    table, roles = dataset.table, dataset.household
    assert roles is not None  # noqa: S101 read_fact asks for a family
    fields = "".join(f'm."{name}", ' for name in fields_used(dataset))
    day = as_of.year * 10_000 + as_of.month * 100 + as_of.day
    number = dataset.person.id or dataset.person.certificate
    born = f"cast(substr(m.{number}, 7, 8) as integer)"
    own = _own_rows(dataset, sure)
    return f"""(
select f.person, f.decision, m.source_file, m."{roles.family}" as family, {fields}
  w.person is not null as own,
  case when h.sure then true when h.doubtful then cast(null as boolean) else false end as member_holds,
  cast(floor(({day} - {born}) / 10000.0) as bigint) as member_age
from (
  select person, source_file, "{roles.family}" as family, min(decision) as decision
  from {own} as o where "{roles.family}" is not null
  group by person, source_file, "{roles.family}"
) as f
join list_{table} as m on m.source_file = f.source_file and m."{roles.family}" = f.family
left join (select distinct person, source_file, sheet, source_row from {own} as o) as w
  on w.person = f.person and w.source_file = m.source_file and w.sheet = m.sheet and w.source_row = m.source_row
left join (
  select o.source_file, o.sheet, o.source_row,
    bool_or(o.decision = 'linked' and p.state = '正常') as sure,
    bool_or(o.decision <> 'linked' and p.state = '正常') as doubtful
  from {_own_rows(dataset, sure=False)} as o join people as p on p.person = o.person
  group by o.source_file, o.sheet, o.source_row
) as h on h.source_file = m.source_file and h.sheet = m.sheet and h.source_row = m.source_row)"""


def _own_rows(dataset: Dataset, sure: bool) -> str:
    """Rows linked to register people and, unless only the sure are wanted, those in doubt (a sure row settles a family)."""
    assert dataset.household is not None  # noqa: S101 read_fact asks for a family
    columns = ["person", "decision", "source_file", "sheet", "source_row", f'"{dataset.household.family}"']
    said = ", ".join(f"l.{column}" for column in columns)
    linked = f"select {said} from linked_{dataset.table} as l"
    if sure:
        return f"({linked} join doubted as d on d.person = l.person)"
    return f"({linked} union all select {said} from doubtful_{dataset.table} as l)"
