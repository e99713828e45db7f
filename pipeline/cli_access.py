"""The command about the access log, and the option by which the others say why somebody looks at people's data."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from pipeline import access_log
from pipeline.cli_options import examples, stop

access_app = typer.Typer(
    no_args_is_help=True, help="Who looked at people's data, when and why (STATE/access)."
)
Reason = Annotated[
    str,
    typer.Option(
        help="Why you look at people's data; kept in the access log. May be left out where nothing is in production."
    ),
]


@access_app.command(
    "list",
    epilog=examples(
        "reconcile access list --state /srv/state --since 2026-11-01",
        "reconcile access list --check",
    ),
)
def access_list(
    state: Annotated[Path, typer.Option(help="The run's state folder.")] = Path("out/state"),
    since: Annotated[str, typer.Option(help="From this day on, YYYY-MM-DD.")] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Also prove the chain of hashes; exit code 7 if it is broken.")
    ] = False,
) -> None:
    """A line a look: when, who, which command, about what (a keyed hash, never a number), why. No personal data."""
    first = _day(since)
    lines = access_log.read(state, first)
    for one in lines:
        by = f"{one.who}（由 {one.sudo} sudo）" if one.sudo and one.sudo != one.who else one.who
        cases = "、".join(one.cases) or (f"{one.case_count}件疑点" if one.case_count else "")
        typer.echo("  ".join(part for part in (one.at, by, one.command, one.what, cases, one.reason) if part))
    if not lines:
        typer.echo("没有查看记录。")
    if check:
        problems = access_log.check(state)
        for problem in problems:
            typer.echo(problem.line())
        if problems:
            raise typer.Exit(7)
        typer.echo(f"记录链完整：{len(access_log.read(state))}条。")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        stop("E403 --since 应写成 YYYY-MM-DD，例如 2026-11-01。", 1)
