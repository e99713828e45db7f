"""Canaries: people whose names, numbers, telephones, accounts and addresses may stand nowhere outside the files made for them.

`PEOPLE` are synthetic (the region 5399 is nobody's). A leak is a whole name or address, or any eight characters in a row of
a number: half an identity number is a birth date.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

RUN = 8  # characters of a number in a row
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_ID = re.compile(
    r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9][0-9]{3}[0-9Xx]"
)
_SURNAMES = ["亓官", "鲜于", "闾丘", "濮阳", "淳于", "单于", "澹台", "公冶", "宗政", "太叔", "申屠", "轩辕"]
_GIVEN = ["鱻亹", "燚龘", "垚犇", "羴麤"]


def number(birth: str, sequence: int, region: str = "539901") -> str:
    """A sound identity number of the unassigned region; the sequence's parity is the sex."""
    body = f"{region}{birth}{sequence:03d}"
    return body + _CHECKS[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


@dataclass(frozen=True)
class Canary:
    """One person, with everything that identifies him."""

    name: str
    id: str
    phone: str
    account: str
    address: str

    @property
    def numbers(self) -> tuple[str, ...]:
        return self.id, self.phone, self.account


def _made(n: int) -> Canary:
    birth = f"{1931 + 7 * (n % 11)}{1 + n % 12:02d}{3 + n % 25:02d}"
    return Canary(
        _SURNAMES[n % len(_SURNAMES)] + _GIVEN[n // len(_SURNAMES)],
        number(birth, 401 + 2 * n + n % 2),
        f"1{57310000 + 7919 * n:08d}{n % 10}{(n * 3) % 10}",
        f"62170035{7182818284 + 104729 * n}",
        f"示例州示例市龘靐镇灪籱村{731 + n}号",
    )


PEOPLE = [_made(n) for n in range(48)]


def leaks(text: str, people: Iterable[Canary] = PEOPLE) -> list[str]:
    """What leaked, by kind and the canary's place in the list: never the secret itself."""
    runs = {text[i : i + RUN] for found in re.finditer(r"[0-9Xx]{8,}", text) for i in _starts(found)}
    found = []
    for n, one in enumerate(people):
        found += [f"name {n}" for _ in [0] if one.name in text]
        found += [f"address {n}" for _ in [0] if one.address in text or one.address[6:] in text]
        for kind, secret in zip(("id", "phone", "account"), one.numbers, strict=True):
            if any(secret[i : i + RUN] in runs for i in range(len(secret) - RUN + 1)):
                found.append(f"{kind} {n}")
    return found


def _starts(found: re.Match[str]) -> range:
    return range(found.start(), found.end() - RUN + 1)


def leaks_in_files(files: Iterable[Path], root: Path, people: Iterable[Canary] = PEOPLE) -> Iterator[str]:
    """Leaks in the bytes of files (as UTF-8 and as GB18030) and in their names below the root."""
    for path in files:
        content = path.read_bytes()
        for encoding in ("utf-8", "gb18030"):
            found = leaks(content.decode(encoding, errors="replace"), people)
            yield from (f"{path.relative_to(root).name}: {one}" for one in found)
        yield from (f"file name: {one}" for one in leaks(str(path.relative_to(root)), people))


def sound_numbers(text: str) -> int:
    """How many sound identity numbers (also inside certificate numbers) stand whole in the text, whosever they are."""
    return sum(_is_sound(found[0]) for found in _ID.finditer(text))


def _is_sound(text: str) -> bool:
    total = sum(int(d) * w for d, w in zip(text[:17], _WEIGHTS, strict=True))
    return _CHECKS[total % 11] == text[17].upper()
