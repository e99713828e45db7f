"""`reconcile.toml`: what an office may set. Everything has a default; a prefecture works without the file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from pipeline.contracts.dataset import Strict
from pipeline.contracts.mail_settings import Approval, Mail, Period, Retention, checked_addresses, domain_of
from pipeline.contracts.problem import Problem, ReconcileError


class CountySetting(Strict):
    """A county that the built-in list of divisions does not know (a development zone, a farm), or how it wants its report."""

    name: str = ""
    full_ids: bool = False  # IDs unmasked in this county's report; only with a recorded reason
    full_ids_reason: str = ""
    seal: Literal["zip", "xlsx"] = (
        "zip"  # how whole numbers are locked up for the mail: AES-256 zip, or the workbook
    )
    by_township: bool = False  # besides, one file a township, for handing on


class Thresholds(Strict):
    """When a list is not accepted. Shares are fractions of rows."""

    unknown_codes: float = Field(default=0.01, ge=0, le=1)  # of a required coded column
    usable_ids: float = Field(
        default=0.5, ge=0, le=1
    )  # rows with a usable ID or certificate number, at least
    broken_rows: float = Field(default=0.01, ge=0, le=1)  # rows that cannot be read (ragged, mojibake)
    # against what was accepted before (intake/history_gate.py)
    rows_fall: float = Field(default=0.5, ge=0, le=1)  # rows left of the last accepted, at least
    rows_rise: float = Field(default=3.0, ge=1)  # times the last accepted, at most
    people_vanished: float = Field(default=0.2, ge=0, le=1)  # of the last accepted's people
    short_list: int = Field(default=200, ge=0)  # below so many rows only by half
    cut_share: float = Field(default=0.01, ge=0, le=1)  # rows missing in one block at the end
    cut_rows: int = Field(default=20, ge=1)  # and at least so many
    damaged_ids: float = Field(default=0.2, ge=0, le=1)  # rows without a sound number
    damaged_rise: float = Field(default=0.15, ge=0, le=1)  # and so much more than before
    doubled_rows: float = Field(default=0.3, ge=0)  # more rows that only repeat others


class Matching(Strict):
    """When a row found by other means than its number is a person's. Probabilities."""

    link_probability: float = Field(default=0.98, gt=0.5, le=1)  # from here on it is linked
    review_probability: float = Field(default=0.05, gt=0, lt=1)  # from here on a clerk should look
    weights: str = (
        ""  # a file made by `reconcile tune --fit`, beside reconcile.toml; empty: the documented priors
    )

    @model_validator(mode="after")
    def _review_below_link(self) -> Matching:
        if self.review_probability >= self.link_probability:
            raise ValueError("review_probability 必须小于 link_probability")
        return self


class Limits(Strict):
    """What one machine may spend."""

    memory_gb: float = Field(default=3.0, gt=0)
    threads: int = Field(default=0, ge=0)  # 0: all
    workbook_mb: int = Field(default=2048, gt=0)  # unpacked size of one workbook


class Settings(Strict):
    """The whole of reconcile.toml."""

    region: str = ""  # name in the reports' titles; empty: from the register
    counties: dict[str, CountySetting] = {}
    thresholds: Thresholds = Thresholds()
    matching: Matching = Matching()
    limits: Limits = Limits()
    mail: Mail = Mail()
    recipients: dict[str, tuple[str, ...]] = {}  # by six-digit county code
    departments: dict[str, tuple[str, ...]] = {}  # by folder name of the department (civil_affairs …)
    period: Period = Period()
    approval: Approval = Approval()
    retention: Retention = Retention()

    @field_validator("recipients", "departments")
    @classmethod
    def _addresses(cls, lists: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {who: checked_addresses(addresses) for who, addresses in lists.items()}

    @field_validator("recipients")
    @classmethod
    def _county_codes(cls, lists: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Codes never build a path or a mail unless they are six digits (failure modes, row 28)."""
        for code in lists:
            if not (len(code) == 6 and code.isascii() and code.isdigit()):
                raise ValueError("recipients 的每一项应是六位区划代码，如 533423")
        return lists

    @model_validator(mode="after")
    def _only_allowed_domains(self) -> Settings:
        allowed = set(self.mail.allowed_domains)
        wrong = [
            who
            for who, addresses in (*self.recipients.items(), *self.departments.items())
            for address in addresses
            if domain_of(address) not in allowed
        ]
        if wrong:
            raise ValueError(f"{'、'.join(dict.fromkeys(wrong))} 的收件地址不在 mail.allowed_domains 里")
        return self


def load_settings(path: Path | None) -> Settings:
    """Settings from the file, or the defaults where there is none. Raises ReconcileError E105."""
    if path is None:
        return Settings()
    try:
        return Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        why = str(error) if isinstance(error, tomllib.TOMLDecodeError) else type(error).__name__
        raise ReconcileError(
            Problem(
                "E105",
                "error",
                "设置文件读不出来",
                why,
                "按提示的行列改正，或用 `reconcile init` 另生成一份",
                file=path.name,
            )
        ) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReconcileError(
            Problem(
                "E105",
                "error",
                f"设置项“{where}”不合规",
                str(first["msg"]),
                "参照 `reconcile init` 生成的样例改正",
                file=path.name,
            )
        ) from None
