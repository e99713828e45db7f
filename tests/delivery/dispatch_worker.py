"""One night's dispatch in a process of its own, to be killed: python dispatch_worker.py STATE PORT CA NIGHT."""

from __future__ import annotations

import sys
import time
from datetime import date, timedelta
from pathlib import Path

from pipeline.cases import open_ledger, read_book
from pipeline.contracts.mail_settings import Mail
from pipeline.contracts.settings import Settings
from pipeline.delivery.courier import Courier
from pipeline.delivery.dispatch import dispatch, recover
from pipeline.delivery.journal import Journal
from pipeline.delivery.outbox import read_outbox

FIRST = date(2026, 11, 5)
COUNTY = "533423"


def settings(port: int, ca: str, letters: int) -> Settings:
    mail = Mail(
        host="localhost", port=port, ca_file=ca, sender="hedui@example.gov.cn", allowed_domains=("example.gov.cn",),
        timeout_seconds=1, tries_a_night=2, minutes_between_tries=0, nights=200,
    )  # fmt: skip
    return Settings(mail=mail, recipients={COUNTY: tuple(address(n) for n in range(letters))})


def address(number: int) -> str:
    return f"r{number}@example.gov.cn"


def night(state: Path, port: int, ca: str, number: int, letters: int) -> None:
    as_of = FIRST + timedelta(days=5 * number)
    own = settings(port, ca, letters)
    with open_ledger(state) as ledger:
        book, box = read_book(ledger.events()), read_outbox(ledger)
        recover(ledger, book, box, Journal(state), as_of)
        dispatch(ledger, book, box, state, own, as_of, lambda: Courier(own.mail, None, state), time.sleep)


if __name__ == "__main__":
    night(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
