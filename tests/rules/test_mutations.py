"""Two hundred mutated rule files: each refused with its place and cure, or accepted as another version, or the same rule."""

from __future__ import annotations

from pathlib import Path

import pytest
from fates import CASES, CHANGED, CHECK, READ, SAME, Fate
from mutation_kinds import KINDS
from mutations import mutants
from run_mutations import ROOT, campaign, complaints, survivors

COUNT, SEED = 200, 1
MOST_SURVIVORS = 0  # each of them shows a case that is missing


@pytest.fixture(scope="module")
def fates() -> list[Fate]:
    return campaign(COUNT, SEED)


def test_every_refusal_has_its_place_and_cure_and_every_change_its_version(fates: list[Fate]) -> None:
    assert complaints(fates) == []


def test_no_mutant_changes_an_answer_unseen_by_the_cases(fates: list[Fate]) -> None:
    assert len(survivors(fates)) <= MOST_SURVIVORS, survivors(fates)


def test_the_campaign_tries_every_kind_and_meets_every_defence(fates: list[Fate]) -> None:
    assert len(fates) == COUNT
    assert {fate.mutant.kind for fate in fates} == set(KINDS)
    assert {READ, CHECK, CASES, SAME} <= {fate.kind for fate in fates}
    refused = sum(fate.kind in (READ, CHECK, CASES) for fate in fates)
    assert refused > COUNT / 2


def test_the_same_seed_gives_the_same_mutants() -> None:
    paths = sorted((ROOT / "rules").glob("*.yaml"))[:3]
    first, again = (list(mutants(paths, ["低保", "特困供养"], 60, 5)) for _ in range(2))
    assert first == again
    assert first != list(mutants(paths, ["低保", "特困供养"], 60, 6))
    for mutant in first:
        before = mutant.path.read_text(encoding="utf-8")
        assert mutant.text != before
        assert abs(mutant.text.count("\n") - before.count("\n")) <= 1


def test_a_case_that_is_missing_is_found_out(tmp_path: Path) -> None:
    """The campaign itself: of a rule whose conditions no case tries, changes survive."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    (tmp_path / "rules/made_up.yaml").write_text(
        "benefit: made_up\ntitle: 甲\nowner: 民政\nlaw: 甲\nsince: 2016-01-01\n"
        "who:\n  - id: 重度\n    say: 甲\n    when: 残疾等级 <= 2 and 年龄 >= 16\nreceived: 在领护理补贴\n"
        "cases:\n  - name: 甲\n    given: {残疾等级: 1, 年龄: 40, 在领护理补贴: no}\n    expect: missing\n",
        encoding="utf-8",
    )
    found = [fate for fate in campaign(40, 3, tmp_path) if fate.kind == CHANGED]
    assert any("<= 1 and" in fate.mutant.what for fate in found) or any(
        "17" in fate.mutant.what for fate in found
    )
    assert all(fate.version_changed for fate in found)
