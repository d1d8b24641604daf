-- One row for each idempotency key: how its create stands, and what is known of its job. Times are seconds since 1970.
-- Handles hold nothing secret; requests are kept as digests, and as a whole only while their outcome is open.
CREATE TABLE connectory_jobs (
    key TEXT PRIMARY KEY NOT NULL,
    digests TEXT NOT NULL,             -- JSON: a digest for each part of the request
    state TEXT NOT NULL CHECK (state IN ('intended', 'created', 'ambiguous', 'deleted')),
    owner TEXT NOT NULL,               -- the process that settles an intent
    category TEXT NOT NULL,            -- task category, name@version; empty when only the key is known
    execution TEXT NOT NULL,           -- organisation/project/domain/execution/node/attempt; empty when for none
    handle BLOB,                       -- once created
    job INTEGER,                       -- NULL: nothing may exist outside; else a hash of the handle, 0 without one
    reason TEXT,                       -- when ambiguous
    request BLOB,                      -- while it is open whether there is a job, and it can be looked for
    awaited INTEGER NOT NULL DEFAULT 0,-- 1: another process waits for a change
    phase INTEGER NOT NULL DEFAULT 0,  -- of the latest poll
    lease REAL,                        -- seconds; NULL: for ever
    created_at REAL NOT NULL,          -- when the intent was written
    changed_at REAL NOT NULL,          -- when the state changed
    seen_at REAL,                      -- when it was last polled
    lease_until REAL,                  -- when it counts as abandoned
    delete_since REAL,                 -- when its deletion was first asked for
    orphan_since REAL,                 -- when a reaper first found it abandoned and left it alone
    held_until REAL                    -- until when a reaper has it
) WITHOUT ROWID;

INSERT INTO connectory_jobs (key, digests, state, owner, category, execution, handle, job, reason, created_at, changed_at)
SELECT key, digests, state, owner, '', '', handle, CASE WHEN state <> 'created' THEN 0 END, reason, changed_at, changed_at
FROM creations;

DROP TABLE creations;

CREATE INDEX connectory_open_jobs ON connectory_jobs (job) WHERE job IS NOT NULL;
CREATE INDEX connectory_settled_jobs ON connectory_jobs (changed_at) WHERE state <> 'intended';
