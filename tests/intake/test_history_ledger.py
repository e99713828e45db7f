"""Whole nights with the ledger: held, looked at, accepted by hand with the command, taken at the next run."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import deliveries as d
import pytest
from months import DECEMBER, DIBAO, INSURED, NOVEMBER, OCTOBER, REGISTER, Months, statuses
from typer.testing import CliRunner

from pipeline.cases import Event, open_ledger
from pipeline.cases.list_history import list_events, list_history, register_events
from pipeline.cli_lists import lists_app
from pipeline.contracts.delivered import Intake
from pipeline.contracts.list_history import RegisterHeld
from pipeline.contracts.settings import Settings
from pipeline.intake.take_in import take_in


class Office(Months):
    """The same months, remembered by the ledger."""

    def run(self, day: date) -> tuple[Intake, list[Event]]:
        with open_ledger(self.state) as ledger:
            history = list_history(ledger, day)
            try:
                intake = take_in(self.inbox, self.state, d.DATASETS, day, Settings(), history)
            except RegisterHeld as refused:
                with ledger.transaction():
                    ledger.append(register_events(ledger, day, refused))
                raise
            events = list_events(ledger, intake)
            with ledger.transaction():
                ledger.append(events)
        return intake, events

    def accept(self, dataset: str, county: str) -> None:
        words = ["accept", dataset, county, "--reason", "已核实", "--state", str(self.state)]
        done = CliRunner().invoke(lists_app, words)
        assert done.exit_code == 0, done.output


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.put(OCTOBER, REGISTER, d.register_rows(400))
    office.put(OCTOBER, DIBAO, d.dibao_rows(0, 250), "539901")
    office.put(OCTOBER, INSURED, d.insured_rows(300))
    office.run(OCTOBER)
    return office


def test_held_looked_at_and_taken(office: Office) -> None:
    office.put(NOVEMBER, DIBAO, d.dibao_rows(0, 75), "539901")
    assert statuses(office.run(NOVEMBER)[0], DIBAO)["539901"] == "quarantined"
    office.accept(DIBAO, "539901")
    intake, events = office.run(NOVEMBER)
    assert statuses(intake, DIBAO)["539901"] == "accepted"
    assert [(e.kind, e.body["rows"]) for e in events] == [("accepted", 75)]
    office.put(DECEMBER, DIBAO, d.dibao_rows(0, 80), "539901")  # November's is the measure now
    assert statuses(office.run(DECEMBER)[0], DIBAO)["539901"] == "accepted"


def test_the_same_night_again_adds_nothing_and_says_the_same(office: Office) -> None:
    rows = d.insured_rows(300)
    office.put(NOVEMBER, INSURED, [rows[0], *rows[1::2]])
    office.put(NOVEMBER, DIBAO, d.dibao_rows(0, 260), "539901")
    first, events = office.run(NOVEMBER)
    assert {e.body["dataset"] for e in events} == {INSURED, DIBAO}
    for _ in range(2):
        again, more = office.run(NOVEMBER)
        assert more == []
        assert again.coverage.equals(first.coverage)
        assert (again.problems, again.accepted, again.held) == (first.problems, first.accepted, first.held)
    later, more = office.run(DECEMBER)
    assert more == []
    assert statuses(later, INSURED) == {"539901": "accepted", "539902": "quarantined"}
    office.accept(INSURED, "539902")
    assert set(statuses(office.run(DECEMBER)[0], INSURED).values()) == {"accepted"}


def test_a_register_is_taken_after_a_look(office: Office) -> None:
    office.put(NOVEMBER, REGISTER, d.register_rows(190))
    for _ in range(2):
        with pytest.raises(RegisterHeld):
            office.run(NOVEMBER)
    office.accept(REGISTER, "all")
    assert office.run(NOVEMBER)[0].snapshots
