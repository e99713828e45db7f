"""A dataset file (`schemas/<department>/<dataset>.yaml`): what an export looks like and which facts a person gets from it.

The file is the whole knowledge of an export. Adding a department is adding such a file; nothing in Python names a
dataset except the register, which is the list of the people asked about (`role: register`) and the deaths
(`role: deaths`), whose absence has a rule of its own (entitlements.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.validated import validated
from pipeline.contracts.yaml_file import line_of

FieldType = Literal[
    "text", "name", "id", "certificate", "date", "month", "year", "amount", "integer", "code", "region"
]


class Strict(BaseModel):
    """Unknown keys are errors; values never stand in messages."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class FieldSpec(Strict):
    """One column. `codes` maps canonical value -> the spellings seen; "" among them means an empty cell says this value."""

    title: str
    type: FieldType
    required: bool = False
    headers: tuple[str, ...] = Field(min_length=1)
    county_headers: dict[str, tuple[str, ...]] = {}  # headers only one county writes, by six-digit code
    codes: dict[str, tuple[str, ...]] = {}
    whole_number: bool = False  # the canonical codes are numbers (levels): the Parquet column is Int64

    @model_validator(mode="after")
    def _codes_belong_to_codes(self) -> FieldSpec:
        if (self.type == "code") != bool(self.codes):
            raise ValueError("codes 只用于 type: code，且 type: code 必须有 codes")
        spellings: set[str] = set()
        for spelling in (s for many in self.codes.values() for s in many):
            if spelling in spellings:
                raise ValueError(f"同一写法“{spelling}”出现了两次")
            spellings.add(spelling)
        return self


class Delivery(Strict):
    """How the list comes: one file a county or one for the prefecture, and after how many days it is stale."""

    by: Literal["county", "prefecture"]
    stale_after_days: int = Field(gt=0)


class PersonRoles(Strict):
    """Which fields describe the row's own person (field names of this dataset)."""

    name: str | None = None
    id: str | None = None
    certificate: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    category: str | None = None  # of the disability, in the register's codes
    level: str | None = None
    area: str | None = None  # code of the division the person lives in
    address: str | None = None  # a text that may name the township (an address, a school)
    phone: str | None = None
    account: str | None = None  # bank account paid into
    guardian_name: str | None = None
    guardian_id: str | None = None


class HouseholdRoles(Strict):
    """Which fields describe the row's family or house head.

    A roster names a family (`family`) and lists its members as rows; a house list names only its head: no `family`.
    """

    family: str | None = None
    head_name: str | None = None
    head_id: str | None = None
    relation: str | None = None


class FactSpec(Strict):
    """A fact as policy staff say it.

    `of` is `any(condition)`, `count(condition)`, `first(field where condition)` or `age(date)`; conditions are
    written in the expression language over the field names, `live`, `blank(field)` and the dates 本日, 一年前, ….
    `absent`: a person not on an accepted list is `no` (complete list) or `unknown` (attribute).
    `say` is how the report tells that it was or was not seen, e.g. "在领护理补贴".
    """

    of: str
    absent: Literal["no", "unknown"] = "no"
    say: str = ""
    of_household: bool = (
        False  # the fact of the house that a family member heads, not of the row's own person
    )


class Dataset(Strict):
    """One export, validated. `key` is `<department>/<dataset>`."""

    dataset: str = Field(pattern=r"^[a-z_]+/[a-z_]+$")
    title: str
    department: str
    grain: str
    role: Literal["register", "deaths", "list"] = "list"
    delivery: Delivery
    person: PersonRoles = PersonRoles()
    household: HouseholdRoles | None = None
    live: str = ""  # condition; empty: every row is live
    # One row a person and value of these fields ([]: one row a person); left out: a person may have any number of rows.
    unique_by: tuple[str, ...] | None = None
    fields: dict[str, FieldSpec]
    facts: dict[str, FactSpec] = {}

    @field_validator("fields")
    @classmethod
    def _headers_are_distinct(cls, fields: dict[str, FieldSpec]) -> dict[str, FieldSpec]:
        seen: dict[str, str] = {}
        for name, spec in fields.items():
            for header in spec.headers:
                if header in seen:
                    raise ValueError(f"表头“{header}”同时属于 {seen[header]} 和 {name}")
                seen[header] = name
        return fields

    @model_validator(mode="after")
    def _roles_name_fields(self) -> Dataset:
        roles = [
            *self.person.model_dump().values(),
            *(self.household.model_dump().values() if self.household else []),
            *(self.unique_by or ()),
        ]
        for role in roles:
            if role is not None and role not in self.fields:
                raise ValueError(f"角色引用了不存在的字段“{role}”")
        return self

    @property
    def table(self) -> str:
        """The dataset's name as a SQL identifier."""
        return self.dataset.replace("/", "__")


def load_dataset(path: Path) -> Dataset:
    """One dataset file. Raises ReconcileError E102 naming file, line and field."""
    return validated(Dataset, path, "E102")


def check_place(dataset: Dataset, path: Path) -> None:
    """Raises ReconcileError E103 where folder and file name say another key than the file."""
    expected = f"{path.parent.name}/{path.stem}"
    if dataset.dataset != expected:
        raise ReconcileError(
            Problem(
                "E103",
                "error",
                f"dataset 写成了 {dataset.dataset}",
                f"文件位置说它是 {expected}",
                "让 dataset 与文件夹、文件名一致",
                file=f"{path.parent.name}/{path.name}",
                row=line_of(path, "dataset"),
            )
        )


def load_datasets(folder: Path) -> dict[str, Dataset]:
    """Every `*/*.yaml` under the folder by key, in sorted order. Raises ReconcileError E102/E103."""
    found: dict[str, Dataset] = {}
    for path in sorted(folder.glob("*/*.yaml")):
        dataset = load_dataset(path)
        check_place(dataset, path)
        found[dataset.dataset] = dataset
    if not any(d.role == "register" for d in found.values()):
        raise ReconcileError(
            Problem(
                "E104",
                "error",
                "没有找到持证残疾人名册的数据说明",
                f"{folder.name}/ 中无 role: register",
                "用 --schemas 指明文件夹",
            )
        )
    return found
