"""Letters as mail programs read them: Python's two parsers and what Debian's parse them with."""

from __future__ import annotations

import email
import email.policy
import re
import shutil
import subprocess
import time
from dataclasses import replace
from datetime import date
from email.header import decode_header, make_header
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.mail_settings import Mail
from pipeline.delivery.envelope import build, message_id
from pipeline.delivery.letter import CSV, XLSX, ZIP, Attachment, Letter

MAIL = Mail(sender="reconcile@mail.gov.cn", sender_name="惠民政策核对", reply_to="answers@gov.cn")
NAMES = (
    "维西傈僳族自治县_2026-11_第3期.csv",
    "plain-name.xlsx",
    "带 空格、（括号）和 ' 撇号.zip",
    "𠮷㐂䶮𬭎𣲗" * 8 + ".csv",
    "100%25;a=b,c&d#e+f~g!.xlsx",
    "全角ＡＢＣ１２３—破折号…《书名》“引号”.csv",
    "emoji😀é̀ñ.csv",
    "=?utf-8?b?5L2g?=.csv",
    "a''b*0*=c.csv",
    "藏文བོད་ཡིག 维吾尔文ئۇيغۇر 彝文ꆈꌠ.xlsx",
)
LETTER = Letter(
    "2026p3-539901-0123456789",
    "report",
    date(2026, 11, 2),
    "539901",
    "clerk_1.x@gov.cn",
    "[核对]维西县 2026-11 第3期 新增12 待办40",
    "维西县：\n附件是本期清单。\n.\n..点开头\nFrom 开头\n" + "很长的一行" * 300 + "\n",
    (Attachment("维西县_2026-11_第3期.zip", "report.zip", ZIP, bytes(range(256)) * 40),),
)


def with_names(*names: str) -> Letter:
    kinds = {"csv": CSV, "xlsx": XLSX, "zip": ZIP}
    files = [Attachment(n, "a", kinds[n.rpartition(".")[2]], n.encode() * 5) for n in names]
    return replace(LETTER, attachments=tuple(files))


def decoded(header: object) -> str:
    return str(make_header(decode_header(str(header))))


def parts(message: bytes, policy: email.policy.Policy) -> list[email.message.Message]:
    whole = email.message_from_bytes(message, policy=policy)
    found = [part for part in whole.walk() if not part.is_multipart()]
    assert not [defect for part in whole.walk() for defect in part.defects]
    return found


@pytest.mark.parametrize("policy", [email.policy.default, email.policy.compat32], ids=["default", "compat32"])
def test_python_reads_everything_back(policy: email.policy.Policy) -> None:
    message = build(with_names(*NAMES), MAIL)
    whole = email.message_from_bytes(message, policy=policy)
    assert decoded(whole["Subject"]) == LETTER.subject
    assert decoded(whole["From"]) == "惠民政策核对 <reconcile@mail.gov.cn>"
    assert (whole["To"], whole["Reply-To"]) == (LETTER.to, "answers@gov.cn")
    assert whole["Date"] == "Mon, 02 Nov 2026 00:00:00 +0800"
    assert whole["Message-ID"] == "<2026p3-539901-0123456789@mail.gov.cn>"
    assert (whole["Auto-Submitted"], whole["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert {whole["Cc"], whole["Bcc"]} == {None}
    text, *files = parts(message, policy)
    assert text.get_content_type() == "text/plain"
    assert text.get_payload(decode=True) == LETTER.body.replace("\n", "\r\n").encode()
    assert [file.get_filename() for file in files] == list(NAMES)
    assert [file.get_payload(decode=True) for file in files] == [name.encode() * 5 for name in NAMES]
    assert {file.get_content_disposition() for file in files} == {"attachment"}


def test_the_name_of_old_mail_programs_says_the_same() -> None:
    """RFC 2047 inside quotes, as Outlook and Foxmail read `name=`."""
    for file, name in zip(
        parts(build(with_names(*NAMES), MAIL), email.policy.compat32)[1:], NAMES, strict=True
    ):
        raw = str(file.get_param("name"))
        assert raw.isascii()
        assert decoded(raw) == name


@pytest.mark.parametrize(
    ("program", "package", "names"),
    [
        ("reformime", "maildrop", NAMES),
        ("ripmime", "ripmime", NAMES[:6]),
        ("mu", "maildir-utils", (NAMES[0], NAMES[1], NAMES[3])),  # it writes other characters for spaces
    ],
)
def test_debian_s_programs_read_the_names(
    program: str, package: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed (apt-get install {package})")
    path, out = tmp_path / "letter.eml", tmp_path / "out"
    path.write_bytes(build(with_names(*names), MAIL))
    out.mkdir()
    words = {
        "reformime": [program, "-i"],
        "ripmime": [program, "-i", str(path), "-d", str(out)],
        "mu": [program, "extract", "--save-all", f"--target-dir={out}", str(path)],
    }
    with path.open("rb") as message:
        told = subprocess.run(words[program], stdin=message, capture_output=True, check=True, timeout=60)
    if program == "reformime":  # it says what it read
        read = re.findall(r"^content-disposition-filename: (.*)$", told.stdout.decode(), re.MULTILINE)
        assert read == list(names)
    else:
        assert {n: (out / n).read_bytes() for n in names} == {n: n.encode() * 5 for n in names}


def test_lines_end_in_crlf_and_are_short() -> None:
    message = build(with_names(*NAMES), MAIL)
    assert message.isascii()
    assert message.count(b"\n") == message.count(b"\r") == message.count(b"\r\n")
    assert message.endswith(b"\r\n")
    lines = message.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    long = {re.split(b"[=;]", line)[0] for line in lines if len(line) > 78}
    assert long <= {b" filename*", f"Content-Type: {XLSX}".encode()}  # in one piece: see envelope.py


def test_the_same_letter_is_the_same_bytes() -> None:
    assert build(LETTER, MAIL) == build(replace(LETTER), MAIL.model_copy())
    assert build(LETTER, MAIL) != build(replace(LETTER, letter_id="2026p3-539901-0123456780"), MAIL)


def test_a_letter_without_attachments_is_plain_text() -> None:
    message = build(
        replace(LETTER, attachments=()), MAIL.model_copy(update={"reply_to": "", "sender_name": ""})
    )
    whole = email.message_from_bytes(message, policy=email.policy.default)
    assert whole.get_content_type() == "text/plain"
    assert whole.get_content() == LETTER.body.replace("\n", "\r\n")
    assert whole["From"] == "reconcile@mail.gov.cn"
    assert "Reply-To" not in whole


BREAKS = ["\r\nBcc: x@y.cn", "\nX: y", "\ra", "a\x00", "a\u2028b", "a\x0bb", "a\x7f", "\x85", "\ud800"]


@pytest.mark.parametrize("smuggled", BREAKS)
def test_no_field_can_smuggle_a_header_in(smuggled: str) -> None:
    file = LETTER.attachments[0]
    letters = [
        replace(LETTER, subject=f"canary{smuggled}"),
        replace(LETTER, to=f"canary@gov.cn{smuggled}"),
        replace(LETTER, letter_id=f"canary{smuggled}"),
        replace(LETTER, attachments=(replace(file, name=f"canary{smuggled}.zip"),)),
        replace(LETTER, attachments=(replace(file, kind=f"application/zip{smuggled}"),)),
    ]
    mails = [
        MAIL.model_copy(update={name: f"canary@gov.cn{smuggled}"})
        for name in ("sender", "reply_to", "sender_name")
    ]
    for letter, mail in [*((letter, MAIL) for letter in letters), *((LETTER, mail) for mail in mails)]:
        with pytest.raises(ValueError, match=r"^[a-z_' ]+$") as error:
            build(letter, mail)
        assert "canary" not in str(error.value)
        assert not isinstance(error.value, UnicodeError)
    if smuggled[-1] != "y" and smuggled[:2] != "\r\n":  # a body may have lines
        with pytest.raises(ValueError, match="body"):
            build(replace(LETTER, body=f"canary{smuggled}"), MAIL)


@pytest.mark.parametrize(
    "letter",
    [
        replace(LETTER, subject=""),
        replace(LETTER, to=""),
        replace(LETTER, to="a@b.cn, c@d.cn"),
        replace(LETTER, to="<a@b.cn>"),
        replace(LETTER, letter_id="A"),
        replace(LETTER, attachments=(replace(LETTER.attachments[0], name=""),)),
        replace(LETTER, attachments=(replace(LETTER.attachments[0], name="a.zip "),)),
        replace(LETTER, attachments=(replace(LETTER.attachments[0], name="长" * 81),)),
        replace(LETTER, attachments=LETTER.attachments * 2),
    ],
)
def test_fields_out_of_form_are_refused(letter: Letter) -> None:
    with pytest.raises(ValueError, match=r"^[a-zA-Z_' ]+$"):
        build(letter, MAIL)


def test_the_message_id_is_fixed_by_letter_and_domain() -> None:
    assert message_id("a-1", "x@Mail.Gov.CN") == "<a-1@mail.gov.cn>"


TEXT = st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=70)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    TEXT,
    TEXT,
    TEXT,
    st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], include_characters="\n\t")),
)
def test_any_text_comes_back(subject: str, name: str, sender: str, body: str) -> None:
    """Also names of 70 characters of any script, and whatever looks like an encoded word."""
    fitting = name.encode()[:240].decode(errors="ignore").strip() or "x"
    letter = replace(LETTER, subject=subject, body=body, attachments=(Attachment(fitting, "a", CSV, b"1"),))
    message = build(letter, MAIL.model_copy(update={"sender_name": sender}))
    headers = message.partition(b"\r\n\r\n")[0]
    assert max(map(len, headers.split(b"\r\n"))) <= 78
    read = email.message_from_bytes(message, policy=email.policy.compat32)
    text, file = read.get_payload()
    assert _words(read["Subject"]) == subject
    assert _words(read["From"].rpartition(" <")[0]) == sender
    assert text.get_payload(decode=True).decode() == body.replace("\n", "\r\n")
    assert file.get_filename() == fitting
    assert decoded(file.get_param("name")) == fitting


def _words(header: str) -> str:
    return "".join(
        part if isinstance(part, str) else part.decode(charset or "ascii")
        for part, charset in decode_header(header)
    )


def test_twenty_megabytes_in_two_seconds() -> None:
    data = Random(1).randbytes(20 << 20)
    letter = replace(LETTER, attachments=(Attachment("大.zip", "a.zip", ZIP, data),))
    start = time.process_time()
    message = build(letter, MAIL)
    assert time.process_time() - start < 2
    assert len(message) < 1.4 * len(data)
