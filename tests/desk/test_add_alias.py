"""`alias add` changes one place of the file's text: comments, layout and everything else stay byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk_files import folders
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline import desk
from pipeline.contracts.dataset import load_dataset
from pipeline.contracts.problem import ReconcileError
from pipeline.intake.header_text import plain

HEAD = """# 头上的说明
dataset: justice/prisoners
title: 名册
department: 司法
grain: 一行一人
delivery: {by: county, stale_after_days: 62}
person: {name: name, id: id}
fields:
"""
REGISTER = """dataset: federation/register
title: 名册
department: 残联
grain: 一行一人
role: register
delivery: {by: prefecture, stale_after_days: 62}
person: {id: id}
fields:
  id: {title: 身份证号, type: id, headers: [身份证号]}
"""
STYLES = {
    "flow": "  id:\n    title: 身份证号\n    type: id\n    headers: [身份证号, 号码]  # 说明\n\n  # 下一列\n",
    "flow_lines": "  id:\n    title: 身份证号\n    type: id\n    headers: [\n      身份证号,  # 一\n      号码,  # 二\n    ]\n",
    "flow_quoted": "  id:\n    title: 身份证号\n    type: id\n    headers: [\"身份证号\", '号码',]\n",
    "block": "  id:\n    title: 身份证号\n    type: id\n    headers:\n      - 身份证号\n      # 见过一次\n      - 号码  # 说明\n\n  # 下一列\n",
    "block_flush": "  id:\n    title: 身份证号\n    headers:\n    - 身份证号\n    - 号码\n    type: id\n",
    "one_line": "  id: {title: 身份证号, type: id, headers: [身份证号, 号码]}  # 说明\n",
    "no_end": "  id:\n    title: 身份证号\n    type: id\n    headers:\n      - 身份证号\n      - 号码",
}
NAME = "  name: {title: 姓名, type: name, headers: [姓名, 服刑人姓名]}\n"
KEY = "justice/prisoners"


def schemas_with(folder: Path, style: str, ending: str = "\n") -> Path:
    (folder / "federation").mkdir(parents=True)
    (folder / "justice").mkdir()
    (folder / "federation" / "register.yaml").write_text(REGISTER, encoding="utf-8")
    path = folder / f"{KEY}.yaml"
    path.write_bytes((HEAD + NAME + STYLES[style]).replace("\n", ending).encode())
    return path


def added_only(before: str, after: str) -> bool:
    """Nothing was taken away: the old text's characters all stand in the new one, in order."""
    rest = iter(after)
    return all(character in rest for character in before)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("county", ["", "533423"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_every_layout(style: str, county: str, ending: str, tmp_path: Path) -> None:
    path = schemas_with(tmp_path, style, ending)
    before = path.read_bytes().decode()
    mode = path.stat().st_mode
    for header in ("证件编号", "居民证: 号", "#3号"):
        assert header in desk.add_alias(tmp_path, KEY, "id", header, county)
    after = path.read_bytes().decode()
    assert added_only(before, after)
    assert after.count("#") == before.count("#") + 1
    spec = load_dataset(path).fields["id"]
    new = ("证件编号", "居民证: 号", "#3号")
    assert spec.headers == (("身份证号", "号码") if county else ("身份证号", "号码", *new))
    assert spec.county_headers == ({county: new} if county else {})
    assert path.stat().st_mode == mode
    assert sorted(p.name for p in path.parent.iterdir()) == ["prisoners.yaml"]


def test_a_second_county_gets_its_own_list(tmp_path: Path) -> None:
    path = schemas_with(tmp_path, "flow")
    desk.add_alias(tmp_path, KEY, "id", "甲", "533423")
    desk.add_alias(tmp_path, KEY, "id", "乙", "533422")
    assert load_dataset(path).fields["id"].county_headers == {"533423": ("甲",), "533422": ("乙",)}


def test_an_abolished_county_code_becomes_todays(tmp_path: Path) -> None:
    path = schemas_with(tmp_path, "flow")
    assert "533401" in desk.add_alias(tmp_path, KEY, "id", "甲", "533421")
    assert load_dataset(path).fields["id"].county_headers == {"533401": ("甲",)}


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=12))
@settings(derandomize=True, deadline=None, max_examples=150)
def test_any_header_comes_back_as_it_was_typed(tmp_path_factory: pytest.TempPathFactory, header: str) -> None:
    assume(
        plain(header)
        and not any(plain(header) == plain(h) for h in ("身份证号", "号码", "姓名", "服刑人姓名"))
    )
    assume(sum(c.isdigit() for c in header) < 6)
    folder = tmp_path_factory.mktemp("schemas")
    path = schemas_with(folder, "flow_lines")
    desk.add_alias(folder, KEY, "id", header)
    assert load_dataset(path).fields["id"].headers == ("身份证号", "号码", header.strip())


@pytest.mark.parametrize(
    ("dataset", "field", "header", "county", "code", "said"),
    [
        ("justice/prisoner", "id", "甲", "", "E112", KEY),
        (KEY, "ids", "甲", "", "E112", "相近的有：id"),
        (KEY, "身份证号", "甲", "", "E112", "相近的有：id"),
        (KEY, "id", "姓名", "", "E114", "name（姓名）"),
        (KEY, "id", "服刑人　姓名", "", "E114", "name（姓名）"),
        (KEY, "id", "姓名", "533423", "E114", "name（姓名）"),
        (KEY, "id", "  ", "", "E114", "不能为空"),
        (KEY, "id", "甲\n乙", "", "E114", "控制字符"),
        (KEY, "id", "539901199001011234", "", "E114", "数字"),
        (KEY, "id", "甲", "999999", "E112", "999999"),
        (KEY, "id", "甲", "云南", "E112", "云南"),
    ],
)
def test_what_cannot_be_added_is_refused_and_the_file_stays(
    dataset: str, field: str, header: str, county: str, code: str, said: str, tmp_path: Path
) -> None:
    path = schemas_with(tmp_path, "block")
    before = path.read_bytes()
    with pytest.raises(ReconcileError) as caught:
        desk.add_alias(tmp_path, dataset, field, header, county)
    assert caught.value.problem.code == code
    assert said in caught.value.problem.line()
    assert path.read_bytes() == before


def test_a_header_known_already_changes_nothing(tmp_path: Path) -> None:
    path = schemas_with(tmp_path, "block")
    before = path.read_bytes()
    assert "已有" in desk.add_alias(tmp_path, KEY, "id", "身份 证号")
    assert path.read_bytes() == before


def test_shared_lists_are_left_to_people(tmp_path: Path) -> None:
    """An anchor's list belongs to two fields: adding to one would add to the other."""
    path = schemas_with(tmp_path, "flow")
    text = path.read_text(encoding="utf-8").replace(
        "headers: [身份证号, 号码]", "headers: &both [身份证号, 号码]"
    )
    text = text.replace("[姓名, 服刑人姓名]}", '[姓名, 服刑人姓名], county_headers: {"533423": [甲]}}')
    path.write_text(
        text + '  gid: {title: 乙, type: id, headers: [乙], county_headers: {"533423": *both}}\n',
        encoding="utf-8",
    )
    before = path.read_bytes()
    with pytest.raises(ReconcileError) as caught:
        desk.add_alias(tmp_path, KEY, "id", "丙")
    assert caught.value.problem.code == "E114"
    assert path.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == ["prisoners.yaml"]


def test_every_field_of_the_shipped_schemas_can_learn_a_header(tmp_path: Path) -> None:
    _, schemas = folders(tmp_path)
    for key in ("civil_affairs/dibao", "federation/register"):
        path = schemas / f"{key}.yaml"
        for name in load_dataset(path).fields:
            before = path.read_text(encoding="utf-8")
            desk.add_alias(schemas, key, name, f"{name}（新写法）")
            assert added_only(before, path.read_text(encoding="utf-8"))
    assert not desk.check_schemas(schemas)[1]
