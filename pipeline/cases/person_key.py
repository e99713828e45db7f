"""Keyed hashes that stand for people in the ledger: without the key file nobody can be found in it.

A plain hash would protect nothing: an identity number has about 10^11 values. The key lies apart from the ledger, at
`STATE/key/person.key`, so that a copy of the one is useless without the other.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import unicodedata
from dataclasses import dataclass, field

from pipeline.cases.places import Places, write_whole
from pipeline.cases.refusals import LEDGER_DAMAGED, disk, refused
from pipeline.contracts.problem import ReconcileError
from pipeline.system_files import HAS_OWNERS, open_private

_LENGTH = 32  # bytes
_FILE = "key/person.key"


@dataclass(frozen=True)
class PersonKey:
    """The key of one state. `id`: first 8 hex digits of the key's SHA-256, which the ledger remembers."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return hashlib.sha256(self.secret).hexdigest()[:8]

    def of(self, kind: str, text: str) -> str:
        """HMAC-SHA256, 64 hex digits, of an identifier: its kind (`id`, `certificate`) and its text, however it is typed.

        Full-width and lower-case characters, spaces and invisible characters make no difference. Raises ValueError where
        nothing is left: all people without a number would be one.
        """
        kept = text.upper() if text.isascii() and text.isalnum() else _kept(text)
        if not kept or "\0" in kind:
            raise ValueError("an identifier without text, or an impossible kind")
        return hmac.digest(self.secret, f"{kind}\0{kept}".encode(), "sha256").hex()


def _kept(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in plain if not (c.isspace() or unicodedata.category(c) in ("Cf", "Cc")))


def make_key(places: Places) -> PersonKey:
    """A new key, whole on the disk before this returns. Raises ReconcileError E705. Call it under the ledger's lock."""
    secret = os.urandom(_LENGTH)
    with disk(places.key):
        write_whole(places.key, secret, 0o400)
    return PersonKey(secret)


def read_key(places: Places) -> PersonKey:
    """The state's key. Raises ReconcileError E707 where it is missing, damaged or others may read it; E705."""
    with disk(places.key):
        try:
            handle = open_private(places.key, os.O_RDONLY, wait=False)
        except FileNotFoundError:
            raise _lost("台账在，密钥文件却不在；没有它，台账里的人无法和名册对上") from None
        try:
            about, secret = os.fstat(handle), os.read(handle, _LENGTH + 1)
        finally:
            os.close(handle)
    if not stat.S_ISREG(about.st_mode) or len(secret) != _LENGTH:
        raise _lost(f"密钥文件应正好是{_LENGTH}个字节，这一份不是")
    if HAS_OWNERS and about.st_mode & 0o077:
        why = "别的用户也能读到它，有了它就能从台账里认出人"
        cure = "确认没有外泄后运行 chmod 400 密钥文件，再重新运行"
        raise refused("E707", "密钥文件的权限太宽", why, cure, _FILE, LEDGER_DAMAGED)
    return PersonKey(secret)


def same_key(key: PersonKey, remembered: str) -> None:
    """Raises ReconcileError E708 where the ledger remembers another key."""
    if key.id != remembered:
        why = "台账是用另一把密钥写的；用这一把，同一个人会变成两个人"
        cure = "放回与台账一起启用的 person.key（在单独保管的地方），不要新建"
        raise refused("E708", "密钥与台账不配套", why, cure, _FILE, LEDGER_DAMAGED)


def _lost(why: str) -> ReconcileError:
    cure = "从单独保管的地方放回原来的 person.key（权限 400），不要新建"
    return refused("E707", "密钥文件丢失或已损坏", why, cure, _FILE, LEDGER_DAMAGED)
