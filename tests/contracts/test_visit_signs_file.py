"""The file of the signs: read as it is shipped, absent without complaint, refused with line and key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.rule import load_rules
from pipeline.contracts.visit_signs import load_visit_signs, visit_signs_file

ROOT = Path(__file__).parents[2]


def test_the_shipped_file_is_read_and_is_no_rule() -> None:
    signs = load_visit_signs(ROOT / "rules")
    assert signs is not None
    assert signs.lost == ("低保", "低保边缘", "特困供养", "孤儿保障", "在领生活补贴", "在领护理补贴")
    assert "early_warning" not in load_rules(ROOT / "rules")


def test_a_folder_without_signs_has_none(tmp_path: Path) -> None:
    assert load_visit_signs(tmp_path) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    weight: 6\n", "    weight: 10\n", "9"),
        ("    weight: 6\n", "", "缺少"),
        ("    weight: 6\n", "    weigth: 6\n", "没有这样的项"),
        ("  - id: 重度无救助", "  - id: 失去保障", "重复"),
        ("  - id: 重度无救助", "  - id: 重度+无救助", "+"),
        ("    when: 本年自付金额 >= 大额自付线 * 100\n", "", "要写 when"),
        ("monitored: 监测对象\n", "", "缺少"),
        ("monitored: no\n", "monitored: maybe\n", "只能写"),
    ],
)
def test_what_breaks_the_form_is_refused_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = visit_signs_file(tmp_path)
    path.parent.mkdir()
    shutil.copy(visit_signs_file(ROOT / "rules"), path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ReconcileError) as caught:
        load_visit_signs(tmp_path)
    problems = [caught.value.problem, *caught.value.others]
    assert {problem.code for problem in problems} == {"E301"}
    assert any(said in problem.why for problem in problems)
    assert all(problem.row for problem in problems)
