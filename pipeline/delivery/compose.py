"""From a county's finished report to its letters: the attachments, locked up where it gets whole numbers, and the words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.settings import Settings
from pipeline.delivery.letter import CSV, XLSX, Attachment, Kind, Letter
from pipeline.delivery.sealing import seal
from pipeline.delivery.secrets import Secrets
from pipeline.delivery.township_files import as_inside_a_zip, township_files

_KINDS = {".csv": CSV, ".xlsx": XLSX}


@dataclass(frozen=True)
class Words:
    """Subject and body of a letter, and the stem of its files' names (Chinese; no person, no disability)."""

    subject: str
    body: str
    stem: str


def report_files(folder: Path, stem: str, month: str) -> tuple[Attachment, ...]:
    """The county's CSV and workbook(s), and its townships' where there are any, as they lie in its report folder."""
    found = []
    for path in sorted(folder.glob("discrepancies*.*")):
        if path.suffix in _KINDS:
            part = path.stem.removeprefix("discrepancies")
            found.append(_attachment(path, f"{stem}{part}", f"report-{folder.name}-{month}{part}"))
    return (*found, *township_files(folder, stem, f"township-{folder.name}-{month}"))


def _attachment(path: Path, stem: str, plain: str) -> Attachment:
    return Attachment(f"{stem}{path.suffix}", f"{plain}{path.suffix}", _KINDS[path.suffix], path.read_bytes())


def sealed(
    attachments: tuple[Attachment, ...],
    county: str,
    settings: Settings,
    secrets: Secrets,
    stem: str,
    month: str,
) -> tuple[Attachment, ...]:
    """Locked with the county's own password where its settings ask for whole numbers. Raises ReconcileError E811 without one."""
    setting = settings.counties.get(county)
    if not attachments or setting is None or not (setting.full_ids and setting.full_ids_reason.strip()):
        return attachments
    password = secrets.county_passwords.get(county)
    if not password:
        what, why = "该县的报告没有发出", "设置要求完整证件号码，而密码文件里没有该县的密码"
        cure = f"在密码文件的 [county_passwords] 里写上 {county} 的密码，另行告知该县；或取消 full_ids"
        raise ReconcileError(Problem("E811", "error", what, why, cure, county=county), exit_code=6)
    inside = as_inside_a_zip(attachments) if setting.seal == "zip" else attachments
    return seal(inside, setting.seal, password, stem, f"report-{county}-{month}")


def letters(
    kind: Kind,
    key: str,
    on: date,
    place: str,
    addresses: tuple[str, ...],
    words: Words,
    files: tuple[Attachment, ...],
) -> list[Letter]:
    """One letter an address. `key` names the occasion: the same occasion, place and address are the same letter for ever."""
    return [
        Letter(letter_id(key, place, to), kind, on, place, to, words.subject, words.body, files)
        for to in addresses
    ]


def letter_id(key: str, place: str, to: str) -> str:
    """The address stands in it as a hash: a Message-ID is seen by every server on the way."""
    return f"{key}-{place.replace('_', '-')}-{hashlib.sha256(to.encode()).hexdigest()[:10]}"


def about(words: Words, files: tuple[Attachment, ...] = ()) -> str:
    """A digest of what a letter says."""
    parts = hashlib.sha256(f"{words.subject}\n{words.body}".encode())
    for file in files:
        parts.update(file.data)
    return parts.hexdigest()[:16]
