"""The commands about the case ledger: check it, copy it, put it back, show what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pipeline import cases
from pipeline.cli_options import examples, stop

ledger_app = typer.Typer(
    no_args_is_help=True, help="Check, copy, put back and show the case ledger (STATE/ledger)."
)
State = Annotated[Path, typer.Option(help="The run's state folder, in which the ledger lies.")]
_DEFAULT = Path("out/state")


@ledger_app.command(
    "check", epilog=examples("reconcile ledger check", "reconcile ledger check --state /srv/state")
)
def ledger_check(state: State = _DEFAULT) -> None:
    """Prove every invariant: file, chain of hashes, witness, key, dates, derived tables. Exit code 7 if one fails."""
    with _existing(state) as ledger:
        problems = cases.check(ledger, cases.replay)
        head = ledger.head()
    for problem in problems:
        typer.echo(problem.line())
    if problems:
        raise typer.Exit(7)
    typer.echo(f"台账完好：{head.sequence}条记录，记录链完整，与见证一致。")


@ledger_app.command(
    "backup",
    epilog=examples("reconcile ledger backup", "reconcile ledger backup --state /srv/state --keep 60"),
)
def ledger_backup(
    state: State = _DEFAULT,
    keep: Annotated[int, typer.Option(min=1, help="How many backups to keep.")] = 30,
) -> None:
    """Write a copy to STATE/backup, prove it whole, remove the oldest beyond --keep."""
    with _existing(state) as ledger:
        path = cases.backup(ledger, ledger.places.backups, keep)
    typer.echo(f"已备份并查验：{path}")


@ledger_app.command(
    "restore",
    epilog=examples(
        "reconcile ledger restore",
        "reconcile ledger restore --yes",
        "reconcile ledger restore --which ledger-2026-10-31-00001234.sqlite --yes",
    ),
)
def ledger_restore(
    state: State = _DEFAULT,
    which: Annotated[
        str | None, typer.Option(help="File name of a backup; default: the newest that is whole.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without it only say what would be done.")
    ] = False,
) -> None:
    """Put the newest whole backup in the ledger's place; the broken file is kept aside. Says how many events are lost."""
    _must_exist(state)
    if not yes:
        typer.echo(
            f"{_said(state, cases.plan_restore(state, which))}\n什么也没有改动；确认后加 --yes 再运行一次。"
        )
        return
    done = cases.restore(state, which)
    with cases.open_ledger(state):  # proves that the next run can open it
        typer.echo(_said(state, done))
    for path in done.aside:
        typer.echo(f"原文件留在 {path}")


@ledger_app.command(
    "show", epilog=examples("reconcile ledger show", "reconcile ledger show --state /srv/state")
)
def ledger_show(state: State = _DEFAULT) -> None:
    """Show what the ledger holds: events by kind, first and last date, head of the chain, backups. No personal data."""
    with _existing(state) as ledger:
        kinds = ledger.query("SELECT kind, count(*) FROM events GROUP BY kind ORDER BY kind")
        first, last, numbered = ledger.query(
            "SELECT min(on_date), max(on_date), count(DISTINCT case_number) FROM events"
        )[0]
        head, kept = ledger.head(), cases.backups(ledger.places.backups)
    typer.echo(f"记录 {head.sequence} 条，个案 {numbered} 件" + (f"，{first} 至 {last}" if first else ""))
    for kind, count in kinds:
        typer.echo(f"  {kind}  {count}")
    typer.echo(f"末条哈希 {head.hash}")
    typer.echo(f"备份 {len(kept)} 份" + (f"，最新 {kept[0].name}" if kept else ""))


def _said(state: Path, plan: cases.Restoration) -> str:
    if plan.source == cases.Places(state).ledger:
        what = f"台账本身完整（{plan.head.sequence}条记录），只重写见证"
    else:
        what = f"用备份 {plan.source.name} 恢复（{plan.head.sequence}条记录）"
    lost = "见证读不出，无法断定丢了多少条" if plan.lost is None else f"丢失{plan.lost}条记录"
    return f"{what}；{lost}。"


@contextmanager
def _existing(state: Path) -> Iterator[cases.Ledger]:
    """The ledger, never made by a look at it."""
    _must_exist(state)
    with cases.open_ledger(state) as ledger:
        yield ledger


def _must_exist(state: Path) -> None:
    if not cases.Places(state).was_there():
        stop(
            "E715 这个 state 文件夹里没有台账。办法：用 --state 指到运行时用的文件夹；第一次运行后才有台账。",
            1,
        )
