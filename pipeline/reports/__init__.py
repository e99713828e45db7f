"""What people read of a night: each county's list, the analyst's summary, the screen, and run.json for machines."""

from pipeline.reports.county import write_county_reports as write_county_reports
from pipeline.reports.follow_up import write_follow_up as write_follow_up
from pipeline.reports.needs import write_needs as write_needs
from pipeline.reports.night import NightForReports as NightForReports
from pipeline.reports.night import VisitList as VisitList
from pipeline.reports.run_json import last_night_of as last_night_of
from pipeline.reports.run_json import write_run_json as write_run_json
from pipeline.reports.screen import screen_summary as screen_summary
from pipeline.reports.summary import write_summary as write_summary
