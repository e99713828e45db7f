"""One letter over one open connection: MAIL, RCPT, DATA, content, dot; and what became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pipeline.delivery.courier_session import cause_of
from pipeline.delivery.courier_trouble import Cause, Trouble, enhanced_code, with_code
from pipeline.delivery.courier_wire import Nonsense, Wire

Fate = Literal["sent", "later", "refused", "doubtful"]
_Step = Literal["MAIL", "RCPT", "DATA", "content"]

TOO_BIG = "邮件超过服务器允许的大小，请减小附件（例如按乡镇分开）"
_LATER: dict[str, str] = {
    "RCPT": "收件邮箱暂时不能收信",
    "DATA": "服务器暂时不收邮件内容",
    "content": "服务器看过内容，暂时没有收下",
}
_REFUSED: dict[str, str] = {
    "RCPT": "服务器不接受收件邮箱（不存在、已停用或已满）",
    "DATA": "服务器不收邮件内容",
    "content": "服务器看过内容后拒收",
}
_DOUBT: dict[Cause, str] = {
    "timeout": "内容已经发出，没有等到回执，对方可能已经收下",
    "lost": "内容已经发出，等回执时连接断了，对方可能已经收下",
    "nonsense": "内容已经发出，回执看不懂，对方可能已经收下",
}
# 530 login needed, 534 and 535 login refused, 538 encryption needed for it: our settings, not the letter's fault
_LOGIN = frozenset((530, 534, 535, 538))
_QUEUED = re.compile(rb"\bqueued as ([A-Za-z0-9.-]{1,40})(?=[)>;.]?(?:\s|$))", re.IGNORECASE)
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class Delivery:
    """`sent`: the server gave its receipt. `later`: it certainly has not taken it, another time it may. `refused`: it will not
    take this letter. `doubtful`: the content had begun to leave and nobody knows.

    `code`: the reply's, 0 without one; `words`: the cause, without any address; `queue_id`: the receipt's number, "" if it named none.
    """

    fate: Fate
    code: int
    words: str
    queue_id: str = ""


def wire_form(message: bytes) -> bytes:
    """As it goes over the wire, without the final dot: every line ends in CRLF (also lone CR and LF), leading dots are
    doubled (RFC 5321, 4.5.2). A lone LF that got through could end the mail early at a server that takes it for a line's end."""
    lines = _LINE_END.sub(b"\r\n", message)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    stuffed = lines.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def hand_over(wire: Wire, sender: str, to: str, content: bytes) -> Delivery:
    """One transaction; `content` in wire form. Raises Trouble where no content has begun to leave and the connection is of no use any
    more. The wire is closed wherever server and we may no longer agree on where we are."""
    begun = False
    try:
        refusal = _envelope(wire, sender, to, content)
        if refusal:
            return refusal
        if wire.left() < wire.step:  # too late for a receipt: content without one would only make doubt
            raise TimeoutError
        code, text = wire.docmd("DATA")
        if code != 354:
            return _answered("DATA", code, text)
        if wire.spoke():  # a second reply would be taken for the receipt
            raise Nonsense
        begun = True
        wire.send(content)
        if early := wire.spoke():  # before the dot nothing can have been taken
            code, text = wire.getreply()
        else:
            wire.send(b".\r\n")
            code, text = wire.patient_reply()
        return _receipt(wire, code, text, early=early)
    except (OSError, Nonsense) as error:
        wire.close()
        if begun:
            return Delivery("doubtful", 0, _DOUBT[cause_of(error)])
        raise Trouble(cause_of(error)) from None
    except BaseException:
        wire.close()
        raise


def _envelope(wire: Wire, sender: str, to: str, content: bytes) -> Delivery | None:
    """MAIL and RCPT; None when both were accepted."""
    limit = wire.esmtp_features.get("size", "")
    if limit.isdigit() and 0 < int(limit) < len(
        content
    ):  # doubled dots counted: a few bytes on the safe side
        return Delivery("refused", 552, f"{TOO_BIG}，服务器最大 {int(limit) / 1_000_000:.1f} MB")
    options = f" SIZE={len(content)}" if wire.has_extn("size") else ""
    if not content.isascii():
        if not wire.has_extn("8bitmime"):
            return Delivery("refused", 0, "服务器只收七位字符的邮件")
        options += " BODY=8BITMIME"
    code, text = wire.docmd("MAIL", f"FROM:<{sender}>{options}")
    if code != 250:
        return _answered("MAIL", code, text)
    code, text = wire.docmd("RCPT", f"TO:<{to}>")
    if code == 251:  # it would forward to an address that nobody here has allowed
        return Delivery("refused", code, with_code("收件邮箱已转到别处，请核对地址", code, ""))
    return _answered("RCPT", code, text) if code != 250 else None


def _answered(step: _Step, code: int, text: bytes) -> Delivery:
    """What a reply that is not the hoped-for one means. Raises Nonsense for one that cannot stand there, Trouble for 421 and
    for what lies in our settings."""
    enhanced = enhanced_code(text)
    if code in _LOGIN and step != "content":
        raise Trouble("auth_needed", code, text)
    if code == 421:
        if step != "content":
            raise Trouble("service", code, text)
        return Delivery("later", code, with_code(_LATER[step], code, enhanced))
    if code < 400:
        raise Nonsense
    if step == "MAIL" and code < 500:
        raise Trouble("sender_later", code, text)
    if code == 552 and step != "RCPT":
        return Delivery("refused", code, with_code(TOO_BIG, code, enhanced))
    if step == "MAIL":
        raise Trouble("sender", code, text)
    fate: Fate = "later" if code < 500 else "refused"
    return Delivery(fate, code, with_code((_LATER if fate == "later" else _REFUSED)[step], code, enhanced))


def _receipt(wire: Wire, code: int, text: bytes, *, early: bool) -> Delivery:
    if early or code == 421:
        wire.close()
    if code == 250 and not early:
        queued = _QUEUED.search(text)
        words = with_code("服务器已收下", code, enhanced_code(text))
        return Delivery("sent", code, words, queued[1].decode("ascii") if queued else "")
    return _answered("content", code, text)
