"""The frozen weights: one YAML file that a fit writes and every night reads, so that no night depends on its own rows.

version: '2026-10'
made_from: {as_of: '2026-10-31', pairs: '48211', rounds: '31', converged: 'true'}
prior: 0.002
fields:
  name:
    exact: {m: 0.91, u: 0.0008}
    other: {m: 0.09, u: 0.9992}
lists:                              # only what differs from the above
  medical_insurance/insured: {prior: 0.004, fields: {name: {exact: {m: 0.93}, other: {m: 0.07}}}}
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as default
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field as Rule
from pydantic import ValidationInfo, field_validator

from pipeline.contracts.dataset import Strict
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.validated import validated
from pipeline.matching.fellegi_sunter import Field, Level, Model

DIGITS = 6  # significant, of every probability
HEAD = """# 比对模型：由 `reconcile tune --fit` 估计后固定，每晚只读，不随当晚数据变化。
# m：两条记录确是同一人时出现该比较等级的概率；u：不是同一人时的概率。lists 下只写与上面不同的。
"""

Name = Annotated[str, Rule(pattern=r"^[a-z][a-z0-9_]*$")]
DatasetKey = Annotated[str, Rule(pattern=r"^[a-z_]+/[a-z_]+$")]
Share = Annotated[float, Rule(gt=0, le=1)]


@dataclass(frozen=True)
class Models:
    """The model of every list: `base`, and whole models of the lists that have one of their own (same levels)."""

    base: Model
    lists: Mapping[str, Model] = default(default_factory=dict)
    made_from: Mapping[str, str] = default(default_factory=dict)

    def of(self, dataset: str) -> Model:
        """The model of a list (`<department>/<dataset>`)."""
        return self.lists.get(dataset, self.base)


class _Level(Strict):
    m: Share
    u: Share


class _Part(Strict):
    m: Share | None = None
    u: Share | None = None


class _List(Strict):
    prior: Annotated[float, Rule(gt=0, lt=1)] | None = None
    fields: dict[Name, dict[Name, _Part]] = {}


Levels = dict[Name, dict[Name, _Level]]


class _File(Strict):
    version: Annotated[str, Rule(min_length=1)]
    made_from: dict[Name, str] = {}
    prior: Annotated[float, Rule(gt=0, lt=1)]
    fields: Annotated[Levels, Rule(min_length=1)]
    lists: dict[DatasetKey, _List] = {}

    @field_validator("fields")
    @classmethod
    def _fields_are_whole(cls, fields: Levels) -> Levels:
        _fields(fields)
        return fields

    @field_validator("lists")
    @classmethod
    def _lists_are_whole(cls, lists: dict[str, _List], seen: ValidationInfo) -> dict[str, _List]:
        if "fields" in seen.data:
            base = Model("", 0.5, _fields(seen.data["fields"]))
            for dataset, part in lists.items():
                try:
                    _overridden(base, part)
                except ValueError as error:
                    raise ValueError(f"名单“{dataset}”：{error}") from None
        return lists

    def models(self) -> Models:
        """The file as models."""
        base = Model(self.version, self.prior, _fields(self.fields))
        lists = {dataset: _overridden(base, part) for dataset, part in self.lists.items()}
        return Models(base, lists, self.made_from)


def _fields(fields: Levels) -> tuple[Field, ...]:
    return tuple(
        Field(name, tuple(Level(level, part.m, part.u) for level, part in levels.items()))
        for name, levels in fields.items()
    )


def _overridden(base: Model, part: _List) -> Model:
    """The base with what the list says otherwise. Raises ValueError in Chinese."""
    strange = part.fields.keys() - {field.name for field in base.fields}
    if strange:
        raise ValueError(f"上面没有字段“{min(strange)}”")
    fields = []
    for field in base.fields:
        own = part.fields.get(field.name, {})
        strange = own.keys() - {level.name for level in field.levels}
        if strange:
            raise ValueError(f"字段“{field.name}”没有比较等级“{min(strange)}”")
        levels = (_merged(level, own.get(level.name, _Part())) for level in field.levels)
        fields.append(replace(field, levels=tuple(levels)))
    return replace(base, prior=part.prior or base.prior, fields=tuple(fields))


def _merged(level: Level, part: _Part) -> Level:
    return replace(level, m=part.m or level.m, u=part.u or level.u)


def load_models(path: Path) -> Models:
    """The models of a file. Raises ReconcileError E101, or E510 with every complaint and its line."""
    if not path.is_file():
        cure = "用 `reconcile tune --fit` 生成一份，或去掉这项设置"
        raise ReconcileError(
            Problem("E510", "error", "没有比对模型文件", "找不到该文件", cure, file=path.name)
        )
    return validated(_File, path, "E510").models()


def save_models(models: Models, path: Path) -> None:
    """Writes the file, the same models always as the same bytes; a reader never sees half of it.

    Raises ValueError where a list's model has other fields or levels than `base`, or a name cannot be written.
    """
    plain = _plain(models)
    _File.model_validate(plain)  # what is written can be read again
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(HEAD + "\n".join(_lines(plain, "")) + "\n", encoding="utf-8", newline="\n")
    unfinished.replace(path)


Plain = dict[str, Any]


def _plain(models: Models) -> Plain:
    base = models.base
    whole: Plain = {"version": base.version, "made_from": dict(models.made_from), "prior": _short(base.prior)}
    whole["fields"] = {
        field.name: {level.name: {"m": _short(level.m), "u": _short(level.u)} for level in field.levels}
        for field in base.fields
    }
    whole["lists"] = {dataset: _differing(base, model) for dataset, model in sorted(models.lists.items())}
    return whole


def _differing(base: Model, own: Model) -> Plain:
    """What a list's model says otherwise than the base, to the digits that are written."""
    if _names(base) != _names(own):
        raise ValueError("a list's model has other fields or levels than the base")
    part: Plain = {} if _short(own.prior) == _short(base.prior) else {"prior": _short(own.prior)}
    fields: Plain = {}
    for field, of_base in zip(own.fields, base.fields, strict=True):
        for level, at in zip(field.levels, of_base.levels, strict=True):
            shares = {side: _short(getattr(level, side)) for side in ("m", "u")}
            differing = {side: share for side, share in shares.items() if share != _short(getattr(at, side))}
            if differing:
                fields.setdefault(field.name, {})[level.name] = differing
    return {**part, "fields": fields} if fields else part


def _names(model: Model) -> list[tuple[str, list[str]]]:
    return [(field.name, [level.name for level in field.levels]) for field in model.fields]


def _short(share: float) -> float:
    return float(f"{share:.{DIGITS}g}")


def _lines(mapping: Plain, indent: str) -> Iterator[str]:
    """Block style, one line a level; texts quoted as JSON, which YAML reads."""
    for key, value in mapping.items():
        if isinstance(value, dict) and any(isinstance(inner, dict) for inner in value.values()):
            yield f"{indent}{key}:"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, dict):
            yield f"{indent}{key}: {{{', '.join(f'{k}: {_scalar(v)}' for k, v in value.items())}}}"
        else:
            yield f"{indent}{key}: {_scalar(value)}"


def _scalar(value: float | str) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else f"{value:.{DIGITS}g}"
