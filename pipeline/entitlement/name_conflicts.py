"""`id_name_conflict` in words: the rows that bear a register person's number under plainly another name, and the register's row.

The words are put together here and not in SQL: what a department typed may hold anything, and regular expressions are in no
subset of SQL that every engine reads alike.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby
from operator import itemgetter
from typing import Any

import duckdb
import polars as pl

_SHOWN = 5  # rows told one by one; of the rest how many each list has
_LONG_NUMBER = re.compile(r"[0-9０-９]{9,}[XxＸｘ]?")
_UNSEEN = re.compile(r"[“”\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_REGISTER = "持证残疾人名册"
_ALSO = {"birth_date": "（出生日期也与号码不符）", "sex": "（性别也与号码不符）"}

# A row with the person's number under plainly another name, whether or not its birth date or sex denies the number besides; not
# one that found its own person by other means (a guardian's number on the row of a child who is on the register).
_CONFLICTS = """
select p.person, u.dataset, f.title, u.source_file, u.sheet, u.source_row, u.row_name, u.reason,
  p.source_file as own_file, p.sheet as own_sheet, p.source_row as own_row, p.name
from unlinked as u
join people as p on p.person = u.person
join list_files as f on f.dataset = u.dataset and f.source_file = u.source_file
left join links as l
  on l.dataset = u.dataset and l.source_file = u.source_file and l.sheet = u.sheet and l.source_row = u.source_row
  and l.decision = 'linked'
where u.other_name and l.source_row is null
order by p.person, u.dataset, u.source_file, u.sheet, u.source_row"""


def note_name_conflicts(con: duckdb.DuckDBPyConnection) -> None:
    """Creates `name_conflicts` (person, reason). Reads unlinked, people, list_files, links."""
    rows = con.sql(_CONFLICTS).pl().iter_rows(named=True)
    said = [(person, _reason(list(mine))) for person, mine in groupby(rows, key=itemgetter("person"))]
    frame = pl.DataFrame(said, schema={"person": pl.Int64, "reason": pl.String}, orient="row")
    con.register("conflicts_to_keep", frame.to_arrow())
    con.execute("create or replace table name_conflicts as select * from conflicts_to_keep").fetchall()
    con.unregister("conflicts_to_keep")


def _reason(rows: list[dict[str, Any]]) -> str:
    """One person's rows, in their order."""
    first = rows[0]
    told = [
        f"在{_place(row['title'], row['source_file'], row['sheet'], row['source_row'])}写的是"
        f"{_named(row['row_name'])}{_ALSO.get(row['reason'], '')}"
        for row in rows[:_SHOWN]
    ]
    own = _place(_REGISTER, first["own_file"], first["own_sheet"], first["own_row"])
    return (
        f"此人的身份证号，{'，'.join(told)}{_rest(rows[_SHOWN:])}，与{own}的{_named(first['name'])}明显不同；"
        "可能是号码借用（如填了监护人或户主的号码）、录错，或已改名，请核对两边。"
    )


def _rest(rows: list[dict[str, Any]]) -> str:
    many = Counter(row["title"] for row in rows)  # in the order of the lists
    lists = "、".join(f"《{title}》{count}行" for title, count in many.items())
    return f"，另有{len(rows)}行（{lists}）" if rows else ""


def _place(title: str, file: str, sheet: str, row: int) -> str:
    """《list》第N行（file，工作表S）"""
    where = _delivered(file.rsplit("/", 1)[-1], 120) + (f"，工作表{_delivered(sheet, 40)}" if sheet else "")
    return f"《{title}》第{row}行（{where}）"


def _named(name: str | None) -> str:
    """“name”: the marks tell where a name that may be another person's begins and ends."""
    return f"“{_delivered(name or '', 30)}”"


def _delivered(text: str, longest: int) -> str:
    """What a department wrote, within a sentence: no long number of anybody in it, no quotation mark, nothing unseen."""
    return _LONG_NUMBER.sub("****", _UNSEEN.sub("", text))[:longest]
