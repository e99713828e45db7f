"""The JSON Schemas: every key with its words, every shipped file accepted as an editor reads it, faults refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from desk_files import ROOT
from pydantic import BaseModel

from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.contracts.rule import Rule
from pipeline.contracts.settings import Settings
from pipeline.contracts.visit_signs import VisitSigns
from pipeline.desk.check_rules import rule_files
from pipeline.desk.init_settings import settings_text
from pipeline.desk.json_schema import (
    dataset_schema,
    models_in,
    rule_schema,
    settings_schema,
    visits_schema,
    write_json_schemas,
)
from pipeline.desk.json_schema_words import KEY_WORDS
from pipeline.entitlement import declared_facts

FACTS = declared_facts(load_datasets(ROOT / "schemas"))
RULE, VISITS, DATASET = rule_schema(FACTS), visits_schema(FACTS), dataset_schema()
_TYPES: dict[str, Any] = {"string": str, "object": dict, "array": list, "boolean": bool, "null": type(None)}


class EditorLoader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: true, false and numbers are typed; yes, no and dates are text."""


EditorLoader.yaml_implicit_resolvers = {}
EditorLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))
EditorLoader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile("^-?[0-9]+$"), list("-0123456789"))
EditorLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^-?[0-9]+\.[0-9]+$"), list("-0123456789")
)
EditorLoader.yaml_constructors = {
    **yaml.SafeLoader.yaml_constructors,
    "tag:yaml.org,2002:int": lambda loader, node: int(node.value),
}


def keys_as_text(value: Any) -> Any:
    """Keys are text in JSON."""
    if isinstance(value, dict):
        return {str(key): keys_as_text(item) for key, item in value.items()}
    return [keys_as_text(item) for item in value] if isinstance(value, list) else value


def read(text: str) -> Any:
    return keys_as_text(yaml.load(text, Loader=EditorLoader))


def is_a(value: Any, kind: str) -> bool:
    if kind in ("number", "integer"):
        return isinstance(value, (int, float) if kind == "number" else int) and not isinstance(value, bool)
    return isinstance(value, _TYPES[kind])


def faults(value: Any, schema: Any, root: Any, at: str = "") -> list[str]:
    """What draft 7 says against the value: the keywords that our schemas use, and no other."""
    known = {"type", "enum", "const", "pattern", "properties", "required", "additionalProperties", "propertyNames", "items",
             "anyOf", "allOf", "oneOf", "$ref", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "minLength",
             "default", "description", "title", "definitions", "$schema"}  # fmt: skip
    assert set(schema) <= known, set(schema) - known
    found: list[str] = []
    if "$ref" in schema:
        found += faults(value, root["definitions"][schema["$ref"].rsplit("/", 1)[1]], root, at)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(is_a(value, kind) for kind in kinds):
        return [*found, f"{at}: {kinds}"]
    if "enum" in schema and not any(type(v) is type(value) and v == value for v in schema["enum"]):
        found.append(f"{at}: {value} not in enum")
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        found.append(f"{at}: pattern")
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        found.append(f"{at}: too short")
    if (
        "minimum" in schema
        and is_a(value, "number")
        and not schema["minimum"] <= value <= schema.get("maximum", value)
    ):
        found.append(f"{at}: range")
    for key, wanted in (("anyOf", range(1, 9)), ("allOf", range(9)), ("oneOf", range(1, 2))):
        if key in schema:
            bad = [one for one in schema[key] if faults(value, one, root, at)]
            good = len(schema[key]) - len(bad)
            if good not in wanted or (key == "allOf" and bad):
                found.append(f"{at}: {key}")
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            found.append(f"{at}: too few")
        for n, item in enumerate(value):
            found += faults(item, schema.get("items", {}), root, f"{at}[{n}]")
    if isinstance(value, dict):
        found += _object_faults(value, schema, root, at)
    return found


def _object_faults(value: dict[str, Any], schema: Any, root: Any, at: str) -> list[str]:
    found = [f"{at}: {key} is missing" for key in schema.get("required", []) if key not in value]
    properties, further = schema.get("properties", {}), schema.get("additionalProperties", True)
    for key, item in value.items():
        found += faults(key, schema.get("propertyNames", {}), root, f"{at}.{key}")
        if key in properties:
            found += faults(item, properties[key], root, f"{at}.{key}")
        elif further is False:
            found.append(f"{at}: no key {key}")
        elif isinstance(further, dict):
            found += faults(item, further, root, f"{at}.{key}")
    return found


MODELS = (Rule, VisitSigns, Dataset, Settings)


@pytest.mark.parametrize("model", MODELS)
def test_every_key_has_its_words_in_chinese(model: type[BaseModel]) -> None:
    for name, keys in models_in(model).items():
        for key in keys:
            assert re.search("[\u4e00-\u9fff]", KEY_WORDS.get(f"{name}.{key}", "")), f"{name}.{key}"


def test_no_words_are_left_of_keys_that_are_gone() -> None:
    keys = {f"{m}.{k}" for model in MODELS for m, ks in models_in(model).items() for k in ks}
    assert set(KEY_WORDS) <= keys


@pytest.mark.parametrize("path", rule_files(ROOT / "rules"), ids=lambda path: path.stem)
def test_the_shipped_rules_are_accepted(path: Path) -> None:
    assert faults(read(path.read_text(encoding="utf-8")), RULE, RULE) == []


@pytest.mark.parametrize("path", sorted((ROOT / "rules/visits").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_signs_are_accepted(path: Path) -> None:
    assert faults(read(path.read_text(encoding="utf-8")), VISITS, VISITS) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("owner:", "ower:"),
        ("weight: 6", "weight: 16"),
        ("    ask:", "    aks:"),
        ("\n    when: 本年自付金额 >= 大额自付线 * 100", ""),
        ("ask: 什么时候停的，", "ask: ''  # "),
        ("lost: [低保,", "lost: [残疾等级,"),
        ("lost: [低保,", "lost: [低包,"),
        ("{残疾等级: 2, ", "{残疾等第: 2, "),
        ("{残疾等级: 2, ", "{残疾等级: 5, "),
        ("before: {低保: yes}", "before: {低保: 有}"),
        ("before: {低保: yes}", "befor: {低保: yes}"),
        ("monitored: yes", "monitored: 也许"),
        ("as_of: 2020-10-31", "as_of: 2020年"),
        ("values: {", "values: {去年: 1, "),
        ("\nmonitored: ", "\nmonitord: "),
    ],
)
def test_a_fault_in_the_signs_is_underlined(old: str, new: str) -> None:
    text = (ROOT / "rules/visits/early_warning.yaml").read_text(encoding="utf-8")
    assert old in text
    assert faults(read(text.replace(old, new, 1)), VISITS, VISITS)


@pytest.mark.parametrize("path", sorted((ROOT / "schemas").rglob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_datasets_are_accepted(path: Path) -> None:
    assert faults(read(path.read_text(encoding="utf-8")), DATASET, DATASET) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("owner:", "ower:"),
        ("since: 2016-01-01", "since: 2016/01/01"),
        ("urgency: 2", "urgency: 12"),
        ("question_if_not_due: true", "question_if_not_due: 有时"),
        ("received: 在领生活补贴\n", ""),
        ("per: month", "per: week"),
        ("expect: missing", "expect: mising"),
        ("given: {残疾类别: 肢体", "given: {残疾类型: 肢体"),
        ("残疾类别: 肢体", "残疾类别: 智障"),
        ("低保: yes", "低保: 有"),
        ("证件有效期至: 2026-08-31", "证件有效期至: 明年"),
        ('"36":', "江西:"),
        ("{2016-01-01: no}", "{2016年: no}"),
        ("benefit: living_subsidy", "benefit: living_subsidy\nfinding: living_subsidy"),
        ("    say: 已纳入", "    sayy: 已纳入"),
    ],
)
def test_a_fault_is_underlined(old: str, new: str) -> None:
    text = (ROOT / "rules/living_subsidy.yaml").read_text(encoding="utf-8")
    assert old in text
    assert faults(read(text.replace(old, new, 1)), RULE, RULE)


def test_a_faulty_dataset_is_underlined() -> None:
    text = (ROOT / "schemas/civil_affairs/dibao.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("by: county", "by: village"),
        ("department:", "departement:"),
        ("type: id", "type: idd"),
    ):
        assert old in text
        assert faults(read(text.replace(old, new, 1)), DATASET, DATASET)


def test_the_settings_that_init_writes_are_accepted() -> None:
    import tomllib

    schema = settings_schema()
    values = tomllib.loads(settings_text("示例州"))
    assert faults(values, schema, schema) == []
    assert faults({**values, "regoin": ""}, schema, schema)


def test_the_files_are_written_the_same_every_time(tmp_path: Path) -> None:
    said = write_json_schemas(ROOT / "schemas", tmp_path / "editor")
    assert "yaml-language-server: $schema=../editor/rule.schema.json" in said
    first = {path.name: path.read_bytes() for path in (tmp_path / "editor").iterdir()}
    assert sorted(first) == [f"{kind}.schema.json" for kind in ("dataset", "rule", "settings", "visits")]
    assert "visits/ 里的写 ../../editor/visits.schema.json" in said
    write_json_schemas(ROOT / "schemas", tmp_path / "editor")
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "editor").iterdir()}
    rule = json.loads(first["rule.schema.json"])
    assert rule["properties"]["title"]["description"] == KEY_WORDS["Rule.title"]
    assert "民政《" in rule["definitions"]["Case"]["properties"]["given"]["properties"]["低保"]["description"]
