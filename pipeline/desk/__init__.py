"""The analyst's commands that look at things: check, show and start dataset files and rules."""

from pipeline.desk.add_alias import add_alias as add_alias
from pipeline.desk.check_rules import check_rules as check_rules
from pipeline.desk.check_schemas import check_schemas as check_schemas
from pipeline.desk.explain import explain as explain
from pipeline.desk.explain_night import NightFolders as NightFolders
from pipeline.desk.init_settings import init_settings as init_settings
from pipeline.desk.new_schema import new_schema as new_schema
from pipeline.desk.review_command import ReviewRequest as ReviewRequest
from pipeline.desk.review_command import review as review
from pipeline.desk.rule_cases import test_rules as test_rules
from pipeline.desk.show_schema import show_schema as show_schema
from pipeline.desk.tune import TuneRequest as TuneRequest
from pipeline.desk.tune import tune as tune
