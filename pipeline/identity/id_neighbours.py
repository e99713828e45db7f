"""Resident ID numbers one slip away from a text that is none (GB 11643; ISO 7064 MOD 11-2).

The weighted sum modulo 11 of a sound number is 1, so at each place exactly one digit (or none) puts a wrong sum
right: the candidates are computed, not tried. A proposed number is always sound: 17 digits and the check character, a birth
date of the calendar between 1900 and 2100. Nothing is chosen here: all candidates are given, the caller
joins them by equality to numbers he knows.
"""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from pipeline.identity import id_text

# Where two explain a text the first is told: 19 characters are rather an ID than a certificate number's 17 and 2.
DAMAGES = ("letters", "one_digit", "swapped", "extra_digit", "missing_digit")

_PIECE = 1 << 16  # texts handled at once: about twelve candidates each
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1)  # the last is the check character's
_INVERSE = tuple(pow(weight, -1, 11) for weight in _WEIGHTS)
_CHECKS = "0123456789X"
_DATED = range(6, 14)  # places of the birth date
_FIRST_DAY, _LAST_DAY = 1900_01_01, 2100_12_31
# Excel's fifteen digits and zeros, or more than one hidden character: no slip explains these
_NO_SLIP = r"^[0-9]{15}0{3,7}$|\*.*\*"
_SCHEMA = {"at": pl.UInt32, "number": pl.String, "damage": pl.String}


def neighbours(typed: pl.Series, among: pl.Series | None = None) -> pl.DataFrame:
    """Every sound number one slip away from each text: `at` (index of the text), `number`, `damage`.

    Of texts with 17–19 ID characters, also in a certificate number: `one_digit` is another (or cannot be read), two
    neighbours `swapped`, a `missing_digit` (or the check character cut off), an `extra_digit`, or `letters` typed for
    digits (O, l, I, B, S, Z; they count as digits in the other kinds too). A number stands once a text. Nothing for sound
    numbers, for those of numeric cells (`id_number.NUMERIC_CELL`) and for Excel's 15 digits and zeros. `among`: only
    sound numbers, by their `first_digits`, are told of. The order is the same for the same texts, and no other promise.
    """
    return neighbours_of(id_text.read(typed), among)


def neighbours_of(texts: pl.DataFrame, among: pl.Series | None = None) -> pl.DataFrame:
    """`neighbours` of texts read (`id_text.read`)."""
    pieces = [_piece(texts.slice(start, _PIECE), start, among) for start in range(0, len(texts), _PIECE)]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *pieces])


def first_digits(numbers: pl.Series) -> pl.Series:
    """The first 17 digits (Int64, distinct) of sound numbers: they say which number it is, the check follows."""
    return numbers.drop_nulls().str.head(17).cast(pl.Int64).unique()


def _piece(texts: pl.DataFrame, start: int, among: pl.Series | None) -> pl.DataFrame:
    parts = parsed(texts)
    twice = parts["at"].is_duplicated()  # texts that can be read in two ways
    found = _found(parts.filter(~twice), among)
    if twice.any():
        again = _found(parts.filter(twice), among).unique(["at", "number"], keep="first", maintain_order=True)
        found = pl.concat([found, again])
    return found.with_columns(pl.col("at") + start)


def _found(parts: pl.DataFrame, among: pl.Series | None) -> pl.DataFrame:
    """The numbers one slip away from each ID part; where `among` is given only those, and only those are written out."""
    whole, short, long = (_with_digits(parts, length) for length in (18, 17, 19))
    kinds = (_letters(whole), _other_digit(whole), _swapped(whole), _extra(long), _missing(short))
    every = pl.concat([found for kind in kinds for found in kind]).collect()  # one collect for all
    if among is not None:
        every = every.filter(pl.col("first").is_in(among.implode()))
    check = pl.lit(pl.Series(list(_CHECKS), dtype=pl.String)).gather(pl.col("last"))
    damage = pl.lit(pl.Series(DAMAGES, dtype=pl.String)).gather(pl.col("damage"))
    return every.select(
        at=pl.col("at").cast(pl.UInt32), number=pl.col("first").cast(pl.String) + check, damage=damage
    )


def parsed(read: pl.DataFrame) -> pl.DataFrame:
    """The ID parts of texts read, as integers: `at`; `length`; `first`, all characters but the last; `last`, 0…10.

    `hole`: the one place that is no digit and no letter read as one (then 0 there); null where all can be read.
    `letters`: some were letters. `crossed`: the hole is an X before the last digit. Parts of 17 and 19 with a hole,
    all with two, and texts whose end was lost (numeric cells, Excel's zeros) are left out: no slip explains those.
    """
    slips = read.select(pl.when(~pl.col("number") & ~pl.col("text").str.contains(_NO_SLIP)).then("text"))
    bodies = id_text.bodies(slips.to_series())
    clean = bodies["body"].str.contains("^[0-9]+[0-9X]$")
    body = pl.col("body")
    odd = bodies.filter(~clean).with_columns(letters=body.str.contains("[OILBSZ]"))
    odd = odd.with_columns(body=pl.when("letters").then(id_text.digits_for_letters(body)).otherwise(body))
    front, end, bad_end = body.str.head(-1), body.str.tail(1), ~body.str.contains("[0-9X]$")
    holes = front.str.count_matches("[^0-9]") + bad_end.cast(pl.UInt32)
    odd = odd.filter((holes == 0) | ((holes == 1) & (body.str.len_bytes() == 18)))
    place = front.str.find("[^0-9]").cast(pl.Int64).fill_null(pl.when(bad_end).then(17))
    filled = odd.with_columns(
        hole=place,
        crossed=body.str.contains("^.{16}X[0-9]$"),
        body=front.str.replace("[^0-9]", "0") + pl.when(bad_end).then(pl.lit("0")).otherwise(end),
    )
    whole = bodies.filter(clean).with_columns(
        letters=pl.lit(False), hole=pl.lit(None, dtype=pl.Int64), crossed=pl.lit(False)
    )
    return pl.concat([whole, filled.select(whole.columns)]).select(
        "at",
        "letters",
        "hole",
        "crossed",
        length=body.str.len_bytes(),
        first=front.cast(pl.Int64),
        last=pl.when(end == "X").then(10).otherwise(end.cast(pl.Int64, strict=False)),
    )


def _with_digits(parts: pl.DataFrame, length: int) -> pl.DataFrame:
    """Parts of one length with the digits of `first` as columns: divided once, they are asked for often."""
    units = [10 ** (length - 2 - place) for place in range(length - 1)]
    digits = [(pl.col("first") // unit % 10).alias(f"digit_{place}") for place, unit in enumerate(units)]
    return parts.filter(pl.col("length") == length).with_columns(digits)


def _digit(place: int) -> pl.Expr:
    """The digit (Int64) at a place of `first`."""
    return pl.col(f"digit_{place}")


def _sum(length: int, shift: int = 0) -> pl.Expr:
    """Weighted sum modulo 11 of a part of any length, each digit with the weight of the place `shift` further."""
    digits = [_digit(place) * _WEIGHTS[place + shift] for place in range(length - 1)]
    total: pl.Expr = sum(digits, pl.col("last") * _WEIGHTS[length - 1 + shift])
    return total % 11


def _dated(first: pl.Expr) -> pl.Expr:
    """Whether 17 digits have a region and a birth date from 1900 to 2100."""
    day = (first // 1000 % 10**8).clip(_FIRST_DAY - 1, _LAST_DAY + 1) - (_FIRST_DAY - 1)
    real: pl.Expr = (first >= 10**16) & pl.lit(_days()).gather(day)
    return real


@lru_cache(maxsize=1)
def _days() -> pl.Series:
    """Whether YYYYMMDD - (_FIRST_DAY - 1) is a day."""
    days = pl.select(day=pl.date_range(pl.date(1900, 1, 1), pl.date(2100, 12, 31))).to_series()
    numbers = days.dt.strftime("%Y%m%d").cast(pl.Int64) - (_FIRST_DAY - 1)
    return pl.Series([False]).new_from_index(0, _LAST_DAY - _FIRST_DAY + 3).scatter(numbers, True)


def _candidates(
    frame: pl.DataFrame, where: pl.Expr, first: pl.Expr, last: pl.Expr, damage: str
) -> pl.LazyFrame:
    kind = pl.lit(DAMAGES.index(damage), dtype=pl.Int64)
    found = frame.lazy().filter(where).select("at", first=first, last=last.cast(pl.Int64), damage=kind)
    return found.filter(_dated(pl.col("first")))


# --- 18 characters ----------------------------------------------------------------------------------------------


def _letters(parts: pl.DataFrame) -> list[pl.LazyFrame]:
    some = parts.filter(pl.col("letters") & pl.col("hole").is_null())
    return [_candidates(some, _sum(18) == 1, pl.col("first"), pl.col("last"), "letters")]


def _wrong(parts: pl.DataFrame) -> pl.DataFrame:
    """Parts whose sum is wrong, and `need`: what it lacks modulo 11."""
    some = parts.with_columns(need=(12 - _sum(18)) % 11)
    return some.filter((pl.col("need") != 0) | pl.col("hole").is_not_null())


def _other_digit(parts: pl.DataFrame) -> list[pl.LazyFrame]:
    some = _wrong(parts)
    if some.is_empty():
        return []
    dated = some.filter(_dated(pl.col("first")))
    found = []
    for place in range(17):
        digit = _digit(place)
        want = (digit + pl.col("need") * _INVERSE[place]) % 11
        here = (want < 10) & (pl.col("hole").is_null() | (pl.col("hole") == place))
        first = pl.col("first") + (want - digit) * 10 ** (16 - place)
        frame = some if place in _DATED or place == 0 else dated
        found.append(_candidates(frame, here, first, pl.col("last"), "one_digit"))
    here = pl.col("hole").is_null() | (pl.col("hole") == 17)
    check = (pl.col("last") + pl.col("need")) % 11
    return [*found, _candidates(dated, here, pl.col("first"), check, "one_digit")]


def _swapped(parts: pl.DataFrame) -> list[pl.LazyFrame]:
    some = _wrong(parts.filter(pl.col("hole").is_null()))
    found = []
    for place in range(16 if some.height else 0):
        step = _digit(place + 1) - _digit(place)
        gain = (step * (_WEIGHTS[place] - _WEIGHTS[place + 1]) + 110) % 11
        first = pl.col("first") + step * 9 * 10 ** (15 - place)
        found.append(_candidates(some, gain == pl.col("need"), first, pl.col("last"), "swapped"))
    digit, last = _digit(16), pl.col("last")
    here = ((last - digit + 110) % 11 == pl.col("need")) & (last < 10)
    check = _candidates(some, here, pl.col("first") - digit + last, digit, "swapped")
    crossed = parts.filter("crossed").with_columns(
        first=pl.col("first") + last, digit_16=last, last=pl.lit(10, dtype=pl.Int64)
    )
    return [*found, check, _candidates(crossed, _sum(18) == 1, pl.col("first"), last, "swapped")]


# --- 17 and 19 characters ---------------------------------------------------------------------------------------


def _missing(parts: pl.DataFrame) -> list[pl.LazyFrame]:
    some = parts.with_columns(total=_sum(17, 1))
    if some.is_empty():
        return []
    found = []
    for place in range(17):
        unit = 10 ** (16 - place)
        digit = (12 - pl.col("total")) * _INVERSE[place] % 11
        first = pl.col("first") // unit * (10 * unit) + digit * unit + pl.col("first") % unit
        following = _digit(place) if place < 16 else pl.col("last")  # before its like is as good as after it
        here = (digit < 10) & (digit != following)
        found.append(_candidates(some, here, first, pl.col("last"), "missing_digit"))
        if place < 16:  # the character moves to the front of the gap: the weight of its own place
            change = _digit(place) * (_WEIGHTS[place] - _WEIGHTS[place + 1])
            some = some.with_columns(total=(pl.col("total") + change + 110) % 11)
    cut = some.filter(pl.col("last") < 10).with_columns(total=_sum(17))
    whole = pl.col("first") * 10 + pl.col("last")
    return [*found, _candidates(cut, pl.lit(True), whole, (12 - pl.col("total")) % 11, "missing_digit")]


def _extra(parts: pl.DataFrame) -> list[pl.LazyFrame]:
    if parts.is_empty():
        return []
    digits = [_digit(place) for place in range(18)]
    total = sum((digits[place] * _WEIGHTS[place - 1] for place in range(1, 18)), pl.col("last")) % 11
    some = parts.with_columns(total=total)
    found = []
    for place in range(18):
        unit = 10 ** (17 - place)
        first = pl.col("first") // (10 * unit) * unit + pl.col("first") % unit
        following = digits[place + 1] if place < 17 else pl.col("last")
        here = (pl.col("total") == 1) & (digits[place] != following)
        found.append(_candidates(some, here, first, pl.col("last"), "extra_digit"))
        if place < 17:  # next the following character goes, and this one stays
            change = (digits[place] - digits[place + 1]) * _WEIGHTS[place]
            some = some.with_columns(total=(pl.col("total") + change + 110) % 11)
    front = sum((digits[place] * _WEIGHTS[place] for place in range(18)), pl.lit(0)) % 11
    return [*found, _candidates(some, front == 1, pl.col("first") // 10, digits[17], "extra_digit")]
