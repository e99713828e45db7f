"""The workshop's pages: one file each, no script, nothing loaded, the styles inside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.desk.rule_words import UNCONFIRMED


def rendered(template: str, view: Mapping[str, object]) -> str:
    """The page. `template` is a file of pipeline/desk/templates."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.desk", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["law"] = marked
    return environment.get_template(template).render(**view)


def marked(text: str) -> Markup:
    """The text with every 待核 marked, so that nobody takes it for confirmed."""
    return Markup(escape(text).replace(UNCONFIRMED, Markup(f"<mark>{UNCONFIRMED}</mark>")))  # noqa: S704 both escaped


def written(path: Path, page: str) -> None:
    """Writes the page (UTF-8), over an older one. Raises ReconcileError E315 where that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ReconcileError(
            Problem("E315", "error", "文件写不出来", why, "检查文件夹和权限", file=path.name)
        ) from None
