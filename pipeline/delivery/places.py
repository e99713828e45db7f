"""Where finished letters and the sent-journal lie in the state folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pipeline.cases.places import write_whole
from pipeline.contracts.problem import Problem, ReconcileError

STOP = "STOP_MAIL"  # a file of this name in the state folder stops all mail


def mail_folder(state: Path) -> Path:
    return state / "mail"


def stopped(state: Path) -> bool:
    """Whether somebody has pulled the brake. Anything of that name counts, also what cannot be looked at."""
    return os.path.lexists(state / STOP)


def keep_letter(state: Path, name: str, message: bytes) -> str:
    """Writes the finished bytes so that they outlive a power cut; their SHA-256. Raises OSError."""
    write_whole(mail_folder(state) / name, message, 0o600)
    return hashlib.sha256(message).hexdigest()


def kept_letter(state: Path, name: str, sha256: str) -> bytes:
    """The bytes that were looked at and checked. Raises ReconcileError E821 (exit 8) where they are gone or are others."""
    try:
        message = (mail_folder(state) / name).read_bytes()
    except OSError:
        message = b""
    if hashlib.sha256(message).hexdigest() != sha256:
        why = "发件箱里的邮件不在了，或在检查、批准之后被改动过"
        cure = f"不要发送；查明原因后 `reconcile outbox withdraw {name.removesuffix('.eml')} --reason …` 撤回，下一夜重新生成"
        raise ReconcileError(
            Problem("E821", "error", "邮件与检查过的不一致", why, cure, file=name), exit_code=8
        )
    return message
