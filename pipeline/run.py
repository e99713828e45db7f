"""One night, from the departments' exports to the counties' reports and their mail. This file is the table of contents."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import duckdb

from pipeline import cases, delivery, entitlement, intake, matching, reports
from pipeline.cases.list_history import list_history
from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.contracts.delivered import Intake
from pipeline.contracts.list_history import RegisterHeld
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import Rule, load_rules
from pipeline.contracts.settings import Settings, load_settings
from pipeline.contracts.visit_signs import load_visit_signs
from pipeline.identity import region
from pipeline.night_database import night_database
from pipeline.night_outputs import forget_old_reports, write_night
from pipeline.night_state import night_state, purge_old
from pipeline.night_tables import county_names, night_for_reports
from pipeline.results import write_results
from pipeline.run_log import RunLog
from pipeline.system_files import ONLY_OWNER, set_umask
from pipeline.versions import versions

OK, DEGRADED, HELD = 0, 3, 4
KEPT_BACKUPS = 14
_WORST_FIRST = (2, 1, 8, 7, 6, 5, 4, 3)  # of several exit codes the first of these is returned
_NOTHING_THERE = Problem(
    "E210",
    "error",
    "收件夹里没有可用的名册",
    "没有这个文件夹，或其中没有一个文件的名称末尾带日期",
    "按 部门/名单/名称_年月日.后缀 存放，例如 federation/register/持证残疾人名册_20261031.xlsx",
)

_UNDATED = Problem(
    "E406",
    "warning",
    "发信的夜没有写 --as-of",
    "业务日期取收件夹里最新的文件日期，没有新文件就不往前走：推后的邮件不会再试，催办和每月最迟日也不会到",
    "定时任务里写 --as-of $(date +%F)",
)


@dataclass(frozen=True)
class Request:
    """What a night is asked to do. `as_of` None: the newest snapshot date in the inbox."""

    inbox: Path
    out: Path
    state: Path
    schemas: Path
    rules: Path
    as_of: date | None = None
    config: Path | None = None
    send: bool = False


@dataclass(frozen=True)
class Night:
    """What came out: the exit code, the screen that says where to look, and the night in numbers for who watches over it."""

    as_of: date
    exit_code: int
    screen: str
    accepted: int = 0  # lists, counted list × county
    expected: int = 0
    counties: int = 0
    mails: Mapping[str, int] = field(default_factory=dict)  # by fate
    mail_places: Mapping[str, Sequence[str]] = field(default_factory=dict)  # whose did not go, by fate
    codes: Sequence[str] = ()  # of the problems


def run(request: Request, log: RunLog | None = None) -> Night:
    """The whole line once. Raises ReconcileError where nothing can be said (usage, settings, schemas, rules, register)."""
    set_umask(ONLY_OWNER)  # everything here is sensitive personal information
    settings = load_settings(request.config)
    datasets = load_datasets(request.schemas)
    rules, signs = load_rules(request.rules), load_visit_signs(request.rules)
    post = delivery.post_office(settings, request.config, request.state, request.out, send=request.send)
    there = request.inbox.is_dir()
    as_of = request.as_of or (intake.newest_date(request.inbox, datasets, settings) if there else None)
    if as_of is None or not there:
        raise ReconcileError(_NOTHING_THERE)
    models = weights_in_force(settings, request.config)
    entitlement.rehearse(datasets, rules, as_of)
    entitlement.rehearse_visits(signs, entitlement.declared_facts(datasets), as_of)
    _check_writable(request.out, request.state)
    log = log or RunLog(request.state)
    log.as_of = as_of

    with night_state(request.state, request.out) as ledger:
        cases.check_date(ledger, as_of, named=request.as_of is not None)
        with night_database(request.state, settings) as con:
            with log.step("intake"):
                delivered = take_in(request, ledger, datasets, as_of, settings)
            with log.step("matching"):
                delivered = match(con, datasets, delivered, matcher_of(settings, models, request.state))
                delivered = with_problems(delivered, matching.judgements.complaints(request.state))
            with log.step("entitlement"):
                facts = decide(con, datasets, rules, delivered, as_of)
            with log.step("cases"):
                told = follow(con, ledger, rules, facts, delivered, settings, request, datasets)
                delivered = with_problems(delivered, told.problems)
            with log.step("results"):
                compared = entitlement.note_visits(con, signs, facts, request.state, as_of)
                entitlement.keep_night(con, request.state, facts, as_of)
                write_results(con, delivered.coverage, told.cases, request.out / "results")
                night = night_for_reports(con, datasets, rules, settings, delivered, told)
                if signs is not None:
                    rows = entitlement.visit_rows(con)
                    visits = reports.VisitList(signs, rows, compared.earlier, compared.left_out)
                    night = replace(night, visits=visits)
        with log.step("mail"):
            mailed = report_and_mail(ledger, night, told, post, request.out)
            if request.send and request.as_of is None:
                mailed.problems.append(_UNDATED)
        with log.step("keeping"):
            cases.backup(ledger, ledger.places.backups, KEPT_BACKUPS)
            purge_old(ledger, request.state, request.out, settings, as_of)
        with log.step("reports"):
            return _end(night, delivered, told, mailed, request.out)


def take_in(
    request: Request, ledger: cases.Ledger, datasets: dict[str, Dataset], as_of: date, settings: Settings
) -> Intake:
    """What was delivered, judged by itself and beside what was accepted before. Raises ReconcileError E210."""
    history = list_history(ledger, as_of)
    try:
        return intake.take_in(request.inbox, request.state, datasets, as_of, settings, history)
    except RegisterHeld as refused:  # so that `reconcile accept` knows the file that somebody is to look at
        with ledger.transaction():
            ledger.append(cases.register_events(ledger, as_of, refused))
        raise


def match(
    con: duckdb.DuckDBPyConnection,
    datasets: Mapping[str, Dataset],
    delivered: Intake,
    matcher: matching.Matcher | None = None,
) -> Intake:
    """From accepted snapshots to people, links and families; what turns out to be another county's list is refused."""
    matcher = matcher or matching.Matcher()
    matching.open_lists(con, datasets, delivered.snapshots, delivered.unreadable)
    register = next(d for d in datasets.values() if d.role == "register")
    matching.load_people(con, register, region.successor)
    matching.link_exactly(con, datasets)
    matching.link_fuzzily(con, datasets, matcher, region.successor)
    matching.finish_links(con, datasets)
    matching.link_families(con, datasets, matcher, region.successor)
    return matching.refuse_misnamed(con, datasets, delivered)


def decide(
    con: duckdb.DuckDBPyConnection,
    datasets: Mapping[str, Dataset],
    rules: Mapping[str, Rule],
    delivered: Intake,
    as_of: date,
) -> dict[str, entitlement.Fact]:
    """From links to facts, outcomes and findings. Every declared fact is built, so that rules to come can be tried on them."""
    facts = entitlement.declared_facts(datasets)
    compiled = entitlement.compile_rules(rules, facts, as_of)
    counties = delivered.coverage["county_code"].unique().to_list()
    entitlement.load_coverage(con, datasets, delivered)
    entitlement.build_parameters(con, rules, counties, as_of)
    entitlement.build_facts(con, datasets, facts, as_of)
    entitlement.decide(con, compiled, facts, datasets, as_of)
    return facts


def with_problems(delivered: Intake, more: Iterable[Problem]) -> Intake:
    return replace(delivered, problems=tuple(sorted((*delivered.problems, *more))))


def follow(
    con: duckdb.DuckDBPyConnection,
    ledger: cases.Ledger,
    rules: Mapping[str, Rule],
    facts: Mapping[str, entitlement.Fact],
    delivered: Intake,
    settings: Settings,
    request: Request,
    datasets: Mapping[str, Dataset],
) -> cases.Followed:
    """From outcomes and findings to cases, with what the counties answered."""
    compiled = entitlement.compile_rules(rules, facts, delivered.as_of)
    names = county_names(delivered, settings)
    night = cases.JudgedNight(con, compiled, facts, delivered.coverage, names, delivered.as_of)
    written, _ = reports.last_night_of(request.out)
    return cases.follow(ledger, night, delivered, request.inbox, versions(datasets.values()), written)


def weights_in_force(settings: Settings, config: Path | None) -> matching.Models:
    """The frozen weights that the settings name (beside them), else the documented priors. Raises ReconcileError E510."""
    chosen = settings.matching.weights
    return matching.load_models((config.parent if config else Path()) / chosen if chosen else matching.PRIORS)


def matcher_of(settings: Settings, models: matching.Models, state: Path) -> matching.Matcher:
    """Weights and thresholds with what clerks have judged. Raises ReconcileError E520."""
    chosen, answers = settings.matching, matching.judgements.current(state)
    return matching.Matcher(models, chosen.link_probability, chosen.review_probability, answers)


def report_and_mail(
    ledger: cases.Ledger,
    night: reports.NightForReports,
    told: cases.Followed,
    post: delivery.Post,
    out: Path,
) -> delivery.Mailed:
    """Each county's report as it stands when its letter has gone; then the letters. Raises ReconcileError as `deliver`."""
    if post.courier is not None:
        delivery.recover_letters(ledger, told.book, post.state, night.as_of)
    plan = delivery.plan_mail(ledger, told.book, night.coverage, night.datasets, night.settings, night.as_of)
    anew = delivery.plan_anew(told.book, plan, night.settings)
    plan = delivery.without(plan, anew)
    printed = replace(night, cases=plan.told(told.table), period=plan.period)
    forget_old_reports(out / "reports")
    reports.write_county_reports(printed, out)
    if anew is None:
        return delivery.deliver(ledger, told.book, plan, printed, post)
    once_more = anew.to_mail(night, told.table)
    reports.write_county_reports(anew.to_print(once_more), out)  # over what stands there of these counties
    return delivery.deliver(ledger, told.book, plan, printed, post, (anew, once_more))


def _end(
    night: reports.NightForReports,
    delivered: Intake,
    told: cases.Followed,
    mailed: delivery.Mailed,
    out: Path,
) -> Night:
    """What is told of the whole night, once everything has happened."""
    # register people of unknown counties are nobody's: the register is used, but the night is not whole
    homeless = any(p.code == "E241" and not p.row for p in delivered.problems)
    held = HELD if night.floods or mailed.held else OK
    degraded = DEGRADED if night.degraded or homeless else OK
    found = {mailed.exit_code, held, degraded}
    exit_code = next((code for code in _WORST_FIRST if code in found), OK)
    night = replace(night, cases=told.table, problems=tuple(sorted((*night.problems, *mailed.problems))))
    write_night(
        night, delivered, told, mailed, out, exit_code=exit_code, versions=versions(night.datasets.values())
    )
    lines = [reports.screen_summary(night, out), *mailed.lines(), *(r.line() for r in told.receipts)]
    lines += [problem.line() for problem in mailed.problems if problem is _UNDATED]
    statuses = night.coverage["status"]
    return Night(
        night.as_of,
        exit_code,
        "\n".join(lines),
        accepted=int((statuses == "accepted").sum()),
        expected=len(statuses),
        counties=len(night.counties),
        mails=mailed.counts(),
        mail_places=mailed.places(),
        codes=tuple(problem.code for problem in night.problems),
    )


def _check_writable(*folders: Path) -> None:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            writable = os.access(folder, os.W_OK | os.X_OK)
        except OSError:
            writable = False
        if not writable:
            raise ReconcileError(
                Problem(
                    "E405",
                    "error",
                    "输出或状态目录不能写",
                    "不是文件夹，或没有写权限",
                    "换一个 --out 或 --state，或请管理员开放权限",
                    file=folder.name,
                )
            )
