"""secrets.toml: who may read it, what it may say, and that nothing of it is ever shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.contracts.problem import ReconcileError
from pipeline.delivery.secrets import Secrets, load_secrets

GOOD = """
smtp_password = "Mail-password 1"
[county_passwords]
539901 = "first-county-9"
539902 = 'second "county" 8'
"""
CANARY = "geheim-canary-123"


def written(folder: Path, text: str, mode: int = 0o400) -> Path:
    path = folder / "secrets.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def refused(path: Path) -> ReconcileError:
    with pytest.raises(ReconcileError) as error:
        load_secrets(path, {})
    assert CANARY not in str(error.value)
    assert error.value.__cause__ is None
    return error.value


@pytest.mark.parametrize("mode", [0o400, 0o600])
def test_passwords_are_read_by_county(tmp_path: Path, mode: int) -> None:
    secrets = load_secrets(written(tmp_path, GOOD, mode), {})
    assert secrets.smtp_password == "Mail-password 1"
    assert secrets.county_passwords == {"539901": "first-county-9", "539902": 'second "county" 8'}


def test_no_file_is_no_secret(tmp_path: Path) -> None:
    assert load_secrets(tmp_path / "secrets.toml", {}) == Secrets()
    assert load_secrets(tmp_path / "none", {"RECONCILE_SMTP_PASSWORD": "x"}).smtp_password == "x"


def test_the_environment_wins(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    assert load_secrets(path, {"RECONCILE_SMTP_PASSWORD": "other"}).smtp_password == "other"
    assert load_secrets(path, {"RECONCILE_SMTP_PASSWORD": ""}).smtp_password == "Mail-password 1"


def test_nothing_is_shown(tmp_path: Path) -> None:
    secrets = load_secrets(written(tmp_path, GOOD), {})
    for shown in (repr(secrets), str(secrets), f"{secrets}", f"{[secrets]}"):
        assert "password" not in shown
        assert "county-9" not in shown


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o660, 0o700, 0o420])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    error = refused(written(tmp_path, GOOD, mode))
    assert error.problem.code == "E801"
    assert "chmod 400" in error.problem.cure


def test_a_link_a_folder_and_a_pipe_are_refused(tmp_path: Path) -> None:
    real = written(tmp_path, GOOD)
    (tmp_path / "link").symlink_to(real)
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("link", "nowhere", "pipe"):
        assert refused(tmp_path / name).problem.code == "E801"
    assert refused(tmp_path).problem.code == "E801"


@pytest.mark.parametrize(
    "text",
    [
        '[county_passwords]\n539901 = "same-password-1"\n539902 = "same-password-1"',
        'smtp_password = "same-password-1"\n[county_passwords]\n539902 = "same-password-1"',
    ],
)
def test_one_password_for_two_is_refused(tmp_path: Path, text: str) -> None:
    error = refused(written(tmp_path, text.replace("same-password-1", CANARY)))
    assert error.problem.code == "E802"
    assert "539902" in error.problem.what


@pytest.mark.parametrize(
    "text",
    [
        f'"{CANARY}" = "x"',
        f'smtp_pasword = "{CANARY}"',
        f'smtp_password = "{CANARY}',
        f'smtp_password = "{CANARY}\\n"',
        'smtp_password = ""',
        f'smtp_password = ["{CANARY}"]',
        f'[county_passwords]\n"{CANARY}" = "long-enough-1"',
        f'[county_passwords]\n53990 = "{CANARY}"',
        f'[county_passwords]\n５３９９０１ = "{CANARY}"',
        '[county_passwords]\n539901 = "short-11-ab"',
        f'[county_passwords]\n539901 = " {CANARY}"',
        f'[county_passwords]\n539901 = "{CANARY} "',
        f'[county_passwords]\n539901 = "{CANARY}密"',
        f'[county_passwords]\n539901 = "{CANARY}\\t"',
        f'county_passwords = "{CANARY}"',
        f'[county_passwords.539901]\nx = "{CANARY}"',
    ],
)
def test_what_is_not_understood_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    error = refused(written(tmp_path, text))
    assert error.problem.code == "E803"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    path.write_bytes(b'smtp_password = "\xff\xfe"')
    path.chmod(0o400)
    assert refused(path).problem.code == "E803"


def test_the_line_of_a_slip_is_told(tmp_path: Path) -> None:
    assert refused(written(tmp_path, f"\n\nsmtp_password = {CANARY}")).problem.row == 3
