"""Why counts moved: one cause for every coming and going, and all of them add up to the change."""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_world import nights

from pipeline import entitlement, intake, matching
from pipeline.cases import JudgedNight, PersonKey
from pipeline.cases.night_archive import PEOPLE, ArchivedNight, Subject, archive_night
from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.rule import load_rules
from pipeline.contracts.settings import Settings
from pipeline.desk.diff_nights import CAUSES, NightsDiff, compared, diff_nights
from pipeline.desk.diff_nights_page import diff_page, page
from pipeline.run import county_names, decide, match

OCTOBER, NOVEMBER = date(2026, 10, 31), date(2026, 11, 30)
A, B = "539901", "539902"
REGISTER, DIBAO, PAID = "federation/register", "civil_affairs/dibao", "civil_affairs/two_subsidies"
SUBJECTS = {
    "living": Subject("困难残疾人生活补贴", "living@1", (REGISTER, DIBAO, PAID)),
    "nursing": Subject("重度残疾人护理补贴", "nursing@1", (REGISTER, PAID)),
    "twice": Subject("重复领取", "twice@1", (PAID,)),
}
Answers = Mapping[tuple[str, str], tuple[str, str]]  # key, subject -> outcome, mark


def night(
    as_of: date,
    people: Mapping[str, str],
    answers: Answers,
    *,
    refused: frozenset[tuple[str, str]] = frozenset(),
    file: str = "x",
    subjects: Mapping[str, Subject] = SUBJECTS,
    version: str = "1",
    cases: Mapping[str, int] = MappingProxyType({}),
) -> ArchivedNight:
    """`people`: key → county; keys that begin with o are not on the register. `file`: mark of every list. `cases`: key → the
    ledger's person."""
    who = {key: n for n, key in enumerate(sorted(people), start=1)}
    coverage = [
        (d, c, "missing" if (d, c) in refused else "accepted", None if (d, c) in refused else as_of, "" if (d, c) in refused else file)
        for d in (REGISTER, DIBAO, PAID)
        for c in (A, B)
    ]  # fmt: skip
    return ArchivedNight(
        as_of,
        pl.DataFrame([(n, key, people[key], key[0] != "o", cases.get(key)) for key, n in who.items()], schema=PEOPLE, orient="row"),
        pl.DataFrame(
            [(who[key], subject, *said) for (key, subject), said in sorted(answers.items())],
            schema={"who": pl.Int64, "subject": pl.String, "outcome": pl.String, "mark": pl.String},
            orient="row",
        ),
        pl.DataFrame(
            coverage,
            schema={"dataset": pl.String, "county_code": pl.String, "status": pl.String, "snapshot_date": pl.Date, "mark": pl.String},
            orient="row",
        ),
        subjects,
        {A: "示例市", B: "东川示例县"},
        {REGISTER: "持证残疾人名册", DIBAO: "低保花名册", PAID: "两项补贴发放花名册"},
        {"reconcile": version},
    )  # fmt: skip


def causes(diff: NightsDiff) -> Counter[tuple[str, str, str, str]]:
    """(subject, county, sign, cause) of everybody who moved."""
    return Counter(
        {
            (m.subject, m.county, sign, cause): counts[cause]
            for m in diff.movements
            for sign, counts in (("+", m.came), ("-", m.went))
            for cause in CAUSES
            if counts[cause]
        }
    )


MISSING, RECEIVING, OPEN, FOUND = ("missing", "5"), ("receiving", "6"), ("undetermined", "7"), ("found", "")


def test_the_same_night_twice_moves_nobody() -> None:
    same = night(OCTOBER, {"p": A}, {("p", "living"): MISSING})
    diff = compared(same, same)
    assert (diff.movements, diff.lists, diff.renewed, diff.rules, diff.programs) == ((), (), (), (), ())
    assert "两次的数目和人都相同" in page(diff)


def test_a_missing_list_takes_the_flags_and_brings_them_back() -> None:
    there = night(OCTOBER, {"p": A, "q": B}, {("p", "living"): MISSING, ("q", "living"): MISSING})
    gone = night(
        NOVEMBER, {"p": A, "q": B}, {("p", "living"): OPEN, ("q", "living"): RECEIVING}, refused=frozenset({(DIBAO, A)}), file="y"
    )  # fmt: skip
    assert causes(compared(there, gone)) == {("living", A, "-", "list"): 1, ("living", B, "-", "data"): 1}
    assert causes(compared(gone, there)) == {("living", A, "+", "list"): 1, ("living", B, "+", "data"): 1}
    text = page(compared(there, gone))
    assert "低保花名册（示例市）已采用→未到" in text


def test_a_list_of_another_subject_or_county_is_not_the_cause() -> None:
    before = night(OCTOBER, {"p": A}, {("p", "nursing"): MISSING})
    for missing in ((DIBAO, A), (PAID, B)):
        after = night(NOVEMBER, {"p": A}, {("p", "nursing"): OPEN}, refused=frozenset({missing}), file="y")
        assert causes(compared(before, after)) == {("nursing", A, "-", "data"): 1}


def test_a_list_that_is_missing_does_not_explain_who_certainly_receives() -> None:
    before = night(OCTOBER, {"p": A}, {("p", "living"): MISSING})
    after = night(NOVEMBER, {"p": A}, {("p", "living"): RECEIVING}, refused=frozenset({(DIBAO, A)}), file="y")
    assert causes(compared(before, after)) == {("living", A, "-", "data"): 1}


def test_a_finding_without_its_list_is_gone_because_of_the_list() -> None:
    before = night(OCTOBER, {"p": A, "o1": A}, {("p", "twice"): FOUND, ("o1", "twice"): FOUND})
    after = night(NOVEMBER, {"p": A}, {}, refused=frozenset({(PAID, A)}))
    # who stands on no register has not left it
    assert causes(compared(before, after)) == {("twice", A, "-", "list"): 2}


def test_who_joins_leaves_or_moves() -> None:
    before = night(OCTOBER, {"p": A, "q": A}, {("p", "living"): MISSING, ("q", "living"): MISSING})
    after = night(NOVEMBER, {"q": B, "r": A}, {("q", "living"): MISSING, ("r", "living"): MISSING})
    diff = compared(before, after)
    assert causes(diff) == {
        ("living", A, "-", "register"): 2,  # p has left, q has moved
        ("living", B, "+", "register"): 1,
        ("living", A, "+", "register"): 1,
    }
    assert [(m.county, m.before, m.after) for m in diff.movements] == [(A, 2, 1), (B, 0, 1)]


def test_a_rule_that_changed_came_or_went() -> None:
    other = {**SUBJECTS, "living": Subject("困难残疾人生活补贴", "living@2", SUBJECTS["living"].lists)}
    before = night(OCTOBER, {"p": A}, {("p", "living"): MISSING, ("p", "nursing"): MISSING})
    after = night(
        NOVEMBER, {"p": A}, {}, subjects={"living": other["living"], "twice": other["twice"]}, file="y"
    )
    diff = compared(before, after)
    assert causes(diff) == {("living", A, "-", "rule"): 1, ("nursing", A, "-", "rule"): 1}
    assert diff.rules == ("living", "nursing")
    assert "重度残疾人护理补贴 有改动" in page(diff)


def test_nothing_new_in_the_lists_leaves_the_program_or_the_calendar() -> None:
    before = night(OCTOBER, {"p": A}, {("p", "living"): MISSING})
    after = {("p", "living"): RECEIVING}
    assert causes(compared(before, night(NOVEMBER, {"p": A}, after))) == {("living", A, "-", "time"): 1}
    newer = compared(before, night(NOVEMBER, {"p": A}, after, version="2"))
    assert causes(newer) == {("living", A, "-", "code"): 1}
    assert "reconcile 1→2" in page(newer)


def test_other_files_that_say_the_same_of_the_person_are_not_the_cause() -> None:
    before = night(OCTOBER, {"p": A}, {("p", "living"): ("verify", "5")})
    after = night(NOVEMBER, {"p": A}, {("p", "living"): ("missing", "5")}, file="y", version="2")
    assert causes(compared(before, after)) == {("living", A, "+", "code"): 1}


def test_the_biggest_change_comes_first() -> None:
    people = {f"p{n}": A for n in range(4)} | {f"q{n}": B for n in range(4)}
    before = night(
        OCTOBER, people, {(f"p{n}", "nursing"): MISSING for n in range(2)} | {("q0", "living"): MISSING}
    )
    after = night(
        NOVEMBER, people, {(f"p{n}", "nursing"): MISSING for n in (2, 3)} | {(f"q{n}", "living"): MISSING for n in range(4)}
    )  # fmt: skip
    told = [(m.subject, m.county, m.change, m.moved) for m in compared(before, after).movements]
    assert told == [("living", B, 3, 3), ("nursing", A, 0, 4)]


KEYS = st.sampled_from(["p1", "p2", "p3", "p4", "o1"])
SAID = st.sampled_from([MISSING, RECEIVING, OPEN, FOUND, ("verify", "5"), ("missing", "9")])


@st.composite
def any_night(draw: st.DrawFn, as_of: date) -> ArchivedNight:
    people = draw(st.dictionaries(KEYS, st.sampled_from([A, B]), min_size=1))
    pairs = st.tuples(st.sampled_from(sorted(people)), st.sampled_from(sorted(SUBJECTS)))
    refused = draw(st.frozensets(st.tuples(st.sampled_from([DIBAO, PAID]), st.sampled_from([A, B]))))
    return night(
        as_of, people, draw(st.dictionaries(pairs, SAID)), refused=refused, file=draw(st.sampled_from("xy")),
        version=draw(st.sampled_from("12")),
        cases=draw(st.dictionaries(st.sampled_from(["p1", "p2", "p3", "p4"]), st.integers(1, 3))),
    )  # fmt: skip


def test_who_has_another_number_is_the_same_person_to_who_holds_his_case() -> None:
    """A corrected number came as one person gone and one come."""
    said = ("living", "nursing")
    before = night(OCTOBER, {"p": A, "q": A}, {("p", s): MISSING for s in said}, cases={"p": 7})
    after = night(
        NOVEMBER, {"r": A, "q": A}, {("r", "living"): MISSING, ("r", "nursing"): RECEIVING}, cases={"r": 7}, file="y"
    )  # fmt: skip
    assert causes(compared(before, after)) == {("nursing", A, "-", "data"): 1}
    assert causes(compared(after, before)) == {("nursing", A, "+", "data"): 1}
    strangers = replace(after, people=after.people.with_columns(case_person=pl.lit(8, dtype=pl.Int64)))
    assert causes(compared(before, strangers)) == {
        ("living", A, "-", "register"): 1, ("nursing", A, "-", "register"): 1, ("living", A, "+", "register"): 1
    }  # fmt: skip


def in_all(told: ArchivedNight) -> int:
    return told.answers.filter(pl.col("outcome").is_in(["missing", "found"])).height


@settings(max_examples=150, deadline=None)
@given(any_night(OCTOBER), any_night(NOVEMBER))
def test_every_change_is_the_sum_of_its_causes(before: ArchivedNight, after: ArchivedNight) -> None:
    diff = compared(before, after)
    for m in diff.movements:
        assert m.change == sum(m.came.values()) - sum(m.went.values())
        assert sum(m.went.values()) <= m.before
        assert sum(m.came.values()) <= m.after
    assert sum(m.change for m in diff.movements) == in_all(after) - in_all(before)
    back = {(m.subject, m.county): m for m in compared(after, before).movements}
    assert {place: (m.came, m.went) for place, m in back.items()} == {
        (m.subject, m.county): (m.went, m.came) for m in diff.movements
    }


def archived_world(inbox: Path, folder: Path, on: date) -> None:
    """One night of a small generated prefecture, archived in `folder`."""
    datasets, rules = load_datasets(nights.ROOT / "schemas"), load_rules(nights.ROOT / "rules")
    state = folder / f"state-{on}"
    delivered = intake.take_in(inbox, state, datasets, on, Settings())
    con = matching.connect(2.0, 0, str(state / "spill"))
    try:
        delivered = match(con, datasets, delivered)
        facts = decide(con, datasets, rules, delivered, on)
        compiled = entitlement.compile_rules(rules, facts, on)
        judged = JudgedNight(
            con, compiled, facts, delivered.coverage, county_names(delivered, Settings()), on
        )
        archive_night(folder, PersonKey(b"k" * 32), judged, delivered, {"reconcile": "1"})
    finally:
        con.close()


def test_two_nights_of_a_prefecture_the_second_without_the_payment_list(tmp_path: Path) -> None:
    inbox = nights.make_world(tmp_path / "world")
    archived_world(inbox, tmp_path, OCTOBER)
    shutil.rmtree(inbox / PAID)
    following = date(2026, 11, 1)
    archived_world(inbox, tmp_path, following)
    diff = diff_nights(tmp_path, OCTOBER, following)
    moved = {m.subject: m for m in diff.movements if m.subject in ("nursing_subsidy", "living_subsidy")}
    assert len(moved) == 2
    assert all(m.after == 0 and m.before == m.went["list"] == m.moved > 0 for m in moved.values())
    assert {change.dataset for change in diff.lists} == {PAID}
    assert all(not m.went["data"] and not m.came["data"] for m in diff.movements)
    out = tmp_path / "why.csv"
    text = diff_page(tmp_path, OCTOBER, following, out)
    assert "已采用→未到" in text
    assert "重度残疾人护理补贴" in text
    rows = list(csv.DictReader(io.StringIO(out.read_bytes().decode("utf-8-sig"))))
    assert len(rows) == len(diff.movements)
    for row in rows:
        signs = {"+": 1, "−": -1}
        split = sum(signs[name[-1]] * int(value) for name, value in row.items() if name[-1] in signs)
        assert split == int(row["增减"]) == int(row["后"]) - int(row["前"])
    with pytest.raises(ReconcileError) as refused:
        diff_page(tmp_path, OCTOBER, following, out)
    assert refused.value.problem.code == "E742"
