"""Whether a list can be what it claims, given what was accepted before: per county, then what is left as a whole.

Ordinary lists change a lot; the thresholds (`[thresholds]`) are for what no month does: a half gone, the end cut off,
everything twice. A list's last change is its measure too: who took a list of other people by hand is not asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipeline.contracts.list_history import AcceptedList
from pipeline.contracts.settings import Thresholds

_FEWEST = 2  # rows missing, below which nothing is said: the last person of a small list may leave it
_FEWEST_MORE = 20  # rows more, likewise
_FEWEST_PEOPLE = 5  # below it a share of people says nothing
_SHORT_LEFT = 0.5  # of a short list's people this share may be others
_LIKE_LAST_TIME = 1.25  # the share that left last time, and a quarter more


@dataclass(frozen=True)
class Doubt:
    """Why a list, or a county of it, is not accepted: a code of docs/operations.md, what, why."""

    code: str
    what: str
    why: str


@dataclass(frozen=True)
class Then:
    """What was accepted before. `rows` is None where its snapshot can no longer be compared."""

    told: AcceptedList
    rows: pl.DataFrame | None
    repeats: Callable[[], int]


@dataclass(frozen=True)
class Now:
    """What came."""

    snapshot_date: date
    rows: pl.DataFrame
    repeats: Callable[[], int]


def judge_county(
    code: str, told: AcceptedList, then: pl.DataFrame | None, now: pl.DataFrame, thresholds: Thresholds
) -> Doubt | None:
    """One county of a prefecture-wide list. `then` and `now` are all rows; people count as gone who are nowhere now."""
    there = then.filter(pl.col("county") == int(code)) if then is not None else None
    before, left = told.rows_by_county.get(code, 0), now.filter(pl.col("county") == int(code)).height
    found = _size(before, left, thresholds, may_end=False)
    if found or there is None:
        return found
    return _people(gone(there, now), told, thresholds)


def judge_whole(then: Then, now: Now, without: Mapping[str, Doubt], thresholds: Thresholds) -> Doubt | None:
    """The whole file but the counties that failed by themselves."""
    if now.snapshot_date < then.told.snapshot_date:
        return _older(then.told.snapshot_date, f"这份名单的日期是 {now.snapshot_date}")
    outside = ~pl.col("county").is_in([int(code) for code in without])
    before = then.told.rows - sum(then.told.rows_by_county.get(code, 0) for code in without)
    rows = now.rows.filter(outside)
    found = (
        _size(before, rows.height, thresholds, may_end=True)
        or _doubled(before, rows.height, then, now, thresholds)
        or _damaged(then.told, now.rows, thresholds)
    )
    if found or then.rows is None:
        return found
    left = gone(then.rows.filter(outside), now.rows)
    return _people(left, then.told, thresholds) or _cut(left, thresholds)


def older_again(last: AcceptedList, same: AcceptedList) -> Doubt:
    """The bytes of a file that was accepted before the last one, under a new date."""
    return _older(last.snapshot_date, f"内容与 {same.snapshot_date} 的一份完全相同")


def gone(then: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """The rows of then with `gone`: their person is not there now. Null where that cannot be said.

    That is a row without a sound number, and one whose name stands now in a row without: the number may only be damaged.
    """
    people = now["number"].drop_nulls().unique()
    unnamed = now.filter(pl.col("number").is_null())["name"].drop_nulls().unique()
    away = ~pl.col("number").is_in(people.implode())
    unsure = pl.col("number").is_null() | (away & pl.col("name").is_in(unnamed.implode()).fill_null(False))
    return then.with_columns(gone=pl.when(~unsure).then(away))


def people_gone(rows: pl.DataFrame) -> tuple[int, int]:
    """Of the rows that `gone` gives: people of whom it can be said, and those of them who are gone."""
    people = rows.filter(pl.col("gone").is_not_null()).unique("number")
    return people.height, int(people["gone"].sum())


def _size(before: int, now: int, thresholds: Thresholds, *, may_end: bool) -> Doubt | None:
    """`may_end`: a short list may become empty; a file has to say so itself (E242), a county of a file cannot."""
    counts = f"上次采用 {before} 行，这次 {now} 行"
    if now < thresholds.rows_fall * before and before - now >= _FEWEST:
        if may_end and not now and before < _FEWEST_PEOPLE:
            return None
        return Doubt("E250", "名单比上次采用的少了一大半" if now else "这次一行也没有", counts)
    if before and now > thresholds.rows_rise * before and now - before >= _FEWEST_MORE:
        return Doubt("E251", "名单比上次采用的多出几倍", counts)
    return None


def _people(rows: pl.DataFrame, told: AcceptedList, thresholds: Thresholds) -> Doubt | None:
    people, away = people_gone(rows)
    allowed = thresholds.people_vanished if rows.height >= thresholds.short_list else _SHORT_LEFT
    allowed = max(allowed, _LIKE_LAST_TIME * told.vanished / 1000)
    if people < _FEWEST_PEOPLE or away <= allowed * people:
        return None
    return Doubt("E252", "上次名单上的许多人这次不见了", f"上次 {people} 人中有 {away} 人不在这次的名单上")


def _cut(rows: pl.DataFrame, thresholds: Thresholds) -> Doubt | None:
    """People gone in one block at the end of a sheet as it was, while ahead of it nearly all are still there."""
    known = rows.filter(pl.col("gone").is_not_null()).sort("sheet", "row", descending=True)
    behind = (~pl.col("gone")).cast(pl.Int64).cum_sum().over("sheet") == 0
    block = int(known.select(behind.sum()).item() or 0)
    if block < thresholds.cut_rows or block <= thresholds.cut_share * rows.height:
        return None
    ahead, left = known.height - block, int(known["gone"].sum()) - block
    if block > ahead or left > thresholds.people_vanished * ahead:
        return None  # these are other people altogether
    why = f"上次名单末尾连续 {block} 行的人这次都不见了，前面的人大都还在"
    return Doubt("E253", "名单的末尾像是被截断了", why)


def _damaged(told: AcceptedList, rows: pl.DataFrame, thresholds: Thresholds) -> Doubt | None:
    if rows.height < thresholds.short_list or not told.rows:
        return None
    now, before = rows["number"].null_count() / rows.height, told.damaged / told.rows
    if now <= thresholds.damaged_ids or now <= before + thresholds.damaged_rise:
        return None
    why = f"这次 {now:.0%} 的行没有完好的号码，上次采用的是 {before:.0%}"
    return Doubt("E254", "残缺的证件号码忽然多了许多", why)


def _doubled(before: int, rows: int, then: Then, now: Now, thresholds: Thresholds) -> Doubt | None:
    if rows <= (1 + thresholds.doubled_rows) * before:
        return None
    more = now.repeats() - then.repeats()
    if more < _FEWEST or more <= thresholds.doubled_rows * before:
        return None
    return Doubt("E255", "名单中的许多行重复出现", f"这次 {rows} 行，其中重复的比上次多 {more} 行")


def _older(last: date, why: str) -> Doubt:
    return Doubt("E256", "名单比已采用的还旧", f"已采用 {last} 的一份，{why}")
