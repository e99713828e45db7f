"""An inbox of plain CSV files written by hand, for cases in which every row matters: one county, few people."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import nights
import polars as pl

from pipeline.contracts.dataset import load_datasets

AS_OF = date(2026, 10, 31)
COUNTY = "539901"
DATASETS = load_datasets(nights.ROOT / "schemas")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(birth: str, sequence: int, region: str = "539901") -> str:
    """A sound identity number in the unassigned region; the sequence's parity is the sex (odd: male)."""
    body = f"{region}{birth}{sequence:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


def holder(name: str, id_: str, *, category: int = 4, level: int = 1, **other: str) -> dict[str, str]:
    """A register row of a valid certificate; `other` replaces single columns."""
    row = {
        "name": name,
        "sex": "男" if int(id_[16]) % 2 else "女",
        "dob": id_[6:14],
        "id": id_,
        "cert": f"{id_}{category}{level}",
        "cat": ["视力", "听力", "言语", "肢体", "智力", "精神", "多重"][category - 1] + "残疾",
        "level": "一二三四"[level - 1] + "级",
        "hukou": "农业",
        "area": f"{COUNTY}101201",
        "addr": "示例州示例市某乡某村",
        "until": "20300101",
        "state": "正常",
    }
    return {**row, **other}


def write(folder: Path, register: list[dict[str, str]], **lists: list[dict[str, str]]) -> Path:
    """All 23 lists; those not given are lawfully empty. Keys are `department__dataset`."""
    inbox = folder / "inbox"
    for key, dataset in DATASETS.items():
        rows = register if dataset.role == "register" else lists.get(dataset.table, [])
        name = f"{COUNTY}_示例市名单_20261031.csv" if dataset.delivery.by == "county" else "名单_20261031.csv"
        write_list(inbox / key / name, key, rows)
    return inbox


def write_list(path: Path, key: str, rows: list[dict[str, str]], counties: str = "") -> None:
    """One list as a GB18030 CSV with the first spelling of every header."""
    fields = DATASETS[key].fields
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="gb18030", newline="") as file:
        out = csv.writer(file)
        out.writerow([spec.headers[0] for spec in fields.values()])
        out.writerows([row.get(name, "") for name in fields] for row in rows)
        if not rows:
            out.writerow(["合计", "0人", *[""] * (len(fields) - 2)])


def outcomes(inbox: Path, out: Path) -> pl.DataFrame:
    nights.night(inbox, out, as_of=AS_OF)
    return nights.table(out, "outcomes")


def outcome(answers: pl.DataFrame, id_: str, benefit: str) -> list[str]:
    """The outcomes of a person (by number) for a benefit; `[]` where nothing is due."""
    mine = answers.filter((pl.col("id_number") == id_) & (pl.col("benefit") == benefit))
    return mine["outcome"].to_list()
