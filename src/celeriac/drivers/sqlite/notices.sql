-- Since version 4. Notices: who listens to what, and what was said in the last seconds. mailbox: its pattern is a key, and only
-- answers come there. said: seconds since 1970
CREATE TABLE ear (
  number INTEGER PRIMARY KEY,
  address TEXT NOT NULL,
  exchange TEXT NOT NULL,
  pattern TEXT NOT NULL,
  mailbox INTEGER NOT NULL
);
CREATE INDEX ear_address ON ear (address);
CREATE TABLE notice (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  exchange TEXT NOT NULL,
  routing_key TEXT NOT NULL,
  mailbox INTEGER NOT NULL,
  said REAL NOT NULL,
  raw BLOB NOT NULL
);
CREATE INDEX notice_exchange ON notice (exchange, mailbox, number);
CREATE INDEX notice_said ON notice (said);
