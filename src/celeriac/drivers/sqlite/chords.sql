-- Since version 2. joined: as Delivery.joined
ALTER TABLE lease ADD COLUMN joined INTEGER NOT NULL DEFAULT 0;
-- Chords: how many parts there are and have arrived, and by whom they were joined (the tag of his delivery). ends: seconds since 1970; NULL: never
CREATE TABLE chord (
  id TEXT PRIMARY KEY,
  size INTEGER,
  more INTEGER NOT NULL DEFAULT 0,
  arrived INTEGER NOT NULL DEFAULT 0,
  claimant TEXT,
  closed INTEGER NOT NULL DEFAULT 0,
  ends REAL
) WITHOUT ROWID;
CREATE INDEX chord_ends ON chord (ends) WHERE ends IS NOT NULL;
-- member: "task id:place"; place NULL: behind all others
CREATE TABLE part (
  chord TEXT NOT NULL,
  member TEXT NOT NULL,
  place INTEGER,
  body BLOB NOT NULL,
  PRIMARY KEY (chord, member)
) WITHOUT ROWID;
