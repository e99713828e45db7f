"""A handful of people by hand, one night over them, for the tests of `reconcile explain` and `reconcile tune`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.desk import NightFolders, explain

sys.path.append(str(Path(__file__).parents[1] / "scenarios"))

import nights
import plain

MISSES = plain.number("19800512", 1)  # on 低保, gets no living subsidy; his pension row has one digit wrong
EXPIRED = plain.number("19750203", 13)
TWICE = plain.number("19900405", 22)  # two certificates
OLD = plain.number("19550617", 31)  # too old for day care; in the row with two people's numbers
OTHER = plain.number("19820719", 42)  # the other of that row, of the same name; denied by a row's birth date
HEAD = plain.number("19610101", 51)  # not on the register: head of the family of MISSES
SLIP = (
    MISSES[:12] + str((int(MISSES[12]) + 1) % 10) + MISSES[13:]
)  # day of birth and check no longer sound together

REGISTER = [
    plain.holder("欧阳建国", MISSES),
    plain.holder("杨秀英", EXPIRED, state="过期", until="20260831"),
    plain.holder("和志强", TWICE, level=2, state="过期", until="20250101"),
    plain.holder("和志强", TWICE, cert=f"{TWICE}41B1"),
    plain.holder("上官玉梅", OLD, category=5),
    plain.holder("上官玉梅", OTHER, level=4),
]


def _insured(name: str, id_: str, born: str = "") -> dict[str, str]:
    return {
        "name": name,
        "id": id_,
        "dob": born or id_[6:14],
        "kind": "居民",
        "state": "正常参保",
        "year": "2026",
        "aid": "无",
    }


LISTS = {
    "civil_affairs__dibao": [
        {
            "fam": "D1",
            "hname": "欧阳老大",
            "hid": HEAD,
            "name": "欧阳建国",
            "id": MISSES,
            "rel": "子女",
            "state": "在保",
        },
        {
            "fam": "D1",
            "hname": "欧阳老大",
            "hid": HEAD,
            "name": "欧阳老大",
            "id": HEAD,
            "rel": "户主",
            "state": "在保",
        },
    ],
    "civil_affairs__two_subsidies": [
        {
            "name": "上官玉梅",
            "id": OLD,
            "cert": f"{OTHER}44",
            "kind": "重度残疾人护理补贴",
            "state": "正常",
            "start": "202401",
        },
    ],
    "hr_social_security__pension": [
        {
            "name": "欧阳建国",
            "id": SLIP,
            "sex": "男" if int(MISSES[16]) % 2 else "女",
            "dob": MISSES[6:14],
            "kind": "居民",
            "state": "正常缴费",
            "aid": "否",
        },
    ],
    "medical_insurance__insured": [
        _insured("欧阳建国", MISSES),
        _insured("王麻子", OTHER, "20150909"),
    ],
    "housing__dangerous_housing": [
        {"hname": "欧阳老大", "hid": HEAD, "grade": "D级", "state": "未开工"},
    ],
}
REFUSED = "hr_social_security/injury_care"  # did not come


@dataclass(frozen=True)
class World:
    """Where the night was written."""

    out: Path

    @property
    def folders(self) -> NightFolders:
        return NightFolders(self.out, self.out / "state", nights.ROOT / "schemas", nights.ROOT / "rules")

    def page(self, who: str, benefit: str = "", *, full_ids: bool = False) -> str:
        return _page(self, who, benefit, full_ids)


@cache
def _page(world: World, who: str, benefit: str, full_ids: bool) -> str:
    return explain(who, world.folders, benefit=benefit, full_ids=full_ids)


def make_world(folder: Path) -> World:
    """One night over the people above."""
    inbox = plain.write(folder, REGISTER, **LISTS)
    for path in nights.deliveries(inbox / REFUSED):
        path.unlink()
    nights.night(inbox, folder / "out", as_of=plain.AS_OF)
    return World(folder / "out")


def part(page: str, begin: str, end: str = "\n\n") -> str:
    """The page from `begin` to `end`."""
    assert begin in page, page
    return page[page.index(begin) :].split(end, 1)[0]
