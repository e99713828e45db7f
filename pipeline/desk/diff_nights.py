"""Why the counts of one night are others than those of another: every person who came or went, with the cause.

Counted is what stands as 应享未享 of a benefit, and every finding. Each coming and going has exactly one cause, the first
that holds of this order, from the plainest to what is left when nothing else can have done it:

- `register`: the person is not on the register in one of the nights, or lives in another county (whose number was
  corrected is the same person where he has a case);
- `list`: a list that the answer rests on was accepted for the county in one night only, and in the other the answer is open;
- `rule`: the rule's text is another, or the rule is there in one night only;
- `data`: a list that it rests on has come with other content, and the conditions come out otherwise (what the calendar did
  to the same person meanwhile, an age or a date of validity, cannot be told apart from it);
- `code`: none of these, and the program, or how a schema reads its list, is another;
- `time`: none of these: age, dates of validity and deadlines that the calendar moved, or a clerk's judgement of a match.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.cases.night_archive import ArchivedNight, Subject, read_archived

CAUSES = ("register", "list", "rule", "data", "code", "time")
_COUNTED = ("missing", "found")
_OPEN = ("undetermined", "verify")


@dataclass(frozen=True)
class Movement:
    """One subject in one county: the counts, and how many came and went for each of CAUSES."""

    subject: str
    county: str
    before: int
    after: int
    came: Mapping[str, int]
    went: Mapping[str, int]

    @property
    def change(self) -> int:
        return self.after - self.before

    @property
    def moved(self) -> int:
        """People who came or went."""
        return sum(self.came.values()) + sum(self.went.values())


@dataclass(frozen=True)
class ListChange:
    """A list's status that is another in the second night, in these counties."""

    dataset: str
    before: str  # "" where the list was not expected
    after: str
    counties: tuple[str, ...]


@dataclass(frozen=True)
class NightsDiff:
    """Two nights compared. `movements`: the biggest change first. `renewed`: lists with other content; `rules`: subjects
    whose rule is another; `programs`: (name, version before, after) of those that differ."""

    before: ArchivedNight
    after: ArchivedNight
    movements: tuple[Movement, ...]
    lists: tuple[ListChange, ...]
    renewed: tuple[str, ...]
    rules: tuple[str, ...]
    programs: tuple[tuple[str, str, str], ...]


def diff_nights(state: Path, first: date, second: date) -> NightsDiff:
    """Reads both nights' archives. Raises ReconcileError E740, E741."""
    return compared(read_archived(state, first), read_archived(state, second))


def compared(before: ArchivedNight, after: ArchivedNight) -> NightsDiff:
    """The second night against the first."""
    before = _known_by_todays_keys(before, after)
    programs = tuple(
        (name, was, now)
        for name in sorted(
            {*before.versions} & {*after.versions}
        )  # a night of an older program may not tell all
        if (was := before.versions[name]) != (now := after.versions[name])
    )
    rules = tuple(
        code
        for code in sorted({*before.subjects, *after.subjects})
        if _version(before, code) != _version(after, code)
    )
    frame = _caused(_both(before, after), before, after, rules, bool(programs))
    counts = [_counts(night) for night in (before, after)]
    return NightsDiff(
        before,
        after,
        tuple(_movements(frame, *counts)),
        tuple(_list_changes(before, after)),
        tuple(sorted(_renewed(before, after))),
        rules,
        programs,
    )


def _known_by_todays_keys(before: ArchivedNight, after: ArchivedNight) -> ArchivedNight:
    """Whom the ledger holds for one person though his number was corrected has the second night's key in the first, too."""
    cases = [night.people.filter(pl.col("case_person").is_not_null()) for night in (before, after)]
    gone, new = (
        one.filter(~pl.col("case_person").is_duplicated()).join(other.people, on="key", how="anti")
        for one, other in zip(cases, (after, before), strict=True)
    )
    corrected = gone.select("key", "case_person").join(
        new.select("case_person", key_after="key"), on="case_person", validate="1:1"
    )
    people = before.people.join(corrected.select("key", "key_after"), on="key", how="left").with_columns(
        key=pl.coalesce("key_after", "key")
    )
    return replace(before, people=people.drop("key_after"))


def _version(night: ArchivedNight, code: str) -> str | None:
    known = night.subjects.get(code)
    return known.version if known else None


def _told(night: ArchivedNight) -> pl.DataFrame:
    """key, register, subject, county_code, outcome, mark of every answer. A person with two certificates under one
    number has two keys, so a key and subject come once."""
    return night.answers.join(night.people, on="who").drop("who")


def _counts(night: ArchivedNight) -> dict[tuple[str, str], int]:
    counted = _told(night).filter(pl.col("outcome").is_in(_COUNTED))
    return {(s, c): n for s, c, n in counted.group_by("subject", "county_code").len().iter_rows()}


def _both(before: ArchivedNight, after: ArchivedNight) -> pl.DataFrame:
    """Every person and subject that is counted in one night only, or in two counties: both nights' answers, and where the
    person is in each (`county_before`, `county_after`, null: nowhere)."""
    was, now = _told(before), _told(after)
    joined = was.join(now, on=("key", "subject"), how="full", suffix="_after", coalesce=True).with_columns(
        register=pl.coalesce("register", "register_after")
    )
    counted_before = pl.col("outcome").is_in(_COUNTED).fill_null(False)
    counted_after = pl.col("outcome_after").is_in(_COUNTED).fill_null(False)
    elsewhere = counted_before & counted_after & (pl.col("county_code") != pl.col("county_code_after"))
    places = [
        night.people.select("key", pl.col("county_code").alias(name))
        for night, name in ((before, "county_before"), (after, "county_after"))
    ]
    moved = joined.with_columns(counted_before.alias("was"), counted_after.alias("is")).filter(
        (counted_before != counted_after) | elsewhere
    )
    for place in places:
        moved = moved.join(place, on="key", how="left")
    return moved


def _caused(
    moved: pl.DataFrame,
    before: ArchivedNight,
    after: ArchivedNight,
    rules: tuple[str, ...],
    other_program: bool,
) -> pl.DataFrame:
    """subject, county, direction (came | went) and cause of every coming and going."""
    parts = []
    for gone in (True, False):
        mine = moved.filter(pl.col("was" if gone else "is"))
        here, there = ("before", "after") if gone else ("after", "before")
        answer = pl.col("outcome_after" if gone else "outcome")
        open_there = answer.is_in(_OPEN) | answer.is_null()
        mine = mine.with_columns(county=pl.col(f"county_{here}")).join(
            _refused(after if gone else before, before if gone else after),
            on=("subject", "county"),
            how="left",
        )
        left = pl.col("register") & (
            pl.col(f"county_{there}").is_null() | (pl.col("county_before") != pl.col("county_after"))
        )
        cause = (
            pl.when(left)
            .then(pl.lit("register"))
            .when(pl.col("refused").fill_null(False) & open_there)
            .then(pl.lit("list"))
            .when(pl.col("subject").is_in(rules))
            .then(pl.lit("rule"))
            .when(
                pl.col("subject").is_in(_touched(before, after))
                & pl.col("mark").ne_missing(pl.col("mark_after"))
            )
            .then(pl.lit("data"))
            .otherwise(pl.lit("code" if other_program else "time"))
        )
        direction = pl.lit("went" if gone else "came").alias("direction")
        parts.append(mine.select("subject", "county", direction, cause.alias("cause")))
    return pl.concat(parts)


def _refused(without: ArchivedNight, accepted: ArchivedNight) -> pl.DataFrame:
    """subject, county, refused: a list of the subject's was accepted there in the one night and not in the other."""
    gone = _status(without, False) & _status(accepted, True)
    subjects: dict[str, Subject] = {**without.subjects, **accepted.subjects}
    rows = {
        (code, county, True)
        for code, subject in subjects.items()
        for dataset, county in gone
        if dataset in subject.lists
    }
    schema = {"subject": pl.String, "county": pl.String, "refused": pl.Boolean}
    return pl.DataFrame(sorted(rows), schema=schema, orient="row")


def _status(night: ArchivedNight, accepted: bool) -> set[tuple[str, str]]:
    """(list, county) that were accepted, or were not."""
    rows = night.coverage.filter((pl.col("status") == "accepted") == accepted)
    return set(rows.select("dataset", "county_code").iter_rows())


def _renewed(before: ArchivedNight, after: ArchivedNight) -> set[str]:
    """Lists of which some county's file is another one."""
    both = before.coverage.join(
        after.coverage, on=("dataset", "county_code"), how="full", suffix="_after", coalesce=True
    )
    return set(both.filter(pl.col("mark").ne_missing(pl.col("mark_after")))["dataset"])


def _touched(before: ArchivedNight, after: ArchivedNight) -> list[str]:
    """Subjects that rest on a renewed list."""
    renewed = _renewed(before, after)
    subjects: dict[str, Subject] = {**before.subjects, **after.subjects}
    return [code for code, subject in subjects.items() if renewed & set(subject.lists)]


def _list_changes(before: ArchivedNight, after: ArchivedNight) -> list[ListChange]:
    nights = [
        {(d, c): s for d, c, s in night.coverage.select("dataset", "county_code", "status").iter_rows()}
        for night in (before, after)
    ]
    found: dict[tuple[str, str, str], list[str]] = {}
    for dataset, county in sorted({*nights[0], *nights[1]}):
        was, now = (night.get((dataset, county), "") for night in nights)
        if was != now:
            found.setdefault((dataset, was, now), []).append(county)
    return [ListChange(*change, tuple(counties)) for change, counties in sorted(found.items())]


def _movements(
    frame: pl.DataFrame, before: dict[tuple[str, str], int], after: dict[tuple[str, str], int]
) -> list[Movement]:
    """Those in which somebody moved, by the size of the change, then by how many moved, then by name."""
    counts = {
        (subject, county, direction, cause): n
        for subject, county, direction, cause, n in frame.group_by(frame.columns).len().iter_rows()
    }
    places = {(subject, county) for subject, county, _, _ in counts}
    found = []
    for place in sorted(places):
        came, went = (
            {cause: counts.get((*place, direction, cause), 0) for cause in CAUSES}
            for direction in ("came", "went")
        )
        found.append(Movement(*place, before.get(place, 0), after.get(place, 0), came, went))
    return sorted(found, key=lambda m: (-abs(m.change), -m.moved, m.subject, m.county))
