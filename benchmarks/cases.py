"""Cases over two months of a measuring world on one state: do numbers stay, is what data show settled, does a bad list do nothing?

    python benchmarks/cases.py [WORLD] [--damages N]

WORLD holds two months (`<month>/inbox` and `<month>/truth`; default: diqing beside the checkout). With `--damages` the second
month is run again on the first one's state with N lists, each once withheld and once cut to 30 %, and the cases are
compared with those of the undamaged month: none may open, close or grow older for it. The truth is for measuring only.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import xlsxwriter
from python_calamine import CalamineWorkbook
from score import ROOT, WORLDS

from pipeline.cases import open_ledger

sys.path.insert(0, str(ROOT / "tests" / "scenarios"))

OVER = ("settled", "closed")
# Without this month's the last accepted one serves (entitlements.md): who died since is judged as living.
DEATHS = "civil_affairs/deaths"
_BOTH = """
select count(*), count(*) filter (where a.case_number = b.case_number and b.state not in ('settled', 'closed'))
from truth_1 as t join truth_2 as u using (person, benefit)
left join cases_1 as a on a.certificate_number = t.certificate_number and a.subject = t.benefit
left join cases_2 as b on b.certificate_number = u.certificate_number and b.subject = u.benefit
where t.answer = 'missing' and u.answer = 'missing'"""
_SETTLED = """
select count(*), count(*) filter (where b.state = 'settled')
from truth_2 as u
join cases_2 as b on b.certificate_number = u.certificate_number and b.subject = u.benefit
join cases_1 as a on a.case_number = b.case_number
where u.answer = 'receiving'"""


def night(inbox: Path, out: Path, state: Path) -> pl.DataFrame | None:
    """The cases as of a night; None where it refuses, for want of the register. Exit codes 3 (a list is missing) and 4 (a flood is
    held) are answers."""
    command = [sys.executable, "-m", "pipeline", "run", "--inbox", inbox, "--out", out, "--state", state]
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True)
    if "E210" in done.stderr + done.stdout:
        return None
    if done.returncode not in (0, 3, 4):
        sys.exit(done.stderr + done.stdout)
    return pl.read_parquet(out / "results" / "cases.parquet")


def right(first: pl.DataFrame, second: pl.DataFrame, months: list[Path]) -> dict[str, tuple[int, int]]:
    """(all, right) of numbers kept and of cases settled by data."""
    con = duckdb.connect()
    for number, (cases, month) in enumerate(zip((first, second), months, strict=True), 1):
        con.register(f"cases_{number}", cases.to_arrow())
        con.execute(
            f"create view truth_{number} as select * from read_csv('{month}/truth/entitlements.csv', all_varchar=true)"
        )
    return {
        "missing in both months, same number": con.sql(_BOTH).fetchall()[0],
        "receiving in the second month, settled": con.sql(_SETTLED).fetchall()[0],
    }


def moved(first: pl.DataFrame, whole: pl.DataFrame, damaged: pl.DataFrame) -> int:
    """Cases that opened, closed, or count as seen tonight (and so age), though they did not in the undamaged night."""
    before = {row["case_number"]: row for row in first.iter_rows(named=True)}
    tonight = whole["last_seen"].max()
    fair = {(r["id_number"], r["certificate_number"], r["subject"]): r for r in whole.iter_rows(named=True)}
    count = 0
    for row in damaged.iter_rows(named=True):
        same = fair.get((row["id_number"], row["certificate_number"], row["subject"]))
        was = before.get(row["case_number"])
        if was is None:
            count += same is None  # opened, and nothing of the kind in the undamaged night
        elif row["state"] in OVER:
            count += same is None or same["state"] not in OVER
        elif row["last_seen"] == tonight:
            count += same is None or same["state"] in OVER or same["last_seen"] != tonight
    return count


def changed(place: Path) -> int:
    """Events of cases that a refused night has added to the ledger."""
    counts = []
    for state in ("kept", "state"):
        with open_ledger(place / state) as ledger:
            counts.append(sum(one.event.case is not None for one in ledger.events()))
    return counts[1] - counts[0]


def damages(inbox: Path, count: int) -> Iterator[tuple[str, Path]]:
    """Copies of the inbox with one list withheld or cut to 30 %, each made when it is asked for."""
    from nights import deliveries

    lists = [path.relative_to(inbox) for path in deliveries(inbox)]
    for relative in random.Random(3).sample(lists, min(count, len(lists))):
        for kind in ("withheld", "cut"):
            with tempfile.TemporaryDirectory() as temp:
                copy = Path(shutil.copytree(inbox, Path(temp) / "inbox"))
                path = copy / relative
                path.chmod(0o600)
                path.parent.chmod(0o700)
                if kind == "withheld":
                    path.unlink()
                else:
                    cut_to(path, 0.3)
                yield f"{relative.parent} {kind}", copy


def cut_to(path: Path, share: float) -> None:
    """Leaves the first rows of a delivery: what a broken transfer, or somebody who copied a part of a sheet, would send."""
    if path.suffix == ".csv":
        raw = path.read_bytes()
        mark = next((m for m in ("utf-16", "utf-8-sig", "gb18030") if _reads(raw, m)), "gb18030")
        lines = raw.decode(mark).splitlines(keepends=True)
        path.write_bytes("".join(lines[: max(2, int(len(lines) * share))]).encode(mark))
        return
    rows = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    path.unlink()
    book = xlsxwriter.Workbook(str(path.with_suffix(".xlsx")), {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    for number, row in enumerate(rows[: max(4, int(len(rows) * share))]):
        sheet.write_row(number, 0, row)
    book.close()


def _reads(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return encoding != "utf-16" or raw[:2] in (b"\xff\xfe", b"\xfe\xff")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("world", type=Path, nargs="?", default=WORLDS / "diqing")
    parser.add_argument("--damages", type=int, default=0)
    options = parser.parse_args()
    months = sorted(path for path in options.world.glob("*") if (path / "truth").is_dir())[:2]
    if len(months) < 2:
        sys.exit("two months are needed")
    with tempfile.TemporaryDirectory() as temp:
        place = Path(temp)
        first = night(months[0] / "inbox", place / "out-1", place / "state")
        shutil.copytree(place / "state", place / "kept")
        second = night(months[1] / "inbox", place / "out-2", place / "state")
        if first is None or second is None:
            sys.exit("both months need a register")
        for what, (total, fine) in right(first, second, months).items():
            print(f"{what}: {fine} of {total} ({fine / max(1, total):.2%})", flush=True)
        wrong = 0
        for number, (what, inbox) in enumerate(damages(months[1] / "inbox", options.damages), 1):
            shutil.rmtree(place / "state")
            shutil.copytree(place / "kept", place / "state")
            damaged = night(inbox, place / "out-3", place / "state")
            found = moved(first, second, damaged) if damaged is not None else changed(place)
            lawful = what.startswith(DEATHS)
            wrong += 0 if lawful else found
            print(f"{number} {what}: {found} cases moved{' (lawful)' if lawful else ''}", flush=True)
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
