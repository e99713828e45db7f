"""Slips of the hand in a rule file and the nearest right thing: full-width punctuation, misspelt keys, other languages' signs.

Each function adds to the cure of a problem that was found elsewhere; none finds a fault by itself.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel

from pipeline.contracts.problem import Problem
from pipeline.contracts.rule import Amount, Case, Condition, Parameter, RegionValues, Rule
from pipeline.entitlement.facts import Fact

_WIDE = {
    "：": ": ",
    "，": ", ",
    "｛": "{",
    "｝": "}",
    "［": "[",
    "］": "]",
    "（": "(",
    "）": ")",
    "、": ", ",
    "　": " ",
}
_WIDE |= {"“": '"', "”": '"', "‘": "'", "’": "'", "－": "-", "＃": "#"}
_WIDE |= {chr(ord("０") + n): str(n) for n in range(10)}
_WIDE_KEY = re.compile(r"^\s*(?:-\s+)?[\w“”]+：")
_IN_BRACKETS = re.compile(r"[{\[｛［].*[}\]｝］]?")
_QUOTED = re.compile("'[^']*'|‘[^’]*’|“[^”]*”|\"[^\"]*\"")
_SIGNS = {
    "≤": "<=",
    "≥": ">=",
    "≠": "<>",
    "=<": "<=",
    "=>": ">=",
    "==": "=",
    "&&": "and",
    "||": "or",
    "、": ",",
    "，": ",",
}
_WORDS = {"且": "and", "并且": "and", "和": "and", "或": "or", "或者": "or", "非": "not", "不": "not"}
_KEYWORDS = ("and", "or", "not", "in", "between", "true", "false")
# What people write who think of the key in Chinese.
_CHINESE_KEYS = {
    "名称": "title", "标题": "title", "主管": "owner", "部门": "owner", "依据": "law", "起始": "since", "条件": "when",
    "除外": "except", "金额": "amount", "参数": "parameters", "用例": "cases", "单位": "unit", "地区": "region",
}  # fmt: skip


def read_explained(path: Path, problem: Problem) -> Problem:
    """A refusal of the reading (E101, E301) with the nearest right thing added to its cure."""
    if problem.code == "E101":
        return _with(problem, _wide_on_lines(path, problem.row))
    where = problem.what.split("”")[0].removeprefix("“").split(".")
    if problem.code == "E301" and problem.why.startswith("没有这样的项"):
        return _with(problem, _nearest_key(where))
    return _with(problem, wide_in(where[-1]))


def expression_explained(
    problem: Problem, text: str, known: Iterable[str], facts: Mapping[str, Fact]
) -> Problem:
    """A refused expression (E304, E305) with what was probably meant."""
    plain = _QUOTED.sub(" ", text) if problem.code == "E304" else text
    hints = [f"“{sign}”应写成 {right}" for sign, right in _SIGNS.items() if sign in plain]
    names = set(known)
    for word in dict.fromkeys(re.findall(r"\w+", _QUOTED.sub(" ", text))):
        if word in names or word in _KEYWORDS or word.isdigit():
            continue
        hints += _word_hints(word)
    hints += [
        f"“{code}”是“{name}”的代码，要加引号写成 '{code}'" for code, name in _bare_codes(problem, text, facts)
    ]
    return _with(problem, list(dict.fromkeys(hints)))


def wide_in(word: str) -> list[str]:
    """What to do about the full-width punctuation in a name or value."""
    found = dict.fromkeys(character for character in word if character in _WIDE)
    return [f"“{character}”是全角，应为半角“{_WIDE[character].strip() or '空格'}”" for character in found]


def with_hints(problem: Problem, hints: list[str]) -> Problem:
    """The problem with the hints in front of its cure."""
    return _with(problem, hints)


def _with(problem: Problem, hints: list[str]) -> Problem:
    return replace(problem, cure="；".join([*hints, problem.cure])) if hints else problem


def _wide_on_lines(path: Path, row: int) -> list[str]:
    """Full-width punctuation where YAML needs its own, on the line of the complaint or the one above."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    hints: list[str] = []
    for number in (row - 1, row):
        if not 1 <= number <= len(lines):
            continue
        line = lines[number - 1].split(" #")[0]
        wide = [key for key in _WIDE if key in "".join(_structural(line))]
        hints += [f"第{number}行的“{key}”是全角，应为半角“{_WIDE[key].strip() or '空格'}”" for key in wide]
    return hints


def _structural(line: str) -> Iterator[str]:
    """The parts of a line in which YAML looks for its own punctuation."""
    key = _WIDE_KEY.match(line)
    if key:
        yield key[0]
    for part in _IN_BRACKETS.findall(line):
        yield re.sub("[^：，｛｝［］　]", "", part)
    if line.lstrip().startswith("　") or line.startswith("　"):
        yield "　"


def _nearest_key(where: list[str]) -> list[str]:
    key, around = where[-1], where[:-1]
    model = _model_at(around)
    if model is None:
        return []
    keys = [spec.alias or name for name, spec in model.model_fields.items()]
    near = [_CHINESE_KEYS[key]] if _CHINESE_KEYS.get(key) in keys else []
    near += difflib.get_close_matches(key, keys, n=2, cutoff=0.6)
    if near:
        return [f"相近的有：{'、'.join(dict.fromkeys(near))}"]
    return [f"这里可以写：{'、'.join(keys)}", *wide_in(key)]


def _model_at(where: list[str]) -> type[BaseModel] | None:
    """The model whose keys stand at the place."""
    match where:
        case []:
            return Rule
        case ["who" | "except", _]:
            return Condition
        case ["amount"]:
            return Amount
        case ["cases", _]:
            return Case
        case ["parameters", _]:
            return Parameter
        case ["parameters", _, "regions", _]:
            return RegionValues
    return None


def _word_hints(word: str) -> list[str]:
    if word in _WORDS:
        return [f"“{word}”应写成 {_WORDS[word]}"]
    if word.isascii() and (near := difflib.get_close_matches(word.lower(), _KEYWORDS, n=1, cutoff=0.6)):
        return [f"“{word}”应为 {near[0]}"]
    return [
        f"“{character}”是全角，应为半角“{_WIDE[character]}”"
        for character in dict.fromkeys(word)
        if character in _WIDE
    ]


def _bare_codes(problem: Problem, text: str, facts: Mapping[str, Fact]) -> Iterator[tuple[str, str]]:
    """(code, fact) where the unknown name is a code, written without quotes: of a fact beside it, else of any."""
    name = problem.what.rsplit("“", 1)[-1].rstrip("”") if problem.code == "E305" else ""
    for fact in sorted(facts.values(), key=lambda fact: fact.name not in text):
        codes = fact.dataset.fields[fact.field].codes if fact.kind == "first" else {}
        if name in codes:
            yield name, fact.name
            return
