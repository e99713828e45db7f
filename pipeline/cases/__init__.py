"""The case ledger: the life of a case from the first flag until the data show it settled.

So far its store: numbers, keys, chained events, backups and their check. What the events mean is to come.
"""

from pipeline.cases.backup import backup as backup
from pipeline.cases.backup import backups as backups
from pipeline.cases.chain import StoredEvent as StoredEvent
from pipeline.cases.check import Replay as Replay
from pipeline.cases.check import check as check
from pipeline.cases.county_letters import county_letters as county_letters
from pipeline.cases.event import Event as Event
from pipeline.cases.ledger import Ledger as Ledger
from pipeline.cases.ledger import open_ledger as open_ledger
from pipeline.cases.person_key import PersonKey as PersonKey
from pipeline.cases.places import Places as Places
from pipeline.cases.restore import Restoration as Restoration
from pipeline.cases.restore import plan_restore as plan_restore
from pipeline.cases.restore import restore as restore
from pipeline.cases.witness import Head as Head
