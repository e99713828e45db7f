-- What happened, in order, and what the ledger remembers about itself. Everything else can be made from the events.
CREATE TABLE meta (
  key TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
);
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY,
  on_date TEXT NOT NULL CHECK (length(on_date) = 10),
  kind TEXT NOT NULL,
  case_number TEXT,
  body TEXT NOT NULL,
  hash TEXT NOT NULL CHECK (length(hash) = 64)
);
CREATE INDEX events_of_case ON events (case_number) WHERE case_number IS NOT NULL;
CREATE TRIGGER events_come_in_order BEFORE INSERT ON events
WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM events)
BEGIN
  SELECT RAISE(ABORT, 'events come one after the other');
END;
CREATE TRIGGER events_stay BEFORE UPDATE ON events
BEGIN
  SELECT RAISE(ABORT, 'events are never changed');
END;
CREATE TRIGGER events_remain BEFORE DELETE ON events
BEGIN
  SELECT RAISE(ABORT, 'events are never removed');
END;
