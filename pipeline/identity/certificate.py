"""The disability certificate number: 20 characters (ID + category + level), 22 after a reissue (+ `B1`…`B9`).

Registers and other departments write either number into either column, so one splitter serves both. It only
looks at the shape; whether the first 18 characters are a sound resident ID is `id_number`'s question.
"""

from __future__ import annotations

import polars as pl

# `*` is often typed where an ID ends in X. One old system stored a 21st digit; it carries nothing and is dropped.
SHAPE = r"^([0-9]{17}[0-9X*])(?:([1-7][1-4])(B[1-9]|[0-9])?)?$"


def split(texts: pl.Series) -> pl.DataFrame:
    """What a tidy cell text holds: `body` (the ID part, or the text itself) and `tail` ("", "42", "42B1").

    A `*` typed for the X of the ID part becomes X. `odd` tells that a 21st digit was dropped: such a number is only
    believed if its ID part is sound.
    """
    text, reissue = pl.col("text"), pl.col("reissue")
    parts = texts.to_frame("text").select(
        text, part=text.str.extract_groups(SHAPE).struct.rename_fields(["id", "level", "reissue"])
    )
    return parts.unnest("part").select(
        body=pl.coalesce(pl.col("id").str.replace(r"\*$", "X"), text),
        tail=pl.concat_str("level", pl.when(reissue.str.starts_with("B")).then(reissue), ignore_nulls=True),
        odd=(reissue.str.len_bytes() == 1).fill_null(False),
    )


def category(certificates: pl.Expr) -> pl.Expr:
    """The 19th digit as Int64: 1 视力 2 听力 3 言语 4 肢体 5 智力 6 精神 7 多重; null where there is no number."""
    return certificates.str.slice(18, 1).cast(pl.Int64, strict=False)


def level(certificates: pl.Expr) -> pl.Expr:
    """The 20th digit as Int64, 1 (most severe) to 4; null where there is no number."""
    return certificates.str.slice(19, 1).cast(pl.Int64, strict=False)
