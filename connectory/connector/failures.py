"""What a caller is told when a call of a connector fails, and what stays in the log."""

import asyncio
import os
import traceback
from typing import Final

from connectory.connector.registry import Registration
from connectory.errors import (
    ConnectorError,
    InternalError,
    InvalidTaskError,
    MissingSecretError,
    StorageError,
    TypeConversionError,
    UnavailableError,
    UserError,
)
from connectory.storage.errors import ObjectExistsError, ObjectNotFoundError

__all__ = ["FAILURES", "defect", "incident", "pass_on", "translated"]

FAILURES: Final = (BaseException,)
"""What foreign code may end with. `sys.exit()` somewhere in a connector must not end the whole server; work that it
cancelled itself, and the panic of an extension that is written in another language, must not leave the caller without
an answer. What `pass_on` knows is to be raised again.
"""


def pass_on(error: BaseException) -> None:
    """Raise what is not the doing of foreign code: the program, or what waits for an answer, is to end."""
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        raise error


def translated(error: BaseException, registration: Registration, operation: str) -> ConnectorError:
    """The error that leaves the service: of the connector tree, without secrets, and without a traceback.

    A cancellation that was asked of the present task is no failure: it is raised again, as is what `pass_on` knows.
    """
    pass_on(error)
    if isinstance(error, asyncio.CancelledError) and _is_wanted():
        raise error
    known = _known(error) or defect(registration, operation, error)
    return _redacted(known, registration)


def defect(registration: Registration, operation: str, error: BaseException) -> InternalError:
    """An error that nobody foresaw: its traceback is logged under an id, and the caller gets the id."""
    short = incident()
    text = "".join(traceback.format_exception(error))
    registration.logger.error("error id %s: %s failed in %s\n%s", short, registration.name, operation, text)
    return InternalError(
        f"connector {registration.name} failed in {operation} with {type(error).__name__} (error id {short})"
    )


def incident() -> str:
    """A short id by which a log line is found."""
    return os.urandom(4).hex()


def _is_wanted() -> bool:
    """Whether somebody asked the present task to end, rather than something that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _known(error: BaseException) -> ConnectorError | None:
    if isinstance(error, ConnectorError):
        return error
    if isinstance(error, TypeConversionError):
        fields = {f"inputs.{error.path}" if error.path else "inputs": error.message}
        return InvalidTaskError(f"a value does not fit its type: {error}", reason="TYPE_MISMATCH", fields=fields)
    if isinstance(error, MissingSecretError):
        return UserError(str(error), reason="MISSING_SECRET")
    if isinstance(error, ObjectNotFoundError | ObjectExistsError):
        return UserError(str(error), reason="STORAGE")
    if isinstance(error, StorageError):
        return UnavailableError(str(error), reason="STORAGE")
    return None


def _redacted(error: ConnectorError, registration: Registration) -> ConnectorError:
    redactor = registration.redactor
    if redactor:
        error.message = redactor.text(error.message)
        error.args = (error.message,)
        error.fields = {redactor.text(path): redactor.text(text) for path, text in error.fields.items()}
    return error
