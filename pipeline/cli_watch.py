"""The commands of the night-watch: look at the installation, listen for the last night, remove what is over."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from pipeline import cases, clock
from pipeline.cli_options import Rules, Schemas, business_date, examples, stop
from pipeline.contracts.settings import load_settings
from pipeline.desk.doctor import DoctorRequest, as_json, is_ill, lines
from pipeline.desk.doctor import doctor as look
from pipeline.desk.watch import lines as watch_lines
from pipeline.desk.watch import tell
from pipeline.desk.watch import watch as listen
from pipeline.installed_folders import rules_folder, schemas_folder
from pipeline.private_process import harden
from pipeline.retention import needed_snapshots, purge, purge_temporary, settled_letters
from pipeline.run_lock import only_run

watch_app = typer.Typer()
_SETTINGS = Path("reconcile.toml")
Config = Annotated[Path | None, typer.Option(help="Settings file; default: ./reconcile.toml if it is there.")]
Out = Annotated[Path, typer.Option(help="The output folder of the nights.")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


@watch_app.command(
    "doctor",
    epilog=examples(
        "reconcile doctor",
        "reconcile doctor --config /etc/reconcile/reconcile.toml --state /srv/state --out /srv/out --inbox /srv/inbox",
        "reconcile doctor --offline --json",
    ),
)
def doctor(
    config: Config = None,
    state: Annotated[Path | None, typer.Option(help="The state folder; default: OUT/state.")] = None,
    inbox: Annotated[Path | None, typer.Option(help="Also look at this inbox.")] = None,
    out: Out = Path("out"),
    schemas: Schemas = None,
    rules: Rules = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not call the mail server.")] = False,
    as_json_: Json = False,
) -> None:
    """Look at everything a night needs and change nothing: exit code 1 where something is wrong, with the cure."""
    harden()
    request = DoctorRequest(
        state or out / "state",
        out,
        schemas_folder(schemas),
        rules_folder(rules),
        inbox,
        _config(config),
        offline,
    )
    found = look(request)
    typer.echo(as_json(found) if as_json_ else "\n".join(lines(found)))
    raise typer.Exit(1 if is_ill(found) else 0)


@watch_app.command(
    "watch",
    epilog=examples(
        "reconcile watch --state /srv/state",
        "reconcile watch --state /mnt/heartbeat --max-age-hours 30 --config /etc/reconcile/reconcile.toml --mail",
    ),
)
def watch(
    state: Annotated[
        Path, typer.Option(help="The state folder, or a folder to which heartbeat.json is copied.")
    ],
    max_age_hours: Annotated[float, typer.Option(min=0.1, help="Older than this is silence.")] = 30.0,
    config: Config = None,
    mail: Annotated[bool, typer.Option("--mail", help="Also mail the operators (mail.operator).")] = False,
    as_json_: Json = False,
) -> None:
    """Listen for the last night: exit code 1 where it is too old, failed, or left mail unsent. For a timer elsewhere."""
    now = clock.now()
    heard = listen(state, max_age_hours, now)
    unsent = []
    if mail and heard.problems:
        path = _config(config)
        unsent = tell(heard, load_settings(path), path, state, now)
    if as_json_:
        told = {"said": heard.said, "problems": [asdict(p) for p in (*heard.problems, *unsent)]}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        typer.echo("\n".join(watch_lines(heard, unsent)))
    raise typer.Exit(1 if heard.problems else 0)


@watch_app.command(
    "purge",
    epilog=examples(
        "reconcile purge", "reconcile purge --state /srv/state --out /srv/out --as-of 2026-11-30"
    ),
)
def purge_command(
    config: Config = None,
    state: Annotated[Path | None, typer.Option(help="The state folder; default: OUT/state.")] = None,
    out: Out = Path("out"),
    as_of: Annotated[
        str, typer.Option(help="Count ages to this date YYYY-MM-DD; default: the ledger's last night.")
    ] = "",
) -> None:
    """Remove what is kept longer than [retention] says, as every night does; ages by the dates in our own names."""
    harden()
    state = state or out / "state"
    if not cases.Places(state).was_there():
        stop(
            "E715 这个 state 文件夹里没有台账。办法：用 --state 指到运行时用的文件夹；第一次运行后才有台账。",
            1,
        )
    settings = load_settings(_config(config))
    with only_run(state), cases.open_ledger(state) as ledger:
        on = business_date(as_of) or _last_night(ledger)
        if on > max(_last_night(ledger), clock.today()):
            stop("E861 --as-of 在将来，会提前删除还没有到期的内容。办法：用上一夜的业务日期，或不写。", 1)
        left = purge_temporary(state, out)
        needed, done_on = needed_snapshots(ledger, on), settled_letters(ledger)
        report = purge(state, out, settings.retention, on, needed, done_on)
    told = [*(left.lines() if left.files else ()), *report.lines()]
    typer.echo("\n".join(told))
    problems = (*left.problems, *report.problems)
    for problem in problems:
        typer.echo(problem.line(), err=True)
    raise typer.Exit(1 if problems else 0)


def _last_night(ledger: cases.Ledger) -> date:
    last = ledger.query("SELECT max(on_date) FROM events")[0][0]
    return date.fromisoformat(last) if last else clock.today()


def _config(given: Path | None) -> Path | None:
    return given or (_SETTINGS if _SETTINGS.is_file() else None)
