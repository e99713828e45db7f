"""What the night needs of a dataset's fields beyond what the file's form says: roles, the register's columns, counties."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.contracts.columns import PLACE, field_columns
from pipeline.contracts.dataset import Dataset
from pipeline.contracts.problem import Problem
from pipeline.desk.complaints import at
from pipeline.identity.region import is_county
from pipeline.intake.header_text import plain

# The register's columns that the people of a run are made of (pipeline/matching/people.sql), and their types.
REGISTER_FIELDS = {
    "name": "name",
    "id": "id",
    "cert": "certificate",
    "cat": "code",
    "level": "code",
    "hukou": "code",
    "area": "region",
    "until": "date",
    "state": "code",
    "dob": "date",
    "addr": "text",
    "gname": "name",
}
# Columns that the run adds to a list's rows, and words of the condition language.
_TAKEN = (
    *("person", "decision", "live", "method", "match_probability", "county", "slot_group", "row"),
    *("number_birth_date", "number_sex", "veto", "place", "borrowed"),
    *("and", "or", "not", "in", "between", "true", "false", "null", "blank"),
    *("any", "count", "first", "sum", "age", "where"),
)
_PERSON_TYPES = {
    "name": "name",
    "id": "id",
    "certificate": "certificate",
    "birth_date": "date",
    "sex": "code",
    "category": "code",
    "level": "code",
    "area": "region",
    "address": "text",
    "phone": "text",
    "account": "text",
    "guardian_name": "name",
    "guardian_id": "id",
}
_HOUSEHOLD_TYPES = {"head_name": "name", "head_id": "id"}


def field_problems(path: Path, dataset: Dataset) -> Iterator[Problem]:
    """Each complaint with its line in the file."""
    yield from _key_problems(path, dataset)
    yield from _register_problems(path, dataset)
    yield from _role_problems(path, dataset)
    yield from _header_problems(path, dataset)
    yield from _county_problems(path, dataset)


def _bad(what: str, why: str, cure: str) -> Problem:
    return Problem("E109", "error", what, why, cure)


def _key_problems(path: Path, dataset: Dataset) -> Iterator[Problem]:
    """Fields become columns, identifiers several: no two may have one name, nor that of a column the run adds."""
    taken = dict.fromkeys([*PLACE, *_TAKEN], "")
    for name, spec in dataset.fields.items():
        if not re.fullmatch("[a-z][a-z_]*", name):
            yield at(
                path,
                _bad(f"字段名“{name}”不能用", "它要写进条件和查询", "只用小写字母和下划线"),
                "fields",
                name,
            )
        for column in field_columns(name, spec):
            if column in taken:
                why = (
                    f"它与字段 {taken[column]} 的列 {column} 同名"
                    if taken[column]
                    else f"{column} 是系统自用的名称"
                )
                yield at(path, _bad(f"字段名“{name}”不能用", why, "改一个名称"), "fields", name)
            taken[column] = name


def _register_problems(path: Path, dataset: Dataset) -> Iterator[Problem]:
    if dataset.role != "register":
        return
    for name, kind in REGISTER_FIELDS.items():
        spec = dataset.fields.get(name)
        if spec is None:
            problem = _bad(
                f"名册缺少字段 {name}", "建立持证人名单要用它", f"在 fields 里补上 {name}（type: {kind}）"
            )
            yield at(path, problem, "fields")
        elif spec.type != kind:
            problem = _bad(f"名册字段 {name} 的 type 是 {spec.type}", f"应为 {kind}", "改正 type")
            yield at(path, problem, "fields", name, "type")
    level = dataset.fields.get("level")
    if level is not None and not level.whole_number:
        problem = _bad("名册字段 level 的代码不是数", "残疾等级要比较大小", "加上 whole_number: true")
        yield at(path, problem, "fields", "level")


def _role_problems(path: Path, dataset: Dataset) -> Iterator[Problem]:
    household = dataset.household.model_dump() if dataset.household else {}
    roles = [
        *(("person", role, dataset.person.model_dump()[role], kind) for role, kind in _PERSON_TYPES.items()),
        *(("household", role, household.get(role), kind) for role, kind in _HOUSEHOLD_TYPES.items()),
    ]
    for block, role, name, kind in roles:
        if name is not None and dataset.fields[name].type != kind:
            why = f"字段 {name} 的 type 是 {dataset.fields[name].type}，应为 {kind}"
            yield at(
                path, _bad(f"{block}.{role} 用错了字段", why, "换一个字段，或改正它的 type"), block, role
            )
    sex = dataset.person.sex
    if (
        sex is not None
        and dataset.fields[sex].type == "code"
        and set(dataset.fields[sex].codes) != {"男", "女"}
    ):
        yield at(
            path,
            _bad("性别的代码应恰为 男、女", "要与身份证号上的性别比对", "改正 codes"),
            "fields",
            sex,
            "codes",
        )
    if not (dataset.person.id or dataset.person.certificate or household.get("head_id")):
        cure = "在 person 里写明 id 或 certificate；只写户主的名单在 household 里写 head_id"
        yield at(path, _bad("没有说明哪一列是本人号码", "没有号码就不能与名册比对", cure), "person")


def _header_problems(path: Path, dataset: Dataset) -> Iterator[Problem]:
    """Headers are compared without spaces and widths (pipeline/intake/header_text.py): alike must not mean two fields."""
    owner: dict[str, str] = {}
    for name, spec in dataset.fields.items():
        for header in spec.headers:
            other = owner.setdefault(plain(header), name)
            if other != name or not plain(header):
                why = f"空格、全半角不计时，它与 {other} 的表头相同" if plain(header) else "它没有文字"
                yield at(path, _bad(f"表头“{header}”不能用", why, "只留一处"), "fields", name, "headers")


def _county_problems(path: Path, dataset: Dataset) -> Iterator[Problem]:
    """What a county writes may overrule what all write, but belongs to one field."""
    owner: dict[tuple[str, str], str] = {}
    for name, spec in dataset.fields.items():
        for county, headers in spec.county_headers.items():
            place = ("fields", name, "county_headers", county)
            if not is_county(county):
                yield at(
                    path,
                    _bad(f"没有区划代码为“{county}”的县", "county_headers 按县写", "改成六位县级代码"),
                    *place,
                )
            for header in headers:
                other = owner.setdefault((county, plain(header)), name)
                if other != name:
                    why = f"它同时属于 {other} 和 {name}"
                    yield at(path, _bad(f"{county} 的表头“{header}”不知归谁", why, "只留一处"), *place)
