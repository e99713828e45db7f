"""A letter as the bytes that go over the wire: RFC 5322 and 2045, the same bytes for the same letter.

A Chinese attachment name is written twice, as Apple's Mail does it: `filename*=utf-8''…` (RFC 2231, in one piece, for the
web mails of China do not join pieces) and `name="=?utf-8?b?…?="` (RFC 2047 in quotes, against the letter of RFC 2047 part 5, but what old
Outlook and Foxmail read). There is no plain `filename="…"` beside them: who reads it first would never see the Chinese one.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from datetime import date
from urllib.parse import quote

from pipeline.contracts.mail_settings import Mail, domain_of
from pipeline.delivery.letter import Attachment, Letter

_LINE = 76  # characters of a base64 line (RFC 2045) and of a header line with encoded words (RFC 2047)
_LONGEST_NAME = 240  # bytes of UTF-8: 720 characters when percent-encoded, and a line holds 998 (RFC 5322)
_LETTER_ID = re.compile(r"[a-z0-9-]{1,200}")
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+")
_KIND = re.compile(r"[a-z]+/[a-z0-9.+-]+")
# Not from the locale: the words of RFC 5322.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def build(letter: Letter, mail: Mail) -> bytes:
    """The whole message, lines ended by CRLF, none over 998 characters, ASCII throughout.

    Raises ValueError, without the value, where a field cannot stand in a message: a line break or control character, a
    letter_id or address out of form, a name that is empty or too long, two attachments of one name.
    """
    names = [_checked(attachment.name, "an attachment's name") for attachment in letter.attachments]
    if len(set(names)) != len(names):
        raise ValueError("two attachments of one name")
    head = _head(letter, mail)
    text = _text_part(letter.body)
    if not letter.attachments:
        return _block([*head, *text[0], ""]) + text[1]
    boundary = "=_" + hashlib.sha256(letter.letter_id.encode()).hexdigest()[:32]  # `_` never stands in base64
    blocks = [_block([*head, f'Content-Type: multipart/mixed; boundary="{boundary}"', ""])]
    for headers, content in (text, *(_file_part(attachment) for attachment in letter.attachments)):
        blocks += [_block([f"--{boundary}", *headers, ""]), content]
    return b"".join([*blocks, _block([f"--{boundary}--"])])


def message_id(letter_id: str, sender: str) -> str:
    """`<letter_id@domain of the sender>`: fixed, so that whoever gets the letter twice can know it. Raises ValueError."""
    if not _LETTER_ID.fullmatch(letter_id) or not _ADDRESS.fullmatch(sender):
        raise ValueError("letter_id or sender out of form")
    return f"<{letter_id}@{domain_of(sender)}>"


def _head(letter: Letter, mail: Mail) -> list[str]:
    reply_to = [f"Reply-To: {_address(mail.reply_to)}"] if mail.reply_to else []
    return [
        f"Date: {_midnight(letter.on)}",
        *_mailbox(mail.sender_name, _address(mail.sender)),
        f"To: {_address(letter.to)}",
        *reply_to,
        *_folded("Subject: ", _checked(letter.subject, "the subject")),
        f"Message-ID: {message_id(letter.letter_id, mail.sender)}",
        "Auto-Submitted: auto-generated",  # RFC 3834: no holiday replies
        "X-Auto-Response-Suppress: All",  # the same for Exchange
        "MIME-Version: 1.0",
    ]


def _midnight(on: date) -> str:
    """When the day begins, in China's one zone: a letter's date is its night's, not the clock's, so that its bytes are fixed, and a
    night that runs early in the morning must not send letters from the future."""
    return f"{_DAYS[on.weekday()]}, {on.day:02d} {_MONTHS[on.month - 1]} {on.year} 00:00:00 +0800"


def _mailbox(name: str, address: str) -> list[str]:
    if not name:
        return [f"From: {address}"]
    *lines, last = _folded("From: ", _checked(name, "the sender's name"))
    return (
        [*lines, f"{last} <{address}>"]
        if len(last) + len(address) < _LINE
        else [*lines, last, f" <{address}>"]
    )


def _folded(field: str, text: str) -> list[str]:
    """A header line, continued where it is long. All but short plain words are written as encoded words (RFC 2047)."""
    if re.fullmatch(r"[A-Za-z0-9 .,-]*", text) and len(field) + len(text) <= _LINE and text == text.strip():
        return [field + text]
    first, *others = _encoded_words(text, len(field))
    return [field + first, *(f" {word}" for word in others)]


def _encoded_words(text: str, used: int) -> list[str]:
    """Encoded words of at most 75 characters each; a character is never cut in two. `used`: of the first line."""
    words, piece = [], b""
    room = _LINE - used
    for character in text:
        more = piece + character.encode()
        if len(more) > (room - 12) // 4 * 3:  # "=?utf-8?b?" and "?=" are 12
            words.append(_encoded_word(piece))
            room, more = _LINE - 1, character.encode()
        piece = more
    return [*words, _encoded_word(piece)]


def _encoded_word(piece: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(piece).decode()}?="


def _text_part(body: str) -> tuple[list[str], bytes]:
    text = body.replace("\r\n", "\n")
    _checked(text.replace("\n", "").replace("\t", ""), "the body", may_be_empty=True)
    headers = ['Content-Type: text/plain; charset="utf-8"', "Content-Transfer-Encoding: base64"]
    return headers, _base64(_utf8(text.replace("\n", "\r\n"), "the body"))


def _file_part(attachment: Attachment) -> tuple[list[str], bytes]:
    if not _KIND.fullmatch(attachment.kind):
        raise ValueError("an attachment's kind is out of form")
    name = attachment.name
    if name != name.strip():
        raise ValueError("an attachment's name begins or ends with a space")
    if len(_utf8(name, "an attachment's name")) > _LONGEST_NAME:
        raise ValueError("an attachment's name is too long")
    first, *others = _encoded_words(name, len(' name=""'))
    words = [f' name="{first}', *(f" {word}" for word in others)]
    words[-1] += '"'  # one character more than RFC 2047's 76 at the most; RFC 5322 has 78
    return [
        f"Content-Type: {attachment.kind};",
        *words,
        "Content-Transfer-Encoding: base64",
        "Content-Disposition: attachment;",
        f" filename*=utf-8''{quote(name, safe='')}",
    ], _base64(attachment.data)


def _base64(data: bytes) -> bytes:
    lines = re.findall(b".{1,%d}" % _LINE, base64.b64encode(data))
    return b"".join([line + b"\r\n" for line in lines])


def _checked(text: str, what: str, *, may_be_empty: bool = False) -> str:
    """The text, if it may stand in a header. Control characters are how headers are smuggled in."""
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
        raise ValueError(f"{what} holds a line break or control character")
    if not (text or may_be_empty):
        raise ValueError(f"{what} is empty")
    _utf8(text, what)
    return text


def _utf8(text: str, what: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair; its own words would quote it
        raise ValueError(f"{what} is not text") from None


def _address(address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise ValueError("an address is out of form")
    return address


def _block(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")
