"""A declared fact taken apart: what is asked of which list, and of what type the answer is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.contracts.columns import field_columns
from pipeline.contracts.dataset import Dataset, FactSpec
from pipeline.contracts.problem import Problem, ReconcileError

OF_FIELD = ("first", "sum", "latest", "earliest", "sharing")  # field [where condition]
OF_MEMBERS = ("members", "others_any", "others_all")  # over the rows of the person's family in a roster
KINDS = ("any", "count", "age", "counties", *OF_FIELD, *OF_MEMBERS)
_YES_NO = ("any", "others_any", "others_all")
_CALL = re.compile(rf"^\s*({'|'.join(KINDS)})\s*\((.*)\)\s*$", re.DOTALL)
_WHERE = re.compile(r"^\s*([a-z_]+)\s*(?:\bwhere\b(.*))?$", re.DOTALL)
_FORMS = (
    "写法应为 any(条件)、count(条件)、first(字段 where 条件)、sum(…)、latest(…)、earliest(…)、sharing(…)、"
    "counties(条件)、members(条件)、others_any(条件)、others_all(条件) 或 age(日期)"
)


@dataclass(frozen=True)
class Fact:
    """A declared fact: its list, how it is computed, its SQL type."""

    name: str
    dataset: Dataset
    spec: FactSpec
    kind: str  # one of KINDS
    field: str  # of the kinds in OF_FIELD
    condition: str  # "" = every row
    sql_type: str

    @property
    def is_yes_no(self) -> bool:
        return self.kind in _YES_NO

    @property
    def of_members(self) -> bool:
        return self.kind in OF_MEMBERS

    @property
    def table(self) -> str:
        """The aggregate that holds it: of the person's own rows in the list, or of his family's."""
        return self.dataset.table + ("__family" if self.of_members else "")


def read_fact(name: str, spec: FactSpec, dataset: Dataset) -> Fact:
    """The declaration taken apart. Raises ReconcileError E106 where it is none of the known forms."""
    call = _CALL.match(spec.of)
    if call is None:
        raise bad_fact(name, dataset, _FORMS)
    kind, inner = call.group(1), call.group(2).strip()
    field, condition = "", inner
    if kind in OF_FIELD:
        where = _WHERE.match(inner)
        if where is None or where.group(1) not in dataset.fields:
            raise bad_fact(name, dataset, f"{kind} 的第一个词应为本数据的字段名")
        field, condition = where.group(1), (where.group(2) or "").strip()
    if kind in OF_MEMBERS and (dataset.household is None or dataset.household.family is None):
        raise bad_fact(name, dataset, f"{kind} 只用于写明家庭编号的名册（household 的 family）")
    if kind == "sharing" and dataset.person.id is None:
        raise bad_fact(name, dataset, "sharing 只用于写明本人号码的名单（person 的 id）")
    return Fact(name, dataset, spec, kind, field, condition, _sql_type(kind, field, dataset))


def _sql_type(kind: str, field: str, dataset: Dataset) -> str:
    if kind in _YES_NO:
        return "BOOLEAN"
    if kind in ("first", "latest", "earliest"):
        return field_columns(field, dataset.fields[field])[field]
    return "BIGINT"


def declared_facts(datasets: Mapping[str, Dataset]) -> dict[str, Fact]:
    """All facts by name. A name declared twice is refused (E107)."""
    found: dict[str, Fact] = {}
    for dataset in datasets.values():
        for name, spec in dataset.facts.items():
            if name in found:
                both = f"{found[name].dataset.dataset} 与 {dataset.dataset} 都有"
                raise ReconcileError(Problem("E107", "error", f"事实“{name}”声明了两次", both, "改一个名称"))
            found[name] = read_fact(name, spec, dataset)
    return found


def bad_fact(name: str, dataset: Dataset, cure: str) -> ReconcileError:
    """E106: a declaration that cannot be read."""
    what, file = f"事实“{name}”的 of 读不懂", f"{dataset.dataset}.yaml"
    return ReconcileError(Problem("E106", "error", what, "不是约定的写法", cure, file=file))
