"""What goes wrong with PostgreSQL, in the words of the contract."""

import asyncpg

from connectory.database.contract import DuplicateRowError, MissingRowError, UncertainError
from connectory.errors import ConnectoryError, StoreError

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


def translated(error: BaseException, shown: str, *, may_be_kept: bool = False) -> BaseException:
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
    kind = UncertainError if may_be_kept and not isinstance(error, asyncpg.PostgresError) else StoreError
    return kind(f"{shown} cannot be used: {_text(error)}{remedy}")


def _text(error: BaseException) -> str:
    return str(error) or ("it does not answer" if isinstance(error, TimeoutError) else type(error).__name__)
