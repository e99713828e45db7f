"""How a name sounds: toneless pinyin by a table of characters, with surnames' readings, and the south-west's ear.

Phrases are not used: 冯河 would be read ping he (pypinyin 0.55, 21 of 50,000 names). One reading a character.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from pipeline.identity.name_data import sections
from pipeline.identity.name_fold import fold

_TONES = str.maketrans(
    dict(zip("āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜüńňǹḿ", "aaaaeeeeiiiioooouuuuvvvvvnnnm", strict=True)) | {"ê": "e"}
)


@lru_cache(maxsize=1)
def _readings() -> dict[str, str]:
    """Character → first reading with its tone marks (0.1 s; 42 thousand characters)."""
    # Importing pypinyin reads its phrases too (0.9 s, 60 MB), which names do not need: only its table is opened.
    spec = find_spec("pypinyin")
    table = Path(spec.origin).parent / "pinyin_dict.json" if spec and spec.origin else None
    if table and table.is_file():
        raw = json.loads(table.read_text(encoding="utf-8"))
    else:
        from pypinyin.pinyin_dict import pinyin_dict as raw
    return {chr(int(code)): str(reading) for code, reading in raw.items()}


@lru_cache(maxsize=2)
def _corrections(section: str) -> dict[str, str]:
    """Readings of name_readings.txt: section `surname` (first place only) or `name`."""
    lines = [words for part, words in sections("name_readings.txt") if part == section]
    return {character: words[0] for words in lines for character in words[1]}


@lru_cache(maxsize=65_536)
def syllable(character: str) -> str:
    """The toneless reading (`v` for ü); "" for the wildcard; the character itself if it has none (𠮷, Latin)."""
    if character == "?":
        return ""
    corrected = _corrections("name").get(character)
    if corrected:
        return corrected
    return _readings().get(character, character).split(",")[0].translate(_TONES)


def surname_syllable(character: str) -> str:
    """The toneless reading of a character at the first place of a name (单 shan, 曾 zeng, 朴 piao)."""
    return _corrections("surname").get(character) or syllable(character)


def _merged(sound: str, initial: str, rounded: bool = False) -> str:
    """South-western mergers: zh/z, ch/c, sh/s, n/l, -n/-ng; and `initial` (f or w) sounds as hu.

    `rounded`: after it -eng sounds as -ong (feng as hong), as it does else only after b, p and m, which have no -ong.
    """
    if sound[:2] in ("zh", "ch", "sh"):
        sound = sound[0] + sound[2:]
    elif sound.startswith("n") and len(sound) > 1:
        sound = "l" + sound[1:]
    elif sound[:1] and sound[0] in initial:
        rest = sound[1:].removeprefix("u")
        ending = {"ei": "ui", "en": "un", "eng": "ong" if rounded else "un"}
        sound = "h" + ending.get(rest, "u" + rest)
    return sound.removesuffix("g") if sound.endswith("ng") else sound


@lru_cache(maxsize=4096)
def dialect(sound: str) -> tuple[str, ...]:
    """Keys of a syllable; two sound alike if one agrees at its place. f/h and w/h are kept apart: 方≈黄≈王, 方≉王.

    So are -eng as -en and -eng as -ong after f and w: 芬≈凤≈红, 芬≉红.
    """
    return tuple(_merged(sound, initial, rounded) for initial in "fw" for rounded in (False, True))


@lru_cache(maxsize=4096)
def dialect_class(sound: str) -> str:
    """One key of a syllable for equality joins: f, w and h before u fall together, and so does hong, heard as feng.

    With 红 and 宏 the class of 文 芬 凤 峰 has 4.3 % of given names' characters (name_shares.txt) instead of 3.0, and two
    strangers share a class 7 % oftener. Feng in the class of hong alone would lose 芬 and 凤, which are heard alike too.
    """
    return "hun" if sound == "hong" else _merged(sound, "fw")


class _Classes(dict[int, str]):
    """For `str.translate`: a space and the character's dialect class, worked out when first met."""

    def __missing__(self, code: int) -> str:
        self[code] = " " + (dialect_class(syllable(chr(code))) or "?")
        return self[code]


def pinyin_key(names: pl.Series) -> pl.Series:
    """Toneless, dialect-folded pinyin of each name's match key, syllables parted by a space (String; blank → null).

    For blocking: 陈志芳 and 程自方 share "cen zi huan". Surnames' readings at the first place; `?` stands for an
    unreadable character. Work is per distinct folded name.
    """
    folded = fold(names)
    distinct = folded.drop_nulls().unique()
    rest = _Classes()
    first = {name: dialect_class(surname_syllable(name)) or "?" for name in distinct.str.slice(0, 1).unique()}
    found = [first[name[0]] + name[1:].translate(rest) for name in distinct.to_list()]
    keys = pl.Series(found, dtype=pl.String)
    return folded.replace_strict(distinct, keys, default=None, return_dtype=pl.String)
