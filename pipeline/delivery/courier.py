"""The courier: brings letters to the mail server, many over one connection, and says of each what became of it.

Four fates and no exception for what a server may do; only the person's own interruption passes through. It remembers nothing: who
claims, repeats and gives up is the outbox's business.
"""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType

from pipeline.contracts.mail_settings import Mail, checked_addresses
from pipeline.contracts.problem import Problem
from pipeline.delivery.courier_dialogue import Delivery, Fate, hand_over, wire_form
from pipeline.delivery.courier_session import open_session
from pipeline.delivery.courier_trouble import Trouble
from pipeline.delivery.courier_wire import Nonsense, Wire

__all__ = ["Courier", "Delivery"]

_STEPS = 4  # times `timeout_seconds`: the most that one letter may take, whatever the server does
_ENOUGH = 10  # times `timeout_seconds` without any answer, letter after letter
_FAREWELL = 5.0  # seconds


class Courier:
    """`broken`: no further letter has a chance tonight, `problem` says why: settings, certificate, login, or a server that has
    answered nothing for 10 × `timeout_seconds`. From then on `send` asks no server and answers `later`."""

    def __init__(self, mail: Mail, password: str | None, config_folder: Path) -> None:
        self._mail, self._password, self._folder = mail, password, config_folder
        self._wire: Wire | None = None
        self._unanswered = 0.0  # seconds spent in a row on letters that got no answer
        self.broken = False
        self.problem: Problem | None = None

    def __enter__(self) -> Courier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        wire, self._wire = self._wire, None
        if wire is None:
            return
        try:
            if kind is None:
                say_goodbye(wire)
        finally:
            wire.close()

    def send(self, message: bytes, to: str) -> Delivery:
        """Brings one finished message to one address; over in 4 × `timeout_seconds` at the latest (looking the name up apart)."""
        if self.problem:
            return Delivery("later", 0, self.problem.what)
        try:
            (address,) = checked_addresses((to,))
        except ValueError:
            return Delivery("refused", 0, "收件地址不合规")
        began = time.monotonic()
        try:
            delivery = self._bring(wire_form(message), address)
        except Trouble as trouble:
            delivery = self._failed(trouble)
        except BaseException:
            self._hang_up()
            raise
        if delivery.fate == "later":  # often a limit of this connection: the next letter gets a new one
            self._hang_up()
        self._unanswered = 0.0 if delivery.code else self._unanswered + time.monotonic() - began
        if self._unanswered >= _ENOUGH * self._mail.timeout_seconds:
            self._give_up(Trouble("silent"))
        return delivery

    def _bring(self, content: bytes, to: str) -> Delivery:
        """Over the open connection; over a new one where there is none, or where it turns out to be used up."""
        until = time.monotonic() + _STEPS * self._mail.timeout_seconds
        wire = self._wire
        if wire is not None and _lives(wire, until):
            try:
                return hand_over(wire, self._mail.sender, to, content)
            except Trouble as trouble:  # no content has left: a second try cannot double anything
                if trouble.lasting:
                    raise
        self._hang_up()
        self._wire = open_session(self._mail, self._password, self._folder, until)
        return hand_over(self._wire, self._mail.sender, to, content)

    def _failed(self, trouble: Trouble) -> Delivery:
        if trouble.lasting:
            self._give_up(trouble)
        fate: Fate = "refused" if trouble.cause == "sender" else "later"
        return Delivery(fate, trouble.code, trouble.words)

    def _give_up(self, trouble: Trouble) -> None:
        if not self.broken:
            self.broken, self.problem = True, trouble.problem()

    def _hang_up(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()


def _lives(wire: Wire, until: float) -> bool:
    """Whether the connection of the letter before is still good. RSET also clears what a refusal left behind."""
    wire.until = until
    try:
        return wire.sock is not None and wire.docmd("RSET")[0] == 250
    except (OSError, Nonsense):
        return False


def say_goodbye(wire: Wire) -> None:
    """QUIT, and no more than a few seconds' wait for the answer: whatever was sent has its receipt already."""
    wire.until = time.monotonic() + min(_FAREWELL, wire.step)
    try:
        if wire.sock is not None:
            wire.docmd("QUIT")
    except (OSError, Nonsense):
        pass
    finally:
        wire.close()
