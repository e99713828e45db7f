"""How many IDs a second `normalise` cleans: every step counted, a share of the cells dirty in every known way.

python benchmarks/ids.py --rows 5000000 --dirty 0.10
POLARS_MAX_THREADS=1 python benchmarks/ids.py     # one core, as in a worker process of intake
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable

import polars as pl

from pipeline.identity.id_number import NUMERIC_CELL, normalise

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
DAMAGES: tuple[Callable[[str], str | None], ...] = (
    lambda i: None,
    lambda i: "",
    lambda i: "无",
    lambda i: "不详",
    lambda i: "-",
    lambda i: i + " ",
    lambda i: " " + i,
    lambda i: i + "\u200b",
    lambda i: "\ufeff" + i[:6] + "\u00a0" + i[6:],
    lambda i: "'" + i,
    lambda i: f'="{i}"',
    lambda i: i + "\t",
    lambda i: i.translate(WIDE),
    lambda i: f"{i[:6]} {i[6:14]} {i[14:]}",
    lambda i: f"{i[:6]}-{i[6:14]}-{i[14:]}",
    lambda i: "身份证号：" + i,
    lambda i: i.lower().replace("x", "Х"),
    lambda i: i[:6] + i[8:17],  # the 15 digits of before 1999
    lambda i: i + "42",
    lambda i: i + "11B1",
    lambda i: i[:15] + "000",
    lambda i: f"{float(i[:17]) * 10:.5E}",
    lambda i: NUMERIC_CELL + i[:15] + "000",
    lambda i: i[:6] + "********" + i[14:],
    lambda i: i[:16] + i[17] + i[16],
    lambda i: i[:9] + i[10:],
    lambda i: i[:10] + "13" + i[12:],
    lambda i: f"{i}/{i}",
)


def sound_ids(count: int, seed: int) -> list[str]:
    """Sound IDs of the unassigned region 5399, birth years 1930–2024."""
    chance = random.Random(seed)
    made = []
    for _ in range(count):
        day = f"{chance.randint(1930, 2024)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}"
        first = f"5399{chance.randint(0, 99):02}{day}{chance.randint(1, 999):03}"
        total = sum(weight * int(digit) for weight, digit in zip(WEIGHTS, first, strict=True))
        made.append(first + "10X98765432"[total % 11])
    return made


def cells(rows: int, dirty: float, seed: int = 7) -> pl.Series:
    """A column of `rows` cells, the given share of them damaged; made from 200 thousand different people."""
    chance = random.Random(seed)
    people = sound_ids(min(rows, 200_000), seed)
    made = [chance.choice(DAMAGES)(i) if chance.random() < dirty else i for i in people]
    repeated = pl.concat([pl.Series("id", made)] * -(-rows // len(made)), rechunk=True)
    return repeated.sample(fraction=1, shuffle=True, seed=seed).head(rows).rechunk()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--dirty", type=float, default=0.10)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    column = cells(options.rows, options.dirty)
    normalise(column.head(1))  # the tables are made once a process
    seconds, cpu = [], []
    for _ in range(options.repeat):
        start, start_cpu = time.perf_counter(), time.process_time()
        result = normalise(column)
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    print(f"threads {pl.thread_pool_size()}  rows {options.rows:,}  dirty {options.dirty:.0%}")
    print(f"sound {result['id'].count():,}  certificates {result['certificate'].count():,}")
    print(f"best {options.rows / min(seconds):,.0f} IDs/s  worst {options.rows / max(seconds):,.0f} IDs/s")
    print(f"of one core, without waiting for it: best {options.rows / min(cpu):,.0f} IDs per CPU second")


if __name__ == "__main__":
    main()
