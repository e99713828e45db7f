"""`reconcile watch --mail` against a real server: the operator hears of the night by TLS, and nothing else leaves."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from courier_certificates import TlsFiles
from courier_server import SmtpServer

from pipeline import clock
from pipeline.contracts.mail_settings import Mail
from pipeline.contracts.settings import Settings
from pipeline.desk.watch import tell, watch
from pipeline.heartbeat import Heartbeat, write_heartbeat

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=clock.SHANGHAI)
BEAT = Heartbeat(date(2026, 11, 20), NOW - timedelta(hours=40), 7, 40, 42, 4, {"later": 2})


def settings_of(mail: Mail, *operator: str) -> Settings:
    domain = mail.sender.rpartition("@")[2]
    told = {**mail.model_dump(), "operator": operator or (f"op@{domain}",), "allowed_domains": (domain,)}
    return Settings.model_validate({"mail": told})


def test_the_operator_hears(tmp_path: Path, smtp_server: SmtpServer, mail_settings: Mail) -> None:
    write_heartbeat(tmp_path, BEAT)
    settings = settings_of(mail_settings)
    assert tell(watch(tmp_path, 30, NOW), settings, None, tmp_path, NOW) == []
    ((to, message),) = smtp_server.messages
    assert to == settings.mail.operator[0]
    read = email.message_from_bytes(message, policy=email.policy.default)
    assert read["Subject"] == "[值守]夜间比对失败 2026-11-21"
    body = read.get_content()
    assert "E853" in body
    assert "E854" in body
    assert "E855" in body
    assert "待重发 2 封" in body


def test_the_brake_holds_it_too(tmp_path: Path, smtp_server: SmtpServer, mail_settings: Mail) -> None:
    (tmp_path / "STOP_MAIL").touch()
    unsent = tell(watch(tmp_path, 30, NOW), settings_of(mail_settings), None, tmp_path, NOW)
    assert [problem.code for problem in unsent] == ["E856"]
    assert smtp_server.messages == []


def test_another_domain_is_not_written_to(
    tmp_path: Path, smtp_server: SmtpServer, mail_settings: Mail
) -> None:
    settings = settings_of(mail_settings, "op@elsewhere.example")
    unsent = tell(watch(tmp_path, 30, NOW), settings, None, tmp_path, NOW)
    assert [problem.code for problem in unsent] == ["E856"]
    assert "elsewhere" not in unsent[0].line()
    assert smtp_server.messages == []


def test_a_server_that_cannot_be_trusted_is_said(
    tmp_path: Path, make_smtp_server: Callable[..., SmtpServer], tls_files: TlsFiles
) -> None:
    server = make_smtp_server(pair=tls_files.expired)
    unsent = tell(watch(tmp_path, 30, NOW), settings_of(server.mail(tls_files.ca)), None, tmp_path, NOW)
    assert [problem.code for problem in unsent] == ["E856"]
    assert server.messages == []


def test_without_a_server_it_says_so(tmp_path: Path) -> None:
    assert [p.code for p in tell(watch(tmp_path, 30, NOW), Settings(), None, tmp_path, NOW)] == ["E856"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No secrets.toml of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECONCILE_SMTP_PASSWORD", raising=False)
