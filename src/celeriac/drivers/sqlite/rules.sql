-- Since version 5. What operators have said, beside the revoked ids. kind: 'queue' or 'task'
CREATE TABLE pause (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE stamp_revocation (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  header TEXT NOT NULL,
  value TEXT NOT NULL,
  ends REAL NOT NULL,
  UNIQUE (header, value)
);
-- A fourth place where a message may lie: put aside, under the name of its task type.
CREATE TABLE parked (
  task TEXT NOT NULL,
  message INTEGER NOT NULL,
  PRIMARY KEY (task, message)
) WITHOUT ROWID;
