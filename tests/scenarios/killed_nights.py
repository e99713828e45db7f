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
    "write": ("write", "pwrite64", "writev"),
    "sync": ("fsync", "fdatasync"),
    "rename": ("rename", "renameat", "renameat2"),
    "unlink": ("unlink", "unlinkat", "rmdir"),
}
FAULTS = ("signal=KILL", "error=ENOSPC", "error=EIO")
MOMENT = "moment"  # a kill by the clock, not at a call


@dataclass(frozen=True)
class Aim:
    """The `at`-th time that one thread makes this system call: of all its calls, or of those on the file `path` (relative to the
    place). MOMENT: so many milliseconds after the start."""

    call: str
    at: int
    path: str = ""


@dataclass(frozen=True)
class Shot:
    aim: Aim
    fault: str

    @property
    def kind(self) -> str:
        return next((kind for kind, names in CALLS.items() if self.aim.call in names), MOMENT)

    def __str__(self) -> str:
        return " ".join(filter(None, (self.aim.call, str(self.aim.at), self.aim.path, self.fault)))


def make_world(folder: Path) -> Path:
    """Two months of five lists in `folder`/inbox-10 and -11 with the part of schemas and rules that they need; an October night on
    `folder`/state. In November some are insured and others no more."""
    make_rules(folder)
    for month, on in ((10, OCTOBER), (11, NOVEMBER)):
        _write_month(folder / f"inbox-{month}", on, month)
    assert run(folder, OCTOBER, folder / "state", folder / "out") == 0
    assert run(folder, NOVEMBER, _copied(folder / "state", folder / "right/state"), folder / "right/out") == 0
    return folder


def make_rules(folder: Path, rules: tuple[str, ...] = RULES) -> None:
    for part in ("schemas", "rules"):
        for name in (f"{key}.yaml" for key in LISTS) if part == "schemas" else rules:
            target = folder / part / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / part / name, target)


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


def aims(folder: Path) -> dict[Aim, str]:
    """All that is to be aimed at, in the night's order, and the file it changes ("" where the call names none).

    strace counts by thread and by system call, and an injection falls on the first thread that comes so far: the main
    one, which makes the most. What the others write is therefore aimed at by the name of its file."""
    with tempfile.TemporaryDirectory() as temp:
        place = Path(temp)
        night = command(folder, NOVEMBER, _copied(folder / "state", place / "state"), place / "out")
        names = ",".join(name for names in CALLS.values() for name in names)
        trace = ["strace", "-f", "-y", "--seccomp-bpf", "-qq", "-o", str(place / "trace")]
        subprocess.run([*trace, "-e", f"trace={names}", *night], check=True, capture_output=True, cwd=ROOT)
        lines = (place / "trace").read_text(encoding="utf-8", errors="replace").splitlines()
    return _aims(lines, f"{place}/")


def _aims(lines: list[str], place: str) -> dict[Aim, str]:
    made: Counter[tuple[str, str, str]] = Counter()  # of a thread and call, in all ("") and by file
    found: dict[Aim, str] = {}
    main = lines[0].split()[0]
    for call in (re.match(r"(\d+) +(\w+)\((?:\d+<([^>]*)>|\"([^\"]*)\")?", line) for line in lines):
        if not call or not any(call[2] in names for names in CALLS.values()):
            continue
        thread, name, file = call[1], call[2], call[3] or call[4] or ""
        path = "" if thread == main else file.removeprefix(place)
        if thread != main and path == file:
            continue  # it wakes another thread
        made[thread, name, path] += 1
        found.setdefault(Aim(name, made[thread, name, path], path), file)
    return found


def shots(folder: Path, most: int, seed: int = 1) -> Iterator[Shot]:
    """Every call of every kind with every fault, or `most` of them drawn evenly over kinds and faults."""
    dice, reached = random.Random(seed), aims(folder)
    groups = [
        [Shot(aim, fault) for aim, file in reached.items() if aim.call in names and _may(fault, file)]
        for names in CALLS.values()
        for fault in FAULTS
    ]
    for group in groups:
        share = max(1, round(most / len(groups)))
        yield from group if most <= 0 or share >= len(group) else dice.sample(group, share)


def _may(fault: str, file: str) -> bool:
    """What wakes another thread is no disk and does not fail like one; if it did, that thread would sleep for ever."""
    return not (fault.startswith("error") and file.startswith(("anon_inode:", "pipe:")))


def fire(folder: Path, shot: Shot) -> tuple[bool, str]:
    """Whether the shot hit (it is tried thrice: which thread writes what is not always the same), and what then differed."""
    for _ in range(3):
        hit, what = _fire(folder, shot)
        if hit or what:
            break
    return hit, what


def _fire(folder: Path, shot: Shot) -> tuple[bool, str]:
    """The night disturbed, then run once more: what differs from the undisturbed one, "" if nothing does."""
    with tempfile.TemporaryDirectory() as temp:
        place = Path(temp)
        state, out = _copied(folder / "state", place / "state"), place / "out"
        shutil.copytree(folder / "out", out)
        night = command(folder, NOVEMBER, state, out)
        if shot.aim.call == MOMENT:
            _until_it_ends(night, shot.aim.at / 1000)
            hit = True
        else:
            hit = _injected(place, shot, night)
        code = run(folder, NOVEMBER, state, out)
        return hit, f"exit code {code}" if code else differences(folder / "right", place)


def _injected(place: Path, shot: Shot, night: list[str]) -> bool:
    """Where strace's filter is used (`--seccomp-bpf`: twice as fast) its errors arrive, its signals only by chance."""
    kill = shot.fault == "signal=KILL"
    trace = ["strace", "-f", "-qq", "-o", str(place / "trace"), *([] if kill else ["--seccomp-bpf"])]
    only = ["-P", str(place / shot.aim.path)] if shot.aim.path else []
    inject = ["-e", f"trace={shot.aim.call}", "-e", f"inject={shot.aim.call}:{shot.fault}:when={shot.aim.at}"]
    ended = _until_it_ends([*trace, *only, *inject, *night], PATIENCE)
    seen = (place / "trace").read_text(encoding="utf-8", errors="replace")
    return ended == -signal.SIGKILL if kill else "(INJECTED)" in seen


def moments(folder: Path, count: int, seed: int = 1) -> Iterator[Shot]:
    """Kills at moments (milliseconds) drawn evenly over a night that is not disturbed."""
    with tempfile.TemporaryDirectory() as temp:
        began = time.monotonic()
        run(folder, NOVEMBER, _copied(folder / "state", Path(temp) / "state"), Path(temp) / "out")
        length = round(1000 * (time.monotonic() - began))
    dice = random.Random(seed)
    yield from (Shot(Aim(MOMENT, dice.randint(1, length)), "signal=KILL") for _ in range(count))


def _until_it_ends(command: list[str], seconds: float) -> int | None:
    """Its exit code; None where it had to be killed: a write that fails may be one thread's word to another, who then waits for
    ever."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, start_new_session=True
    ) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None


def fire_all(folder: Path, chosen: list[Shot]) -> Iterator[tuple[Shot, bool, str]]:
    """Two at a time, in the order given: the shot, whether it hit, what differs."""
    with ThreadPoolExecutor(2) as pool:
        for shot, (hit, what) in zip(chosen, pool.map(lambda shot: fire(folder, shot), chosen), strict=True):
            yield shot, hit, what


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
        "--others", action="store_true", help="only what other threads than the main one write"
    )
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
            kinds = options.kinds.split(",")
            chosen = [shot for shot in shots(folder, options.most) if shot.kind in kinds]
            chosen = [shot for shot in chosen if shot.aim.path or not options.others]
        chosen, wrong, missed = chosen[first - 1 :: step], 0, 0
        for shot, hit, what in fire_all(folder, chosen):
            wrong, missed = wrong + bool(what), missed + (not hit)
            print(shot, what or "same", "" if hit else "(did not hit)", flush=True)
        print(f"{len(chosen)} injections, {missed} did not hit, {wrong} wrong")
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
