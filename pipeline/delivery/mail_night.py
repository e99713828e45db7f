"""The night's mail: letters made, checked on their final bytes, kept, put into the outbox in one transaction, then sent.

Nothing is in the outbox that was not checked, and one letter that fails the check stops all mail of the night. Without `--send`
the same letters are written into a folder instead.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipeline.access_log import acting_person
from pipeline.cases import Book, Event, Ledger
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.settings import Settings
from pipeline.delivery.anew import AnewPlan
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
from pipeline.delivery.standing import (
    place_words,
    places_words,
    standing,
    standing_lines,
    standing_places,
)
from pipeline.reports import NightForReports

MAIL_INCOMPLETE, EGRESS = 6, 8
_STOPS = (
    "E821",
    "E823",
)  # a letter is not what it must be: no mail goes. Other errors: a county's letter could not be made
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
    standing: list[Posted] = field(default_factory=list)  # of this night and of earlier ones

    @property
    def exit_code(self) -> int:
        """0 where nothing is wanting; held letters are told by the night. A dry run says what stands, and sends nothing anyhow."""
        if self.blocked:
            return EGRESS
        incomplete = self.tally.incomplete or any(p.severity == "error" for p in self.problems)
        standing = self.standing and self.folder is None
        return MAIL_INCOMPLETE if incomplete or standing else 0

    def counts(self) -> dict[str, int]:
        """For run.json: letters made, held, by what became of them, and those that could not be made."""
        fates = Counter({fate: count for fate, count in self.tally.fates.items() if count})
        fates |= Counter(letter.state for letter in self.standing)
        fates |= Counter({fate: len(places) for fate, places in self._troubled().items()})
        paused = {"paused": self.paused} if self.paused else {}
        return {"made": self.letters, "held": len(self.held), **paused, **dict(sorted(fates.items()))}

    def places(self) -> dict[str, tuple[str, ...]]:
        """By fate the counties and departments whose mail has not reached them; for run.json and the heartbeat."""
        held = {"held": tuple(sorted({letter.place for letter in self.held}))} if self.held else {}
        return {**held, **standing_places(self.standing), **self._troubled()}

    def _troubled(self) -> dict[str, tuple[str, ...]]:
        found = {
            "stopped": {p.county for p in self.problems if p.code in _STOPS and p.county},
            "unaddressed": {p.county for p in self.problems if p.code == "E822"},
            "unmade": {
                p.county for p in self.problems if p.severity == "error" and p.county and p.code not in _STOPS
            },
        }
        return {fate: tuple(sorted(places)) for fate, places in found.items() if places}

    def lines(self) -> list[str]:
        """For the screen."""
        stuck = standing_lines(self.standing)
        if self.blocked:
            return [*self._blocked_lines(), *stuck]
        if self.folder is not None:
            return [
                f"邮件  试写 {self.letters} 封到 {self.folder.name}/（没有发送；发送要加 --send）",
                *stuck,
            ]
        words = [f"{_FATES[fate]} {count}" for fate, count in self.tally.fates.items() if count]
        lines = [f"邮件  {'，'.join(words)}"] if words else []
        lines += stuck
        if self.tally.stopped:
            lines.append("邮件  状态文件夹里有 STOP_MAIL，没有再发")
        if self.held:
            lines.append(
                f"邮件  {len(self.held)} 封待批准：先看 reconcile approve，再 reconcile approve <批号> --reason …"
            )
        if self.paused:
            lines.append(f"邮件  {self.paused} 封由人暂停着：核对后 reconcile outbox release <信> --reason …")
        return lines

    def _blocked_lines(self) -> list[str]:
        """Whose letter it was, and the cure in full: the list of problems above is cut short where there are many."""
        stopped = [problem for problem in self.problems if problem.code in _STOPS]
        where = places_words(problem.county for problem in stopped if problem.county)
        sent = self.tally.fates["sent"]
        gone = f"此前已发 {sent} 封，其余没有发出" if sent else "本夜一封都没有发出"
        said = f"邮件  出门检查没有通过{f'：{where}' if where else ''}，{gone}（退出码 8）；原因见上面的问题和 run.json"
        return [said, *(f"邮件  {problem.line()}" for problem in stopped if problem.code == "E821")]


_FATES = {
    "sent": "已发", "later": "稍后再试", "refused": "被拒收", "doubtful": "不知是否发到", "given_up": "多次未成，不再试",
}  # fmt: skip


def post_office(settings: Settings, config: Path | None, state: Path, out: Path, *, send: bool) -> Post:
    """Ready for the night. Raises ReconcileError E812 where sending is asked for and cannot be, E801, E802 (secrets)."""
    folder = config.parent if config else Path()
    secrets = load_secrets(folder / settings.mail.secrets)
    if not send:
        return Post(state, out, secrets, acting_person(), None)
    if not settings.mail.host or not (settings.recipients or settings.departments):
        why = "没有写发信的服务器" if not settings.mail.host else "没有写任何收件人"
        cure = "在 reconcile.toml 的 [mail]、[recipients] 里写好，或去掉 --send"
        raise ReconcileError(Problem("E812", "error", "不能发送", why, cure))
    who = acting_person()
    return Post(state, out, secrets, who, lambda: Courier(settings.mail, secrets.smtp_password, folder))


def recover_letters(ledger: Ledger, book: Book, state: Path, as_of: date) -> int:
    """Before anything else: what a killed run left claimed. How many letters."""
    return recover(ledger, book, read_outbox(ledger), Journal(state), as_of)


def deliver(
    ledger: Ledger,
    book: Book,
    plan: MailPlan,
    night: NightForReports,
    post: Post,
    anew: tuple[AnewPlan, NightForReports] | None = None,
) -> Mailed:
    """`anew`: reports of the period that are made once more, with the night as they see it. Raises as Ledger.

    What stops all mail (E821, E823; exit 8) is told in what this returns: the night's own record must be written all the same.
    """
    mailed = Mailed()
    _forget_dry_run(post.out)
    made = night_letters(ledger, plan, night, post.out, post.secrets, mailed.problems)
    more = _made_anew(ledger, anew, post, mailed) if anew else []
    mailed.problems += _stopped_by_check([*made, *more], night, post.secrets)
    mailed.blocked = any(problem.code == "E823" for problem in mailed.problems)
    mailed.letters = len(made) + len(more)
    mailed.standing = standing(plan.box)
    if mailed.blocked:
        return mailed
    if post.courier is None:
        mailed.folder = _write([*made, *more], post.out)
        return mailed
    lots = [(plan, made), *([(anew[0], more)] if anew else [])]
    mailed.problems += _queue(ledger, lots, post, second_person=night.settings.approval.second_person)
    recover(
        ledger, book, plan.box, Journal(post.state), plan.as_of
    )  # a restored ledger does not know what went
    _dispatch(ledger, book, plan, night.settings, post.state, post.courier, mailed)
    mailed.standing = standing(plan.box)
    waiting = plan.box.in_state("held")
    mailed.held = [letter for letter in waiting if not letter.by_hand_held]
    mailed.paused = len(waiting) - len(mailed.held)
    return mailed


def _made_anew(
    ledger: Ledger, anew: tuple[AnewPlan, NightForReports], post: Post, mailed: Mailed
) -> list[Made]:
    """What is wrong with the recipients at large the night's own letters have said."""
    problems: list[Problem] = []
    made = night_letters(ledger, *anew, post.out, post.secrets, problems)
    mailed.problems += [problem for problem in problems if problem.code not in ("E810", "E813")]
    return [one for one in made if anew[0].goes(one.letter)]


def _dispatch(
    ledger: Ledger,
    book: Book,
    plan: MailPlan,
    settings: Settings,
    state: Path,
    courier: Callable[[], AbstractContextManager[Sender]],
    mailed: Mailed,
) -> None:
    """Sends; a kept letter that is not what was checked stops the mail, not the night's record of it."""
    try:
        dispatch(ledger, book, plan.box, state, settings, plan.as_of, courier, time.sleep, tally=mailed.tally)
    except ReconcileError as error:
        if error.exit_code != EGRESS:
            raise
        mailed.problems += [error.problem, *error.others]
        mailed.blocked = True
    mailed.problems += mailed.tally.problems


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
            what = f"{place_words(one.letter.place)}的邮件没有通过出门检查"
            found.append(Problem("E823", "error", what, why, cure, county=county))
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


def _queue(
    ledger: Ledger,
    lots: Sequence[tuple[MailPlan, Sequence[Made]]],
    post: Post,
    *,
    second_person: bool,
) -> list[Problem]:
    """In one transaction: the period and the letters, kept and in the outbox; older ones that never went and say less are withdrawn.
    What is wrong: letters whose name another night has given.

    What a person holds stays held when a newer letter takes its place: only he knows why it must not go.
    """
    plan = lots[0][0]
    box = plan.box
    events: list[Event] = []
    problems = []
    if plan.period is not None and plan.period.key not in {period.key for period in box.periods}:
        events.append(plan.period.event())
    for own, one in [(own, one) for own, made in lots for one in made]:
        known, older = box.letters.get(one.letter.letter_id), _older(box, one.letter)
        if known is not None and not _is_new(known, one):
            if known.on != plan.as_of:
                problems.append(_name_given(one.letter))
            continue  # the same night again
        events += [withdrawn(letter, plan.as_of, "有了更新的一封") for letter in older]
        paused = {why: None for letter in (*older, *([known] if known else ())) for why in letter.paused_for}
        sha256 = keep_letter(post.state, f"{one.letter.letter_id}.eml", one.message)
        about = {
            "batch": own.period.key
            if own.period
            else own.key,  # letters made anew are of their period's batch
            "by": post.by,
            "about": one.about,
            "rules": one.rules,
        }
        reasons = tuple(dict.fromkeys((*one.reasons, *paused, *_waited_for(box, one.letter))))
        asked = second_person and bool(reasons)
        events.append(
            queued(one.letter, sha256, cargo=one.cargo, reasons=reasons, second_person=asked, **about)
        )
    if events:
        with ledger.transaction():
            ledger.append(events)
        for event in events:
            box.apply(event)
    return problems


def _name_given(letter: Letter) -> Problem:
    """Of a letter of an earlier day: the server may have it under that name, so tonight's bytes must not bear it."""
    what = f"{place_words(letter.place)}的信没有放进发件箱"
    why = f"发件箱里已有别的夜间做的同名的信 {letter.letter_id}"
    cure = "这是程序的错误，请报告；报告另行交付后用 `reconcile outbox handed` 登记"
    return Problem("E828", "error", what, why, cure, county=letter.place)


def _waited_for(box: Outbox, letter: Letter) -> tuple[str, ...]:
    """What the letter waited for whose place it takes, where that was withdrawn to be made anew: nobody has released or approved this
    one either."""
    same = [
        x for x in box.letters.values() if (x.kind, x.place, x.to) == (letter.kind, letter.place, letter.to)
    ]
    return same[-1].reasons if same and same[-1].anew else ()


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
