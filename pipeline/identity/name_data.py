"""Reads the word lists that stand beside this package's modules: sections of lines of words."""

from __future__ import annotations

from importlib.resources import files


def sections(name: str) -> list[tuple[str, list[str]]]:
    """(section, words of one line) of every line of the list `name`; "" before the first `[section]` line.

    Lines that begin with `#` and blank lines are comments; what follows `]` on a section's line is a remark.
    """
    found: list[tuple[str, list[str]]] = []
    section = ""
    for line in (files(__package__) / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line[1:].partition("]")[0]
        elif line.strip() and not line.startswith("#"):
            found.append((section, line.split()))
    return found
