"""Rows with damaged numbers, one by one: which person they are linked to, how, and when a clerk must look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import polars as pl
import pytest
from small import (
    DIBAO,
    INSURED,
    PAYMENTS,
    PUPILS,
    SUBSIDIES,
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
    subsidy,
    wrong,
)

from pipeline.identity.id_number import NUMERIC_CELL

PARENT = number("19850102", 118)
ROW = {INSURED: insured, PUPILS: pupil, DIBAO: dibao}

# What a list makes of a number.
DAMAGE: dict[str, Callable[[str], str]] = {
    "one digit": lambda i: wrong(i, 15),
    "one digit of the year": lambda i: wrong(i, 9),
    "swapped": lambda i: i[:14] + i[15] + i[14] + i[16:],
    "digit lost": lambda i: i[:15] + i[16:],
    "digit too many": lambda i: i[:15] + "9" + i[15:],
    "O for 0": lambda i: i.replace("0", "O", 1),
    "certificate, one digit": lambda i: f"{wrong(i, 13)}41",
    "Excel 000": lambda i: i[:15] + "000",
    "numeric cell": lambda i: f"{NUMERIC_CELL}{int(float(i))}",
    "scientific": lambda i: f"{float(i):.5E}",
    "masked, ten seen": lambda i: f"{i[:6]}********{i[14:]}",
    "masked, eight seen": lambda i: f"{i[:4]}**********{i[14:]}",
    "none": lambda i: "无",
    "parent's": lambda i: PARENT,
}


class Case(NamedTuple):
    """A person of his own and his one row: `name` on the register, `written` in the row."""

    key: str
    damage: str
    name: str
    method: str
    written: str = ""
    birth: bool = False  # the row says birth date and sex
    head: bool = False  # the row's household is headed by the parent


CASES = [
    Case(INSURED, "one digit", "王小明", "id_repaired"),
    Case(INSURED, "one digit of the year", "李秋菊", "id_repaired", "李秋局"),
    Case(DIBAO, "swapped", "张志国", "id_repaired"),
    Case(INSURED, "digit lost", "和丽珍", "id_repaired"),
    Case(INSURED, "digit too many", "杨四妹", "id_repaired"),
    Case(INSURED, "O for 0", "陈桂芳", "id_repaired"),
    Case(DIBAO, "certificate, one digit", "赵建军", "id_repaired"),
    Case(INSURED, "none", "刘玉梅", "name_birth", birth=True),
    Case(INSURED, "Excel 000", "木永昌", "id_prefix"),
    Case(DIBAO, "Excel 000", "余春花", "id_prefix"),
    Case(DIBAO, "numeric cell", "周文斌", "id_prefix"),
    Case(INSURED, "scientific", "吴金凤", "name_birth", birth=True),
    Case(DIBAO, "masked, ten seen", "郑国栋", "id_masked"),
    Case(INSURED, "masked, eight seen", "孙雪莲", "id_masked", birth=True),
    Case(PUPILS, "parent's", "次仁拉姆", "guardian", birth=True),
    Case(DIBAO, "parent's", "格桑曲珍", "guardian"),
    Case(DIBAO, "none", "尼玛江村", "guardian", head=True),
    Case(PUPILS, "none", "次仁顿珠", "name_birth", "才让邓珠", birth=True),
    Case(PUPILS, "none", "泽仁拥忠", "name_birth", "次仁拥忠", birth=True),
    Case(PUPILS, "none", "洛桑丹增", "name_birth", "罗桑旦增", birth=True),
]
IDS = [number(f"{1941 + at}{1 + at % 12:02d}{11 + at % 17}", 213 + 2 * at) for at in range(len(CASES))]


def row_of(case: Case, id_: str) -> dict[str, Any]:
    said: dict[str, Any] = {"dob": born(id_), "sex": sex(id_)} if case.birth else {}
    said |= {"rel": "子女", "hid": PARENT} if case.head else {}
    return ROW[case.key](case.written or case.name, DAMAGE[case.damage](id_), **said)


@pytest.fixture(scope="module")
def damaged() -> Night:
    """All cases in one night: none of them may disturb another."""
    lists: dict[str, list[dict[str, Any]]] = {}
    for at, (case, id_) in enumerate(zip(CASES, IDS, strict=True)):
        lists.setdefault(case.key, []).append(row_of(case, id_) | {"source_row": at})
    family = {"gname": "扎西顿珠", "gid": PARENT}
    wards = [family if case.head or case.damage == "parent's" else {} for case in CASES]
    people = [holder(case.name, id_, **ward) for case, id_, ward in zip(CASES, IDS, wards, strict=True)]
    return match(people, lists)


@pytest.mark.parametrize("at", range(len(CASES)), ids=[f"{c.key}-{c.damage}-{c.name}" for c in CASES])
def test_a_damaged_row_is_linked_to_its_person(at: int, damaged: Night) -> None:
    case = CASES[at]
    assert damaged.linked(case.key).get(at) == (f"{IDS[at]}41", case.method)


HIS, OTHER = number("19650317", 213), number("19650317", 117)
MAN = holder("王小明", HIS)
BORN = {"dob": born(HIS), "sex": "男"}


def test_the_familys_head_without_a_number_is_known_by_the_heads_number() -> None:
    night = match([MAN], {DIBAO: [dibao("王小明", "", rel="户主", hid=HIS)]})
    assert night.linked(DIBAO) == {2: (MAN["cert"], "head_id")}


def test_a_list_with_the_sound_number_finds_the_person_whom_the_register_misnumbers() -> None:
    typed = [wrong(id_, 15) for id_ in IDS[:2]]
    people = [holder("王小明", text, cert=f"{text}41", dob=born(text)) for text in typed]
    night = match(people, {INSURED: [insured("王小明", IDS[0]), insured("王晓明", IDS[1])]})
    assert night.linked(INSURED) == {at: (f"{text}41", "id_repaired") for at, text in enumerate(typed, 2)}
    known = night.con.execute("select number from known_numbers").fetchall()
    assert set(known) >= {(IDS[0],), (IDS[1],)}  # nobody calls them people who are not on the register


def test_a_payment_without_a_number_is_known_by_the_account_of_another_list() -> None:
    nameless = [("王小明", "", "6217001"), ("王小明", "", "6217002"), ("李大山", "", "6217001")]
    many = [("王小明", HIS, "1"), ("王小明", wrong(HIS, 15), "1"), ("王小明", wrong(HIS, 15), "1")]
    rows = [payment(*said) for said in nameless + many]
    night = match([MAN], {SUBSIDIES: [subsidy("王小明", HIS, bank="6217001")], PAYMENTS: rows})
    methods = {row: method for row, (_, method) in night.linked(PAYMENTS).items()}
    assert methods == {2: "account", 5: "id", 6: "id_repaired", 7: "id_repaired"}


# --- what is never linked ---------------------------------------------------------------------------------------


def test_the_guardians_own_row_is_not_his_wards() -> None:
    child = holder("次仁拉姆", number("20150317", 213), gname="扎西顿珠", gid=PARENT)
    himself = [dibao(name, PARENT, rel="户主", hid=PARENT) for name in ("扎西顿珠", "扎西邓珠")]
    night = match([child], {DIBAO: himself})
    assert not night.linked(DIBAO)
    assert not night.review(DIBAO)


def test_two_names_that_look_alike_are_never_linked_by_birth_date_alone() -> None:
    pairs = [("卓玛", "卓嘎"), ("次仁卓玛", "次仁卓嘎"), ("卓嘎", "卓玛")]
    people = [holder(name, id_) for (name, _), id_ in zip(pairs, IDS, strict=False)]
    said = [
        (other, "", {"dob": born(id_), "sex": sex(id_)}) for (_, other), id_ in zip(pairs, IDS, strict=False)
    ]
    lists = {key: [ROW[key](*words, **known) for *words, known in said] for key in (INSURED, PUPILS)}
    night = match(people, lists)
    assert not night.linked(INSURED)
    assert not night.linked(PUPILS)


def test_a_sound_number_of_somebody_else_is_somebody_else() -> None:
    night = match([MAN], {INSURED: [insured("王小明", OTHER, **BORN)]})
    assert not night.linked(INSURED)
    assert night.pairs.is_empty()


def test_of_two_that_are_alike_neither_is_guessed() -> None:
    night = match([MAN, holder("王小明", OTHER)], {INSURED: [insured("王小明", "", **BORN)]})
    assert not night.linked(INSURED)
    assert night.review(INSURED) == {2: {f"{HIS}41", f"{OTHER}41"}}
    assert night.pairs["match_probability"].is_between(0.45, 0.55).all()
    told = night.links.filter(pl.col("decision") == "review")
    assert told.height == 1  # one line a row, its best candidate


def test_two_rows_that_are_alike_leave_one_place_open() -> None:
    rows = [insured("王小明", wrong(HIS, 15)), insured("王小明", wrong(HIS, 14))]
    night = match([MAN], {INSURED: rows})
    assert not night.linked(INSURED)
    assert night.review(INSURED) == {2: {MAN["cert"]}, 3: {MAN["cert"]}}


def homonyms(many: int) -> list[str]:
    births = [f"{1940 + at % 60}{1 + at % 12:02d}{1 + at % 28:02d}" for at in range(many)]
    return [number(birth, 101 + 2 * at) for at, birth in enumerate(births)]


@pytest.mark.parametrize("people", [40, 200])
def test_rows_of_homonyms_without_number_and_birth_date_are_nobodys(people: int) -> None:
    register = [holder("张伟", id_) for id_ in homonyms(people)]
    night = match(register, {DIBAO: [dibao("张伟", "", fam=f"F{at}") for at in range(people)]})
    assert night.links.is_empty()
    assert night.blocks["pairs"].sum() or night.blocks["pairs_left_out"].sum()  # they were thought of


def test_homonyms_with_birth_dates_are_told_apart() -> None:
    ids = homonyms(200)
    rows = [insured("张伟", "", dob=born(id_), sex=sex(id_)) for id_ in ids]
    found = match([holder("张伟", id_) for id_ in ids], {INSURED: rows}).people_of(INSURED)
    assert found == {at: f"{id_}41" for at, id_ in enumerate(ids, 2)}


def test_a_common_name_and_the_county_are_nobody() -> None:
    """The names that most people of the country bear (about 240,000 each), and two of Tibetan villages."""
    names = ["王伟", "张敏", "扎西", "次仁卓玛", "王秀英", "李秀英", "张秀英"]
    people = [holder(name, id_) for name, id_ in zip(names, IDS, strict=False)]
    night = match(people, {DIBAO: [dibao(name, "", fam=f"F{name}") for name in names]})
    assert not night.linked(DIBAO)


# --- exact links come first -------------------------------------------------------------------------------------


def test_who_has_his_row_gets_no_second_one_where_the_list_has_one_a_person() -> None:
    own, damaged = insured("王小明", HIS), insured("王小明", wrong(HIS, 15))
    night = match([MAN], {INSURED: [own, damaged, damaged | {"kind": "职工"}]})
    # the third row is of another group (unique_by): a second row, and no rival
    assert night.linked(INSURED) == {2: (MAN["cert"], "id"), 4: (MAN["cert"], "id_repaired")}
    assert not night.review(INSURED)
    assert match([MAN], {INSURED: [damaged]}).linked(INSURED) == {2: (MAN["cert"], "id_repaired")}


def test_a_row_with_a_sound_link_is_never_compared() -> None:
    """The namesake, born the same day, whose own number the register has wrong, does not get another's row."""
    twin = holder("王小明", wrong(OTHER, 15), cert=f"{wrong(OTHER, 15)}41", dob=born(OTHER), sex="男")
    night = match([MAN, twin], {INSURED: [insured("王小明", HIS, **BORN)]})
    assert night.linked(INSURED) == {2: (MAN["cert"], "id")}
    assert night.pairs.is_empty()


def test_the_links_tell_the_probability_of_the_pair() -> None:
    night = match([holder("张伟", HIS)], {INSURED: [insured("张伟", "", **BORN)]})
    assert night.links["match_probability"].to_list() == night.pairs["match_probability"].to_list()


# --- what clerks have judged ------------------------------------------------------------------------------------


def judged(night: Night, answers: dict[tuple[int, str], str]) -> Matcher:
    """A matcher that knows what a clerk said of pairs (row, certificate number) of a night before."""
    keys = [(night.pair(INSURED, *pair), said) for pair, said in answers.items()]
    lines = [
        {"row_key": key["row_key"], "person_key": key["person_key"], "answer": said} for key, said in keys
    ]
    return Matcher(answers=pl.DataFrame(lines))


def test_a_judged_pair_is_linked_gone_or_left_to_the_clerk() -> None:
    people, rows = [MAN, holder("王小明", OTHER)], {INSURED: [insured("王小明", "", **BORN)]}
    before = match(people, rows)
    answers = {said: judged(before, {(2, f"{HIS}41"): said}) for said in ("same", "different", "unsure")}
    night = {said: match(people, rows, matcher) for said, matcher in answers.items()}
    assert night["same"].linked(INSURED) == {2: (f"{HIS}41", "reviewed")}
    assert not night["same"].review(INSURED)
    assert night["different"].linked(INSURED) == {2: (f"{OTHER}41", "name_birth")}  # the rival is gone
    assert night["different"].pair(INSURED, 2, f"{HIS}41")["decision"] == "none"
    assert night["unsure"].review(INSURED) == {2: {f"{HIS}41", f"{OTHER}41"}}


def test_an_unsure_answer_keeps_even_a_certain_pair_from_being_linked() -> None:
    rows = {INSURED: [insured("王小明", wrong(HIS, 15))]}
    before = match([MAN], rows)
    assert before.linked(INSURED)
    after = match([MAN], rows, judged(before, {(2, MAN["cert"]): "unsure"}))
    assert not after.linked(INSURED)
    assert after.review(INSURED) == {2: {MAN["cert"]}}


def test_two_rows_that_a_clerk_called_the_same_person_are_both_linked() -> None:
    rows = {INSURED: [insured("王小明", wrong(HIS, 15)), insured("王小明", wrong(HIS, 14))]}
    both = dict.fromkeys([(2, MAN["cert"]), (3, MAN["cert"])], "same")
    after = match([MAN], rows, judged(match([MAN], rows), both))
    assert set(after.linked(INSURED)) == {2, 3}


def test_a_pair_has_the_same_keys_next_month() -> None:
    """Another file, place, year and amount, other rows and people around: the same keys."""
    row = insured("王小明", wrong(HIS, 15), **BORN)
    later = {**row, "source_file": "202611.csv", "source_row": 9, "paid": 40000, "year": 2027}
    around, stranger = insured("李大山", "1" * 18), holder("阿木", number("19330303", 33))
    nights = [
        match([MAN], {INSURED: [row]}),
        match([stranger, MAN], {INSURED: [around, later]}),
    ]
    told = [
        night.pairs.filter(pl.col("certificate_number") == MAN["cert"]).row(0, named=True) for night in nights
    ]
    for key in ("row_key", "person_key"):
        now, next_month = [pair[key] for pair in told]
        assert now == next_month
