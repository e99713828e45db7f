"""The last look at a letter: the finished bytes, opened as the recipient will open them, held against the night's tables.

A reason is a sentence in Chinese without personal data; none means that the letter may leave. One letter with a reason stops
all mail of the night (exit 8): whoever mixed up one may have mixed up all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from pipeline.contracts.mail_settings import domain_of
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.settings import Settings
from pipeline.delivery.egress_message import Opened, Unknown, open_message
from pipeline.delivery.egress_tables import Found, Held, check_file, check_numbers
from pipeline.delivery.expected import CSV_TABLE, NUMBERS_TABLE
from pipeline.delivery.letter import CSV, XLSX, ZIP, Attachment, Expected
from pipeline.delivery.sealing import is_sealed, unseal
from pipeline.delivery.township_files import indexed, is_index
from pipeline.identity.number_net import has_any_number, other_cases

# What tells, in a list of mails, that somebody is disabled or poor. Kinds of disability as GB/T 26341-2010 names them.
WORDS = re.compile(
    "残疾|残联|残障|伤残|致残|精残|智残|肢残|视残|听残|残人|智力|精神|视力|听力|言语|肢体|多重残|聋|哑|盲人|失明|瘫|癫|痴呆|智障|自闭|孤独症"
    "|脑瘫|低保|特困|五保|护理补贴|生活补贴|病人|患者|监护人"
)
_ENDINGS = {CSV: ".csv", XLSX: ".xlsx", ZIP: ".zip"}
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|]|^[.\s]|[.\s]$')
_TOWNSHIP = re.compile(r"^township-|_乡镇")  # township_files names them so
_NUMBERS = re.compile(r"_编号\.csv$")  # and notice.numbers_file the list of case numbers


def check(
    message: bytes, letter_to: str, expected: Expected, settings: Settings, password: str | None
) -> tuple[str, ...]:
    """Why the finished message must not leave; empty where it may. Never raises: what is not understood is a reason.

    `letter_to` is the address that the server will be given, `password` the county's own.
    """
    try:
        opened = open_message(message)
        reasons = [
            *_addresses(opened, letter_to, expected, settings),
            *_texts(opened, expected, settings, password),
            *_attachments(opened, expected, settings, password),
        ]
    except Unknown as unknown:
        return (str(unknown),)
    except (
        Exception
    ) as error:  # the check must stand whatever the bytes are; the words of an error may quote them
        return (f"检查时出错（{type(error).__name__}），不能断定这封信可以发",)
    return tuple(dict.fromkeys(reasons))


def _addresses(opened: Opened, letter_to: str, expected: Expected, settings: Settings) -> Iterable[str]:
    if not opened.to == letter_to == expected.to:
        yield "收件人与应收的人不一致"
    if opened.to not in _configured(expected.place, settings):
        yield "收件地址不是设置里该单位的"
    if domain_of(opened.to) not in settings.mail.allowed_domains:
        yield "收件地址的域名不在 allowed_domains 里"
    if opened.sender != settings.mail.sender or opened.reply_to != settings.mail.reply_to:
        yield "发件或回复地址与设置不一致"


def _configured(place: str, settings: Settings) -> tuple[str, ...]:
    if not place:
        return settings.mail.operator
    by = settings.recipients if re.fullmatch("[0-9]{6}", place) else settings.departments
    return by.get(place, ())


def _texts(opened: Opened, expected: Expected, settings: Settings, password: str | None) -> Iterable[str]:
    """Subject, body, file names, the sender's name: everything that can be read without a password."""
    names = [attachment.name for attachment in opened.attachments]
    known = [settings.mail.contact, settings.mail.reply_to, settings.mail.sender]
    texts = {
        "主题": [opened.subject],
        "正文": [opened.body],
        "附件名": names,
        "发件人名称": [opened.sender_name],
    }
    for where, some in texts.items():
        if any(has_any_number(text, opened.on, expected.cases, known) for text in some):
            yield f"{where}里有可能是个人号码的数字"
        if any(other_cases(text, expected.cases) for text in some):
            yield f"{where}提到了不是该县的疑点编号"
        if password and any(password in text for text in some):
            yield f"{where}里有附件的密码"
        if where != "正文" and any(_tells(text, expected.county_name) for text in some):
            yield f"{where}里有透露残疾或困难状况的字词"
    if expected.people and expected.county_name not in opened.subject:
        yield "主题不是该县的"


def _tells(text: str, county: str) -> bool:
    plain = "".join(
        c for c in unicodedata.normalize("NFKC", text) if not (c.isspace() or unicodedata.category(c) == "Cf")
    )
    return bool(WORDS.search(plain.replace(county, "") if county else plain))


def _attachments(
    opened: Opened, expected: Expected, settings: Settings, password: str | None
) -> Iterable[str]:
    found, held = Found(), Held.of(expected, opened.on, settings.mail.contact)
    locked_books = False
    split: list[Attachment] = []
    for number, attachment in enumerate(opened.attachments, 1):
        if not _fits(attachment):
            yield f"第{number}个附件的名称或类型不对"
            continue
        if attachment.kind == CSV and NUMBERS_TABLE in expected.rows and _NUMBERS.search(attachment.name):
            check_numbers(attachment, held, found)  # never locked up: nobody's number may stand in it
            continue
        locked_books |= attachment.kind == XLSX and is_sealed(attachment)
        files, reason = _opened(attachment, expected, password)
        if reason:
            yield f"第{number}个附件{reason}"
        for file in files:
            township = bool(_TOWNSHIP.search(file.name))
            if township and not _by_township(expected.place, settings):
                yield "有乡镇分表，而设置里没有要"
            split += [file] if township else []
            check_file(file, held, found, township=township)
    yield from _index(split)
    yield from found.reasons
    yield from _counts(found, expected, csv_left_out=locked_books)


def _fits(attachment: Attachment) -> bool:
    """A name that every system can save, of an ending that fits the kind, and bytes that begin as the kind does."""
    if attachment.kind not in _ENDINGS or not attachment.name.endswith(_ENDINGS[attachment.kind]):
        return False
    packed = attachment.data.startswith(b"PK\x03\x04") or (attachment.kind == XLSX and is_sealed(attachment))
    invisible = any(unicodedata.category(character) in ("Cf", "Cc") for character in attachment.name)
    return not (_NOT_IN_NAMES.search(attachment.name) or invisible) and packed == (attachment.kind != CSV)


def _opened(
    attachment: Attachment, expected: Expected, password: str | None
) -> tuple[tuple[Attachment, ...], str]:
    """The files inside and why it must not leave, "" for no reason."""
    if not is_sealed(attachment):
        return (attachment,), "没有加密，而里面是完整的证件号码" if expected.full_ids else ""
    if not password:
        return (), "是加密的，而该县没有密码"
    try:
        return unseal(attachment, password), ""
    except ReconcileError:
        return (), "用该县的密码打不开"


def _index(split: Iterable[Attachment]) -> Iterable[str]:
    """The index of the townships' files names each of them and no other; locked workbooks travel without it (see `seal`)."""
    indices = [file for file in split if file.kind == CSV]
    names = {file.name for file in split if file.kind != CSV}
    if any(not is_index(file.name) or indexed(file.data) != names for file in indices):
        yield "乡镇目录里的文件名与附件不一致"


def _by_township(place: str, settings: Settings) -> bool:
    setting = settings.counties.get(place)
    return setting is not None and setting.by_township


def _counts(found: Found, expected: Expected, *, csv_left_out: bool) -> Iterable[str]:
    """Every table that is expected is there, whole; a sheet without rows may be wanting. `csv_left_out`: see `seal`."""
    for key, rows in expected.rows.items():
        where = {CSV_TABLE: "CSV", NUMBERS_TABLE: "编号 CSV"}.get(key, f"工作表“{key}”")
        there = found.rows.get(key)
        if key == CSV_TABLE and there is None:
            if not csv_left_out:
                yield "缺少 CSV 附件"
        elif (there or 0) != rows:
            yield f"{where}应有{rows}行，实有{there or 0}行"
        split = found.of_townships.get(key)
        if split is not None and split != rows:
            yield f"乡镇分表的{where}合计应有{rows}行，实有{split}行"
    if any(key not in expected.rows for key in (*found.rows, *found.of_townships)):
        yield "有不该有的表"
    if not found.workbooks and any(key not in (CSV_TABLE, NUMBERS_TABLE) for key in expected.rows):
        yield "缺少工作簿附件"
