"""Parsers of one cell's text: dates, months, years, money, whole numbers, region codes, coded words.

They run on the *distinct* strings of a column, so they may be plain Python; `None` means "not readable as this".
A blank cell never reaches them. What is not written in one of the notations below is not guessed at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from pipeline.intake.numerals import chinese_number

FOREVER = date(9999, 12, 31)  # 长期

_FOREVER_WORDS = frozenset({"长期", "永久", "长期有效", "永久有效", "无固定期限"})
# Control and format characters (zero-width, BOM, soft hyphen, the numeric-cell mark) that nobody sees.
_UNSEEN_RANGES = (
    *(range(0x00, 0x20), range(0x7F, 0xA0), range(0xAD, 0xAE), range(0x61C, 0x61D), range(0x180E, 0x180F)),
    *(range(0x200B, 0x2010), range(0x202A, 0x202F), range(0x2060, 0x2070), range(0xFE0E, 0xFE10)),
    range(0xFEFF, 0xFF00),
)
_UNSEEN = {code: None for codes in _UNSEEN_RANGES for code in codes}
_CLOCK = re.compile(r"[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?$")
_DATE = re.compile(r"([0-9]{4})(?:([-./])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})[日号]?)")
_MONTH = re.compile(r"([0-9]{4})(?:[-./]([0-9]{1,2})|年([0-9]{1,2})月份?)")
_YEAR = re.compile(r"([0-9]{4})(?:年度?)?")
_MONEY_WORDS = re.compile(r"^(?:人民币|RMB|CNY|¥)|(?:人民币|RMB|CNY)$", re.IGNORECASE)
_MONEY_UNIT = re.compile(r"(?:[元圆块](?:整|正)?(?:/[人户]?/?[年月次]?)?)$")
_MONEY = re.compile(r"([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(\.[0-9]*)?(万)?")
_COUNT_UNIT = re.compile(r"[人口名个户次间套岁天月]$")
_DASHES = re.compile("[‐‑‒–—―−─-]+")
_UNTIL = re.compile("^(?:有效期)?(?:截至|截止到?|至|到)|(?:止|为止)$")
_BETWEEN_DAYS = re.compile("至|到|[~‐‑‒–—―−─-]+")


def visible(text: str) -> str:
    """The text as it is meant: NFKC (full-width digits become digits), without characters nobody sees, trimmed."""
    return unicodedata.normalize("NFKC", text).translate(_UNSEEN).strip()


@lru_cache(maxsize=1 << 17)  # the same birth dates come in every block of a list
def day(text: str) -> date | None:
    """A calendar day; 长期 and every day of the year 9999 is `FOREVER`. Years 1900 to 2100; 2026-02-30 is none.

    A range gives its end, because what is written as a range is a validity: 2020.01.01-2030.01.01, 2020年1月1日至长期;
    so do 至2030年1月1日 and 2030年1月1日止. The start must be a day, too, and not after the end.
    """
    plain = visible(text)
    return _one_day(plain) or _end_of_range(plain)


def month(text: str) -> date | None:
    """The first day of the month named, from a month or from a full date."""
    plain = _number_text(_CLOCK.sub("", visible(text)))
    found = _MONTH.fullmatch(plain) or re.fullmatch(r"([0-9]{4})([0-9]{2})", plain)
    if found:
        return _calendar(int(found[1]), int(next(g for g in found.groups()[1:] if g)), 1)
    whole = _one_day(visible(text))
    return whole.replace(day=1) if whole and whole != FOREVER else None


def year(text: str) -> int | None:
    """A calendar year from 1900 to 2100, from a year (2026, 2026年度), a month or a full date."""
    plain = _number_text(visible(text))
    found = _YEAR.fullmatch(plain)
    if found:
        return int(found[1]) if 1900 <= int(found[1]) <= 2100 else None
    first = month(text)
    return first.year if first else None


def fen(text: str) -> int | None:
    """Money in fen: 1,200.00 · 100元 · ¥100 · 1.2万元 · 壹佰元整 · -50 · (50). Less than a fen is rounded half to even."""
    plain = _joined(_DASHES.sub("-", visible(text)))
    negative = plain.startswith("-") or (plain.startswith("(") and plain.endswith(")"))
    plain = plain.strip("()").removeprefix("-").removeprefix("+")
    plain = _MONEY_WORDS.sub("", plain)
    number = _digits_money(_MONEY_UNIT.sub("", plain))
    number = chinese_number(plain, money=True) if number is None else number
    if number is None:
        return None
    cents = int((number * 100).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    return -cents if negative else cents


def whole(text: str) -> int | None:
    """A whole number: 3 · 3.0 · 3人 · 三 · -1."""
    plain = _COUNT_UNIT.sub("", _joined(_DASHES.sub("-", visible(text))))
    found = re.fullmatch(r"(-?)([0-9]{1,15})(?:\.0*)?", plain)
    if found:
        return int(found[1] + found[2])
    number = chinese_number(plain)
    return int(number) if number is not None and number == int(number) else None


def region(text: str) -> str | None:
    """A division code of 6, 9 or 12 digits."""
    plain = _number_text(visible(text))
    return plain if re.fullmatch(r"[0-9]{6}|[0-9]{9}|[0-9]{12}", plain) else None


def code_key(text: str) -> str:
    """The spelling by which coded words are compared: NFKC, no spaces, one kind of dash, no trailing `.0`, upper case."""
    plain = re.sub(r"\s+", "", visible(text))
    return re.sub(r"^([0-9]+)\.0+$", r"\1", _DASHES.sub("-", plain)).upper()


def code_parser(codes: dict[str, tuple[str, ...]]) -> Callable[[str], str | None]:
    """The canonical code of a spelling; `None` for one that no list knows. The canonical code is always a spelling."""
    by_key = {code_key(code): code for code in codes}
    by_key.update({code_key(spelling): code for code, many in codes.items() for spelling in many})
    return lambda text: by_key.get(code_key(text))


def _number_text(plain: str) -> str:
    """Without spaces, a leading apostrophe and the `.0` of a number that was once a float."""
    plain = _joined(plain).removeprefix("'")
    return re.sub(r"^([0-9]+)\.0+$", r"\1", plain)


def _joined(plain: str) -> str:
    """Without spaces; one between two digits parts them (2030 1 1) and becomes a dash, which no plain number holds."""
    return re.sub(r"\s+", "", re.sub(r"(?<=[0-9])\s+(?=[0-9])", "-", plain))


def _one_day(plain: str) -> date | None:
    """A single day, no range."""
    if plain in _FOREVER_WORDS:
        return FOREVER
    plain = _number_text(_CLOCK.sub("", plain))
    if plain.isascii() and plain.isdigit():
        return _day_of_digits(plain)
    found = _DATE.fullmatch(plain)
    if not found:
        return None
    year, _, month, dom, month_han, dom_han = found.groups()
    return _calendar(int(year), int(month or month_han), int(dom or dom_han))


def _end_of_range(plain: str) -> date | None:
    """The last day of a range, or the day of 至…, …止. Numbers that could be serials (5 digits) are no ends."""
    plain = _number_text(plain)
    bare = _UNTIL.sub("", plain)
    if bare != plain and not re.fullmatch("[0-9]{5}", bare) and (only := _one_day(bare)):
        return only
    for between in _BETWEEN_DAYS.finditer(bare):
        first, last = bare[: between.start()].removeprefix("自").removeprefix("从"), bare[between.end() :]
        if min(len(first), len(last)) < 2 or {len(first), len(last)} & {5}:
            continue
        start, end = _one_day(first), _one_day(last)
        if start and end and start <= end and start != FOREVER:
            return end
    return None


def _day_of_digits(digits: str) -> date | None:
    if len(digits) == 8:
        return _calendar(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    # The serial of an Excel day, 1900 system; 20211 more probably is a year and a month than a day of 1955
    if len(digits) == 5 and digits[0] != "0" and digits[:2] not in ("19", "20"):
        serial = date(1899, 12, 30) + timedelta(days=int(digits))
        return serial if serial.year <= 2100 else None
    return None


def _calendar(year_: int, month_: int, day_: int) -> date | None:
    if year_ == 9999:
        return FOREVER
    try:
        return date(year_, month_, day_) if 1900 <= year_ <= 2100 else None
    except ValueError:
        return None


def _digits_money(plain: str) -> Decimal | None:
    found = _MONEY.fullmatch(plain)
    if not found:
        return None
    number = Decimal(found[1].replace(",", "") + (found[2] or ""))
    if number >= Decimal(10) ** 13:
        return None  # a number of this size is an account or an identifier, not money
    return number * 10000 if found[3] else number
