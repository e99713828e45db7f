"""An inbox in which everybody is a canary, with every kind of fault whose message would be easiest to fill with what stands there."""

from __future__ import annotations

import importlib
import sys
import zipfile
from pathlib import Path

import openpyxl
from canary import PEOPLE

SCENARIOS = str(Path(__file__).parent / "scenarios")
if SCENARIOS not in sys.path:
    sys.path.append(SCENARIOS)
plain = importlib.import_module("plain")

SETTINGS = """
region = "示例州"
[mail]
host = "mail.example.gov.cn"
sender = "check@example.gov.cn"
allowed_domains = ["example.gov.cn"]
contact = "州残联信息科"
operator = ["ops@example.gov.cn"]
[recipients]
539901 = ["county@example.gov.cn"]
[departments]
federation = ["cl@example.gov.cn"]
civil_affairs = ["mz@example.gov.cn"]
hr_social_security = ["rs@example.gov.cn"]
medical_insurance = ["yb@example.gov.cn"]
finance = ["cz@example.gov.cn"]
health = ["wj@example.gov.cn"]
education = ["jy@example.gov.cn"]
housing = ["zj@example.gov.cn"]
rural_revitalization = ["xc@example.gov.cn"]
"""


def register() -> list[dict[str, str]]:
    """Everybody, with damages of the register itself: numbers, dates, codes, areas."""
    rows = []
    for n, one in enumerate(PEOPLE):
        guardian = PEOPLE[(n + 1) % len(PEOPLE)]
        about = {
            "phone": one.phone,
            "addr": one.address,
            "gname": guardian.name,
            "gid": guardian.id,
            "grel": "子女",
        }
        rows.append(plain.holder(one.name, one.id, category=1 + n % 7, level=1 + n % 4, **about))
    rows[1]["id"] = rows[1]["id"][:-1] + ("0" if rows[1]["id"][-1] != "0" else "1")
    rows[2]["dob"] = "19801399"
    rows[3]["area"] = PEOPLE[3].id  # somebody put the number into the wrong column
    rows[4]["id"] = PEOPLE[5].id
    rows[6]["until"] = PEOPLE[6].phone
    rows[7]["cert"] = f"{PEOPLE[7].id}99"
    return rows


def lists() -> dict[str, list[dict[str, str]]]:
    dibao = [
        {"fam": f"D{n // 3}", "hname": PEOPLE[n - n % 3].name, "hid": PEOPLE[n - n % 3].id, "name": one.name, "id": one.id,
         "rel": "户主" if n % 3 == 0 else "子女", "state": "在保"}
        for n, one in enumerate(PEOPLE[:24])
    ]  # fmt: skip
    insured = [
        {
            "name": one.name,
            "id": one.id,
            "dob": one.id[6:14],
            "kind": "居民",
            "state": "正常参保",
            "year": "2026",
            "aid": "无",
        }
        for one in PEOPLE
    ]
    insured[3]["dob"], insured[4]["dob"] = PEOPLE[3].id, "20269999"
    for n in range(10, 20):
        insured[n]["id"] = f"{float(insured[n]['id'][:17]):.5E}"
    pension = [
        {"name": one.name, "id": one.id[:17] + "*", "sex": "男", "dob": one.id[6:14], "kind": one.phone,
         "state": one.account, "aid": "否"}
        for one in PEOPLE
    ]  # fmt: skip
    paid = [
        {"item": "农村低保金", "name": one.name, "id": one.id, "bank": one.account, "amount": one.account if n == 3 else "300",
         "month": "202610" if n % 5 else one.id[6:14], "state": "成功"}
        for n, one in enumerate(PEOPLE)
    ]  # fmt: skip
    doctors = [{"name": one.name, "id": one.id, "org": one.address, "state": "已签约"} for one in PEOPLE]
    doctors[5]["state"] = PEOPLE[5].name  # unknown codes that name somebody
    paid[5]["state"] = PEOPLE[6].id
    return {
        "civil_affairs__dibao": dibao,
        "medical_insurance__insured": insured,
        "hr_social_security__pension": pension,
        "finance__payments": paid,
        "health__family_doctor": doctors,
    }


def damage(inbox: Path) -> None:
    """Refusals of whole files and rows whose messages would be easiest to fill with what stands there."""
    one = PEOPLE[30]
    paid = next((inbox / "finance/payments").iterdir())
    lines = paid.read_bytes().split(b"\r\n")
    lines[3] += f",{one.name},{one.id}".encode("gb18030")  # a surplus cell
    lines[4] = lines[4].replace(b",", b'"', 2)  # a quote that never ends
    paid.write_bytes(b"\r\n".join(lines))
    doctor = next((inbox / "health/family_doctor").iterdir())
    doctor.write_bytes(
        doctor.read_bytes() + f"{one.name}\xff,{one.id}\x81".encode("latin-1", "replace") + b"\x81\x0a"
    )
    rental = next((inbox / "housing/rental").iterdir())
    book = openpyxl.Workbook()
    book.active.append([one.name, one.id, one.phone])  # data where the headers should be
    book.save(rental.with_suffix(".xlsx"))
    rental.unlink()
    pupils = next((inbox / "education/enrolment").iterdir())
    pupils.with_suffix(".xlsx").write_bytes(
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + f"{one.name}{one.id}".encode() * 99
    )
    pupils.unlink()
    deaths = next((inbox / "civil_affairs/deaths").iterdir())
    with zipfile.ZipFile(deaths.with_suffix(".xlsx"), "w") as broken:
        broken.writestr("xl/workbook.xml", f"<{one.name}>{one.id}")
    deaths.unlink()
    (inbox / f"{one.id}.tmp").write_text(one.phone)
    feedback = inbox / "feedback" / "539901"
    feedback.mkdir(parents=True)
    told = [
        f"疑点编号,核查结果,情况说明,{one.name}",
        f"{one.id},属实,{one.phone}",
        f"ZZZZ-2610-0001-1,{one.name},{one.account}",
    ]
    (feedback / f"反馈{one.id}_20261031.csv").write_text("\n".join(told) + "\n", encoding="utf-8-sig")


def make_inbox(folder: Path) -> Path:
    """The inbox, settings and passwords (`reconcile.toml`, `secrets.toml`) in the folder; the inbox's path."""
    inbox: Path = plain.write(folder, register(), **lists())
    damage(inbox)
    (folder / "reconcile.toml").write_text(SETTINGS, encoding="utf-8")
    secrets = folder / "secrets.toml"
    secrets.write_text(
        'smtp_password = "not-a-real-one-1"\n[county_passwords]\n539901 = "Canary-Password-1"\n'
    )
    secrets.chmod(0o400)
    return inbox
