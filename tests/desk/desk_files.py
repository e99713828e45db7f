"""Folders of real schemas and rules to break, and the lines a check prints about them."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline import desk

ROOT = Path(__file__).parents[2]


def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Copies of rules/ and schemas/."""
    rules, schemas = tmp_path / "rules", tmp_path / "schemas"
    shutil.copytree(ROOT / "rules", rules)
    shutil.copytree(ROOT / "schemas", schemas)
    return rules, schemas


def replaced(path: Path, old: str, new: str) -> int:
    """Changes one place of a file; the line on which it begins."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def schema_lines(schemas: Path) -> list[str]:
    """The lines of a check that must fail, without the count."""
    lines, failed = desk.check_schemas(schemas)
    assert failed
    return lines[:-1]


def rule_lines(rules: Path, schemas: Path) -> list[str]:
    """The lines of a check that must fail, without the count."""
    lines, failed = desk.check_rules(rules, schemas)
    assert failed
    return lines[:-1]


def the_line(lines: list[str], *parts: str) -> str:
    """The one line that holds all the parts."""
    found = [line for line in lines if all(part in line for part in parts)]
    assert len(found) == 1, lines
    return found[0]
