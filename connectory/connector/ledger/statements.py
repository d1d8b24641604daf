"""Every SQL statement of the durable ledgers, in the words that SQLite and PostgreSQL share.

`:now` is the database's own clock, in seconds since 1970, and the same all through a statement. The tables are in
`migrations/`. RETURNING names plain columns only: SQLite gets IS NULL wrong there.
"""

from typing import Final

__all__ = [
    "AWAIT",
    "BURY",
    "CLOSE",
    "CONFIRM",
    "COUNT",
    "DECIDE",
    "DOOM",
    "DOOM_HANDLE",
    "DOOM_LAPSED",
    "DUE",
    "ENDED",
    "FORGET",
    "FORGET_UNAWAITED",
    "GONE",
    "IDENTITY",
    "INTEND",
    "IN_STATES",
    "JOB",
    "JOBS",
    "OF_CATEGORY",
    "OF_EXECUTION",
    "OPEN_INTENTS",
    "OPEN_ONLY",
    "ORPHANS_ONLY",
    "PRUNE",
    "PUT_OFF",
    "READ",
    "RENEW",
    "RENEW_FOR",
    "REOPEN",
    "SETTLE",
    "SETTLE_WANTED",
    "TAKE_OVER",
    "UNDECIDED",
    "WRITE_MANY",
]

_STATE: Final = """
CASE WHEN state = 'deleted' THEN 'deleted'
     WHEN delete_since IS NOT NULL THEN 'deleting'
     WHEN state = 'intended' THEN 'creating'
     WHEN state = 'ambiguous' THEN 'ambiguous'
     WHEN job IS NULL THEN 'ended'
     ELSE 'live' END
"""
_ORPHAN: Final = """
CASE WHEN state = 'ambiguous' THEN 1
     WHEN state = 'created' AND job IS NOT NULL AND delete_since IS NULL AND lease_until < :now THEN 1
     ELSE 0 END
"""
_RECORD: Final = f"""
key, category, {_STATE} AS shown, execution, handle, phase, reason, created_at, seen_at, lease_until,
{_ORPHAN} AS orphan, request
"""

READ: Final = """
SELECT digests, state, owner, handle, reason, delete_since, category FROM connectory_jobs WHERE key = :key
"""

INTEND: Final = """
INSERT INTO connectory_jobs
    (key, digests, state, owner, category, execution, request, lease, job, created_at, changed_at)
VALUES (:key, :digests, 'intended', :owner, :category, :execution, :request, :lease, 0, :now, :now)
ON CONFLICT (key) DO NOTHING
"""

TAKE_OVER: Final = """
UPDATE connectory_jobs SET owner = :owner, state = 'intended', job = 0, changed_at = :now
WHERE key = :key AND owner = :holder AND state = :state RETURNING key
"""

AWAIT: Final = "UPDATE connectory_jobs SET awaited = 1 WHERE key = :key AND awaited = 0 RETURNING key"

SETTLE: Final = """
UPDATE connectory_jobs
SET state = CAST(:state AS TEXT), handle = :handle, job = :job, reason = :reason, changed_at = :now,
    request = CASE WHEN CAST(:state AS TEXT) = 'ambiguous' THEN request END, lease_until = :now + lease
WHERE key = :key AND owner = :owner AND state = 'intended' RETURNING awaited, delete_since
"""

SETTLE_WANTED: Final = SETTLE.replace("RETURNING awaited, delete_since", "AND delete_since IS NULL AND awaited = 0")
"""The same for the common case, in which nobody waits and the job is wanted: RETURNING costs as much as the rest."""

WRITE_MANY: Final = """
WITH created AS (
    UPDATE connectory_jobs
    SET state = 'created', handle = one.handle, job = one.job, reason = NULL, changed_at = :now, request = NULL,
        lease_until = :now + lease
    FROM unnest(:created::text[], :handles::bytea[], :jobs::bigint[]) AS one (key, handle, job)
    WHERE connectory_jobs.key = one.key AND owner = :owner AND state = 'intended' AND delete_since IS NULL
        AND awaited = 0
    RETURNING connectory_jobs.key
), begun AS (
    INSERT INTO connectory_jobs
        (key, digests, state, owner, category, execution, request, lease, job, created_at, changed_at)
    SELECT key, digests, 'intended', :owner, category, execution, request, lease, 0, :now, :now
    FROM unnest(
        :keys::text[], :digests::text[], :categories::text[], :executions::text[], :requests::bytea[],
        :leases::float8[]
    ) AS one (key, digests, category, execution, request, lease)
    ON CONFLICT (key) DO NOTHING
    RETURNING key
), refused AS (
    DELETE FROM connectory_jobs USING unnest(:refused::text[]) AS one (key)
    WHERE connectory_jobs.key = one.key AND owner = :owner AND state = 'intended' AND delete_since IS NULL
        AND awaited = 0
    RETURNING connectory_jobs.key
)
SELECT key FROM created UNION ALL SELECT key FROM begun UNION ALL SELECT key FROM refused
"""
"""INTEND, SETTLE_WANTED and FORGET_UNAWAITED of many keys, no key twice, in one round trip of PostgreSQL: those with
which it was done."""

FORGET: Final = """
DELETE FROM connectory_jobs WHERE key = :key AND owner = :owner AND state = 'intended' AND delete_since IS NULL
RETURNING awaited
"""

FORGET_UNAWAITED: Final = FORGET.replace("RETURNING awaited", "AND awaited = 0")
"""The same when nobody waits."""

BURY: Final = """
UPDATE connectory_jobs SET state = 'deleted', job = NULL, request = NULL, changed_at = :now
WHERE key = :key AND owner = :owner AND state = 'intended' AND delete_since IS NOT NULL RETURNING awaited
"""

DOOM: Final = """
INSERT INTO connectory_jobs (key, digests, state, owner, category, execution, created_at, changed_at, delete_since)
VALUES (:key, '{}', 'deleted', '', :category, '', :now, :now, :now)
ON CONFLICT (key) DO UPDATE SET
    delete_since = coalesce(connectory_jobs.delete_since, :now),
    job = CASE WHEN connectory_jobs.state <> 'deleted' THEN coalesce(connectory_jobs.job, 0) END
"""

REOPEN: Final = """
DELETE FROM connectory_jobs WHERE key = :key AND state = 'deleted' AND handle IS NULL AND category = :category
"""

DOOM_HANDLE: Final = """
UPDATE connectory_jobs SET delete_since = coalesce(delete_since, :now)
WHERE job = :job AND handle = :handle AND state = 'created' RETURNING key
"""

DOOM_LAPSED: Final = """
UPDATE connectory_jobs SET delete_since = :now
WHERE key = :key AND state = 'created' AND delete_since IS NULL AND job IS NOT NULL AND lease_until < :now RETURNING key
"""

CONFIRM: Final = """
UPDATE connectory_jobs
SET state = 'deleted', job = NULL, delete_since = coalesce(delete_since, :now), changed_at = :now
WHERE key = :key AND handle = :handle AND state = 'created' RETURNING awaited
"""

RENEW: Final = """
UPDATE connectory_jobs SET seen_at = :now, lease_until = :now + lease, orphan_since = NULL, phase = :phase
WHERE job = :job AND handle = :handle
"""

RENEW_FOR: Final = RENEW.replace("lease_until = :now + lease", "lease = :lease, lease_until = :now + :lease")
"""The same with another lease: what counts is who polls now, and not what was in force when the job was created."""

ENDED: Final = """
UPDATE connectory_jobs
SET seen_at = :now, changed_at = :now, phase = :phase, job = CASE WHEN delete_since IS NOT NULL THEN job END
WHERE job = :job AND handle = :handle
"""

GONE: Final = """
UPDATE connectory_jobs
SET state = 'deleted', job = NULL, delete_since = coalesce(delete_since, :now), changed_at = :now
WHERE job = :job AND handle = :handle AND state = 'created'
"""

DECIDE: Final = """
UPDATE connectory_jobs
SET state = 'created', handle = :handle, job = :job, reason = NULL, request = NULL, changed_at = :now,
    lease_until = :now + lease
WHERE key = :key AND state = 'ambiguous' RETURNING awaited
"""

UNDECIDED: Final = """
DELETE FROM connectory_jobs WHERE key = :key AND state = 'ambiguous' AND delete_since IS NULL RETURNING awaited
"""

CLOSE: Final = """
UPDATE connectory_jobs SET state = 'deleted', job = NULL, request = NULL, changed_at = :now
WHERE key = :key AND state = 'ambiguous' AND delete_since IS NOT NULL RETURNING awaited
"""

JOB: Final = f"SELECT {_RECORD} FROM connectory_jobs WHERE key = :key"

JOBS: Final = f"SELECT {_RECORD} FROM connectory_jobs WHERE key > :after {{conditions}} ORDER BY key LIMIT :limit"
"""`conditions` are some of the following, each with an AND before it."""

IN_STATES: Final = {
    "creating": "(state = 'intended' AND delete_since IS NULL AND job IS NOT NULL)",
    "live": "(state = 'created' AND job IS NOT NULL AND delete_since IS NULL)",
    "ended": "(state = 'created' AND job IS NULL AND delete_since IS NULL)",
    "ambiguous": "(state = 'ambiguous' AND delete_since IS NULL AND job IS NOT NULL)",
    "deleting": "(state <> 'deleted' AND delete_since IS NOT NULL)",
    "deleted": "(state = 'deleted')",
}
"""By what `JobState` says; some of them, with an OR between."""
OPEN_ONLY: Final = "job IS NOT NULL"
OF_CATEGORY: Final = "(category = :category OR substr(category, 1, length(CAST(:versions AS TEXT))) = :versions)"
OF_EXECUTION: Final = "execution >= :execution AND execution < :beyond"
ORPHANS_ONLY: Final = f"{_ORPHAN} = 1"

COUNT: Final = f"""
SELECT category, {_ORPHAN} AS orphan, count(*) FROM connectory_jobs WHERE job IS NOT NULL GROUP BY 1, 2
"""

DUE: Final = """
UPDATE connectory_jobs SET held_until = :now + 60 WHERE key IN (
    SELECT key FROM connectory_jobs
    WHERE job IS NOT NULL AND category IN ({categories}) AND (held_until IS NULL OR held_until < :now) AND (
        (state = 'created' AND delete_since IS NOT NULL)
        OR (state = 'created' AND lease_until < :now AND lease <= :up_for)
        OR (state = 'ambiguous' AND request IS NOT NULL))
    LIMIT :limit)
AND (held_until IS NULL OR held_until < :now)
RETURNING key
"""

OPEN_INTENTS: Final = f"""
SELECT {_RECORD}, owner FROM connectory_jobs
WHERE job = 0 AND state = 'intended' AND category IN ({{categories}}) AND (held_until IS NULL OR held_until < :now)
ORDER BY changed_at LIMIT :limit
"""

PUT_OFF: Final = """
UPDATE connectory_jobs SET held_until = :now + :seconds, orphan_since = coalesce(orphan_since, :now)
WHERE key = :key RETURNING CASE WHEN orphan_since = :now THEN 1 ELSE 0 END
"""

PRUNE: Final = """
DELETE FROM connectory_jobs WHERE key IN (
    SELECT key FROM connectory_jobs
    WHERE state <> 'intended' AND changed_at < :now - :keep
        AND (job IS NULL OR (delete_since IS NULL AND coalesce(seen_at, changed_at) < :now - :keep))
    ORDER BY changed_at LIMIT 10000)
"""

IDENTITY: Final = "SELECT id FROM connectory_ledger_identity"
