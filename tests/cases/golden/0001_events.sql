PRAGMA application_id = 1380142129;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY,
  on_date TEXT NOT NULL CHECK (length(on_date) = 10),
  kind TEXT NOT NULL,
  case_number TEXT,
  body TEXT NOT NULL,
  hash TEXT NOT NULL CHECK (length(hash) = 64)
);
INSERT INTO "events" VALUES(1,'2026-10-31','found','XGLL-2610-0002-0','{"benefit":"护理补贴","fen":8001,"why":["未享受",null,false]}','4a406441dc845f04cf07f61fb3d85f73209ec874b4afd641a588fa9fa93cd7f1');
INSERT INTO "events" VALUES(2,'2026-10-31','found','XGLL-2610-0010-0','{"benefit":"护理补贴","fen":8002,"why":["未享受",null,true]}','2d36bdb032c661694728425f41cc6f67fe79c393606aa32fd6a34262c7cd7619');
INSERT INTO "events" VALUES(3,'2026-10-31','found','XGLL-2610-0048-9','{"benefit":"护理补贴","fen":8003,"why":["未享受",null,false]}','95e88ea8108d56a7536a879e57d00b328c9564c5568d8dfa247e4faac21df7b0');
INSERT INTO "events" VALUES(4,'2026-10-31','found','XGLL-2610-0049-7','{"benefit":"护理补贴","fen":8004,"why":["未享受",null,true]}','5f549c6223328569327b987d8801857469ccafde3cc85833b597e824ad2d78b6');
INSERT INTO "events" VALUES(5,'2026-10-31','found','XGLL-2610-0056-9','{"benefit":"护理补贴","fen":8005,"why":["未享受",null,false]}','39d4eed76f7598a97423d76d48bc8a3a4c71f8791ab2803d8b1157d7a21c9ca6');
INSERT INTO "events" VALUES(6,'2026-10-31','found','XGLL-2610-0057-7','{"benefit":"护理补贴","fen":8006,"why":["未享受",null,true]}','992a7233ba64ab42e5babfb8c9ada3a519e89e4fbf6b158bcfd74ebb26fcd9c7');
CREATE TABLE meta (
  key TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
);
INSERT INTO "meta" VALUES('key_id','630dcd29');
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
COMMIT;
