"""What one check of `reconcile doctor` found, and what all of them look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pipeline.contracts.problem import Problem
from pipeline.contracts.settings import Settings
from pipeline.heartbeat import Heartbeat

Level = Literal["good", "warning", "wrong"]
# a sign for the eye and a word for who sees no difference between signs, or hears the screen
_SHOWN = {"good": "✓ 正常", "warning": "! 注意", "wrong": "✗ 有误"}


@dataclass(frozen=True)
class Finding:
    """One line: the check's name, how it stands, in words, and the cure where something is to be done."""

    name: str
    level: Level
    words: str
    cure: str = ""

    def line(self) -> str:
        return f"{_SHOWN[self.level]}  {self.name}：{self.words}" + (
            f"。办法：{self.cure}" if self.cure else ""
        )


@dataclass(frozen=True)
class Patient:
    """The installation that is looked at. `config` None: no settings file; `inbox` None: not named, not looked at."""

    state: Path
    out: Path
    inbox: Path | None
    config: Path | None
    settings: Settings
    schemas: Path
    rules: Path
    now: datetime
    beat: Heartbeat | None
    offline: bool = False

    @property
    def sends(self) -> bool:
        """Whether this installation is to send mail."""
        return bool(self.settings.mail.host)


def good(name: str, words: str) -> Finding:
    return Finding(name, "good", words)


def warning(name: str, words: str, cure: str) -> Finding:
    return Finding(name, "warning", words, cure)


def wrong(name: str, words: str, cure: str) -> Finding:
    return Finding(name, "wrong", words, cure)


def of_problem(name: str, problem: Problem, level: Level = "wrong") -> Finding:
    """A refusal of the house as a finding; its code stays to be looked up."""
    place = f"{problem.file}：" if problem.file else ""
    return Finding(name, level, f"{problem.code} {place}{problem.what}（{problem.why}）", problem.cure)
