"""A mail server on the loopback (aiosmtpd, TLS, port chosen by the system) that keeps what it was given."""

from __future__ import annotations

import asyncio
import ssl
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from pipeline.contracts.mail_settings import Mail

Security = Literal["tls", "starttls"]
# What to answer to MAIL, RCPT or the end of the content instead of 250; "" is 250. Gets the address, or the content.
Answer = Callable[[str], str]


class SmtpServer:
    """`.messages` is the list of (recipient, bytes) in the order accepted, one entry a recipient; line ends are CRLF.

    `answer_rcpt` and `answer_data` may be set at any time: a function that returns a reply like "550 5.1.1 no", or "".
    Used as a context manager; stops its thread and closes its sockets at the end.
    """

    def __init__(
        self,
        cert: Path,
        key: Path,
        *,
        security: Security = "tls",
        user: str = "",
        password: str = "",
        largest: int = 0,
        offer_tls: bool = True,
        tls_at_most: ssl.TLSVersion | None = None,
    ) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.logins: list[tuple[str, str]] = []
        self.connections = 0
        self.answer_rcpt: Answer = lambda address: ""
        self.answer_data: Answer = lambda address: ""
        self.security, self.user, self.password, self.largest = security, user, password, largest
        self._offer_tls = offer_tls
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(cert, key)
        if tls_at_most:
            self._context.set_ciphers("ALL:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # that it is old is what is meant
                self._context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
                self._context.maximum_version = tls_at_most
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="smtp server")
        self.port = 0

    def mail(self, ca: Path, **changes: Any) -> Mail:
        """Settings that fit this server; `ca` is an authority's file (absolute, so that any folder will do)."""
        fitting = {
            "host": "localhost",
            "port": self.port,
            "security": self.security,
            "ca_file": str(ca),
            "user": self.user,
            "sender": "hedui@example.gov.cn",
            "contact": "12345678",
            "allowed_domains": ("example.gov.cn",),
            "timeout_seconds": 5,
        }
        return Mail(**(fitting | changes))

    def to(self, address: str) -> list[bytes]:
        return [content for recipient, content in self.messages if recipient == address]

    def __enter__(self) -> SmtpServer:
        self._thread.start()
        self._server = self._call(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def drop_connections(self) -> None:
        """Cuts every connection, as a server that restarts does."""
        self._call(self._cut())

    def _call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        implicit = self._context if self.security == "tls" else None
        return await self._loop.create_server(self._protocol, "127.0.0.1", 0, ssl=implicit)

    async def _stop(self) -> None:
        self._server.close()
        await self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.01)  # transports close in the next round of the loop

    async def _cut(self) -> None:
        for protocol in self._open:
            if protocol.transport is not None:
                protocol.transport.abort()
        self._open.clear()

    @property
    def _open(self) -> list[SMTP]:
        return self.__dict__.setdefault("_protocols", [])

    def _protocol(self) -> SMTP:
        self.connections += 1
        starttls = self.security == "starttls" and self._offer_tls
        protocol = SMTP(
            self,
            hostname="test.server",
            loop=self._loop,
            data_size_limit=self.largest or None,
            tls_context=self._context if starttls else None,
            require_starttls=starttls,
            auth_require_tls=starttls,
            authenticator=self._authenticate if self.user else None,
            auth_exclude_mechanism=None if self.user else ("LOGIN", "PLAIN"),
        )
        self._open.append(protocol)
        return protocol

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        self.logins.append(given)
        return AuthResult(success=given == (self.user, self.password), handled=False)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.user and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self.answer_rcpt(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if answer := self.answer_data(envelope.rcpt_tos[0]):
            return answer
        self.messages += [(recipient, envelope.content) for recipient in envelope.rcpt_tos]
        return f"250 2.0.0 Ok: queued as Q{len(self.messages):06X}"
