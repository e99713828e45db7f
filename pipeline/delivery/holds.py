"""Which letters somebody must have looked at before they leave: `reconcile approve`, bound to the hash of what was looked at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

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
    gone = [x for x in box.letters.values() if x.kind == "report" and x.state == "sent"]
    if gone:
        batch = max((x.on, x.batch) for x in gone if x.place == county)[1] if _ever(gone, county) else ""
        before = {
            x.to
            for x in box.letters.values()
            if x.place == county and x.batch == batch and x.kind == "report" and not x.never_approved
        }
        if before != set(addresses):
            reasons.append("收件人有变动" if before else "第一次给该县发信")
        if box.rules and box.rules != rules:
            reasons.append("上次发送以后规则有改动")
    if approval.always:
        reasons.append("设置要求每期批准")
    return tuple(reasons)


def _ever(gone: Iterable[Posted], county: str) -> bool:
    return any(letter.place == county for letter in gone)


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
