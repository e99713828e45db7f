"""Resident ID numbers of people who cannot exist (region 5399xx is unassigned), unique by construction.

Every (birth county, birthday, sex) has a counter; the counter chooses the sequence number by a fixed permutation, so
no two people share one whatever the chunk size. Only the counters are kept: a few hundred thousand for any population.
"""

from __future__ import annotations

import polars as pl

from pipeline.sample.dice import Rolls

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = pl.Series(list("10X98765432"), dtype=pl.String)
SCATTERED = 211  # a step that visits all sequence numbers in an order without neighbours
_PER_SEX = 499  # sequence numbers of one sex a day and region code; 000 is given to nobody
_SPARE_CODES = 10  # further codes 5399(50+10i..) for a county whose own code is used up on some day


class IdMaker:
    """Gives out ID numbers chunk after chunk."""

    def __init__(self, seed: int, county_codes: list[str], step: int = SCATTERED) -> None:
        """`step`: from one sequence number of a day to the next given out; 1 gives neighbours to one day's births."""
        self._seed = seed
        self._step = step
        self._codes = [
            int(code) if spare == 0 else 539949 + 10 * index + spare
            for index, code in enumerate(county_codes)
            for spare in range(_SPARE_CODES + 1)
        ]
        self._used = pl.DataFrame(schema={"slot": pl.Int64, "used": pl.Int64})

    def numbers(self, born_in: pl.Series, birth: pl.Series, male: pl.Series) -> pl.Series:
        """18-character IDs. `born_in` is the county's position, `birth` a Date, `male` a Boolean."""
        slot = (born_in * 1_000_000 + birth.to_physical() + 100_000) * 2 + male.cast(pl.Int64)
        frame = pl.DataFrame({"slot": slot}).with_columns(rank=pl.int_range(pl.len()).over("slot"))
        frame = frame.join(self._used, on="slot", how="left", maintain_order="left")
        rank = frame["rank"] + frame["used"].fill_null(0)
        if (rank >= _PER_SEX * (_SPARE_CODES + 1)).any():
            raise ValueError("the population is too large for the region codes of its counties")
        self._count(slot)
        shuffled = (
            1
            + (rank % _PER_SEX * self._step + Rolls(self._seed, slot).below("sequence", _PER_SEX)) % _PER_SEX
        )
        code = pl.Series(self._codes, dtype=pl.Int64).gather(born_in * (_SPARE_CODES + 1) + rank // _PER_SEX)
        day = birth.dt.year().cast(pl.Int64) * 10_000 + birth.dt.month().cast(pl.Int64) * 100 + birth.dt.day()
        return with_check(code * 10**11 + day * 1000 + shuffled * 2 + male.cast(pl.Int64))

    def _count(self, slot: pl.Series) -> None:
        now = pl.DataFrame({"slot": slot}).group_by("slot").agg(used=pl.len().cast(pl.Int64))
        both = pl.concat([self._used, now])
        self._used = both.group_by("slot").agg(pl.col("used").sum())


def with_check(number17: pl.Series) -> pl.Series:
    """The 17 digits (Int64) and their check character (ISO 7064 MOD 11-2) as text."""
    total = pl.zeros(len(number17), dtype=pl.Int64, eager=True)
    for place, weight in enumerate(reversed(_WEIGHTS)):
        total = total + number17 // 10**place % 10 * weight
    return number17.cast(pl.String) + _CHECKS.gather(total % 11)
