"""The command line: parses, calls one function, prints. Every command shows two examples."""

from __future__ import annotations

import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from pipeline import desk
from pipeline.cli_access import access_app
from pipeline.cli_cases import cases_app, diff_app
from pipeline.cli_ledger import ledger_app
from pipeline.cli_lists import lists_app
from pipeline.cli_mail import approve_app, outbox_app
from pipeline.cli_options import Rules, Schemas, business_date, examples, stop
from pipeline.cli_people import people_app
from pipeline.cli_person import person_app
from pipeline.cli_plan import plan_app
from pipeline.cli_rules import JSON_SCHEMA_EXAMPLES, json_schema_command, rules_app
from pipeline.cli_watch import watch_app
from pipeline.contracts.problem import ReconcileError
from pipeline.desk.watched_night import watched_night
from pipeline.installed_folders import rules_folder, schemas_folder
from pipeline.run import Request
from pipeline.sample import make_sample, trouble_of

app = typer.Typer(
    name="reconcile",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with locals would show people's data
    add_completion=True,
    rich_markup_mode=None,
    help=(
        "Finds the disabled people who miss a benefit they qualify for.\n\n"
        "Nine departments' monthly exports go in (one folder a dataset, see docs/datasets.md); per-county discrepancy "
        "lists, a summary and Parquet results come out. Start with `reconcile run` on data/sample; then put your own "
        "exports into a folder of the same shape.\n\n"
        "Exit codes: 0 all reports that are due exist; 1 usage, settings, schema or rule error, nothing touched; 2 bug; "
        "3 degraded: some list of some county was not accepted; 4 held for approval; 5 another run is going; 6 mail "
        "incomplete; 7 ledger check failed; 8 egress check failed; 130 interrupted."
    ),
)
schemas_app = typer.Typer(no_args_is_help=True, help="Look at, check and start dataset files (schemas/).")
alias_app = typer.Typer(no_args_is_help=True, help="Teach a dataset another spelling of a column header.")
app.add_typer(schemas_app, name="schemas")
app.add_typer(rules_app, name="rules")
app.add_typer(alias_app, name="alias")
app.add_typer(ledger_app, name="ledger")
app.add_typer(lists_app)
app.add_typer(outbox_app, name="outbox")
app.add_typer(approve_app)
app.add_typer(watch_app)
app.add_typer(person_app, name="person")
app.add_typer(access_app, name="access")
app.add_typer(cases_app, name="cases")
app.add_typer(diff_app)
app.add_typer(people_app)
app.add_typer(plan_app)
schemas_app.command("json-schema", epilog=JSON_SCHEMA_EXAMPLES)(json_schema_command)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"reconcile {version('reconcile')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Options of the whole program; its help stands in `app`."""


@app.command(
    "run",
    epilog=examples(
        "reconcile run --inbox data/sample --out out",
        "reconcile run --inbox /srv/inbox --out /srv/out --as-of 2026-10-31 --config reconcile.toml",
    ),
)
def run_command(
    inbox: Annotated[
        Path, typer.Option(help="Folder of the departments' exports: <department>/<dataset>/<files>.")
    ],
    out: Annotated[Path, typer.Option(help="Where results and reports go.")] = Path("out"),
    as_of: Annotated[
        str, typer.Option(help="Business date YYYY-MM-DD; default: the newest snapshot date in the inbox.")
    ] = "",
    config: Annotated[
        Path | None, typer.Option(help="Settings file; default: ./reconcile.toml if it is there.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="What outlives a run (snapshots, case ledger); default: OUT/state.")
    ] = None,
    schemas: Schemas = None,
    rules: Rules = None,
    send: Annotated[
        bool, typer.Option("--send", help="Mail the reports; without it nothing leaves the machine.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write the letters to OUT/mail instead (as without --send).")
    ] = False,
) -> None:
    """One night: read the exports, match, judge, write results and each county's report; with --send, mail them."""
    if send and dry_run:
        stop("E402 --send 和 --dry-run 不能一起用。办法：去掉其中一个。", 1)
    default = Path("reconcile.toml")
    request = Request(
        inbox=inbox,
        out=out,
        state=state or out / "state",
        schemas=schemas_folder(schemas),
        rules=rules_folder(rules),
        as_of=business_date(as_of),
        config=config or (default if default.is_file() else None),
        send=send,
    )
    night = watched_night(request)
    typer.echo(night.screen)
    raise typer.Exit(night.exit_code)


@app.command(
    "sample",
    epilog=examples(
        "reconcile sample --people 5000 --out data/sample",
        "reconcile sample --people 100000 --out /tmp/big/inbox --truth /tmp/big/truth --seed 7 --dirt 1.5",
        "reconcile sample --out /tmp/m/inbox --truth /tmp/m/truth --masked health/family_doctor=0.5"
        " --numeric civil_affairs/dibao=539901",
        "reconcile sample --out /tmp/e/inbox --truth /tmp/e/truth --dirt 1.4 --trouble transliterated=0.8"
        " --trouble twins=0.2 --trouble guardians=0.15",
    ),
)
def sample_command(
    out: Annotated[Path, typer.Option(help="Folder for the synthetic inbox.")],
    people: Annotated[
        int, typer.Option(min=50, help="People in the prefecture (about 1 in 13 holds a certificate).")
    ] = 5000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    dirt: Annotated[float, typer.Option(min=0.0, help="How dirty: 1.0 as in real exports.")] = 1.0,
    as_of: Annotated[str, typer.Option(help="Snapshot date YYYY-MM-DD.")] = "2026-10-31",
    truth: Annotated[
        Path | None, typer.Option(help="Also write the true answers there (for measuring).")
    ] = None,
    accepted: Annotated[
        Path | None, typer.Option(help="Write accepted Parquet straight into this state folder instead.")
    ] = None,
    register_share: Annotated[float, typer.Option(help="Share of people who hold a certificate.")] = 0.076,
    masked: Annotated[
        list[str] | None,
        typer.Option(metavar="DATASET=SHARE", help="Mask this share of a list's IDs (5399**********1234)."),
    ] = None,
    numeric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATASET=COUNTY",
            help="Write a county's (or all) ID columns as numbers (…000, 5.39901E+17).",
        ),
    ] = None,
    trouble: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SHARE",
            help="More that is hard to match: names, transliterated, homonyms, twins, siblings, same_day, guardians,"
            " births, register_ids, register_births (pipeline/sample/trouble.py).",
        ),
    ] = None,
) -> None:
    """Write a synthetic prefecture's exports: every dataset, formats and dirt mixed, IDs that can be nobody's."""
    day = business_date(as_of) or date(2026, 10, 31)
    try:
        asked = trouble_of(masked or (), numeric or (), trouble or ())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    summary = make_sample(
        people,
        out,
        seed=seed,
        as_of=day,
        dirt=dirt,
        truth=truth,
        accepted=accepted,
        register_share=register_share,
        trouble=asked,
    )
    rows = sum(summary.rows.values())
    typer.echo(
        f"{summary.people} people, {summary.holders} certificates, {rows} rows in {summary.files} files: {accepted or out}"
    )


@app.command(
    "init",
    epilog=examples("reconcile init", "reconcile init --out /etc/reconcile/reconcile.toml --region 示例州"),
)
def init_command(
    out: Annotated[
        Path, typer.Option(help="The file to write; an existing one is never overwritten.")
    ] = Path("reconcile.toml"),
    region: Annotated[str, typer.Option(help="The prefecture's name for titles.")] = "",
) -> None:
    """Write a commented settings file with every default."""
    typer.echo(desk.init_settings(out, region))


@schemas_app.command(
    "check", epilog=examples("reconcile schemas check", "reconcile schemas check --schemas my-schemas")
)
def schemas_check(schemas: Schemas = None) -> None:
    """Check every dataset file: keys, headers, codes, facts, with file, line and cure."""
    _report(*desk.check_schemas(schemas_folder(schemas)))


@schemas_app.command(
    "show",
    epilog=examples(
        "reconcile schemas show civil_affairs/dibao",
        "reconcile schemas show federation/register --county 533401",
    ),
)
def schemas_show(
    dataset: Annotated[str, typer.Argument(help="<department>/<dataset>")],
    county: Annotated[str, typer.Option(help="Also show headers only this county writes.")] = "",
    schemas: Schemas = None,
) -> None:
    """Show a dataset: how it is delivered, its columns with all headers and codes, its facts."""
    typer.echo(desk.show_schema(schemas_folder(schemas), dataset, county))


@schemas_app.command(
    "new",
    epilog=examples(
        "reconcile schemas new justice/prisoners --title 服刑人员名册 --department 司法",
        "reconcile schemas new justice/prisoners --title 服刑人员名册 --department 司法 --from 名册_20261031.xlsx",
    ),
)
def schemas_new(
    dataset: Annotated[str, typer.Argument(help="<department>/<dataset>, in small letters")],
    title: Annotated[str, typer.Option(help="The list's Chinese title.")],
    department: Annotated[str, typer.Option(help="The office's Chinese name.")],
    by: Annotated[str, typer.Option(help="county or prefecture: how it is delivered.")] = "prefecture",
    source: Annotated[
        Path | None, typer.Option("--from", help="A delivered file whose headers become the fields.")
    ] = None,
    schemas: Schemas = None,
) -> None:
    """Start the file of a new dataset, ready to be edited."""
    typer.echo(desk.new_schema(schemas_folder(schemas), dataset, title, department, by, source))


@alias_app.command(
    "add",
    epilog=examples(
        "reconcile alias add civil_affairs/dibao id 身份证件号码",
        "reconcile alias add civil_affairs/dibao id 证件编号 --county 533423",
    ),
)
def alias_add(
    dataset: Annotated[str, typer.Argument(help="<department>/<dataset>")],
    field: Annotated[str, typer.Argument(help="The field's key, e.g. id")],
    header: Annotated[str, typer.Argument(help="The header as delivered")],
    county: Annotated[str, typer.Option(help="Only where this county (six digits) writes so.")] = "",
    schemas: Schemas = None,
) -> None:
    """Add a header spelling to a dataset file, for everybody or for one county."""
    typer.echo(desk.add_alias(schemas_folder(schemas), dataset, field, header, county))


def _report(lines: list[str], failed: bool) -> None:
    typer.echo("\n".join(lines))
    raise typer.Exit(1 if failed else 0)


def main() -> None:
    """Entry point. Exceptions of libraries may carry people's data: only their class and place are shown (exit 2)."""
    try:
        code = app(standalone_mode=False)
    except ReconcileError as error:
        for problem in dict.fromkeys((error.problem, *error.others)):
            typer.echo(problem.line(), err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("E404 已中断，未写完的内容会在下次运行时重做。", err=True)
        sys.exit(130)
    except Exception as error:
        sys.exit(_bug(error))
    sys.exit(code if isinstance(code, int) else 0)


def _bug(error: Exception) -> int:
    """A usage error of the command line is said in full (1); anything else is a bug (2), without its text."""
    if hasattr(error, "exit_code") and hasattr(error, "format_message"):
        typer.echo(str(error.format_message()), err=True)
        return 1
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "?"
    typer.echo(
        f"E500 程序错误 {type(error).__name__}（{where}）。办法：把这一行和 `reconcile --version` 交给开发者。",
        err=True,
    )
    return 2
