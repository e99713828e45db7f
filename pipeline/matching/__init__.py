"""Which row of which list belongs to which person of the register."""

from pipeline.matching.exact import link_exactly as link_exactly
from pipeline.matching.families import link_families as link_families
from pipeline.matching.misnamed import refuse_misnamed as refuse_misnamed
from pipeline.matching.people import load_people as load_people
from pipeline.matching.store import connect as connect
from pipeline.matching.store import open_lists as open_lists
