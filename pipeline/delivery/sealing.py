"""Attachments locked up for the mail: one AES-256 zip, or encrypted workbooks; and opened again for the check.

The zip is WinZip AE-2 (AES-256, no plaintext CRC): 7-Zip, WinRAR, Bandizip and 360压缩 open it, Windows' own folders do not.
Names inside a zip are not encrypted, therefore they are the attachments' plain names. Workbooks are encrypted as
ECMA-376 agile (MS-OFFCRYPTO 2.3.4.10, AES-256, SHA-512, 100,000 rounds), which Excel and WPS ask a password for.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Literal

import msoffcrypto
import pyzipper
from msoffcrypto.format.ooxml import OOXMLFile

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.delivery.letter import CSV, XLSX, ZIP, Attachment

_NEUTRAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_KINDS = {".csv": CSV, ".xlsx": XLSX}
_ENCRYPTED_OFFICE = bytes.fromhex("D0CF11E0A1B11AE1")  # a compound file around the encrypted package
_AES_256 = 3  # strength in the extra field 0x9901
_LARGEST = 1 << 30  # bytes unpacked
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)


def seal(
    attachments: Sequence[Attachment],
    how: Literal["zip", "xlsx"],
    password: str,
    name: str,
    plain_name: str,
) -> tuple[Attachment, ...]:
    """The attachments locked with the password (ASCII).

    "zip": one zip of this name (`.zip` is added to `name` and `plain_name` where it is wanting) of everything. "xlsx": every workbook
    encrypted under its own name; a CSV cannot be encrypted and is left out. Not the same bytes twice: salts are random.
    Raises ValueError (without a value) where there is nothing to lock, the password is unfit, or names are not neutral.
    """
    if not (password and password.isascii() and password.isprintable()):
        raise ValueError("the password is not printable ASCII")
    if how == "xlsx":
        return _locked_workbooks(attachments, password)
    names = [one.plain_name for one in attachments]
    if not names or len({one.lower() for one in names}) != len(names):
        raise ValueError("nothing to lock up, or two files of one name")
    if not all(_NEUTRAL.fullmatch(one) for one in [*names, plain_name]):
        raise ValueError("a plain name is not plain")
    packed = io.BytesIO()
    with pyzipper.AESZipFile(
        packed, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES
    ) as file:
        file.setpassword(password.encode("ascii"))
        file.setencryption(pyzipper.WZ_AES, nbits=256, force_wz_aes_version=2)
        for one in attachments:
            entry = file.zipinfo_cls(one.plain_name, date_time=_FIRST_DAY)
            entry.compress_type = pyzipper.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            file.writestr(entry, one.data)
    return (Attachment(_zip_name(name), _zip_name(plain_name), ZIP, packed.getvalue()),)


def _zip_name(name: str) -> str:
    return name if name.endswith(".zip") else f"{name}.zip"


def _locked_workbooks(attachments: Sequence[Attachment], password: str) -> tuple[Attachment, ...]:
    if any(one.kind not in (CSV, XLSX) for one in attachments):
        raise ValueError("only workbooks can be encrypted")
    books = [one for one in attachments if one.kind == XLSX]
    if not books:
        raise ValueError("no workbook to encrypt")
    locked = []
    for book in books:
        out = io.BytesIO()
        OOXMLFile(io.BytesIO(book.data)).encrypt(password, out)
        locked.append(Attachment(book.name, book.plain_name, XLSX, out.getvalue()))
    return tuple(locked)


def is_sealed(attachment: Attachment) -> bool:
    """Whether it needs a password: any zip (`unseal` refuses one that is not encrypted), or an encrypted workbook."""
    return attachment.kind == ZIP or attachment.data.startswith(_ENCRYPTED_OFFICE)


def unseal(attachment: Attachment, password: str) -> tuple[Attachment, ...]:
    """What is inside, of a zip under the plain names. Everything in it must be encrypted with AES-256 and whole.

    Raises ReconcileError E804 where the password is wrong, something is damaged, or the file is not of `seal`'s making.
    """
    try:
        if attachment.kind == ZIP:
            return _unpacked(attachment.data, password)
        if attachment.data.startswith(_ENCRYPTED_OFFICE):
            return (_opened_workbook(attachment, password),)
    except (
        Exception
    ):  # libraries: any class for a wrong password or damage, and their words may quote content
        raise _closed() from None
    raise _closed()


def _unpacked(data: bytes, password: str) -> tuple[Attachment, ...]:
    found = []
    with pyzipper.AESZipFile(io.BytesIO(data)) as file:
        entries = file.infolist()
        names = {entry.filename.lower() for entry in entries}
        if not entries or len(names) != len(entries) or file.comment or file.start_dir > len(data):
            raise ValueError("not of our making")
        if sum(entry.file_size for entry in entries) > _LARGEST or not data.startswith(b"PK\x03\x04"):
            raise ValueError("not of our making")
        file.setpassword(password.encode("ascii"))
        for entry in entries:
            kind = _KINDS.get(PurePosixPath(entry.filename).suffix)
            aes = entry.flag_bits & 1 and entry.wz_aes_strength == _AES_256
            if not aes or entry.comment or kind is None or not _NEUTRAL.fullmatch(entry.filename):
                raise ValueError("not of our making")
            found.append(Attachment(entry.filename, entry.filename, kind, file.read(entry)))
    return tuple(found)


def _opened_workbook(book: Attachment, password: str) -> Attachment:
    out = io.BytesIO()
    file = msoffcrypto.OfficeFile(io.BytesIO(book.data))
    file.load_key(password=password)  # 100,000 rounds; whether it is the right one the HMAC says
    file.decrypt(out, verify_integrity=True)
    return Attachment(book.name, book.plain_name, XLSX, out.getvalue())


def _closed() -> ReconcileError:
    return ReconcileError(
        Problem(
            "E804",
            "error",
            "加密附件打不开",
            "密码不对，或文件已损坏，或不是本程序加密的",
            "核对密码文件里该县的密码；密码改过的，用 `reconcile outbox withdraw <信> --reason …` 撤回，下一夜重新生成",
        ),
        exit_code=8,
    )
