-- One row for each idempotency key: how its create stands, and what is known of its job. Times are seconds since 1970 by
-- this database's clock. Handles hold nothing secret; requests are kept as digests, and as a whole only while their
-- outcome is open.
CREATE TABLE connectory_jobs (
    key TEXT PRIMARY KEY,
    digests TEXT NOT NULL,                 -- JSON: a digest for each part of the request
    state TEXT NOT NULL CHECK (state IN ('intended', 'created', 'ambiguous', 'deleted')),
    owner TEXT NOT NULL,                   -- the process that settles an intent; its lease is in connectory_owners
    category TEXT NOT NULL,                -- task category, name@version; empty when only the key is known
    execution TEXT NOT NULL,               -- organisation/project/domain/execution/node/attempt; empty when for none
    handle BYTEA,                          -- once created
    job BIGINT,                            -- NULL: nothing may exist outside; else a hash of the handle, 0 without one
    reason TEXT,                           -- when ambiguous
    request BYTEA,                         -- while it is open whether there is a job, and it can be looked for
    awaited SMALLINT NOT NULL DEFAULT 0,   -- 1: another process waits for a change
    phase INTEGER NOT NULL DEFAULT 0,      -- of the latest poll
    lease DOUBLE PRECISION,                -- seconds; NULL: for ever
    created_at DOUBLE PRECISION NOT NULL,  -- when the intent was written
    changed_at DOUBLE PRECISION NOT NULL,  -- when the state changed
    seen_at DOUBLE PRECISION,              -- when it was last polled
    lease_until DOUBLE PRECISION,          -- when it counts as abandoned
    delete_since DOUBLE PRECISION,         -- when its deletion was first asked for
    orphan_since DOUBLE PRECISION,         -- when a reaper first found it abandoned and left it alone
    held_until DOUBLE PRECISION            -- until when a reaper has it
);

CREATE INDEX connectory_open_jobs ON connectory_jobs (job) WHERE job IS NOT NULL;
CREATE INDEX connectory_settled_jobs ON connectory_jobs (changed_at) WHERE state <> 'intended';

-- The processes that write intents. One whose lease has run out is taken for dead.
CREATE TABLE connectory_owners (
    name TEXT PRIMARY KEY,
    alive_until DOUBLE PRECISION NOT NULL
);
