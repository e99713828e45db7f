"""Counter-based randomness: every draw is a function of (seed, salt, key), whatever the order, chunk or thread.

polars' own `hash` may change between releases, so the mixer (splitmix64) is written out. Series are used instead of
expressions because an expression would repeat its sub-terms eight times over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import polars as pl

_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB


def _u64(value: int) -> pl.Series:
    return pl.Series([value & 0xFFFFFFFFFFFFFFFF], dtype=pl.UInt64)


def _shifted(z: pl.Series, bits: int) -> pl.Series:
    """z xor (z >> bits): polars has no shift, a division by a power of two is one."""
    return z ^ (z // _u64(1 << bits))


class Rolls:
    """Draws for one column of keys (UInt64). Two draws with the same salt on the same key are the same draw."""

    def __init__(self, seed: int, keys: pl.Series) -> None:
        self._seed = seed
        self._keys = keys.cast(pl.UInt64) * _u64(_GOLDEN)

    def bits(self, salt: str) -> pl.Series:
        """64 random bits a key (UInt64)."""
        start = int.from_bytes(hashlib.sha256(f"{self._seed}:{salt}".encode()).digest()[:8], "big")
        z = self._keys + _u64(start)
        z = _shifted(z, 30) * _u64(_FIRST)
        z = _shifted(z, 27) * _u64(_SECOND)
        return _shifted(z, 31)

    def uniform(self, salt: str) -> pl.Series:
        """Float64 in [0, 1)."""
        return (self.bits(salt) // _u64(1 << 11)).cast(pl.Float64) * 2.0**-53

    def below(self, salt: str, n: int) -> pl.Series:
        """Int64 in [0, n)."""
        return (self.bits(salt) % _u64(n)).cast(pl.Int64)

    def chance(self, salt: str, p: float) -> pl.Series:
        """True with probability p."""
        return self.uniform(salt) < p

    def pick(self, salt: str, weights: Sequence[float]) -> pl.Series:
        """Int64 index drawn by weights (they need not sum to one)."""
        u = self.uniform(salt)
        total, edge = sum(weights), 0.0
        index = pl.zeros(len(u), dtype=pl.Int64, eager=True)
        for weight in weights[:-1]:
            edge += weight / total
            index = index + (u >= edge).cast(pl.Int64)
        return index

    def word(self, salt: str, words: Sequence[str]) -> pl.Series:
        """A word of the list."""
        return pl.Series(words, dtype=pl.String).gather(self.below(salt, len(words)))

    def weighted(self, salt: str, words: dict[str, float]) -> pl.Series:
        """A word drawn by its weight."""
        return pl.Series(list(words), dtype=pl.String).gather(self.pick(salt, list(words.values())))
