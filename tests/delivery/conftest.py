"""Certificates and a mail server for every test of delivery. Ports are the system's choice, nothing leaves the loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from courier_certificates import TlsFiles, make_tls_files
from courier_server import SmtpServer

from pipeline.contracts.mail_settings import Mail


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """`.ca`, `.cert`, `.key`, and bad ones: `.other_ca`, `.expired`, `.not_yet`, `.wrong_name`."""
    return make_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def make_smtp_server(tls_files: TlsFiles) -> Iterator[Callable[..., SmtpServer]]:
    """Starts servers: `make_smtp_server(security="starttls", user="u", password="p", largest=1000, pair=tls_files.expired)`."""
    with ExitStack() as running:

        def make(**options: Any) -> SmtpServer:
            pair = options.pop("pair", tls_files.good)
            return running.enter_context(SmtpServer(pair.cert, pair.key, **options))

        yield make


@pytest.fixture
def smtp_server(make_smtp_server: Callable[..., SmtpServer]) -> SmtpServer:
    """Implicit TLS, no login; what it took is in `.messages`: (recipient, bytes)."""
    return make_smtp_server()


@pytest.fixture
def mail_settings(smtp_server: SmtpServer, tls_files: TlsFiles) -> Mail:
    """`[mail]` of reconcile.toml for `smtp_server`. For others: `server.mail(tls_files.ca, timeout_seconds=1, …)`."""
    return smtp_server.mail(tls_files.ca)
