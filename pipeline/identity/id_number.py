"""The resident ID number (GB 11643): what a cell holds, cleaned and proven, over whole columns.

An ID is sound if it has 17 digits and a check character (ISO 7064 MOD 11-2) and its birth date is a day of the
calendar. The region may be unknown (abolished codes live on in IDs); 81/82/83 residence permits and 9…
permits of foreigners follow the same rule. Nothing is repaired by guessing: what is not proven is a problem code.

Clean cells are recognised by three table look-ups a cell; only the others go through the costly steps.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import polars as pl

from pipeline.identity import certificate

NUMERIC_CELL = "\x01"  # readers put this before the text of a numeric cell >= 1e15: its digits are lost
PROBLEMS = (
    "missing",
    "placeholder",
    "masked",
    "numeric_cell",
    "scientific",
    "excel_zeros",
    "length",
    "characters",
    "date",
    "checksum",
    "several",
)

_PIECE = 1 << 18  # rows handled at once: the intermediate columns stay in the cache
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"  # by weighted sum modulo 11
_FIRST_DAY, _LAST_DAY = 1850_00_00, 2100_12_31
_NONE = 200  # no such date or region: any sum with it (modulo 256) is outside the 0…30 of real sums

_INVISIBLE = (
    r"[\p{Cc}\p{Cf}\p{Z}\u{034F}\u{115F}\u{1160}\u{17B4}\u{17B5}\u{180B}-\u{180F}\u{2800}\u{3164}"
    r"\u{FE00}-\u{FE0F}\u{E0100}-\u{E01EF}]|_X00[0-9A-F]{2}_"
)
_QUOTES = "='\"`´‘’‚‛“”„‟′″"
_ROUND = _QUOTES + "()[]{}<>【】〔〕〈〉《》「」『』"  # what a whole number may stand in
_LIKE_X = "[ХΧ×✕✖╳⨯]"  # Cyrillic, Greek, times and crosses; each is believed only if the check holds
_LIKE_B = "[ВΒ]"
_PREFIX = r"^(?:[公民居身份证證件残疾人社会保障卡号码碼號本二代第]+|ID|NO|SFZH?)[:.=#]*"
_NUMBER = r"^([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)\.0+$|^([0-9]{1,3}(?:,[0-9]{3})+)$"
_DASHES = r"[\p{Pd}−_]"
_SLASHED = "^[0-9]{6}/[0-9/]+[0-9X]$"
_HIS_OWN = r"[(\[{<【〔〈《「『]?本人$"  # no other note: a name or a kinship may say whose number it is
# A birth date of 2001…2012, which fifteen digits of before 1999 would read as a day of 1920. Those ended in 2013, and
# hardly anybody of 1920 bore one to the end; numbers cut to fifteen digits are daily.
_OF_THIS_CENTURY = r"^[0-9]{6}(20(?:0[1-9]|1[0-2])[0-9]{4})[0-9]$"
_SAME = "^(?:0+|" + "|".join(f"{digit}{{6,}}" for digit in range(1, 10)) + ")$"
_NOTHING = (
    r"^[\p{P}\p{S}]*(?:无|無|未|暂|没|不|缺|空|同|遗失|丢失|待|略|黑户|〇|N/?A|NULL|NONE|NAN|NIL|UNKNOWN)[^0-9]*$"
    r"|^[\p{P}\p{S}]{0,5}$|^X{1,5}$|^[0-9]{14}0000$|^[0-9]{12}000$"
)
_MASK = r"[*#?∗•●○◯■□█▇]|X{2,}|[0-9]\.{2,}"
_DASHED_MASK = r"^[0-9]{6,14}[\p{Pd}−_]{3,}[0-9]{0,5}[0-9X]$"  # 539999------0010; else dashes are writing


def normalise(raw: pl.Series) -> pl.DataFrame:
    """What each cell of an ID or certificate column holds.

    Returns one row a cell: `id` (18 characters, sound, or null), `certificate` (20 or 22 characters, or null;
    then `id` is its first 18 if these are sound) and `problem` (one of PROBLEMS, null where the id is sound).
    """
    cells = raw.cast(pl.String).rechunk().alias("id")
    pieces = [cells.slice(start, _PIECE) for start in range(0, max(len(cells), 1), _PIECE)]
    workers = min(pl.thread_pool_size(), len(pieces))
    if workers == 1:
        return pl.concat([_piece(piece) for piece in pieces])
    with ThreadPoolExecutor(workers) as pool:  # polars gives up the GIL inside its operations
        return pl.concat(list(pool.map(_piece, pieces)))


def birth_date(ids: pl.Expr) -> pl.Expr:
    """Birth date of sound IDs (Date); null where there is none."""
    return ids.str.slice(6, 8).str.to_date("%Y%m%d", strict=False)


def sex(ids: pl.Expr) -> pl.Expr:
    """'男' (odd 17th digit) or '女' of sound IDs; null where there is none."""
    digit = ids.str.slice(16, 1)
    odd = digit.is_in(["1", "3", "5", "7", "9"])
    return pl.when(odd).then(pl.lit("男")).when(digit.is_not_null()).then(pl.lit("女"))


def _piece(cells: pl.Series) -> pl.DataFrame:
    """`normalise` for one piece: clean cells as they are, the rest through the costly steps and put back."""
    clean = _is_sound(cells)
    at = (~clean).arg_true()
    nothing = pl.Series("", [None], dtype=pl.String).new_from_index(0, len(cells))
    if not len(at):
        return pl.DataFrame([cells, nothing.alias("certificate"), nothing.alias("problem")])
    rest = _costly(cells.gather(at))
    return pl.DataFrame(
        [
            cells.clone().scatter(at, rest["id"]),
            nothing.alias("certificate").scatter(at, rest["certificate"]),
            nothing.alias("problem").scatter(at, rest["problem"]),
        ]
    )


def _is_sound(texts: pl.Series) -> pl.Series:
    """Which texts are sound IDs as they stand."""
    text = pl.col("text")
    last = pl.when(text.str.len_bytes() == 18).then(
        text.cast(pl.Binary).bin.slice(17, 1).bin.reinterpret(dtype=pl.UInt8)
    )
    frame = pl.DataFrame([texts.alias("text"), _check_byte(texts).alias("check")])
    return frame.select((last == pl.col("check")).fill_null(False)).to_series()


def _check_byte(texts: pl.Series) -> pl.Series:
    """The check character (ASCII byte) that belongs to the first 17; 0 or null if these are no digits or no date."""
    regions, days, orders, sums = _tables()
    number = texts.to_frame("n").select(pl.col("n").str.head(17).cast(pl.Int64, strict=False)).to_series()
    front = number // 1000  # region and date, 14 digits
    region = front // 10**8
    day = (front - region * 10**8).to_frame("d")
    known = day.select(pl.col("d").clip(_FIRST_DAY, _LAST_DAY + 1) - _FIRST_DAY).to_series()
    # A sign or a missing digit leaves fewer than 17 digits, so a region part below 100000, which is no region
    total = (
        regions.gather(region.cast(pl.UInt32, strict=False))
        + days.gather(known.cast(pl.UInt32, strict=False))
        + orders.gather((number - front * 1000).cast(pl.UInt32, strict=False))
    )
    return sums.gather(total.cast(pl.UInt32))


@lru_cache(maxsize=1)
def _tables() -> tuple[pl.Series, pl.Series, pl.Series, pl.Series]:
    """Weighted sums modulo 11 of every region, date and order part, and the check character of every total.

    Date sums start at _FIRST_DAY and hold _NONE where the calendar has no such day.
    """
    days = pl.select(day=pl.date_range(pl.date(1850, 1, 1), pl.date(2100, 12, 31))).to_series()
    numbers = days.dt.strftime("%Y%m%d").cast(pl.Int64)
    by_day = pl.Series([_NONE], dtype=pl.UInt8).new_from_index(0, _LAST_DAY - _FIRST_DAY + 2)
    by_day = by_day.scatter(numbers - _FIRST_DAY, _weighted(numbers, 6, 8))
    regions = pl.int_range(10**6, eager=True)
    by_region = _weighted(regions, 0, 6).scatter(regions.head(10**5), _NONE)
    orders = pl.int_range(1000, eager=True)
    sums = [ord(_CHECKS[total % 11]) if total <= 30 else 0 for total in range(256)]
    return (
        by_region,
        by_day,
        _weighted(orders, 14, 3),
        pl.Series(sums, dtype=pl.UInt8),
    )


def _weighted(numbers: pl.Series, start: int, width: int) -> pl.Series:
    """Weighted digit sum modulo 11 (UInt8) of numbers that stand at places start … start+width-1 of an ID."""
    digits = [(numbers // 10 ** (width - 1 - k) % 10) * _WEIGHTS[start + k] for k in range(width)]
    remainder: pl.Series = sum(digits[1:], digits[0]) % 11
    return remainder.cast(pl.UInt8)


def _costly(cells: pl.Series) -> pl.DataFrame:
    """`normalise` for cells that are not clean: tidy, split off the certificate's tail, complete, prove, judge."""
    frame = _tidy(_plain(cells))
    texts = frame["text"]
    parts = certificate.split(texts)
    bodies = _where(parts["body"], frame["old"], _eighteen)
    lost = frame["float"]
    sound = _is_sound(bodies) & ~lost
    bad = frame.with_columns(bodies.alias("body"), parts["odd"]).filter(~sound)
    problem = pl.Series("problem", [None], dtype=pl.String).new_from_index(0, len(cells))
    problem = problem.scatter((~sound).arg_true(), _judge(bad))
    # A certificate number is kept if its shape is right, though its ID part may be unsound
    shaped = pl.col("tail").str.contains("^.") & pl.col("body").str.contains("^[0-9]{17}[0-9X]$")
    shaped &= (
        (pl.lit(sound) | ~pl.col("odd")) & ~pl.lit(lost) & (pl.lit(problem) != "placeholder").fill_null(True)
    )
    return parts.with_columns(bodies.alias("body")).select(
        id=pl.when(pl.lit(sound)).then(pl.col("body")),
        certificate=pl.when(shaped).then(pl.col("body") + pl.col("tail")),
        problem=pl.lit(problem),
    )


def _plain(cells: pl.Series) -> pl.DataFrame:
    """`raw` (null as "") and `text`: full-width and look-alike letters become plain ones."""
    frame = cells.to_frame("raw").with_columns(pl.col("raw").fill_null(""))
    text = pl.col("raw")
    wide = frame.select(text.str.len_bytes() != text.str.len_chars()).to_series()
    plain = (
        text.str.normalize("NFKC")
        .str.to_uppercase()
        .str.replace_all(_LIKE_X, "X")
        .str.replace_all(_LIKE_B, "B")
    )
    return frame.with_columns(
        _where(frame["raw"], wide, lambda some: some.to_frame("raw").select(plain).to_series()).alias("text")
    )


def _tidy(frame: pl.DataFrame) -> pl.DataFrame:
    """`seen`: what stands in the cell to the eye; `text`: also without prefix, number format and dashes;
    `old`: 15 digits of before 1999, not 18 cut; `float`: it was a number and its last digits cannot be believed."""
    seen = pl.col("text").str.to_uppercase().str.replace_all(_INVISIBLE, "").str.strip_chars(_QUOTES)
    frame = frame.select("raw", seen=seen.str.strip_chars_end(",;.。、"))
    digits = frame.select(text="seen", odd=~pl.col("seen").str.contains("^[0-9]{15,17}[0-9X]?$"))
    at = digits["odd"].arg_true()
    odd = _unformatted(digits["text"].gather(at))
    text = digits["text"].scatter(at, odd["text"])
    lost = (
        frame.select(pl.col("raw").str.starts_with(NUMERIC_CELL))
        .to_series()
        .scatter(at.filter(odd["float"]), True)
    )
    old = pl.col("text").str.contains("^[0-9]{15}$") & ~pl.col("text").str.ends_with("000") & ~_cut_short()
    return frame.with_columns(text.alias("text"), lost.alias("float")).with_columns(old=old)


def _cut_short() -> pl.Expr:
    """Whether fifteen digits are rather the beginning of eighteen."""
    day = pl.col("text").str.extract(_OF_THIS_CENTURY).str.to_date("%Y%m%d", strict=False)
    return day.is_not_null()


def _unformatted(texts: pl.Series) -> pl.DataFrame:
    """`text` without brackets, prefix, 本人, thousands commas, `.0`, dashes and slashes, and whether it was a number
    that lost digits."""
    text = pl.col("text").str.strip_chars(_ROUND).str.replace(_PREFIX, "").str.strip_chars(_ROUND)
    text = text.str.replace(_HIS_OWN, "")
    integer = pl.col("text").str.replace(r"\.0+$", "").str.replace_all(",", "", literal=True)
    undashed = pl.col("text").str.replace_all(_DASHES, "")
    slashed = undashed.str.contains(_SLASHED)
    joined = pl.when(slashed).then(undashed.str.replace_all("/", "", literal=True)).otherwise(undashed)
    # 18 digits that are exactly a float64, or Excel's 15 and zeros: as a number they most probably went through one
    exact = pl.when("number").then(pl.col("text").str.extract("^([0-9]{18})$")).cast(pl.Int64)
    lost = (exact.cast(pl.Float64).cast(pl.Int64) == exact) | (exact % 1000 == 0)
    return (
        texts.to_frame("text")
        .with_columns(text)
        .with_columns(number=pl.col("text").str.contains(_NUMBER))
        .with_columns(text=pl.when("number").then(integer).otherwise(joined))
        .select("text", float=lost.fill_null(False))
    )


def _eighteen(texts: pl.Series) -> pl.Series:
    """15 digits of before 1999 to 18. Orders 996–999 were given to people born in the 1800s."""
    text = pl.col("text")
    century = pl.when(text.str.contains("99[6-9]$")).then(pl.lit("18")).otherwise(pl.lit("19"))
    first = texts.to_frame("text").select(text.str.head(6) + century + text.str.slice(6)).to_series()
    checks = pl.Series([chr(code) if chr(code) in _CHECKS else "" for code in range(256)])
    return first + checks.gather(_check_byte(first).cast(pl.UInt32)).fill_null("")


def _where(texts: pl.Series, mask: pl.Series, step: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The series with `step` applied to the rows of the mask only."""
    at = mask.arg_true()
    return texts.clone().scatter(at, step(texts.gather(at))) if len(at) else texts


def _judge(bad: pl.DataFrame) -> pl.Series:
    """Why a text that is no sound ID is none. The first reason that holds."""
    text, body = pl.col("text"), pl.col("body")
    reasons = (
        (pl.col("seen") == "", "missing"),
        (pl.col("float"), "numeric_cell"),
        (text.str.contains(_SAME) | text.str.contains(_NOTHING), "placeholder"),
        (text.str.contains(r"^[0-9]+(?:\.[0-9]*)?E\+?[0-9]{1,2}$"), "scientific"),
        (text.str.count_matches("[0-9X]") >= 26, "several"),
        (text.str.contains(_MASK) | pl.col("seen").str.contains(_DASHED_MASK), "masked"),
        (pl.col("odd"), "length"),
        (text.str.contains("^[0-9]{15}0{4,7}$") | body.str.contains("^[0-9]{15}000$"), "excel_zeros"),
        (body.str.contains("^[1-9][0-9]{16}[0-9X]$") | text.str.contains("^[1-9][0-9]{14}$"), "date"),
        (text.str.contains("^[0-9]+X?$"), "length"),
    )
    chain = pl.lit("characters")
    for condition, code in reversed(reasons):
        chain = pl.when(condition).then(pl.lit(code)).otherwise(chain)
    dated = (_check_byte(bad["body"]) != 0).alias("dated")
    whole = pl.col("dated") & body.str.contains("^[0-9]{17}[0-9X]$")
    named = bad.with_columns(dated).select(problem=chain, whole=whole)
    wrong = (pl.col("problem") == "date") & pl.col("whole")
    return named.select(pl.when(wrong).then(pl.lit("checksum")).otherwise("problem")).to_series()
