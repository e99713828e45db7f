"""The commands about people and pairs: explain one, judge the doubtful, tune the matching."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline import access_log, desk
from pipeline.cli_access import Reason
from pipeline.cli_options import Rules, Schemas, examples, stop
from pipeline.contracts.problem import ReconcileError
from pipeline.installed_folders import rules_folder, schemas_folder

people_app = typer.Typer()


@people_app.command(
    "review",
    epilog=examples(
        "reconcile review --out out",
        "reconcile review --out /srv/out --state /srv/state --export review.xlsx",
        "reconcile review --out /srv/out --state /srv/state --import review.xlsx --who 王芳 --reason 十一月核对",
    ),
)
def review_command(
    out: Annotated[Path, typer.Option(help="The output folder of the last run.")] = Path("out"),
    state: Annotated[
        Path | None, typer.Option(help="What outlives a run; the answers are kept there. Default: OUT/state.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the page on 127.0.0.1; 0: any free one.")
    ] = 0,
    who: Annotated[str, typer.Option(help="Who reviews; asked for on the page if not given.")] = "",
    dataset: Annotated[str, typer.Option(help="Only this list: <department>/<dataset>.")] = "",
    export_to: Annotated[
        Path | None,
        typer.Option("--export", help="Write the open pairs to this new .xlsx instead of the page."),
    ] = None,
    import_from: Annotated[
        Path | None, typer.Option("--import", help="Take a filled-in workbook (or CSV) back.")
    ] = None,
    reason: Reason = "",
    schemas: Schemas = None,
) -> None:
    """Decide the doubtful pairs: a local page side by side (keys 1, 2, 3), or a workbook out and in."""
    why = access_log.reason_for(state or out / "state", reason)
    request = desk.ReviewRequest(
        out=out,
        state=state or out / "state",
        schemas=schemas_folder(schemas),
        port=port,
        who=who,
        dataset=dataset,
        export_to=export_to,
        import_from=import_from,
    )
    how = "import" if import_from else "export" if export_to else "page"
    access_log.note(request.state, f"review {how}", dataset, why)
    desk.review(request, typer.echo, lambda: datetime.now().astimezone())


@people_app.command(
    "explain",
    epilog=examples(
        "reconcile explain 53990119800101001X --out out",
        "reconcile explain 53990119800101001X41 --why-not living_subsidy --reason 本人来电询问",
        "reconcile explain - --full-ids   (the number is read from the keyboard and stays out of the shell's history)",
    ),
)
def explain_command(
    person: Annotated[
        str, typer.Argument(help="Identity, certificate or case number; - reads it from standard input.")
    ],
    out: Annotated[Path, typer.Option(help="The output folder of the last run.")] = Path("out"),
    state: Annotated[Path | None, typer.Option(help="The run's state folder; default: OUT/state.")] = None,
    why_not: Annotated[
        str, typer.Option(help="Only this benefit (code or Chinese title): what stands in the way.")
    ] = "",
    full_ids: Annotated[bool, typer.Option("--full-ids", help="Show whole numbers.")] = False,
    reason: Reason = "",
    config: Annotated[
        Path | None, typer.Option(help="Settings file; default: ./reconcile.toml if it is there.")
    ] = None,
    schemas: Schemas = None,
    rules: Rules = None,
) -> None:
    """Everything about one person: every row in every list, how it was matched, facts, each rule's conditions."""
    who = sys.stdin.readline() if person == "-" else person
    folders = _night_folders(out, state, schemas, rules, config)
    why = access_log.reason_for(folders.state, reason, config)
    command = "explain --full-ids" if full_ids else "explain"
    try:
        page = desk.explain(who, folders, benefit=why_not, full_ids=full_ids)
    except ReconcileError as error:
        if error.problem.code == "E530":  # that somebody is not on the register is knowledge, too
            _noted(folders.state, command, who, why)
        raise
    _noted(folders.state, command, who, why)
    typer.echo(page)


def _noted(state: Path, command: str, who: str, why: str) -> None:
    what, numbers = access_log.asked_for(state, who)
    access_log.note(state, command, what, why, numbers)


@people_app.command(
    "tune",
    epilog=examples(
        "reconcile tune --out out --plot thresholds.svg",
        "reconcile tune --out /srv/out --state /srv/state --truth answers.csv",
        "reconcile tune --out /srv/out --fit --write weights-2026-10.yaml",
    ),
)
def tune_command(
    out: Annotated[Path, typer.Option(help="The output folder of the last run.")] = Path("out"),
    state: Annotated[
        Path | None, typer.Option(help="Where the review's answers are kept; default: OUT/state.")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            help="Instead of the review's answers: a CSV (dataset, source_file, source_row, certificate_number), "
            "or a folder with rows.csv and people.csv."
        ),
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Also draw precision and recall into this .svg.")] = None,
    fit: Annotated[bool, typer.Option("--fit", help="Also estimate new match weights.")] = False,
    write: Annotated[
        Path | None,
        typer.Option(help="With --fit: write them to this new file (in force once the settings name it)."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings file; default: ./reconcile.toml if it is there.")
    ] = None,
    schemas: Schemas = None,
) -> None:
    """How right the fuzzy links are, by threshold and list, and what other thresholds would do. Changes nothing."""
    if write and not fit:
        stop("E538 --write 要与 --fit 一起用。", 1)
    folders = _night_folders(out, state, schemas, None, config)
    desk.tune(folders, desk.TuneRequest(truth, plot, fit, write), typer.echo)


def _night_folders(
    out: Path, state: Path | None, schemas: Path | None, rules: Path | None, config: Path | None
) -> desk.NightFolders:
    default = Path("reconcile.toml")
    settings = config or (default if default.is_file() else None)
    return desk.NightFolders(
        out, state or out / "state", schemas_folder(schemas), rules_folder(rules), settings
    )
