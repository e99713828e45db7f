"""A night of fifty people killed or starved at a chosen system call, then run once more: nothing may be lost or doubled.

`strace` injects SIGKILL, ENOSPC or EIO into the n-th write, fsync, rename or unlink of the process; the product is not
changed. Run as a script it goes through every call: python tests/scenarios/killed_nights.py (--help).
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import plain
from nights import ROOT

from pipeline.cases import check, open_ledger, replay

PEOPLE = 50
PATIENCE = 60  # seconds
OCTOBER, NOVEMBER = date(2026, 10, 31), date(2026, 11, 30)
LISTS = ("federation/register", "civil_affairs/deaths", "medical_insurance/insured", "civil_affairs/two_subsidies",
         "finance/payments")  # fmt: skip
RULES = ("medical_insurance.yaml", "findings/subsidy_twice.yaml", "findings/certificate_expired.yaml")
# What changes the disk. (`pwrite64` is how SQLite writes its pages.)
CALLS = {
    "write": "write,pwrite64,writev",
    "sync": "fsync,fdatasync",
    "rename": "rename,renameat,renameat2",
    "unlink": "unlink,unlinkat,rmdir",
}
FAULTS = ("signal=KILL", "error=ENOSPC", "error=EIO")
MOMENT = "moment"  # a kill by the clock, not at a call


@dataclass(frozen=True)
class Shot:
    """One injection: `fault` at the `at`-th call of a kind, or at that millisecond (MOMENT)."""

    kind: str
    at: int
    fault: str


def make_world(folder: Path) -> Path:
    """Two months of five lists in `folder`/inbox-10 and -11 with the part of schemas and rules that they need; an October night on
    `folder`/state. In November some are insured and others no more."""
    for part in ("schemas", "rules"):
        for name in (f"{key}.yaml" for key in LISTS) if part == "schemas" else RULES:
            target = folder / part / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / part / name, target)
    for month, on in ((10, OCTOBER), (11, NOVEMBER)):
        _write_month(folder / f"inbox-{month}", on, month)
    assert run(folder, OCTOBER, folder / "state", folder / "out") == 0
    assert run(folder, NOVEMBER, _copied(folder / "state", folder / "right/state"), folder / "right/out") == 0
    return folder


def _write_month(inbox: Path, on: date, month: int) -> None:
    people = [(f"示例{n}", plain.number(f"19{60 + n % 30}0317", 100 + n)) for n in range(PEOPLE)]
    register = [
        plain.holder(name, id_, until="20261115" if n % 9 == 0 else "20300101")
        for n, (name, id_) in enumerate(people)
    ]
    insured = [
        {"name": name, "id": id_, "kind": "城乡居民基本医疗保险", "state": "正常参保", "year": "2026"}
        for n, (name, id_) in enumerate(people)
        if n % 3 != month % 3
    ]
    for key in LISTS:
        dataset = plain.DATASETS[key]
        rows = {"federation/register": register, "medical_insurance/insured": insured}.get(key, [])
        start = f"{plain.COUNTY}_示例市名单" if dataset.delivery.by == "county" else "名单"
        plain.write_list(inbox / key / f"{start}_{on:%Y%m%d}.csv", key, rows)


def command(folder: Path, on: date, state: Path, out: Path) -> list[str]:
    month = folder / f"inbox-{on.month}"
    where = [
        "--inbox",
        month,
        "--out",
        out,
        "--state",
        state,
        "--schemas",
        folder / "schemas",
        "--rules",
        folder / "rules",
    ]
    return [sys.executable, "-m", "pipeline", "run", *map(str, where), "--as-of", on.isoformat()]


def run(folder: Path, on: date, state: Path, out: Path) -> int:
    return subprocess.run(
        command(folder, on, state, out), capture_output=True, check=False, cwd=ROOT
    ).returncode


def _copied(state: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(state, to)
    return to


def calls(folder: Path) -> dict[str, list[str]]:
    """By kind: where the n-th call of it writes, "" where it names no file. strace counts each thread's calls by themselves, and an
    injection falls on the first thread that comes so far."""
    with tempfile.TemporaryDirectory() as temp:
        place = Path(temp)
        night = command(folder, NOVEMBER, _copied(folder / "state", place / "state"), place / "out")
        listed = ",".join(CALLS.values())
        trace = [
            "strace",
            "-f",
            "-y",
            "--seccomp-bpf",
            "-qq",
            "-o",
            str(place / "trace"),
            "-e",
            f"trace={listed}",
        ]
        subprocess.run([*trace, *night], check=True, capture_output=True, cwd=ROOT)
        lines = (place / "trace").read_text(encoding="utf-8", errors="replace").splitlines()
    made: Counter[tuple[str, str]] = Counter()
    reached: dict[str, list[str]] = {kind: [] for kind in CALLS}
    for found in (re.match(r"(\d+) +(\w+)\((?:\d+<([^>]*)>)?", line) for line in lines):
        kind = next((kind for kind, names in CALLS.items() if found and found[2] in names.split(",")), "")
        if found and kind:
            made[found[1], kind] += 1
            if made[found[1], kind] > len(reached[kind]):
                reached[kind].append(found[3] or "")
    return reached


def shots(folder: Path, most: int, seed: int = 1) -> Iterator[Shot]:
    """Every call of every kind with every fault, or `most` of them drawn evenly over kinds and faults."""
    dice, reached = random.Random(seed), calls(folder)
    groups = [
        [Shot(kind, at, fault) for at, where in enumerate(reached[kind], start=1) if _may(fault, where)]
        for kind in CALLS
        for fault in FAULTS
    ]
    for group in groups:
        share = max(1, round(most / len(groups)))
        yield from group if most <= 0 or share >= len(group) else dice.sample(group, share)


def _may(fault: str, where: str) -> bool:
    """What wakes another thread is no disk and does not fail like one; if it did, that thread would sleep for ever."""
    return not (fault.startswith("error") and where.startswith(("anon_inode:", "pipe:")))


def fire(folder: Path, shot: Shot) -> str:
    """The night disturbed, then run once more: what differs from the undisturbed one, "" if nothing does."""
    with tempfile.TemporaryDirectory() as temp:
        place = Path(temp)
        state, out = _copied(folder / "state", place / "state"), place / "out"
        shutil.copytree(folder / "out", out)
        night = command(folder, NOVEMBER, state, out)
        if shot.kind == MOMENT:
            _until_it_ends(night, shot.at / 1000)
        else:
            inject = f"inject={CALLS[shot.kind]}:{shot.fault}:when={shot.at}"
            trace = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", os.devnull]
            _until_it_ends([*trace, "-e", f"trace={CALLS[shot.kind]}", "-e", inject, *night], PATIENCE)
        code = run(folder, NOVEMBER, state, out)
        return f"exit code {code}" if code else differences(folder / "right", place)


def moments(folder: Path, count: int, seed: int = 1) -> Iterator[Shot]:
    """Kills at moments (milliseconds) drawn evenly over a night that is not disturbed."""
    with tempfile.TemporaryDirectory() as temp:
        began = time.monotonic()
        run(folder, NOVEMBER, _copied(folder / "state", Path(temp) / "state"), Path(temp) / "out")
        length = round(1000 * (time.monotonic() - began))
    dice = random.Random(seed)
    yield from (Shot(MOMENT, dice.randint(1, length), "signal=KILL") for _ in range(count))


def _until_it_ends(command: list[str], seconds: float) -> None:
    """Or is killed: a write that fails may be one thread's word to another, who then waits for ever."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, start_new_session=True
    ) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def fire_all(folder: Path, chosen: list[Shot]) -> Iterator[tuple[Shot, str]]:
    """Two at a time, in the order given."""
    with ThreadPoolExecutor(2) as pool:
        yield from zip(chosen, pool.map(lambda shot: fire(folder, shot), chosen), strict=True)


def differences(right: Path, found: Path) -> str:
    """Ledger, results, reports: the first that is another."""
    if events(right / "state") != events(found / "state"):
        return "ledger"
    names = [path.relative_to(right / "out") for path in sorted((right / "out").rglob("*")) if path.is_file()]
    for name in names:
        if name.suffix in (".parquet", ".csv") and (right / "out" / name).read_bytes() != _bytes(
            found / "out" / name
        ):
            return str(name)
    left = [
        path
        for path in (found / "out").rglob("*")
        if path.is_file() and path.relative_to(found / "out") not in names
    ]
    return f"left over: {left[0].relative_to(found / 'out')}" if left else ""


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def events(state: Path) -> list[tuple[str, str | None, str]]:
    """What the ledger says, without hashes: the keyed hashes of people differ from no other run of the same state."""
    with open_ledger(state) as ledger:
        assert check(ledger, replay) == []
        return [(one.event.kind, one.event.case, one.text) for one in ledger.events()]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument(
        "most", type=int, nargs="?", default=0, help="so many drawn evenly; 0: every call with every fault"
    )
    asked.add_argument("--moments", type=int, default=0, help="instead: so many kills at random moments")
    asked.add_argument("--kinds", default=",".join(CALLS), help="of these kinds only")
    asked.add_argument(
        "--part", default="1/1", help="2/5: every fifth of them, from the second on; the whole takes hours"
    )
    options = asked.parse_args()
    first, step = map(int, options.part.split("/"))
    with tempfile.TemporaryDirectory() as temp:
        folder = make_world(Path(temp))
        if options.moments:
            chosen = list(moments(folder, options.moments))
        else:
            chosen = [shot for shot in shots(folder, options.most) if shot.kind in options.kinds.split(",")]
        chosen, wrong = chosen[first - 1 :: step], 0
        for shot, what in fire_all(folder, chosen):
            wrong += bool(what)
            print(shot.kind, shot.at, shot.fault, what or "same", flush=True)
        print(f"{len(chosen)} injections, {wrong} wrong")
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
