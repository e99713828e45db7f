"""Opens a finished message for the check: with Python's own parser, and nothing in it may be left over.

What was read is built once more; only where the same bytes come out did the parser see everything that is there (no second
header of a name, no preamble, no part within a part, nothing behind the end).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta, timezone
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from pipeline.contracts.mail_settings import Mail
from pipeline.delivery.envelope import build
from pipeline.delivery.letter import Attachment, Letter

_CHINA = timezone(timedelta(hours=8))
_HEADERS = (
    "date",
    "from",
    "to",
    "reply-to",
    "subject",
    "message-id",
    "auto-submitted",
    "x-auto-response-suppress",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
)


class Unknown(Exception):
    """Something in the message is not known; its words are a reason in Chinese without data."""


@dataclass(frozen=True)
class Opened:
    """What a message says. Attachments as they are attached: not unsealed."""

    on: date
    to: str
    sender: str
    sender_name: str
    reply_to: str
    subject: str
    body: str
    attachments: tuple[Attachment, ...]


def open_message(message: bytes) -> Opened:
    """Raises Unknown where the message is not one that `envelope.build` makes, and whatever the parser raises."""
    parsed = BytesParser(EmailMessage, policy=policy.default).parsebytes(message)
    _known_headers(parsed)
    text, *files = _parts(parsed)
    opened = Opened(
        on=parsed["date"].datetime.astimezone(_CHINA).date(),
        to=_one_address(parsed, "to"),
        sender=_one_address(parsed, "from"),
        sender_name=parsed["from"].addresses[0].display_name,
        reply_to=_one_address(parsed, "reply-to") if "reply-to" in parsed else "",
        subject=str(parsed["subject"]),
        body=_content(text).decode("utf-8").replace("\r\n", "\n"),
        attachments=tuple(_attachment(part) for part in files),
    )
    if _rebuilt(opened, str(parsed["message-id"])) != message:
        raise Unknown("邮件里有不认识的内容（与按规定格式重做的不一致）")
    return opened


def _known_headers(parsed: EmailMessage) -> None:
    names = [name.lower() for name in parsed]
    if {"cc", "bcc", "resent-to", "resent-cc", "resent-bcc"} & set(names):
        raise Unknown("邮件有抄送或密送")
    if names.count("to") != 1:
        raise Unknown("邮件的收件人栏不是恰好一个")
    if len(set(names)) != len(names) or not set(names) <= set(_HEADERS):
        raise Unknown("邮件有不认识的或重复的信头")


def _parts(parsed: EmailMessage) -> list[EmailMessage]:
    """The text and the attached files, in order."""
    if not parsed.is_multipart():
        return [parsed]
    parts = [part for part in parsed.iter_parts() if isinstance(part, EmailMessage)]
    if parsed.get_content_type() != "multipart/mixed" or not parts or any(p.is_multipart() for p in parts):
        raise Unknown("邮件的结构不对")
    return parts


def _one_address(parsed: EmailMessage, header: str) -> str:
    addresses = parsed[header].addresses
    if len(addresses) != 1:
        raise Unknown("邮件的收件人不是恰好一个" if header == "to" else "发件人或回复地址不是恰好一个")
    return str(addresses[0].addr_spec)


def _content(part: EmailMessage) -> bytes:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        raise Unknown("邮件的结构不对")
    return data


def _attachment(part: EmailMessage) -> Attachment:
    name = part.get_filename()
    if part.get_content_disposition() != "attachment" or not name:
        raise Unknown("邮件里有不是附件的部分")
    return Attachment(name, "", part.get_content_type(), _content(part))


def _rebuilt(opened: Opened, message_id: str) -> bytes:
    letter_id = message_id.strip("<>").rpartition("@")[0]
    letter = Letter(
        letter_id, "report", opened.on, "", opened.to, opened.subject, opened.body, opened.attachments
    )
    return build(letter, Mail(sender=opened.sender, sender_name=opened.sender_name, reply_to=opened.reply_to))
