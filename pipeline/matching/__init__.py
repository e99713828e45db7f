"""Which row of which list belongs to which person of the register."""

from pipeline.matching import judgements as judgements
from pipeline.matching.assignment import assign as assign
from pipeline.matching.estimate import Fit as Fit
from pipeline.matching.estimate import estimate_m as estimate_m
from pipeline.matching.estimate import estimate_u as estimate_u
from pipeline.matching.estimate import fit as fit
from pipeline.matching.exact import finish_links as finish_links
from pipeline.matching.exact import link_exactly as link_exactly
from pipeline.matching.families import link_families as link_families
from pipeline.matching.fellegi_sunter import Field as Field
from pipeline.matching.fellegi_sunter import Level as Level
from pipeline.matching.fellegi_sunter import Model as Model
from pipeline.matching.fellegi_sunter import match_weights as match_weights
from pipeline.matching.fellegi_sunter import probability as probability
from pipeline.matching.fuzzy import link_fuzzily as link_fuzzily
from pipeline.matching.misnamed import refuse_misnamed as refuse_misnamed
from pipeline.matching.model_file import Models as Models
from pipeline.matching.model_file import load_models as load_models
from pipeline.matching.model_file import save_models as save_models
from pipeline.matching.pair_matching import PRIORS as PRIORS
from pipeline.matching.pair_matching import Matcher as Matcher
from pipeline.matching.people import load_people as load_people
from pipeline.matching.store import connect as connect
from pipeline.matching.store import open_lists as open_lists
