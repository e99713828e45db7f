"""Reads what the counties sent back: every file under inbox/feedback/, safely, in a fixed order."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.cases.feedback_file import FeedbackFile, read_file
from pipeline.contracts.problem import Problem
from pipeline.identity import region
from pipeline.identity.mask import mask_text
from pipeline.identity.region import stem
from pipeline.intake.find import _listing as listing
from pipeline.intake.find import county_code

_DEEPEST = 4  # folders below the feedback folder


@dataclass(frozen=True)
class FeedbackRead:
    """`files` by their names; `problems` are what lies there that is no file to read (links, names that are no text)."""

    files: tuple[FeedbackFile, ...] = ()
    problems: tuple[Problem, ...] = ()

    def all_problems(self) -> tuple[Problem, ...]:
        """What lies in the folder and cannot be read as a whole, single rows aside."""
        return (*self.problems, *(problem for file in self.files for problem in file.problems))


def read_feedback(folder: Path, counties: Mapping[str, str], as_of: date) -> FeedbackRead:
    """Everything under `folder` (inbox/feedback); nothing where there is no such folder. `counties`: code -> name.

    A first sub-folder that begins with a county's code or is named as one binds all files in it to that county. Never raises.
    """
    if not folder.is_dir() or folder.is_symlink():
        return FeedbackRead()
    problems: list[Problem] = []
    found = sorted(_walk(folder, (), problems), key=lambda one: one[0])
    files = [
        read_file(path, "/".join(parts), _county(parts[0], counties) if len(parts) > 1 else "", as_of)
        for parts, path in found
    ]
    return FeedbackRead(tuple(files), tuple(sorted(problems)))


def _walk(
    folder: Path, above: tuple[str, ...], problems: list[Problem]
) -> Iterator[tuple[tuple[str, ...], Path]]:
    """Names below the feedback folder and paths of what is no folder; links become problems."""
    shown = "".join(f"{mask_text(name)}/" for name in above)
    for entry in _entries(folder, shown, problems):
        names = (*above, entry.name)
        if not entry.is_dir(follow_symlinks=False):
            yield names, Path(entry.path)
        elif len(names) > _DEEPEST:
            why = f"反馈文件夹下最多 {_DEEPEST} 层"
            problems.append(
                Problem(
                    "E220",
                    "error",
                    "文件夹太深，没有读",
                    why,
                    "把文件移到上层",
                    shown + mask_text(entry.name),
                )
            )
        else:
            yield from _walk(Path(entry.path), names, problems)


def _entries(folder: Path, shown: str, problems: list[Problem]) -> list[os.DirEntry[str]]:
    try:
        return listing(folder, shown, problems)
    except OSError as error:
        why = error.strerror or type(error).__name__
        problems.append(Problem("E220", "error", "文件夹打不开", why, "检查读取权限", shown or "feedback/"))
        return []


def _county(folder: str, counties: Mapping[str, str]) -> str:
    """The county that a folder's name says, "" if none or more than one."""
    code = county_code(folder)
    if code:
        return region.successor(code)
    bare = folder.strip()
    named = [code for code, name in counties.items() if bare.startswith(name) or bare == stem(name)]
    return named[0] if len(named) == 1 else ""
