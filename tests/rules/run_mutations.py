"""The campaign as a report: how many mutants were refused by what, and which were accepted with another meaning.

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

from fates import CASES, CHANGED, CHECK, READ, Fate, Judge  # noqa: E402
from mutations import mutants  # noqa: E402


def campaign(count: int, seed: int, root: Path = ROOT) -> list[Fate]:
    """The fates of `count` mutants of the sound rule files."""
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(root / "schemas", Path(folder))
        files = sorted((root / "rules").glob("*.yaml")) + sorted((root / "rules" / "findings").glob("*.yaml"))
        sound = [path for path in files if judge.sound(path)]
        return [judge.fate(mutant) for mutant in mutants(sound, sorted(judge.facts), count, seed)]


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


def main() -> int:
    """1 where something happened that must never be."""
    count, seed = ([int(word) for word in sys.argv[1:3]] + [2000, 1][len(sys.argv[1:3]) :])[:2]
    fates = campaign(count, seed)
    wrong = complaints(fates)
    sys.stdout.write("\n".join([report(fates), *wrong, ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
