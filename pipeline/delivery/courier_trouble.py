"""Why a mail server could not be used, in words for the office: fixed sentences, never the server's own text.

A server's text may repeat an address or more; of a reply only the code (RFC 5321) and the enhanced status code
(RFC 3463, `5.1.1`) are kept.
"""

from __future__ import annotations

import re
from typing import Literal

from pipeline.contracts.problem import Problem

Cause = Literal[
    "no_host",
    "name",
    "refused",
    "lost",
    "timeout",
    "silent",
    "untrusted",
    "ca_file",
    "expired",
    "wrong_name",
    "no_starttls",
    "tls",
    "injected",
    "service",
    "nonsense",
    "sender",
    "sender_later",
    "auth",
    "auth_later",
    "auth_missing",
    "auth_needed",
    "no_password",
]
# Not of this letter and not of this minute: the next letter would fail in the same way. Asking on would lock the mailbox.
LASTING: frozenset[Cause] = frozenset(
    (
        "no_host",
        "untrusted",
        "ca_file",
        "expired",
        "wrong_name",
        "no_starttls",
        "injected",
        "sender",
        "auth",
        "auth_missing",
        "auth_needed",
        "no_password",
    )
)
# cause: (code, what, why, cure)
_SAID: dict[Cause, tuple[str, str, str, str]] = {
    "no_host": (
        "E830",
        "没有写邮件服务器",
        "[mail] 的 host 是空的，什么也寄不出",
        "在 [mail] 写 host 和 sender",
    ),
    "name": (
        "E830",
        "找不到邮件服务器的名字",
        "域名解析没有结果",
        "核对 [mail] 的 host；在这台机器上用 getent hosts 试这个名字，内网的名字须由内网的 DNS 解析",
    ),
    "refused": (
        "E831",
        "连不上邮件服务器",
        "对方拒绝连接，或网络不通",
        "核对 [mail] 的 host 和 port；请网络管理员放行这台机器到该端口",
    ),
    "lost": (
        "E831",
        "邮件服务器中途断开了连接",
        "还没有寄出任何内容",
        "过一会儿再试；总是这样就请邮件管理员看服务器的日志",
    ),
    "timeout": (
        "E832",
        "邮件服务器没有及时应答",
        "在 timeout_seconds 之内没有等到应答",
        "核对 port 与 security 相配（465 用 tls，587 或 25 用 starttls），再看网络；服务器确实慢就加大 timeout_seconds",
    ),
    "silent": (
        "E832",
        "邮件服务器一直没有应答，今晚不再试",
        "接连几封信都等不到应答",
        "看服务器和网络；没有发出的信下一次运行再试，不知是否发到的信先问对方",
    ),
    "untrusted": (
        "E833",
        "邮件服务器的证书不可信",
        "签发机构不在信任之列，也可能有人冒充服务器",
        "向邮件管理员要签发机构的证书（PEM），放在 reconcile.toml 旁边，文件名写进 ca_file",
    ),
    "ca_file": (
        "E833",
        "ca_file 写的证书文件读不了",
        "文件不存在、没有读的权限，或不是 PEM 证书",
        "核对 ca_file（相对 reconcile.toml 所在的文件夹）和文件的权限",
    ),
    "expired": (
        "E834",
        "邮件服务器的证书不在有效期内",
        "证书已经过期或还没有生效，或本机的时间不对",
        "先看本机的日期和时间；不错就请邮件管理员换证书",
    ),
    "wrong_name": (
        "E835",
        "邮件服务器的证书不是给这个名字的",
        "证书上的名字与 [mail] 的 host 不同",
        "host 写证书上的那个名字（一般不是 IP 地址）",
    ),
    "no_starttls": (
        "E836",
        "邮件服务器不提供加密（STARTTLS）",
        "不加密就什么也不寄，密码也不发",
        '服务器另有 465 端口就改成 port = 465、security = "tls"；没有就请邮件管理员开通',
    ),
    "tls": (
        "E837",
        "与邮件服务器谈不成加密",
        "端口与 security 不相配，或服务器只会 TLS 1.2 以前的旧协议，或暂时不能",
        "核对 port 与 security（465 用 tls，587 或 25 用 starttls）；请邮件管理员开通 TLS 1.2 或更新的协议",
    ),
    "injected": (
        "E837",
        "加密开始之前混进了不该有的内容",
        "可能有人在线路上插入应答",
        "请网络和邮件管理员查线路；查清以前不要寄",
    ),
    "service": (
        "E838",
        "邮件服务器现在不接待这台机器",
        "服务器一开头就拒绝了",
        "过一会儿再试；总是这样就请邮件管理员允许这台机器的地址",
    ),
    "nonsense": (
        "E838",
        "邮件服务器的应答不合规矩",
        "对方可能不是邮件服务器，或中间有别的设备",
        "核对 host 和 port；请网络管理员看中间的设备",
    ),
    "sender": (
        "E838",
        "邮件服务器不接受发件地址",
        "发件地址不存在，或不许这个用户使用",
        "核对 [mail] 的 sender；一般与 user 是同一个邮箱",
    ),
    "sender_later": (
        "E838",
        "邮件服务器暂时不接受发件地址",
        "服务器忙，或这个邮箱今天寄得太多",
        "过一会儿再试；总是这样就请邮件管理员放宽限额",
    ),
    "auth": (
        "E839",
        "登录邮件服务器被拒绝",
        "用户名或密码不对，或要用专门的授权码",
        "核对 [mail] 的 user 和密码文件里的密码；有的服务器要用“客户端授权码”代替密码",
    ),
    "auth_later": ("E839", "邮件服务器暂时不能验证登录", "服务器说稍后再试", "过一会儿再试"),
    "auth_missing": (
        "E839",
        "邮件服务器不提供可用的登录方式",
        "写了 user，服务器却没有 PLAIN 或 LOGIN",
        "核对 port（登录一般在 465 或 587）；服务器按地址放行、不要登录的，把 user 空着",
    ),
    "auth_needed": (
        "E839",
        "邮件服务器要求先登录",
        "[mail] 没有写 user，或这样登录还不够",
        "在 [mail] 写 user，密码写进密码文件",
    ),
    "no_password": (
        "E839",
        "没有邮箱的密码",
        "[mail] 写了 user，密码文件里却没有它的密码",
        "把密码写进密码文件（权限 0400），不要写在 reconcile.toml",
    ),
}
_ENHANCED = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})(?![\w.])")


class Trouble(Exception):
    """The server could not be used, and no content has begun to leave. `code`: the reply's, 0 without one."""

    def __init__(self, cause: Cause, code: int = 0, text: bytes = b"") -> None:
        super().__init__(cause)
        self.cause: Cause = cause
        self.code = code
        self.enhanced = enhanced_code(text)

    @property
    def lasting(self) -> bool:
        return self.cause in LASTING

    @property
    def words(self) -> str:
        return with_code(_SAID[self.cause][1], self.code, self.enhanced)

    def problem(self) -> Problem:
        code, what, why, cure = _SAID[self.cause]
        said = with_code(what, self.code, self.enhanced)
        return Problem(code=code, severity="error", what=said, why=why, cure=cure, file="reconcile.toml")


def enhanced_code(text: bytes) -> str:
    """The enhanced status code a reply's text begins with, "" without one."""
    found = _ENHANCED.match(text)
    return found[1].decode("ascii") if found else ""


def with_code(words: str, code: int, enhanced: str) -> str:
    """`收件邮箱被拒绝（550 5.1.1）`"""
    reply = f"{code} {enhanced}".strip() if code else ""
    return f"{words}（{reply}）" if reply else words
