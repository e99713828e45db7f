"""Which letters somebody must have looked at before they leave: `reconcile approve`, bound to the hash of what was looked at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date

from pipeline.cases import Flood
from pipeline.contracts.mail_settings import Approval
from pipeline.delivery.outbox import Outbox, Posted


def rules_digest(versions: Iterable[str]) -> str:
    """One word for a whole set of rules (their versions are content hashes)."""
    return hashlib.sha256("\n".join(sorted(versions)).encode()).hexdigest()[:16]


def reasons_to_hold(
    box: Outbox,
    county: str,
    addresses: tuple[str, ...],
    floods: Iterable[Flood],
    rules: str,
    approval: Approval,
) -> tuple[str, ...]:
    """In words. Nothing was ever sent to anybody: then neither recipients nor rules have changed."""
    reasons = []
    flooded = [flood for flood in floods if flood.what == county or flood.what.startswith("rule:")]
    if flooded:
        reasons.append("新增疑点异常多，待批准")
    if any(x.kind == "report" and x.state == "sent" for x in box.letters.values()):
        reasons += _other_recipients(box, county, frozenset(addresses))
        if box.rules and box.rules != rules:
            reasons.append("上次发送以后规则有改动")
    if approval.always:
        reasons.append("设置要求每期批准")
    return tuple(reasons)


def _other_recipients(box: Outbox, county: str, addresses: frozenset[str]) -> list[str]:
    """Held against the newest batch of which somebody accepted a report or a person approved one. Who accepted last must be there again;
    beside them only who was approved, or was written to on the same night and merely is not reached yet. An address that refused
    the report and was corrected since is no recipient."""
    own = [x for x in box.letters.values() if x.place == county and x.kind == "report"]
    known = [x for x in own if x.state == "sent" or (x.approved and not x.anew)]
    if not known:
        return ["第一次给该县发信"]
    batch = max((x.on, x.batch) for x in known)[1]
    accepted = _who_must_be_there(known, addresses)
    known = [x for x in known if x.batch == batch]
    nights = {x.on for x in known}
    beside = [x for x in own if x.batch == batch and x.on in nights]
    may_be = {x.to for x in (*known, *beside) if not x.never_approved}
    return [] if accepted <= addresses <= may_be else ["收件人有变动"]


def _who_must_be_there(known: list[Posted], addresses: frozenset[str]) -> set[str]:
    """Who accepted in the newest batch in which anybody did; nobody, where exactly these addresses were approved together since: a
    person has seen who is left out. That all refused what was approved makes nobody who accepted before a stranger."""
    sent = [x for x in known if x.state == "sent"]
    if not sent:
        return set()
    batch = max((x.on, x.batch) for x in sent)[1]
    accepted = [x for x in sent if x.batch == batch]
    since = max(x.on for x in accepted)
    together: dict[tuple[str, date], set[str]] = {}
    for x in known:
        if x.approved and x.batch != batch and x.on > since:
            together.setdefault((x.batch, x.on), set()).add(x.to)
    return set() if addresses in together.values() else {x.to for x in accepted}


def batch_hash(letters: Iterable[Posted]) -> str:
    """What an approval is bound to: every held letter, its address and the hash of its bytes."""
    told = sorted((x.letter_id, x.to, x.sha256, list(x.reasons)) for x in letters)
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def held_batches(box: Outbox) -> Mapping[str, list[Posted]]:
    """Held letters by the night that made them, oldest first; not those that a person holds by hand (he took them out)."""
    found: dict[str, list[Posted]] = {}
    for letter in sorted(box.in_state("held"), key=lambda one: (one.on, one.letter_id)):
        if not letter.by_hand_held:
            found.setdefault(letter.batch, []).append(letter)
    return found
