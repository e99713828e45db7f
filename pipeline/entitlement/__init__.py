"""Who is due what, and what the accepted lists show of it: facts, rules, three-valued outcomes, reasons."""

from pipeline.entitlement.cases import run_cases as run_cases
from pipeline.entitlement.compile import compile_rules as compile_rules
from pipeline.entitlement.compile import facts_used as facts_used
from pipeline.entitlement.coverage import load_coverage as load_coverage
from pipeline.entitlement.decide import decide as decide
from pipeline.entitlement.decide import decide_people as decide_people
from pipeline.entitlement.fact import Fact as Fact
from pipeline.entitlement.facts import build_facts as build_facts
from pipeline.entitlement.facts import declared_facts as declared_facts
from pipeline.entitlement.kept_night import keep_night as keep_night
from pipeline.entitlement.parameters import build_parameters as build_parameters
from pipeline.entitlement.rehearse import rehearse as rehearse
from pipeline.entitlement.visit_signs import note_visits as note_visits
from pipeline.entitlement.visit_signs import rehearse_visits as rehearse_visits
from pipeline.entitlement.visit_signs import visit_rows as visit_rows
