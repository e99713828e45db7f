"""The commands about mail that waits: the outbox, and approving what is held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from pipeline import access_log, delivery
from pipeline.cases import Book, Ledger, open_ledger, read_book
from pipeline.cases.night_archive import read_archived
from pipeline.cli_access import Reason
from pipeline.cli_options import examples, stop
from pipeline.contracts.settings import Settings, load_settings
from pipeline.delivery.anew import MAY_BE_WITHDRAWN, withdraw
from pipeline.delivery.approval import approve, by_hand
from pipeline.delivery.dispatch import checked_letter
from pipeline.delivery.handed import ALL, hand_over
from pipeline.delivery.outbox import Outbox, Posted, read_outbox
from pipeline.delivery.standing import standing
from pipeline.desk.outbox_page import STATES, approval_page, letter_page, outbox_lines
from pipeline.run_lock import only_run

outbox_app = typer.Typer(no_args_is_help=True, help="Letters that wait, went or did not get through.")
approve_app = typer.Typer()
State = Annotated[Path, typer.Option(help="The run's state folder, in which the ledger lies.")]
Config = Annotated[Path | None, typer.Option(help="Settings file; default: ./reconcile.toml if it is there.")]
Letters = Annotated[list[str], typer.Argument(help="Letters as `outbox list` names them, or all.")]
_DEFAULT = Path("out/state")


@dataclass(frozen=True)
class Desk:
    """The open ledger with what it says."""

    ledger: Ledger
    book: Book
    box: Outbox

    @property
    def on(self) -> date:
        """Under which date something is recorded: the last night's."""
        return self.book.last_night or date.min


@contextmanager
def _desk(state: Path) -> Iterator[Desk]:
    """Only while no run is going: both write."""
    if not state.is_dir():
        stop("E826 没有这个状态文件夹。办法：用 --state 指明 reconcile run 用的那一个。", 1)
    with only_run(state), open_ledger(state) as ledger:
        book = read_book(ledger.events())
        yield Desk(ledger, book, read_outbox(ledger))


def _settings(config: Path | None) -> tuple[Settings, Path | None]:
    default = Path("reconcile.toml")
    chosen = config or (default if default.is_file() else None)
    return load_settings(chosen), chosen


@outbox_app.command(
    "list",
    epilog=examples("reconcile outbox list", "reconcile outbox list --status doubtful --state /srv/state"),
)
def outbox_list(
    status: Annotated[str, typer.Option(help=f"Only these: {', '.join(STATES)}.")] = "",
    state: State = _DEFAULT,
) -> None:
    """List letters: state, place, since when, why."""
    if status and status not in STATES:
        stop(f"E826 没有“{status}”这种状态。办法：写 {'、'.join(STATES)} 之一。", 1)
    with _desk(state) as desk:
        letters = desk.box.in_state(*([status] if status else STATES))
    typer.echo(outbox_lines(letters))


@outbox_app.command(
    "show",
    epilog=examples(
        "reconcile outbox show 2026p1-533423-1a2b3c4d5e --reason 批准前查看",
        "reconcile outbox show 2026p1-533423-1a2b3c4d5e --extract look --reason 复核",
    ),
)
def outbox_show(
    letter: Annotated[str, typer.Argument(help="The letter as `outbox list` names it.")],
    extract: Annotated[Path | None, typer.Option(help="Also put the .eml into this folder.")] = None,
    state: State = _DEFAULT,
    reason: Reason = "",
    config: Config = None,
) -> None:
    """Show one letter: to whom, what it says, what is attached."""
    why = access_log.reason_for(state, reason, config)
    with _desk(state) as desk:
        one = _named(desk.box, [letter])[0]
        access_log.note(state, "outbox show", one.letter_id, why, (*one.cargo.asked, *one.cargo.again))
        typer.echo(letter_page(state, one, extract))


@outbox_app.command(
    "hold",
    epilog=examples(
        "reconcile outbox hold all --reason 收到更正的名册", "reconcile outbox hold LETTER --reason …"
    ),
)
def outbox_hold(
    letters: Letters,
    reason: Annotated[str, typer.Option(help="Why it must not go yet.")],
    state: State = _DEFAULT,
) -> None:
    """Keep letters from going until they are released; out of a batch that waits for approval, too, so that the others can be approved."""
    with _desk(state) as desk:
        states = ("queued", "later") if letters == ["all"] else ("queued", "later", "held")
        chosen = [one for one in _named(desk.box, letters, *states) if not one.by_hand_held]
        by_hand(desk.ledger, desk.box, "mail_held", chosen, reason, access_log.acting_person(), desk.on)
        waiting = sum(one.never_approved for one in chosen)
    typer.echo(f"已暂停 {len(chosen)} 封")
    if waiting:
        typer.echo(f"其中 {waiting} 封已移出待批准的批次，批号随之改变；放行后仍须 reconcile approve 批准")


@outbox_app.command(
    "release",
    epilog=examples(
        "reconcile outbox release all --reason 已核对", "reconcile outbox release LETTER --reason …"
    ),
)
def outbox_release(
    letters: Letters,
    reason: Annotated[str, typer.Option(help="Why it may go.")],
    state: State = _DEFAULT,
) -> None:
    """Let letters go that a person had held. (What waits for approval goes by `reconcile approve`.)"""
    with _desk(state) as desk:
        named = _named(desk.box, letters, "held")
        chosen = [one for one in named if one.by_hand_held]
        if not chosen and named:
            stop(f"E826 没有放行：这 {len(named)} 封等的是批准，不是放行。办法：reconcile approve。", 1)
        _all_whole(state, chosen)
        by_hand(desk.ledger, desk.box, "mail_released", chosen, reason, access_log.acting_person(), desk.on)
        waiting = sum(one.never_approved for one in chosen)
    going = len(chosen) - waiting
    typer.echo(f"已放行 {going} 封；下一次 reconcile run --send 或 reconcile outbox retry 时发出")
    if waiting:
        typer.echo(f"另有 {waiting} 封不再暂停，但还要批准才会发出：reconcile approve")


@outbox_app.command(
    "withdraw",
    epilog=examples(
        "reconcile outbox withdraw 2026p1-533423-1a2b3c4d5e --reason 邮件文件损坏",
        "reconcile outbox withdraw LETTER --reason 收件地址已改正 --state /srv/state",
    ),
)
def outbox_withdraw(
    letters: Letters,
    reason: Annotated[str, typer.Option(help="Why it must not go as it is.")],
    state: State = _DEFAULT,
) -> None:
    """Take back letters that have not gone; the next night makes them anew, to the addresses of the settings then."""
    if not reason.strip():
        stop("E826 撤回要写明 --reason。办法：写上为什么不能照原样发出。", 1)
    with _desk(state) as desk:
        chosen = _named(desk.box, letters, *(MAY_BE_WITHDRAWN if letters == ["all"] else ()))
        withdraw(desk.ledger, desk.box, chosen, reason, access_log.acting_person(), desk.on)
    typer.echo(f"已撤回 {len(chosen)} 封；下一次 reconcile run --send 时重新生成")


@outbox_app.command(
    "retry",
    epilog=examples(
        "reconcile outbox retry --config reconcile.toml",
        "reconcile outbox retry LETTER --again --reason 对方确认没有收到",
    ),
)
def outbox_retry(
    letters: Annotated[list[str] | None, typer.Argument(help="Letters; default: all that may go.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also what was refused, given up, or may have gone already.")
    ] = False,
    reason: Reason = "",
    state: State = _DEFAULT,
    config: Config = None,
) -> None:
    """Send now what may go, or only the letters named. One that may have gone already goes again only by name, with --again
    and a reason."""
    settings, path = _settings(config)
    post = delivery.post_office(settings, path, state, state.parent, send=True)
    if again and not (letters and reason.strip()):
        stop(
            "E826 --again 要写明是哪一封和 --reason。办法：先 `reconcile outbox list --status doubtful`。", 1
        )
    with _desk(state) as desk:
        delivery.recover_letters(desk.ledger, desk.book, state, desk.on)
        box = read_outbox(desk.ledger)
        chosen = box.in_state("queued", "later")
        if again:
            chosen = _named(box, letters or [], "doubtful", "refused", "given_up", "later")
            _in_time(chosen, desk.on)
            _all_whole(state, chosen)  # its file may be purged: then it would stop all mail (E821)
            by_hand(desk.ledger, box, "mail_released", chosen, reason, access_log.acting_person(), desk.on)
        elif letters:
            chosen = _still_in_time(_named(box, letters, "later", "queued"), desk.on)
            late = [one for one in chosen if one.state == "later"]
            said = reason or "重试"
            by_hand(desk.ledger, box, "mail_released", late, said, access_log.acting_person(), desk.on)
        else:
            chosen = _still_in_time(chosen, desk.on)
        only = frozenset(one.letter_id for one in chosen)
        assert post.courier is not None  # noqa: S101 send=True
        tally = delivery.dispatch(
            desk.ledger, desk.book, box, state, settings, desk.on, post.courier, only=only
        )
        chosen_now = {one.letter_id for one in chosen}
        left = [one for one in standing(box) if one.letter_id in chosen_now]
    mailed = delivery.Mailed(tally=tally, standing=left)
    lines = [*mailed.lines(), *(problem.line() for problem in tally.problems)]
    typer.echo("\n".join(lines) or "没有要发的邮件。")
    raise typer.Exit(mailed.exit_code)


@outbox_app.command(
    "handed",
    epilog=examples(
        "reconcile outbox handed 533401 --reason 政务微信下发",
        "reconcile outbox handed all --reason 会议发放",
    ),
)
def outbox_handed(
    county: Annotated[str, typer.Argument(help="The county (six digits), or all.")],
    reason: Annotated[str, typer.Option(help="By which way the report went.")],
    state: State = _DEFAULT,
    config: Config = None,
) -> None:
    """Note that the last report went to a county by another way than mail: its cases count as sent, its waiting letters are withdrawn."""
    settings, _ = _settings(config)
    with _desk(state) as desk:
        last = read_archived(state, desk.on)
        if county not in (ALL, *last.counties):
            stop("E826 上一夜的比对里没有这个县。办法：写六位县码，或 all。", 1)
        done = hand_over(
            desk.ledger,
            desk.book,
            desk.box,
            county,
            last.coverage,
            settings.period,
            reason,
            access_log.acting_person(),
            desk.on,
        )
    typer.echo(f"已登记下发 {done.cases} 件，反馈截止日 {done.due_on}")
    if done.letters:
        typer.echo(f"发件箱里不必再发的邮件 {done.letters} 封，已撤回")


@approve_app.command(
    "approve",
    epilog=examples(
        "reconcile approve", "reconcile approve 1a2b3c4d5e6f --reason 已与维西县核对 --state /srv/state"
    ),
)
def approve_command(
    batch: Annotated[
        str, typer.Argument(help="The number that `reconcile approve` shows; empty: show.")
    ] = "",
    reason: Annotated[str, typer.Option(help="Why it may go.")] = "",
    state: State = _DEFAULT,
    config: Config = None,
) -> None:
    """Show what waits for approval, or approve a batch: exactly what was looked at, nothing else.

    Whether it needs a second person says the stricter of the settings now and those with which the letters were made.
    """
    settings, _ = _settings(config)
    with _desk(state) as desk:
        if not batch:
            typer.echo(approval_page(desk.box))
            return
        if not reason.strip():
            stop("E826 批准要写明 --reason。办法：写上看过什么、为什么可以发。", 1)
        who = access_log.acting_person()
        access_log.note(state, "approve", batch, reason)
        letters = approve(desk.ledger, desk.book, desk.box, batch, reason, who, settings.approval)
    typer.echo(f"已批准 {len(letters)} 封；下一次 reconcile run --send 或 reconcile outbox retry 时发出")


def _in_time(letters: list[Posted], on: date) -> None:
    """What never went must not ask for an answer by a day that is over: made anew it asks for another. Ends the program (E826)."""
    dead = [x for x in letters if x.kind == "report" and x.state in ("refused", "given_up")]
    late = [x.letter_id for x in dead if x.cargo.due_on is not None and x.cargo.due_on <= on]
    if late:
        stop(
            f"E826 信里的反馈截止日已过，不能照原样再发：{'、'.join(late)[:200]}。"
            "办法：reconcile outbox withdraw <信> --reason …，下一夜按新的截止日重新生成。",
            1,
        )


def _still_in_time(letters: list[Posted], on: date) -> list[Posted]:
    """Without reports that ask for an answer by a day that is over, and says so: the next night makes them anew by itself. What was in
    doubt keeps its name and bytes whatever the day."""
    late = [
        x
        for x in letters
        if x.kind == "report" and not x.maybe_gone and x.cargo.due_on is not None and x.cargo.due_on <= on
    ]
    if late:
        typer.echo(
            f"{len(late)} 封信里的反馈截止日已过，没有发；下一次 reconcile run --send 按新的截止日重新生成"
        )
    return [x for x in letters if x not in late]


def _all_whole(state: Path, letters: list[Posted]) -> None:
    """What is let go must be what was checked. Raises ReconcileError E821, which names the county and the way out."""
    for one in letters:
        checked_letter(state, one)


def _named(box: Outbox, names: list[str], *states: str) -> list[Posted]:
    """The letters of these names (or all) in these states. Ends the program (E826) where a name is none of them."""
    if names == ["all"]:
        return box.in_state(*states)
    wrong = [
        name
        for name in names
        if name not in box.letters or (states and box.letters[name].state not in states)
    ]
    if wrong:
        stop(
            f"E826 发件箱里没有这样的邮件，或它不在可以这样做的状态：{'、'.join(wrong)[:200]}。办法：先 `reconcile outbox list`。",
            1,
        )
    return [box.letters[name] for name in names]
