"""A few people by hand, two of one family, one night over them with a settings file of its own: for a person's rights."""

from __future__ import annotations

import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from pipeline.cli_person import person_app

sys.path.append(str(Path(__file__).parents[1] / "scenarios"))

import nights
import plain

MISSES = plain.number(
    "19800512", 1
)  # asks for his data: on 低保 below a head, guardian named, pension row damaged
CHILD = plain.number(
    "20120203", 13
)  # MISSES is his guardian; the number of MISSES stands in his insurance row
HEAD = plain.number("19610101", 51)
TWIN_A, TWIN_B = "欧阳双", "上官并"  # two people with one number
SHARED = plain.number("19700909", 7)
STRANGER = plain.number("19991231", 99)  # nowhere
ACCOUNT, PHONE, ADDRESS = "6217000011112222333", "13987654321", "示例市红旗镇朝阳村8号"
SLIP = MISSES[:12] + str((int(MISSES[12]) + 1) % 10) + MISSES[13:]
OLD = MISSES + "43"  # a certificate before it was graded anew
NAMES = {"欧阳建国", "欧阳老大", "欧阳小宝", "司马监护"}

REGISTER = [
    plain.holder("欧阳建国", MISSES, phone=PHONE, addr=ADDRESS, gname="司马监护", gid=HEAD, grel="父母"),
    plain.holder("欧阳小宝", CHILD, gname="欧阳建国", gid=MISSES, grel="父母"),
    plain.holder(TWIN_A, SHARED),
    plain.holder(TWIN_B, SHARED, cert=f"{SHARED}42", level=2),
]
LISTS = {
    "civil_affairs__dibao": [
        {"fam": "D1", "hname": "欧阳老大", "hid": HEAD, "name": "欧阳建国", "id": MISSES, "rel": "子女", "state": "在保"},
        {"fam": "D1", "hname": "欧阳老大", "hid": HEAD, "name": "欧阳老大", "id": HEAD, "rel": "户主", "state": "在保"},
        {"fam": "D2", "hname": "欧阳建国", "hid": MISSES, "name": "欧阳小宝", "id": CHILD, "rel": "子女", "state": "在保"},
    ],
    "civil_affairs__two_subsidies": [
        {"name": "欧阳建国", "id": MISSES, "cert": OLD, "kind": "困难残疾人生活补贴", "state": "停发", "start": "202001"},
    ],
    "hr_social_security__pension": [
        {
            "name": "欧阳建国", "id": SLIP, "sex": "男" if int(MISSES[16]) % 2 else "女", "dob": MISSES[6:14],
            "kind": "居民", "state": "正常缴费", "aid": "否",
        },
    ],
    "medical_insurance__insured": [
        {"name": "欧阳建国", "id": MISSES, "dob": MISSES[6:14], "kind": "居民", "state": "正常参保", "year": "2026", "aid": "无"},
    ],
    "finance__payments": [
        {"item": "农村低保金", "name": "欧阳建国", "id": MISSES, "bank": ACCOUNT, "amount": "500", "month": "202610", "state": "成功"},
    ],
    "housing__dangerous_housing": [{"hname": "欧阳建国", "hid": MISSES, "grade": "D级", "state": "未开工"}],
}  # fmt: skip


def make_world(folder: Path) -> Path:
    """One night; the output folder (its state in `state`)."""
    inbox = plain.write(folder, REGISTER, **LISTS)
    nights.night(inbox, folder / "out", as_of=plain.AS_OF)
    return folder / "out"


def person(out: Path, command: str, number: str, *more: object) -> Result:
    """`reconcile person …` on a world."""
    words = [command, number, "--state", out / "state", "--results", out / "results"]
    folders = ["--schemas", nights.ROOT / "schemas", "--rules", nights.ROOT / "rules"]
    return CliRunner().invoke(person_app, [*map(str, (*words, *folders, *more))])
