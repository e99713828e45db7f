"""The same inputs give byte-equal results whatever the threads, the order of files on disk and PYTHONHASHSEED."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import nights
import pytest


def digests(out: Path) -> dict[str, str]:
    """Hash by file of everything a night writes, but for the state."""
    files = [p for p in out.rglob("*") if p.is_file() and "state" not in p.relative_to(out).parts]
    return {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(files)}


def other_order(inbox: Path, folder: Path) -> Path:
    """The same files, created in the opposite order."""
    for path in reversed(nights.deliveries(inbox)):
        target = folder / "inbox" / path.relative_to(inbox)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return folder / "inbox"


@pytest.mark.parametrize(("threads", "seed"), [(1, "0"), (2, "1"), (8, "12345")])
def test_results_are_byte_equal(world: Path, clean: Path, tmp_path: Path, threads: int, seed: str) -> None:
    inbox = other_order(world, tmp_path)
    config = tmp_path / "reconcile.toml"
    config.write_text(f"[limits]\nthreads = {threads}\n", encoding="utf-8")
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "pipeline",
        "run",
        "--inbox",
        str(inbox),
        "--out",
        str(out),
        "--config",
        str(config),
    ]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "POLARS_MAX_THREADS": str(threads)}
    done = subprocess.run(command, cwd=nights.ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert digests(out) == digests(clean)


def test_the_same_night_on_the_same_state_is_the_same_result(
    world: Path, clean: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        nights.night(world, tmp_path / "out")
    assert digests(tmp_path / "out") == digests(clean)
