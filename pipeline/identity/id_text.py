"""What a damaged ID text holds, in plain characters: digits, capitals, and `*` for each hidden place.

Texts are what intake keeps beside an ID it could not prove (`<field>_typed`); nothing is judged or repaired here.
"""

from __future__ import annotations

import polars as pl

from pipeline.identity.id_number import NUMERIC_CELL

HIDDEN = "*"

_CLEAN = r"^[0-9*]+X?$"
_APART = r"[\p{Z}\p{Cc}\p{Cf}\p{Pd}_'\"`´‘’“”=:;、。/]"
_BRACKETS = r"()\[\]{}<>【】〔〕〈〉《》「」『』"
_PREFIX = rf"^(?:[\p{{Han}}:#{_BRACKETS}]|ID|NO|SFZH?)*[.:=#]*"
# 本人, a name or a bracket behind a number or a good part of one; words with a number, or units of one, are not left out
_NOTE = (
    r"^([0-9A-Z*]{12,19}|[0-9A-Z*]{18}[1-7*][1-4*](?:B[0-9])?)"
    rf"(?:[\p{{Han}}{_BRACKETS}--[年月日岁号组队元]][\p{{Han}}{_BRACKETS}]*)$"
)
# Words that say the number is another person's: the handbook (B4) lets nobody be matched by such a number.
_KIN = "父亲?|母亲?|爸爸?|妈妈?|配偶|丈夫|妻子?|儿子?|女儿|儿媳|孙[子女]?|爷爷?|奶奶?|哥哥?|姐姐?|弟弟?|妹妹?"
_ANOTHER_S = (
    rf"监护|户主|家长|代[办领管理]|^[{_BRACKETS}]*其?(?:{_KIN})的?(?:公民|居民|身份|证|\P{{Han}})"
    rf"|\P{{Han}}[其之系]?(?:{_KIN})[{_BRACKETS}]*$"
)
# One run of dashes within a number of which too little is seen to be a whole one: a mask. Single ones are writing.
_DASHED = r"^([1-9][0-9]{5,13})\s*[\p{Pd}−_]{3,}\s*([0-9]{0,5}[0-9X])$"
MOST_SEEN = 14  # characters of it: at least four are hidden
_TWO = 26  # characters of an ID in a cell of two numbers
_X, _B = "[ХΧ×✕✖╳⨯]", "[ВΒ]"  # what looks like X and B in other scripts
_RUN = "▇"
_MARKS = r"[∗#?•●○◯■□█▇✱]"
_SCIENTIFIC = r"^([1-9])(?:\.([0-9]*))?E\+?1[79]$"
_LETTERS, _DIGITS = "OILBSZ", "011852"  # read as digits; l was made L by upper case


def read(typed: pl.Series) -> pl.DataFrame:
    """One row a text. `text`: [0-9A-Z*]+ or null where it holds anything else (or nothing); `number`: it came out
    of a numeric cell, its tail is lost; `mantissa`: the digits of a number in scientific notation (`text` null);
    `noted`: words before or behind it were left out. Words that say it is another's number make it null."""
    texts = typed.cast(pl.String).rechunk().alias("text")
    odd = ~texts.str.contains(_CLEAN).fill_null(True)
    at = odd.arg_true()
    nothing = pl.Series("", [None], dtype=pl.String).new_from_index(0, len(texts))
    number = pl.Series("number", [False]).new_from_index(0, len(texts))
    noted = number.alias("noted")
    if not len(at):
        return pl.DataFrame([texts, number, nothing.alias("mantissa"), noted])
    rest = _odd(texts.gather(at))
    return pl.DataFrame(
        [
            texts.clone().scatter(at, rest["text"]),
            number.scatter(at, rest["number"]),
            nothing.alias("mantissa").scatter(at, rest["mantissa"]),
            noted.clone().scatter(at, rest["noted"]),
        ]
    )


def _plain(texts: pl.Expr) -> pl.Expr:
    """Plain letters, and a mask of dashes made one of stars."""
    plain = texts.str.normalize("NFKC").str.to_uppercase().str.replace_all(_X, "X").str.replace_all(_B, "B")
    dashed = plain.str.contains(_DASHED) & (plain.str.count_matches("[0-9X]") <= MOST_SEEN)
    return pl.when(dashed).then(plain.str.replace(_DASHED, "${1}" + HIDDEN * 2 + "${2}")).otherwise(plain)


def several(typed: pl.Series) -> pl.DataFrame:
    """`at`, `cell` of the texts that hold more than one number can have: what stands in them, nothing between."""
    cells = typed.cast(pl.String).to_frame("cell").with_row_index("at")
    long = pl.col("cell").str.len_bytes() >= _TWO  # nearly no text is: the rest is for few
    some = cells.filter(long).with_columns(_plain(pl.col("cell")).str.replace_all(_APART, ""))
    return some.filter(pl.col("cell").str.count_matches("[0-9X]") >= _TWO)


def _odd(texts: pl.Series) -> pl.DataFrame:
    """`read` for texts that are more than digits."""
    text = pl.col("text")
    frame = texts.to_frame().select(
        whole=_plain(text).str.replace_all(_APART, ""), number=text.str.starts_with(NUMERIC_CELL)
    )
    own = pl.when(~pl.col("whole").str.contains(_ANOTHER_S)).then("whole")
    frame = frame.with_columns(
        text=own.str.replace(_PREFIX, "").str.replace(_NOTE, "${1}").str.replace(r"\.0+$", ""),
        noted=pl.col("whole").str.contains(r"\p{Han}").fill_null(False),
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
        noted="noted",
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
