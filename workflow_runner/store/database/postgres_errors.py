"""What goes wrong with PostgreSQL, in the words of stores."""

import asyncpg

from connectory.errors import ConnectoryError, StoreError
from workflow_runner.store.database.contract import DuplicateRowError, MissingRowError

__all__ = ["AT_ODDS", "FAILURES", "LOST", "refused", "translated"]

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,  # the server said good-bye while the client was about to speak
    OSError,
)
"""The connection is gone or of no use any more, or cannot be made; another one may work."""

FAILURES = (*LOST, asyncpg.PostgresError, asyncpg.InterfaceError)
"""All that asyncpg raises because of the server or the way there."""

AT_ODDS = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Two transactions were in each other's way, and this one was undone."""

_FULL = (asyncpg.DiskFullError, asyncpg.OutOfMemoryError)


def refused(error: asyncpg.IntegrityConstraintViolationError) -> StoreError:
    """A statement that contradicts what is there."""
    if isinstance(error, asyncpg.UniqueViolationError):
        return DuplicateRowError(str(error))
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return MissingRowError(str(error))
    return StoreError(str(error))


def translated(error: BaseException, where: str) -> BaseException:
    """Any other error; what is none of PostgreSQL's stays what it is."""
    if isinstance(error, ConnectoryError) or not isinstance(error, FAILURES):
        return error
    remedy = ""
    if isinstance(error, _FULL):
        remedy = "; make room for the database, then resume"
    elif isinstance(error, asyncpg.LockNotAvailableError):
        remedy = "; another program holds its tables, resume once that has ended"
    elif isinstance(error, LOST):
        remedy = "; see that the server runs and can be reached, then resume"
    return StoreError(f"the store {where} cannot be used: {error or type(error).__name__}{remedy}")
