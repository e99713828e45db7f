"""Former names: 贾静香(曾用名李桃红) is found as 李桃红, too, on whichever side the note stands."""

from __future__ import annotations

import polars as pl

from pipeline.identity.person_name import fold, notes

_FORMER = r"(?:曾用名|原名|又名|别名)[:：是为]?([\p{Han}·•]{2,})"


def former_names(names: pl.Series) -> pl.Series:
    """The match key of the other name that each name's note gives (String, same length; null: none, as nearly always)."""
    marked = names.str.contains("用名|原名|又名|别名").fill_null(False)
    if not marked.any():
        return pl.Series(names.name, [None], dtype=pl.String).new_from_index(0, len(names))
    found = fold(notes(names.filter(marked)).str.extract(_FORMER, 1))
    none = pl.Series(names.name, [None], dtype=pl.String).new_from_index(0, len(names))
    return none.scatter(marked.arg_true(), found)
