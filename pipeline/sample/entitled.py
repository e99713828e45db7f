"""The true answers: who is due what by `entitlements.md`, written here a second time, and who receives it.

The sample stands in Yunnan (53…): living subsidy for dibao only, nursing subsidy for levels 1–2 only, premium aid not by level.
"""

from __future__ import annotations

import polars as pl

from pipeline.sample.dice import Rolls
from pipeline.sample.world import World

BENEFITS = (
    "living_subsidy",
    "nursing_subsidy",
    "single_person_dibao",
    "medical_insurance",
    "medical_premium_aid",
    "pension_enrolment",
    "pension_premium_aid",
    "pension_payment",
    "child_rehabilitation",
    "compulsory_education",
    "student_aid",
    "accessibility_renovation",
    "day_care",
    "family_doctor",
    "housing_renovation",
)
# What share of those due receive it (handbook E "true gaps"; where E is silent, what similar counties show).
_RECEIVE = {
    "living_subsidy": 0.955,
    "nursing_subsidy": 0.97,
    "medical_premium_aid": 0.92,
    "pension_premium_aid": 0.945,
    "child_rehabilitation": 0.78,
    "student_aid": 0.85,
    "accessibility_renovation": 0.6,
    "day_care": 0.65,
    "family_doctor": 0.7,
    "housing_renovation": 0.62,
}


def with_answers(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Adds `due_<benefit>` and `has_<benefit>` (received) for every benefit, and the rows that show receipt."""
    people = _subsidies(world, people)
    people = _services(world, people)
    return _due_of_status(people)


def _subsidies(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """The two subsidies, premium aids and student aid: due, and received with the true gaps, also by some not due."""
    c = pl.col
    outside = ~c("in_tekun") & ~c("injury")
    living = c("holder") & c("dibao") & outside & ~c("orphan")
    nursing = c("holder") & c("severe") & outside
    people = people.with_columns(
        would_living=living,
        would_nursing=nursing,
        would_premium=c("resident") & (c("in_tekun") | c("dibao") | c("at_risk")),
        would_pension_aid=c("resident_pension")
        & c("age").is_between(16, 59)
        & (c("severe") | (c("holder") & (c("dibao") | c("in_tekun") | c("at_risk")))),
        would_student_aid=c("holder") & c("stage").is_in(["学前", "高中", "大学"]),
    )
    people = people.with_columns(
        due_living_subsidy=c("valid") & c("would_living"),
        due_nursing_subsidy=c("valid") & c("would_nursing"),
        due_medical_premium_aid=c("valid") & c("would_premium"),
        due_pension_premium_aid=c("valid") & c("would_pension_aid"),
        due_student_aid=(c("valid") & c("would_student_aid")).fill_null(False),
    )
    roll = world.rolls(people)
    people = people.with_columns(
        has_living_subsidy=_paid(roll, people, "living"),
        has_nursing_subsidy=_paid(roll, people, "nursing"),
        has_medical_premium_aid=roll.chance("premium aid", _RECEIVE["medical_premium_aid"]),
        has_pension_premium_aid=roll.chance("pension aid", _RECEIVE["pension_premium_aid"]),
        has_student_aid=roll.chance("student aid", _RECEIVE["student_aid"]),
        stray=roll.chance("stray aid", 0.0015),
    )
    return people.with_columns(
        has_medical_premium_aid=c("resident")
        & ((c("has_medical_premium_aid") & c("would_premium")) | c("stray")),
        has_pension_premium_aid=c("resident_pension")
        & (
            (c("has_pension_premium_aid") & c("would_pension_aid"))
            | (c("stray") & c("age").is_between(16, 59))
        ),
        has_student_aid=(c("has_student_aid") & c("would_student_aid")).fill_null(False),
    )


def _paid(roll: Rolls, people: pl.DataFrame, which: str) -> pl.Series:
    """Is there a subsidy row in state 正常? Also for some whose certificate, life or tekun status forbids it."""
    c, would = pl.col, pl.col(f"would_{which}")
    barred = c("state").is_in(["注销", "迁出", "冻结"])
    share = _RECEIVE[f"{which}_subsidy"]
    chance = (
        pl.when(~c("holder"))
        .then(0.0)
        .when(c("dead") & would)
        .then(0.3)
        .when(c("dead"))
        .then(0.0)
        .when(c("in_tekun") & c("severe"))
        .then(0.02)
        .when(barred & would)
        .then(0.4)
        .when(would)
        .then(pl.when(c("valid")).then(share).otherwise(share - 0.1))
        .otherwise(0.002)
    )
    return people.select(pl.lit(roll.uniform(f"paid {which}")) < chance).to_series()


def _services(world: World, people: pl.DataFrame) -> pl.DataFrame:
    """Services, renovation, family doctor, house: due, and received."""
    c, roll = pl.col, world.rolls(people)
    house = Rolls(world.seed, people["h"])
    care_age = c("age").is_between(16, 59) & c("cat").is_in(["肢体", "智力", "精神", "多重"]) & c("severe")
    child = c("holder") & (c("age") <= 6) & c("cat").is_in(["视力", "听力", "言语", "肢体", "智力"])
    due_care = (
        c("valid") & care_age & c("hardship") & (c("tekun") != "集中供养").fill_null(True) & ~c("student")
    )
    unsafe = c("grade").is_in(["C", "D"])
    people = people.with_columns(
        due_child_rehabilitation=(c("valid") & child).fill_null(False),
        due_accessibility_renovation=c("valid") & c("severe") & c("hardship"),
        due_day_care=due_care.fill_null(False),
        due_family_doctor=c("valid") & c("rural"),
        due_housing_renovation=(c("valid") & c("rural") & c("hardship") & unsafe).fill_null(False),
        u_rehab=roll.uniform("rehab"),
        u_access=roll.uniform("accessible"),
        u_care=roll.uniform("care"),
        u_doctor=roll.uniform("doctor"),
        done=house.uniform("house done"),
    )
    rehab = pl.when(child).then(_RECEIVE["child_rehabilitation"]).otherwise(0.24)
    access = (
        pl.when(c("due_accessibility_renovation")).then(_RECEIVE["accessibility_renovation"]).otherwise(0.03)
    )
    care = pl.when(c("due_day_care")).then(_RECEIVE["day_care"]).when(care_age).then(0.04).otherwise(0.0)
    doctor = pl.when(c("holder")).then(_RECEIVE["family_doctor"]).otherwise(0.3)
    has = c("holder") & ~c("dead")
    return people.with_columns(
        has_child_rehabilitation=(has & (c("u_rehab") < rehab)).fill_null(False),
        has_accessibility_renovation=(has & (c("u_access") < access)).fill_null(False),
        has_day_care=(has & (c("u_care") < care)).fill_null(False),
        has_family_doctor=~c("dead") & (c("u_doctor") < doctor),
        has_housing_renovation=(unsafe & (c("done") < _RECEIVE["housing_renovation"])).fill_null(False),
    ).drop("u_rehab", "u_access", "u_care", "u_doctor", "done")


def _due_of_status(people: pl.DataFrame) -> pl.DataFrame:
    """What follows from the statuses alone: insurance, pension, school, the one-person dibao."""
    c = pl.col
    working_age = c("age").is_between(16, 59) & ~c("student")
    compulsory = c("stage").is_in(["小学", "初中", "高中"]).fill_null(False)
    return people.with_columns(
        due_medical_insurance=c("valid"),
        has_medical_insurance=c("insured"),
        due_pension_enrolment=c("valid") & working_age,
        has_pension_enrolment=c("pension").is_not_null(),
        due_pension_payment=c("valid") & c("resident_pension") & (c("age") >= 60),
        has_pension_payment=(c("pension_state") == "待遇领取").fill_null(False),
        due_compulsory_education=c("valid") & c("school_age").is_between(6, 14),
        has_compulsory_education=compulsory,
        has_single_person_dibao=c("dibao"),
    )
