"""JSON Schema of rule, visits, dataset and settings files, made from the pydantic models: editors complete and check with them.

Our reader keeps every scalar as text and pydantic types it, while an editor's YAML already knows numbers and true: where a
model says text, the schema takes these, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.contracts.rule import OUTCOMES, Rule
from pipeline.contracts.settings import Settings
from pipeline.contracts.visit_signs import VisitSigns
from pipeline.desk.json_schema_words import KEY_WORDS
from pipeline.desk.rule_templates import written
from pipeline.entitlement import declared_facts
from pipeline.entitlement.facts import Fact

DIALECT = "http://json-schema.org/draft-07/schema#"  # what editors' YAML and TOML servers know best
FINDING_OUTCOMES = ("found", "not_found", "undetermined")
_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_REGION = "^[0-9]{2}([0-9]{2}([0-9]{2})?)?$"
_SCALAR = ["string", "number", "boolean"]
_YES_NO = {"enum": [True, False, "yes", "no", "true", "false"]}
_NEVER_CERTAIN = {"properties": {"certain": {"enum": [False, "no", "false"]}}}

Schema = dict[str, Any]


def write_json_schemas(schemas: Path, out: Path) -> str:
    """Writes the schemas of rule, visits, dataset and settings files as `<kind>.schema.json`; returns what was written and
    the next step."""
    facts = declared_facts(load_datasets(schemas))
    files = {
        "rule": rule_schema(facts),
        "visits": visits_schema(facts),
        "dataset": dataset_schema(),
        "settings": settings_schema(),
    }
    for name, schema in files.items():
        text = json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
        written(out / f"{name}.schema.json", text)
    return (
        f"已写出 {out}/ 里的 {'、'.join(f'{name}.schema.json' for name in files)}。\n"
        f"在规则文件第一行写 `# yaml-language-server: $schema=../{out.name}/rule.schema.json`，"
        f"支持它的编辑器就会提示各项怎样写（findings/ 里的文件写 ../../；visits/ 里的写 ../../{out.name}/visits.schema.json）。"
    )


def rule_schema(facts: Mapping[str, Fact]) -> Schema:
    """The schema of rules/*.yaml; `given` offers the declared facts by name."""
    schema = _schema_of(Rule, "规则文件")
    case = schema["definitions"]["Case"]["properties"]
    case["given"] = _given(facts, case["given"]["description"])
    case["expect"]["enum"] = list(dict.fromkeys([*OUTCOMES, *FINDING_OUTCOMES]))
    _regions_by_code(schema)
    who = schema["properties"]["who"]
    who["items"] = {"allOf": [who["items"], _NEVER_CERTAIN]}
    finding = {"required": ["finding"], "properties": {"except": {"items": _NEVER_CERTAIN}}}
    schema["oneOf"] = [{"required": ["benefit", "received"]}, finding]
    return schema


def visits_schema(facts: Mapping[str, Fact]) -> Schema:
    """The schema of rules/visits/*.yaml; `given`, `before` and `lost` offer the declared facts by name."""
    schema = _schema_of(VisitSigns, "走访迹象文件")
    case, sign = (schema["definitions"][model]["properties"] for model in ("SignCase", "Sign"))
    for key in ("given", "before"):
        case[key] = _given(facts, case[key]["description"])
    schema["definitions"]["Sign"]["anyOf"] = [{"required": ["when"]}, {"required": ["lost"]}]
    sign["lost"]["items"] = {"enum": [name for name, fact in facts.items() if fact.is_yes_no]}
    _regions_by_code(schema)
    return schema


def dataset_schema() -> Schema:
    """The schema of schemas/*/*.yaml."""
    return _schema_of(Dataset, "数据说明文件")


def settings_schema() -> Schema:
    """The schema of reconcile.toml, whose values are typed already."""
    return _described(_refs(Settings.model_json_schema(by_alias=True)), "Settings", "设置文件")


def models_in(model: type[BaseModel]) -> dict[str, list[str]]:
    """Every model that the file is made of, with its keys as they are written."""
    schema = _refs(model.model_json_schema(by_alias=True))
    parts = {model.__name__: schema, **schema.get("definitions", {})}
    return {name: list(part.get("properties", {})) for name, part in parts.items()}


def _schema_of(model: type[BaseModel], title: str) -> Schema:
    schema: Schema = _as_written(
        _described(_refs(model.model_json_schema(by_alias=True)), model.__name__, title)
    )
    return schema


def _refs(schema: Schema) -> Schema:
    """`$defs` as draft 7 calls it."""
    text = json.dumps(schema).replace('"#/$defs/', '"#/definitions/').replace('"$defs"', '"definitions"')
    found: Schema = json.loads(text)
    return found


def _described(schema: Schema, name: str, title: str) -> Schema:
    """Every key with its Chinese words; the models' own English goes."""
    for model, part in {name: schema, **schema.get("definitions", {})}.items():
        part.pop("description", None)
        part.pop("title", None)
        for key, spec in part.get("properties", {}).items():
            spec.pop("title", None)
            said = KEY_WORDS[f"{model}.{key}"]
            if "$ref" in spec:  # draft 7 reads nothing beside a reference
                spec["allOf"] = [{"$ref": spec.pop("$ref")}]
            spec["description"] = said
    return {"$schema": DIALECT, "title": title, **schema}


def _as_written(node: Any) -> Any:
    """The schema for what an editor reads: text may look like a number or a yes/no, a date is text."""
    if isinstance(node, list):
        return [_as_written(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "date":
        plain = {key: value for key, value in node.items() if key != "format"}
        return {**plain, "pattern": _DATE}
    if node.get("type") == "boolean":
        return {**{key: value for key, value in node.items() if key != "type"}, **_YES_NO}
    if node.get("type") == "string" and not {"enum", "const", "pattern"} & set(node):
        return {**node, "type": _SCALAR}
    return {
        key: value if key in ("default", "enum", "required") else _as_written(value)
        for key, value in node.items()
    }


def _regions_by_code(schema: Schema) -> None:
    """A parameter's regions are named by their codes."""
    regions = schema["definitions"]["Parameter"]["properties"]["regions"]
    regions["propertyNames"] = {"pattern": _REGION}


def _given(facts: Mapping[str, Fact], description: str) -> Schema:
    return {
        "type": "object",
        "description": description,
        "default": {},
        "additionalProperties": False,
        "properties": {name: _fact_schema(fact) for name, fact in facts.items()},
    }


def _fact_schema(fact: Fact) -> Schema:
    """What a case may give for the fact."""
    said = f"{fact.dataset.department}《{fact.dataset.title}》：{fact.spec.say or fact.name}"
    unknown = ["unknown", "未知"]
    if fact.sql_type == "BOOLEAN":
        return {"description": said, "enum": [True, False, "yes", "no", "是", "否", *unknown]}
    if fact.sql_type == "DATE":
        return {"description": said, "type": "string", "pattern": f"{_DATE}|^(unknown|未知)$"}
    codes = fact.dataset.fields[fact.field].codes if fact.kind == "first" else {}
    if codes:
        return {"description": said, "enum": [*_both_kinds(codes), *unknown]}
    return {"description": said, "type": _SCALAR}


def _both_kinds(codes: Iterable[str]) -> list[str | int]:
    """A code that looks like a number may be written with or without quotes."""
    found: list[str | int] = []
    for code in codes:
        found += [code, int(code)] if code.isdigit() else [code]
    return found
