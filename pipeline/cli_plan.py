"""The command about rules that are not in force yet: what would change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline import access_log
from pipeline.cli_access import Reason
from pipeline.cli_options import Schemas, business_date, examples
from pipeline.desk.plan import PlanRequest
from pipeline.desk.plan_command import plan_rules
from pipeline.installed_folders import rules_folder, schemas_folder

plan_app = typer.Typer()

_Day = Annotated[
    str,
    typer.Option(
        help="YYYY-MM-DD: parameters and rules in force on that day, for both folders, on the same facts."
        " Default: the night's day."
    ),
]
_Against = Annotated[
    Path | None,
    typer.Option(
        help="The folder it is compared with; default: the one in force (./rules, else as installed)."
    ),
]
_Settings = Annotated[
    Path | None, typer.Option(help="Settings file; default: ./reconcile.toml if it is there.")
]


@plan_app.command(
    "plan",
    epilog=examples(
        "reconcile plan --rules rules-new",
        "reconcile plan --rules rules-new --benefit nursing_subsidy --samples 10 --out change.csv",
        "reconcile plan --rules rules-2027 --against rules-2026 --as-of 2027-01-01 --state /srv/state",
    ),
)
def plan_command(
    rules: Annotated[Path, typer.Option("--rules", help="The new folder of rules.")],
    against: _Against = None,
    as_of: _Day = "",
    benefit: Annotated[str, typer.Option(help="Only this rule (code or Chinese title).")] = "",
    samples: Annotated[
        int, typer.Option(min=0, max=100, help="Masked examples for every rule, so many at most.")
    ] = 5,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Also write the counts by county to this new CSV file."),
    ] = None,
    state: Annotated[Path, typer.Option(help="The last run's state folder.")] = Path("out/state"),
    reason: Reason = "",
    config: _Settings = None,
    schemas: Schemas = None,
) -> None:
    """What another folder of rules would change: people and yuan by county, on the last night's facts. Changes nothing."""
    default = Path("reconcile.toml")
    request = PlanRequest(
        state=state,
        schemas=schemas_folder(schemas),
        rules=rules_folder(rules),
        against=rules_folder(against),
        as_of=business_date(as_of),
        benefit=benefit,
        samples=samples,
        config=config or (default if default.is_file() else None),
    )
    page = plan_rules(request, out)
    if samples:  # masked examples are of people all the same
        access_log.note(state, "plan", benefit, reason)
    typer.echo(page)
