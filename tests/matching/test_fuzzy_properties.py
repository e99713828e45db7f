"""What holds of any night: exact links come first, strangers change nothing, order and file names mean nothing.

Worlds are small and crowded on purpose: few names, few birth dates, neighbouring numbers, so that rows and people rival.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import (
    DATASETS,
    DIBAO,
    INSURED,
    PAYMENTS,
    PUPILS,
    Matcher,
    Night,
    born,
    dibao,
    holder,
    insured,
    match,
    number,
    payment,
    pupil,
    sex,
    wrong,
)

LISTS = (INSURED, PUPILS, PAYMENTS)
NAMES = ("王小明", "王晓明", "王小亮", "李秋菊", "张伟", "次仁卓玛", "才让卓玛", "次仁卓嘎")
BIRTHS = ("20150318", "20150319", "19650408")
PARENT = number("19800101", 18)
DAMAGES: tuple[Callable[[str], str], ...] = (
    lambda i: i,
    lambda i: "",
    lambda i: wrong(i, 15),
    lambda i: wrong(i, 16),
    lambda i: i[:14] + i[15] + i[14] + i[16:],
    lambda i: f"{i[:15]}000",
    lambda i: f"{i[:6]}********{i[14:]}",
    lambda i: PARENT,
)

few = settings(
    max_examples=4, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@dataclass(frozen=True)
class World:
    register: list[dict[str, Any]]
    lists: dict[str, list[dict[str, Any]]]

    def night(self, matcher: Matcher | None = None) -> Night:
        return match(self.register, self.lists, matcher)

    def __repr__(self) -> str:
        people = [(person["name"], person["id"]) for person in self.register]
        rows = {
            key: [(row["name"], row["id"], row.get("dob")) for row in some]
            for key, some in self.lists.items()
        }
        return f"World({people}, {rows})"


def row_of(key: str, name: str, id_: str, typed: str, says_birth: bool, group: int) -> dict[str, Any]:
    known = {"dob": born(id_), "sex": sex(id_)} if says_birth else {}
    if key == INSURED:
        return insured(name, typed, kind=("居民", "职工")[group], **known)
    if key == PUPILS:
        return pupil(name, typed, state=("在读", "毕业")[group], gname="王大山", gid=PARENT, **known)
    return payment(name, typed, bank=f"6217{group}")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Three to six register people; rows about them and about people like them who are on no register."""
    everybody = st.tuples(st.sampled_from(BIRTHS), st.integers(106, 113)).map(lambda two: number(*two))
    ids = draw(st.lists(everybody, min_size=6, max_size=9, unique=True))
    names = [draw(st.sampled_from(NAMES)) for _ in ids]
    register = [
        holder(name, id_, gname="王大山", gid=PARENT)
        for name, id_ in zip(names, ids[: draw(st.integers(2, 5))], strict=False)
    ]
    lists: dict[str, list[dict[str, Any]]] = {key: [] for key in LISTS}
    for _ in range(draw(st.integers(15, 30))):
        key, who = draw(st.sampled_from(LISTS)), draw(st.integers(0, len(ids) - 1))
        name = draw(st.sampled_from((names[who], names[who], draw(st.sampled_from(NAMES)))))
        typed = draw(st.sampled_from(DAMAGES))(ids[who])
        lists[key].append(row_of(key, name, ids[who], typed, draw(st.booleans()), draw(st.integers(0, 1))))
    # one that is always found, so that no world is without a fuzzy link
    lone = number("19500707", 222)
    register.append(holder("木永昌", lone))
    lists[INSURED].append(insured("木永昌", wrong(lone, 14)))
    return World(register, lists)


def told(night: Night, places: Mapping[tuple[str, int], int] | None = None) -> set[tuple[Any, ...]]:
    """All that is said of pairs, rows named by `places` (their own numbers without it)."""
    columns = [
        "certificate_number",
        "method",
        "decision",
        "match_probability",
        "match_weight",
        "row_key",
        "person_key",
    ]
    found = night.pairs.select(
        "dataset", "source_row", *columns, "keys", "identity", "name", "relation", "shown"
    ).rows()
    return {(key, places[key, row] if places else row, *rest) for key, row, *rest in found}


def linked(night: Night) -> set[tuple[str, int, str]]:
    return {(key, row, person) for key in LISTS for row, person in night.people_of(key).items()}


def place_of(world: World, key: str, row: int, person: str) -> tuple[Any, ...]:
    """What the list has one row of: the person and the values of its `unique_by`."""
    said = world.lists[key][row - 2]
    return (key, person, *(said[name] for name in DATASETS[key].unique_by or ()))


def fuzzy(night: Night) -> set[tuple[str, int, str]]:
    """The links that are not exact: list, row, person."""
    found = night.pairs.filter(pl.col("decision") == "linked")
    return set(found.select("dataset", "source_row", "certificate_number").iter_rows())


@few
@given(worlds(), st.sampled_from([(0.6, 0.05), (0.9, 0.5), (0.98, 0.05), (0.9999, 0.9)]))
def test_links_keep_to_the_thresholds_and_to_one_person_a_row_and_one_row_a_place(
    world: World, thresholds: tuple[float, float]
) -> None:
    link, review = thresholds
    night = world.night(Matcher(link=link, review=review))
    for decision, probability in night.pairs.select("decision", "match_probability").iter_rows():
        assert probability >= {"linked": link, "review": review, "none": 0}[decision]
        assert probability < review or decision != "none"
    assert fuzzy(night)
    assert fuzzy(night) <= linked(night)  # `linked` also asks that no row is linked twice
    places = Counter(place_of(world, *link) for link in linked(night) if link[0] != PAYMENTS)
    assert {places[place_of(world, *link)] for link in fuzzy(night) if link[0] != PAYMENTS} <= {1}


@few
@given(worlds())
def test_an_exact_row_takes_the_place_of_a_fuzzy_one(world: World) -> None:
    before = world.night()
    numbers = {person["cert"]: person for person in world.register}
    more = {key: list(rows) for key, rows in world.lists.items()}
    replaced = [(key, row, person) for key, row, person in sorted(fuzzy(before)) if key != PAYMENTS]
    for key, row, person in replaced:
        more[key].append(
            {
                **world.lists[key][row - 2],
                "id": numbers[person]["id"],
                "name": numbers[person]["name"],
                "dob": None,
                "sex": None,
            }
        )
    after = World(world.register, more).night()
    assert replaced
    assert not linked(after) & set(replaced)
    assert {(key, person) for key, _, person in replaced} <= {
        (key, person) for key, _, person in linked(after)
    }


@few
@given(
    worlds(),
    st.lists(
        st.tuples(st.sampled_from(LISTS), st.integers(0, 400), st.sampled_from(DAMAGES[:-1]), st.booleans()),
        min_size=1,
        max_size=40,
    ),
)
def test_rows_of_strangers_change_nothing(
    world: World, strangers: list[tuple[str, int, Callable[[str], str], bool]]
) -> None:
    more = {key: list(rows) for key, rows in world.lists.items()}
    for key, at, damage, says_birth in strangers:
        id_ = number(f"19{10 + at % 40}{1 + at % 12:02d}{1 + at % 27:02d}", 1 + at, region="539902")
        row = row_of(key, "赵铁柱", id_, damage(id_), says_birth, at % 2)
        family = {"gname": "赵大山", "gid": number("19700101", 1 + at)}
        more[key].append(
            row | (family if key == PUPILS else {"bank": f"6222{at}"} if key == PAYMENTS else {})
        )
    before, after = world.night(), World(world.register, more).night()
    assert told(after) == told(before)
    assert linked(after) == linked(before)


@few
@given(worlds(), st.randoms(use_true_random=False))
def test_order_and_file_names_mean_nothing(world: World, chance: Random) -> None:
    lists: dict[str, list[dict[str, Any]]] = {}
    places: dict[tuple[str, int], int] = {}
    for key, rows in world.lists.items():
        order = chance.sample(range(len(rows)), len(rows))
        lists[key] = [rows[at] | {"source_file": f"renamed/{key}", "sheet": "Sheet2"} for at in order]
        places |= {(key, now): before + 2 for now, before in enumerate(order, 2)}
    register = chance.sample(world.register, len(world.register))
    before, after = world.night(), World(register, lists).night()
    assert told(after, places) == told(before)
    assert {(key, places[key, row], person) for key, row, person in linked(after)} == linked(before)


def test_strangers_who_are_masked_in_many_other_ways_change_nothing() -> None:
    id_ = number("19650408", 213)
    own = dibao("王大明", f"{id_[:6]}********{id_[14:]}")
    other = number("19110101", 314, region="539902")
    ways = [other[:at] + "*" * wide + other[at + wide :] for at in range(2, 8) for wide in (4, 5, 6, 7, 9)]
    strangers = [insured("赵铁柱", way) for way in ways for _ in range(2)]
    before = match([holder("王小明", id_)], {DIBAO: [own], INSURED: []})
    after = match([holder("王小明", id_)], {DIBAO: [own], INSURED: strangers})
    assert before.review(DIBAO) == {2: {f"{id_}41"}}
    assert told(after) == told(before)
