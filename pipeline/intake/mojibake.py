"""Text that was spoilt before it reached us: U+FFFD, 锟斤拷, a BOM read as GBK, UTF-8 read as GBK (寮犱笁 for 张三)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from pipeline.intake.columns_read import Coded

_SIGNS = "\ufffd|锟斤拷|锘縮|^锘|ï¿½|ï»¿|Ã[\u0080-\u00bf]|â€"


def _pairs(leads: range, trails: range) -> str:
    """The characters that GBK reads from these byte pairs, as a regular expression class."""
    found = (bytes((lead, trail)).decode("gbk", "ignore") for lead in leads for trail in trails)
    return "[" + "".join(re.escape(c) for c in found if len(c) == 1 and c >= "\u3400") + "]"


# Two Han of UTF-8 are six bytes E4–E9 80–BF 80–BF twice over: GBK reads three characters of these three kinds.
_LEADS, _TAILS = range(0xE4, 0xEA), range(0x80, 0xC0)
_TRIPLE = re.compile(_pairs(_LEADS, _TAILS) + _pairs(_TAILS, _LEADS) + _pairs(_TAILS, _TAILS))
_SUSPECT = f"{_SIGNS}|{_TRIPLE.pattern}"


def spoilt(texts: pl.Series) -> pl.Series:
    """Which texts (Boolean, null counts as no) are spoilt. Suspects are decoded back before they are believed."""
    suspect = texts.str.contains(_SUSPECT).fill_null(False)
    if not suspect.any():
        return suspect
    at = suspect.arg_true()
    confirmed = [is_spoilt(text) for text in texts.gather(at)]
    return suspect.scatter(at, pl.Series(confirmed, dtype=pl.Boolean))


def spoilt_cells(columns: Mapping[str, pl.Series | Coded]) -> dict[str, pl.Series]:
    """Which cells of the columns are spoilt, by column; columns without such cells are left out."""
    found = {}
    for name, column in columns.items():
        if isinstance(column, Coded):
            texts = spoilt(pl.Series(column.distinct, dtype=pl.String))
            bad = texts.gather(column.index) if texts.any() else texts
        else:
            bad = spoilt(column)
        if bad.any():
            found[name] = bad
    return found


def blanked(
    columns: Mapping[str, pl.Series | Coded], spoilt: Mapping[str, pl.Series]
) -> dict[str, pl.Series | Coded]:
    """The columns of text with their spoilt cells blank; a spoilt code or date is unknown by itself."""
    done = dict(columns)
    for name, bad in spoilt.items():
        column = done[name]
        if isinstance(column, pl.Series):
            done[name] = pl.select(pl.when(~bad).then(column).otherwise(pl.lit(""))).to_series()
    return done


def is_spoilt(text: str) -> bool:
    """Whether the text carries a sign of a wrong encoding, or reads as common Han when encoded back and decoded as UTF-8."""
    if re.search(_SIGNS, text):
        return True
    found = _TRIPLE.search(text)
    if not found:
        return False
    try:
        meant = found[0].encode("gbk").decode("utf-8")
        return all(character.encode("gb2312")[0] <= 0xD7 for character in meant)
    except (UnicodeDecodeError, UnicodeEncodeError):
        return False
