"""Reports of the current period that were withdrawn to be made once more (`outbox withdraw`, `person erase`), or that have not
reached a county (`unserved`): which, and to whom.

A report is made on its period's night only. What is made anew is made on the next night, whatever day that is, as the period's
report, from that night's tables, with workdays to answer from then on, under a name of its own: other bytes must not bear an old
Message-ID.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from pipeline.cases import Book, Ledger
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.settings import Settings
from pipeline.delivery.cargo import asked_in_period
from pipeline.delivery.letter import Letter
from pipeline.delivery.outbox import Outbox, Posted, withdrawals
from pipeline.delivery.period import Period, calendar
from pipeline.delivery.plan import MailPlan
from pipeline.delivery.unserved import unserved
from pipeline.reports import NightForReports

MAY_BE_WITHDRAWN = ("queued", "later", "held", "refused", "given_up")


@dataclass(frozen=True)
class AnewPlan(MailPlan):
    """`recipients`: by county the addresses whose letter is to be made; `round`: the number in tonight's names, see `_round`."""

    recipients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    round: int = 1

    @property
    def key(self) -> str:
        return f"{super().key}r{self.round}"

    def key_of(self, place: str, to: str) -> str:
        """A letter of tonight that was not withdrawn keeps its name: run again, the night sends it no second time."""
        mine = [x for x in self.box.letters.values() if (x.kind, x.place, x.to) == ("report", place, to)]
        tonight = [x for x in mine if x.on == self.as_of and x.state != "withdrawn"]
        return tonight[-1].letter_id.partition("-")[0] if tonight else self.key

    def to_print(self, night: NightForReports) -> NightForReports:
        """The night as the reports of these counties print it, and of no other county. `night`: as the letters see it."""
        here = pl.col("county_code").is_in(list(self.recipients))
        counties = {code: name for code, name in night.counties.items() if code in self.recipients}
        return replace(
            night,
            counties=counties,
            outcomes=night.outcomes.filter(here),
            findings=night.findings.filter(here),
        )

    def to_mail(self, night: NightForReports, cases: pl.DataFrame) -> NightForReports:
        """The night as these letters see it: on their period, to these counties. `cases`: the case table before any letter goes.

        To all addresses of a county: whether its recipients have changed is asked of the whole list. `goes` says which are kept.
        """
        named = {county: night.settings.recipients[county] for county in self.recipients}
        only = {"recipients": named, "departments": {}}
        return replace(
            night, cases=self.told(cases), period=self.period, settings=night.settings.model_copy(update=only)
        )

    def goes(self, letter: Letter) -> bool:
        """Whether the letter's address is one that has none of this period."""
        return letter.to in self.recipients.get(letter.place, ())


def plan_anew(book: Book, plan: MailPlan, settings: Settings) -> AnewPlan | None:
    """None where nothing is to be made anew, or a new period goes tonight: then its reports take their place."""
    box = plan.box
    if not box.periods or (plan.period is not None and plan.period.key != box.periods[-1].key):
        return None
    period = box.periods[-1]
    batch = [x for x in box.letters.values() if x.kind == "report" and x.batch == period.key]
    gone = [letter for letter in batch if letter.anew]
    recipients = unserved(box, period, settings, plan.as_of) | {
        county: to
        for county in sorted({letter.place for letter in gone})
        if (to := _wanting(county, batch, settings, only_known=plan.period is not None))
    }
    if not recipients:
        return None
    if (
        plan.as_of > period.on
    ):  # nobody can answer by a day that is over, or in fewer days than the others had
        due_on = calendar(settings.period).after(plan.as_of, settings.period.workdays_to_answer)
        period = replace(period, due_on=due_on)
    before = max((one.on for one in box.periods if one.on < period.on), default=None)
    asked = asked_in_period(book, period, before, plan.as_of)
    cargo = {county: asked[county] for county in recipients if county in asked}
    return AnewPlan(plan.as_of, box, period, cargo, recipients, _round(period, batch, plan.as_of))


def _round(period: Period, batch: Sequence[Posted], as_of: date) -> int:
    """One more than any of the period's letters bears that are not tonight's living ones: whatever became of a letter (put off,
    withdrawn, handed over), its name is never given to other bytes. The same again when the night is run again."""
    named = re.compile(rf"{re.escape(period.key)}r([0-9]+)-")
    others = [x for x in batch if x.on != as_of or x.state == "withdrawn"]
    rounds = [int(found[1]) for x in others if (found := named.match(x.letter_id))]
    return max(rounds, default=0) + 1


def _wanting(
    county: str, batch: Sequence[Posted], settings: Settings, *, only_known: bool
) -> tuple[str, ...]:
    """Addresses of the county that have no living letter of the period. `only_known`: on the period's own night the others get
    theirs as everybody does."""
    living = {x.to for x in batch if x.place == county and x.state != "withdrawn"}
    known = {x.to for x in batch if x.place == county and x.anew}
    wanted = settings.recipients.get(county, ())
    return tuple(to for to in wanted if to not in living and (to in known or not only_known))


def without(plan: MailPlan, anew: AnewPlan | None) -> MailPlan:
    """Between the periods a county whose report is made anew gets no notice beside it: the report says all that."""
    if anew is None or plan.period is not None:
        return plan
    return replace(plan, cargo={c: cargo for c, cargo in plan.cargo.items() if c not in anew.recipients})


def withdraw(
    ledger: Ledger, box: Outbox, letters: Sequence[Posted], why: str, who: str, on: date
) -> Sequence[Posted]:
    """Takes letters out of the outbox so that the next night makes them anew; recorded with who and why.

    Raises ReconcileError E827 for one that went, may have gone, or is withdrawn already: nothing is changed then.
    """
    if any(letter.state not in MAY_BE_WITHDRAWN for letter in letters):
        cure = "先 `reconcile outbox list`；不知是否发到的先问对方，没有收到用 `reconcile outbox retry <信> --again --reason …`"
        raise ReconcileError(
            Problem("E827", "error", "不能撤回", "已发出、可能已发出或已撤回的邮件撤不回来", cure)
        )
    events = withdrawals(letters, on, why, who, anew=True)
    with ledger.transaction():
        ledger.append(events)
    for event in events:
        box.apply(event)
    return letters
