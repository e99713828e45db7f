"""`reconcile.toml`, the part about mail: who gets what, by which server, when, and who must have looked at it before."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipeline.contracts.dataset import Strict

# ASCII on both sides: many servers of the government network take no others (dependencies: sendmail refuses them, too)
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
# Mailboxes that anybody can open; an office may still name them in `allowed_domains`, with a reason.
PUBLIC_DOMAINS = frozenset(
    [
        "163.com",
        "126.com",
        "yeah.net",
        "qq.com",
        "foxmail.com",
        "sina.com",
        "sina.cn",
        "sohu.com",
        "139.com",
        "189.cn",
        "wo.cn",
        "aliyun.com",
        "gmail.com",
        "outlook.com",
        "hotmail.com",
        "icloud.com",
        "yahoo.com",
    ]
)


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def checked_addresses(addresses: tuple[str, ...]) -> tuple[str, ...]:
    """Lower-case domains, each address once, in the order given. Raises ValueError without showing the address."""
    for place, address in enumerate(addresses, 1):
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"第{place}个邮箱地址不合规（只能是英文字母、数字组成的 名称@域名）")
    named = [f"{a.rpartition('@')[0]}@{domain_of(a)}" for a in addresses]
    return tuple(dict.fromkeys(named))


class Mail(Strict):
    """The mail server and what may be sent where. Passwords stand in `secrets`, never here."""

    host: str = ""  # empty: nothing is ever sent
    port: int = Field(default=465, gt=0, lt=65536)
    security: Literal["tls", "starttls"] = "tls"  # there is no plain way
    ca_file: str = ""  # the office's own authority (PEM), beside reconcile.toml; empty: the system's
    user: str = ""
    sender: str = ""
    sender_name: str = "惠民政策核对"  # no word of disability: the name is shown in every list of mails
    reply_to: str = ""
    contact: str = ""  # whom to ask: a telephone number or office, told in every mail
    allowed_domains: tuple[str, ...] = ()  # recipients' domains; nothing goes anywhere else
    allowed_domains_reason: str = ""  # needed where a public domain (163.com …) is among them
    operator: tuple[str, ...] = ()  # who hears of nights that failed
    secrets: str = "secrets.toml"  # beside reconcile.toml, mode 0400
    timeout_seconds: int = Field(default=30, gt=0)
    tries_a_night: int = Field(default=3, ge=1)  # of one mail
    minutes_between_tries: int = Field(default=5, ge=0, le=60)  # greylisting servers want a few (RFC 6647)
    nights: int = Field(default=5, ge=1)  # on which it is tried before it is given up
    largest_mb: int = Field(default=20, gt=0)  # of one mail

    @field_validator("operator")
    @classmethod
    def _addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        return checked_addresses(addresses)

    @field_validator("sender", "reply_to")
    @classmethod
    def _address(cls, address: str) -> str:
        return checked_addresses((address,))[0] if address else address

    @field_validator("allowed_domains")
    @classmethod
    def _domains(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(domain.lower().removeprefix("@") for domain in domains))

    @model_validator(mode="after")
    def _whole(self) -> Mail:
        if self.host and not self.sender:
            raise ValueError("写了 host 就必须写 sender（发件地址）")
        public = [domain for domain in self.allowed_domains if domain in PUBLIC_DOMAINS]
        if public and not self.allowed_domains_reason.strip():
            raise ValueError(f"{'、'.join(public)} 是公众邮箱；要用，须在 allowed_domains_reason 写明依据")
        return self


class Period(Strict):
    """When reports go (第N期), and by when they are to be answered."""

    latest_day: int = Field(default=20, ge=1, le=28)  # of the month: then it goes, with what is wanting named
    workdays_to_answer: int = Field(default=10, ge=1)
    urgent: tuple[str, ...] = ()  # benefits or findings that do not wait for the period
    holidays: tuple[date, ...] = ()  # of years that the built-in calendar does not know yet
    workdays: tuple[date, ...] = ()  # Saturdays and Sundays that are worked

    @model_validator(mode="after")
    def _one_or_other(self) -> Period:
        if set(self.holidays) & set(self.workdays):
            raise ValueError("同一天不能既是 holidays 又是 workdays")
        return self


class Approval(Strict):
    """Which batches somebody must have looked at (`reconcile approve`) before they leave."""

    second_person: bool = False  # not the one who ran the night
    always: bool = False  # every period, not only floods, changed recipients and changed rules


class Retention(Strict):
    """How many days each class is kept (failure modes, part 5, line 15). 0: for ever."""

    snapshots: int = Field(default=400, ge=0)  # accepted lists (Parquet)
    quarantine: int = Field(default=30, ge=0)
    nights: int = Field(default=400, ge=0)  # archives for `reconcile diff`
    mail: int = Field(default=30, ge=0)  # .eml files of mails that are done
    backups: int = Field(default=60, ge=0)
    log: int = Field(default=400, ge=180)  # 网络安全法 art. 21: six months at least
    access: int = Field(default=1100, ge=1096)  # three years at least
