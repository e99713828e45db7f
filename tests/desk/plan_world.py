"""A small prefecture's kept night and two rule folders for the tests of `reconcile plan`; nights are judged again to compare."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from pipeline import entitlement, intake, matching
from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.contracts.delivered import Intake
from pipeline.contracts.rule import load_rules
from pipeline.contracts.settings import Settings
from pipeline.desk.plan import PlanRequest
from pipeline.entitlement.kept_night import keep_night
from pipeline.run import decide, match

sys.path.append(str(Path(__file__).parents[1] / "scenarios"))

import nights

RULES = (
    "nursing_subsidy", "living_subsidy", "medical_insurance", "pension_premium_aid",
    "findings/subsidy_with_tekun", "findings/certificate_expired", "findings/certificate_not_issued",
)  # fmt: skip
_WIDER = (
    "    unit: 级\n    values: {2016-01-01: 2}\n    regions:\n",
    '      "5399": {values: {2026-10-01: 3}, law: 试算}\n',
)
_PAID = (
    "# 三、四级智力、精神残疾人\n    unit: 元/月\n    values: {}\n    regions:\n",
    '      "5399": {values: {2026-10-01: 77.5, 2027-01-01: 90}, law: 试算}\n',
)


@dataclass(frozen=True)
class World:
    """The night in a database, kept in `state`; `rules` are those in force that night."""

    folder: Path
    con: duckdb.DuckDBPyConnection
    datasets: dict[str, Dataset]
    delivered: Intake

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def schemas(self) -> Path:
        return self.folder / "schemas"

    @property
    def rules(self) -> Path:
        return self.folder / "rules"

    def request(self, rules: Path, **other: object) -> PlanRequest:
        return PlanRequest(self.state, self.schemas, rules, self.rules, **other)  # type: ignore[arg-type]

    def judge(self, rules: Path) -> tuple[dict[tuple[int, str], tuple[str, str]], Counter[tuple[str, ...]]]:
        """The night once more with other rules: (outcome, reason) by (person, benefit), and the findings of rules."""
        decide(self.con, self.datasets, load_rules(rules), self.delivered, nights.AS_OF)
        rows = self.con.execute("select person, benefit, outcome, reason from outcomes").fetchall()
        outcomes = {(person, benefit): (outcome, reason) for person, benefit, outcome, reason in rows}
        query = "select finding, county_code, certificate_number, coalesce(name, ''), coalesce(id_number, '') from findings"
        return outcomes, Counter(self.con.execute(f"{query} where certificate_number is not null").fetchall())

    def county_of(self) -> dict[int, str]:
        return dict(self.con.execute("select person, county_code from people").fetchall())


@cache
def make_world(folder: Path) -> World:
    """Taken in, matched, judged and kept as a night does it; once for all tests."""
    inbox = nights.make_world(folder, people=2500, share=0.2)
    shutil.copytree(nights.ROOT / "schemas", folder / "schemas")
    for name in RULES:
        (folder / "rules" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(nights.ROOT / "rules" / f"{name}.yaml", folder / "rules" / f"{name}.yaml")
    datasets = load_datasets(folder / "schemas")
    delivered = intake.take_in(inbox, folder / "state", datasets, nights.AS_OF, Settings())
    con = matching.connect(2.0, 0, str(folder / "spill"))
    delivered = match(con, datasets, delivered)
    world = World(folder, con, datasets, delivered)
    world.judge(world.rules)
    keep_night(con, world.state, entitlement.declared_facts(datasets), nights.AS_OF)
    return world


def copied(world: World, folder: Path) -> Path:
    """A copy of the rules in force, to be changed."""
    return Path(shutil.copytree(world.rules, folder / "rules-new"))


def edited(path: Path, *changes: tuple[str, str]) -> None:
    """Replaces places of a rule file that must be there."""
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")


def extended(world: World, folder: Path) -> Path:
    """The nursing subsidy extended to level-3 intellectual and mental disability in this prefecture, for 77.5 yuan."""
    rules = copied(world, folder)
    edited(rules / "nursing_subsidy.yaml", *((place, place + more) for place, more in (_WIDER, _PAID)))
    return rules
