"""Chinese person names: the key they are matched by, the notes beside them, and whether two plainly contradict.

The parts: name_fold (match key, notes), name_pinyin (sound), name_shape (look), name_words (transliterated names),
name_compare (the comparison of two names and the bands of its score), name_pairs (of whole columns), name_sound (the
blocking key), name_frequency (how common a name is). Names never appear in a message.
"""

from __future__ import annotations

import polars as pl

from pipeline.identity.name_character import Evidence
from pipeline.identity.name_compare import NOTHING, PLAIN, Comparison, compare, similarity
from pipeline.identity.name_fold import fold, notes
from pipeline.identity.name_frequency import frequency
from pipeline.identity.name_pairs import compare_pairs
from pipeline.identity.name_pinyin import pinyin_key
from pipeline.identity.name_sound import sound_key

__all__ = [
    "Comparison",
    "Evidence",
    "compare",
    "compare_pairs",
    "contradicts",
    "fold",
    "frequency",
    "load_tables",
    "notes",
    "pinyin_key",
    "similarity",
    "sound_key",
]


def load_tables() -> None:
    """Reads the tables of characters that everything here goes by (0.2 s), which else its first use does."""
    names = fold(pl.Series(["示例", "示列"]))
    sound_key(names)
    compare_pairs(names.head(1), names.tail(1))


def contradicts(left: pl.Series, right: pl.Series, confirmed: pl.Series) -> pl.Series:
    """Whether the right name is plainly somebody else's than the left (Boolean, same length, no nulls).

    A row carries a person's sound ID; its name speaks against it: the ID may be a guardian's on a child's row or
    the household head's on a member's. To veto a right row makes a false flag (a clerk drives a day for nothing);
    to accept a guardian's row hides a child. So the question is what one way of writing explains:

    - Whatever sounds, looks or is spelled alike, is unreadable, left out or in another order never contradicts,
      and one slip (one character quite different, the rest the same) does not, where a given name has two.
    - The surname, or a Yi clan's name, is shared by the very relatives whose IDs are misused: it never counts.
      A given name of one character that differs is therefore another name (陈正, 陈兰).
    - Of a Tibetan name of two words one is not enough (扎西卓玛, 扎西顿珠): there are a few dozen words in a village.

    `confirmed`: the row's own birth date agrees with the ID. A guardian's ID on a child's row would disagree, so
    then only a name with nothing in common (but the surname) contradicts; null counts as not confirmed. Blank
    names never contradict, nor does a name that the other's note gives (王芳(曾用名李英)).
    `left`, `right`: names as delivered. Work is per distinct pair.
    """
    pairs = pl.DataFrame([left.cast(pl.String).alias("left"), right.cast(pl.String).alias("right")])
    distinct = _open(pairs.drop_nulls().filter(pl.col("left") != pl.col("right")).unique(maintain_order=True))
    scores = [
        compare(one, other).score for one, other in distinct.select("left_key", "right_key").iter_rows()
    ]
    scored = distinct.select("left", "right").with_columns(pl.Series("score", scores, dtype=pl.Float64))
    found = pairs.join(scored, on=["left", "right"], how="left", maintain_order="left")["score"].fill_null(
        1.0
    )
    sure = confirmed.cast(pl.Boolean).fill_null(False)
    return ((found < NOTHING) | ((found < PLAIN) & ~sure)).alias(left.name)


def _open(distinct: pl.DataFrame) -> pl.DataFrame:
    """Pairs with their keys that may contradict: both keys there, different, neither named in the other's note."""
    keyed = distinct.with_columns(
        fold(distinct["left"]).alias("left_key"),
        fold(distinct["right"]).alias("right_key"),
        notes(distinct["left"]).fill_null("").alias("left_note"),
        notes(distinct["right"]).fill_null("").alias("right_note"),
    )
    return keyed.filter(
        pl.col("left_key") != pl.col("right_key"),
        ~pl.col("right_note").str.contains(pl.col("left_key"), literal=True),
        ~pl.col("left_note").str.contains(pl.col("right_key"), literal=True),
    )
