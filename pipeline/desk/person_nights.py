"""A person in the kept nights: the last one's facts (`STATE/night`, `night-before`) and the archives (`STATE/nights/<date>`)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.cases import PersonKey
from pipeline.cases.night_archive import FOLDER as ARCHIVES
from pipeline.desk.person_asked import NIGHTS, Whom
from pipeline.desk.person_section import Section, until, words

PEOPLE, FACTS = "people.parquet", ("facts.parquet", "facts_sure.parquet")
_DIGITS = 24  # of the archive's keyed hash
_MOST_TWINS = 9  # a register may tell the same person that often


def his_numbers(night: Path, one: Whom) -> list[int]:
    """His numbers in a kept night's tables. Raises OSError, polars errors."""
    people = pl.scan_parquet(night / PEOPLE).filter(one.own_row()).select("person")
    return people.collect()["person"].to_list()


def archive_keys(key: PersonKey, one: Whom, counties: list[str]) -> list[str]:
    """Every key under which an archive may know him (`cases.night_archive`)."""
    texts = [*one.numbers, *(f"{number}|{c}" for number in one.ids for c in one.certificates)]
    again = [text if n == 1 else f"{text}|{n}" for text in texts for n in range(1, _MOST_TWINS + 1)]
    inside = [key.of("night", text) for text in again]
    outside = [key.of("night.outside", f"{number}|{county}") for number in one.ids for county in counties]
    return [made[:_DIGITS] for made in (*inside, *outside)]


def archives_of(
    state: Path, key: PersonKey, one: Whom, people: Collection[int]
) -> Iterator[tuple[Path, list[int]]]:
    """Every archive in which he stands, with his numbers there. `people`: the ledger's of him, by which an archive knows him
    also under a number that was corrected since. Raises OSError, polars errors."""
    for path in sorted((state / ARCHIVES).glob(f"????-??-??/{PEOPLE}")):
        frame = pl.read_parquet(path)
        keys = archive_keys(key, one, frame["county_code"].drop_nulls().unique().to_list())
        known = pl.col("key").is_in(keys)
        if "case_person" in frame.columns:  # not in what an older program kept
            known |= pl.col("case_person").is_in(list(people)).fill_null(False)
        his = frame.filter(known)["who"].to_list()
        if his:
            yield path.parent, his


def night_sections(
    state: Path, key: PersonKey, one: Whom, people: Collection[int], days: int
) -> list[Section]:
    """The facts of the kept nights and the answers of the archived ones. `days`: [retention] nights."""
    sections = []
    for name in NIGHTS:
        night = state / name
        if not (night / PEOPLE).is_file():
            continue
        his = pl.col("person").is_in(his_numbers(night, one))
        rows = [
            (said, words(value))
            for table in (PEOPLE, FACTS[0])
            for line in pl.read_parquet(night / table).filter(his).drop("person").iter_rows(named=True)
            for said, value in line.items()
            if value is not None
        ]
        if rows:
            day = json.loads((night / "night.json").read_text(encoding="utf-8"))["as_of"]
            told = "有新的一夜替换它为止"
            sections.append(
                Section(f"{day} 比对所用的事实", f"state/{name}", told, ("事实", "值"), tuple(rows))
            )
    answers = [
        (place.name, *map(words, line), until(date.fromisoformat(place.name), days))
        for place, his in archives_of(state, key, one, people)
        for line in pl.read_parquet(place / "answers.parquet")
        .filter(pl.col("who").is_in(his))
        .select("subject", "outcome")
        .iter_rows()
    ]
    if answers:
        heads = ("比对日期", "事项", "结论", "保存到")
        where = f"state/{ARCHIVES}/<日期>（只存密钥杂凑）"
        sections.append(Section("历次比对的结论", where, "见各行", heads, tuple(answers)))
    return sections
