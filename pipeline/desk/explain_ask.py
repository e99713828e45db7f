"""Which person is meant: an identity number, a certificate number or a case number, in any dress.

What was typed never stands in a message: it names a person.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import duckdb
import polars as pl

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.desk.complaints import nearest
from pipeline.identity import id_number

Rule = TypeVar("Rule")

_CASE = re.compile(r"^[A-Z]{2,8}-[0-9]{4}-[0-9]{3,6}-[0-9A-Z]$")  # XGLL-2611-0382-7


@dataclass(frozen=True)
class Asked:
    """What the numbers typed may stand for: a sound identity number, a certificate number, or a text as typed."""

    id_number: str | None
    certificate_number: str | None
    typed: str


def read_number(text: str, cases: pl.DataFrame) -> Asked:
    """The question in numbers. `cases` is the case ledger (contracts/tables.py), empty where there is none yet.

    Raises ReconcileError E531 (a case number that no ledger knows) and E532 (no number of a person at all).
    """
    tidy = text.strip().upper()
    if _CASE.match(tidy):
        return _of_case(tidy, cases)
    found = id_number.normalise(pl.Series([text])).row(0, named=True)
    plain = re.sub(r"\s", "", tidy)
    if found["id"] is None and found["certificate"] is None and not re.search("[0-9]{10}", plain):
        why = "应为身份证号（15或18位）、残疾人证号（20或22位）或案件编号（如 XGLL-2611-0382-7）"
        raise ReconcileError(Problem("E532", "error", "认不出所问的号码", why, "核对后重新输入"))
    return Asked(found["id"], found["certificate"], plain)


def _of_case(number: str, cases: pl.DataFrame) -> Asked:
    if cases.is_empty():
        why = "案件台账尚未启用，results/cases.parquet 里没有案件"
        raise ReconcileError(
            Problem("E531", "error", "还不能按案件编号查询", why, "改用身份证号或残疾人证号查询")
        )
    case = cases.filter(pl.col("case_number") == number)
    if case.is_empty():
        why = "案件台账里没有这个编号"
        raise ReconcileError(Problem("E531", "error", "没有这个案件", why, "核对编号，或改用身份证号查询"))
    row = case.row(0, named=True)
    return Asked(row["id_number"], row["certificate_number"], row["certificate_number"] or "")


# By number, by certificate (also one that is reissued, B1 …), and by what stands in the register as it was typed.
_FIND = """
select distinct person from (
  select person from every_key where kind = 'id' and number = $id
  union all
  select person from people where id_number = $id or delivered_id = $id or delivered_certificate_id = $id
  union all
  select person from people where $certificate <> '' and certificate_number = $certificate
  union all
  select person from people where $typed <> '' and certificate_number = $typed
  union all
  select p.person from people as p
  join register as r on r.source_file = p.source_file and r.sheet = p.sheet and r.source_row = p.source_row
  where $typed <> '' and (r.id_typed = $typed or r.cert_typed = $typed)
) as found order by person"""


def find_people(con: duckdb.DuckDBPyConnection, asked: Asked) -> list[int]:
    """The register people (numbers of `people`) whom the question may mean, at least one.

    A certificate asked for by its own number is that certificate alone. Raises ReconcileError E530.
    """
    numbers = {
        "id": asked.id_number or "",
        "certificate": asked.certificate_number or "",
        "typed": asked.typed,
    }
    if asked.certificate_number:
        own = "select person from people where certificate_number = $certificate order by person"
        exact = con.execute(own, {"certificate": asked.certificate_number}).fetchall()
        if exact:
            return [row[0] for row in exact]
    found = [row[0] for row in con.execute(_FIND, numbers).fetchall()]
    if not found:
        why = "最近一次比对采用的持证残疾人名册里没有这个号码，对名册以外的人的核查事项里也没有"
        cure = "核对号码；新办的证要等名册重新报送并再运行一次 `reconcile run`；疑点的经过可用 `reconcile cases show 编号` 查"
        raise ReconcileError(Problem("E530", "error", "名册上没有此人", why, cure))
    return found


def named(benefit: str, by_name: Mapping[str, Rule]) -> Rule:
    """The rule asked for, by code or title. Raises ReconcileError E535 with the nearest ones."""
    if benefit in by_name:
        return by_name[benefit]
    why = f"共有 {len(by_name) // 2} 条规则"
    cure = f"相近的有：{nearest(benefit, by_name)}；`ls rules/` 可见全部"
    raise ReconcileError(Problem("E535", "error", f"没有规则“{benefit}”", why, cure))
