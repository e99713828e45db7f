"""Off the net: a wheelhouse is made, and in a network namespace with no network the program installs from it and works.

It downloads some 200 MB and installs twice, so it runs by `make soak` (OFF_THE_NET=1), or with a wheelhouse that is there
(RECONCILE_WHEELHOUSE=dir); skipped where namespaces are not permitted, or where there is nothing to download from.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ANSWERS = (0, 3, 4)
_ASKED = os.environ.get("OFF_THE_NET") or os.environ.get("RECONCILE_WHEELHOUSE")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not _ASKED, reason="downloads 200 MB: set OFF_THE_NET=1 (make soak does)"),
]


def _namespace() -> list[str] | None:
    """How to run something without a network here, None if that is not permitted."""
    for way in (["unshare", "-n"], ["unshare", "-rn"]):
        if shutil.which("unshare") and subprocess.run([*way, "true"], capture_output=True).returncode == 0:
            return way
    return None


WITHOUT_NETWORK = _namespace()


def run(*command: str, cwd: Path, network: bool = False) -> subprocess.CompletedProcess[str]:
    way = [] if network else list(WITHOUT_NETWORK or ())
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "UV_", "VIRTUAL_ENV"))
    }
    return subprocess.run(
        [*way, *command], cwd=cwd, capture_output=True, text=True, env={**clean, "TZ": "CST-8"}
    )


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made as an office would make it; or given ready made, to save the download."""
    if WITHOUT_NETWORK is None:
        pytest.skip("network namespaces are not permitted here (unshare -n, unshare -rn)")
    made = tmp_path_factory.mktemp("wheels") / "wheelhouse"
    ready = os.environ.get("RECONCILE_WHEELHOUSE")
    if ready:
        shutil.copytree(ready, made)
        return made
    done = subprocess.run(["make", "wheelhouse", f"INTO={made}"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode and "hatchling" not in done.stderr and not list(made.glob("*.whl")):
        pytest.skip("nothing to download from")
    assert done.returncode == 0, done.stderr[-2000:]
    return made


@pytest.fixture(scope="module")
def installed(wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("opt") / "reconcile"
    done = run("sh", str(wheelhouse / "install.sh"), str(target), sys.executable, cwd=target.parent)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return target / "bin"


def test_there_are_wheels_only(wheelhouse: Path) -> None:
    names = {path.name for path in wheelhouse.iterdir()}
    told = {"SHA256SUMS", "PLATFORM", "INSTALL.md", "install.sh", "requirements.lock"}
    assert told < names
    assert all(name.endswith(".whl") for name in names - told)
    wheels = {name.split("-")[0].lower().replace("_", "-") for name in names - told}
    assert {"reconcile", "hatchling", "duckdb", "polars", "editables"} <= wheels
    assert not [name for name in names if name.endswith((".tar.gz", ".zip"))]


def test_there_really_is_no_network(installed: Path, tmp_path: Path) -> None:
    code = "import socket; socket.create_connection(('198.51.100.1', 80), 3)"
    assert "OSError" in run(str(installed / "python"), "-c", code, cwd=tmp_path).stderr


def test_a_night_works(installed: Path, tmp_path: Path) -> None:
    """From a folder without the source: schemas and rules are those of the package."""
    night = run(
        str(installed / "reconcile"),
        "run",
        "--inbox",
        str(ROOT / "data/sample"),
        "--out",
        "out",
        cwd=tmp_path,
    )
    assert night.returncode in ANSWERS, night.stderr[-2000:]
    assert list((tmp_path / "out" / "reports").glob("[0-9]*/discrepancies.xlsx"))
    assert run(str(installed / "reconcile"), "rules", "test", cwd=tmp_path).returncode == 0


def test_the_night_is_that_of_the_source(installed: Path, tmp_path: Path) -> None:
    """The same reports as the working copy makes."""
    outs = []
    for command in (str(installed / "reconcile"), str(Path(sys.executable).with_name("reconcile"))):
        out = tmp_path / f"out{len(outs)}"
        assert (
            run(
                command, "run", "--inbox", str(ROOT / "data/sample"), "--out", str(out), cwd=tmp_path
            ).returncode
            in ANSWERS
        )
        outs.append({p.relative_to(out): p.read_bytes() for p in sorted((out / "reports").rglob("*.csv"))})
    assert outs[0]
    assert outs[0] == outs[1]


def test_a_folder_that_was_changed_is_refused(wheelhouse: Path, tmp_path: Path) -> None:
    copy = tmp_path / "wheelhouse"
    copy.mkdir()
    for path in wheelhouse.iterdir():
        (copy / path.name).symlink_to(path)
    victim = next(copy.glob("pypinyin-*.whl"))
    content = victim.read_bytes()
    victim.unlink()
    victim.write_bytes(content + b"x")
    done = run("sh", str(copy / "install.sh"), str(tmp_path / "opt"), sys.executable, cwd=tmp_path)
    assert done.returncode == 1
    assert "重新复制" in done.stderr
    assert not (tmp_path / "opt").exists()


def test_make_setup_from_the_wheelhouse(wheelhouse: Path, tmp_path: Path) -> None:
    """The developer's environment too: `make setup WHEELHOUSE=dir` in a copy of the source."""
    copy = tmp_path / "source"
    copy.mkdir()
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, copy / name)
    for name in ("pipeline", "schemas", "rules"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    done = run("make", "setup", f"WHEELHOUSE={wheelhouse}", f"PYTHON={sys.executable}", cwd=copy)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert run(str(copy / ".venv/bin/reconcile"), "--version", cwd=copy).returncode == 0
