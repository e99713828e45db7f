"""The night's mail: letters made, checked on their final bytes, kept, put into the outbox in one transaction, then sent.

Nothing is in the outbox that was not checked, and one letter that fails the check stops all mail of the night. Without `--send`
the same letters are written into a folder instead.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipeline.access_log import os_user
from pipeline.cases import Book, Event, Ledger
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.settings import Settings
from pipeline.delivery.courier import Courier
from pipeline.delivery.dispatch import Sender, Tally, dispatch, recover
from pipeline.delivery.egress import check
from pipeline.delivery.journal import Journal
from pipeline.delivery.letter import Letter
from pipeline.delivery.letters import Made, night_letters
from pipeline.delivery.outbox import WAITING, Outbox, Posted, queued, read_outbox, withdrawn
from pipeline.delivery.places import keep_letter
from pipeline.delivery.plan import MailPlan
from pipeline.delivery.secrets import Secrets, load_secrets
from pipeline.reports import NightForReports

MAIL_INCOMPLETE, EGRESS = 6, 8
DRY_RUN = "mail"  # folder of the output where a dry run leaves its letters


@dataclass(frozen=True)
class Post:
    """What the mail of a night needs to know besides the night. `courier` None: a dry run."""

    state: Path
    out: Path
    secrets: Secrets
    by: str  # who runs the night
    courier: Callable[[], AbstractContextManager[Sender]] | None


@dataclass
class Mailed:
    """What became of the night's mail. `folder`: of a dry run."""

    letters: int = 0
    held: list[Posted] = field(default_factory=list)
    paused: int = 0  # by a person (`outbox hold`)
    tally: Tally = field(default_factory=Tally)
    problems: list[Problem] = field(default_factory=list)
    blocked: bool = False
    folder: Path | None = None

    @property
    def exit_code(self) -> int:
        """0 where nothing is wanting; held letters are told by the night."""
        if self.blocked:
            return EGRESS
        incomplete = self.tally.incomplete or any(p.severity == "error" for p in self.problems)
        return MAIL_INCOMPLETE if incomplete else 0

    def counts(self) -> dict[str, int]:
        """For run.json: letters made, held, and by what became of them."""
        fates = {fate: count for fate, count in sorted(self.tally.fates.items()) if count}
        paused = {"paused": self.paused} if self.paused else {}
        return {"made": self.letters, "held": len(self.held), **paused, **fates}

    def lines(self) -> list[str]:
        """For the screen."""
        if self.blocked:
            return ["邮件  出门检查没有通过，本夜一封都没有发出（退出码 8）；原因见上面的问题和 run.json"]
        if self.folder is not None:
            return [f"邮件  试写 {self.letters} 封到 {self.folder.name}/（没有发送；发送要加 --send）"]
        words = [f"{_FATES[fate]} {count}" for fate, count in self.tally.fates.items() if count]
        lines = [f"邮件  {'，'.join(words)}"] if words else []
        if self.tally.stopped:
            lines.append("邮件  状态文件夹里有 STOP_MAIL，没有再发")
        if self.held:
            lines.append(
                f"邮件  {len(self.held)} 封待批准：先看 reconcile approve，再 reconcile approve <批号> --reason …"
            )
        if self.paused:
            lines.append(f"邮件  {self.paused} 封由人暂停着：核对后 reconcile outbox release <信> --reason …")
        return lines


_FATES = {
    "sent": "已发", "later": "稍后再试", "refused": "被拒收", "doubtful": "不知是否发到", "given_up": "多次未成，不再试",
}  # fmt: skip


def post_office(settings: Settings, config: Path | None, state: Path, out: Path, *, send: bool) -> Post:
    """Ready for the night. Raises ReconcileError E812 where sending is asked for and cannot be, E801, E802 (secrets)."""
    folder = config.parent if config else Path()
    secrets = load_secrets(folder / settings.mail.secrets)
    if not send:
        return Post(state, out, secrets, os_user(), None)
    if not settings.mail.host or not (settings.recipients or settings.departments):
        why = "没有写发信的服务器" if not settings.mail.host else "没有写任何收件人"
        cure = "在 reconcile.toml 的 [mail]、[recipients] 里写好，或去掉 --send"
        raise ReconcileError(Problem("E812", "error", "不能发送", why, cure))
    return Post(state, out, secrets, os_user(), lambda: Courier(settings.mail, secrets.smtp_password, folder))


def recover_letters(ledger: Ledger, book: Book, state: Path, as_of: date) -> int:
    """Before anything else: what a killed run left claimed. How many letters."""
    return recover(ledger, book, read_outbox(ledger), Journal(state), as_of)


def deliver(ledger: Ledger, book: Book, plan: MailPlan, night: NightForReports, post: Post) -> Mailed:
    """Raises ReconcileError E821 (exit 8), and as Ledger."""
    mailed = Mailed()
    _forget_dry_run(post.out)
    made = night_letters(ledger, plan, night, post.out, post.secrets, mailed.problems)
    mailed.problems += _stopped_by_check(made, night, post.secrets)
    mailed.blocked = any(problem.code == "E823" for problem in mailed.problems)
    mailed.letters = len(made)
    if mailed.blocked:
        return mailed
    if post.courier is None:
        mailed.folder = _write(made, post.out)
        return mailed
    _queue(ledger, plan, made, post)
    recover(
        ledger, book, plan.box, Journal(post.state), plan.as_of
    )  # a restored ledger does not know what went
    mailed.tally = dispatch(
        ledger, book, plan.box, post.state, night.settings, plan.as_of, post.courier, time.sleep
    )
    mailed.problems += mailed.tally.problems
    waiting = plan.box.in_state("held")
    mailed.held = [letter for letter in waiting if not letter.by_hand_held]
    mailed.paused = len(waiting) - len(mailed.held)
    return mailed


def _stopped_by_check(made: Sequence[Made], night: NightForReports, secrets: Secrets) -> list[Problem]:
    """E823 for every letter whose final bytes are not what they must be."""
    found = []
    for one in made:
        password = secrets.county_passwords.get(one.letter.place)
        reasons = check(one.message, one.letter.to, one.expected, night.settings, password)
        if reasons:
            cure = "不要手工转发这些文件；查明原因（见 docs/operations.md“出门检查”）后重跑当夜"
            why = "；".join(reasons[:3])
            county = one.letter.place if one.letter.kind in ("report", "notice") else ""
            found.append(Problem("E823", "error", "邮件没有通过出门检查", why, cure, county=county))
    return found


def _write(made: Sequence[Made], out: Path) -> Path | None:
    """The letters of a dry run: .eml, and their attachments beside for whoever wants to look."""
    folder = out / DRY_RUN
    if not made:
        return None
    for one in made:
        own = folder / one.letter.place / one.letter.letter_id
        own.mkdir(parents=True)
        (own / "letter.eml").write_bytes(one.message)
        for attachment in one.letter.attachments:
            (own / attachment.plain_name).write_bytes(attachment.data)
    return folder


def _forget_dry_run(out: Path) -> None:
    """The letters of an earlier night's dry run are people's data, and nobody's letters any more."""
    folder = out / DRY_RUN
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)


def _queue(ledger: Ledger, plan: MailPlan, made: Sequence[Made], post: Post) -> None:
    """The period and the letters, kept and in the outbox; older ones that never went and say less are withdrawn.

    What a person holds stays held when a newer letter takes its place: only he knows why it must not go.
    """
    box = plan.box
    events: list[Event] = []
    if plan.period is not None and plan.period.key not in {period.key for period in box.periods}:
        events.append(plan.period.event())
    for one in made:
        known, older = box.letters.get(one.letter.letter_id), _older(box, one.letter)
        if not _is_new(known, one):
            continue  # the same night again
        events += [withdrawn(letter, plan.as_of, "有了更新的一封") for letter in older]
        paused = {why: None for letter in (*older, *([known] if known else ())) for why in letter.paused_for}
        sha256 = keep_letter(post.state, f"{one.letter.letter_id}.eml", one.message)
        about = {"batch": plan.key, "by": post.by, "about": one.about, "rules": one.rules}
        events.append(queued(one.letter, sha256, cargo=one.cargo, reasons=(*one.reasons, *paused), **about))
    if events:
        with ledger.transaction():
            ledger.append(events)
        for event in events:
            box.apply(event)


def _is_new(known: Posted | None, one: Made) -> bool:
    """Not known, or known with other words and never tried."""
    if known is None:
        return True
    return known.about != one.about and not known.tried and known.state in ("queued", "held")


def _older(box: Outbox, letter: Letter) -> list[Posted]:
    """Letters that the letter takes the place of. A report also tells what a notice was to tell."""
    waiting = [x for x in box.in_state(*WAITING, "held") if (x.place, x.to) == (letter.place, letter.to)]
    told = [x for x in waiting if letter.kind == "report" and x.kind == "notice" and not x.paused_for]
    return [*(x for x in waiting if x.kind == letter.kind and x.letter_id != letter.letter_id), *told]
