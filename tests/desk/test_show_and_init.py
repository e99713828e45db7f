"""`schemas show` is a page without YAML; `init` writes every setting at its default and overwrites nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from desk_files import ROOT, folders, replaced
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import desk
from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.settings import Settings, load_settings
from pipeline.desk.init_settings import settings_text

SCHEMAS = ROOT / "schemas"


@pytest.mark.parametrize("key", sorted(load_datasets(SCHEMAS)))
def test_the_page_tells_everything_the_file_knows(key: str) -> None:
    dataset, page = load_datasets(SCHEMAS)[key], desk.show_schema(SCHEMAS, key)
    words = page.split()
    for name, spec in dataset.fields.items():
        assert name in words
        assert all(word in words for header in (spec.title, *spec.headers) for word in header.split())
        assert all(f"{code}：" in page for code in spec.codes)
    assert all(name in words and fact.of in page for name, fact in dataset.facts.items())
    assert f"超过 {dataset.delivery.stale_after_days} 天" in page
    assert dataset.title in page
    assert dataset.department in page


def test_an_unknown_dataset_is_answered_by_the_nearest() -> None:
    with pytest.raises(ReconcileError) as caught:
        desk.show_schema(SCHEMAS, "civil_affairs/dibo")
    assert caught.value.problem.cure.startswith("相近的有：civil_affairs/dibao")


def test_a_title_is_answered_by_its_key() -> None:
    title = load_datasets(SCHEMAS)["civil_affairs/dibao"].title
    with pytest.raises(ReconcileError) as caught:
        desk.show_schema(SCHEMAS, title)
    assert "civil_affairs/dibao" in caught.value.problem.cure


def test_a_countys_own_headers_are_shown_on_request(tmp_path: Path) -> None:
    _, schemas = folders(tmp_path)
    path = schemas / "civil_affairs/dibao.yaml"
    replaced(
        path, "    title: 家庭编号\n", '    title: 家庭编号\n    county_headers: {"533423": [某县家庭号]}\n'
    )
    assert "某县家庭号" not in desk.show_schema(schemas, "civil_affairs/dibao")
    page = desk.show_schema(schemas, "civil_affairs/dibao", "533423")
    assert "本县  某县家庭号" in page
    assert "维西" in page


# ---- init ----


def test_the_file_loads_and_says_nothing_but_the_defaults(tmp_path: Path) -> None:
    out = tmp_path / "reconcile.toml"
    assert str(out) in desk.init_settings(out, "")
    assert load_settings(out) == Settings()


def test_every_key_of_the_model_stands_in_the_file_with_a_comment() -> None:
    text = settings_text("")
    written = tomllib.loads(text)

    def keys(values: dict[str, Any]) -> dict[str, Any]:
        own = {k: v for k, v in values.items() if k not in ("counties", "recipients", "departments")}
        return {
            k: keys(v) if isinstance(v, dict) else list if isinstance(v, tuple) else type(v)
            for k, v in own.items()
        }

    assert keys(written) == keys(Settings().model_dump())
    lines = text.splitlines()
    for n, line in enumerate(lines):
        if "=" in line and not line.startswith("#"):
            assert lines[n - 1].startswith("# ")


def test_the_tables_of_addresses_stand_there_as_examples() -> None:
    text = settings_text("")
    assert "# [recipients]" in text
    assert "# [departments]" in text


def test_the_county_table_works_once_its_comment_signs_are_gone() -> None:
    text = settings_text("")
    at = text.index('# [counties."')
    opened = "\n".join(line.removeprefix("# ") for line in text[at:].splitlines())
    county = Settings.model_validate(tomllib.loads(text[:at] + opened)).counties
    assert list(county) == ["533499"]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=30))
@settings(derandomize=True, deadline=None)
def test_any_name_of_a_region_comes_back(name: str) -> None:
    assert tomllib.loads(settings_text(name))["region"] == name


def test_a_settings_file_is_never_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "reconcile.toml"
    out.write_text("# mine\n", encoding="utf-8")
    with pytest.raises(ReconcileError) as caught:
        desk.init_settings(out, "示例州")
    assert caught.value.problem.code == "E113"
    assert out.read_text(encoding="utf-8") == "# mine\n"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReconcileError) as caught:
        desk.init_settings(tmp_path / "no" / "reconcile.toml", "")
    assert caught.value.problem.code == "E113"
