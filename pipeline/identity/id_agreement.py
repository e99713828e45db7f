"""How a damaged ID text and a sound ID number agree: the comparison levels of one pair, over whole columns."""

from __future__ import annotations

import polars as pl

from pipeline.identity import id_remains, id_text
from pipeline.identity.id_neighbours import parsed

LEVELS = (
    "same",
    "letters",
    "one_digit",
    "swapped",
    "extra_digit",
    "missing_digit",
    "prefix15",
    "masked",
    "prefix14",
    "prefix",
    "masked_few",
    "unknown",
    "differs",
)
_VISIBLE = 10  # characters to be seen of a masked number for `masked`; fewer is `masked_few`
_PIECE = 1 << 17  # pairs handled at once


def agreement(typed: pl.Series, number: pl.Series) -> pl.Series:
    """The kind of agreement (String, one of LEVELS, no nulls) of each text with the sound number beside it.

    `same` is one number, also inside a certificate number, as 15 digits of before 1999, or as one of several in a cell;
    `letters` … `extra_digit` are one slip (see `id_neighbours`); `prefix15`, `prefix14`, `prefix`: of a lost end that
    many leading digits survive (at least 15; 14; 6 to 13) and agree; `masked`, `masked_few`: all visible characters
    agree, at least 10, or 6 to 9; `unknown`: nothing to compare (missing, a placeholder, no ID at all, another's by the
    words beside it, only the last four characters and these agree); `differs`: none of these. The best holds.
    """
    pairs = pl.DataFrame([typed.cast(pl.String).alias("typed"), number.cast(pl.String).alias("own")])
    pieces = [_piece(pairs.slice(start, _PIECE)) for start in range(0, max(pairs.height, 1), _PIECE)]
    return pl.concat(pieces).alias(typed.name)


def _piece(pairs: pl.DataFrame) -> pl.Series:
    texts = pairs.with_row_index("at").select(
        "at",
        "own",
        own_first=pl.col("own").str.head(17).cast(pl.Int64, strict=False),
        own_last=_check(pl.col("own")),
    )
    read = id_text.read(pairs["typed"]).with_row_index("at")
    own = texts.select("at", "own_first", "own_last")
    parts = parsed(read).join(own, on="at", maintain_order="left")
    ends, masks = id_remains.ended(read), id_remains.patterns(read)
    frame = read.hstack(texts.drop("at"))
    levels = [_same(frame), *_slips(parts), *_ends(frame, ends), _visible(masks.join(texts, on="at"))]
    best = pl.concat([*levels, _among(pairs)]).group_by("at").agg(pl.col("level").min())
    four = id_remains.last_four(read).join(texts, on="at")
    denied = four.filter(~pl.col("own").str.ends_with(pl.col("end")))
    speaking = [_long(read), *(some.select("at") for some in (ends, masks, denied))]
    said = pl.concat(speaking).unique().with_columns(said=True)
    both = pl.col("said") & pl.col("own").is_not_null()
    nothing = pl.when(both).then(_rank("differs")).otherwise(_rank("unknown"))
    ranks = texts.join(said, on="at", how="left").join(best, on="at", how="left").sort("at")
    return ranks.select(pl.lit(pl.Series(LEVELS)).gather(pl.coalesce("level", nothing))).to_series()


def _check(numbers: pl.Expr) -> pl.Expr:
    """The check character's value, 0…10."""
    end = numbers.str.slice(17, 1)
    return pl.when(end == "X").then(10).otherwise(end.cast(pl.Int64, strict=False))


def _rank(level: str) -> pl.Expr:
    return pl.lit(LEVELS.index(level), dtype=pl.Int64)


def _long(read: pl.DataFrame) -> pl.DataFrame:
    """Texts that say something of a number though they may be damaged in ways no level knows."""
    text = pl.col("text")
    some = read.filter(text.str.len_bytes().is_between(14, 23) & ~text.str.contains(r"^[0-9]{12}000$|\*"))
    return some.filter(~id_remains.placeholder()).select("at")


def _same(frame: pl.DataFrame) -> pl.DataFrame:
    """The number itself, with or without a certificate's end, or its 15 digits of before 1999 (no century, no check)."""
    text, own = pl.col("text"), pl.col("own")
    level = text.str.slice(18).str.contains("^(?:[1-7][1-4](?:B[0-9])?)?$")
    old = (text == own.str.head(6) + own.str.slice(8, 9)) & (own.str.slice(6, 2) == "19")
    same = ((text.str.head(18) == own) & level & ~pl.col("number")) | old
    return frame.filter(same).select("at", level=_rank("same"))


def _among(pairs: pl.DataFrame) -> pl.DataFrame:
    """The number stands in a cell of several: which of them is the row's own is for the name to say."""
    cells = id_text.several(pairs["typed"])
    beside = cells.with_columns(own=pairs["own"].gather(cells["at"]))
    found = beside.filter(pl.col("cell").str.contains(pl.col("own"), literal=True))
    return found.select("at", level=_rank("same"))


# --- slips ------------------------------------------------------------------------------------------------------


def _slips(parts: pl.DataFrame) -> list[pl.DataFrame]:
    """Levels of ID parts with 17 to 19 characters, `first` and `last`, beside `own_first` and `own_last`."""
    whole = parts.filter(pl.col("length") == 18).with_columns(wrong=_wrong())
    same = pl.when(pl.col("letters")).then(_rank("letters")).otherwise(_rank("same"))
    own, body = (pl.col("own_first"), pl.col("own_last")), (pl.col("first"), pl.col("last"))
    short, long = parts.filter(pl.col("length") == 17), parts.filter(pl.col("length") == 19)
    return [
        whole.filter(pl.col("wrong") == 0).select("at", level=same),
        whole.filter(pl.col("wrong") == 1).select("at", level=_rank("one_digit")),
        whole.filter(pl.col("wrong") == 2).filter(_exchanged()).select("at", level=_rank("swapped")),
        short.filter(_one_out(body, own, 17)).select("at", level=_rank("missing_digit")),
        long.filter(_one_out(own, body, 18)).select("at", level=_rank("extra_digit")),
    ]


def _wrong() -> pl.Expr:
    """At how many of 18 places the characters differ; an unreadable one always does."""
    other = pl.col("last") != pl.col("own_last")
    count = (other | (pl.col("hole") == 17).fill_null(False)).cast(pl.Int64)
    for place in range(17):
        unit = 10 ** (16 - place)
        differ = pl.col("first") // unit % 10 != pl.col("own_first") // unit % 10
        count = count + (differ | (pl.col("hole") == place).fill_null(False)).cast(pl.Int64)
    return count


def _exchanged() -> pl.Expr:
    """Whether two neighbours stand in each other's places; all else is known to agree but two places."""
    first, own = pl.col("first"), pl.col("own_first")
    check = (first % 10 == pl.col("own_last")) & (pl.col("last") == own % 10) & (first // 10 == own // 10)
    found = check
    for place in range(16):
        unit = 10 ** (15 - place)
        one, other = first // unit % 100, own // unit % 100
        found = found | ((one != other) & (one // 10 == other % 10) & (one % 10 == other // 10))
    crossed = pl.col("crossed") & (first // 10 == own // 10) & (pl.col("last") == own % 10)
    return (found & pl.col("hole").is_null()) | (crossed & (pl.col("own_last") == 10))


def _one_out(short: tuple[pl.Expr, pl.Expr], long: tuple[pl.Expr, pl.Expr], size: int) -> pl.Expr:
    """Whether `short` (`size` characters: all but the last as an integer, and the last) is `long` without one."""
    found = (short[0] == long[0] // 10) & (short[1] == long[0] % 10)  # the last is out
    for place in range(size):
        before = short[0] // 10 ** (size - 1 - place) == long[0] // 10 ** (size - place)
        rest = 10 ** (size - 1 - place)
        found = found | (before & (short[0] % rest == long[0] % rest) & (short[1] == long[1]))
    return found


# --- lost ends and masks ----------------------------------------------------------------------------------------


def _ends(frame: pl.DataFrame, ends: pl.DataFrame) -> list[pl.DataFrame]:
    """Levels of texts whose end was lost: the digits that survive, or the rounded number, agree."""
    texts = frame.select("at", "own", "own_last", number_18=pl.col("own_first") * 10 + pl.col("own_last"))
    digits = ends.join(texts, on="at").filter(pl.col("own").str.starts_with(pl.col("digits")))
    # a numeric cell that ends in 000 may be Excel's, or a float64 that happens to
    floats = id_remains.numbers(frame.select("at", "text", "number")).filter(
        ~pl.col("zeros") | pl.col("number")
    )
    value = floats.join(texts, on="at")
    near = (pl.col("number_18") - pl.col("value")).abs() <= id_remains.CLOSE
    size = pl.col("mantissa").str.len_bytes().cast(pl.Int64)
    unit = pl.lit(10, dtype=pl.Int64).pow(18 - size)
    shown = frame.filter(size.is_between(id_remains.FEWEST, 18)).select("at", "mantissa").join(texts, on="at")
    off = (pl.col("mantissa").cast(pl.Int64) * unit - pl.col("number_18")).abs()
    rounded = off <= unit // 2 + id_remains.CLOSE
    whole = pl.col("own_last") < 10  # an X is never a number
    return [
        digits.select("at", level=_prefix(pl.col("digits").str.len_bytes())),
        value.filter(near & whole).select("at", level=_rank("prefix15")),
        shown.filter(rounded & whole).select("at", level=_prefix(size)),
    ]


def _prefix(size: pl.Expr) -> pl.Expr:
    fourteen = pl.when(size == 14).then(_rank("prefix14")).otherwise(_rank("prefix"))
    return pl.when(size >= 15).then(_rank("prefix15")).otherwise(fourteen)


def _visible(some: pl.DataFrame) -> pl.DataFrame:
    """Levels of masked texts whose visible characters all agree."""
    pattern, own = pl.col("pattern"), pl.col("own")
    enough = pattern.str.count_matches("[0-9X]") >= _VISIBLE
    for place in range(18):
        seen = pattern.str.slice(place, 1)
        some = some.filter((seen == "?") | (seen == own.str.slice(place, 1)))
    return some.select("at", level=pl.when(enough).then(_rank("masked")).otherwise(_rank("masked_few")))
