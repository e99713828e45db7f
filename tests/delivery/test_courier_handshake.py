"""What the doctor says of a mail server: each cause its own problem, nothing sent, no password shown."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from courier_certificates import TlsFiles
from courier_faults import Fault, FaultServer
from courier_server import Security, SmtpServer

from pipeline.contracts.mail_settings import Mail
from pipeline.delivery.courier_trouble import LASTING, Cause, Trouble
from pipeline.delivery.handshake import handshake

Make = Callable[..., SmtpServer]
BOTH = pytest.mark.parametrize("security", ["tls", "starttls"])


def _code(mail: Mail, files: TlsFiles, password: str | None = None) -> str:
    problem = handshake(mail, password, files.folder)
    if problem is None:
        return ""
    assert problem.severity == "error"
    assert "password" not in problem.line()
    assert "@" not in problem.line()
    return problem.code


@BOTH
def test_a_good_server_is_no_problem(make_smtp_server: Make, tls_files: TlsFiles, security: Security) -> None:
    server = make_smtp_server(security=security, user="hedui", password="password")
    assert _code(server.mail(tls_files.ca), tls_files, "password") == ""
    assert _code(server.mail(tls_files.ca, host="127.0.0.1"), tls_files, "password") == ""
    assert _code(server.mail(Path("ca.pem")), tls_files, "password") == ""  # beside reconcile.toml
    assert server.messages == []


@BOTH
@pytest.mark.parametrize(
    ("pair", "code"), [("expired", "E834"), ("not_yet", "E834"), ("wrong_name", "E835"), ("good", "")]
)
def test_bad_certificates(
    make_smtp_server: Make, tls_files: TlsFiles, security: Security, pair: str, code: str
) -> None:
    server = make_smtp_server(security=security, user="u", password="password", pair=getattr(tls_files, pair))
    assert _code(server.mail(tls_files.ca), tls_files, "password") == code
    assert len(server.logins) == (1 if code == "" else 0)


@BOTH
def test_an_unknown_authority(make_smtp_server: Make, tls_files: TlsFiles, security: Security) -> None:
    server = make_smtp_server(security=security, user="u", password="password")
    assert _code(server.mail(tls_files.other_ca), tls_files, "password") == "E833"
    assert (
        _code(server.mail(tls_files.ca, ca_file=""), tls_files, "password") == "E833"
    )  # the system's do not know it
    assert server.logins == []


def test_an_authority_file_that_cannot_be_read(smtp_server: SmtpServer, tls_files: TlsFiles) -> None:
    assert _code(smtp_server.mail(Path("missing.pem")), tls_files) == "E833"
    assert _code(smtp_server.mail(tls_files.key), tls_files) == "E833"  # a key is no certificate


def test_names_and_ports(tls_files: TlsFiles) -> None:
    sender = {"sender": "hedui@example.gov.cn", "timeout_seconds": 2}
    assert _code(Mail(), tls_files) == "E830"
    assert _code(Mail(host="a..b", **sender), tls_files) == "E830"
    assert _code(Mail(host="no-such-host.invalid", **sender), tls_files) == "E830"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        silent = Mail(host="127.0.0.1", port=port, **(sender | {"timeout_seconds": 1}))
        assert _code(silent, tls_files) == "E832"
    assert _code(Mail(host="127.0.0.1", port=port, **sender), tls_files) == "E831"


def test_ports_and_security_that_do_not_fit(make_smtp_server: Make, tls_files: TlsFiles) -> None:
    implicit, starttls = make_smtp_server(), make_smtp_server(security="starttls")
    assert _code(starttls.mail(tls_files.ca, security="tls"), tls_files) == "E837"
    # Each waits for the other to begin.
    assert _code(implicit.mail(tls_files.ca, security="starttls", timeout_seconds=1), tls_files) == "E832"
    bare = make_smtp_server(security="starttls", offer_tls=False)
    assert _code(bare.mail(tls_files.ca), tls_files) == "E836"


@BOTH
def test_old_tls_is_not_spoken(make_smtp_server: Make, tls_files: TlsFiles, security: Security) -> None:
    server = make_smtp_server(security=security, tls_at_most=ssl.TLSVersion.TLSv1_1)
    assert _code(server.mail(tls_files.ca), tls_files) == "E837"


def test_logins(make_smtp_server: Make, tls_files: TlsFiles) -> None:
    server = make_smtp_server(user="hedui", password="right")
    assert _code(server.mail(tls_files.ca), tls_files, "password") == "E839"
    assert _code(server.mail(tls_files.ca), tls_files, None) == "E839"
    assert _code(server.mail(tls_files.ca, user=""), tls_files) == "E839"
    none = make_smtp_server()
    assert _code(none.mail(tls_files.ca, user="hedui"), tls_files, "password") == "E839"


@pytest.mark.parametrize(
    ("step", "kind", "code"),
    [
        ("greeting", "5xx", "E838"),
        ("greeting", "nonsense", "E838"),
        ("greeting", "drop", "E831"),
        ("ehlo", "4xx", "E838"),
        ("starttls", "4xx", "E837"),
        ("starttls", "inject", "E837"),
        ("tls", "drop", "E837"),
        ("tls", "nonsense", "E837"),
        ("tls", "hang", "E832"),
        ("auth", "4xx", "E839"),
        ("mail", "5xx", "E838"),
        ("mail", "4xx", ""),  # put off for now, nothing wrong in the settings
        ("mail", "drop", "E831"),
    ],
)
def test_servers_that_do_not_want(tls_files: TlsFiles, step: str, kind: str, code: str) -> None:
    with FaultServer(tls_files.cert, tls_files.key, "starttls", user="u") as server:
        server.fault = Fault(step, kind)
        mail = server.mail(tls_files.ca, 0.5 if kind == "hang" else 5)
        assert _code(mail, tls_files, "password") == code
        assert server.fault is None
        assert server.taken == []


def test_every_cause_has_a_problem_that_can_be_acted_on() -> None:
    for cause in get_args(Cause):
        problem = Trouble(cause, 550, b"5.7.1 <who@example.cn> 13800000000").problem()
        assert problem.code in {f"E83{digit}" for digit in range(10)}
        assert problem.what.endswith("（550 5.7.1）")
        assert problem.why
        assert problem.cure
        assert "who" not in problem.line()
    assert set(get_args(Cause)) >= LASTING
