"""Rule files that are miswritten are refused with the code and the line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.rule import load_rule

FOLDER = Path(__file__).parents[2] / "rules"
FILES = sorted([*FOLDER.glob("*.yaml"), *FOLDER.glob("findings/*.yaml")])
NURSING = (FOLDER / "nursing_subsidy.yaml").read_text(encoding="utf-8")


def _line(text: str) -> int:
    return NURSING[: NURSING.index(text)].count("\n") + 1


def _refusal(text: str, folder: Path, name: str = "nursing_subsidy.yaml") -> tuple[str, int]:
    """Code and line of the refusal."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReconcileError) as caught:
        load_rule(path)
    assert caught.value.exit_code == 1
    assert caught.value.problem.cure
    return caught.value.problem.code, caught.value.problem.row


@pytest.mark.parametrize(
    ("found", "replaced", "code", "row"),
    [
        ("title: 重度", "title: 甲\ntitle: 重度", "E101", 3),
        ("owner: 民政", "\towner: 民政", "E101", 3),
        ("owner: 民政", "ower: 民政", "E301", 3),
        ("owner: 民政", "owner: 民政\nremark: 说明", "E301", 4),
        ("    say: 残疾等级为", "    sayy: 甲\n    say: 残疾等级为", "E301", _line("    say: 残疾等级为")),
        ("since: 2016-01-01", "since: 2016-13-01", "E301", 5),
        ("urgency: 2", "urgency: 0", "E301", 6),
        ("urgency: 2", "strength: maybe", "E301", 6),
        ("question_if_not_due: true", "question_if_not_due: 有时", "E301", 7),
        ("received: 在领护理补贴\n", "", "E301", 1),
        ("per: month", "per: week", "E301", None),
        ("    expect: missing", "    expects: missing", "E301", None),
        ('      "36":', "      330:", "E301", None),
        ('      "36":', "      ５３:", "E301", None),
        ('      "36":', "      江西:", "E301", None),
        ('      "36":', "      0512:", "E301", _line('      "36":')),
        ('      "36":', '      "51":', "E101", None),
        ("- id: 工伤", "- id: 特困", "E301", _line("- id: 工伤")),
        ("benefit: nursing_subsidy", "benefit: nursing", "E302", 1),
        ("benefit: nursing_subsidy", "benefit: nursing_subsidy\nfinding: nursing_subsidy", "E301", 2),
    ],
)
def test_a_miswritten_rule_is_refused(
    found: str, replaced: str, code: str, row: int | None, tmp_path: Path
) -> None:
    assert found in NURSING
    got = _refusal(NURSING.replace(found, replaced, 1), tmp_path)
    assert got == (code, row) if row is not None else (got[0] == code and got[1] > 0)


def test_an_unquoted_region_stays_text_and_never_becomes_a_number(tmp_path: Path) -> None:
    """YAML's own typing would make a number of it; here every scalar is text, quoted or not."""
    path = tmp_path / "nursing_subsidy.yaml"
    path.write_text(NURSING.replace('"36":', "3611:"), encoding="utf-8")
    assert set(load_rule(path).parameters["智力精神扩大到"].regions) == {"3611", "51"}


@settings(max_examples=40, derandomize=True, deadline=None)
@given(path=st.sampled_from(FILES), data=st.data())
def test_any_key_given_twice_or_misspelt_is_refused(
    tmp_path_factory: pytest.TempPathFactory, path: Path, data: st.DataObject
) -> None:
    text = path.read_text(encoding="utf-8")
    key = data.draw(st.sampled_from(re.findall("^([a-z_]+):", text, flags=re.MULTILINE)))
    folder = tmp_path_factory.mktemp("rules")
    assert _refusal(f"{text}\n{key}: 甲\n", folder, path.name)[0] == "E101"
    misspelt = re.sub(f"^{key}:", f"{key}x:", text, count=1, flags=re.MULTILINE)
    assert _refusal(misspelt, folder, path.name)[0] == "E301"
