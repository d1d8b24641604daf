-- One row for each idempotency key. Handles hold nothing secret; requests are kept as digests only.
CREATE TABLE creations (
    key TEXT PRIMARY KEY NOT NULL,
    digests TEXT NOT NULL,     -- JSON: a digest for each part of the request
    state TEXT NOT NULL CHECK (state IN ('intended', 'created', 'ambiguous')),
    owner TEXT NOT NULL,       -- the process that wrote the row; its lock file tells whether it lives
    handle BLOB,               -- once created
    reason TEXT,               -- when ambiguous
    changed_at REAL NOT NULL   -- seconds since 1970
) WITHOUT ROWID;

CREATE INDEX settled_creations_by_age ON creations (changed_at) WHERE state <> 'intended';
