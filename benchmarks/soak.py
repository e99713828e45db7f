"""The long campaign: the safety property over every delivery of the measuring worlds, all three damages (about an hour).

    python benchmarks/soak.py [diqing/2026-10 ...]

Needs the worlds beside the checkout; without them the generated sample is used, four counties and 5,000 people.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "scenarios"))
sys.path.insert(0, str(ROOT / "benchmarks"))

import nights  # noqa: E402
from score import worlds  # noqa: E402
from test_safety import DAMAGES, damageable  # noqa: E402


def newest(inbox: Path) -> date:
    """The snapshot date that the file names say."""
    stems = [path.stem[-8:] for path in nights.deliveries(inbox)]
    return max(date(int(s[:4]), int(s[4:6]), int(s[6:])) for s in stems if s.isdigit())


def campaign(name: str, inbox: Path, temp: Path) -> list[str]:
    """Every delivery damaged in every way; what was wrongly added."""
    as_of = newest(inbox)
    before, _ = nights.missing_flags(inbox, temp / "clean", as_of)
    wrong, tried = [], 0
    for relative in damageable(inbox):
        for damage in DAMAGES:
            copy = Path(shutil.copytree(inbox, temp / "inbox"))
            (copy / relative).chmod(0o600)
            (copy / relative).parent.chmod(0o700)
            damage(copy / relative)
            flags, statuses = nights.missing_flags(copy, temp / "state", as_of)
            tried += 1
            added = len(flags - before)
            if added or statuses == {"accepted"}:
                wrong.append(
                    f"{name} {relative} {damage.__name__}: {added} flags added, statuses {sorted(statuses)}"
                )
            shutil.rmtree(copy)
            shutil.rmtree(temp / "state")
    print(f"{name}: {tried} damaged nights, {len(wrong)} exceptions", flush=True)
    return wrong


def main() -> None:
    wanted = set(sys.argv[1:])  # names of worlds; all where none is given
    with tempfile.TemporaryDirectory() as folder:
        temp = Path(folder)
        found = [world for world in worlds(temp) if not wanted or world[0] in wanted]
        wrong = [
            line for name, inbox, _ in found for line in campaign(name, inbox, temp / name.replace("/", "-"))
        ]
    print("\n".join(wrong) or "no damaged list ever added a flag")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
