"""What the courier says of a letter when the server misbehaves: at every step, and in long random nights."""

from __future__ import annotations

import os
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from courier_certificates import TlsFiles
from courier_faults import BEFORE, KINDS, Fault, FaultServer
from courier_server import Security

from pipeline.delivery.courier import Courier, Delivery

_TO = "a@example.gov.cn"
_LETTER = b"Subject: x\r\n\r\n" + b"secret body\r\n" * 10
_LARGE = b"Subject: x\r\n\r\n" + b"secret body\r\n" * 400_000  # more than the sockets of both sides can hold
_WAITS = ("hang", "drip", "slow", "late")
_MAILS = int(os.environ.get("COURIER_MAILS", "200"))
_LANES = 4
_PLAIN = re.compile(rb"(?:ehlo \[127\.0\.0\.1\]|STARTTLS|QUIT)", re.IGNORECASE)


def _fate(step: str, kind: str) -> str:
    """The table of fates, said once more."""
    if step == "dot":
        return {"4xx": "later", "421": "later", "5xx": "refused", "twice": "sent", "slow": "sent"}.get(
            kind, "doubtful"
        )
    if step == "content":
        return {"4xx": "later", "5xx": "refused"}.get(kind, "doubtful")
    if step in ("mail", "rcpt", "data") and kind == "5xx":
        return "refused"
    return "refused" if kind == "251" else "later"


def _cases() -> Iterator[tuple[Security, str, str]]:
    for security in ("tls", "starttls"):
        for step, kinds in KINDS.items():
            if step == "rset" or (step == "starttls" and security == "tls"):
                continue
            if security == "starttls" and step not in ("starttls", "tls", "ehlo"):
                continue  # nothing new behind TLS
            for kind in kinds:
                yield security, step, kind


@pytest.mark.parametrize(("security", "step", "kind"), list(_cases()))
def test_a_fault_at_any_step_has_its_fate(
    tls_files: TlsFiles, security: Security, step: str, kind: str
) -> None:
    patience = 0.6 if kind in _WAITS else 5
    with FaultServer(tls_files.cert, tls_files.key, security, user="u") as server:
        mail = server.mail(tls_files.ca, patience)
        server.fault = Fault(step, kind)
        with Courier(mail, "p", tls_files.folder) as courier:
            began = time.monotonic()
            delivery = courier.send(_LARGE if step == "content" else _LETTER, _TO)
            assert time.monotonic() - began < 4 * patience + 3
            assert delivery.fate == _fate(step, kind), delivery
            assert server.fault is None
            if kind == "twice" and step not in (
                "data",
                "dot",
            ):  # not one command more to a server that talks out of turn
                assert server.steps[-1] == step
            if not courier.broken:  # the next letter goes as if nothing had been
                courier._mail = server.mail(tls_files.ca, 5)
                assert courier.send(_LETTER, _TO).fate == "sent"
                assert server.receipts[-1] == (_TO, _LETTER)
    assert "secret" not in repr(delivery)
    assert "@" not in repr(delivery)
    assert not server.plain or all(_PLAIN.fullmatch(line) for line in server.plain.rstrip().split(b"\r\n"))


@pytest.mark.parametrize("kind", KINDS["rset"])
def test_a_connection_that_went_bad_between_two_letters_is_replaced(tls_files: TlsFiles, kind: str) -> None:
    with (
        FaultServer(tls_files.cert, tls_files.key) as server,
        Courier(server.mail(tls_files.ca, 0.5), None, tls_files.folder) as courier,
    ):
        assert courier.send(_LETTER, _TO).fate == "sent"
        server.fault = Fault("rset", kind)
        assert courier.send(_LETTER, "b@example.gov.cn").fate == "sent"
    assert [to for to, _ in server.taken] == [_TO, "b@example.gov.cn"]


@pytest.mark.parametrize("kind", ["4xx", "421", "drop", "hang"])
def test_a_used_up_connection_does_not_put_the_letter_off(tls_files: TlsFiles, kind: str) -> None:
    """Servers limit the letters of one connection and say so at MAIL."""
    with (
        FaultServer(tls_files.cert, tls_files.key) as server,
        Courier(server.mail(tls_files.ca, 0.5), None, tls_files.folder) as courier,
    ):
        courier.send(_LETTER, _TO)
        server.fault = Fault("mail", kind)
        assert courier.send(_LETTER, _TO).fate == "sent"
    assert len(server.taken) == 2


def test_connections_cut_between_letters_do_not_matter(tls_files: TlsFiles) -> None:
    with (
        FaultServer(tls_files.cert, tls_files.key, "starttls") as server,
        Courier(server.mail(tls_files.ca, 5), None, tls_files.folder) as courier,
    ):
        for _ in range(5):
            assert courier.send(_LETTER, _TO).fate == "sent"
            server.drop_idle()
    assert len(server.taken) == 5


def test_a_silent_server_does_not_hold_the_night(tls_files: TlsFiles) -> None:
    with (
        FaultServer(tls_files.cert, tls_files.key) as server,
        Courier(server.mail(tls_files.ca, 0.3), None, tls_files.folder) as courier,
    ):
        began, fates = time.monotonic(), []
        while not courier.broken and len(fates) < 20:
            server.fault = Fault("dot", "hang")
            fates.append(courier.send(_LETTER, _TO).fate)
        assert time.monotonic() - began < (10 + 4) * 0.3 + 3
        assert "doubtful" in fates
        assert courier.problem is not None
        assert courier.problem.code == "E832"
        steps = len(server.steps)
        assert courier.send(_LETTER, _TO).fate == "later"
        assert len(server.steps) == steps


def test_no_content_is_begun_without_the_time_to_hear_of_it(tls_files: TlsFiles) -> None:
    with (
        FaultServer(tls_files.cert, tls_files.key) as server,
        Courier(server.mail(tls_files.ca, 0.6), None, tls_files.folder) as courier,
    ):
        server.at = lambda step: server.wait(
            0.45
        )  # five steps before DATA: less than a timeout is left of four
        assert courier.send(_LETTER, _TO).fate == "later"
        assert "data" not in server.steps


@dataclass
class _Lane:
    """One courier's night against one server."""

    fates: dict[int, Delivery] = field(default_factory=dict)
    faults: dict[int, Fault] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)


def _letter(number: int, dice: random.Random) -> bytes:
    lines = [dice.choice([b".", b"..", b"", b".x", b"text", b"secret"]) for _ in range(dice.randrange(20))]
    return b"X-Number: %d\n\n" % number + b"\n".join(lines)


def _as_received(message: bytes) -> bytes:
    whole = message.replace(b"\n", b"\r\n")
    return whole if whole.endswith(b"\r\n") else whole + b"\r\n"


def _night(server: FaultServer, tls_files: TlsFiles, seed: int, mails: int) -> _Lane:
    dice, lane = random.Random(seed), _Lane()
    mail = server.mail(tls_files.ca, 0.3)
    courier = Courier(mail, "p", tls_files.folder)
    texts = random.Random(seed)
    for number in range(mails):
        if dice.random() < 0.27:
            step = dice.choice([s for s in KINDS if s != "starttls" or server.security == "starttls"])
            lane.faults[number] = server.fault = Fault(step, dice.choice(KINDS[step]))
            if step in (*BEFORE, "starttls"):
                server.drop_idle()
        lane.fates[number] = courier.send(_letter(number, texts), f"to{number}@example.gov.cn")
        if server.fault is None and number in lane.faults:
            lane.met[lane.faults[number].step] += 1
        server.fault = None
        if courier.broken:
            courier.__exit__(None, None, None)
            courier = Courier(mail, "p", tls_files.folder)
    courier.__exit__(None, None, None)
    return lane


def _check(server: FaultServer, lane: _Lane, seed: int, mails: int) -> None:
    texts = random.Random(seed)
    letters = {f"to{number}@example.gov.cn": _as_received(_letter(number, texts)) for number in range(mails)}
    fates = {f"to{number}@example.gov.cn": delivery.fate for number, delivery in lane.fates.items()}
    taken = [to for to, _ in server.taken]
    assert len(taken) == len(set(taken)), "a letter twice"
    assert all(content == letters[to] for to, content in server.taken), "wrong content or recipient"
    assert {fates[to] for to in taken} <= {"sent", "doubtful"}, "taken, and told otherwise"
    sent = {to for to, fate in fates.items() if fate == "sent"}
    assert sent <= {to for to, _ in server.receipts}, "told as sent without a receipt"
    assert not server.plain or all(_PLAIN.fullmatch(line) for line in server.plain.rstrip().split(b"\r\n"))
    quiet = [lane.fates[number].fate for number in range(mails) if number not in lane.faults]
    assert quiet.count("sent") > 0.9 * len(quiet)
    assert "refused" not in quiet


def test_random_nights_lose_nothing_and_double_nothing(tls_files: TlsFiles) -> None:
    """COURIER_MAILS letters, a good quarter of them with a fault."""
    seed, mails = int(os.environ.get("COURIER_SEED", "6")), _MAILS // _LANES
    print("seed", seed)
    servers = [
        FaultServer(tls_files.cert, tls_files.key, security, user)
        for security, user in (("tls", ""), ("starttls", ""), ("tls", "u"), ("starttls", "u"))
    ]
    with ThreadPoolExecutor(_LANES) as pool:
        lanes = list(pool.map(lambda lane: _run(servers[lane], tls_files, seed + lane, mails), range(_LANES)))
    for number, (server, lane) in enumerate(zip(servers, lanes, strict=True)):
        _check(server, lane, seed + number, mails)
    met = sum((lane.met for lane in lanes), Counter[str]())
    told = Counter(delivery.fate for lane in lanes for delivery in lane.fates.values())
    print(sum(met.values()), "faults met:", dict(met), "fates:", dict(told))
    assert sum(met.values()) > 0.12 * _MAILS
    assert set(told) == {"sent", "later", "refused", "doubtful"}


def _run(server: FaultServer, tls_files: TlsFiles, seed: int, mails: int) -> _Lane:
    with server:
        return _night(server, tls_files, seed, mails)
