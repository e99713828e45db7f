"""The courier against a real server with TLS: what arrives, logins, sizes, interruption."""

from __future__ import annotations

import gc
import re
import signal
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from courier_certificates import TlsFiles
from courier_faults import FaultServer
from courier_server import Security, SmtpServer
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.mail_settings import Mail
from pipeline.delivery.courier import Courier, Delivery
from pipeline.delivery.courier_dialogue import wire_form
from pipeline.delivery.courier_session import _tls_context
from pipeline.delivery.courier_trouble import enhanced_code
from pipeline.delivery.courier_wire import Wire

Make = Callable[..., SmtpServer]
_TO = "xian@example.gov.cn"
_LETTER = b"Subject: x\r\n\r\nbody\r\n"


def _send(mail: Mail, files: TlsFiles, *letters: bytes, password: str | None = None) -> list[Delivery]:
    with Courier(mail, password, files.folder) as courier:
        return [courier.send(letter, _TO) for letter in letters]


def test_letters_arrive_whole_over_one_connection(smtp_server: SmtpServer, tls_files: TlsFiles) -> None:
    odd = b"Subject: x\n\n.\n..\n.dot\r\nlone\rcr\n\n.\nend"
    fates = _send(smtp_server.mail(tls_files.ca), tls_files, _LETTER, odd, _LETTER)
    assert [delivery.fate for delivery in fates] == ["sent"] * 3
    assert [delivery.queue_id for delivery in fates] == ["Q000001", "Q000002", "Q000003"]
    assert smtp_server.connections == 1
    whole = b"Subject: x\r\n\r\n.\r\n..\r\n.dot\r\nlone\r\ncr\r\n\r\n.\r\nend\r\n"
    assert smtp_server.messages == [(_TO, _LETTER), (_TO, whole), (_TO, _LETTER)]


@given(st.text(alphabet=".\r\nab", max_size=40).map(str.encode))
def test_the_wire_form_can_be_undone_and_has_no_early_end(message: bytes) -> None:
    wire = wire_form(message)
    assert wire.endswith(b"\r\n")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", wire)
    assert b"\r\n.\r\n" not in b"\r\n" + wire
    lines = wire.removesuffix(b"\r\n").split(b"\r\n")
    assert b"." not in lines
    unstuffed = [line[1:] if line.startswith(b".") else line for line in lines]
    meant = re.sub(rb"\r\n|\r|\n", b"\n", message).removesuffix(b"\n").split(b"\n")
    assert unstuffed == meant


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_login_is_in_utf8_and_only_inside_tls(
    make_smtp_server: Make, tls_files: TlsFiles, security: Security
) -> None:
    server = make_smtp_server(security=security, user="核对", password="密码 1")
    (delivery,) = _send(server.mail(tls_files.ca), tls_files, _LETTER, password="密码 1")
    assert delivery.fate == "sent"
    assert server.logins == [("核对", "密码 1")]


def test_a_wrong_password_is_tried_once_a_night(make_smtp_server: Make, tls_files: TlsFiles) -> None:
    server = make_smtp_server(user="hedui", password="right")
    with Courier(server.mail(tls_files.ca), "wrong-password", tls_files.folder) as courier:
        first = courier.send(_LETTER, _TO)
        assert (first.fate, first.code) == ("later", 535)
        assert courier.broken
        assert courier.problem is not None
        assert courier.problem.code == "E839"
        assert courier.send(_LETTER, _TO).fate == "later"
    assert len(server.logins) == 1  # another try would lock the mailbox
    assert "wrong" not in repr(first) + courier.problem.line()
    assert server.messages == []


def test_a_missing_login_or_password_ends_the_night(make_smtp_server: Make, tls_files: TlsFiles) -> None:
    server = make_smtp_server(user="hedui", password="right")
    for user, password in (("", None), ("hedui", None)):
        with Courier(server.mail(tls_files.ca, user=user), password, tls_files.folder) as courier:
            assert courier.send(_LETTER, _TO).fate == "later"
            assert courier.problem is not None
            assert courier.problem.code == "E839"


def test_one_refused_recipient_stops_nobody(smtp_server: SmtpServer, tls_files: TlsFiles) -> None:
    answers = {"b": "550 5.1.1 <b@example.gov.cn> unknown", "c": "452 4.2.2 full", "d": "251 forwards"}
    smtp_server.answer_rcpt = lambda address: answers.get(address[0], "")
    with Courier(smtp_server.mail(tls_files.ca), None, tls_files.folder) as courier:
        fates = {name: courier.send(_LETTER, f"{name}@example.gov.cn") for name in "abcde"}
    assert {name: delivery.fate for name, delivery in fates.items()} == {
        "a": "sent",
        "b": "refused",
        "c": "later",
        "d": "refused",
        "e": "sent",
    }
    assert [to[0] for to, _ in smtp_server.messages] == ["a", "e"]
    assert smtp_server.connections == 2  # "later" may mean this connection: the next letter has a new one
    assert fates["b"].words == "服务器不接受收件邮箱（不存在、已停用或已满）（550 5.1.1）"


def test_a_letter_too_big_is_not_even_tried(make_smtp_server: Make, tls_files: TlsFiles) -> None:
    server = make_smtp_server(largest=100_000)
    line = b"x" * 74 + b"\r\n"
    big, small = _send(server.mail(tls_files.ca), tls_files, line * 2000, line * 1000)
    assert (big.fate, big.code, small.fate) == ("refused", 552, "sent")
    assert "按乡镇分开" in big.words
    assert "0.1 MB" in big.words


@pytest.mark.parametrize(
    "address",
    ["县@example.gov.cn", "a@b.cn>\r\nRCPT TO:<c@d.cn", "a b@c.cn", "", "a@b", "<a@b.cn>", "a@b.cn\n"],
)
def test_no_address_can_add_a_command(smtp_server: SmtpServer, tls_files: TlsFiles, address: str) -> None:
    with Courier(smtp_server.mail(tls_files.ca), None, tls_files.folder) as courier:
        assert courier.send(_LETTER, address) == Delivery("refused", 0, "收件地址不合规")
    assert smtp_server.connections == 0


@pytest.mark.parametrize(
    ("reply", "queue_id"),
    [
        ("250 2.0.0 Ok: queued as 4VwX5y6-a.1", "4VwX5y6-a.1"),
        ("250 OK queued as ABC)", "ABC"),
        ("250 Queued as " + "A" * 41, ""),
        ("250 queued as who@example.cn", ""),
        ("250 queued as zwqz,_____wD3", ""),
        ("250 Ok", ""),
    ],
)
def test_a_queue_number_is_taken_whole_or_not_at_all(
    smtp_server: SmtpServer, tls_files: TlsFiles, reply: str, queue_id: str
) -> None:
    smtp_server.answer_data = lambda address: reply
    (delivery,) = _send(smtp_server.mail(tls_files.ca), tls_files, _LETTER)
    assert (delivery.fate, delivery.queue_id) == ("sent", queue_id)


@pytest.mark.parametrize(
    ("text", "code"), [(b"5.1.1 no", "5.1.1"), (b"5.1.1", "5.1.1"), (b"no 5.1.1", ""), (b"5.1.1.2 x", "")]
)
def test_enhanced_codes(text: bytes, code: str) -> None:
    assert enhanced_code(text) == code


def test_a_server_without_starttls_gets_neither_letter_nor_password(
    make_smtp_server: Make, tls_files: TlsFiles
) -> None:
    server = make_smtp_server(security="starttls", offer_tls=False, user="hedui", password="right")
    with Courier(server.mail(tls_files.ca), "right", tls_files.folder) as courier:
        assert courier.send(_LETTER, _TO).fate == "later"
        assert courier.problem is not None
        assert courier.problem.code == "E836"
    assert (server.messages, server.logins) == ([], [])


def test_no_server_no_letter(tls_files: TlsFiles) -> None:
    with Courier(Mail(), None, tls_files.folder) as courier:
        assert courier.send(_LETTER, _TO).fate == "later"
        assert courier.broken


def test_a_server_that_comes_back_is_used_again(tls_files: TlsFiles) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with SmtpServer(tls_files.cert, tls_files.key) as server:
        away = server.mail(tls_files.ca, port=port)
        with Courier(away, None, tls_files.folder) as courier:
            assert courier.send(_LETTER, _TO).fate == "later"
            assert not courier.broken
            courier._mail = server.mail(tls_files.ca)
            assert courier.send(_LETTER, _TO).fate == "sent"


def test_eight_bit_letters_are_declared(smtp_server: SmtpServer, tls_files: TlsFiles) -> None:
    (delivery,) = _send(smtp_server.mail(tls_files.ca), tls_files, "Subject: x\n\n县".encode())
    assert delivery.fate == "sent"
    assert smtp_server.messages[0][1] == "Subject: x\r\n\r\n县\r\n".encode()


def test_session_keys_are_never_written(
    smtp_server: SmtpServer, tls_files: TlsFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    assert ssl.create_default_context().keylog_filename == str(keys)
    keys.unlink(missing_ok=True)
    _send(smtp_server.mail(tls_files.ca), tls_files, _LETTER)
    assert not keys.exists()


def test_a_reset_before_the_handshake_leaves_no_socket_open(tls_files: TlsFiles) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        wire = Wire("localhost", 5, time.monotonic() + 5)
        wire.open_socket(listener.getsockname()[1])
        other, _ = listener.accept()
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        other.close()
        time.sleep(0.1)
        context = _tls_context(Mail(ca_file=str(tls_files.ca)), tls_files.folder)
        with pytest.raises(OSError):  # noqa: PT011 - which one differs from system to system
            wire.encrypt(context)
        wire.close()
    gc.collect()  # a socket that nobody closed would be told here


@pytest.mark.parametrize("step", ["greeting", "ehlo", "mail", "data", "dot", "rset"])
def test_an_interruption_passes_through_and_the_courier_can_go_on(tls_files: TlsFiles, step: str) -> None:
    main = threading.main_thread().ident
    assert main is not None
    before = signal.signal(signal.SIGUSR1, _interrupt)
    try:
        with (
            FaultServer(tls_files.cert, tls_files.key) as server,
            Courier(server.mail(tls_files.ca, 5), None, tls_files.folder) as courier,
        ):
            if step == "rset":
                assert courier.send(_LETTER, _TO).fate == "sent"

            def strike(reached: str) -> None:
                if reached == step:
                    server.at = lambda _: None
                    signal.pthread_kill(main, signal.SIGUSR1)
                    server.wait(0.1)

            server.at = strike
            with pytest.raises(KeyboardInterrupt):
                courier.send(_LETTER, _TO)
            assert courier.send(_LETTER, _TO).fate == "sent"
    finally:
        signal.signal(signal.SIGUSR1, before)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
