"""Opens a connection to the mail server: connect, TLS, EHLO, login, in this order. There is no way around TLS."""

from __future__ import annotations

import base64
import socket
import ssl
from pathlib import Path

from pipeline.contracts.mail_settings import Mail
from pipeline.delivery.courier_trouble import Cause, Trouble
from pipeline.delivery.courier_wire import Nonsense, SecuredSocket, Wire

# X509_V_ERR_… of OpenSSL
_TIMES = frozenset((9, 10))  # not yet valid, expired
_NAMES = frozenset((62, 64))  # host name, IP address


def open_session(mail: Mail, password: str | None, folder: Path, until: float) -> Wire:
    """A connection ready for MAIL. `until`: time.monotonic when it must be there. Raises Trouble; then nothing stays open."""
    if not mail.host:
        raise Trouble("no_host")
    context = _tls_context(mail, folder)
    wire = Wire(mail.host, mail.timeout_seconds, until)
    try:
        _open(wire, mail, password, context)
    except (OSError, Nonsense) as error:
        wire.close()
        raise Trouble(cause_of(error)) from None
    except BaseException:
        wire.close()
        raise
    return wire


def cause_of(error: OSError | Nonsense) -> Cause:
    if isinstance(error, Nonsense):
        return "nonsense"
    return "timeout" if isinstance(error, TimeoutError) else "lost"


def _open(wire: Wire, mail: Mail, password: str | None, context: ssl.SSLContext) -> None:
    _connect(wire, mail.port)
    if mail.security == "tls":
        _encrypt(wire, context)
    code, text = wire.getreply()
    if code != 220:
        raise Trouble("service", code, text)
    _greet(wire)
    if mail.security == "starttls":
        _start_tls(wire, context)
        _greet(wire)
    if mail.user:
        _log_in(wire, mail.user, password)


def _tls_context(mail: Mail, folder: Path) -> ssl.SSLContext:
    """TLS 1.2 at least, the certificate and its name checked; the office's authority alone where it is named.

    Not `ssl.create_default_context`: that writes session keys to a file where SSLKEYLOGFILE is set.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = SecuredSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not mail.ca_file:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cafile=folder / mail.ca_file)
    except OSError:  # ssl.SSLError among them
        raise Trouble("ca_file") from None
    return context


def _connect(wire: Wire, port: int) -> None:
    try:
        wire.open_socket(port)
    except (socket.gaierror, UnicodeError):
        raise Trouble("name") from None
    except TimeoutError:
        raise Trouble("timeout") from None
    except OSError:
        raise Trouble("refused") from None


def _encrypt(wire: Wire, context: ssl.SSLContext) -> None:
    try:
        wire.encrypt(context)
    except Nonsense:
        raise Trouble("injected") from None
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in _TIMES:
            raise Trouble("expired") from None
        raise Trouble("wrong_name" if error.verify_code in _NAMES else "untrusted") from None
    except TimeoutError:
        raise Trouble("timeout") from None
    except OSError:
        raise Trouble("tls") from None


def _greet(wire: Wire) -> None:
    code, text = wire.ehlo()
    if code != 250:  # HELO would do for the mail, but not for TLS, login and sizes
        raise Trouble("service", code, text)


def _start_tls(wire: Wire, context: ssl.SSLContext) -> None:
    if not wire.has_extn("starttls"):
        raise Trouble("no_starttls")
    code, text = wire.docmd("STARTTLS")
    if code != 220:
        raise Trouble("tls", code, text)
    _encrypt(wire, context)


def _log_in(wire: Wire, user: str, password: str | None) -> None:
    """PLAIN (RFC 4616) or LOGIN, in UTF-8, once: a second try of a wrong password by other means only locks the mailbox.

    Not `smtplib.login`: it takes ASCII only, and its exceptions hold the password.
    """
    if not wire.encrypted:
        raise Trouble("no_starttls")
    if password is None:
        raise Trouble("no_password")
    ways = wire.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in ways:
        code, text = wire.docmd("AUTH", "PLAIN " + _base64(f"\0{user}\0{password}"))
    elif "LOGIN" in ways:
        code, text = wire.docmd("AUTH", "LOGIN")
        for answer in (user, password):
            if code == 334:
                code, text = wire.docmd(_base64(answer))
    else:
        raise Trouble("auth_missing")
    if code == 421:
        raise Trouble("service", code, text)
    if code != 235:
        raise Trouble("auth" if code >= 500 else "auth_later" if code >= 400 else "nonsense", code, text)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
