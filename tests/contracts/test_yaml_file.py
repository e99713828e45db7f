"""The YAML of rules and schemas: text scalars only, no key twice, every refusal with its line."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.yaml_file import line_of, read_yaml

KEYS = st.text("abcdefgh姓名类别状态", min_size=1, max_size=6)
# what YAML 1.1 would read as a number, a truth, nothing or a day
_TRICKS = """0512 0x1F 1e3 1_000 .5 12:30:00 yes no Yes NO on off true False null Null ~ 2026-01-01 1.0 -0 +1 .inf .nan
    110105194912310021 = << 01 090"""
TRICKS = st.sampled_from(_TRICKS.split())
WORDS = st.text("abcXYZ019残疾等级", min_size=1, max_size=10)
ANYTHING = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=20)
NESTED = st.recursive(
    ANYTHING, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANYTHING, inner, max_size=4)
)


def written(text: str) -> Path:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False, encoding="utf-8") as file:
        file.write(text)
    return Path(file.name)


def read(text: str) -> dict[str, Any]:
    path = written(text)
    try:
        return read_yaml(path)
    finally:
        path.unlink()


def refusal(text: str) -> ReconcileError:
    with pytest.raises(ReconcileError) as caught:
        read(text)
    assert caught.value.problem.code == "E101"
    return caught.value


@given(st.dictionaries(KEYS, TRICKS | WORDS, min_size=1, max_size=8))
@settings(derandomize=True, deadline=None)
def test_plain_scalars_stay_the_text_that_was_typed(mapping: dict[str, str]) -> None:
    assert read("".join(f"{key}: {value}\n" for key, value in mapping.items())) == mapping


@given(st.dictionaries(TRICKS | KEYS, TRICKS, min_size=1, max_size=8))
@settings(derandomize=True, deadline=None)
def test_keys_stay_text_too(mapping: dict[str, str]) -> None:
    flow = ", ".join(f"{key}: {value}" for key, value in mapping.items())
    assert read(f"a: {{{flow}}}\nb: [{', '.join(mapping.values())}]\n") == {
        "a": mapping,
        "b": list(mapping.values()),
    }


@given(st.dictionaries(ANYTHING, NESTED, min_size=1, max_size=5))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_quoted_text_comes_back_whatever_it_holds(mapping: dict[str, Any]) -> None:
    assert read(json.dumps(mapping, ensure_ascii=False)) == mapping  # JSON's strings are YAML's quoted ones


@given(
    st.lists(KEYS, min_size=1, max_size=8, unique=True),
    st.integers(0, 7),
    st.integers(0, 5),
    st.booleans(),
)
@settings(derandomize=True, deadline=None)
def test_a_key_given_twice_is_refused_with_the_line_of_the_second(
    keys: list[str], which: int, comments: int, nested: bool
) -> None:
    again = keys[which % len(keys)]
    lines = [*(f"{key}: 1" for key in keys), *(["# 说明"] * comments), f"{again}: 2"]
    text = "\n".join(["outer:", *(f"  {line}" for line in lines)] if nested else lines)
    problem = refusal(text + "\n").problem
    assert problem.row == len(lines) + nested
    assert f"重复的键“{again}”" in problem.why


def test_an_empty_value_is_empty_text() -> None:
    assert read('a:\nb: ""\nc: ~\n') == {"a": "", "b": "", "c": "~"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3),
        ("a: 1\n\tb: 2\n", 2),
        ("a: 1\nb: *nowhere\n", 2),
        ("a: 1\n---\nb: 2\n", 2),
        ("a: 1\nb: !!python/name:os.system x\n", 2),
        ("a: &x [*x]\n", 1),
        ("", 0),
        ("- a\n- b\n", 0),
        ("只有一句话\n", 0),
    ],
)
def test_what_is_no_mapping_is_refused_where_it_breaks(text: str, line: int) -> None:
    problem = refusal(text).problem
    assert problem.row == line
    assert problem.cure


def test_bytes_that_are_not_utf8_are_refused_without_a_stack(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_bytes("title: 低保\n".encode("gb18030"))
    with pytest.raises(ReconcileError) as caught:
        read_yaml(path)
    assert caught.value.problem.file == f"{tmp_path.name}/rule.yaml"


def test_the_line_of_a_nested_key(tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text("a: 1\nwho:\n  - id: x\n    say: y\n  - id: z\n    say: w\n", encoding="utf-8")
    assert line_of(path, "a") == 1
    assert line_of(path, "who", "1", "say") == 6
    assert line_of(path, "who", "1", "nothing") == 5  # the nearest that is there
    assert line_of(path, "nothing") == 0
