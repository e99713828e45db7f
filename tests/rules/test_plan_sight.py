"""The campaign's last question: what the comparison shows of a mutant that check and cases let pass."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
from fates import CHANGED, EQUAL, PERIOD, WORDS, Fate
from mutations import Mutant
from run_mutations import ROOT, plan_report

sys.path.append(str(ROOT / "tests" / "desk"))

import plan_world
from plan_sight import LATER, OUTSIDE, REFUSED, SHOWN, TEXT, Planner, Sight
from plan_world import World

EXPIRED = "findings/certificate_expired.yaml"
OUTSIDERS = "findings/certificate_not_issued.yaml"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return plan_world.make_world(tmp_path_factory.getbasetemp() / "plan-world")


def slip(name: str, old: str, new: str, kind: str = CHANGED) -> Fate:
    path = ROOT / "rules" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    mutant = Mutant(0, path, "事实", f"{old} → {new}", text.replace(old, new, 1))
    return Fate(mutant, kind, (), True)


@pytest.mark.parametrize(
    ("name", "old", "new", "kind"),
    [
        (EXPIRED, "证件有效期至 < 本日", "证件有效期至 < 一年前", SHOWN),
        (EXPIRED, "('正常', '过期')", "('正常', '过期', '挂失')", TEXT),
        (EXPIRED, "since: 2018-01-01", "since: 2018-03-01", LATER),
        (EXPIRED, "证件有效期至 < 本日", "残疾类别 + 1 > 2", REFUSED),
        (OUTSIDERS, "when: 有评定等级", "when: not 有评定等级", OUTSIDE),
        ("nursing_subsidy.yaml", "when: 特困供养", "when: 低保", SHOWN),
    ],
)
def test_what_the_comparison_shows(
    world: World, tmp_path: Path, name: str, old: str, new: str, kind: str
) -> None:
    planner = Planner(world.state, world.schemas, tmp_path)
    (sight,) = planner.sights([slip(name, old, new)])
    assert sight.kind == kind
    assert (sight.day is not None) is (kind == LATER)


def test_only_what_was_let_pass_with_another_meaning_is_asked(world: World, tmp_path: Path) -> None:
    planner = Planner(world.state, world.schemas, tmp_path)
    change = (EXPIRED, "证件有效期至 < 本日", "证件有效期至 < 一年前")
    fates = [slip(*change, kind=kind) for kind in (WORDS, PERIOD, EQUAL, CHANGED)]
    assert [sight.fate.kind for sight in planner.sights(fates)] == [PERIOD, CHANGED]


def test_what_is_not_shown_is_named_with_its_change() -> None:
    fate = slip(EXPIRED, "证件有效期至 < 本日", "证件有效期至 <= 本日")
    sights = [Sight(fate, SHOWN), Sight(fate, LATER), *(Sight(fate, kind) for kind in (TEXT, OUTSIDE))]
    head, *named = plan_report(sights)
    assert all(f"{kind} 1" in head for kind in (SHOWN, LATER, TEXT, OUTSIDE))
    assert Counter(kind for kind in (SHOWN, LATER, TEXT, OUTSIDE) for line in named if kind in line) == {
        TEXT: 1,
        OUTSIDE: 1,
    }
    assert all("certificate_expired.yaml" in line and "< 本日 → " in line for line in named)
