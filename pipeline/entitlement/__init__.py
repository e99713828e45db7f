"""Who is due what, and what the accepted lists show of it: facts, rules, three-valued outcomes, reasons."""

from pipeline.entitlement.cases import run_cases as run_cases
from pipeline.entitlement.compile import compile_rules as compile_rules
from pipeline.entitlement.compile import facts_used as facts_used
from pipeline.entitlement.coverage import load_coverage as load_coverage
from pipeline.entitlement.decide import decide as decide
from pipeline.entitlement.facts import build_facts as build_facts
from pipeline.entitlement.facts import declared_facts as declared_facts
from pipeline.entitlement.parameters import build_parameters as build_parameters
