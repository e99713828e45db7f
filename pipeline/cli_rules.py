"""The commands about rules: check, test, show, start one, the whole catalogue; and the JSON Schemas for editors."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline import desk
from pipeline.cli_options import Rules, Schemas, examples, stop
from pipeline.desk.catalogue import write_catalogue
from pipeline.desk.check_visits import check_visits, test_visits
from pipeline.desk.json_schema import write_json_schemas
from pipeline.desk.new_rule import new_rule
from pipeline.desk.show_rule import show_rule
from pipeline.installed_folders import rules_folder, schemas_folder

rules_app = typer.Typer(
    no_args_is_help=True, help="Read, check, test and start the rules of the entitlements (rules/)."
)
AsOf = Annotated[
    str, typer.Option(help="Show the parameters in force on this date, YYYY-MM-DD; default: today.")
]


@rules_app.command(
    "check", epilog=examples("reconcile rules check", "reconcile rules check --rules my-rules")
)
def rules_check(rules: Rules = None, schemas: Schemas = None) -> None:
    """Check every rule file: keys, expressions, names, types, with file, line and cure."""
    folders = rules_folder(rules), schemas_folder(schemas)
    (lines, bad), (more, worse) = desk.check_rules(*folders), check_visits(*folders)
    _report([*lines, *more], bad or worse)


@rules_app.command("test", epilog=examples("reconcile rules test", "reconcile rules test --rules my-rules"))
def rules_test(rules: Rules = None, schemas: Schemas = None) -> None:
    """Run the cases in the rule files."""
    folders = rules_folder(rules), schemas_folder(schemas)
    (lines, bad), (more, worse) = desk.test_rules(*folders), test_visits(*folders)
    _report([*lines, *more], bad or worse)


@rules_app.command(
    "show",
    epilog=examples(
        "reconcile rules show nursing_subsidy",
        "reconcile rules show 困难残疾人生活补贴 --as-of 2024-06-30 --html living_subsidy.html",
    ),
)
def rules_show(
    benefit: Annotated[str, typer.Argument(help="Code or Chinese title of a benefit or finding.")],
    as_of: AsOf = "",
    html: Annotated[
        Path | None, typer.Option(help="Write a page for the browser to this file instead.")
    ] = None,
    rules: Rules = None,
    schemas: Schemas = None,
) -> None:
    """Show a rule as a lawyer reads it: law, conditions, amounts, parameters over time, lists it needs, examples."""
    typer.echo(show_rule(rules_folder(rules), schemas_folder(schemas), benefit, _day(as_of), html))


@rules_app.command(
    "new",
    epilog=examples(
        "reconcile rules new transport_subsidy --title 残疾人交通补贴 --owner 残联",
        "reconcile rules new two_certificates --title 一人持有两个残疾人证 --owner 残联 --finding",
    ),
)
def rules_new(
    code: Annotated[str, typer.Argument(help="The rule's code, in small letters; it names the file.")],
    title: Annotated[str, typer.Option(help="The Chinese title.")],
    owner: Annotated[str, typer.Option(help="The responsible department, as the dataset files name it.")],
    finding: Annotated[
        bool, typer.Option("--finding", help="A finding (to be verified) instead of a benefit.")
    ] = False,
    since: Annotated[str, typer.Option(help="In force since YYYY-MM-DD; default: today.")] = "",
    rules: Rules = None,
    schemas: Schemas = None,
) -> None:
    """Start the file of a rule, commented, ready to be edited."""
    folders = rules_folder(rules), schemas_folder(schemas)
    typer.echo(new_rule(*folders, code, title, owner, _day(since), finding=finding))


@rules_app.command(
    "catalogue",
    epilog=examples(
        "reconcile rules catalogue --out catalogue.html",
        "reconcile rules catalogue --rules my-rules --as-of 2027-01-01 --out 2027.html",
    ),
)
def rules_catalogue(
    out: Annotated[Path, typer.Option(help="The page to write; an older one is replaced.")],
    as_of: AsOf = "",
    rules: Rules = None,
    schemas: Schemas = None,
) -> None:
    """Write all rules on one page: law, parameters over time, which department's lists each rule needs."""
    typer.echo(write_catalogue(rules_folder(rules), schemas_folder(schemas), out, _day(as_of)))


def json_schema_command(
    out: Annotated[Path, typer.Option(help="Folder for the JSON Schemas.")] = Path("editor"),
    schemas: Schemas = None,
) -> None:
    """Write JSON Schemas of rule, dataset and settings files, with which an editor completes and checks them."""
    typer.echo(write_json_schemas(schemas_folder(schemas), out))


JSON_SCHEMA_EXAMPLES = examples(
    "reconcile schemas json-schema", "reconcile schemas json-schema --out /srv/reconcile/editor"
)


def _report(lines: list[str], failed: bool) -> None:
    typer.echo("\n".join(lines))
    raise typer.Exit(1 if failed else 0)


def _day(text: str) -> date:
    """The date given, today where none is: only the edge of the program looks at the clock."""
    if not text:
        return datetime.now().astimezone().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        stop("E403 日期应写成 YYYY-MM-DD，例如 2026-10-31。", 1)
