"""The rows of a list whose person is not known yet: what the fuzzy fallback looks at, and what it reads in a row.

A row is open when it was not linked and its number cannot be its own person's: there is none, or none that is sound;
it is denied by the row itself (birth date, sex, name, the head's number on a member); it stands on the register as
somebody's guardian's; or the row may be about a register person whose own numbers are damaged. Every other row has
a sound number of somebody else and is never compared: memory and time follow the register, not the list.
"""

from __future__ import annotations

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.own_number import RowPerson
from pipeline.matching.row_features import FEATURES, carried_fields, features_sql, number_sql

SHEET_ROWS = 1 << 32  # more rows than any sheet or text file has
LIST_ROWS = SHEET_ROWS << 14  # 16,384 files and sheets a list: the numbers of two lists' rows never meet


def denied_by_itself_sql(dataset: Dataset) -> str | None:
    """Condition (alias l): the row's own columns say that its sound number is another's. None: they cannot say."""
    who, house = RowPerson.of(dataset), dataset.household
    parts = []
    if who.id and who.birth_date:
        day = (
            f"(year(l.{who.birth_date}) * 10000 + month(l.{who.birth_date}) * 100 + day(l.{who.birth_date}))"
        )
        parts.append(f"cast(substr(l.{who.id}, 7, 8) as integer) <> {day}")
    if who.id and house and house.head_id and house.relation:
        parts.append(f"(l.{who.id} = l.{house.head_id} and l.{house.relation} <> '户主')")
    return " or ".join(parts) if parts else None


def open_rows_sql(dataset: Dataset, place: int) -> str:
    """`open_<list>`: open rows with PLACE, the carried fields, FEATURES, `county` (of delivery) and `slot_group` (the values
    of unique_by; null where a person may have any number of rows). `row` numbers them by list, file, sheet and row.
    """
    table = dataset.table
    columns = [*(f'"{field}"' for field in carried_fields(dataset)), *FEATURES]
    known = ", ".join(["o.source_file", "o.sheet", "o.source_row", *(f"o.{column}" for column in columns)])
    alone = f"unsure_{table} as l where {_alone_sql(dataset)}"
    return f"""
create or replace table asked_rows as
select {known}
from (
{_by_the_register_sql(dataset)}
) as o
left join (select l.source_file, l.sheet, l.source_row from {alone}) as s
  on s.source_file = o.source_file and s.sheet = o.sheet and s.source_row = o.source_row
left join linked_{table} as l
  on l.source_file = o.source_file and l.sheet = o.sheet and l.source_row = o.source_row
where s.source_row is null and l.source_row is null;

create or replace table open_files as
select {place * LIST_ROWS} + (row_number() over (order by p.source_file, p.sheet) - 1) * {SHEET_ROWS} as before,
  p.source_file, p.sheet, f.county
from (
  select u.source_file, u.sheet from unsure_{table} as u
  union
  select o.source_file, o.sheet from asked_rows as o
) as p
join list_files as f on f.dataset = '{dataset.dataset}' and f.source_file = p.source_file;

create or replace table open_{table} as
select f.before + o.source_row as "row", {known}, f.county, {slot_group_sql(dataset, "o")} as slot_group
from (
{_said_sql(dataset)} {alone}
union all
select {known} from asked_rows as o
) as o
join open_files as f on f.source_file = o.source_file and f.sheet = o.sheet
left join linked_apart_{table} as l
  on l.source_file = o.source_file and l.sheet = o.sheet and l.source_row = o.source_row
left join several_places as s
  on s.dataset = '{dataset.dataset}' and s.source_file = o.source_file and s.sheet = o.sheet and s.source_row = o.source_row
where l.source_row is null and s.source_row is null;
drop table asked_rows;
drop table open_files;
"""


def _said_sql(dataset: Dataset) -> str:
    carried = "".join(f'l."{name}", ' for name in carried_fields(dataset))
    features = ", ".join(f"{sql} as {name}" for name, sql in features_sql(dataset).items())
    return f"select l.source_file, l.sheet, l.source_row, {carried}{features} from"


def _alone_sql(dataset: Dataset) -> str:
    """Condition (alias l) on rows of files that promise nothing: no sound number, or one that they deny themselves."""
    number, denied = number_sql(dataset), denied_by_itself_sql(dataset)
    # one in eleven numbers that Excel cut to 15 digits and zeros is sound by chance
    conditions = [f"{number} is null", f"substr({number}, 16, 3) = '000'", *([denied] if denied else [])]
    return f"({' or '.join(conditions)})"


def _by_the_register_sql(dataset: Dataset) -> str:
    """Rows that exact links left unsettled, and those named like a register person without a number, born the same day."""
    known = ", ".join(
        [*(f'u."{field}"' for field in carried_fields(dataset)), *(f"u.{field}" for field in FEATURES)]
    )
    unsettled = f"select u.source_file, u.sheet, u.source_row, {known} from unsettled_{dataset.table} as u"
    name = RowPerson.of(dataset).name
    if not name:
        return unsettled
    born = f"n.born = substr({number_sql(dataset)}, 7, 8)"
    alike = (
        f"{_said_sql(dataset)} list_{dataset.table} as l join numberless as n on n.name = l.{name} and {born}"
    )
    return f"{unsettled}\nunion\n{alike}"


def slot_group_sql(dataset: Dataset, alias: str) -> str:
    """What a person may have one row of in this list, as a text."""
    if dataset.unique_by is None:
        return "cast(null as varchar)"
    parts = [f"coalesce(cast({alias}.\"{name}\" as varchar), '')" for name in dataset.unique_by]
    # with a mark between: 甲+乙丙 is not 甲乙+丙
    between = ", '|', ".join(parts)
    return f"concat({between}, '')" if parts else "''"


def all_open_sql(lists: list[Dataset], view: str) -> str:
    """The open rows of several lists as one view: row, dataset, slot_group, county and FEATURES."""
    columns = ", ".join(["o.slot_group", "o.county", *(f"o.{name}" for name in FEATURES)])
    parts = [f"select o.\"row\", '{d.dataset}' as dataset, {columns} from open_{d.table} as o" for d in lists]
    return f"create or replace view {view} as\n" + "\nunion all\n".join(parts)
