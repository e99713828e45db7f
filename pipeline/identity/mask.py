"""IDs as they may be shown: region and the last places stay, the birth date is starred.

A certificate number contains the ID, so it is masked in the same places. What has another shape may be a damaged
ID and is starred wholly.
"""

from __future__ import annotations

import re

import polars as pl

_SHOWN = r"^([0-9]{6})[0-9]{8}([0-9]{3}[0-9X](?:[1-7][1-4](?:B[1-9])?)?)$"
_STARRED = "${1}********${2}"
# In running text: long digit runs (IDs, certificate numbers, bank cards) with their X and B endings, and mobile numbers
_IN_TEXT = re.compile(
    r"(?<![0-9])(?:[0-9]{17}[Xx](?:[1-7][1-4](?:[Bb][1-9])?)?|[0-9]{20}[Bb][1-9]|[0-9]{15,}|1[3-9][0-9]{9})(?![0-9])"
)


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
    return _IN_TEXT.sub(lambda found: mask_value(found[0].upper()), text)
