"""Reads a YAML file the way a rule or schema may be written: text scalars only, no duplicate keys, places kept.

YAML's own typing is refused on purpose: `0512` unquoted would become 330 and `yes` a boolean. Every scalar stays
text; pydantic types it (`extra="forbid"`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pipeline.contracts.problem import Problem, ReconcileError


class _TextLoader(yaml.SafeLoader):
    """A loader whose scalars are all text and whose mappings refuse a key given twice."""


class _FastLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same in C, ten times as fast; the other one is asked again where a complaint needs its words."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "键应为文字", key_node.start_mark)
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            line = key_node.start_mark.line + 1
            raise yaml.constructor.ConstructorError(
                None, None, f"重复的键“{key}”（第{line}行）", key_node.start_mark
            )
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", None)  # a tag such as !!int is refused
for _loader in (_TextLoader, _FastLoader):
    _loader.yaml_implicit_resolvers = {}  # nothing is a number, date or boolean by its looks
    _loader.yaml_constructors = {tag: _loader.yaml_constructors[tag] for tag in _TAGS}
    _loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)

# The parser's commonest complaints as the person who edits the file says them.
_SAID = {
    "mapping values are not allowed": "冒号用在了不该用的地方，或上一行没有写完",
    "could not find expected ':'": "这一行少了冒号，或冒号后没有空格",
    "found character '\\t'": "行首用了制表符",
    "found character": "以 @ ` % 等符号开头的内容要加引号",
    "expected <block end>": "缩进与上面的行不齐",
    "expected ',' or": "方括号或花括号里少了逗号，或没有闭合",
    "found unexpected end of stream": "引号没有闭合",
    "found undefined alias": "以 * 开头的内容要加引号",
}


def read_yaml(path: Path) -> dict[str, Any]:
    """The file's mapping with every scalar as text. Raises ReconcileError E101 with the line where it is not YAML."""
    try:
        loaded = _loaded(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        other = "嵌套太深" if isinstance(error, RecursionError) else "不是 UTF-8 编码"
        why = str(getattr(error, "problem", None) or other)
        raise ReconcileError(
            Problem(
                "E101",
                "error",
                "不是合法的 YAML 文件",
                next((chinese for english, chinese in _SAID.items() if why.startswith(english)), why),
                "按该行提示改正（缩进用空格，冒号后空一格，标点用半角）",
                file=f"{path.parent.name}/{path.name}",
                row=mark.line + 1 if mark else 0,
            )
        ) from None
    if not isinstance(loaded, dict):
        raise ReconcileError(
            Problem(
                "E101",
                "error",
                "文件内容不是“键: 值”",
                "顶层应为映射",
                "参照同目录其他文件书写",
                file=f"{path.parent.name}/{path.name}",
            )
        )
    return loaded


def _loaded(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_FastLoader)  # noqa: S506 a SafeLoader
    except yaml.YAMLError:
        return yaml.load(text, Loader=_TextLoader)  # noqa: S506 a SafeLoader


def line_of(path: Path, *keys: str) -> int:
    """The line (from 1) on which the nested key stands, the nearest one around it, or 0: for messages only."""
    return _find(_composed(path), keys)[0]


def lines_naming(path: Path, keys: list[str], name: str) -> list[int]:
    """The lines under the nested key on which the name stands, as a key or a value, from above."""
    return list(_lines(_find(_composed(path), tuple(keys))[1], name))


def _composed(path: Path) -> yaml.Node | None:
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=_FastLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return None


def _find(node: yaml.Node | None, keys: tuple[str, ...]) -> tuple[int, yaml.Node | None]:
    """The line of the key and the node of its value, as far as the keys lead."""
    line = 0
    for key in keys:
        if isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
            node = node.value[int(key)]
            line = node.start_mark.line + 1
            continue
        if not isinstance(node, yaml.MappingNode):
            return line, node
        for key_node, value_node in node.value:
            if key_node.value == key:
                line, node = key_node.start_mark.line + 1, value_node
                break
        else:
            return line, node
    return line, node


def _lines(node: yaml.Node | None, name: str) -> Iterator[int]:
    if isinstance(node, yaml.ScalarNode) and node.value == name:
        yield node.start_mark.line + 1
    children = node.value if isinstance(node, yaml.SequenceNode) else []
    if isinstance(node, yaml.MappingNode):
        children = [part for pair in node.value for part in pair]
    for child in children:
        yield from _lines(child, name)
