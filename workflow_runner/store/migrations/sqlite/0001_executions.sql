CREATE TABLE executions (
  id TEXT PRIMARY KEY,
  workflow TEXT NOT NULL,
  phase TEXT NOT NULL,
  error TEXT NOT NULL,
  started_at REAL NOT NULL,
  ended_at REAL
) WITHOUT ROWID;

CREATE INDEX executions_by_start ON executions (started_at DESC, id);

-- The log: one row for each event, with the commands that it led to.
CREATE TABLE events (
  execution TEXT NOT NULL REFERENCES executions (id),
  number INTEGER NOT NULL,
  event BLOB NOT NULL,
  commands BLOB NOT NULL,
  PRIMARY KEY (execution, number)
);

-- What plugins remember of an attempt from one round to the next.
CREATE TABLE plugin_states (
  execution TEXT NOT NULL REFERENCES executions (id),
  node TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  version INTEGER NOT NULL,
  state BLOB NOT NULL,
  PRIMARY KEY (execution, node, attempt)
) WITHOUT ROWID;
