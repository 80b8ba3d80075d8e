-- A message is one row, and lies in exactly one place: waiting, schedule or lease. Dead letters have rows of their own.
-- Its id is also its rank: of one queue and priority the smallest comes first, so what goes back to the front gets a
-- smaller one (below zero in the end), and what was delayed a new largest one when it is due.

CREATE TABLE message (
  id INTEGER PRIMARY KEY,
  queue TEXT NOT NULL,
  priority INTEGER NOT NULL,
  raw BLOB NOT NULL
);

CREATE TABLE waiting (
  queue TEXT NOT NULL,
  priority INTEGER NOT NULL,
  message INTEGER NOT NULL,
  PRIMARY KEY (queue, priority, message)
) WITHOUT ROWID;

-- due: seconds since 1970
CREATE TABLE schedule (
  due REAL NOT NULL,
  message INTEGER NOT NULL,
  PRIMARY KEY (due, message)
) WITHOUT ROWID;

-- AUTOINCREMENT: a tag is never given twice, also when the last lease is gone.
CREATE TABLE lease (
  tag INTEGER PRIMARY KEY AUTOINCREMENT,
  lessee INTEGER NOT NULL,
  message INTEGER NOT NULL
);

CREATE TABLE lessee (
  id INTEGER PRIMARY KEY,
  node TEXT NOT NULL,
  child TEXT NOT NULL,
  UNIQUE (node, child)
);

-- seen, ends: seconds since 1970; lease: seconds; info: JSON
CREATE TABLE node (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  info BLOB NOT NULL,
  seen REAL NOT NULL,
  lease REAL NOT NULL,
  ends REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE dead (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at REAL NOT NULL,
  queue TEXT NOT NULL,
  priority INTEGER NOT NULL,
  reason TEXT NOT NULL,
  detail TEXT NOT NULL,
  task TEXT NOT NULL,
  task_id TEXT NOT NULL,
  raw BLOB NOT NULL
);

CREATE TABLE revocation (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  ends REAL NOT NULL
);

-- ends: seconds since 1970; NULL: never
CREATE TABLE result (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  state TEXT NOT NULL,
  body BLOB NOT NULL,
  ends REAL
);
CREATE INDEX result_ends ON result (ends) WHERE ends IS NOT NULL;

-- Where the result of an id lies (finding.py): each is noted in one of both. key: 32 bits of the id.
CREATE TABLE tail (
  number INTEGER PRIMARY KEY,
  key INTEGER NOT NULL
);
CREATE TABLE place (
  key INTEGER NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (key, number)
) WITHOUT ROWID;

-- Who waits for messages of a queue, the longest first; queue NULL: for a new first date in the schedule.
CREATE TABLE waiter (
  number INTEGER PRIMARY KEY,
  address TEXT NOT NULL,
  queue TEXT
);

-- Who wants to hear of which task, and what he has not yet been told.
CREATE TABLE watcher (
  task_id TEXT NOT NULL,
  address TEXT NOT NULL,
  PRIMARY KEY (task_id, address)
) WITHOUT ROWID;
CREATE TABLE news (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  address TEXT NOT NULL,
  task_id TEXT NOT NULL,
  body BLOB NOT NULL
);

-- Single values: the revision of the revocations, the moments of the last keep and of the last
-- sweep, how often the tail has moved.
CREATE TABLE mark (
  name TEXT PRIMARY KEY,
  value NOT NULL
) WITHOUT ROWID;
INSERT INTO mark VALUES ('revision', 0), ('kept', 0), ('swept', 0), ('moved', 0);
