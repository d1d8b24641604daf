-- What processes that share the file tell each other; the oldest are dropped.
CREATE TABLE notices (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL
);
