"""What several commands share: options, examples in the help, and the way out."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

Schemas = Annotated[
    Path | None,
    typer.Option("--schemas", help="Folder of dataset files; default: ./schemas, else as installed."),
]
Rules = Annotated[
    Path | None, typer.Option("--rules", help="Folder of rules; default: ./rules, else as installed.")
]


def examples(*lines: str) -> str:
    return "Examples:\n\n" + "\n\n".join(f"  {line}" for line in lines)


def stop(message: str, code: int) -> NoReturn:
    """Ends the program with a message on standard error."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


def business_date(text: str) -> date | None:
    """The date of --as-of, None where none is given. Ends the program (E403) where it is no date."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 a business date has no zone
    except ValueError:
        stop("E403 --as-of 应写成 YYYY-MM-DD，例如 2026-10-31。", 1)
