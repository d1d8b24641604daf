"""Every SQL statement of the ledger; its tables are in `sql/`."""

from typing import Final

__all__ = ["FORGET", "INTEND", "PRUNE", "READ", "SETTLE", "TAKE_OVER"]

READ: Final = "SELECT digests, state, owner, handle, reason FROM creations WHERE key = :key"

INTEND: Final = """
INSERT INTO creations (key, digests, state, owner, changed_at) VALUES (:key, :digests, 'intended', :owner, :now)
"""

TAKE_OVER: Final = "UPDATE creations SET owner = :owner, state = 'intended', changed_at = :now WHERE key = :key"

SETTLE: Final = """
UPDATE creations SET state = :state, handle = :handle, reason = :reason, changed_at = :now
WHERE key = :key AND owner = :owner
"""

FORGET: Final = "DELETE FROM creations WHERE key = :key AND owner = :owner"

PRUNE: Final = """
DELETE FROM creations WHERE key IN (
    SELECT key FROM creations WHERE state <> 'intended' AND changed_at < :before ORDER BY changed_at LIMIT 10000
)
"""
