"""Case numbers that can be read out on the phone: `XGLL-2611-0382-7`.

County letters, year and month of the first night, running number in county and month, check digit.

The check is ISO/IEC 7064 MOD 37-2 over the characters in front of it (0-9 = 0..9, A-Z = 10..35): the sum of all
values, each times a power of two, is 1 modulo 37. 37 is prime and larger than any difference of two values, so one
wrong character always changes the sum; neighbours' weights differ by a factor of two, so does a swap. No single
decimal digit could do that over letters (ten digits cannot tell 24 letters apart), therefore running numbers whose check
would be a letter or `*` are not given out, as in other registers that check modulo 11: 27 in 100 are, in rising order.

The letters I and O are never used, so that O always means 0 and I always 1, as on Chinese number plates.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # of a county: without I and O
_SHORTEST = 4  # digits of the running number
_NUMBER = re.compile(f"([{LETTERS}]{{2,5}})([0-9]{{2}}(?:0[1-9]|1[0-2]))([0-9]{{{_SHORTEST},}})([0-9])")
_LONGEST = 40  # characters; longer text is no case number
_CHECK = re.compile(f"[{LETTERS}]{{2,5}}")
_READ_AS = str.maketrans("OI", "01")


def make(letters: str, first_night: date, serial: int) -> str:
    """The number of the `serial`-th case (from 1) of a county in the month of its first night.

    The running number shown rises with `serial`; it is larger, because most are not given out. Raises ValueError
    where letters are not two to five of LETTERS or the serial is below 1.
    """
    if not _CHECK.fullmatch(letters) or serial < 1:
        raise ValueError("county letters or serial out of form")
    month = f"{first_night:%y%m}"
    start = _residue(letters + month)
    width, left = (
        _SHORTEST,
        serial + _given_out(0, _residue("0" * _SHORTEST, start)),
    )  # 0000 is never given out
    while left > _in_width(start, width):
        left -= _in_width(start, width)
        width += 1
    running = _running(start, width, left)
    return f"{letters}-{month}-{running}-{_check(_residue(running, start))}"


def read(text: str) -> str | None:
    """The number as `make` writes it, from what a person typed; None where it is none or its check digit is wrong.

    Full-width and lower-case characters, spaces, missing or other hyphens, O for 0 and I for 1 are understood.
    """
    if len(text) > _LONGEST:
        return None
    plain = unicodedata.normalize("NFKC", text).upper()
    kept = "".join(
        c for c in plain if not (c.isspace() or unicodedata.category(c) in ("Pd", "Cf") or c in "-−ー_·")
    )
    parts = _NUMBER.fullmatch(kept.translate(_READ_AS))
    if parts is None:
        return None
    letters, month, running, check = parts.groups()
    well_written = int(running) > 0 and (len(running) == _SHORTEST or running[0] != "0")
    if not well_written or _check(_residue(letters + month + running)) != int(check):
        return None
    return f"{letters}-{month}-{running}-{check}"


def _residue(characters: str, start: int = 0) -> int:
    """ISO/IEC 7064's recursion for the pure system 37-2, continued from `start`."""
    for character in characters:
        start = (start + int(character, 36)) * 2 % 37
    return start


def _check(residue: int) -> int:
    """The check character's value, 0..36; only 0..9 are given out."""
    return (1 - residue) % 37


@lru_cache(maxsize=1024)
def _given_out(digits: int, residue: int) -> int:
    """How many continuations by so many digits end in a check of 0..9."""
    if digits == 0:
        return int(_check(residue) <= 9)
    return sum(_given_out(digits - 1, (residue + digit) * 2 % 37) for digit in range(10))


def _in_width(start: int, width: int) -> int:
    """How many running numbers of this width are given out; beyond the shortest width none begins with 0."""
    leading_zero = _given_out(width - 1, start * 2 % 37) if width > _SHORTEST else 0
    return _given_out(width, start) - leading_zero


def _running(residue: int, width: int, left: int) -> str:
    """The `left`-th running number of this width, found digit by digit."""
    running = ""
    for place in range(width - 1, -1, -1):
        for digit in range(int(not running and width > _SHORTEST), 10):
            after = (residue + digit) * 2 % 37
            if left <= _given_out(place, after):
                break
            left -= _given_out(place, after)
        running, residue = running + str(digit), after
    return running
