"""One night, from the departments' exports to the counties' reports. This file is the table of contents."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

import duckdb

from pipeline import cases, entitlement, intake, matching, reports
from pipeline.cases.list_history import list_history
from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.contracts.delivered import Intake
from pipeline.contracts.list_history import RegisterHeld
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import Rule, load_rules
from pipeline.contracts.settings import Settings, load_settings
from pipeline.contracts.tables import REMINDERS
from pipeline.contracts.visit_signs import load_visit_signs
from pipeline.identity import region
from pipeline.identity.mask import mask_text
from pipeline.reports.reminders import reminder_rows
from pipeline.results import write_batches, write_results
from pipeline.run_lock import only_run

OK, DEGRADED, HELD = 0, 3, 4
_NOTHING_THERE = Problem(
    "E210",
    "error",
    "收件夹里没有可用的名册",
    "没有这个文件夹，或其中没有一个文件的名称末尾带日期",
    "按 部门/名单/名称_年月日.后缀 存放，例如 federation/register/持证残疾人名册_20261031.xlsx",
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


@dataclass(frozen=True)
class Night:
    """What came out: the exit code and the screen that says where to look."""

    as_of: date
    exit_code: int
    screen: str


def run(request: Request) -> Night:
    """The whole line once. Raises ReconcileError where nothing can be said (usage, settings, schemas, rules, register)."""
    os.umask(0o077)  # everything here is sensitive personal information
    settings = load_settings(request.config)
    datasets = load_datasets(request.schemas)
    rules, signs = load_rules(request.rules), load_visit_signs(request.rules)
    there = request.inbox.is_dir()
    as_of = request.as_of or (intake.newest_date(request.inbox, datasets, settings) if there else None)
    if as_of is None or not there:
        raise ReconcileError(_NOTHING_THERE)
    models = weights_in_force(settings, request.config)
    entitlement.rehearse(datasets, rules, as_of)
    entitlement.rehearse_visits(signs, entitlement.declared_facts(datasets), as_of)
    _check_writable(request.out, request.state)

    with (
        only_run(request.state),
        cases.open_ledger(request.state) as ledger,
        _database(request.state, settings) as con,
    ):
        delivered = take_in(request, ledger, datasets, as_of, settings)
        matcher = matcher_of(settings, models, request.state)
        delivered = match(con, datasets, delivered, matcher)
        said = (*delivered.problems, *matching.judgements.complaints(request.state))
        delivered = replace(delivered, problems=tuple(sorted(said)))
        facts = decide(con, datasets, rules, delivered, as_of)
        told = follow(con, ledger, rules, facts, delivered, settings, request.inbox)
        delivered = replace(delivered, problems=tuple(sorted((*delivered.problems, *told.problems))))
        compared = entitlement.note_visits(con, signs, facts, request.state, as_of)
        entitlement.keep_night(con, request.state, facts, as_of)
        write_results(con, delivered.coverage, told.cases, request.out / "results")
        night = _for_reports(con, datasets, rules, settings, delivered, told)
        if signs is not None:
            rows = entitlement.visit_rows(con)
            visits = reports.VisitList(signs, rows, compared.earlier, compared.left_out)
            night = replace(night, visits=visits)
    return _report(replace(night, floods=told.floods), delivered, told, request.out)


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


def follow(
    con: duckdb.DuckDBPyConnection,
    ledger: cases.Ledger,
    rules: Mapping[str, Rule],
    facts: Mapping[str, entitlement.Fact],
    delivered: Intake,
    settings: Settings,
    inbox: Path,
) -> cases.Followed:
    """From outcomes and findings to cases, with what the counties answered."""
    compiled = entitlement.compile_rules(rules, facts, delivered.as_of)
    names = county_names(delivered, settings)
    night = cases.JudgedNight(con, compiled, facts, delivered.coverage, names, delivered.as_of)
    return cases.follow(ledger, night, delivered, inbox, _versions())


def county_names(delivered: Intake, settings: Settings) -> dict[str, str]:
    """Code → name of the night's counties: as set, else as the divisions have it, else the code."""
    codes = sorted(delivered.coverage["county_code"].unique().to_list())
    own = {code: settings.counties[code].name for code in codes if code in settings.counties}
    return {code: own.get(code) or region.county_name(code) or code for code in codes}


def weights_in_force(settings: Settings, config: Path | None) -> matching.Models:
    """The frozen weights that the settings name (beside them), else the documented priors. Raises ReconcileError E510."""
    chosen = settings.matching.weights
    return matching.load_models((config.parent if config else Path()) / chosen if chosen else matching.PRIORS)


def matcher_of(settings: Settings, models: matching.Models, state: Path) -> matching.Matcher:
    """Weights and thresholds with what clerks have judged. Raises ReconcileError E520."""
    chosen, answers = settings.matching, matching.judgements.current(state)
    return matching.Matcher(models, chosen.link_probability, chosen.review_probability, answers)


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


_PEOPLE = """
select certificate_number, id_number, name, county_code, address, category, level, valid_until, state, birth_date,
  guardian_name, cast(null as varchar) as phone
from people order by certificate_number, person"""

_MATCHED = """
select p.certificate_number, l.method, count(distinct l.dataset) as lists, min(l.match_probability) as least
from links as l join people as p on p.person = l.person
where l.decision = 'linked'
group by p.certificate_number, l.method
order by p.certificate_number, l.method"""

_DOUBTFUL = """
select certificate_number, dataset, source_file, source_row, method, match_probability
from pairs where decision = 'review'
order by certificate_number, dataset, source_file, source_row"""

_ANSWERS = """
select p.certificate_number, p.id_number, p.name, o.county_code, o.benefit, o.outcome, o.strength, o.reason, o.rule_version,
  cast(o.yuan_a_month as double) as yuan_a_month, cast(o.yuan_once as double) as yuan_once
from outcomes as o join people as p on p.person = o.person
order by o.person, o.benefit"""


def _for_reports(
    con: duckdb.DuckDBPyConnection,
    datasets: Mapping[str, Dataset],
    rules: Mapping[str, Rule],
    settings: Settings,
    delivered: Intake,
    told: cases.Followed,
) -> reports.NightForReports:
    names = county_names(delivered, settings)
    codes = list(names)
    return reports.NightForReports(
        as_of=delivered.as_of,
        region=settings.region or (region.prefecture_name(codes[0]) if codes else None) or "",
        counties=names,
        people=con.sql(_PEOPLE).pl(),
        outcomes=con.sql(_ANSWERS).pl(),
        findings=con.sql(
            "select certificate_number, id_number, name, county_code, finding, reason from findings order by finding, certificate_number, id_number, name"
        ).pl(),
        coverage=delivered.coverage,
        links=con.sql("select dataset, source_file, source_row, method, decision from links").pl(),
        unlinked=con.sql(
            "select u.dataset, u.source_file, u.source_row, p.certificate_number, u.reason"
            " from unlinked as u join people as p on p.person = u.person"
            " order by u.dataset, u.source_file, u.sheet, u.source_row, u.person, u.reason"
        ).pl(),
        matched=con.sql(_MATCHED).pl(),
        doubtful=con.sql(_DOUBTFUL).pl(),
        quality=delivered.quality,
        problems=delivered.problems,
        files_read=delivered.files_read,
        rows_read=delivered.rows_read,
        rows_quarantined=delivered.rows_quarantined,
        rules=dict(rules),
        datasets=dict(datasets),
        settings=settings,
        cases=told.table,
    )


def _report(night: reports.NightForReports, delivered: Intake, told: cases.Followed, out: Path) -> Night:
    _forget_old_reports(out / "reports")
    reminders = reminder_rows(night).to_arrow().to_batches()
    write_batches(reminders, REMINDERS, out / "results/reminders.parquet")
    reports.write_county_reports(night, out)
    reports.write_summary(night, out, told.flow)
    reports.write_follow_up(night, told.flow, out)
    cases.write_receipts(told.receipts, out, night.as_of)
    reports.write_needs(night, out)
    intake.quarantine_frame(delivered.problems).write_csv(out / "quarantine.csv", include_bom=True)
    # register people of unknown counties are nobody's: the register is used, but the night is not whole
    homeless = any(p.code == "E241" and not p.row for p in delivered.problems)
    exit_code = HELD if night.floods else DEGRADED if night.degraded or homeless else OK
    inputs = [
        {"file": mask_text(s.source_file), "dataset": s.dataset, "rows": s.rows} for s in delivered.snapshots
    ]
    reports.write_run_json(night, out, exit_code=exit_code, inputs=inputs, versions=_versions())
    answers = "".join(f"\n{receipt.line()}" for receipt in told.receipts)
    return Night(night.as_of, exit_code, reports.screen_summary(night, out) + answers)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("reconcile", "duckdb", "polars")}


def _forget_old_reports(folder: Path) -> None:
    """Last run's reports go, so that no county's old list lies beside the new ones. Only our own folders."""
    if folder.is_dir():
        for old in sorted(folder.iterdir()):
            if old.is_dir() and not old.is_symlink() and old.name.isdigit() and len(old.name) == 6:
                shutil.rmtree(old)


class _database:
    """The night's DuckDB with a private spill folder, emptied before and after (spilled pages are plain text)."""

    def __init__(self, state: Path, settings: Settings) -> None:
        self._spill = state / "spill"
        self._settings = settings

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        shutil.rmtree(self._spill, ignore_errors=True)
        self._spill.mkdir(parents=True, mode=0o700)
        limits = self._settings.limits
        self._con = matching.connect(limits.memory_gb, limits.threads, str(self._spill))
        return self._con

    def __exit__(self, *_: object) -> None:
        self._con.close()
        shutil.rmtree(self._spill, ignore_errors=True)
