"""What a damaged ID text holds, in plain characters: digits, capitals, and `*` for each hidden place.

Texts are what intake keeps beside an ID it could not prove (`<field>_typed`); nothing is judged or repaired here.
"""

from __future__ import annotations

import polars as pl

from pipeline.identity.id_number import NUMERIC_CELL

HIDDEN = "*"

_CLEAN = r"^[0-9*]+X?$"
_APART = r"[\p{Z}\p{Cc}\p{Cf}\p{Pd}_'\"`´‘’“”=:;、。/]"
_PREFIX = r"^(?:[\p{Han}:#]|ID|NO|SFZH?)*[.:=#]*"
_X, _B = "[ХΧ×✕✖╳⨯]", "[ВΒ]"  # what looks like X and B in other scripts
_RUN = "▇"
_MARKS = r"[∗#?•●○◯■□█▇✱]"
_SCIENTIFIC = r"^([1-9])(?:\.([0-9]*))?E\+?1[79]$"
_LETTERS, _DIGITS = "OILBSZ", "011852"  # read as digits; l was made L by upper case


def read(typed: pl.Series) -> pl.DataFrame:
    """One row a text. `text`: [0-9A-Z*]+ or null where it holds anything else (or nothing); `number`: it came out
    of a numeric cell, its tail is lost; `mantissa`: the digits of a number in scientific notation (`text` null)."""
    texts = typed.cast(pl.String).rechunk().alias("text")
    odd = ~texts.str.contains(_CLEAN).fill_null(True)
    at = odd.arg_true()
    nothing = pl.Series("", [None], dtype=pl.String).new_from_index(0, len(texts))
    number = pl.Series("number", [False]).new_from_index(0, len(texts))
    if not len(at):
        return pl.DataFrame([texts, number, nothing.alias("mantissa")])
    rest = _odd(texts.gather(at))
    return pl.DataFrame(
        [
            texts.clone().scatter(at, rest["text"]),
            number.scatter(at, rest["number"]),
            nothing.alias("mantissa").scatter(at, rest["mantissa"]),
        ]
    )


def _odd(texts: pl.Series) -> pl.DataFrame:
    """`read` for texts that are more than digits."""
    text = pl.col("text")
    plain = text.str.normalize("NFKC").str.to_uppercase().str.replace_all(_X, "X").str.replace_all(_B, "B")
    frame = texts.to_frame().select(
        text=plain.str.replace_all(_APART, "").str.replace(_PREFIX, "").str.replace(r"\.0+$", ""),
        number=text.str.starts_with(NUMERIC_CELL),
    )
    parts = text.str.extract_groups(_SCIENTIFIC)
    mantissa = parts.struct.field("1") + parts.struct.field("2").fill_null("")
    run = text.str.replace_all("XX", _RUN * 2).str.replace_all(f"{_RUN}X", _RUN * 2)  # XXXXX, but never one X
    hidden = (
        run.str.replace_all(r"\.\.", _RUN * 2).str.replace_all(_MARKS, HIDDEN).str.replace_all(r"[,.]", "")
    )
    return frame.select(
        text=pl.when(hidden.str.contains("^[0-9A-Z*]+$") & mantissa.is_null()).then(hidden),
        number="number",
        mantissa=mantissa,
    )


def digits_for_letters(texts: pl.Expr) -> pl.Expr:
    """Letters that look like a digit read as that digit: O, I, L, B, S, Z."""
    return texts.str.replace_many(list(_LETTERS), list(_DIGITS))


def bodies(texts: pl.Series) -> pl.DataFrame:
    """The ID part of each text that may hold 17–19 ID characters: `at` (index), `body`.

    A text of 19 or 21 characters can be read in two ways (an ID with a character too many, or a certificate number with
    one too few …) and has two rows then.
    """
    frame = texts.to_frame("text").with_row_index("at").filter(pl.col("text").is_not_null())
    text, length = pl.col("text"), pl.col("text").str.len_bytes()
    found = [frame.filter(length.is_between(17, 19)).select("at", body="text")]
    for width in (17, 18, 19):
        level = f"^.{{{width}}}[1-7*][1-4*](?:B[0-9])?$"
        shaped = frame.filter(length.is_between(width + 2, width + 4)).filter(text.str.contains(level))
        found.append(shaped.select("at", body=text.str.head(width)))
    return pl.concat(found)
