"""The trouble that can be asked for: it arises at the asked rate, where it was asked, and the truth says what it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from pipeline.sample import Trouble, make_sample, trouble_of
from pipeline.sample.certificates import with_certificates
from pipeline.sample.damage import damage_kinds, damaged_numbers
from pipeline.sample.entitled import with_answers
from pipeline.sample.lists import EXPORTS
from pipeline.sample.names import delivered_names
from pipeline.sample.names_further import _WAYS, further
from pipeline.sample.people import chunks
from pipeline.sample.rows import rows_of
from pipeline.sample.status import with_status
from pipeline.sample.troubled import masked
from pipeline.sample.words import CHARACTER_SLIPS, COMMON_NAMES, WORD_SLIPS, YI_CLANS
from pipeline.sample.world import World

AS_OF = date(2026, 10, 31)
BY_KEY = {export.key: export for export in EXPORTS}
DOCTOR, PENSION, INSURED = "health/family_doctor", "hr_social_security/pension", "medical_insurance/insured"
DIBAO, SCHOOL, REGISTER = "civil_affairs/dibao", "education/enrolment", "federation/register"
EVERYTHING = Trouble(
    masked={DOCTOR: 0.5, PENSION: 1 / 3},
    numeric={DIBAO: "539901", SCHOOL: "all"},
    names=0.2,
    transliterated=0.9,
    homonyms=0.1,
    twins=0.5,
    siblings=0.4,
    same_day=0.3,
    guardians=0.25,
    births=0.1,
    register_ids=0.2,
    register_births=0.1,
)


@dataclass(frozen=True)
class Lists:
    """People of a world, and its lists as rows before they are written."""

    world: World
    people: pl.DataFrame

    def rows(self, key: str) -> pl.DataFrame:
        """The list's rows with `true_dob`, `kind` and the number as `delivered`."""
        export = BY_KEY[key]
        rows = rows_of(self.world, export, self.people)
        kinds = damage_kinds(self.world, export, rows)
        delivered = damaged_numbers(self.world, export, rows, kinds)
        births = self.people.select(pl.col("person").alias("_person"), pl.col("birth").alias("true_dob"))
        return rows.with_columns(kind=kinds, delivered=delivered).join(
            births, on="_person", maintain_order="left"
        )

    def share(self, key: str, kind: str) -> float:
        return float((self.rows(key)["kind"] == kind).fill_null(False).mean() or 0)


def lists_of(trouble: Trouble | None, people: int = 4000, dirt: float = 1.0) -> Lists:
    world = World(people, 9, AS_OF, dirt, 0.25, 4, trouble or Trouble())
    members = pl.concat(chunks(world, 15_000))
    return Lists(world, with_answers(world, with_status(world, with_certificates(world, members))))


@pytest.fixture(scope="module")
def troubled() -> Lists:
    return lists_of(EVERYTHING)


@pytest.fixture(scope="module")
def usual() -> Lists:
    return lists_of(None)


def test_the_committed_sample_is_made_byte_for_byte(tmp_path: Path) -> None:
    committed = Path(__file__).parents[2] / "data" / "sample"
    make_sample(5000, tmp_path, seed=12, trouble=Trouble())
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.*")}
    assert made == {path.relative_to(committed): path.read_bytes() for path in committed.rglob("*.*")}


def test_masked_numbers_come_at_the_asked_share_and_only_there(troubled: Lists) -> None:
    assert troubled.share(DOCTOR, "masked") == pytest.approx(0.5, abs=0.04)
    assert troubled.share(PENSION, "masked") == pytest.approx(1 / 3 * 0.9, abs=0.04)
    assert troubled.share(INSURED, "masked") == 0
    rows = troubled.rows(DOCTOR).filter(pl.col("kind") == "masked")
    assert rows["delivered"].str.contains(r"^(.{6}\*{8}|.{4}\*{10}|.{10}\*{4})[0-9]{3}[0-9X]$").all()
    assert (rows["delivered"].str.head(4) == rows["id"].str.head(4)).all()
    ways = rows.select("_county", shown=pl.col("delivered").str.find(r"\*")).unique()
    assert ways["_county"].n_unique() == ways.height == 4
    assert ways["shown"].n_unique() == 3


def test_a_masked_number_keeps_its_length_and_hides_the_rest() -> None:
    number = "539901198503171234"
    assert [masked(number, way) for way in range(3)] == [
        "539901********1234",
        "5399**********1234",
        "5399011985****1234",
    ]


def test_children_stand_under_the_heads_number_in_all_their_lists(troubled: Lists) -> None:
    children = troubled.people.filter((pl.col("age") < 16) & (pl.col("slot") > 0))["person"]
    found = {}
    for key in (INSURED, DOCTOR):
        rows = troubled.rows(key).filter(pl.col("_person").is_in(children.implode()))
        rows = rows.filter(pl.col("kind").is_null() | ~pl.col("kind").is_in(["birth_date", "missing"]))
        under = rows.filter(pl.col("kind") == "guardian")
        assert under.height / rows.height == pytest.approx(0.25, abs=0.06)
        assert (under["delivered"] == under["_head_id"]).all()
        found[key] = set(under["_person"]), set(rows["_person"])
    asked = found[DOCTOR][0] & found[INSURED][1]
    assert len(asked & found[INSURED][0]) / len(asked) > 0.95  # the usual dirt adds a few to one list only


def test_birth_dates_are_wrong_where_the_truth_says_so_and_nowhere_else(troubled: Lists) -> None:
    for key in (INSURED, PENSION, REGISTER):
        rows = troubled.rows(key)
        wrong = rows["dob"] != rows["true_dob"]
        said = (rows["kind"] == "birth_date").fill_null(False)
        assert (wrong == said).all()
        assert said.mean() == pytest.approx(0.1, abs=0.03)
        assert (rows["delivered"] == rows["id"]).filter(said).all()


def test_register_numbers_are_damaged_and_certificates_are_not(troubled: Lists, usual: Lists) -> None:
    rows = troubled.rows(REGISTER)
    spoilt = rows.filter(pl.col("kind").is_in(["typo", "swap", "missing", "cut", "sci_text", "sci"]))
    assert spoilt.height / rows.height == pytest.approx(0.2 * 0.9, abs=0.03)
    assert not (spoilt["delivered"] == spoilt["id"]).any()
    assert (rows["cert"].str.head(18) == rows["id"]).all()
    assert not usual.rows(REGISTER)["kind"].is_in(["typo", "birth_date"]).any()


def test_twins_are_alike_but_for_one_character_and_neighbouring_numbers(troubled: Lists) -> None:
    families = troubled.people.filter((pl.col("role") == "子女") & (pl.col("slot") <= pl.col("spouses") + 2))
    pairs = families.group_by("h", maintain_order=True).agg("name", "id", "birth", "male", pl.len())
    pairs = pairs.filter(pl.col("len") == 2)
    twins = pairs.filter(pl.col("birth").list.n_unique() == 1)
    near = 0
    for names, ids, male in twins.select("name", "id", "male").iter_rows():
        if names[0][:-1] != names[1][:-1] or male[0] != male[1]:
            continue  # born on one day by `same_day`
        assert names[0][-1] != names[1][-1]
        assert CHARACTER_SLIPS.get(names[0][-1]) != names[1][-1]
        assert WORD_SLIPS.get(names[0][-2:]) != names[1][-2:]
        assert ids[0][:14] == ids[1][:14]
        near += abs(int(ids[0][14:17]) - int(ids[1][14:17])) == 2
    assert near / pairs.height == pytest.approx(0.5, abs=0.12)
    assert troubled.people["id"].n_unique() == troubled.people.height
    assert all(mod_11_2.is_valid(number) for number in troubled.people["id"])


def test_families_share_birthdays_and_siblings_share_names(troubled: Lists, usual: Lists) -> None:
    def shares(people: pl.DataFrame) -> tuple[float, float]:
        couples = people.filter(pl.col("slot") <= pl.col("spouses")).group_by("h").agg("birth", pl.len())
        one_day = couples.filter(pl.col("len") == 2)["birth"].list.n_unique() == 1
        later = people.filter((pl.col("role") == "子女") & (pl.col("slot") >= pl.col("spouses") + 2))
        first = people.filter((pl.col("role") == "子女") & (pl.col("slot") == pl.col("spouses") + 1))
        both = later.join(first.select("h", first="name"), on="h")
        alike = both.filter(pl.col("eth") < 2).select(
            pl.col("name").str.head(2) == pl.col("first").str.head(2)
        )
        return float(one_day.mean()), float(alike.to_series().mean())  # type: ignore[arg-type]

    one_day, alike = shares(troubled.people)
    assert one_day == pytest.approx(0.3, abs=0.06)
    assert alike > 0.5
    one_day, alike = shares(usual.people)
    assert one_day < 0.01
    assert alike < 0.1


def test_names_are_common_and_transliterated_as_asked(troubled: Lists, usual: Lists) -> None:
    common = {name for sexes in COMMON_NAMES for names in sexes[:2] for name in names}
    common |= {clan + name for sexes in COMMON_NAMES for clan in YI_CLANS[:3] for name in sexes[2]}
    rates = {}
    for which, people in (("troubled", troubled.people), ("usual", usual.people)):
        others = people.filter(pl.col("role") != "子女")
        rates[which] = float(others["name"].is_in(common).mean())  # type: ignore[arg-type]
    assert rates["troubled"] - rates["usual"] == pytest.approx(0.1, abs=0.04)
    assert (troubled.people["eth"] > 0).mean() == pytest.approx(0.9, abs=0.03)


def test_names_are_written_further_at_the_asked_share_times_dirt() -> None:
    def changed(trouble: Trouble | None, dirt: float) -> float:
        lists = lists_of(trouble, 2500, dirt)
        rows = rows_of(lists.world, BY_KEY[INSURED], lists.people)
        names = delivered_names(lists.world, BY_KEY[INSURED], rows, "name")
        tidy = names.str.replace_all("[ \u3000\u200b]", "")  # blanks aside
        return float((tidy != rows["name"]).mean())  # type: ignore[arg-type]

    plain, dirtier, dirtiest = (changed(None, dirt) for dirt in (1.0, 1.4, 2.0))
    assert dirtier / plain == pytest.approx(1.4, rel=0.25)
    assert dirtiest / plain == pytest.approx(2.0, rel=0.25)
    assert changed(Trouble(names=0.1), 2.0) - dirtiest == pytest.approx(0.2, abs=0.035)


@given(st.sampled_from(["次仁卓玛", "吉克·木呷", "马海阿呷", "李建国", "王芳"]), st.integers(0, 10**6))
def test_a_further_name_is_another_writing_of_the_name(name: str, r: int) -> None:
    written = further(name, r)
    assert written != name
    bare = written.split("（")[0].split("(")[0].split("【")[0]
    assert abs(len(bare) - len(name)) <= 1
    assert sum(character in name for character in bare) >= len(name) - 2


def test_every_further_way_occurs() -> None:
    name = "吉克·卓玛"
    assert {way(name, 0) for way in _WAYS} == {
        "吉格·卓玛",
        "吉克·卓码",
        "吉克卓玛",
        "吉·卓玛",
        "吉克·卓玛（已故）",
        "吉克·卓玛",  # nothing sounds like it
    }
    assert further("李建国", 2) == "季建国"


def test_accepted_parquet_knows_the_new_damage(tmp_path: Path) -> None:
    make_sample(800, tmp_path / "x", accepted=tmp_path, trouble=EVERYTHING, register_share=0.2)
    doctor, school = (
        pl.concat([pl.read_parquet(part) for part in sorted((tmp_path / "store" / key).rglob("*.parquet"))])
        for key in (DOCTOR, SCHOOL)
    )
    hidden = doctor.filter(pl.col("id_problem") == "masked")
    assert 0.4 < hidden.height / doctor.height < 0.6
    assert hidden["id"].null_count() == hidden.height
    assert hidden["id_typed"].str.contains(r"\*{4}").all()
    numbers = school.filter(pl.col("id_problem") == "excel_zeros")
    assert numbers.height / school.height > 0.4
    assert numbers["id_typed"].str.ends_with("000").all()


def test_the_command_line_words_are_read() -> None:
    asked = trouble_of(
        ["health/family_doctor=0.5"], ["civil_affairs/dibao=539901"], ["twins=0.1", "names=.05"]
    )
    assert asked == Trouble(masked={DOCTOR: 0.5}, numeric={DIBAO: "539901"}, twins=0.1, names=0.05)
    assert trouble_of([], [], []) == Trouble()


@pytest.mark.parametrize(
    ("masked_words", "numeric_words", "shares"),
    [
        (["health/family_doctor"], [], []),
        (["health/family_doctor=half"], [], []),
        (["health/nobody=0.5"], [], []),
        (["federation/needs_survey=0.5"], [], []),  # its own number is a certificate
        ([], ["civil_affairs/dibao=530000"], []),
        ([], [], ["triplets=0.1"]),
        ([], [], ["twins=1.5"]),
    ],
)
def test_what_cannot_be_asked_is_refused(
    masked_words: list[str], numeric_words: list[str], shares: list[str]
) -> None:
    with pytest.raises(ValueError, match=r"possible|expected"):
        trouble_of(masked_words, numeric_words, shares)
