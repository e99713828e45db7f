"""What the reports may know of a night, read once from the night's database."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from pipeline import cases, reports
from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import Intake
from pipeline.contracts.rule import Rule
from pipeline.contracts.settings import Settings
from pipeline.identity import region

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

_COUNTS_AS = """
select old.certificate_number, min(new.certificate_number)
from counts_as as s join people as old on old.person = s.person join people as new on new.person = s.counting
group by old.certificate_number order by old.certificate_number"""


def county_names(delivered: Intake, settings: Settings) -> dict[str, str]:
    """Code → name of the night's counties: as set, else as the divisions have it, else the code."""
    codes = sorted(delivered.coverage["county_code"].unique().to_list())
    own = {code: settings.counties[code].name for code in codes if code in settings.counties}
    return {code: own.get(code) or region.county_name(code) or code for code in codes}


def night_for_reports(
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
        floods=told.floods,
        counts_as=dict(con.sql(_COUNTS_AS).fetchall()),
    )
