"""Mutated rule files: what a tired hand does to a rule, always the same mutants for the same seed and files.

Every mutation changes one place of the text. What it does to the meaning is not known here: `fates.py` finds out.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutation_kinds import KINDS


@dataclass(frozen=True)
class Mutant:
    """One mutated file. `what` is the changed line, before and after."""

    number: int
    path: Path
    kind: str
    what: str
    text: str


def mutants(paths: Sequence[Path], names: Sequence[str], count: int, seed: int) -> Iterator[Mutant]:
    """`count` mutants over the files and kinds in turn. `names` are facts to confuse with each other."""
    dice = random.Random(seed)
    kinds, made = list(KINDS), 0
    while made < count:
        path = paths[made % len(paths)]
        text = path.read_text(encoding="utf-8")
        kind = kinds[(made + dice.randrange(len(kinds))) % len(kinds)]
        lines = text.split("\n")
        changed = KINDS[kind](lines, dice, names)
        if changed is None:
            continue
        row, new = changed
        mutated = "\n".join([*lines[:row], *([] if new is None else [new]), *lines[row + 1 :]])
        if mutated == text:
            continue
        yield Mutant(
            made,
            path,
            kind,
            f"第{row + 1}行 {lines[row].strip()} → {(new or '').strip() or '（删去）'}",
            mutated,
        )
        made += 1
