-- Entries of beats (timetable.py). due: milliseconds since 1970; NULL: never. revision: of the whole file, never given twice.
CREATE TABLE entry (
  timetable TEXT NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  due INTEGER,
  entry BLOB NOT NULL,
  state BLOB NOT NULL,
  PRIMARY KEY (timetable, name)
) WITHOUT ROWID;
CREATE INDEX entry_due ON entry (timetable, due) WHERE due IS NOT NULL;

-- ends: seconds since 1970; lease: seconds
CREATE TABLE leader (
  timetable TEXT PRIMARY KEY,
  who TEXT NOT NULL,
  ends REAL NOT NULL,
  lease REAL NOT NULL
) WITHOUT ROWID;

INSERT INTO mark VALUES ('entries', 0);
