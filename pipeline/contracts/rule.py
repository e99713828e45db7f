"""A rule file (`rules/<benefit>.yaml`, `rules/findings/<finding>.yaml`): one entitlement or finding in Chinese sentences.

The form is argued in the rules guide; the outcome codes are those of the entitlement specification. Unmentioned
facts in a case are unknown, so every case also tests the three-valued answer.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipeline.contracts.dataset import Strict
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.validated import validated
from pipeline.contracts.yaml_file import line_of

Strength = Literal["entitlement", "quota", "lead"]
Pair = Literal["P0", "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8"]
OUTCOMES = (
    "undetermined",
    "verify",
    "renew_first",
    "receiving",
    "missing",
    "receiving_not_due",
    "not_due",
)


class Condition(Strict):
    """One sentence and its expression; `law` where it differs from the rule's.

    `certain` (of an `except` only): it counts where it certainly holds; unknown leaves the answer as it is.
    """

    id: str
    say: str
    when: str
    law: str = ""
    certain: bool = False


class RegionValues(Strict):
    """Values that a region (code prefix) sets for itself, by the date from which they hold."""

    values: dict[date, str]
    law: str = ""
    confirmed: bool = False  # an office has compared the values with the document itself


class Parameter(Strict):
    """A dated number, yes/no or code list; the longest matching region prefix that has a value at the date wins."""

    unit: str
    values: dict[date, str]
    regions: dict[str, RegionValues] = {}
    law: str = ""
    confirmed: bool = False  # the national values; each region says so for itself

    @field_validator("regions")
    @classmethod
    def _prefixes(cls, regions: dict[str, RegionValues]) -> dict[str, RegionValues]:
        for prefix in regions:
            if not (prefix.isascii() and prefix.isdigit() and len(prefix) in (2, 4, 6)):
                raise ValueError(f"区划前缀“{prefix}”应为 2、4 或 6 位数字，并加引号")
            if prefix < "11":
                raise ValueError(f"区划前缀“{prefix}”不是任何省份的代码（从 11 起）")
        return regions


class Amount(Strict):
    """Money the benefit is worth: a parameter's name, or a table over a fact."""

    per: Literal["month", "year", "once"]
    value: str | dict[str, dict[str, str]]


class Case(Strict):
    """A worked case that runs as a test. `given` holds facts; what is not given is unknown."""

    name: str
    given: dict[str, str] = {}
    region: str = "530000"
    as_of: date = date(2026, 10, 31)
    expect: str
    because: tuple[str, ...] = ()  # ids of the conditions that decide, if any are named
    confirmed: bool = False  # as if every parameter were confirmed


class Rule(Strict):
    """One benefit, or one finding (`finding` instead of `benefit`, conditions in `who`/`except` alike, no receipt)."""

    benefit: str = ""
    finding: str = ""
    title: str
    owner: str
    law: str
    since: date
    until: date | None = None
    strength: Strength = "entitlement"
    # a question to people where receipt is seen and certainly nothing is due (four benefits only)
    question_if_not_due: bool = False
    # findings: whom it is about; `outside_register` are people on `list` with a sound ID who are on no register
    subject: Literal["register", "outside_register"] = "register"
    list: str = ""
    who: tuple[Condition, ...] = Field(min_length=1)
    excluded: tuple[Condition, ...] = Field(default=(), alias="except")
    received: str = ""
    amount: Amount | None = None
    urgency: int = Field(default=5, ge=1, le=9)  # 1 first in a county's report
    # to which comparisons of two departments it belongs (迪残发〔2021〕35号, part 四)
    pairs: tuple[Pair, ...] = ()
    # of the parameters only confirmed values count: elsewhere the question is not asked
    only_confirmed: bool = False
    parameters: dict[str, Parameter] = {}
    not_checked: tuple[str, ...] = ()
    cases: tuple[Case, ...] = Field(min_length=1)

    @field_validator("who")
    @classmethod
    def _never_certain(cls, who: tuple[Condition, ...]) -> tuple[Condition, ...]:
        for condition in who:
            if condition.certain:
                raise ValueError(
                    f"“certain”只用于 except：条件“{condition.id}”是必须符合的，未知就是未知，删去 certain"
                )
        return who

    @model_validator(mode="after")
    def _one_of_two(self) -> Rule:
        if bool(self.benefit) == bool(self.finding):
            raise ValueError("“finding”与 benefit 必须且只能写一个")
        if self.benefit and not self.received:
            raise ValueError("写了“benefit”就必须写 received（看到哪个事实算已享受）")
        if self.finding and any(condition.certain for condition in self.excluded):
            raise ValueError("“certain”只用于待遇规则的 except：核查提示本来就只在确定时提示，删去 certain")
        ids: set[str] = set()
        for condition in (*self.who, *self.excluded):
            if condition.id in ids:
                raise ValueError(f"条件 id“{condition.id}”重复")
            ids.add(condition.id)
        return self

    @property
    def code(self) -> str:
        return self.benefit or self.finding


def load_rule(path: Path) -> Rule:
    """One rule file. Raises ReconcileError E301 naming file, line and key."""
    rule = validated(Rule, path, "E301")
    if rule.code != path.stem:
        raise ReconcileError(
            Problem(
                "E302",
                "error",
                f"规则代码写成了 {rule.code}",
                f"文件名说它是 {path.stem}",
                "让代码与文件名一致",
                file=f"{path.parent.name}/{path.name}",
                row=line_of(path, "benefit" if rule.benefit else "finding"),
            )
        )
    return rule


def load_rules(folder: Path) -> dict[str, Rule]:
    """All rules under the folder by code, benefits first, each in file-name order."""
    paths = [*sorted(folder.glob("*.yaml")), *sorted(folder.glob("findings/*.yaml"))]
    rules = [load_rule(path) for path in paths]
    if not rules:
        raise ReconcileError(
            Problem(
                "E303",
                "error",
                "没有找到任何规则",
                f"{folder.name}/ 为空",
                "用 --rules 指明文件夹",
                file=folder.name,
            )
        )
    return {rule.code: rule for rule in rules}
