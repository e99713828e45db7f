"""Damaged resident ID numbers: which sound numbers are one slip away, what survives of them, how they agree.

The parts: id_text (what a damaged text holds), id_neighbours (numbers one slip away), id_remains (lost ends and masks),
id_agreement (the comparison levels of a text and a sound number).
"""

from __future__ import annotations

from pipeline.identity.id_agreement import LEVELS, agreement
from pipeline.identity.id_neighbours import DAMAGES, first_digits, neighbours, neighbours_of
from pipeline.identity.id_remains import masked, remains, surviving
from pipeline.identity.id_text import read

__all__ = [
    "DAMAGES",
    "LEVELS",
    "agreement",
    "first_digits",
    "masked",
    "neighbours",
    "neighbours_of",
    "read",
    "remains",
    "surviving",
]
