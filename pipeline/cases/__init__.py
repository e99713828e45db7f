"""The case ledger: the life of a case from the first flag until the data show it settled. To come; the room is kept."""
