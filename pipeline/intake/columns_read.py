"""Columns as read: texts, or distinct texts with an index a row where a column says few things many times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow as pa

from pipeline.intake.text_decode import Encoding, decode

_APART = b"\0"  # stands in no accepted file


@dataclass(frozen=True)
class Coded:
    """A column as its distinct texts and, for every row, which of them it holds (UInt32)."""

    distinct: list[str]
    index: pl.Series

    def rows(self, keep: pl.Series) -> Coded:
        """Only the rows of the mask; the distinct texts stay."""
        return Coded(self.distinct, self.index.filter(keep))

    def mapped(self, parse: Callable[[str], Any], dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
        """`parse` of every row's text, called once a distinct text."""
        return pl.Series([parse(text) for text in self.distinct], dtype=dtype, strict=True).gather(self.index)

    def times(self) -> list[int]:
        """How many rows hold each distinct text."""
        counted = self.index.value_counts()
        times = [0] * len(self.distinct)
        for at, count in counted.iter_rows():
            times[at] = count
        return times


def text_column(array: pa.Array, encoding: Encoding) -> pl.Series:
    """The column decoded strictly. Raises Unreadable E231 or E202 (places are relative to the column)."""
    if pa.types.is_string(array.type):
        return _series(array)
    if _is_ascii(array):
        return _series(array.cast(pa.string()))
    joined = decode(_APART.join(array.to_pylist()), encoding)
    return pl.Series([joined]).str.split(_APART.decode()).explode(empty_as_null=False).rename("")


def coded_column(array: pa.Array, encoding: Encoding) -> Coded:
    """The column as distinct texts, decoded strictly. Raises as `text_column`."""
    encoded = array.dictionary_encode()
    return Coded(
        text_column(encoded.dictionary, encoding).to_list() if len(encoded.dictionary) else [],
        _series(encoded.indices).cast(pl.UInt32),
    )


def coded_texts(texts: pl.Series) -> Coded:
    """A column of texts as distinct texts, in order of first appearance."""
    distinct = texts.unique(maintain_order=True)
    numbers = pl.int_range(len(distinct), dtype=pl.UInt32, eager=True)
    return Coded(distinct.to_list(), texts.replace_strict(distinct, numbers, return_dtype=pl.UInt32))


def _is_ascii(array: pa.Array) -> bool:
    data = array.buffers()[2]
    return data is None or memoryview(data).tobytes().isascii()


def _series(array: pa.Array) -> pl.Series:
    series = pl.from_arrow(array)
    if not isinstance(series, pl.Series):  # pragma: no cover - an array becomes a Series
        raise TypeError(type(series).__name__)
    return series
