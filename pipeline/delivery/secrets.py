"""`secrets.toml`: the mail server's password and each county's password for sealed attachments. Nothing of it is ever shown.

    smtp_password = "…"          # the environment variable RECONCILE_SMTP_PASSWORD wins

    [county_passwords]
    533423 = "…"                 # by six-digit county code; told to the county by another way than mail

County passwords are printable ASCII: WinRAR and 7-Zip on Windows take anything else through the code page. An AES zip
stretches its password by only 1,000 rounds of PBKDF2 (WinZip AE-2), hence twelve characters at least.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError, field_validator

from pipeline.contracts.dataset import Strict
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.system_files import HAS_OWNERS, is_own, open_private

VARIABLE = "RECONCILE_SMTP_PASSWORD"
SHORTEST = 12  # characters of a county's password
_LARGEST = 1 << 20  # bytes of the file
_LINE = re.compile(r"at line ([0-9]+)")


@dataclass(frozen=True, repr=False)
class Secrets:
    """Passwords; `repr` and `str` say only that there are some."""

    smtp_password: str | None = None
    county_passwords: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Secrets(…)"


class _File(Strict):
    """The file's keys; values never stand in messages (`Strict` hides them, and only places are read of an error)."""

    smtp_password: str | None = None
    county_passwords: dict[str, str] = {}

    @field_validator("smtp_password")
    @classmethod
    def _one_line(cls, password: str | None) -> str | None:
        if password is not None and (not password or not password.isprintable()):
            raise ValueError("不能为空，也不能有换行等控制字符")
        return password

    @field_validator("county_passwords")
    @classmethod
    def _by_county(cls, passwords: dict[str, str]) -> dict[str, str]:
        for code, password in passwords.items():
            if not (len(code) == 6 and code.isascii() and code.isdigit()):
                raise ValueError('每一项应是六位区划代码 = "密码"')
            if not (password.isascii() and password.isprintable()):
                raise ValueError("密码只能用英文字母、数字和英文符号")
            if password != password.strip():
                raise ValueError("密码首尾不能有空格")
            if len(password) < SHORTEST:
                raise ValueError(f"密码至少{SHORTEST}个字符")
        return passwords


def load_secrets(path: Path, environment: Mapping[str, str] = os.environ) -> Secrets:
    """The passwords of the file, none where there is no file; the environment's SMTP password wins.

    Raises ReconcileError E801 where others than the owner can get at the file, E802 where a password serves twice,
    E803 where the file cannot be understood. No message holds a value or a key that is not known.
    """
    text = _read(path)
    found = _parsed(text, path.name) if text is not None else _File()
    _each_its_own(found, path.name)
    return Secrets(environment.get(VARIABLE) or found.smtp_password, dict(found.county_passwords))


def _read(path: Path) -> bytes | None:
    """The file's bytes; None where there is none. What was checked is what is read: the same open file."""
    try:
        handle = open_private(path, os.O_RDONLY, wait=False)
    except FileNotFoundError:
        return None
    except OSError:
        raise _refusal(path.name, "它是一个链接，或者本用户读不了") from None
    try:
        why = _open_to_others(os.fstat(handle))
        if why:
            raise _refusal(path.name, why)
        return os.read(handle, _LARGEST)
    finally:
        os.close(handle)


def _open_to_others(what: os.stat_result) -> str:
    """Why the file is not ours alone; "" where it is."""
    if not stat.S_ISREG(what.st_mode):
        return "它不是普通文件"
    if not HAS_OWNERS:  # there the mode says nothing about who may read it
        return ""
    if not is_own(what):
        return "它不属于运行本程序的用户"
    return "" if stat.S_IMODE(what.st_mode) in (0o400, 0o600) else "别的用户可能读到它"


def _refusal(name: str, why: str) -> ReconcileError:
    return ReconcileError(
        Problem(
            "E801",
            "error",
            "密码文件的权限不对",
            why,
            f"改成本用户的普通文件，并执行 chmod 400 {name}",
            file=name,
        )
    )


def _parsed(text: bytes, name: str) -> _File:
    try:
        return _File.model_validate(tomllib.loads(text.decode("utf-8")))
    except UnicodeDecodeError:
        raise _unclear(name, "不是 UTF-8 文本") from None
    except tomllib.TOMLDecodeError as error:
        line = _LINE.search(str(error))  # only the place: the library's words may quote the file
        raise _unclear(name, "不合 TOML 写法", int(line[1]) if line else 0) from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        known = [str(part) for part in first["loc"][:1] if str(part) in _File.model_fields]
        what = (
            first["msg"].removeprefix("Value error, ")
            if first["type"] == "value_error"
            else "有不认识的项，或类型不对"
        )
        raise _unclear(name, f"{known[0]}：{what}" if known else what) from None


def _unclear(name: str, why: str, line: int = 0) -> ReconcileError:
    cure = "参照 docs/operations.md 的样例改正（smtp_password 和 [county_passwords]）"
    return ReconcileError(Problem("E803", "error", "密码文件读不懂", why, cure, file=name, row=line))


def _each_its_own(found: _File, name: str) -> None:
    """One password for two counties would let one open the other's attachment; the server's is nobody's but ours."""
    owners: dict[str, list[str]] = {}
    for code, password in found.county_passwords.items():
        owners.setdefault(password, []).append(code)
    if found.smtp_password in owners:
        owners[found.smtp_password].append("smtp_password")
    shared = [who for who in owners.values() if len(who) > 1]
    if shared:
        raise ReconcileError(
            Problem(
                "E802",
                "error",
                f"{'、'.join(shared[0])} 的密码相同",
                "密码相同，一处的附件另一处就能打开",
                "各设各的密码，另行告知对方",
                file=name,
            )
        )
