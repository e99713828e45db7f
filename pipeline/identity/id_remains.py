"""What can still be believed of an ID text whose digits were lost: the leading digits, or the visible places.

Excel keeps 15 digits of a number and writes zeros for the rest; a float64 is off by at most half the distance of two of
them (64 at 18 digits); `5.33423E+17` is rounded to six digits; a narrow column cuts the end; a mask hides the
middle. A reader of workbooks gives a numeric cell's float64 as an integer, so both losses may lie upon each
other: 539999196503170010 → …170000 → …169984.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from pipeline.identity import id_number, id_text
from pipeline.identity.id_text import HIDDEN, MOST_SEEN

_PIECE = 1 << 18  # texts handled at once
FEWEST = 6  # leading digits or visible characters; fewer (a province, a digit of the year) tell nothing
CLOSE = 64  # half the distance of two float64s of 18 digits

# The beginning of an ID: a region and as much of a birth date of 1900–2099 as is there. No telephone, no bank account.
_BEGINNING = (
    "^[1-9][0-9]{5}(?:[12]|(?:19|20)(?:[0-9]{0,2}|[0-9]{2}(?:[01]|(?:0[1-9]|1[0-2])"
    "(?:[0-3]|(?:0[1-9]|[12][0-9]|3[01])[0-9]{0,3})?)))?$"
)
# One run hidden: the beginning, the run, the end. An end longer than four that ends in category and level is unsure.
_RUN_HIDDEN = r"^([0-9]{6,})\*+([0-9]{0,5}[0-9X])$"
_UNSURE_END = r"\*[0-9X]{3,}[1-7][1-4]$"
_LAST_FOUR = r"^\*{2,14}([0-9]{3}[0-9X])$"
_ONE_DIGIT_ONLY = "^(?:" + "|".join(f"{digit}+" for digit in range(10)) + ")$"  # 111111: a placeholder
_CLOSE_20 = 5  # half the distance of two float64s of 20 digits, in units of the 17th digit


def surviving(typed: pl.Series) -> pl.DataFrame:
    """`digits`: the leading digits of an ID that can be believed; `damage`: `excel_zeros`, `float`, `scientific`, `cut`
    or `noted` (a sound number among words: 17 digits).

    One row a text; null where nothing survives, where nothing was lost, or where the damage is not a lost end (a typing
    slip is `id_neighbours`' matter). Fifteen digits of `excel_zeros` and `float` (fourteen of `<14 digits>0000`,
    which may also be a placeholder: region, birth date and no order). A text with the marker of numeric cells
    has lost its tail though its check may hold.
    """
    return _by_piece(typed, ended)


def remains(texts: pl.DataFrame) -> pl.DataFrame:
    """`surviving` and `masked` at once, of texts read (`id_text.read`). `pattern` also of masks of another length:
    where one run is hidden between six or more leading digits and the end, its length says nothing."""
    return _found(texts, ended, patterns)


def _by_piece(typed: pl.Series, work: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """What `work` finds in texts as typed, one row a text."""
    starts = range(0, max(len(typed), 1), _PIECE)
    return pl.concat([_found(id_text.read(typed.slice(start, _PIECE)), work) for start in starts])


def _found(texts: pl.DataFrame, *works: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """What the `works` find in texts read, one row a text."""
    frame = texts.with_row_index("at")
    found = frame.select("at")
    for work in works:
        found = found.join(work(frame), on="at", how="left", maintain_order="left")
    return found.drop("at")


def ended(frame: pl.DataFrame) -> pl.DataFrame:
    """`at`, `digits`, `damage` of those texts read (with their index `at`) whose end was lost."""
    kinds = (_of_18(frame), _of_20(frame), _scientific(frame), _cut(frame), _noted(frame))
    return pl.concat([kind.select("at", "digits", "damage") for kind in kinds]).drop_nulls("digits")


def placeholder() -> pl.Expr:
    """Whether the text is one digit over and over: nothing, typed into a field that must be filled."""
    return pl.col("text").str.contains(_ONE_DIGIT_ONLY)


def _long(frame: pl.DataFrame, least: int, most: int) -> pl.DataFrame:
    some = frame.filter(pl.col("text").str.len_bytes().is_between(least, most))
    return some.filter(pl.col("text").str.contains("^[1-9][0-9]*$"))


def numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """The texts of 18 digits that are no sound IDs and may have been numbers: `value` (Int64); `zeros`: Excel's 000;
    `exact`: what a float64 can hold, as one of 32 to 128 numbers is by chance."""
    value = pl.col("value")
    exact = pl.col("number") | (value.cast(pl.Float64).cast(pl.Int64) == value)
    some = _long(frame, 18, 18).with_columns(value=pl.col("text").cast(pl.Int64))
    some = some.with_columns(exact=exact, zeros=value % 1000 == 0).filter(pl.col("exact") | pl.col("zeros"))
    sound = id_number.normalise(some["text"])["id"].is_not_null()
    return some.filter((~sound | some["number"]) & ~some.select(placeholder()).to_series())


def _of_18(frame: pl.DataFrame) -> pl.DataFrame:
    value = pl.col("value")
    near = (value + 500) // 1000 * 1000  # 15 digits and 000, of which `value` may be the float64
    front = pl.when((near - value).abs() <= CLOSE).then(near).otherwise(value) // 1000
    short = pl.when(value % 10_000 == 0).then(value // 10_000).otherwise(value // 1000)
    return numbers(frame).with_columns(
        digits=pl.when("zeros").then(short).otherwise(front).cast(pl.String),
        damage=pl.when("zeros").then(pl.lit("excel_zeros")).otherwise(pl.lit("float")),
    )


def _of_20(frame: pl.DataFrame) -> pl.DataFrame:
    """Certificate numbers. One that ends like one, in category and level, is believed to be one."""
    text, front = pl.col("text"), pl.col("text").str.head(17).cast(pl.Int64)
    near = (front + 50) // 100 * 100
    zeros = text.str.contains("^.{15}0+$")
    short = pl.when(front % 1000 == 0).then(front // 1000).otherwise(front // 100)
    kept = pl.when((near - front).abs() <= _CLOSE_20).then(near).otherwise(front) // 100
    some = _long(frame, 20, 22).filter(pl.col("number") | ~text.str.contains("[1-7][1-4]$"))
    return some.filter(~placeholder()).with_columns(
        digits=pl.when(zeros).then(short).otherwise(kept).cast(pl.String),
        damage=pl.when(zeros).then(pl.lit("excel_zeros")).otherwise(pl.lit("float")),
    )


def _scientific(frame: pl.DataFrame) -> pl.DataFrame:
    """Six digits are exact, since the seventh is the 1 or 2 of the year; of more the last was rounded."""
    mantissa = pl.col("mantissa")
    size = mantissa.str.len_bytes()
    sure = mantissa.str.replace("0+$", "").str.head(-1).str.head(15)
    kept = pl.when(size == FEWEST).then(mantissa).otherwise(sure)
    some = frame.filter(size >= FEWEST).with_columns(digits=kept, damage=pl.lit("scientific"))
    return some.filter(pl.col("digits").str.len_bytes() >= FEWEST)


def _cut(frame: pl.DataFrame) -> pl.DataFrame:
    some = _long(frame, FEWEST, 17).with_columns(digits="text", damage=pl.lit("cut"))
    return some.filter(pl.col("text").str.contains(_BEGINNING) & ~placeholder())


def _noted(frame: pl.DataFrame) -> pl.DataFrame:
    """Sound numbers with a name or a remark in the cell: whose they are is to be compared, not believed."""
    some = frame.filter(pl.col("noted") & pl.col("text").str.contains("^[0-9]{17}[0-9X]"))
    sound = id_number.normalise(some["text"])["id"]
    return some.with_columns(digits=sound.str.head(17), damage=pl.lit("noted"))


def masked(typed: pl.Series) -> pl.DataFrame:
    """`pattern`: 18 characters with `?` for the hidden ones, of a masked ID or of a certificate number's first 18.

    One row a text; null if it is not masked, if it does not say how many characters are hidden (it is not 18, 20 or 22
    characters long), or if fewer than six can be seen. Runs of X are a mask, one X at the end is a check character.
    """
    return _by_piece(typed, _counted)


def patterns(frame: pl.DataFrame) -> pl.DataFrame:
    """`at`, `pattern` of the masked texts read (with their index `at`), also of those of another length."""
    counted = _counted(frame)
    return pl.concat([counted, _uncounted(frame).join(counted, on="at", how="anti")])


def last_four(frame: pl.DataFrame) -> pl.DataFrame:
    """`at`, `end` of texts read that show four last characters and no others: no key, but they may contradict."""
    end = pl.col("text").str.extract(_LAST_FOUR)
    return frame.filter(pl.col("text").str.len_bytes() <= 18).select("at", end=end).drop_nulls()


def _uncounted(frame: pl.DataFrame) -> pl.DataFrame:
    """Masks that hide one run, however long it was drawn: `539999****0010`."""
    text, ends = pl.col("text"), pl.col("text").str.extract_groups(_RUN_HIDDEN).struct
    parts = frame.filter(text.str.contains(_RUN_HIDDEN) & ~text.str.contains(_UNSURE_END)).select(
        "at", beginning=ends.field("1"), end=ends.field("2")
    )
    beginning, seen = pl.col("beginning"), pl.col("beginning").str.len_bytes() + pl.col("end").str.len_bytes()
    some = parts.filter((seen <= MOST_SEEN) & beginning.str.contains(_BEGINNING))
    return some.select(
        "at", pattern=beginning.str.pad_end(18 - pl.col("end").str.len_bytes(), "?") + pl.col("end")
    )


def _counted(frame: pl.DataFrame) -> pl.DataFrame:
    """Masks that say how many characters are hidden: 18 characters, or a certificate number's 20 or 22."""
    text, body = pl.col("text"), pl.col("text").str.head(18)
    some = frame.filter(text.str.contains(HIDDEN, literal=True) & (text.str.len_bytes() >= 18))
    shaped = text.str.slice(18).str.contains(r"^(?:[1-7*][1-4*](?:[B*][0-9*])?)?$")
    hidden = body.str.contains(HIDDEN, literal=True) & body.str.contains("^[0-9*]+X?$")
    seen = body.str.count_matches("[0-9X]") >= FEWEST
    return some.filter(shaped & hidden & seen).select(
        "at", pattern=body.str.replace_all(HIDDEN, "?", literal=True)
    )
