"""A disk that takes no more ends the night; no department's file is blamed for it, and the ledger has nothing of it."""

from __future__ import annotations

import os
import pickle
import subprocess
from collections import Counter
from errno import ENOSPC
from pathlib import Path
from shutil import which

import killed_nights
import polars as pl
import pytest
from killed_nights import NOVEMBER

from pipeline.contracts.disk_trouble import disk_trouble


@pytest.mark.skipif(which("strace") is None, reason="strace is not installed")
def test_a_full_disk_while_a_list_is_kept_is_no_fault_of_the_list(tmp_path: Path) -> None:
    folder = killed_nights.make_world(tmp_path)
    state, out = folder / "state", folder / "out-11"
    before = killed_nights.events(state)
    night = killed_nights.command(folder, NOVEMBER, state, out)
    calls = "fsync"  # a write may be one thread's word to another, who would wait for ever
    trace = [
        "strace",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-y",
        "-o",
        str(tmp_path / "trace"),
        "-e",
        f"trace={calls}",
    ]
    seen = subprocess.run([*trace, *night], capture_output=True, check=True, cwd=killed_nights.ROOT)
    assert seen.returncode == 0
    counted: Counter[str] = Counter()  # strace counts the calls of each thread by itself
    kept = []
    for line in (tmp_path / "trace").read_text(encoding="utf-8", errors="replace").splitlines():
        thread = line.split()[0]
        counted[thread] += 1
        if "state/intake/" in line and ".parquet" in line:
            kept.append(counted[thread])
    assert len(kept) > 4
    for at in (kept[0], kept[-1]):
        subprocess.run(["rm", "-rf", str(state), str(out)], check=True)
        killed_nights.run(folder, killed_nights.OCTOBER, state, folder / "out")
        inject = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", os.devnull, "-e", f"trace={calls}"]
        full = [*inject, "-e", f"inject={calls}:error=ENOSPC:when={at}", *night]
        done = subprocess.run(full, capture_output=True, text=True, check=False, cwd=killed_nights.ROOT)
        assert (done.returncode, done.stderr[:4]) == (1, "E290"), done.stderr
        assert [kind for kind, _, _ in killed_nights.events(state)] == [kind for kind, _, _ in before]
    assert killed_nights.run(folder, NOVEMBER, state, out) == 0


def test_what_is_said_of_which_failure() -> None:
    told = disk_trouble(OSError(ENOSPC, "x"))
    assert told is not None
    assert (told.exit_code, told.problem.why) == (1, "磁盘已满")
    assert str(pickle.loads(pickle.dumps(told))) == str(told)
    text = f"parquet: underlying IO error: {os.strerror(ENOSPC)} (os error 28)"
    assert disk_trouble(pl.exceptions.ComputeError(text)) is not None
    assert disk_trouble(FileNotFoundError(2, "x")) is None
    assert disk_trouble(ValueError("x")) is None
