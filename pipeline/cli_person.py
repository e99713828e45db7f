"""The commands about a person's rights: everything that is held, a correction, erasure (PIPL arts 45-47)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline import access_log
from pipeline.cli_access import Reason
from pipeline.cli_options import Rules, Schemas, examples
from pipeline.desk.person_correct import Wanted, checked_about, checked_note, correct
from pipeline.desk.person_erase import erase, in_words
from pipeline.desk.person_export import Holdings, PersonFolders, check_target, holdings, write_export
from pipeline.installed_folders import rules_folder, schemas_folder
from pipeline.run_lock import only_run

person_app = typer.Typer(
    no_args_is_help=True, help="A person's rights: what is held about somebody, corrections, erasure."
)
Person = Annotated[
    str, typer.Argument(help="Identity or certificate number; - reads it from standard input.")
]
State = Annotated[Path, typer.Option(help="The run's state folder.")]
Results = Annotated[Path, typer.Option(help="The last run's OUT/results.")]
Config = Annotated[Path | None, typer.Option(help="Settings file; default: ./reconcile.toml if it is there.")]
_STATE, _RESULTS = Path("out/state"), Path("out/results")


@person_app.command(
    "export",
    epilog=examples(
        "reconcile person export - --out me.xlsx --reason 本人书面申请",
        "reconcile person export 53990119800101001X --out me.json --state /srv/state --results /srv/out/results",
    ),
)
def person_export(
    person: Person,
    out: Annotated[
        Path, typer.Option(help="The .json or .xlsx to write; an existing one is not overwritten.")
    ],
    reason: Reason = "",
    state: State = _STATE,
    results: Results = _RESULTS,
    config: Config = None,
    schemas: Schemas = None,
    rules: Rules = None,
) -> None:
    """Write everything that is held about one person, for that person; others' names and numbers in it are masked."""
    folders = _folders(state, results, config, schemas, rules)
    why = access_log.reason_for(state, reason, config)
    check_target(out)
    held = holdings(folders, _number(person))
    _noted(folders, "person export", held, why)
    typer.echo(write_export(held, out))


@person_app.command(
    "correct",
    epilog=examples(
        "reconcile person correct - --department civil_affairs --list dibao --column 状态 --note 已停保 --reason 本人来电",
        "reconcile person correct 53990119800101001X --department federation --note 出生日期有误 --reason 本人来函",
    ),
)
def person_correct(
    person: Person,
    note: Annotated[str, typer.Option(help="What is wrong; without names and numbers.")],
    department: Annotated[str, typer.Option(help="Whose list is wrong: the folder's name (civil_affairs).")],
    listed: Annotated[
        str,
        typer.Option("--list", help="Which of its lists (dibao); without it all in which the person stands."),
    ] = "",
    column: Annotated[str, typer.Option(help="Which column, by its header.")] = "",
    reason: Reason = "",
    state: State = _STATE,
    results: Results = _RESULTS,
    config: Config = None,
    schemas: Schemas = None,
    rules: Rules = None,
) -> None:
    """Note that a department's data about a person are wrong; its next quality mail says so, or the command says that none goes."""
    folders = _folders(state, results, config, schemas, rules)
    why = access_log.reason_for(state, reason, config)
    about = checked_about(folders, department, listed, column)
    with only_run(state):
        held = holdings(folders, _number(person))
        said = checked_note(note, held.one.names)
        _noted(folders, "person correct", held, why)
        for line in correct(folders, held, Wanted(department, about, said)):
            typer.echo(line)


@person_app.command(
    "erase",
    epilog=examples(
        "reconcile person erase - --reason 本人申请删除，残联已核准",
        "reconcile person erase 53990119800101001X --state /srv/state --results /srv/out/results --yes --reason 核准",
    ),
)
def person_erase(
    person: Person,
    reason: Reason = "",
    state: State = _STATE,
    results: Results = _RESULTS,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it only say what is held.")] = False,
    config: Config = None,
    schemas: Schemas = None,
    rules: Rules = None,
) -> None:
    """Take a person out of everything that is kept. Who is still on a department's list comes again with it."""
    folders = _folders(state, results, config, schemas, rules)
    why = access_log.reason_for(state, reason, config)
    with only_run(state):
        held = holdings(folders, _number(person))
        _noted(folders, "person erase" if yes else "person look", held, why)
        if not yes:
            for section in held.sections:
                typer.echo(f"{section.title}  {len(section.rows)}条  {section.kept_in}")
            typer.echo("什么也没有改动；删除后不能恢复。确认后加 --yes 再运行一次。")
            return
        for line in in_words(erase(folders, held)):
            typer.echo(line)


def _folders(
    state: Path, results: Path, config: Path | None, schemas: Path | None, rules: Path | None
) -> PersonFolders:
    default = Path("reconcile.toml")
    settings = config or (default if default.is_file() else None)
    return PersonFolders(state, results, schemas_folder(schemas), rules_folder(rules), settings)


def _number(person: str) -> str:
    return sys.stdin.readline() if person == "-" else person


def _noted(folders: PersonFolders, command: str, held: Holdings, why: str) -> None:
    one = held.one.somebody
    what = access_log.person_mark(folders.state, one.id_number or one.certificate_number)
    access_log.note(folders.state, command, what, why, held.cases)
