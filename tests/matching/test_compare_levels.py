"""Every comparison level has a pair that gets it and a near miss that does not, written out one by one."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from small import COUNTY, number, successor, wrong

from pipeline.matching import PRIORS, load_models
from pipeline.matching.blocking import prepared_rows
from pipeline.matching.compare import levels
from pipeline.matching.fellegi_sunter import match_weights
from pipeline.matching.open_rows import FEATURES
from pipeline.matching.person_features import with_comparison_fields, with_name_keys

MODEL = load_models(PRIORS).base
BORN = date(1965, 3, 17)
HIS = number("19650317", 213)
GUARDIANS = number("19400102", 12)
STRANGERS = number("19650317", 117)
PERSON: dict[str, Any] = {
    **{"person": 1, "certificate_number": f"{HIS}41", "p_number": HIS, "p_typed": None, "p_name": "王小明"},
    **{"p_birth_date": BORN, "p_stated_birth_date": BORN, "p_sex": "男", "p_county": COUNTY},
    **{"p_address": "云南省迪庆藏族自治州香格里拉市建塘镇北郊村", "p_phone": "13900000001"},
    **{"p_guardian_name": "李大山", "p_guardian_id": GUARDIANS, "p_category": "肢体", "p_level": "1"},
}
_TYPES = {"varchar": pl.String, "date": pl.Date}
_PERSON_TYPES = {name: pl.Date if name.endswith("birth_date") else pl.String for name in PERSON} | {
    "person": pl.Int64
}

Said = dict[str, Any]


def pair(**said: object) -> Said:
    """What a row says (without its r_), and with p_ or of what was learned what is otherwise than in PERSON."""
    return said


def compared(cases: list[Said]) -> pl.DataFrame:
    """The levels of literal pairs, one a case."""
    features = {"row": pl.Int64, "county": pl.String} | {
        name: _TYPES[kind] for name, kind in FEATURES.items()
    }
    rows = [{name: said.get(name.removeprefix("r_")) for name in features} for said in cases]
    people = [{name: said.get(name, usual) for name, usual in PERSON.items()} for said in cases]
    learned = [
        {name: name in said for name in ("same_account", "has_account", "same_head")} for said in cases
    ]
    frames = [
        prepared_rows(pl.DataFrame(rows, schema=features), successor),
        with_comparison_fields(with_name_keys(pl.DataFrame(people, schema=_PERSON_TYPES))),
        pl.DataFrame(learned),
    ]
    return levels(pl.concat(frames, how="horizontal"))


SLIP, TWO_SLIPS = wrong(HIS, 15), wrong(wrong(HIS, 15), 13)
SWAPPED, APART = HIS[:15] + HIS[16] + HIS[15] + HIS[17], HIS[:14] + HIS[16] + HIS[15] + HIS[14] + HIS[17]
NEAR_DAY, MONTH_AND_DAY, FAR_DAY = date(1965, 3, 18), date(1965, 4, 18), date(1971, 8, 2)
MASKED, FEW = f"{HIS[:6]}********{HIS[14:]}", f"{HIS[:4]}**********{HIS[14:]}"
FLOAT = pair(typed=f"{int(float(HIS))}", problem="numeric_cell")
APRIL = {"p_birth_date": date(1965, 4, 5), "p_stated_birth_date": date(1965, 4, 5)}
CEREN, SCHOOL = {"p_name": "次仁卓玛"}, {"address": "小中甸镇小学"}
SISTER = pair(number=GUARDIANS, name="王小明")

# field → level, a pair that gets it, a near miss
LEVELS: dict[str, list[tuple[str, Said, Said]]] = {
    "identity": [
        ("slip", pair(typed=SLIP), pair(typed=TWO_SLIPS)),
        ("slip", pair(typed=SWAPPED), pair(typed=APART)),
        ("slip", pair(typed=HIS[:9] + HIS[10:]), pair(typed=HIS[:9] + HIS[11:])),
        (
            "slip",
            pair(number=HIS, p_number=None, p_typed=SLIP),
            pair(number=HIS, p_number=None, p_typed=APART),
        ),
        ("slip_birth_differs", pair(typed=SLIP, birth_date=FAR_DAY), pair(typed=SLIP, birth_date=BORN)),
        ("number", pair(number=HIS, sex="男"), pair(number=STRANGERS, sex="男")),
        ("number_sex_differs", pair(number=HIS, sex="女"), pair(number=HIS)),
        ("number_birth_differs", pair(number=HIS, birth_date=FAR_DAY), pair(number=HIS, birth_date=NEAR_DAY)),
        ("number_birth_near", pair(number=HIS, birth_date=NEAR_DAY), pair(number=HIS, birth_date=BORN)),
        (
            "number",
            pair(number=HIS, birth_date=FAR_DAY, p_stated_birth_date=FAR_DAY),
            pair(birth_date=FAR_DAY),
        ),
        ("digits_15", pair(typed=f"{HIS[:15]}000"), pair(typed=f"{wrong(HIS[:15], 14)}000")),
        ("digits_15", FLOAT, FLOAT | {"typed": f"{int(float(HIS)) - 5000}"}),
        ("digits_14", pair(typed=f"{HIS[:14]}0000"), pair(typed=f"{wrong(HIS[:14], 13)}0000")),
        ("masked_birth", pair(typed=MASKED, birth_date=BORN), pair(typed=MASKED)),
        ("masked", pair(typed=MASKED), pair(typed=wrong(MASKED, 15))),
        ("masked_few", pair(typed=FEW), pair(typed=MASKED)),
        ("birth_sex", pair(birth_date=BORN, sex="男"), pair(birth_date=BORN)),
        ("birth", pair(birth_date=BORN), pair(birth_date=NEAR_DAY)),
        ("birth_sex_differs", pair(birth_date=BORN, sex="女"), pair(birth_date=BORN, sex="女", p_sex=None)),
        ("birth_number_differs", pair(birth_date=BORN, typed=TWO_SLIPS), pair(birth_date=BORN, typed=SLIP)),
        ("birth_near", pair(birth_date=NEAR_DAY), pair(birth_date=MONTH_AND_DAY)),
        ("birth_near", pair(birth_date=date(1965, 5, 4)) | APRIL, pair(birth_date=date(1966, 5, 4)) | APRIL),
        ("other_birth", pair(birth_date=FAR_DAY), pair(birth_date=date(1971, 3, 17))),
        ("other_birth", pair(typed=f"{HIS[:15]}000", birth_date=FAR_DAY), pair(typed=f"{HIS[:15]}000")),
        ("other_number", pair(number=STRANGERS), pair(number=GUARDIANS)),
        ("other_number", pair(number=GUARDIANS, name="李大山"), SISTER),
        ("differs", pair(typed=TWO_SLIPS), pair(typed="无")),
        ("unknown", pair(), pair(sex="女")),
        ("unknown", pair(typed=f"{HIS[0]}.{HIS[1:6]}E+17"), pair(typed=f"{HIS[0]}.{HIS[2:7]}E+17")),
    ],
    "name": [
        ("exact", pair(name="王小明"), pair(name="王晓明")),
        ("exact", pair(name="王 小明（已故）"), pair(name="王小")),
        ("exact", pair(name="李桃红", p_name="王小明(曾用名李桃红)"), pair(name="李桃红")),
        ("exact", pair(name="李桃红（曾用名：王小明）"), pair(name="李桃红（已故）")),
        ("near", pair(name="王晓明"), pair(name="王大明")),
        ("near", pair(name="泽仁卓玛") | CEREN, pair(name="扎西卓玛") | CEREN),
        ("near", pair(name="卓马", p_name="卓玛"), pair(name="卓嘎", p_name="卓玛")),
        ("slip", pair(name="王大明"), pair(name="王大山")),
        ("part", pair(name="次仁卓嘎") | CEREN, pair(name="扎西央金") | CEREN),
        ("part", pair(name="卓嘎", p_name="卓玛"), pair(name="卓马", p_name="卓玛")),
        ("contradicts", pair(name="拉姆", p_name="卓玛"), pair(name="卓马", p_name="卓玛")),
        ("contradicts", pair(name="王大山"), pair(name="王明")),
        ("unknown", pair(), pair(name="赵")),
    ],
    "place": [
        ("township", pair(county=COUNTY, address="建塘镇小学"), pair(county=COUNTY) | SCHOOL),
        ("county", pair(county=COUNTY), pair(county="539902")),
        ("county", pair(county="539902", area=f"{COUNTY}101"), pair(county=COUNTY, area="539902101")),
        ("township", pair(county=COUNTY, address="建塘乡卫生院"), pair(county=COUNTY, address="卫生院")),
        ("other_township", pair() | SCHOOL, pair(address="第一小学")),
        ("other_township", pair(county=COUNTY) | SCHOOL, pair(county=COUNTY, address="城乡医院")),
        (
            "other_township",
            pair(county=COUNTY, p_address="建塘镇老街社区8组") | SCHOOL,
            pair(county=COUNTY, address="建塘镇小学", p_address="香格里拉市建塘镇老街社区8组"),
        ),
        ("other_county", pair(county="539902"), pair()),
        ("unknown", pair(p_address=None) | SCHOOL, pair() | SCHOOL),
    ],
    "relation": [
        (
            "account",
            pair(account="6217", same_account=True, has_account=True),
            pair(account="6217", has_account=True),
        ),
        ("other_account", pair(account="6217", has_account=True), pair(account="6217")),
        ("phone", pair(phone="13900000001"), pair(phone="13900000002")),
        ("guardian_number", SISTER, pair(number=GUARDIANS, name="李大山")),
        ("guardian", pair(guardian_id=GUARDIANS), pair(guardian_id=STRANGERS)),
        ("guardian", pair(head_id=GUARDIANS), pair(head_id=GUARDIANS, p_guardian_id=None)),
        ("guardian", pair(head_id=STRANGERS, same_head=True), pair(head_id=STRANGERS)),
        ("guardian_name", pair(guardian_name="李大山"), pair(guardian_name="李大川")),
        ("guardian_name", pair(head_name="李 大山"), pair(name="李大山")),
        ("unknown", pair(), pair(guardian_name="李大山")),
    ],
    "disability": [
        ("both", pair(category="肢体", level="1"), pair(category="肢体", level="2")),
        ("one", pair(category="肢体", level="2"), pair(category="听力", level="2")),
        ("differs", pair(category="听力", level="2"), pair(category="听力")),
        ("unknown", pair(category="肢体"), pair(category="肢体", level="1")),
    ],
}
CASES = [(field, *case) for field, cases in LEVELS.items() for case in cases]


@pytest.fixture(scope="module")
def found() -> tuple[pl.DataFrame, pl.DataFrame]:
    """The levels of all pairs and of all near misses."""
    return compared([hit for *_, hit, _ in CASES]), compared([miss for *_, miss in CASES])


@pytest.mark.parametrize(
    "at", range(len(CASES)), ids=[f"{field}-{level}-{at}" for at, (field, level, *_) in enumerate(CASES)]
)
def test_the_level_is_given_to_its_pair_and_not_to_the_near_miss(
    at: int, found: tuple[pl.DataFrame, pl.DataFrame]
) -> None:
    field, level, *_ = CASES[at]
    hits, misses = found
    assert hits[field][at] == level
    assert misses[field][at] != level


def test_every_level_of_the_weights_has_its_pair_and_no_level_is_unweighed() -> None:
    named = {(field, level) for field, level, *_ in CASES}
    weighed = {(field.name, level.name) for field in MODEL.fields for level in field.known}
    assert named == weighed | {(field.name, "unknown") for field in MODEL.fields}


def weight_of_name(**said: object) -> float:
    return float(match_weights(compared([said]), MODEL)["name_weight"][0])


KIN = {
    "guardian": pair(guardian_id=GUARDIANS),
    "guardian's number": pair(number=GUARDIANS),
    "phone": pair(phone="13900000001"),
    "digits_15": pair(typed=f"{HIS[:15]}000"),
    "slip": pair(typed=SLIP),
}


@pytest.mark.parametrize("name", ["王大明", "李晓明"])
@pytest.mark.parametrize("family", KIN.values(), ids=list(KIN))
def test_half_a_name_is_worth_nothing_among_relatives(name: str, family: Said) -> None:
    assert weight_of_name(name=name) > 2
    assert weight_of_name(name=name, **family) <= 0


def test_a_name_written_another_way_is_worth_less_among_relatives() -> None:
    alone = weight_of_name(name="王晓明")
    assert 0 < weight_of_name(name="王晓明", guardian_id=GUARDIANS) < alone


def test_a_common_name_is_worth_less_than_a_rare_one() -> None:
    assert weight_of_name(name="扎西", p_name="扎西") < weight_of_name(name="王小明") - 5


def test_a_full_name_is_worth_as_much_among_relatives_as_among_strangers() -> None:
    """A brother does not bear the same full name; it is what tells him apart."""
    assert weight_of_name(name="王小明", guardian_id=GUARDIANS) == weight_of_name(name="王小明")
