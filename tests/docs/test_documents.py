"""The documents say what the code does: every problem code, every command, every command of the Makefile's help."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from pipeline.cli import app

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"""["'](E[1-9][0-9]{2})\b""")


def codes_in_source() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "pipeline").rglob("*.py"))]
    return {code for text in texts for code in CODE.findall(text)}


def test_every_problem_code_is_documented_and_no_other() -> None:
    documented = set(
        re.findall(r"^\| (E[0-9]{3}) \|", (ROOT / "docs/operations.md").read_text("utf-8"), re.M)
    )
    assert codes_in_source() == documented


def test_every_command_teaches_with_two_examples() -> None:
    def leaves(command: object, path: str) -> list[tuple[str, str]]:
        inner = getattr(command, "commands", None)
        if inner is None:
            return [(path, str(getattr(command, "epilog", "")))]
        return [leaf for name, sub in sorted(inner.items()) for leaf in leaves(sub, f"{path} {name}")]

    for path, epilog in leaves(get_command(app), "reconcile"):
        assert epilog.count(f"{path} ") + epilog.count(f"{path}\n") >= 2 or epilog.count(path) >= 2, path


def test_the_readme_names_the_two_commands_and_every_document() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make reconcile" in readme
    assert "make test" in readme
    for link in re.findall(r"\]\(([^)]+)\)", readme):
        assert (ROOT / link).exists(), link


def test_the_lock_names_no_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--find-links" not in lock
    assert lock.count("--hash=sha256:") > 100
