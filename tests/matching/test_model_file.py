"""The model file: what is saved is what is loaded, the same models are the same bytes, mistakes are told by their line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.problem import ReconcileError
from pipeline.matching.fellegi_sunter import Field, Level, Model
from pipeline.matching.model_file import Models, load_models, save_models

TEXT = """version: '2026-10'
made_from: {as_of: '2026-10-31', pairs: '48211'}
prior: 0.002
fields:
  name:
    exact: {m: 0.91, u: 8e-4}
    other: {m: 0.09, u: 0.9992}
  place:
    same: {m: 0.8, u: 0.1}
    other: {m: 0.2, u: 0.9}
    unknown: {m: 1, u: 1}
lists:
  medical_insurance/insured:
    prior: 0.004
    fields:
      name:
        exact: {m: 0.93}
        other: {m: 0.07}
  civil_affairs/subsidy: {prior: 0.01}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "models.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_says_only_what_differs(tmp_path: Path) -> None:
    models = load_models(write(tmp_path, TEXT))
    base, insured = models.of("education/pupils"), models.of("medical_insurance/insured")
    assert (base.version, base.prior) == ("2026-10", 0.002)
    assert models.made_from == {"as_of": "2026-10-31", "pairs": "48211"}
    assert base.fields[0] == Field("name", (Level("exact", 0.91, 0.0008), Level("other", 0.09, 0.9992)))
    assert insured.prior == 0.004
    assert insured.fields[0] == Field("name", (Level("exact", 0.93, 0.0008), Level("other", 0.07, 0.9992)))
    assert insured.fields[1] == base.fields[1]
    assert models.of("civil_affairs/subsidy") == replace(base, prior=0.01)


def test_saved_twice_is_the_same_file_and_loads_as_itself(tmp_path: Path) -> None:
    models = load_models(write(tmp_path, TEXT))
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    save_models(models, one)
    save_models(replace(models, lists=dict(reversed(models.lists.items()))), two)
    assert one.read_bytes() == two.read_bytes()
    assert load_models(one) == models
    assert "place" not in one.read_text(encoding="utf-8").split("lists:")[1]  # only what differs
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models.yaml", "one.yaml", "two.yaml"]


probability = st.floats(1e-9, 1 - 1e-9)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(m=probability, u=probability, own=probability, prior=probability)
def test_six_digits_survive(
    tmp_path_factory: pytest.TempPathFactory, m: float, u: float, own: float, prior: float
) -> None:
    def model(m: float) -> Model:
        levels = (Level("exact", m, u), Level("other", 1 - m, 1 - u))
        return Model("1", prior, (Field("name", levels),))

    path = tmp_path_factory.mktemp("model") / "models.yaml"
    save_models(Models(model(m), {"a/b": model(own)}, {"note": 'says "yes": 是'}), path)
    loaded = load_models(path)
    assert loaded.made_from == {"note": 'says "yes": 是'}
    for now, at in ((loaded.of("c/d"), m), (loaded.of("a/b"), own)):
        assert now.prior == pytest.approx(prior, rel=1e-5)
        assert now.fields[0].levels[0].m == pytest.approx(at, rel=1e-5)
        assert now.fields[0].levels[1].u == pytest.approx(1 - u, rel=1e-5)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("m: 0.91", "m: 0.5", 5, "字段“name”各比较等级的 m 之和应为 1"),
        ("m: 0.91", "m: 1.91", 6, "应不大于 1"),
        ("u: 8e-4", "u: 0", 6, "应大于 0"),
        ("u: 8e-4", "u: much", 6, "应是数"),
        ("prior: 0.002", "prior: 1", 3, "prior"),
        ("version: '2026-10'\n", "", 1, "缺少这一项"),
        ("{m: 0.93}", "{m: 0.5}", 13, "名单“medical_insurance/insured”：字段“name”各比较等级的 m"),
        ("        exact: {m: 0.93}", "        exakt: {m: 0.93}", 13, "没有比较等级“exakt”"),
        ("      name:\n", "      nom:\n", 13, "上面没有字段“nom”"),
        ("  civil_affairs/subsidy", "  subsidy", 19, "写法不对"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    assert old in TEXT
    with pytest.raises(ReconcileError) as caught:
        load_models(write(tmp_path, TEXT.replace(old, new, 1)))
    problem = caught.value.problem
    assert (problem.code, problem.row) == ("E510", line)
    assert said in problem.line()


def test_no_file_is_a_problem_too(tmp_path: Path) -> None:
    with pytest.raises(ReconcileError, match=r"E510 nothing\.yaml"):
        load_models(tmp_path / "nothing.yaml")


def test_models_of_other_levels_are_not_written(tmp_path: Path) -> None:
    models = load_models(write(tmp_path, TEXT))
    other = replace(models.base, fields=models.base.fields[:1])
    with pytest.raises(ValueError, match="other fields or levels"):
        save_models(Models(models.base, {"a/b": other}), tmp_path / "new.yaml")
    with pytest.raises(ValueError, match="lists"):
        save_models(Models(models.base, {"no dataset": models.base}), tmp_path / "new.yaml")
    assert not (tmp_path / "new.yaml").exists()
