"""The signs of risk for visits (`rules/visits/early_warning.yaml`): what makes a family worth a visit before it falls.

Signs are policy, so they are a file: sentences, expressions over facts and parameters, weights, questions, cases.
Nothing here is an outcome: a sign sends somebody to look, it decides nothing.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipeline.contracts.dataset import Strict
from pipeline.contracts.rule import Parameter
from pipeline.contracts.validated import validated

FOLDER, FILE = "visits", "early_warning.yaml"
JOINED_BY = "+"  # the signs of a person in the results


class Sign(Strict):
    """One sign. It counts where `when` is certainly true and, if it names `lost`, where one of these facts was true in an
    earlier month's night and is certainly not true any more.
    """

    id: str = Field(min_length=1)
    say: str = Field(min_length=1)
    when: str = ""
    lost: tuple[str, ...] = ()
    weight: int = Field(ge=1, le=9)
    ask: str = Field(min_length=1)

    @field_validator("id")
    @classmethod
    def _can_be_joined(cls, id_: str) -> str:
        if JOINED_BY in id_:
            raise ValueError(f"迹象的 id 里不能有“{JOINED_BY}”：结果表用它连接几个迹象")
        return id_

    @model_validator(mode="after")
    def _says_when(self) -> Sign:
        if not self.when and not self.lost:
            raise ValueError(f"迹象“{self.id}”要写 when（条件）或 lost（失去了哪些）")
        return self


class SignCase(Strict):
    """A worked case that runs as a test. What is not given is unknown; `before` is what an earlier night knew."""

    name: str
    given: dict[str, str] = {}
    before: dict[str, str] = {}
    region: str = "530000"
    as_of: date = date(2026, 10, 31)
    expect: tuple[str, ...] = ()  # the ids of exactly the signs that count
    monitored: Literal["yes", "no", "unknown"] | None = None  # only where the case is about it


class VisitSigns(Strict):
    """The whole file."""

    title: str
    owner: str
    law: str
    parameters: dict[str, Parameter] = {}
    signs: tuple[Sign, ...] = Field(min_length=1)
    monitored: str  # who is looked after already
    not_checked: tuple[str, ...] = ()
    cases: tuple[SignCase, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_differ(self) -> VisitSigns:
        ids: set[str] = set()
        for sign in self.signs:
            if sign.id in ids:
                raise ValueError(f"迹象 id“{sign.id}”重复")
            ids.add(sign.id)
        return self

    @property
    def lost(self) -> tuple[str, ...]:
        """Every fact whose loss is a sign, each once, in order."""
        return tuple(dict.fromkeys(name for sign in self.signs for name in sign.lost))


def visit_signs_file(rules: Path) -> Path:
    """Where the signs stand in a folder of rules."""
    return rules / FOLDER / FILE


def load_visit_signs(rules: Path) -> VisitSigns | None:
    """The signs of a folder of rules; None where it has none: then no list is made.

    Raises ReconcileError E101, E301 naming file, line and key.
    """
    path = visit_signs_file(rules)
    return validated(VisitSigns, path, "E301") if path.is_file() else None
