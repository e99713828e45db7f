"""The match key of a person's name: everything that is writing and not name taken out, and the note beside it kept.

Nothing here changes a record: the key is for comparing, the name as delivered stays in the snapshot. One
(traditional) character to one (simplified) character only; phrases differ for 乾隆 alone (opencc 1.4's t2s).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import polars as pl

from pipeline.identity.name_data import sections

WILDCARD = "?"  # one character that could not be read; may also stand where nothing was (a lost interpunct)

# Format, control and space characters; Hangul fillers, the braille blank and variation selectors print nothing.
_INVISIBLE = "[\\p{Z}\\p{Cc}\\p{Cf}\u115f\u1160\u3164\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]"
# What fonts and converters print for a character they lack (□ 〓 ○ U+FFFD, private use), and 某 of masked lists.
_UNREADABLE = "\ufffd□■▢▣▯◻◼⬜⬛〓○◯●×✕✖※某"
_OPENING = "([{<【〔〖〈《«「『"
_CLOSING = ")]}>】〕〗〉》»」』"
_ROLE = "(?:户主|姓名|申请人|本人|家长|监护人|残疾人)"
# A rare character spelled out, (上龙下天) (龙+天): one character, not a note.
_SPELLED = r"\((?:[上左外].[下右内].|.\+.)\)"
_NOTE = r"\([^()]*\)"
# What became of the person, glued to the name (handbook B5, C). No name has these words; 已 and 故 alone stand in names.
_STATES = "死亡|去世|病故|亡故|注销|迁出|服刑|失联"
_STATE = f"(?:已经?)?(?:{_STATES})|已故|已亡"
_TITLES = "先生|女士|同志"
_GLUED = f"^(.{{2,}}?)((?:[0-9]|{_TITLES}|{_STATE})+)$"  # a name and what stands behind it


def fold(names: pl.Series) -> pl.Series:
    """The match key of each name (String, same length and name; blank → null).

    NFKC; spaces, invisible characters and interpuncts out; notes in brackets cut (see `notes`); leading
    numbering, `户主:`, trailing digits, stars, honorifics and 已故, 死亡, 迁出 … cut; traditional → simplified; what
    could not be read (`?`, □, U+FFFD, private use, an inner `*`, 某) → `?`. Idempotent. Handbook B5. Work is per
    distinct name.
    """
    return _by_distinct(names, _keys)


def _keys(names: pl.Series) -> pl.Series:
    """The keys of distinct names. Nearly all are plain, their own keys: a tenth of the time."""
    plain = ~names.str.contains(_not_plain())
    worked_out = _worked_out(_normal_form(names.filter(~plain)))
    return names.clone().scatter((~plain).arg_true(), worked_out)  # scatter writes into its series


@lru_cache(maxsize=1)
def _not_plain() -> str:
    """What a name that is its own key does not hold: other than simplified characters, roles, honorifics, states."""
    changed = "".join(chr(code) for code in sorted(_characters()) if 0x3400 <= code <= 0x9FFF)
    return rf"[^\x{{3400}}-\x{{4DBF}}\x{{4E00}}-\x{{9FFF}}]|[{changed}]|户主|{_TITLES}|{_STATE}|^$"


def notes(names: pl.Series) -> pl.Series:
    """The notes in brackets after or in each name, joined by "；"; null if none. 已故, 死亡, 迁出 … are facts.

    A bracket the column cut off counts (`张三(已故`); a bracket round the whole name is no note. Those facts count
    without brackets too, behind a name of two characters or more (`张三已故`, `张三-死亡`), and come first.
    """
    return _by_distinct(names, _notes_of)


def _notes_of(names: pl.Series) -> pl.Series:
    """The notes of distinct names; a plain name has none."""
    plain = ~names.str.contains(_not_plain())
    nothing = pl.Series(names.name, [None], dtype=pl.String).new_from_index(0, len(names))
    return nothing.scatter((~plain).arg_true(), _notes(_normal_form(names.filter(~plain))))


def _by_distinct(names: pl.Series, work: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """`work` on the distinct values, spread over all rows again."""
    names = names.cast(pl.String)
    distinct = names.drop_nulls().unique().alias("name")
    found = work(distinct).alias("found")
    spread = names.to_frame("name").join(
        pl.DataFrame([distinct, found]), on="name", how="left", maintain_order="left"
    )
    return spread["found"].alias(names.name)


def _normal_form(names: pl.Series) -> pl.Series:
    """NFKC, lower-case ASCII, simplified characters, nothing invisible, round brackets, `?` for the unreadable."""
    table = _characters()
    composed = names.str.normalize("NFKC").str.replace_all(_INVISIBLE, "")
    translated = pl.Series([text.translate(table) for text in composed.to_list()], dtype=pl.String)
    return translated.str.replace_all(r"\p{Co}", WILDCARD).str.replace_all(_SPELLED, WILDCARD)


def _worked_out(text: pl.Series) -> pl.Series:
    text = _without_role(text)
    bare = _outside(text)
    key = _letters(bare)
    # A bracket round the whole name: the name is what stands in it.
    return pl.select(pl.when(key != "").then(key).otherwise(_letters(text))).to_series().replace("", None)


def _notes(text: pl.Series) -> pl.Series:
    inside = text.str.extract_all(r"\(([^()]+)(?:\)|$)").list.eval(pl.element().str.strip_chars("()"))
    outside = _outside(text).str.replace_all(r"[^\p{L}?]", "")
    named = outside != ""
    name = pl.select(pl.when(named).then(_outside(_without_role(text))).otherwise(text)).to_series()
    states = _run(name).str.extract(_GLUED, 2).fill_null("").str.extract_all(_STATE)
    every = pl.when(named).then(pl.concat_list(states, inside)).otherwise(states)
    return pl.select(every.list.join("；")).to_series().replace("", None)


def _without_role(text: pl.Series) -> pl.Series:
    return text.str.replace(rf"^[0-9.、]*(?:{_ROLE}:)+", "")


def _outside(text: pl.Series) -> pl.Series:
    """What stands outside brackets; a bracket may hold another, and may be cut off by a narrow column."""
    return text.str.replace_all(_NOTE, "").str.replace_all(_NOTE, "").str.replace(r"\(.*$", "")


def _letters(text: pl.Series) -> pl.Series:
    """Only letters, marks and wildcards; no numbering, no role, no honorific, no state, no 王五*."""
    text = _run(text).str.replace(_GLUED, "${1}").str.replace("[0-9]+$", "")
    return text.str.normalize("NFKC")  # marks that met when a character between them went


def _run(text: pl.Series) -> pl.Series:
    """Letters, marks, wildcards and digits without what stands between and before them."""
    text = text.str.replace(r"^([^*]{2,})\*+$", "${1}").str.replace_all(r"\*", WILDCARD)
    text = text.str.replace_all(r"[^\p{L}\p{M}\p{N}?]", "")
    # Latin letters among characters: pinyin typed for a rare character, or a class's 张伟A / 张伟B.
    read = text.str.replace_all("[a-z]+", WILDCARD)
    text = pl.select(pl.when(text.str.contains(r"\p{Han}")).then(read).otherwise(text)).to_series()
    return text.str.replace("^(?:[0-9]|户主)+", "")


@lru_cache(maxsize=1)
def _characters() -> dict[int, str]:
    """For `str.translate`: ASCII capitals, brackets, unreadable marks, and traditional → simplified characters."""
    table = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    table |= dict.fromkeys(map(ord, _UNREADABLE), WILDCARD)
    table |= dict.fromkeys(map(ord, _OPENING), "(") | dict.fromkeys(map(ord, _CLOSING), ")")
    return table | _simplification()


def _simplification() -> dict[int, str]:
    """Traditional characters → simplified ones by opencc's t2s, one by one (0.2 s, 4,117 characters), and variants."""
    from opencc import OpenCC  # 0.1 s to import: only where a name is compared

    blocks = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x2EBEF), (0x30000, 0x323AF))
    every = [chr(code) for first, last in blocks for code in range(first, last + 1)]
    table = dict(zip(every, OpenCC("t2s").convert("\n".join(every)).split("\n"), strict=True))
    changed = {old: new for old, new in table.items() if new != old and len(new) == 1}
    changed |= {pair[0]: pair[1] for _, pairs in sections("name_variants.txt") for pair in pairs}
    # 薴 → 苧 → 苎: in one step, so that the key of a key is the key.
    return {ord(old): changed.get(new, new) for old, new in changed.items()}
