"""The commands about the lists' history: what was accepted of each, what is held and why, and accepting it by hand."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline import access_log, cases
from pipeline.cases import list_history as past
from pipeline.cli_options import examples, stop
from pipeline.contracts.list_history import WHOLE, AcceptedByHand
from pipeline.identity import region
from pipeline.identity.mask import mask_text
from pipeline.run_lock import only_run

lists_app = typer.Typer()
State = Annotated[Path, typer.Option(help="The run's state folder, in which the ledger lies.")]
_DEFAULT = Path("out/state")
_ALL = "all"  # the whole of a prefecture-wide list
_LONGEST = 200  # characters of a reason


@lists_app.command(
    "accept",
    epilog=examples(
        "reconcile accept civil_affairs/dibao 533422 --reason 年审清退，民政局已电话确认",
        "reconcile accept finance/payments all --reason 换系统后首份 --until 2026-12-31 --state /srv/state",
    ),
)
def accept_command(
    dataset: Annotated[str, typer.Argument(help="The list, as <department>/<dataset>.")],
    county: Annotated[str, typer.Argument(help="Six-digit code; `all` for a prefecture-wide list.")],
    reason: Annotated[str, typer.Option(help="Why it is right; kept in the ledger.")],
    state: State = _DEFAULT,
    until: Annotated[
        str, typer.Option(help="Last date YYYY-MM-DD on which this holds; default: no end.")
    ] = "",
    on: Annotated[str, typer.Option(help="Business date; default: that of the last night.")] = "",
) -> None:
    """After a look: take the file that was held. It is bound to just this file and counts from the next run on."""
    said = mask_text(" ".join(reason.split()))
    if not said or len(said) > _LONGEST:
        stop(f"E259 理由不能空着，也不能超过{_LONGEST}个字。", 1)
    last_day = _date(until, "--until")
    _must_exist(state)
    with only_run(state), cases.open_ledger(state) as ledger:
        day = _date(on, "--on") or _last_night(ledger)
        if last_day and last_day < day:
            stop("E259 --until 早于业务日期，等于没有采用。", 1)
        taken = _held_file(ledger, dataset, county, day)
        event = past.by_hand_event(day, taken, reason=said, who=access_log.acting_person(), until=last_day)
        access_log.note(state, "accept", f"{dataset} {county}", said)
        with ledger.transaction():
            ledger.append([event])
    typer.echo(f"已记入台账：{dataset} {county} 按人工核实采用。再运行一次 reconcile run 即生效。")


@lists_app.command("lists", epilog=examples("reconcile lists", "reconcile lists --state /srv/state"))
def lists_command(state: State = _DEFAULT) -> None:
    """Every list and county: what was accepted last (date, rows), and what is held and why. No personal data."""
    _must_exist(state)
    with cases.open_ledger(state) as ledger:
        events = list(past.list_events_until(ledger, date.max))
    accepted = past.latest(event for event in events if event.kind == past.ACCEPTED)
    for key, last in sorted(past.latest(events).items()):
        dataset, county = key
        good = accepted.get(key)
        told = f"{good.body['snapshot_date']} {good.body['rows']}行" if good else "从未采用"
        typer.echo(f"{dataset}  {_named(county)}  {told}")
        if last.kind == past.QUARANTINED:
            why = str(last.body["why"])
            typer.echo(f"    未采用 {last.body['snapshot_date']} 的一份：{why}{_cure(last, county or _ALL)}")
        for held, why in sorted(last.body.get("held", {}).items()):
            typer.echo(f"    {_named(held)}未采用：{why}{_cure(last, held)}")


def _cure(last: past.ListEvent, county: str) -> str:
    if not last.body.get("by_history", True):
        return ""
    return f"。核实无误的：reconcile accept {last.body['dataset']} {county} --reason 原因"


def _held_file(ledger: cases.Ledger, dataset: str, county: str, day: date) -> AcceptedByHand:
    """The file that the words mean; ends the program (E259) where nothing of the kind is held."""
    said = past.latest(past.list_events_until(ledger, date.max))
    own = said.get((dataset, county))
    last = own or said.get((dataset, WHOLE))
    if last is None:
        stop("E259 台账里没有这份名单。办法：运行 reconcile lists，照它列出的名单和县代码填写。", 1)
    part = WHOLE if own or county == _ALL else county
    if last.kind == past.QUARANTINED and not last.body["by_history"]:
        stop("E259 这份名单不是因为与以往不同而未采用，人工采用没有用。办法：按提示请报送单位改正后重报。", 1)
    if last.kind == past.QUARANTINED and part:
        stop(f"E259 这份名单整份没有采用。办法：县代码处写 {_ALL}。", 1)
    if last.kind == past.ACCEPTED and part and part not in {*last.body["rows_by_county"], *last.body["held"]}:
        stop(f"E259 这份名单里没有县代码 {part}。办法：运行 reconcile lists，照它列出的名单和县代码填写。", 1)
    if last.kind == past.ACCEPTED and not (last.body["held"] if part == WHOLE else part in last.body["held"]):
        stop("E259 这份名单上次已经采用，不用处理。", 1)
    return AcceptedByHand(*last.key, part, str(last.body["sha256"]), day)


def _named(county: str) -> str:
    return f"{county} {region.county_name(county) or ''}".strip() if county else "全州（市）"


def _last_night(ledger: cases.Ledger) -> date:
    last = ledger.query("SELECT max(on_date) FROM events")[0][0]
    if last is None:
        stop("E259 台账是空的，没有可以采用的名单。", 1)
    return date.fromisoformat(last)


def _date(text: str, option: str) -> date | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 a business date has no zone
    except ValueError:
        stop(f"E403 {option} 应写成 YYYY-MM-DD，例如 2026-10-31。", 1)


def _must_exist(state: Path) -> None:
    if not cases.Places(state).was_there():
        stop(
            "E715 这个 state 文件夹里没有台账。办法：用 --state 指到运行时用的文件夹；第一次运行后才有台账。",
            1,
        )
