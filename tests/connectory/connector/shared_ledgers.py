"""Opens the ledger that a test means, in whichever process it is."""

from datetime import timedelta

from connectory.connector.ledger import Ledger
from connectory.connector.ledger.postgres import PostgresLedger
from connectory.connector.ledger.sqlite import SqliteLedger

__all__ = ["LEASE", "opened"]

LEASE = timedelta(seconds=1)
"""After which a process that is gone is known to be, where that takes a lease."""


def opened(where: str) -> Ledger:
    """A ledger over this database: a PostgreSQL URL, or the path of a file."""
    if where.startswith("postgresql://"):
        return PostgresLedger(where, lease=LEASE)
    return SqliteLedger(where)
