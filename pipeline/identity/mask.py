"""IDs as they may be shown: region and the last places stay, the birth date is starred.

A certificate number contains the ID, so it is masked in the same places. What has another shape may be a damaged
ID and is starred wholly.
"""

from __future__ import annotations

import re
import unicodedata

import polars as pl

_SHOWN = r"^([0-9]{6})[0-9]{8}([0-9]{3}[0-9X](?:[1-7][1-4](?:B[1-9])?)?)$"
_STARRED = "${1}********${2}"
# In running text: long digit runs (IDs, certificate numbers, bank cards) with their X and B endings, and mobile numbers;
# full-width digits are digits, too.
_D = "[0-9０-９]"
_IN_TEXT = re.compile(
    rf"(?<!{_D})(?:{_D}{{17}}[XxＸｘ](?:[1-7][1-4](?:[Bb][1-9])?)?|{_D}{{20}}[Bb][1-9]|{_D}{{15,}}"
    rf"|(?:[0０]{{0,2}}[8８][6６][ -]?)?[1１][3-9３-９](?:{_D}{{9}}|{_D}[ -]{_D}{{4}}[ -]{_D}{{4}}))(?!{_D})"
)
# An ID with something between its digits; believed when its check digit is right (GB 11643-1999).
_SPREAD = re.compile(rf"(?<!{_D})(?:{_D}[ ._·/\u3000-]{{0,2}}){{17}}[0-9０-９XxＸｘ](?!{_D})")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def mask_id(numbers: pl.Expr) -> pl.Expr:
    """539999196503170010 → 539999********0010; other shapes become stars of the same length; null stays null."""
    shaped = numbers.str.contains(_SHOWN)
    return (
        pl.when(shaped)
        .then(numbers.str.replace(_SHOWN, _STARRED))
        .otherwise(numbers.str.replace_all(r"(?s).", "*"))
    )


def mask_value(number: str) -> str:
    """`mask_id` for one value."""
    shown = re.fullmatch(_SHOWN, number)
    return f"{shown[1]}********{shown[2]}" if shown else "*" * len(number)


def mask_text(text: str) -> str:
    """A sentence with every ID, certificate, card or mobile number in it masked; dates and region codes stay."""
    whole = _IN_TEXT.sub(lambda found: mask_value(_plain(found[0])), text)
    return _SPREAD.sub(lambda found: "*" * 18 if _is_id(found[0]) else found[0], whole)


def _plain(number: str) -> str:
    return unicodedata.normalize("NFKC", number).upper()


def _is_id(spread: str) -> bool:
    digits = [c for c in _plain(spread) if c.isascii() and c.isalnum()]
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=False))
    return len(digits) == 18 and "10X98765432"[total % 11] == digits[17]
