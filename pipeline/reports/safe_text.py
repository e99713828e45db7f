"""Text that may go into a spreadsheet: no formula, no number of a person.

A name that begins with `=` is evaluated by every spreadsheet that opens the CSV (also by LibreOffice headless), so
a leading `'` makes it text (OWASP, CSV injection). Numbers are masked in their own columns by `identity.mask.mask_id`;
`masked_text` is the net under it for sentences.
"""

from __future__ import annotations

import polars as pl

from pipeline.contracts.spreadsheet_cell import BEGINS_FORMULA, BEHIND_SEPARATOR
from pipeline.contracts.spreadsheet_cell import FORMULA_START as FORMULA_START
from pipeline.contracts.spreadsheet_cell import safe_cell as safe_cell
from pipeline.identity.mask import mask_text


def no_formula(text: pl.Expr) -> pl.Expr:
    """The text with `'` in front where it would begin a formula."""
    return pl.when(text.str.contains(BEGINS_FORMULA)).then(pl.concat_str(pl.lit("'"), text)).otherwise(text)


def csv_cell(text: pl.Expr) -> pl.Expr:
    """`no_formula`, and a `'` also behind every separator within the text where a formula would begin."""
    return no_formula(text).str.replace_all(BEHIND_SEPARATOR, "${1}'${2}")


def masked_text(text: pl.Expr) -> pl.Expr:
    """The sentence with every ID, certificate, card and mobile number in it masked."""
    return text.map_batches(_masked, return_dtype=pl.String)


# as few as a mobile number has, full-width ones and such with something between them, too
_MANY_DIGITS = "(?:[0-9０-９][ ._·/\u3000-]{0,2}){11}"


def _masked(texts: pl.Series) -> pl.Series:
    suspect = texts.str.contains(_MANY_DIGITS).fill_null(False)
    if not suspect.any():  # as it should be: no reason carries a number
        return texts
    pairs = zip(texts, suspect, strict=True)
    return pl.Series(texts.name, [mask_text(t) if hit else t for t, hit in pairs], dtype=pl.String)
