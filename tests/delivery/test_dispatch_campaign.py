"""Many letters, a server with faults, a sender that is killed: nothing lost, nothing wrong, nothing sent twice, doubt told as such.

`MAIL_LETTERS=2000 MAIL_FAULTS=500 MAIL_KILLS=300` is the whole campaign (make soak).
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from courier_certificates import TlsFiles
from courier_server import SmtpServer
from dispatch_worker import COUNTY, FIRST, address, night, settings

from pipeline.cases import backup, open_ledger, restore
from pipeline.delivery.envelope import build
from pipeline.delivery.letter import Letter
from pipeline.delivery.outbox import Cargo, Outbox, queued, read_outbox
from pipeline.delivery.places import STOP, keep_letter

WORKER = Path(__file__).with_name("dispatch_worker.py")
LETTERS, FAULTS, KILLS = (int(os.environ.get(f"MAIL_{name}", n)) for name, n in (("LETTERS", 40), ("FAULTS", 12), ("KILLS", 6)))  # fmt: skip


class FaultyServer(SmtpServer):
    """At set letters (counted as they come) it does one of the faults; what it took is in `.messages` all the same."""

    def __init__(self, *args: Any, faults: dict[int, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.faults, self.came = faults, 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        fault = self.faults.get(self.came, "")
        self.came += 1
        if fault.isdigit():
            return f"{fault} 4.0.0 not now"
        if fault == "drop before":
            assert server.transport is not None
            server.transport.abort()
            return "250 nobody hears it"
        self.messages += [(recipient, envelope.content) for recipient in envelope.rcpt_tos]
        if fault == "drop after":
            assert server.transport is not None
            server.transport.abort()
        if fault == "hang after":
            await asyncio.sleep(2)
        return "250 2.0.0 Ok"


KINDS = ("451", "452", "554", "550", "drop before", "drop after", "hang after")


def fill(state: Path, letters: int) -> None:
    """An outbox of letters to different addresses, each with its number in the body."""
    mail = settings(1, "", letters).mail
    events = []
    for number in range(letters):
        letter = Letter(f"2026p1-{COUNTY}-{number:06d}", "report", FIRST, COUNTY, address(number), f"[核对] {number}", f"第{number}封")  # fmt: skip
        sha256 = keep_letter(state, f"{letter.letter_id}.eml", build(letter, mail))
        about = {"batch": "2026p1", "by": "x", "about": str(number), "rules": "r"}
        events.append(queued(letter, sha256, cargo=Cargo(), reasons=(), **about))
    with open_ledger(state) as ledger, ledger.transaction():
        ledger.append(events)


def outbox(state: Path) -> Outbox:
    with open_ledger(state) as ledger:
        return read_outbox(ledger)


def judge(box: Outbox, server: SmtpServer) -> Counter[str]:
    """Every letter against what the server took. How many are in each state."""
    taken = Counter(to for to, _ in server.messages)
    for to, content in server.messages:
        message = BytesParser(policy=policy.default).parsebytes(content)
        number = int(to[1:].split("@")[0])
        assert message["To"] == to
        assert f"第{number}封" in message.get_body().get_content()  # type: ignore[union-attr]
    for letter in box.letters.values():
        times = taken[letter.to]
        assert times <= 1, f"{letter.letter_id} {letter.state} went {times} times"
        if letter.state == "sent":
            assert times == 1
        elif letter.state != "doubtful":
            assert times == 0, f"{letter.letter_id} is {letter.state} and went"
    return Counter(letter.state for letter in box.letters.values())


def test_nothing_is_lost_wrong_or_doubled(tmp_path: Path, tls_files: TlsFiles) -> None:
    draw = random.Random(7)
    faults = {n: draw.choice(KINDS) for n in draw.sample(range(LETTERS + FAULTS), FAULTS)}
    fill(tmp_path, LETTERS)
    with FaultyServer(tls_files.good.cert, tls_files.good.key, faults=faults) as server:
        kills = number = 0
        while kills < KILLS:
            command = [sys.executable, str(WORKER), str(tmp_path), str(server.port), str(tls_files.ca), str(number), str(LETTERS)]  # fmt: skip
            before = server.came
            worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            until = time.monotonic() + 20
            wanted = before + draw.randint(0, max(1, LETTERS // (KILLS + 1)))
            while worker.poll() is None and server.came < wanted and time.monotonic() < until:
                time.sleep(0.001)
            time.sleep(draw.random() * 0.02)
            worker.send_signal(signal.SIGKILL)
            _, told = worker.communicate()
            assert worker.returncode in (0, -signal.SIGKILL), told
            kills, number = kills + 1, number + 1
        while any(
            letter.state in ("queued", "later", "claimed") for letter in outbox(tmp_path).letters.values()
        ):
            night(tmp_path, server.port, str(tls_files.ca), number, LETTERS)
            number += 1
            assert number < KILLS + 30
        states = judge(outbox(tmp_path), server)
    assert states["sent"] >= LETTERS - FAULTS - KILLS
    assert states["doubtful"] <= FAULTS + KILLS
    assert sum(states.values()) == LETTERS
    assert states["claimed"] == 0


@pytest.fixture
def server(make_smtp_server: Callable[..., SmtpServer]) -> SmtpServer:
    return make_smtp_server()


def test_a_ledger_of_yesterday_mails_nothing_twice(
    tmp_path: Path, server: SmtpServer, tls_files: TlsFiles
) -> None:
    """A backup is put back: the journal, which lies apart, knows what went since."""
    fill(tmp_path, 3)
    with open_ledger(tmp_path) as ledger:
        kept = backup(ledger, ledger.places.backups, 3)
    night(tmp_path, server.port, str(tls_files.ca), 0, 3)
    assert len(server.messages) == 3
    restore(tmp_path, kept.name)
    assert outbox(tmp_path).in_state("queued")
    night(tmp_path, server.port, str(tls_files.ca), 0, 3)
    assert len(server.messages) == 3
    assert [letter.state for letter in outbox(tmp_path).letters.values()] == ["sent"] * 3


def test_stop_mail_stops_at_once(tmp_path: Path, server: SmtpServer, tls_files: TlsFiles) -> None:
    fill(tmp_path, 3)
    (tmp_path / STOP).touch()
    night(tmp_path, server.port, str(tls_files.ca), 0, 3)
    assert server.messages == []
    (tmp_path / STOP).unlink()
    night(tmp_path, server.port, str(tls_files.ca), 0, 3)
    assert len(server.messages) == 3


def test_an_address_that_was_taken_out_of_the_settings_gets_nothing(
    tmp_path: Path, server: SmtpServer, tls_files: TlsFiles
) -> None:
    fill(tmp_path, 3)
    night(tmp_path, server.port, str(tls_files.ca), 0, 2)  # the settings name two addresses
    assert sorted(to for to, _ in server.messages) == [address(0), address(1)]


def test_bytes_that_were_changed_after_the_check_stop_everything(
    tmp_path: Path, server: SmtpServer, tls_files: TlsFiles
) -> None:
    fill(tmp_path, 3)
    victim = tmp_path / "mail" / f"2026p1-{COUNTY}-000002.eml"
    victim.write_bytes(victim.read_bytes() + b"\r\n")
    with pytest.raises(Exception, match="E821") as stopped:
        night(tmp_path, server.port, str(tls_files.ca), 0, 3)
    assert stopped.value.exit_code == 8  # type: ignore[attr-defined]
    assert server.messages == []


def test_one_refused_recipient_stops_nobody(tmp_path: Path, server: SmtpServer, tls_files: TlsFiles) -> None:
    fill(tmp_path, 3)
    server.answer_rcpt = lambda to: "550 5.1.1 no such user" if to == address(1) else ""
    night(tmp_path, server.port, str(tls_files.ca), 0, 3)
    states = {letter.to: letter.state for letter in outbox(tmp_path).letters.values()}
    assert states == {address(0): "sent", address(1): "refused", address(2): "sent"}
