"""The bytes of an SMTP connection: every wait has an end, every reply is read strictly, nothing is read ahead.

`smtplib` reads replies without a common deadline (a byte now and then keeps it waiting for ever) and takes what comes as the
answer to what it asked. Here a reply that came before it was asked for ends the connection: else all following
replies would be one too early, and a `250` for the recipient would be taken for the receipt of the mail.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_LINE = 8192  # bytes; RFC 5321 allows 512
_LINES = 100  # of one reply
_PIECE = 65536  # bytes written at once
_REPLY = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)


class Nonsense(Exception):
    """What the server said is no reply of SMTP, or none to what was asked."""


class SecuredSocket(ssl.SSLSocket):
    """A connection that is reset just before its handshake: CPython's `wrap_socket` asks for the peer, gets an error and lets
    the half-made socket go without closing it. This one closes itself. Set as `sslsocket_class` of the context."""

    def getpeername(self) -> Any:
        try:
            return super().getpeername()
        except OSError:
            self.close()
            raise


class Wire(smtplib.SMTP):
    """A connection that `open_socket` starts. `until`: the moment (time.monotonic) when everything must be over; `step`: seconds
    that one reply or one written piece may take. Raises OSError (TimeoutError among them) and Nonsense, never a
    class of smtplib; afterwards the connection is to be closed."""

    def __init__(self, host: str, step: float, until: float) -> None:
        super().__init__(local_hostname="localhost")  # without a host nothing is opened
        self._host = host
        self._inbox = bytearray()
        self.step, self.until = step, until

    def left(self) -> float:
        """Seconds left in all. Raises TimeoutError when there are none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def open_socket(self, port: int) -> None:
        """Connects to the first address of the host that answers. Raises OSError (socket.gaierror for an unknown name).

        Looking the name up has the resolver's own time limits (resolv.conf), not ours.
        """
        places = socket.getaddrinfo(self._host, port, type=socket.SOCK_STREAM)
        failure = OSError()
        for family, kind, protocol, _, address in places:
            sock = socket.socket(family, kind, protocol)
            try:
                sock.settimeout(min(self.step, self.left()))
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
                continue
            except BaseException:
                sock.close()
                raise
            # The content and its final dot are two writes: the second must not wait for the first's receipt.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = sock
            self.local_hostname = _literal(sock)
            return
        raise failure

    def encrypt(self, context: ssl.SSLContext) -> None:
        """TLS from here on. Raises OSError (ssl.SSLError), Nonsense for anything unencrypted that was already read."""
        if self._inbox:
            raise Nonsense
        plain = self._socket()
        plain.settimeout(min(self.step, self.left()))
        secured = context.wrap_socket(plain, server_hostname=self._host, do_handshake_on_connect=False)
        self.sock = secured
        secured.do_handshake()
        # RFC 3207, 4.2: what was learnt before is forgotten.
        self.ehlo_resp = self.helo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False

    @property
    def encrypted(self) -> bool:
        return isinstance(self.sock, ssl.SSLSocket)

    def putcmd(self, cmd: str, args: str = "") -> None:
        """One command. Raises Nonsense when the server has said something unasked, 421 (it closes) apart: ConnectionError."""
        if self.spoke():
            code, _ = self.getreply()
            raise ConnectionResetError if code == 421 else Nonsense
        super().putcmd(cmd, args)

    def send(self, s: ReadableBuffer | str) -> None:
        sock = self._socket()
        whole = memoryview(s.encode("ascii") if isinstance(s, str) else s)
        for start in range(0, len(whole), _PIECE):
            sock.settimeout(min(self.step, self.left()))
            sock.sendall(whole[start : start + _PIECE])

    def spoke(self) -> bool:
        """Whether the server has said something that nobody has read yet; does not wait. Raises OSError when it has gone."""
        if self._inbox:
            return True
        self._socket().settimeout(0)
        try:
            self._take()
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        return True

    def getreply(self) -> tuple[int, bytes]:
        """Code (200–599) and text, its lines joined by a line feed; one `step` of time for the whole of it."""
        return self._reply(min(time.monotonic() + self.step, self.until))

    def patient_reply(self) -> tuple[int, bytes]:
        """The same with all the time that is left: for the receipt, where impatience makes doubt (RFC 1047)."""
        return self._reply(self.until)

    def _reply(self, until: float) -> tuple[int, bytes]:
        code, text = b"", []
        for _ in range(_LINES):
            read = _REPLY.fullmatch(self._line(until))
            if not read or (code and read[1] != code):
                raise Nonsense
            code = read[1]
            text.append(read[3] or b"")
            if read[2] != b"-":
                return int(code), b"\n".join(text)
        raise Nonsense

    def _line(self, until: float) -> bytes:
        while (end := self._inbox.find(b"\n")) < 0:
            if len(self._inbox) > _LINE:
                raise Nonsense
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket().settimeout(left)
            self._take()
        line = bytes(self._inbox[:end])
        del self._inbox[: end + 1]
        return line.removesuffix(b"\r")

    def _socket(self) -> socket.socket:
        if self.sock is None:
            raise ConnectionResetError
        return self.sock

    def _take(self) -> None:
        more = self._socket().recv(4096)
        if not more:
            raise ConnectionResetError
        self._inbox += more


def _literal(sock: socket.socket) -> str:
    """The machine's address for EHLO (RFC 5321, 4.1.3): needs no name, and no name of the office's net goes into headers."""
    address = str(sock.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
