"""Tries the mail server without sending anything: what `reconcile doctor` tells about it."""

from __future__ import annotations

import time
from pathlib import Path

from pipeline.contracts.mail_settings import Mail
from pipeline.contracts.problem import Problem
from pipeline.delivery.courier import say_goodbye
from pipeline.delivery.courier_session import cause_of, open_session
from pipeline.delivery.courier_trouble import Trouble
from pipeline.delivery.courier_wire import Nonsense, Wire

_STEPS = 4  # times `timeout_seconds`, as for a letter


def handshake(mail: Mail, password: str | None, folder: Path) -> Problem | None:
    """Connects, TLS, login, NOOP, asks whether the sender's address would do, and leaves. None: letters can be sent.

    `folder` is where reconcile.toml lies. A problem's codes are E830–E839.
    """
    try:
        wire = open_session(mail, password, folder, time.monotonic() + _STEPS * mail.timeout_seconds)
    except Trouble as trouble:
        return trouble.problem()
    try:
        _try(wire, mail.sender)
        say_goodbye(wire)
    except Trouble as trouble:
        return trouble.problem()
    except (OSError, Nonsense) as error:
        return Trouble(cause_of(error)).problem()
    finally:
        wire.close()
    return None


def _try(wire: Wire, sender: str) -> None:
    code, text = wire.docmd("NOOP")
    if code != 250:
        raise Trouble("service" if code >= 400 else "nonsense", code, text)
    code, text = wire.docmd("MAIL", f"FROM:<{sender}>")
    if code in (530, 538):
        raise Trouble("auth_needed", code, text)
    if code >= 500:
        raise Trouble("sender", code, text)
    wire.docmd("RSET")  # a sender that is only put off for now is no fault of the settings
