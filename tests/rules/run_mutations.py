"""The campaign as a report: how many mutants were refused by what, which were accepted with another meaning, and of these
which `reconcile plan` would show.

python tests/rules/run_mutations.py [how many] [seed]
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.append(str(ROOT / "tests" / "desk"))

import plan_world  # noqa: E402
from fates import CASES, CHANGED, CHECK, READ, Fate, Judge  # noqa: E402
from mutations import mutants  # noqa: E402
from plan_sight import ACCEPTED, SILENT, UNSEEN, Planner, Sight  # noqa: E402


def campaign(count: int, seed: int, root: Path = ROOT) -> list[Fate]:
    """The fates of `count` mutants of the sound rule files."""
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(root / "schemas", Path(folder))
        files = sorted((root / "rules").glob("*.yaml")) + sorted((root / "rules" / "findings").glob("*.yaml"))
        sound = [path for path in files if judge.sound(path)]
        return [judge.fate(mutant) for mutant in mutants(sound, sorted(judge.facts), count, seed)]


def compared(fates: Sequence[Fate]) -> list[Sight]:
    """What the comparison shows of the mutants that were let pass with another meaning, on a small kept night."""
    if not any(fate.kind in ACCEPTED for fate in fates):
        return []
    with tempfile.TemporaryDirectory() as folder:
        world = plan_world.make_world(Path(folder) / "world")
        return Planner(world.state, world.schemas, Path(folder) / "rules").sights(fates)


def complaints(fates: Sequence[Fate]) -> list[str]:
    """What must never be: a refusal without file, line and cure, or a changed file under the old version."""
    wrong = []
    for fate in fates:
        refused = fate.kind in (READ, CHECK, CASES)
        place = f"{fate.mutant.path.name} {fate.mutant.what}"
        if refused and not all(p.file and p.row and p.cure and p.why for p in fate.told):
            wrong.append(f"没有写明文件、行或办法：{place}：{[p.line() for p in fate.told]}")
        if not refused and fate.kind != "同一条规则" and not fate.version_changed:
            wrong.append(f"规则变了而版本没变：{place}")
    return wrong


def survivors(fates: Sequence[Fate]) -> list[str]:
    """Mutants with another meaning that every case lets pass, a line each: these show a missing case."""
    return [
        f"{fate.mutant.path.name}：{fate.mutant.kind}：{fate.mutant.what}"
        for fate in fates
        if fate.kind == CHANGED
    ]


def report(fates: Sequence[Fate]) -> str:
    """Counts by fate, by fate and kind of mutation, refusals by code; the survivors."""
    lines = [f"{kind}  {count}" for kind, count in Counter(f.kind for f in fates).most_common()]
    lines.append("按检查代码：" + "，".join(
        f"{code} {n}" for code, n in Counter(f.told[0].code for f in fates if f.kind in (READ, CHECK, CASES)).most_common()
    ))  # fmt: skip
    for kind in dict.fromkeys(f.mutant.kind for f in fates):
        counted = Counter(f.kind for f in fates if f.mutant.kind == kind)
        lines.append(f"  {kind}：" + "，".join(f"{fate} {n}" for fate, n in counted.most_common()))
    return "\n".join([*lines, *survivors(fates)])


def plan_report(sights: Sequence[Sight]) -> list[str]:
    """Counts by what the comparison shows; every mutant that it shows nobody of, named with its change."""
    counted = Counter(sight.kind for sight in sights).most_common()
    lines = [
        f"放过而意思或金额、期间变了的 {len(sights)}：" + "，".join(f"{kind} {n}" for kind, n in counted)
    ]
    return lines + [f"  没有显示：{sight.line()}" for sight in sights if sight.kind in UNSEEN]


def main() -> int:
    """1 where something happened that must never be."""
    count, seed = ([int(word) for word in sys.argv[1:3]] + [2000, 1][len(sys.argv[1:3]) :])[:2]
    fates = campaign(count, seed)
    sights = compared(fates)
    wrong = complaints(fates) + [sight.line() for sight in sights if sight.kind == SILENT]
    sys.stdout.write("\n".join([report(fates), *plan_report(sights), *wrong, ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
