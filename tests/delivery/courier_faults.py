"""A mail server with a fault in the dialogue: at any step it refuses, drops, hangs, drips, talks nonsense or says too much."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from courier_server import Security

from pipeline.contracts.mail_settings import Mail

BEFORE = ("greeting", "tls", "ehlo", "auth")  # of the connection, not of a letter
_ANY = ("4xx", "421", "5xx", "drop", "reset", "hang", "drip", "nonsense", "torn", "twice")
KINDS = {
    "greeting": _ANY,
    "starttls": ("4xx", "5xx", "drop", "hang", "nonsense", "inject"),
    "tls": ("drop", "reset", "hang", "nonsense"),
    "ehlo": _ANY,
    "auth": _ANY,
    "rset": _ANY,
    "mail": (*_ANY, "mixed"),
    "rcpt": (*_ANY, "251"),
    "data": _ANY,
    "content": ("4xx", "5xx", "drop", "reset", "hang"),  # in the middle of it
    "dot": (*_ANY, "slow", "late", "mixed"),
}
# The server has the letter and its owner does not know; "drop" and "reset" at the dot are without, "torn" with the letter.
_TAKEN = ("ok", "twice", "hang", "drip", "nonsense", "torn", "slow", "late", "mixed")


@dataclass(frozen=True)
class Fault:
    step: str
    kind: str


class _Gone(Exception):
    pass


class FaultServer:
    """`fault`: what happens once, when its step is reached. `taken`: letters the server has, with or without a receipt given;
    `receipts`: those with; `steps`: what was reached; `plain`: every byte that came outside TLS, but for its handshake. `at(step)` is called at each step."""

    def __init__(self, cert: Path, key: Path, security: Security = "tls", user: str = "") -> None:
        self.fault: Fault | None = None
        self.taken: list[tuple[str, bytes]] = []
        self.receipts: list[tuple[str, bytes]] = []
        self.steps: list[str] = []
        self.plain = bytearray()
        self.at: Callable[[str], None] = lambda step: None
        self.security, self.user = security, user
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(cert, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._stopped = threading.Event()
        self._open: list[_Talk] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def mail(self, ca: Path, timeout: float) -> Mail:
        fitting = Mail(
            host="localhost",
            port=self.port,
            security=self.security,
            ca_file=str(ca),
            user=self.user,
            sender="hedui@example.gov.cn",
        )
        return fitting.model_copy(update={"timeout_seconds": timeout})  # also parts of a second

    def __enter__(self) -> FaultServer:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(10)
        self._listener.close()
        self.drop_idle()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()

    def drop_idle(self) -> None:
        """Ends every open connection."""
        for talk in self._open:
            talk.cut()
        self._open.clear()

    def due(self, step: str) -> str:
        """The kind of the fault whose turn it is, else "ok"."""
        self.steps.append(step)
        self.at(step)
        fault = self.fault
        if fault is None or fault.step != step:
            return "ok"
        self.fault = None
        return fault.kind

    def wait(self, seconds: float) -> None:
        self._stopped.wait(seconds)

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            talk = _Talk(self, sock, self._context)
            self._open.append(talk)
            self._threads.append(threading.Thread(target=talk.run, daemon=True))
            self._threads[-1].start()


class _Talk:
    """One connection, in a thread of its own."""

    def __init__(self, server: FaultServer, sock: socket.socket, context: ssl.SSLContext) -> None:
        self.server, self.sock, self.context = server, sock, context
        self.inbox = bytearray()
        self.tls_begun = False
        self.sock.settimeout(20)

    def cut(self) -> None:
        with contextlib.suppress(OSError):  # not SSLSocket.shutdown: the thread may be reading
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def run(self) -> None:
        try:
            self._talk()
        except (OSError, _Gone, ValueError):
            pass
        finally:
            self.sock.close()

    def _talk(self) -> None:
        if self.server.security == "tls":
            self._encrypt()
        self._answer("greeting", b"220 test.server ESMTP\r\n")
        to = ""
        while True:
            line = self._line()
            verb = line[:4].upper()
            if verb == b"EHLO":
                self._answer("ehlo", self._features())
            elif verb == b"STAR":
                if self._answer("starttls", b"220 2.0.0 Ready\r\n") == "ok":
                    self._encrypt()
            elif verb == b"AUTH":
                self._answer("auth", b"235 2.7.0 Ok\r\n", refusal=b"535 5.7.8 no\r\n")
            elif verb == b"RSET":
                self._answer("rset", b"250 2.0.0 Ok\r\n")
            elif verb == b"MAIL":
                self._answer("mail", b"250 2.1.0 Ok\r\n")
            elif verb == b"RCPT":
                to = re.fullmatch(rb"RCPT TO:<([^<>]+)>", line, re.IGNORECASE)[1].decode()  # type: ignore[index]
                self._answer("rcpt", b"250 2.1.5 Ok\r\n")
            elif verb == b"DATA":
                if self._answer("data", b"354 go\r\n") in ("ok", "twice"):
                    self._content(to)
            elif verb == b"QUIT":
                self.sock.sendall(b"221 2.0.0 Bye\r\n")
                return
            else:
                self.sock.sendall(b"250 Ok\r\n" if verb == b"NOOP" else b"500 5.5.2 what\r\n")

    def _features(self) -> bytes:
        plain = self.server.security == "starttls" and not isinstance(self.sock, ssl.SSLSocket)
        offered = b"250-STARTTLS\r\n" if plain else b"250-AUTH PLAIN LOGIN\r\n"
        return b"250-test.server\r\n" + offered + b"250-SIZE 50000000\r\n250 8BITMIME\r\n"

    def _content(self, to: str) -> None:
        middle = self.server.due("content")
        if middle != "ok":
            self._more()
        while not (end := self.inbox.find(b"\r\n.\r\n") + 1):
            if middle in ("drop", "reset"):
                self._leave(reset=middle == "reset")
            if middle == "hang":
                self._hang(reading=False)
            if middle in ("4xx", "5xx"):
                self.sock.sendall(b"452 4.3.1 full\r\n" if middle == "4xx" else b"552 5.3.4 too big\r\n")
                self._hang(reading=True)
            self._more()
        letter = (to, re.sub(rb"(?m)^\.", b"", bytes(self.inbox[: end + 1])))
        del self.inbox[: end + 4]
        kind = self.server.due("dot")
        if kind in _TAKEN:
            self.server.taken.append(letter)
        if kind in ("ok", "twice", "slow", "late"):
            self.server.receipts.append(letter)
        self._do(kind, b"250 2.0.0 Ok: queued as %06X\r\n" % len(self.server.taken), b"554 5.7.1 no\r\n")

    def _encrypt(self) -> None:
        self.tls_begun = True
        kind = self.server.due("tls")
        if kind != "ok":
            self._do(kind, b"", b"")
        self.sock = self.context.wrap_socket(self.sock, server_side=True)

    def _answer(
        self, step: str, normal: bytes, refusal: bytes = b"550 5.1.1 <secret@example.cn> no\r\n"
    ) -> str:
        kind = self.server.due(step)
        self._do(kind, normal, refusal)
        return kind

    def _do(self, kind: str, normal: bytes, refusal: bytes) -> None:
        said = {
            "ok": normal,
            "4xx": b"451 4.3.0 <secret@example.cn> later\r\n",
            "421": b"421 4.3.2 closing\r\n",
            "5xx": refusal,
            "251": b"251 2.1.5 will forward to <other@example.com>\r\n",
            "nonsense": b"\x00\xff<secret@example.cn>\r\n",
            "torn": normal[: max(1, len(normal) // 2)],
            "twice": normal + b"250 2.0.0 Ok: queued as TWICE\r\n",
            "mixed": normal[:3] + b"-so\r\n550 5.0.0 or so\r\n",
            "inject": normal + b"250-injected\r\n250 AUTH PLAIN\r\n",
        }
        if kind in said:
            self.sock.sendall(said[kind])
        if kind in ("421", "torn", "drop", "reset"):
            self._leave(reset=kind == "reset")
        if kind == "hang":
            self._hang(reading=True)
        if kind == "drip":
            for byte in b"250-" + b"a" * 2000:
                self.sock.sendall(bytes([byte]))
                self.server.wait(0.05)
        if kind in ("slow", "late"):
            self.server.wait(1 if kind == "slow" else 3)
            self.sock.sendall(normal)

    def _leave(self, *, reset: bool) -> None:
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _Gone

    def _hang(self, *, reading: bool) -> None:
        """Says nothing more until the other side leaves."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if reading:
                self._more()
            else:
                self.server.wait(0.1)
                if self.server._stopped.is_set():
                    raise _Gone

    def _line(self) -> bytes:
        while (end := self.inbox.find(b"\r\n")) < 0:
            self._more()
        line = bytes(self.inbox[:end])
        del self.inbox[: end + 2]
        return line

    def _more(self) -> None:
        more: Any = self.sock.recv(65536)
        if not more:
            raise _Gone
        handshake = self.tls_begun and more.startswith(b"\x16\x03")
        if not isinstance(self.sock, ssl.SSLSocket) and not handshake:
            self.server.plain += more
        self.inbox += more
