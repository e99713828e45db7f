"""Chinese numerals: 三, 十二, 一百二十, 壹佰贰拾元伍角整, 两万."""

from __future__ import annotations

import re
from decimal import Decimal

_DIGITS = {c: n for n, many in enumerate(("〇零", "一壹", "二贰两貳", "三叁", "四肆")) for c in many}
_DIGITS |= {c: n for n, many in enumerate(("五伍", "六陆", "七柒", "八捌", "九玖"), 5) for c in many}
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8}
_MONEY = re.compile(r"(?:(.+?)[元圆块])?(?:(.)角)?(?:零?(.)分)?[整正]?")


def chinese_number(text: str, *, money: bool = False) -> Decimal | None:
    """The number written in Chinese numerals, in yuan if `money`; `None` if it is not written so."""
    if not money:
        return _integer(text)
    found = _MONEY.fullmatch(text)
    if not found or not any(found.groups()):
        return _integer(text)
    yuan, jiao, cent = (_integer(group) if group else Decimal(0) for group in found.groups())
    if yuan is None or jiao is None or cent is None:
        return None
    return yuan + jiao / 10 + cent / 100


def _integer(text: str) -> Decimal | None:
    """Sections of thousands, closed by 万 and 亿. Digits may not stand side by side (二〇二六 is no amount)."""
    total, section, digit = 0, 0, None
    for character in text:
        if character in _DIGITS:
            if digit:
                return None
            digit = _DIGITS[character]
        elif character in _TENS:
            section += (1 if digit is None else digit) * _TENS[character]
            digit = None
        elif character in _MYRIADS:
            total, section, digit = (total + section + (digit or 0)) * _MYRIADS[character], 0, None
        else:
            return None
    return Decimal(total + section + (digit or 0)) if text else None
