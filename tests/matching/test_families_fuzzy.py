"""Relatives: twins and families born the same day are told apart or left to a clerk; houses reach their families."""

from __future__ import annotations

from typing import Any

import pytest
from small import (
    DIBAO,
    HOUSES,
    INSURED,
    MARGIN,
    PAYMENTS,
    PUPILS,
    SUBSIDIES,
    Night,
    born,
    dibao,
    holder,
    house,
    insured,
    match,
    number,
    payment,
    pupil,
    subsidy,
    wrong,
)

PARENT = number("19850102", 118)
ONE, TWO = number("20150318", 213), number("20150318", 215)
CHILD = {"gname": "王大山", "gid": PARENT}
BORN: dict[str, Any] = {"dob": born(ONE), "sex": "男"}
KNOWN = holder("王小明", ONE, **CHILD)


def twins(at: int) -> tuple[list[dict[str, Any]], dict[str, str], dict[str, Any]]:
    """A family of its own: two register children of a day, what became of the younger one's number, what rows say."""
    one, two = number(f"{2002 + at}0318", 213), number(f"{2002 + at}0318", 215)
    parent = number(f"198{at % 10}010{1 + at % 9}", 101 + at)
    damaged = {"none": "", "one digit": two[:17] + one[17], "Excel 000": f"{two[:15]}000", "cut": two[:14]}
    family = {"gname": "王大山", "gid": parent}
    children = [holder("王小明", one, **family), holder("王小亮", two, **family)]
    return children, {**damaged, "parent's": parent}, {"dob": born(one), "sex": "男", **family}


def test_twins_who_are_both_on_the_register_are_told_apart_by_their_names() -> None:
    register, rows = [], []
    for at, damage in enumerate(("none", "one digit", "Excel 000", "cut", "parent's")):
        both, lost, said = twins(at)
        register += both
        rows += [pupil("王小明", lost[damage], **said), pupil("王小亮", lost[damage], **said)]
    found = match(register, {PUPILS: rows}).people_of(PUPILS)
    assert found == {row: person["cert"] for row, person in enumerate(register, 2)}


def test_a_row_that_may_be_either_twins_is_for_a_clerk() -> None:
    register, rows, either = [], [], {}
    for at, written in enumerate(("王小", "王小?", "王小□")):
        for damage in ("none", "one digit"):
            both, lost, said = twins(2 * at + (damage == "none"))
            either[2 + len(rows)] = {person["cert"] for person in both}
            register += both
            rows.append(pupil(written, lost[damage], **said))
    night = match(register, {PUPILS: rows})
    assert not night.linked(PUPILS)
    assert night.review(PUPILS) == either


def test_a_twin_who_has_his_row_does_not_get_his_brothers() -> None:
    rows = [pupil("王小亮", "", **BORN, **CHILD), pupil("王小明", ONE, **BORN, **CHILD)]
    night = match([KNOWN], {PUPILS: rows})
    assert night.people_of(PUPILS) == {3: KNOWN["cert"]}
    assert not night.review(PUPILS)


# A child on the register, and the row of his twin who is on none: list, what became of the twin's number.
LONE: list[tuple[str, str]] = [
    (INSURED, "none"),
    (INSURED, "one digit"),
    (INSURED, "Excel 000"),
    (PUPILS, "none"),
    (PUPILS, "parent's"),
    (PUPILS, "Excel 000"),
    (DIBAO, "cut"),
    (DIBAO, "one digit"),
]
LONE_TWINS = [(*case, name) for case in LONE for name in ("王小亮", "王志强")]


@pytest.fixture(scope="module")
def lone_twins() -> Night:
    """Sixteen families in one night, each with a register child and his twin's row; rows are numbered as LONE_TWINS."""
    register, lists = [], dict[str, list[dict[str, Any]]]()
    for at, (key, damage, name) in enumerate(LONE_TWINS):
        both, lost, said = twins(at)
        typed = both[1]["id"][:17] if damage == "cut" else lost[damage]
        row = {
            INSURED: insured(name, typed, dob=said["dob"], sex="男"),
            PUPILS: pupil(name, typed, **said),
            DIBAO: dibao(name, typed, fam=f"F{at}", rel="子女", hid=said["gid"]),
        }
        register.append(both[0])
        lists.setdefault(key, []).append(row[key] | {"source_row": at})
    return match(register, lists)


@pytest.mark.parametrize(
    "at",
    [pytest.param(at, id="-".join(case)) for at, case in enumerate(LONE_TWINS)],
)
def test_the_row_of_a_twin_who_is_on_no_register_is_not_his_brothers(at: int, lone_twins: Night) -> None:
    assert at not in lone_twins.linked(LONE_TWINS[at][0])


def test_sisters_whose_names_differ_by_a_word_are_two() -> None:
    sisters = [holder(name, id_, **CHILD) for name, id_ in (("次仁卓玛", ONE), ("次仁卓嘎", TWO))]
    rows = [pupil("才让卓嘎", "", **BORN, **CHILD), pupil("才让卓玛", "", **BORN, **CHILD)]
    found = match(sisters, {PUPILS: rows}).people_of(PUPILS)
    assert found.items() <= {2: f"{TWO}41", 3: f"{ONE}41"}.items()


def test_a_brother_born_on_another_day_is_not_linked() -> None:
    other = number("20170506", 311)
    rows = [
        pupil("王小亮", "", dob=born(other), sex="男", **CHILD),
        pupil("王小亮", PARENT, dob=born(other), **CHILD),
    ]
    assert not match([KNOWN], {PUPILS: rows}).linked(PUPILS)


def test_families_born_the_same_day_keep_their_own_rows() -> None:
    """Four neighbours' children of one day, one village and two surnames; every number lost but for fourteen digits."""
    names = ["王小明", "王晓明", "王志强", "李小明", "李秋菊"]
    ids = [number("20150318", 213 + 2 * at) for at in range(5)]
    register = [
        holder(name, id_, gname=f"{name[0]}大山", gid=number("19800101", 11 + 2 * at))
        for at, (name, id_) in enumerate(zip(names, ids, strict=True))
    ]
    rows = [
        pupil(person["name"], f"{person['id'][:14]}0000", **BORN, gid=person["gid"])
        for person in reversed(register)
    ]
    found = match(register, {PUPILS: rows}).people_of(PUPILS)
    assert found == {row: person["cert"] for row, person in enumerate(reversed(register), 2)}


def test_the_familys_account_links_nobody_else_of_the_family() -> None:
    paid = [payment("王小亮", "", "6217"), payment("王大山", "", "6217")]
    lists = {SUBSIDIES: [subsidy("王小明", ONE, bank="6217")], PAYMENTS: paid}
    assert not match([KNOWN], lists).linked(PAYMENTS)


# --- houses, which name only their head ---------------------------------------------------------------------------

HEAD, WIFE, HIS = number("19600505", 217), number("19620606", 418), number("19900708", 519)
HOLDER = holder("王小明", HIS)
FAMILY = [
    dibao("李大山", HEAD, rel="户主", hid=HEAD, hname="李大山"),
    dibao("王小明", HIS, rel="子女", hid=HEAD, hname="李大山"),
    dibao("张桂芳", WIFE, rel="配偶", hid=HEAD, hname="李大山"),
]


def family_links(night: Night) -> list[tuple[int, str, str]]:
    """(row of the house list, certificate number, decision), of the connections through a roster."""
    return sorted(
        night.families.filter(~night.families["through"].eq("self"))
        .select("source_row", "certificate_number", "decision")
        .unique()
        .rows()
    )


HEADS = {
    "sound number": house("李大山", HEAD),
    "one wrong digit": house("李大山", wrong(HEAD, 15)),
    "one wrong digit, name heard": house("李大三", wrong(HEAD, 14)),
    "swapped": house("李大山", HEAD[:14] + HEAD[15] + HEAD[14] + HEAD[16:]),
    "Excel 000": house("李大山", f"{HEAD[:15]}000"),
    "masked": house("李大山", f"{HEAD[:6]}********{HEAD[14:]}"),
    "the wife's number, one wrong digit": house("张桂芳", wrong(WIFE, 15)),
    "the holder himself, one wrong digit": house("王小明", wrong(HIS, 15)),
}


STRANGE_HEADS = {
    "the head's number under another name": house("赵国庆", HEAD),
    "a sound number of nobody": house("李大山", number("19590101", 113)),
    "no number and another name": house("赵国庆", ""),
    "two wrong digits and another name": house("赵国庆", wrong(wrong(HEAD, 9), 15)),
}


@pytest.fixture(scope="module")
def houses() -> dict[int, str]:
    """The decision for every house of HEADS and then STRANGE_HEADS, by its place there."""
    rows = [row | {"source_row": at} for at, row in enumerate([*HEADS.values(), *STRANGE_HEADS.values()])]
    found = family_links(match([HOLDER], {DIBAO: FAMILY, HOUSES: rows}))
    return {at: decision for at, _, decision in found}


@pytest.mark.parametrize("said", HEADS)
def test_a_house_reaches_the_family_by_the_damaged_number_of_its_head(
    said: str, houses: dict[int, str]
) -> None:
    assert houses.get(list(HEADS).index(said)) == "linked"


@pytest.mark.parametrize("said", STRANGE_HEADS)
def test_a_house_of_somebody_else_reaches_nobody(said: str, houses: dict[int, str]) -> None:
    assert len(HEADS) + list(STRANGE_HEADS).index(said) not in houses


def test_a_damaged_number_under_another_name_is_for_a_clerk() -> None:
    night = match([HOLDER], {DIBAO: FAMILY, HOUSES: [house("赵国庆", wrong(HEAD, 15))]})
    assert family_links(night) in ([], [(2, HOLDER["cert"], "review")])


def test_a_house_that_may_belong_to_two_families_leaves_both_in_doubt() -> None:
    head, other = number("19580808", 517), holder("赵六斤", number("19700909", 619))
    second = [
        dibao("李大山", head, fam="F2", rel="户主", hid=head),
        dibao("赵六斤", other["id"], fam="F2", rel="子女", hid=head),
    ]
    lists = {DIBAO: [*FAMILY, *second], HOUSES: [house("李大山", "")]}
    night = match([HOLDER, other], lists)
    assert family_links(night) == [(2, other["cert"], "review"), (2, HOLDER["cert"], "review")]
    doubted = night.con.execute("select count(*) from doubted").fetchall()
    assert doubted == [(2,)]


def test_where_the_roster_is_not_sure_of_its_member_the_house_is_not_either() -> None:
    """Two register people may be the child in the family's row; the house of the head is certain."""
    namesake = holder("王小明", number("19900708", 521))
    family = [FAMILY[0], {**FAMILY[1], "id": f"{HIS[:14]}0000"}, FAMILY[2]]
    night = match([HOLDER, namesake], {DIBAO: family, HOUSES: [house("李大山", HEAD)]})
    assert night.review(DIBAO) == {3: {HOLDER["cert"], namesake["cert"]}}
    assert family_links(night) == sorted([(2, HOLDER["cert"], "review"), (2, namesake["cert"], "review")])


def test_a_roster_without_the_heads_number_knows_the_head_by_his_own_row() -> None:
    family = [
        {"fam": "F9", "hname": "李大山", "name": "李大山", "id": HEAD, "rel": "户主", "state": "有效"},
        {
            "fam": "F9",
            "hname": "李大山",
            "name": "王小明",
            "id": wrong(HIS, 15),
            "rel": "子女",
            "state": "有效",
        },
    ]
    night = match([HOLDER], {MARGIN: family, HOUSES: [house("李大山", wrong(HEAD, 15))]})
    assert night.people_of(MARGIN) == {3: HOLDER["cert"]}
    assert family_links(night) == [(2, HOLDER["cert"], "linked")]
