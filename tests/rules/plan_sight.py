"""What `reconcile plan` shows of a mutant that the check and every case let pass with another meaning.

The comparison is asked on a kept night, as an analyst would before the file is put in force: first on the night's own day,
then on the days on which one of the two texts begins to differ (`--as-of`).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.rule import Rule, load_rule
from pipeline.desk.plan import Plan, PlanRequest, plan

from fates import CHANGED, MONEY, PERIOD, Fate, days_that_matter  # isort: skip

# SHOWN: somebody's outcome or money differs; LATER: so it does with the parameters of another day; REFUSED: the comparison says
# what is wrong; TEXT: only the changed text is shown, nobody of this night is touched; OUTSIDE: named as not compared;
# SILENT: not even named.
SHOWN, LATER, REFUSED, TEXT, OUTSIDE, SILENT = (
    "比较显示有人不同", "按另一天的参数比较才有人不同", "比较时被拒绝", "比较只显示文字改动，没有人不同", "名册以外的人，没有比较", "比较里没有提到"
)  # fmt: skip
ACCEPTED = (CHANGED, MONEY, PERIOD)  # the fates of mutants that mean something else and were let pass
UNSEEN = (TEXT, OUTSIDE, SILENT)


@dataclass(frozen=True)
class Sight:
    """One such mutant: what the comparison shows of it, and on which day where that is not the night's."""

    fate: Fate
    kind: str
    day: date | None = None

    def line(self) -> str:
        """The file, the slip and the change."""
        mutant = self.fate.mutant
        return f"{mutant.path.name}：{mutant.kind}：{mutant.what}（{self.fate.kind}；{self.kind}）"


class Planner:
    """Asks the comparison of a kept night (`state`) about one rule at a time; `folder` takes the two texts."""

    def __init__(self, state: Path, schemas: Path, folder: Path) -> None:
        self.request = PlanRequest(state, schemas, folder / "new", folder / "old", samples=0)

    def sights(self, fates: Sequence[Fate]) -> list[Sight]:
        """One for each accepted mutant with another meaning, in order."""
        return [self._sight(fate) for fate in fates if fate.kind in ACCEPTED]

    def _sight(self, fate: Fate) -> Sight:
        before, after = self._laid_out(fate)
        try:
            first = self._seen(before.code, None)
        except ReconcileError:
            return Sight(fate, REFUSED)
        if first != TEXT:
            return Sight(fate, first)
        for day in days_that_matter(before, after):
            if self._seen(before.code, day) == SHOWN:
                return Sight(fate, LATER, day)
        return Sight(fate, TEXT)

    def _laid_out(self, fate: Fate) -> tuple[Rule, Rule]:
        """Both texts as folders of one rule each, read."""
        mutant, rules = fate.mutant, []
        original = mutant.path.read_text(encoding="utf-8")
        inside = "findings" if mutant.path.parent.name == "findings" else ""
        for folder, text in ((self.request.against, original), (self.request.rules, mutant.text)):
            shutil.rmtree(folder, ignore_errors=True)
            path = folder / inside / mutant.path.name
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
            rules.append(load_rule(path))
        return rules[0], rules[1]

    def _seen(self, code: str, day: date | None) -> str:
        request = self.request
        made = plan(
            PlanRequest(request.state, request.schemas, request.rules, request.against, as_of=day, samples=0)
        )
        return _shown(made, code)


def _shown(made: Plan, code: str) -> str:
    if any(change.code == code for change in made.outside):
        return OUTSIDE
    own = [difference for difference in made.differences if difference.change.code == code]
    if any(difference.matters for difference in own):
        return SHOWN
    return TEXT if any(d.change.texts for d in own) or code in made.idle else SILENT
