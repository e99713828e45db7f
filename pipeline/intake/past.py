"""A night's lists against the history: what is refused, what is held for a county, and what the ledger should remember."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.list_history import WHOLE, AcceptedList, ListHistory, ListKey
from pipeline.contracts.problem import Problem
from pipeline.contracts.settings import Thresholds
from pipeline.intake.find import Candidate
from pipeline.intake.history_gate import (
    Doubt,
    Now,
    Then,
    gone,
    judge_county,
    judge_whole,
    older_again,
    people_gone,
)
from pipeline.intake.history_rows import NOWHERE, by_county, homes_of, repeats, rows_of
from pipeline.intake.store import kept_as

_FEWEST_ROWS = 5  # a shorter list may well be the same as one some months ago


@dataclass(frozen=True)
class Delivered:
    """A file read: its parts in the scratch folder, its bytes' name, and the date from which its age counts."""

    candidate: Candidate
    sha256: str
    snapshot_date: date
    parts: tuple[Path, ...]

    @property
    def key(self) -> ListKey:
        return self.candidate.dataset, self.candidate.county


@dataclass(frozen=True)
class Verdict:
    """`doubt`: why the whole file is not accepted. `held`: counties for which it is not. `told`: what to remember of it."""

    told: AcceptedList | None = None
    doubt: Doubt | None = None
    held: Mapping[str, Doubt] = field(default_factory=dict)


class Past:
    """The history with the snapshots it speaks of. The register must be judged first: it says who lives where."""

    def __init__(
        self,
        history: ListHistory | None,
        state: Path,
        datasets: Mapping[str, Dataset],
        thresholds: Thresholds,
    ) -> None:
        self._off, self._history, self._state = history is None, history or ListHistory(), state
        self._datasets, self._thresholds = datasets, thresholds
        self._homes: pl.DataFrame | None = None
        self._counties: tuple[str, ...] = ()
        self._then: dict[str, pl.DataFrame | None] = {}  # by sha256, of the list in hand

    def since(self, key: ListKey, sha256: str, day: date) -> date:
        """The date from which the file's age counts: that of the last accepted one if it has the same bytes.

        A list of a few rows or none (no orphan in a small county) is lawfully the same month after month."""
        last = self._history.last(key)
        same = last is not None and last.sha256 == sha256 and last.rows >= _FEWEST_ROWS
        return last.snapshot_date if last and same else day

    def is_stale(self, key: ListKey, sha256: str, day: date, as_of: date) -> bool:
        """Whether a file of that date is too old; a look at it makes it good for as many days again."""
        looked_at = self._history.taken_by_hand(key, sha256)
        days = self._datasets[key[0]].delivery.stale_after_days
        return max(day, looked_at.on if looked_at else day) < as_of - timedelta(days=days)

    def judge(self, new: Delivered) -> Verdict:
        """Judges one file and measures it. A register is accepted whole or not at all."""
        if self._off:
            return Verdict()
        dataset = self._datasets[new.key[0]]
        self._then.clear()
        rows = rows_of(new.parts, dataset, self._homes)
        if dataset.role == "register":
            self._homes = homes_of(rows)
            codes = rows["county"].unique().sort()
            self._counties = tuple(f"{code:06d}" for code in codes if code != NOWHERE)
        last = self._history.last(new.key)
        if last is None or self._history.taken_by_hand(new.key, new.sha256):
            return Verdict(self._told(new, rows, last, {}))
        failing = {} if new.key[1] else self._counties_in_doubt(new, rows)
        doubt = self._doubt(new, rows, last, failing)
        held = {
            code: why
            for code, why in failing.items()
            if not self._history.taken_by_hand(new.key, new.sha256, code)
        }
        if doubt is None and held and (dataset.role == "register" or self._is_everywhere(new.key, held)):
            doubt = next(iter(held.values()))
        return Verdict(doubt=doubt) if doubt else Verdict(self._told(new, rows, last, held), held=held)

    def _counties_in_doubt(self, new: Delivered, rows: pl.DataFrame) -> dict[str, Doubt]:
        """The counties that fail against the newest file that was accepted for them."""
        found: dict[str, Doubt] = {}
        last = self._history.last(new.key)
        for code in sorted({*self._counties, *(last.rows_by_county if last else ())}):
            told = self._history.last(new.key, code)
            if told is None or told.sha256 == new.sha256:
                continue
            doubt = judge_county(code, told, self._rows_then(told), rows, self._thresholds)
            if doubt:
                found[code] = doubt
        return found

    def _is_everywhere(self, key: ListKey, held: Mapping[str, Doubt]) -> bool:
        """Whether so many counties fail that it is the file: all that ever were on it, or several that are half of them."""
        counties = {code for one in self._history.accepted.get(key, ()) for code in one.rows_by_county}
        return len(held) >= len(counties) or (len(held) > 1 and 2 * len(held) >= len(counties))

    def _doubt(
        self, new: Delivered, rows: pl.DataFrame, last: AcceptedList, without: Mapping[str, Doubt]
    ) -> Doubt | None:
        """Why the file is not accepted, its counties that fail by themselves left out."""
        if last.sha256 == new.sha256:
            return None
        same = self._history.first_seen(new.key, new.sha256)
        before = same is not None and same.snapshot_date < last.snapshot_date and not last.held
        if same and before and rows.height >= _FEWEST_ROWS:
            return older_again(last, same)
        dataset = self._datasets[new.key[0]]
        kept = kept_as(self._state, dataset, last)
        then = Then(last, self._rows_then(last), lambda: repeats(kept.files, dataset) if kept else 0)
        now = Now(new.snapshot_date, rows, lambda: repeats(new.parts, dataset))
        return judge_whole(then, now, without, self._thresholds)

    def _rows_then(self, told: AcceptedList) -> pl.DataFrame | None:
        """The rows of an accepted file, where its snapshot is still there."""
        if told.sha256 not in self._then:
            dataset = self._datasets[told.dataset]
            kept = kept_as(self._state, dataset, told)
            homes = None if dataset.role == "register" else self._homes
            self._then[told.sha256] = rows_of(kept.files, dataset, homes) if kept else None
        return self._then[told.sha256]

    def _told(
        self, new: Delivered, rows: pl.DataFrame, last: AcceptedList | None, held: Mapping[str, Doubt]
    ) -> AcceptedList:
        counties: Sequence[str] = () if new.key[1] else self._counties
        return AcceptedList(
            *new.key,
            new.snapshot_date,
            new.sha256,
            rows.height,
            by_county(rows, counties),
            rows["number"].null_count(),
            self._vanished(new, rows, last),
            {code: f"{doubt.what}（{doubt.why}）" for code, doubt in held.items()},
        )

    def _vanished(self, new: Delivered, rows: pl.DataFrame, last: AcceptedList | None) -> int:
        """Per mille of the last accepted's people; -1 without any."""
        if last is None or last.sha256 == new.sha256:
            return last.vanished if last else -1
        before = self._rows_then(last)
        people, away = people_gone(gone(before, rows)) if before is not None else (0, 0)
        return round(1000 * away / people) if people else -1


def in_words(doubt: Doubt, candidate: Candidate, county: str = WHOLE) -> Problem:
    """The doubt as a problem of the file, for one county of it or the county of its name."""
    place = county or candidate.county or "all"
    cure = (
        "请向报送单位核实并重报；核实无误的，运行 reconcile accept "
        f"{candidate.dataset} {place} --reason 原因，再运行一次即采用"
    )
    return Problem(
        *(doubt.code, "error", doubt.what, doubt.why, cure, candidate.file),
        dataset=candidate.dataset,
        county=county or candidate.county,
    )


def unchanged(candidate: Candidate, since: date) -> Problem:
    """The same bytes under a later date."""
    why = f"与 {since} 采用的一份完全相同，名单日期仍按 {since} 计算"
    cure = "若确实没有变化，现在不用处理（超过名单的有效天数后要人工采用：reconcile accept）；否则请报送单位重新导出"
    return Problem(
        *("E257", "warning", "又报来了同一份文件", why, cure, candidate.file),
        dataset=candidate.dataset,
        county=candidate.county,
    )
