"""Which pairs are compared at all: what every kind of key brings, what is left out, and what it may cost."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from small import (
    COUNTY,
    DIBAO,
    INSURED,
    PUPILS,
    Night,
    born,
    dibao,
    holder,
    insured,
    match,
    number,
    pupil,
    successor,
    wrong,
)

from pipeline.identity import id_repair
from pipeline.matching import blocking
from pipeline.matching.open_rows import FEATURES
from pipeline.matching.person_features import with_name_keys

HIS = number("19650317", 213)
BORN = born(HIS)
PARENT = number("19400102", 12)
PERSON: dict[str, Any] = {
    **{
        "person": 1,
        "p_number": HIS,
        "p_typed": None,
        "p_name": "王小明",
        "p_birth_date": BORN,
        "p_sex": "男",
    },
    **{"p_stated_birth_date": BORN, "p_county": COUNTY, "p_address": "某市某乡", "p_phone": "13900000001"},
    **{"p_guardian_name": "李大山", "p_guardian_id": PARENT},
}
_TYPES = {"varchar": pl.String, "date": pl.Date}


def rows(*said: dict[str, Any]) -> pl.DataFrame:
    """Prepared open rows, numbered from 1, of which nothing is known but what is said."""
    schema = {"row": pl.Int64, "county": pl.String} | {name: _TYPES[kind] for name, kind in FEATURES.items()}
    frame = [dict.fromkeys(schema) | {"row": at, "county": COUNTY} | row for at, row in enumerate(said, 1)]
    return blocking.prepared_rows(pl.DataFrame(frame, schema=schema), successor)


def people(*others: dict[str, Any]) -> pl.DataFrame:
    dates = {name: pl.Date for name in PERSON if name.endswith("birth_date")}
    schema = dict.fromkeys(PERSON, pl.String) | dates | {"person": pl.Int64}
    frame = [PERSON | {"person": at} | other for at, other in enumerate(others, 1)]
    return with_name_keys(pl.DataFrame(frame, schema=schema))


def links(*found: tuple[int, str]) -> pl.DataFrame:
    return pl.DataFrame(list(found), schema={"person": pl.Int64, "number": pl.String}, orient="row")


def shared(row: dict[str, Any], person: dict[str, Any] | None = None, **learned: pl.DataFrame) -> set[str]:
    """The kinds of key that a row has in common with a person."""
    mine, his = rows(row), people(person or {})
    known = {"accounts": links(), "heads": links(), **learned}
    row_keys = [blocking.row_keys(mine, id_repair.first_digits(his["p_number"]))]
    person_keys = [blocking.person_keys(his, known.get("repaired", links()), known)]
    for keys, found in zip((row_keys, person_keys), blocking.mask_keys(mine, his), strict=True):
        keys.append(found)
    both = pl.concat(row_keys).join(pl.concat(person_keys).select("key").unique(), on="key")
    return {blocking.KINDS[kind] for kind in both["kind"]}


# What the row says, the kinds of key by which it meets the person.
MEETS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "one digit wrong in the order": ({"r_typed": wrong(HIS, 15)}, {"id_repaired", "id_digits"}),
    "one digit wrong in the region": ({"r_typed": wrong(HIS, 4)}, {"id_repaired"}),
    "15 digits left": ({"r_typed": f"{HIS[:15]}000"}, {"id_digits"}),
    "a numeric cell": (
        {"r_typed": f"{int(float(HIS))}", "r_problem": "numeric_cell"},
        {"id_digits", "id_float"},
    ),
    "masked": ({"r_typed": f"{HIS[:6]}********{HIS[14:]}"}, {"id_masked"}),
    "a damaged certificate number": (
        {"r_typed_certificate": f"{wrong(HIS, 16)}41"},
        {"id_repaired", "id_digits", "certificate_digits"},
    ),
    "name and birth date": ({"r_name": "王小明", "r_birth_date": BORN}, {"name_birth", "sound_birth"}),
    "a name of the same sound and birth date": ({"r_name": "汪晓名", "r_birth_date": BORN}, {"sound_birth"}),
    "a former name and birth date": (
        {"r_name": "李桃红（曾用名王小明）", "r_birth_date": BORN},
        {"name_birth"},
    ),
    "birth date, sex and county": ({"r_birth_date": BORN, "r_sex": "男"}, {"birth_sex_county"}),
    "the guardian as head": ({"r_head_id": PARENT}, {"head"}),
    "the guardian as guardian": ({"r_guardian_id": PARENT}, {"head"}),
    "the guardian's number": ({"r_number": PARENT}, {"head"}),
    "the guardian's name, as head": ({"r_head_name": "李 大山"}, {"head_name"}),
    "the guardian's name": ({"r_guardian_name": "李大山"}, {"head_name"}),
    "the phone": ({"r_phone": "13900000001"}, {"phone"}),
    "the name and no birth date": ({"r_name": "王小明"}, {"name_place", "sound_place"}),
    "the sound of the name and no birth date": ({"r_name": "王晓明"}, {"sound_place"}),
}
MISSES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "two digits wrong": {"r_typed": wrong(wrong(HIS, 3), 15)},
    "12 digits left": {"r_typed": f"{HIS[:12]}000000"},
    "another visible digit": {"r_typed": f"{HIS[:6]}********{wrong(HIS[14:], 1)}"},
    "name and another birth date": {"r_name": "王小明", "r_birth_date": date(1965, 3, 18)},
    "birth date, sex and another county": {"r_birth_date": BORN, "r_sex": "男", "r_area": "539902"},
    "the guardian's name in another county": {"r_guardian_name": "李大山", "r_area": "539902"},
    "birth date alone": {"r_birth_date": BORN},
    "the name in another county": {"r_name": "王小明", "r_area": "539902"},
    "another's number": {"r_number": number("19650317", 117)},
}


@pytest.mark.parametrize("said", MEETS)
def test_a_row_meets_its_person_by_these_keys(said: str) -> None:
    row, kinds = MEETS[said]
    assert shared(row) == kinds


@pytest.mark.parametrize("said", MISSES)
def test_a_row_that_says_too_little_or_another_thing_is_not_compared(said: str) -> None:
    assert shared(MISSES[said]) == set()


LEARNED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, pl.DataFrame]]] = {
    "account": ({"r_account": "6217"}, {}, {"accounts": links((1, "6217"))}),
    "head": ({"r_head_id": number("19500505", 15)}, {}, {"heads": links((1, number("19500505", 15)))}),
    "number": (
        {"r_number": HIS},
        {"p_number": None, "p_typed": wrong(HIS, 15)},
        {"repaired": links((1, HIS))},
    ),
}


@pytest.mark.parametrize("kind", LEARNED)
def test_what_other_lists_taught_of_a_person_finds_his_rows(kind: str) -> None:
    row, person, learned = LEARNED[kind]
    assert shared(row, person, **learned) == {kind}
    assert shared(row, person) == set()


def test_every_kind_of_key_is_met_by_some_row() -> None:
    assert {kind for _, kinds in MEETS.values() for kind in kinds} | set(LEARNED) == set(blocking.KINDS)


def test_a_person_is_found_by_either_of_two_birth_dates() -> None:
    stated = date(1965, 4, 18)
    row = {"r_name": "王小明", "r_birth_date": stated}
    assert shared(row) == set()
    assert shared(row, {"p_stated_birth_date": stated}) == {"name_birth", "sound_birth"}


def test_the_words_of_a_mask_are_its_kinds_in_order() -> None:
    masks = pl.DataFrame({"keys": [1, 0b110, 1 << (len(blocking.KINDS) - 1)]}, schema={"keys": pl.UInt32})
    said = masks.select(blocking.keys_words(pl.col("keys"))).to_series().to_list()
    assert said == [blocking.KINDS[0], f"{blocking.KINDS[1]}+{blocking.KINDS[2]}", blocking.KINDS[-1]]


def test_numbers_of_one_float_are_one_key() -> None:
    numbers = pl.DataFrame({"n": [HIS, f"{int(float(HIS))}", f"{int(HIS) + 1000}"]})
    assert numbers.select(blocking.as_float(pl.col("n")))["n"].n_unique() == 2


# --- in a night -------------------------------------------------------------------------------------------------


def compared(night: Night) -> set[tuple[int, str]]:
    return set(night.pairs.select("source_row", "keys").iter_rows())


def count(night: Night, table: str) -> int:
    return int(night.con.execute(f"select count(*) from {table}").fetchall()[0][0])


def strangers(many: int) -> list[dict[str, Any]]:
    """Rows of others with damaged numbers, born on other days and of other names."""
    ids = [number(f"{1900 + at % 30}{1 + at % 12:02d}{1 + at % 28:02d}", 1 + at % 900) for at in range(many)]
    return [insured("赵铁柱", wrong(id_, 14), dob=born(id_)) for id_ in ids]


def test_rows_with_a_sound_number_of_nobody_on_the_register_are_not_looked_at() -> None:
    others = [insured("王小明", number("19650317", 401 + 2 * at), dob=BORN, sex="男") for at in range(50)]
    night = match([holder("王小明", HIS)], {INSURED: [*others, insured("王小明", wrong(HIS, 15))]})
    assert count(night, "open_medical_insurance__insured") == 1


def test_of_the_rows_only_keys_that_some_person_has_are_kept() -> None:
    """What stays in memory follows the register, not the list."""
    own = insured("王小明", wrong(HIS, 15))
    alone = match([holder("王小明", HIS)], {INSURED: [own]})
    night = match([holder("王小明", HIS)], {INSURED: [own, *strangers(300)]})
    assert count(night, "open_medical_insurance__insured") == 301
    assert count(night, "row_keys") == count(alone, "row_keys")


def test_a_key_that_too_many_share_is_left_out_told_and_stops_no_other_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocking, "_LARGE", blocking._LARGE.replace(f"> {blocking.LARGEST}", "> 20"))
    register = [holder("张伟", number(f"195{at}0101", 101 + 2 * at)) for at in range(9)]
    row = [dibao("张伟", "", fam=f"F{at}") for at in range(9)]
    own = dibao("张伟", wrong(register[0]["id"], 15))
    night = match(register, {DIBAO: [*row, own]})
    assert {keys for _, keys in compared(night)} & {"name_place", "sound_place"} == set()
    told = night.blocks.select("kind", "keys_left_out", "pairs_left_out").rows()
    assert ("name_place", 1, 81) in told
    assert 11 in night.linked(DIBAO)


def test_the_report_says_what_each_kind_brought_and_what_only_it_brought() -> None:
    register = [holder("王小明", HIS), holder("李秋菊", number("19700707", 225))]
    rows = [insured("王小明", wrong(HIS, 15)), insured("李秋菊", "", dob=date(1970, 7, 7), sex="女")]
    pupils = [pupil("赵铁柱", "", dob=BORN, sex="男")]
    report = match(register, {INSURED: rows, PUPILS: pupils}).blocks
    told = {(key, kind): tuple(counts) for key, kind, *counts in report.iter_rows()}
    # pairs, alone, linked, linked alone, review, keys and pairs left out
    assert told[INSURED, "id_repaired"] == (1, 0, 1, 0, 0, 0, 0)
    assert told[INSURED, "name_birth"] == (2, 0, 2, 0, 0, 0, 0)
    assert told[PUPILS, "birth_sex_county"] == (1, 1, 0, 0, 0, 0, 0)
