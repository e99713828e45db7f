"""Edits of a YAML file as text: one entry put into a list, every comment and the layout kept."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import yaml

_PLAIN = re.compile(r"^[A-Za-z_\u3400-\u9fff][A-Za-z0-9_\u3400-\u9fff（）()/·、－％]*$")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
_LONGEST = 108  # columns of a line that is added to


class Elsewhere(Exception):
    """The place cannot be edited as text (anchors, an empty list, a layout of another kind)."""


def scalar(text: str) -> str:
    """The text as a YAML scalar, quoted where any reader of YAML could take it for something else."""
    return text if _PLAIN.match(text) and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)


def with_header(path: Path, field: str, header: str, county: str = "") -> str:
    """The file's text with the header added to the field's `headers`, or to the county's `county_headers`.

    Raises Elsewhere where the file's layout is of a kind that is left to people.
    """
    text = path.read_bytes().decode("utf-8")  # line ends as they are
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    spec = _value(_value(root, "fields"), field)
    headers = _value(spec, "headers")
    if not county:
        return _appended(text, headers, scalar(header))
    entry = f'"{county}": [{scalar(header)}]'
    counties = _value(spec, "county_headers", missing_is_none=True)
    if counties is None:
        return _after(text, cast(yaml.MappingNode, spec), headers, f"county_headers: {{{entry}}}")
    own = _value(counties, county, missing_is_none=True)
    if own is not None:
        return _appended(text, own, scalar(header))
    if not isinstance(counties, yaml.MappingNode) or not counties.value:
        raise Elsewhere
    return _after(text, counties, counties.value[-1][1], entry)


def _value(node: yaml.Node | None, key: str, *, missing_is_none: bool = False) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            if key_node.value == key:
                return cast(yaml.Node, value_node)
        if missing_is_none:
            return None
    raise Elsewhere


def _appended(text: str, node: yaml.Node | None, word: str) -> str:
    """The word behind the last entry of a list."""
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise Elsewhere
    last = node.value[-1]
    if not node.flow_style:
        dash = " " * node.start_mark.column
        return _new_line(text, _end(last), f"{dash}- {word}")
    at = last.end_mark.index
    start = text.rfind("\n", 0, at) + 1
    rest = text[at:].split("\n", 1)[0]
    one_line = node.start_mark.line == node.end_mark.line
    if one_line or screen_width(text[start:at]) + screen_width(word) + len(rest) + 2 <= _LONGEST:
        return f"{text[:at]}, {word}{text[at:]}"
    indent = re.match(r" *", text[start:])
    return f"{text[:at]},\n{indent[0] if indent else ''}{word}{text[at:]}"


def _after(text: str, mapping: yaml.MappingNode, value: yaml.Node | None, entry: str) -> str:
    """The entry (`key: value`) behind one of the mapping's values, in the mapping's own style."""
    if value is None:
        raise Elsewhere
    if mapping.flow_style:
        at = _end(value)
        return f"{text[:at]}, {entry}{text[at:]}"
    indent = " " * mapping.start_mark.column
    return _new_line(text, _end(value), f"{indent}{entry}")


def _end(node: yaml.Node) -> int:
    """Where the node's own text ends: a block's end mark stands behind the blank lines and comments after it."""
    while isinstance(node, (yaml.SequenceNode, yaml.MappingNode)) and not node.flow_style and node.value:
        last: yaml.Node | Sequence[yaml.Node] = node.value[-1]
        node = last if isinstance(last, yaml.Node) else last[1]
    return cast(int, node.end_mark.index)


def _new_line(text: str, at: int, line: str) -> str:
    """The line below the one on which `at` stands; a comment behind it stays there."""
    ending = "\r\n" if "\r\n" in text else "\n"
    end = text.find("\n", at)
    return f"{text}{ending}{line}{ending}" if end < 0 else f"{text[: end + 1]}{line}{ending}{text[end + 1 :]}"


def screen_width(text: str) -> int:
    """Columns on the screen: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
