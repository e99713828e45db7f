"""What may stand in a cell of a CSV that somebody opens in a spreadsheet: never the beginning of a formula (OWASP, CSV injection)."""

from __future__ import annotations

import re

# Full-width forms too: Excel with a Chinese input locale takes ＝ for =.
FORMULA_START = "[=+\\-@\t\r\n＝＋－＠]"
# What a reader may cut off or cannot see before it: white space of any script, zero-width and other format characters.
_UNSEEN = (
    "[\\s\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\u3164\ufeff\ufff9-\ufffb]*"
)
BEGINS_FORMULA = f"^(?:{FORMULA_START}|{_UNSEEN}{FORMULA_START})"
# A program that takes another separator than the comma, or no quotes, cuts the cell there, and what is behind begins a cell.
BEHIND_SEPARATOR = f"([;\t|,\r\n]{_UNSEEN}[\"']?)({FORMULA_START})"


def safe_cell(text: str) -> str:
    """The text with `'` in front where it would begin a formula, and behind every separator within where one would begin."""
    safe = f"'{text}" if re.match(BEGINS_FORMULA, text) else text
    return re.sub(BEHIND_SEPARATOR, r"\1'\2", safe)
