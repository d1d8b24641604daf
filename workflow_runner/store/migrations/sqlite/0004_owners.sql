ALTER TABLE executions ADD COLUMN project TEXT NOT NULL DEFAULT '';
ALTER TABLE executions ADD COLUMN domain TEXT NOT NULL DEFAULT '';

-- The runner that drives the execution; empty: none does.
ALTER TABLE executions ADD COLUMN owner TEXT NOT NULL DEFAULT '';

CREATE INDEX unfinished_executions ON executions (owner, started_at) WHERE ended_at IS NULL;

-- Runners, and until when each of them is believed to live unless it says so again.
CREATE TABLE owners (
  owner TEXT PRIMARY KEY,
  lease_until REAL NOT NULL
) WITHOUT ROWID;
