"""Intake of one large list: a GB18030 CSV to its accepted Parquet, against polars' scan_csv → sink_parquet of the same
table as clean UTF-8, in alternation, with the peak memory of each (own process and its workers).

    python benchmarks/intake.py [--folder DIR] [--rows 5000000] [--rounds 2]
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain
from pathlib import Path

HEADERS = "人员编号,姓名,证件号码,性别,出生日期,险种类型,参保状态,缴费年度,个人缴费金额,资助参保类别,资助金额,参保地"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲斌梅建国华丹萍红玉龙海燕春花金凤志清云天卓玛扎西次仁格桑𠮷䶮㛃"


def _identity(chance: random.Random) -> tuple[str, date]:
    born = date(1940, 1, 1) + timedelta(days=chance.randrange(30_000))
    body = f"5399{chance.randrange(1, 5):02}{born:%Y%m%d}{chance.randrange(1000):03}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11], born


def _dirty(chance: random.Random, number: str) -> str:
    """What breaks an ID, one kind in ten rows."""
    kind = chance.randrange(100)
    if kind >= 10:
        return number
    swapped = number[:8] + number[9] + number[8] + number[10:]
    wide = number.translate({48 + d: 0xFF10 + d for d in range(10)})
    return (
        *(number.lower(), f" {number}", f"{number}\u3000", wide, swapped, number[:6] + number[8:17]),
        *("无", "", number[:15] + "000", f"{number[:6]}********{number[14:]}"),
    )[kind]


def _rows(rows: int) -> Iterator[str]:
    chance = random.Random(7)
    for n in range(rows):
        number, born = _identity(chance)
        name = chance.choice(SURNAMES) + "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2))))
        name += "\u3000" * (chance.randrange(50) == 0)
        state = "正常参保" if chance.randrange(20) else "暂停参保"
        kind = "城乡居民基本医疗保险" if chance.randrange(9) else "职工基本医疗保险"
        aid, given = chance.choice((("", "0"),) * 8 + (("低保对象", "240"), ("重度残疾人", "400")))
        sex = "男" if int(number[16]) % 2 else "女"
        yield (
            f"{539900000000000 + n},{name},{_dirty(chance, number)},{sex},{born.year}.{born.month}.{born.day},"
            f"{kind},{state},2026,400,{aid},{given},{number[:6]}\r\n"
        )


def make(folder: Path, rows: int) -> None:
    """Writes the delivery (GB18030) and the same table as UTF-8."""
    delivered = folder / "inbox" / "medical_insurance" / "insured" / "参保_20261031.csv"
    delivered.parent.mkdir(parents=True, exist_ok=True)
    with (
        delivered.open("w", encoding="gb18030", newline="") as ours,
        (folder / "clean.csv").open("w", encoding="utf-8", newline="") as theirs,
    ):
        for text in chain([HEADERS + "\r\n"], _rows(rows)):
            ours.write(text)
            theirs.write(text)


def ours(folder: Path) -> int:
    """The delivery through intake into the store; returns the accepted rows."""
    from pipeline.contracts.dataset import load_datasets
    from pipeline.contracts.settings import Settings
    from pipeline.intake.find import find
    from pipeline.intake.one_file import read_file

    datasets = load_datasets(Path(__file__).parents[1] / "schemas")
    candidate = find(folder / "inbox", datasets, Settings())[0][0]
    result = read_file(candidate, datasets[candidate.dataset], Settings(), folder / "ours")
    if result.errors:
        raise SystemExit("\n".join(problem.line() for problem in result.errors))
    return result.counts.rows


def theirs(folder: Path) -> int:
    """polars' own way with clean UTF-8 text."""
    import polars as pl

    pl.scan_csv(folder / "clean.csv", infer_schema=False).sink_parquet(folder / "theirs.parquet")
    return 0


def _timed(way: str, folder: Path) -> dict[str, float]:
    shutil.rmtree(folder / "ours", ignore_errors=True)
    command = [sys.executable, __file__, "--folder", str(folder), "--only", way]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def _measure(way: str, folder: Path) -> None:
    start = time.perf_counter()
    rows = {"ours": ours, "theirs": theirs}[way](folder)
    seconds = time.perf_counter() - start
    own, children = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(
        json.dumps(
            {"seconds": seconds, "rows": rows, "own_mb": own / 1024, "largest_child_mb": children / 1024}
        )
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, help="keep the files here and use them again")
    options.add_argument("--rows", type=int, default=5_000_000)
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--only", choices=("ours", "theirs"))
    chosen = options.parse_args()
    if chosen.only:
        _measure(chosen.only, chosen.folder)
        return
    with tempfile.TemporaryDirectory() as temp:
        _compare(chosen.folder or Path(temp), chosen.rows, chosen.rounds)


def _compare(folder: Path, rows: int, times: int) -> None:
    """Both ways in turn; the best of each is quoted."""
    if not (folder / "clean.csv").exists():
        make(folder, rows)
    rounds = [(_timed("theirs", folder), _timed("ours", folder)) for _ in range(times)]
    base, mine = (min(r[k]["seconds"] for r in rounds) for k in (0, 1))
    last = rounds[-1][1]
    print(f"polars {base:.2f} s · intake {mine:.2f} s · ratio {mine / base:.2f} (at most 4)")
    print(
        f"{last['rows']:,.0f} rows · {last['rows'] / mine:,.0f} rows/s · {last['own_mb']:.0f} MB + workers of {last['largest_child_mb']:.0f} MB"
    )


if __name__ == "__main__":
    main()
