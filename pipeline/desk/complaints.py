"""Problems as the lines a check prints: where in the file, what, why, cure; the count last."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.yaml_file import line_of

WARNING = "warning"


def name_of(path: Path) -> str:
    """The file as messages name it: with its folder."""
    return f"{path.parent.name}/{path.name}"


def at(path: Path, problem: Problem, *keys: str) -> Problem:
    """The problem with its place: the file and the line of the key (the file's first if it has no line)."""
    return replace(problem, file=name_of(path), row=line_of(path, *keys) or 1)


def all_of(error: ReconcileError) -> list[Problem]:
    """Every problem of the file that the error tells of."""
    return [error.problem, *error.others]


def nearest(word: str, known: Iterable[str]) -> str:
    """The known words most like the given one, for a cure; 无 if none is."""
    near = difflib.get_close_matches(word, sorted(set(known)), n=3, cutoff=0.3)
    return "、".join(near) or "无"


def told(problems: list[Problem], checked: str) -> tuple[list[str], bool]:
    """The lines and whether the check failed. A reminder begins with 提醒 and fails nothing."""
    reminders = [p for p in problems if p.severity == WARNING]
    errors = [p for p in problems if p.severity != WARNING]
    lines = [p.line() for p in errors] + [f"提醒 {p.line()}" for p in reminders]
    count = f"{checked}，{len(errors)} 个问题" + (f"，{len(reminders)} 个提醒" if reminders else "")
    return [*lines, count], bool(errors)
