"""The commands about single cases, and about why two nights' counts differ."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline import access_log
from pipeline.cases import Places, open_ledger, release
from pipeline.cli_access import Reason
from pipeline.cli_options import Rules, examples, stop
from pipeline.contracts.rule import load_rules
from pipeline.desk.case_export import export_cases
from pipeline.desk.case_list import Asked, list_cases, show_case
from pipeline.desk.case_words import Titles
from pipeline.desk.diff_nights_page import diff_page
from pipeline.installed_folders import rules_folder
from pipeline.run_lock import only_run

cases_app = typer.Typer(no_args_is_help=True, help="List, show and export the cases of the ledger.")
diff_app = typer.Typer()
State = Annotated[Path, typer.Option(help="The run's state folder, in which the ledger lies.")]
_DEFAULT = Path("out/state")


@cases_app.command(
    "list",
    epilog=examples(
        "reconcile cases list --county 533401 --overdue",
        "reconcile cases list --status open --state /srv/state",
    ),
)
def cases_list(
    county: Annotated[str, typer.Option(help="Only this county (six digits).")] = "",
    status: Annotated[
        str, typer.Option(help="Only cases that are open, sent, answered, settled or closed.")
    ] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose answer is overdue.")] = False,
    state: State = _DEFAULT,
    reason: Reason = "",
    rules: Rules = None,
) -> None:
    """List cases as of the last night, by number. Names and numbers are masked."""
    why = access_log.reason_for(state, reason)
    page = list_cases(state, _titles(rules), Asked(county, status, overdue))
    access_log.note(state, "cases list", county, why)
    typer.echo(page)


@cases_app.command(
    "show",
    epilog=examples(
        "reconcile cases show XGLL-2611-0382-7",
        "reconcile cases show xgll261103827 --state /srv/state",
    ),
)
def cases_show(
    number: Annotated[str, typer.Argument(help="The case number, however it is typed.")],
    state: State = _DEFAULT,
    reason: Reason = "",
    rules: Rules = None,
) -> None:
    """Show a case and everything that happened to it, in order."""
    page = show_case(state, _titles(rules), number)
    _, numbers = access_log.asked_for(state, number)
    access_log.note(state, "cases show", "", reason, numbers)
    typer.echo(page)


@cases_app.command(
    "export",
    epilog=examples(
        "reconcile cases export --county 533401 --out 533401.xlsx",
        "reconcile cases export --state /srv/state --results /srv/out/results --county 533422 --out 533422.xlsx --reason 月末归档",
    ),
)
def cases_export(
    county: Annotated[str, typer.Option(help="The county (six digits).")],
    out: Annotated[Path, typer.Option(help="The workbook to write; an existing one is not overwritten.")],
    state: State = _DEFAULT,
    results: Annotated[Path, typer.Option(help="The last run's OUT/results.")] = Path("out/results"),
    reason: Reason = "",
    rules: Rules = None,
) -> None:
    """Write a county's 工作台账: every case with its person, its state and what became of it. Numbers are masked."""
    why = access_log.reason_for(state, reason)
    if Places(state).was_there():
        access_log.note(state, "cases export", county, why)
    typer.echo(export_cases(state, results, county, out, _titles(rules)))


@cases_app.command(
    "release",
    epilog=examples(
        "reconcile cases release 533401 --reason 核对过名册，确为新增",
        "reconcile cases release rule:nursing_subsidy --reason 规则已扩大范围 --state /srv/state",
    ),
)
def cases_release(
    what: Annotated[str, typer.Argument(help="A county's code, or rule: and a benefit, as the run said.")],
    reason: Annotated[str, typer.Option(help="Why these new cases are right.")],
    state: State = _DEFAULT,
) -> None:
    """Let the held new cases of a county or a rule go, after a look. Recorded with who and why."""
    with only_run(state), open_ledger(state) as ledger:
        access_log.note(state, "cases release", what, reason)
        count = release(ledger, what, reason, access_log.acting_person())
    typer.echo(f"已放行 {count} 件")


@diff_app.command(
    "diff",
    epilog=examples(
        "reconcile diff 2026-10-31 2026-11-30",
        "reconcile diff 2026-10-31 2026-11-30 --state /srv/state --csv why.csv",
    ),
)
def diff_command(
    first: Annotated[str, typer.Argument(metavar="NIGHT1", help="YYYY-MM-DD")],
    second: Annotated[str, typer.Argument(metavar="NIGHT2", help="YYYY-MM-DD")],
    state: State = _DEFAULT,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Also write all movements to this new CSV file."),
    ] = None,
) -> None:
    """Say why counts moved between two nights: lists, rules, the register, the lists' content, the program."""
    typer.echo(diff_page(state, _night(first), _night(second), csv))


def _night(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 a business date has no zone
    except ValueError:
        stop("E749 日期应写成 YYYY-MM-DD，例如 reconcile diff 2026-10-31 2026-11-30。", 1)


def _titles(rules: Path | None) -> Titles:
    return Titles(load_rules(rules_folder(rules)))
