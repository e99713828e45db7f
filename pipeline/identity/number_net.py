"""The net for numbers of people: what no text of a mail may hold, and what no cell of a masked report may.

Text is looked at as a person reads it: full-width digits are digits, invisible characters are none. The egress check holds it under
every letter; what writes free words or a file's name into one leaves out beforehand what the net would catch, for one such word
stops all mail.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from datetime import date

CASE_NUMBER = re.compile(r"(?<![A-Z0-9])[A-HJ-NP-Z]{2,5}-[0-9]{4}-[0-9]{4,}-[0-9](?![0-9])")
_SHORTEST_CASE = 13  # SL-2611-0001-6 has fourteen
MASKED = re.compile(r"[0-9]{3,}\*{3,}|\*{3,}[0-9]{3,}")
# What `mask_id` leaves of an ID or certificate number; of any other shape only stars.
MASKED_NUMBER = re.compile(r"(?:[0-9]{6}\*{8}[0-9]{3}[0-9X](?:[1-7][1-4](?:B[1-9])?)?|\*+)?")
_LONG = re.compile(r"[0-9]{15,}")  # ID, certificate, bank card; 17 digits and X among them
_MOBILE = re.compile(r"(?<![0-9])(?:0086|086|86)?1[3-9](?:[0-9]{9}|[0-9][ -][0-9]{4}[ -][0-9]{4})(?![0-9])")
# An ID with something between its digits is believed when birth date and check digit are right (GB 11643-1999).
_SPREAD = re.compile(r"(?<![0-9])(?=((?:[0-9][ ._·/-]{0,2}){17}[0-9Xx])(?![0-9]))")
_RUN = re.compile(r"[0-9]{8,}")
_DAY = re.compile(r"(?<![0-9])(20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])(?![0-9])")
# Around the letter's: a date of eight digits as file names have it, and no birth date of a grown-up.
_YEARS = 5
LEFT_OUT = "（号码略）"
_STARS = re.compile(r"[0-9]*\*{3,}[0-9X]*(?:B[1-9])?")  # a masked number is still somebody's
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def plain(text: str) -> str:
    """The text in NFKC without invisible characters."""
    if text.isascii():
        return text
    folded = unicodedata.normalize("NFKC", text)
    return "".join(character for character in folded if unicodedata.category(character) != "Cf")


def has_number(text: str) -> bool:
    """Whether a cell holds the unmasked number of a person: an ID, certificate, card or mobile number."""
    if sum(map(str.isnumeric, text)) < 11:  # neither has fewer digits
        return False
    text = plain(text)
    return bool(_LONG.search(text) or _MOBILE.search(text)) or any(
        _is_id(found[1]) for found in _SPREAD.finditer(text)
    )


def has_any_number(text: str, on: date, cases: Collection[str], known: Collection[str] = ()) -> bool:
    """Whether a subject, body, file name or header holds anything that may be a number of a person, masked ones too.

    Eight digits in a row are too many, but for dates around the letter's day, the county's `cases` and the `known` texts (whom to
    ask stands in every mail with a telephone number).
    """
    text = plain(text)
    for one in known:
        text = text.replace(plain(one), " ") if one else text
    text = CASE_NUMBER.sub(lambda found: " " if found[0] in cases else found[0], text)
    text = _DAY.sub(lambda found: " " if abs(int(found[1]) - on.year) <= _YEARS else found[0], text)
    return bool(has_number(text) or _RUN.search(text) or MASKED.search(text))


def other_cases(text: str, cases: Collection[str]) -> bool:
    """Whether the text names a case that is not among the county's."""
    return len(text) > _SHORTEST_CASE and any(
        found not in cases for found in CASE_NUMBER.findall(plain(text))
    )


def text_refused(text: str, on: date, cases: Collection[str]) -> bool:
    """Whether a subject, a body or a file's name is one that the net catches: `has_any_number` or `other_cases`."""
    return has_any_number(text, on, cases) or other_cases(text, cases)


def without_masks(text: str) -> str:
    """Masked numbers left out."""
    return _STARS.sub(LEFT_OUT, text)


def text_without(text: str, on: date, cases: Collection[str]) -> str:
    """The text without what `text_refused` finds in it."""
    return _left_out(text, lambda one: text_refused(one, on, cases), lambda one: _caught(one, cases, on))


def cell_without(text: str, cases: Collection[str]) -> str:
    """The cell without the numbers and case numbers that may not stand in a CSV: `has_number`, `other_cases`."""
    return _left_out(
        text, lambda one: has_number(one) or other_cases(one, cases), lambda one: _caught(one, cases)
    )


def _left_out(
    text: str, refused: Callable[[str], bool], caught: Callable[[str], Iterator[tuple[int, int]]]
) -> str:
    """What is caught is looked for in the folded text and left out of the text as it is: the rest keeps its punctuation."""
    if not refused(text):
        return text
    places = [at for at, character in enumerate(text) for _ in plain(character)]
    folded = "".join(map(plain, text))
    bad = {at for start, end in caught(folded) for at in range(places[start], places[end - 1] + 1)}
    shown = [
        character if at not in bad else LEFT_OUT if at - 1 not in bad else ""
        for at, character in enumerate(text)
    ]
    said = "".join(shown)
    return LEFT_OUT if refused(said) else said  # what no part explains


def _caught(text: str, cases: Collection[str], on: date | None = None) -> Iterator[tuple[int, int]]:
    """Where in a folded text the net catches something; with `on` as in running text, without as in a cell."""
    yield from (found.span() for found in CASE_NUMBER.finditer(text) if found[0] not in cases)
    text = CASE_NUMBER.sub(lambda found: " " * len(found[0]), text)
    if on is not None:
        text = _DAY.sub(lambda found: " " * 8 if abs(int(found[1]) - on.year) <= _YEARS else found[0], text)
    for net in (_LONG, _MOBILE, *((_RUN, _STARS) if on is not None else ())):
        yield from (found.span() for found in net.finditer(text))
    yield from (found.span(1) for found in _SPREAD.finditer(text) if _is_id(found[1]))


def _is_id(spread: str) -> bool:
    digits = re.sub(r"[^0-9Xx]", "", spread).upper()
    try:
        born = date(int(digits[6:10]), int(digits[10:12]), int(digits[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits[:17], _WEIGHTS, strict=True))
    return born.year >= 1900 and digits[0] in "12345678" and "10X98765432"[total % 11] == digits[17]
