"""A YAML file turned into its model, every complaint of pydantic into a Problem in Chinese with the line.

pydantic's own text is not shown: it is English, and it may carry values.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.yaml_file import line_of, lines_naming, read_yaml

Model = TypeVar("Model", bound=BaseModel)

# pydantic's kinds of complaint, as the person who edits the file says them; {…} is filled from its context.
_SAID = {
    "missing": "缺少这一项",
    "extra_forbidden": "没有这样的项，或写错了位置",
    "literal_error": "只能写 {expected} 之一",
    "string_type": "应是一段文字",
    "string_pattern_mismatch": "写法不对，应合乎 {pattern}",
    "bool_parsing": "应写 true 或 false",
    "bool_type": "应写 true 或 false",
    "int_parsing": "应是整数",
    "int_from_float": "应是整数",
    "float_parsing": "应是数",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than_equal": "应不大于 {le}",
    "too_short": "至少要有 {min_length} 项",
    "tuple_type": "应是列表，写成 [甲, 乙] 或每行一个“- ”",
    "dict_type": "应是“键: 值”",
    "model_type": "应是“键: 值”",
    "date_from_datetime_parsing": "应是日期，如 2026-10-31",
    "date_from_datetime_inexact": "应是日期，如 2026-10-31",
    "date_parsing": "应是日期，如 2026-10-31",
}


def validated(model: type[Model], path: Path, code: str) -> Model:
    """The file as the model. Raises ReconcileError E101, or `code` with the first complaint (`others`: the rest)."""
    raw = read_yaml(path)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
        details.sort(
            key=lambda detail: detail["type"] == "missing"
        )  # a misspelt key explains the missing one
        problems = [_problem(detail, path, code) for detail in details]
        raise ReconcileError(problems[0], others=tuple(problems[1:])) from None


def _problem(detail: ErrorDetails, path: Path, code: str) -> Problem:
    where = [str(part) for part in detail["loc"] if part != "[key]"]
    why = _why(detail)
    return Problem(
        code,
        "error",
        f"“{'.'.join(where) or '文件'}”不合规",
        why,
        "改正该行；`reconcile schemas check` / `reconcile rules check` 可再验一遍",
        file=f"{path.parent.name}/{path.name}",
        row=_line(path, where, why),
        column=where[-1] if where else "",
    )


def _why(detail: ErrorDetails) -> str:
    said = _SAID.get(detail["type"])
    if said is None:
        return str(detail["msg"]).removeprefix("Value error, ")
    context: dict[str, Any] = dict(detail.get("ctx", {}))
    return said.format_map(context)


def _line(path: Path, where: list[str], why: str) -> int:
    """The line of what the complaint quotes, else of the key, else the file's first.

    Of something written twice the later one is to be changed: within a key the last, in the whole file the second
    (further ones refer to it).
    """
    named = re.findall("“([^”]+)”", why)
    lines = lines_naming(path, where, named[0]) if named else []
    if lines:
        return lines[-1] if where else lines[:2][-1]
    return line_of(path, *where) or 1
