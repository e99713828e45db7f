"""A year of nights: lists withheld, people moving, corrected numbers, answers, rules that go; the invariants hold after each.

`LEDGER_YEARS` sets how many years are tried (default 3).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from made_nights import BENEFITS, SUBJECTS, Made, tonight

from pipeline.cases import Case, Event, open_ledger, read_book, record_night
from pipeline.cases.case_number import read as read_number
from pipeline.cases.case_state import OVER

PEOPLE = 6
FLAGGED = ("missing", "renew_first", "receiving_not_due", "verify", "found")
STATES = {"open", "sent", "answered", "settled", "closed"}


def said_of(subject: str) -> st.SearchStrategy[str]:
    benefit = st.sampled_from(
        ["missing", "missing", "receiving", "verify", "undetermined", "renew_first", ""]
    )
    return benefit if subject in BENEFITS else st.sampled_from(["found", "found", ""])


class Year(RuleBasedStateMachine):
    cases = Bundle("cases")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.stack = ExitStack()
        self.ledger = self.stack.enter_context(open_ledger(self.folder))
        self.today = date(2026, 1, 1)
        self.people = [
            Made(f"53990119{60 + n}0317{100 + n * 7}{n}", f"53990119{60 + n}0317{100 + n * 7}{n}43", f"甲{n}",
                 birth_date=date(1960 + n, 3, 17))
            for n in range(PEOPLE)
        ]  # fmt: skip
        self.rules = SUBJECTS
        self.numbers: dict[tuple[int, str], str] = {}  # true person, subject
        self.before: dict[str, Case] = {}

    def teardown(self) -> None:
        self.stack.close()
        shutil.rmtree(self.folder)

    @initialize(data=st.data())
    def first(self, data: st.DataObject) -> None:
        for one in self.people:
            one.said = {subject: data.draw(said_of(subject)) for subject in SUBJECTS}
        self.night(frozenset(), True, 0)

    @rule(who=st.integers(0, PEOPLE - 1), subject=st.sampled_from(SUBJECTS), data=st.data())
    def the_data_change(self, who: int, subject: str, data: st.DataObject) -> None:
        self.people[who].said[subject] = data.draw(said_of(subject))
        self.people[who].facts = data.draw(st.sampled_from("abc"))

    @rule(who=st.integers(0, PEOPLE - 1), what=st.sampled_from(["grade", "move", "name", "leave", "return"]))
    def a_person_changes(self, who: int, what: str) -> None:
        one = self.people[who]
        if what == "grade":
            one.certificate_number = one.id_number + ("42" if one.certificate_number.endswith("43") else "43")
        elif what == "move":
            one.county = "539902" if one.county == "539901" else "539901"
        elif what == "name":
            one.name += "某"
        else:
            one.there = what == "return"

    @rule(subject=st.sampled_from(SUBJECTS))
    def a_rule_goes_or_comes(self, subject: str) -> None:
        rules = set(self.rules) ^ {subject}
        self.rules = tuple(sorted(rules)) or SUBJECTS

    @rule(pick=st.integers(0, 50), kind=st.sampled_from(["sent", "no", "yes", "unclear"]))
    def something_comes_back(self, pick: int, kind: str) -> None:
        numbers = sorted(self.before)
        if not numbers:
            return
        case = self.before[numbers[pick % len(numbers)]]
        if kind == "sent" and case.state in ("settled", "closed"):
            return
        bodies: dict[str, tuple[str, dict[str, str]]] = {
            "sent": ("sent", {"period": f"{self.today:%Y-%m}", "due_on": str(self.today + timedelta(10))}),
            "no": ("answered", {"result": "不属实", "reason": "特困供养"}),
            "yes": ("answered", {"result": "属实", "measure": "已纳入"}),
            "unclear": ("answered", {"result": "无法核实"}),
        }
        with self.ledger.transaction():
            self.ledger.append([Event(self.today, bodies[kind][0], case.number, bodies[kind][1])])
        self.before = dict(read_book(self.ledger.events()).cases)

    @rule(missing=st.frozensets(st.sampled_from(SUBJECTS)), register=st.booleans(), days=st.integers(0, 40))
    def night(self, missing: frozenset[str], register: bool, days: int) -> None:
        self.today += timedelta(days)
        judged = tonight(self.today, self.people, missing=missing, register=register, rules=self.rules)
        recorded = record_night(self.ledger, judged)
        head = self.ledger.head()
        again = record_night(self.ledger, judged)
        assert (again.book, self.ledger.head()) == (recorded.book, head)  # the same night changes nothing
        for number, case in recorded.book.cases.items():
            self._moved_lawfully(self.before.get(number), case, missing, register)
        for row, one in enumerate(self.people, 1):
            if one.there:
                self._every_flag_has_its_case(row, one, recorded.book.cases, recorded.rows, missing)
        self.before = dict(recorded.book.cases)

    def _moved_lawfully(
        self, before: Case | None, case: Case, missing: frozenset[str], register: bool
    ) -> None:
        if before is None:
            assert case.subject not in missing  # nothing opens for want of a list
            return
        assert (case.number, case.person, case.subject, case.first_seen) == (
            before.number, before.person, before.subject, before.first_seen,
        )  # fmt: skip
        assert case.days_open(self.today) >= before.days
        if before.state in OVER and case.state not in OVER:
            assert case.kind != "verify"  # no flapping
        if case.subject in missing and case.subject in self.rules and (register or case.why != "absent"):
            gone = case.why == "absent" and register
            assert gone or case.state == before.state  # and nothing closes
            if before.seen_since is None and not gone:
                assert case.days_open(self.today) == before.days_open(self.today)  # nor ages

    def _every_flag_has_its_case(
        self, row: int, one: Made, cases: dict[str, Case], rows: dict[int, int], missing: frozenset[str]
    ) -> None:
        for subject in self.rules:
            if subject in missing or one.said.get(subject) not in FLAGGED:
                continue
            found = [c for c in cases.values() if c.subject == subject and rows.get(c.person) == row]
            assert len(found) == 1
            assert self.numbers.setdefault((row, subject), found[0].number) == found[0].number
            if one.said[subject] != "verify":
                assert found[0].state in ("open", "sent", "answered")
                assert found[0].seen_since is not None

    @invariant()
    def numbers_are_unique_and_readable(self) -> None:
        assert all(read_number(number) == number for number in self.before)
        assert len({(c.person, c.subject) for c in self.before.values()}) == len(self.before)
        assert {c.state for c in self.before.values()} <= STATES


TestYear = Year.TestCase
TestYear.settings = settings(
    max_examples=int(os.environ.get("LEDGER_YEARS", "3")),
    stateful_step_count=365,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to make a failing year short takes minutes
    suppress_health_check=list(HealthCheck),
)
