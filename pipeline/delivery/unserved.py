"""Which counties the current period has not reached, and that the next night can reach: their report is made up then.

Its letter could not be made (no password, no recipient, too large), was refused and there is another recipient now, waits for
somebody since an earlier day, or was put off by the server for several nights: what then leaves must give the county its workdays
to answer. Nobody to whom it went, or may have gone, is written to again, nor who is being tried and still has the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pipeline.contracts.settings import Settings
from pipeline.delivery.outbox import EVERY_COUNTY, Outbox, Posted
from pipeline.delivery.period import BY_HAND, Period, calendar

_REACHED = ("sent", "doubtful", "claimed")
_DEAD = ("refused", "given_up")
_WAITS = ("queued", "later", "held")
_MAY_BE_LOST = 2  # workdays to answer, of a letter that the server puts off


def unserved(box: Outbox, period: Period, settings: Settings, as_of: date) -> dict[str, tuple[str, ...]]:
    """By county the addresses that get the period's report made up tonight; the same when the night is run again."""
    if period.why == BY_HAND or as_of <= period.on:
        return {}
    batch = [x for x in box.letters.values() if x.kind == "report" and x.batch == period.key]
    handed = {place for on, place in box.handed if on >= period.on}
    if handed & {"", EVERY_COUNTY}:  # "": an event of an older program, which does not say whose
        return {}
    found = {
        county: _to([x for x in batch if x.place == county and not x.anew], addresses, settings, as_of)
        for county, addresses in sorted(settings.recipients.items())
        if county not in handed
    }
    return {county: addresses for county, addresses in found.items() if addresses}


def _to(
    own: Sequence[Posted], addresses: tuple[str, ...], settings: Settings, as_of: date
) -> tuple[str, ...]:
    """`own`: the county's letters of the period. () where it is served, is being served, or nothing has changed."""
    tonight = {x.to for x in own if x.on == as_of and x.state != "withdrawn"}
    if tonight:
        return tuple(to for to in addresses if to in tonight)
    if any(x.state in _REACHED for x in own):
        return ()
    if not all(_is_stale(x, settings, as_of) for x in own if x.state in _WAITS):
        return ()  # also one to an address that is gone from the settings: that is told (E822), and somebody withdraws it
    dead = {x.to for x in own if x.state in _DEAD}
    return tuple(to for to in addresses if to not in dead)


def _is_stale(letter: Posted, settings: Settings, as_of: date) -> bool:
    """Whether it has to be made anew before it may leave. What waits for a person never leaves as it is: he will look at it on a
    later day anyhow. What was approved, or was only stopped, leaves as it is unless too few workdays are left to answer; what the
    server has put off, on the night of its next try, unless more than a few are lost (an approval of every period counts more).
    What was in doubt once keeps its Message-ID: a server that has it after all can know it."""
    if letter.maybe_gone or (letter.next_on is not None and letter.next_on > as_of):
        return False
    if letter.state == "held":
        return True
    due_on, whole = letter.cargo.due_on, settings.period.workdays_to_answer
    if due_on is None:
        return False
    left = calendar(settings.period).between(as_of, due_on)
    if letter.tried and not settings.approval.always:
        return as_of >= due_on or whole - left > _MAY_BE_LOST
    return as_of >= due_on or 2 * left < whole
