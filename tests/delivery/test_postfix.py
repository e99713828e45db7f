"""A letter with a Chinese attachment name through a real Postfix on the loopback, read back from its mailbox.

The server has its own configuration, queue and mailbox in a temporary folder; every other way out is `error:`, so nothing leaves.
"""

from __future__ import annotations

import email
import email.policy
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest
from courier_certificates import TlsFiles
from courier_server import Security

from pipeline.contracts.mail_settings import Mail
from pipeline.delivery.courier import Courier
from pipeline.delivery.handshake import handshake

_POSTFIX = shutil.which("postfix") or shutil.which("postfix", path="/usr/sbin")
pytestmark = [
    pytest.mark.skipif(_POSTFIX is None, reason="postfix is not installed"),
    pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="postfix starts as root only"),
]
_TO = "weixi@example.gov.cn"
_NAME = "维西县疑点清单-2026年11月第3期（𠮷）.xlsx"
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mail.example.gov.cn
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
smtpd_banner = $myhostname ESMTP
alias_maps =
local_recipient_maps =
alias_database =
local_transport = error:nothing is local
default_transport = error:nothing leaves
relay_transport = error:nothing is relayed
virtual_mailbox_domains = example.gov.cn
virtual_mailbox_base = {folder}/mailbox
virtual_mailbox_maps = inline:{{ {to}=box/ }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = encrypt
smtpd_tls_loglevel = 0
message_size_limit = 2000000
virtual_mailbox_limit = 0
"""
_MASTER = """\
127.0.0.1:{tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{starttls} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
error unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Postfix:
    folder: Path
    ports: dict[Security, int]

    def mail(self, ca: Path, security: Security) -> Mail:
        return Mail(
            host="localhost",
            port=self.ports[security],
            security=security,
            ca_file=str(ca),
            sender="hedui@example.gov.cn",
            timeout_seconds=10,
        )

    def delivered(self, number: int) -> list[bytes]:
        """The mailbox, once `number` letters are in it."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            found = sorted(self.folder.glob("mailbox/box/new/*"), key=lambda path: path.stat().st_mtime_ns)
            if len(found) >= number:
                return [path.read_bytes() for path in found]
            time.sleep(0.05)
        pytest.fail("postfix did not deliver: " + _said(self.folder)[-2000:])


@pytest.fixture(scope="module")
def postfix(tls_files: TlsFiles) -> Iterator[Postfix]:
    # Not below pytest's own folder: postfix's user must be able to pass through.
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    before = os.umask(0o022)  # a night that was tested before has set its own
    try:
        made = _configure(folder, tls_files)
        try:
            assert _command(folder, "start") == 0, _said(folder)
            yield made
        finally:
            _command(folder, "stop")
    finally:
        os.umask(before)
        shutil.rmtree(folder)


def _configure(folder: Path, tls_files: TlsFiles) -> Postfix:
    folder.chmod(0o755)
    user = pwd.getpwnam("postfix")
    for name in ("conf", "queue", "data", "mailbox"):
        (folder / name).mkdir(mode=0o755)
    for name in ("data", "mailbox"):
        os.chown(folder / name, user.pw_uid, user.pw_gid)
    for pem in (tls_files.cert, tls_files.key):
        shutil.copy2(pem, folder / "conf" / pem.name)
    ports: dict[Security, int] = {"tls": _free_port(), "starttls": _free_port()}
    main = _MAIN.format(
        folder=folder,
        to=_TO,
        uid=user.pw_uid,
        gid=user.pw_gid,
        cert=folder / "conf" / tls_files.cert.name,
        key=folder / "conf" / tls_files.key.name,
    )
    (folder / "conf" / "main.cf").write_text(main)
    (folder / "conf" / "master.cf").write_text(_MASTER.format(**ports))
    return Postfix(folder, ports)


def _free_port() -> int:
    """Postfix cannot take port 0."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _command(folder: Path, command: str) -> int:
    assert _POSTFIX is not None
    # Its output goes to a file: the daemons keep the pipe open, and whoever reads it would wait for ever.
    with (folder / "said").open("ab") as said:
        asked = [_POSTFIX, "-c", str(folder / "conf"), command]
        return subprocess.run(asked, stdout=said, stderr=said, timeout=60).returncode


def _said(folder: Path) -> str:
    return "".join(path.read_text() for name in ("said", "log") if (path := folder / name).exists())


def _letter(attachment: bytes) -> bytes:
    letter = EmailMessage(policy=email.policy.SMTP)
    letter["From"], letter["To"] = "hedui@example.gov.cn", _TO
    letter["Subject"] = "[核对]维西县 2026-11 第3期 新增12 待办40"
    letter["Message-ID"] = "<test-1@example.gov.cn>"
    letter.set_content("见附件。\n.\n..以点开头的行\n")
    letter.add_attachment(attachment, maintype="application", subtype="octet-stream", filename=_NAME)
    return letter.as_bytes()


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_letter_with_a_chinese_attachment_name_arrives_whole(
    postfix: Postfix, tls_files: TlsFiles, security: Security
) -> None:
    mail = postfix.mail(tls_files.ca, security)
    assert handshake(mail, None, tls_files.folder) is None
    before = len(list(postfix.folder.glob("mailbox/box/new/*")))
    attachment = os.urandom(200_000)
    with Courier(mail, None, tls_files.folder) as courier:
        delivery = courier.send(_letter(attachment), _TO)
        elsewhere = courier.send(_letter(b"x"), "somebody@example.com")
        too_big = courier.send(_letter(os.urandom(2_000_000)), _TO)
        again = courier.send(_letter(b"second"), _TO)
    assert (delivery.fate, delivery.code) == ("sent", 250)
    assert delivery.queue_id in (postfix.folder / "log").read_text()
    assert delivery.queue_id != ""
    assert (elsewhere.fate, elsewhere.code) == ("refused", 554)  # relaying denied
    assert (too_big.fate, too_big.code) == ("refused", 552)
    assert again.fate == "sent"
    received = [
        email.message_from_bytes(letter, policy=email.policy.default)
        for letter in postfix.delivered(before + 2)[before:]
    ]
    (whole,) = [letter for letter in received if _attached(letter) == attachment]
    assert whole["Subject"] == "[核对]维西县 2026-11 第3期 新增12 待办40"
    assert whole["Message-ID"] == "<test-1@example.gov.cn>"
    body = whole.get_body()
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == "见附件。\n.\n..以点开头的行\n"
    assert [part.get_filename() for part in whole.iter_attachments()] == [_NAME]


def _attached(letter: EmailMessage) -> bytes:
    (part,) = letter.iter_attachments()
    return part.get_content()
