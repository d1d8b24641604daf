-- Results of tasks, by what they depend on.
CREATE TABLE cached_results (
  key TEXT PRIMARY KEY,
  outputs BLOB NOT NULL,
  source TEXT NOT NULL,
  kept_at REAL NOT NULL
) WITHOUT ROWID;

-- Who works out a result that only one may work out at a time, and until when that is believed.
CREATE TABLE cache_claims (
  key TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  until REAL NOT NULL
) WITHOUT ROWID;
